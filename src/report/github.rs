//! Findings as workflow commands: GitHub shows each one at its line of the pull request.
//!
//! Format: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>. GitHub shows the first ten of each level
//! per step, so the most important come first.

use super::finding::{Finding, Level};
use crate::text::{shortened, visible};

/// The characters of a message that are shown at a line of a pull request: more of it hides the code.
const LONGEST: usize = 600;

pub(super) fn print(findings: &[Finding], prefix: &str) -> String {
    findings
        .iter()
        .map(|finding| command(finding, prefix))
        .collect()
}

fn command(finding: &Finding, prefix: &str) -> String {
    let word = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some(at) = &finding.at {
        properties.push(format!(
            "file={}",
            property(&format!("{prefix}{}", at.file))
        ));
        properties.push(format!("line={}", at.line));
        if let Some((start, end)) = at.columns {
            properties.push(format!("col={start},endColumn={}", end - 1));
        }
    }
    properties.push(format!(
        "title={}",
        property(&format!("convertalk {}", finding.rule))
    ));
    let help = finding
        .help
        .as_ref()
        .map(|help| format!("\nhelp: {}", visible(help)))
        .unwrap_or_default();
    let related: String = finding
        .related
        .iter()
        .map(|(what, at)| visible(&format!("{what}: {prefix}{}:{}", at.file, at.line)))
        .map(|line| format!("\n{line}"))
        .collect();
    format!(
        "::{word} {}::{}\n",
        properties.join(","),
        data(&(shortened(&visible(&finding.message), LONGEST) + &related + &help))
    )
}

/// Makes a text safe for a log that the runner scans for commands: no line starts one.
pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
        .replace("::", "%3A%3A")
}

fn property(text: &str) -> String {
    data(&visible(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::finding::FindingPlace;

    #[test]
    fn no_text_begins_a_command() {
        let at = FindingPlace {
            file: "leads/a,b:c.yaml".to_owned(),
            line: 3,
            columns: Some((5, 9)),
        };
        let message = "x\n::set-output name=a::b 100%\r".to_owned();
        let finding = Finding {
            level: Level::Error,
            rule: "missing".to_owned(),
            message,
            help: None,
            at: Some(at),
            related: Vec::new(),
        };
        let printed = print(&[finding], "crm/");
        assert_eq!(
            printed,
            "::error file=crm/leads/a%2Cb%3Ac.yaml,line=3,col=5,endColumn=8,title=convertalk missing::\
             x\\n%3A%3Aset-output name=a%3A%3Ab 100%25\\u{d}\n"
        );
    }
}

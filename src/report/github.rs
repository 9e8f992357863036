//! Findings as workflow commands: GitHub shows each one at its line of the pull request.
//!
//! Format: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>. GitHub shows the first ten of each level
//! per step, so the most important come first.

use super::finding::{Finding, Level};
use crate::text::{count, shortened, visible};

/// The characters of a message that are shown at a line of a pull request: more of it hides the code.
const LONGEST: usize = 600;

/// The findings of a level that are printed: a runner keeps few of them, and a log of more is not read.
const MOST: usize = 100;

pub(super) fn print(findings: &[Finding], prefix: &str) -> String {
    let mut out = String::new();
    for level in [Level::Error, Level::Warning, Level::Note] {
        let of_level = findings.iter().filter(|finding| finding.level == level);
        let (mut shown, mut left_out) = (0, 0);
        for finding in of_level {
            if shown < MOST {
                shown += 1;
                out += &command(finding, prefix);
            } else {
                left_out += 1;
            }
        }
        if left_out > 0 {
            let all = count(shown + left_out, word(level));
            out += &format!(
                "::notice title=convertalk::{all}, of which the first {MOST} are shown here; the plan has them all\n"
            );
        }
    }
    out
}

/// The command of a level.
fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    }
}

/// A message at a readable length, with how much of it was cut.
fn readable(message: &str) -> String {
    let cut = message.chars().count().saturating_sub(LONGEST);
    let more = match cut {
        0 => String::new(),
        cut => format!(
            " ({cut} more {})",
            if cut == 1 { "character" } else { "characters" }
        ),
    };
    shortened(message, LONGEST) + &more
}

fn command(finding: &Finding, prefix: &str) -> String {
    let word = word(finding.level);
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
        data(&(readable(&visible(&finding.message)) + &related + &help))
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

    fn finding(level: Level, message: String) -> Finding {
        Finding {
            level,
            rule: "change".to_owned(),
            message,
            help: None,
            at: None,
            related: Vec::new(),
        }
    }

    #[test]
    fn a_long_message_is_cut_and_says_by_how_much() {
        let message = "é".repeat(LONGEST + 7);
        let printed = print(&[finding(Level::Note, message)], "");
        assert!(printed.ends_with("é… (7 more characters)\n"), "{printed}");
        let whole = print(&[finding(Level::Note, "é".repeat(LONGEST))], "");
        assert!(whole.ends_with("é\n"), "{whole}");
    }

    #[test]
    fn the_first_of_each_level_are_printed_and_the_rest_is_counted() {
        let notes = (0..130).map(|at| finding(Level::Note, format!("note {at}")));
        let errors = (0..3).map(|at| finding(Level::Error, format!("error {at}")));
        let all: Vec<Finding> = notes.chain(errors).collect();
        let printed = print(&all, "");
        assert_eq!(printed.lines().count(), 3 + 100 + 1);
        assert!(printed.starts_with("::error "), "the worst come first");
        assert!(
            printed.ends_with(
                "::130 notices, of which the first 100 are shown here; the plan has them all\n"
            ),
            "{printed}"
        );
    }

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

//! Findings as SARIF 2.1.0, for code scanning.
//!
//! Format: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>. Only the parts that readers use.

use std::collections::BTreeMap;

use serde::Serialize;

use super::finding::{Finding, FindingPlace, Level};
use crate::text::visible;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifLog {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [SarifRun; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRun {
    tool: Tool,
    column_kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    invocations: Option<[Invocation; 1]>,
    results: Vec<SarifEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    tool_execution_notifications: [Notification; 1],
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: SarifText,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    information_uri: &'static str,
    rules: Vec<SarifRule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRule {
    id: String,
    short_description: SarifText,
}

#[derive(Serialize)]
struct SarifText {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifEntry {
    rule_id: String,
    rule_index: usize,
    level: &'static str,
    message: SarifText,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<SarifText>,
    physical_location: Physical,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<u32>,
}

/// The results that hosts take of one run; GitHub refuses a file with more.
const MOST: usize = 25_000;

pub(super) fn print(all: &[Finding], prefix: &str) -> Result<String, serde_json::Error> {
    let mut findings: Vec<&Finding> = all.iter().collect();
    if findings.len() > MOST {
        findings.sort_by_key(|finding| finding.level);
        findings.truncate(MOST);
    }
    let left_out = all.len() - findings.len();
    let ids: BTreeMap<&str, usize> = findings
        .iter()
        .map(|finding| (finding.rule.as_str(), 0))
        .collect();
    let ids: BTreeMap<&str, usize> = ids
        .into_keys()
        .enumerate()
        .map(|(at, id)| (id, at))
        .collect();
    let rule = |id: &&str| SarifRule {
        id: (*id).to_owned(),
        short_description: SarifText {
            text: id.replace('-', " "),
        },
    };
    let log = SarifLog {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [SarifRun {
            tool: Tool {
                driver: Driver {
                    name: "convertalk",
                    version: env!("CARGO_PKG_VERSION"),
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    rules: ids.keys().map(rule).collect(),
                },
            },
            column_kind: "unicodeCodePoints",
            invocations: (left_out > 0).then(|| [cut(left_out)]),
            results: findings
                .iter()
                .map(|finding| entry(finding, &ids, prefix))
                .collect(),
        }],
    };
    crate::json::pretty(&log)
}

/// Says what is left out.
fn cut(left_out: usize) -> Invocation {
    let text = format!(
        "{left_out} of {} results are left out: hosts take {MOST}",
        left_out + MOST
    );
    Invocation {
        execution_successful: true,
        tool_execution_notifications: [Notification {
            level: "warning",
            message: SarifText { text },
        }],
    }
}

fn entry(finding: &Finding, ids: &BTreeMap<&str, usize>, prefix: &str) -> SarifEntry {
    let help = finding
        .help
        .as_ref()
        .map(|help| format!("\nhelp: {}", visible(help)))
        .unwrap_or_default();
    // Code scanning requires a place for everything: findings without one are placed in the workspace file.
    let whole = FindingPlace {
        file: "convertalk.yaml".to_owned(),
        line: 1,
        columns: None,
    };
    let at = finding.at.as_ref().unwrap_or(&whole);
    SarifEntry {
        rule_id: finding.rule.clone(),
        rule_index: ids.get(finding.rule.as_str()).copied().unwrap_or_default(),
        level: match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        },
        message: SarifText {
            text: visible(&finding.message) + &help,
        },
        locations: vec![location(at, None, prefix)],
        related_locations: finding
            .related
            .iter()
            .map(|(message, at)| location(at, Some(message), prefix))
            .collect(),
    }
}

fn location(at: &FindingPlace, message: Option<&String>, prefix: &str) -> Location {
    let columns = at.columns.unzip();
    let region = Region {
        start_line: at.line.max(1),
        start_column: columns.0,
        end_column: columns.1,
    };
    let artifact_location = Artifact {
        uri: uri(&format!("{prefix}{}", at.file)),
        uri_base_id: "%SRCROOT%",
    };
    Location {
        message: message.map(|text| SarifText {
            text: visible(text),
        }),
        physical_location: Physical {
            artifact_location,
            region,
        },
    }
}

/// A path as a relative reference: other characters are percent-encoded.
fn uri(path: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    path.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stop_at_what_hosts_take_errors_first() {
        let finding = |level| Finding {
            level,
            rule: "missing".to_owned(),
            message: "m".to_owned(),
            help: None,
            at: None,
            related: Vec::new(),
        };
        let mut all: Vec<Finding> = (0..MOST).map(|_| finding(Level::Note)).collect();
        all.push(finding(Level::Error));
        let log: serde_json::Value =
            serde_json::from_str(&print(&all, "").expect("JSON")).expect("JSON");
        let run = &log["runs"][0];
        assert_eq!(run["results"].as_array().map(Vec::len), Some(MOST));
        assert_eq!(run["results"][0]["level"], "error");
        let notification = &run["invocations"][0]["toolExecutionNotifications"][0];
        assert_eq!(
            notification["message"]["text"],
            "1 of 25001 results are left out: hosts take 25000"
        );
    }
}

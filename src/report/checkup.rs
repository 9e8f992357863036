//! What `doctor` found out: findings, each with its next step.

use std::fmt::Write;

use serde::Serialize;

use super::style::{BAD, CHANGE, FAINT, GOOD, STRONG, count, paint, visible};
use crate::config::Workspace;
use crate::observe::{ChatType, End, Probe};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Ok,
    /// It works, and wants a look.
    Warning,
    /// Nothing works before this is mended.
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// How it is.
    pub health: Health,
    /// What was looked at, in a word.
    pub about: &'static str,
    /// What was seen.
    pub message: String,
    /// What to do next; of everything that is not well.
    pub next: Option<String>,
}

impl Check {
    /// All is well.
    pub fn ok(about: &'static str, message: impl Into<String>) -> Self {
        Self {
            health: Health::Ok,
            about,
            message: message.into(),
            next: None,
        }
    }

    /// Worth a look.
    pub fn warning(
        about: &'static str,
        message: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            health: Health::Warning,
            about,
            message: message.into(),
            next: Some(next.into()),
        }
    }

    /// To be mended first.
    pub fn error(about: &'static str, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            health: Health::Error,
            about,
            message: message.into(),
            next: Some(next.into()),
        }
    }
}

/// What a few pages of both lists say.
pub fn probed(probes: &[(ChatType, Probe)], workspace: &Workspace) -> Vec<Check> {
    let mut checks: Vec<Check> = probes
        .iter()
        .flat_map(|(list, probe)| listed(*list, probe))
        .collect();
    let chats: usize = probes
        .iter()
        .map(|(_, probe)| probe.chats.iter().sum::<usize>())
        .sum();
    if probes.iter().all(|(_, probe)| probe.is_nowhere) {
        let next =
            "check api.endpoint: it is the host alone, such as https://api.v7.convertalk.com";
        return vec![Check::error(
            "listing",
            "neither list of the inbox is served at this address",
            next,
        )];
    }
    if chats == 0 {
        let next = "check bot_id and customer_id (the embed script has them as botId,customerId), and that the bot has chats";
        checks.push(Check::warning(
            "listing",
            "the inbox lists no chats at all",
            next,
        ));
    }
    checks.extend(shapes(probes));
    checks.extend(agents(probes, workspace));
    checks
}

fn listed(list: ChatType, probe: &Probe) -> Vec<Check> {
    let chats = match (probe.chats, probe.page_size()) {
        ([0, _], _) => "no chats".to_owned(),
        (_, Some(size)) => format!("{size} chats a page"),
        ([first, 0], _) => format!("{}, all on one page", count(first, "chat")),
        ([first, second], _) => format!("{first} chats on page 1, {second} on page 2"),
    };
    let mut checks = vec![Check::ok("listing", format!("{list}: {chats}"))];
    if probe.end == End::Repeats {
        let message = format!("{list}: far behind its end the list shows its last page again");
        checks.push(Check::ok(
            "listing",
            message + "; convertalk reads until a page repeats",
        ));
    }
    checks
}

fn shapes(probes: &[(ChatType, Probe)]) -> Vec<Check> {
    let mut checks = Vec::new();
    let sum =
        |of: &dyn Fn(&Probe) -> usize| probes.iter().map(|(_, probe)| of(probe)).sum::<usize>();
    let tags = |shape: &str| sum(&|probe| probe.tags.get(shape).copied().unwrap_or_default());
    match (tags("an array"), tags("text")) {
        (0, 0) => {}
        (_, 0) => checks.push(Check::ok(
            "shapes",
            "tags come as an array, and are sent as one",
        )),
        (0, _) => checks.push(Check::ok(
            "shapes",
            "tags come as text, and are sent as text",
        )),
        (arrays, texts) => {
            let message = format!("tags come as an array of {arrays} leads and as text of {texts}");
            checks.push(Check::warning(
                "shapes",
                message,
                "an array is sent; if the platform refuses it, set api.tags to string",
            ));
        }
    }
    match sum(&|probe| probe.without_uuid) {
        0 => {}
        chats => {
            let message = format!("{} without a uuid", count(chats, "chat"));
            checks.push(Check::warning(
                "shapes",
                message,
                "they cannot be managed: chats of other channels, most likely",
            ));
        }
    }
    let odd: std::collections::BTreeSet<&String> = probes
        .iter()
        .flat_map(|(_, probe)| probe.odd_statuses.keys())
        .collect();
    if !odd.is_empty() {
        let words: Vec<String> = odd.iter().map(|word| visible(word)).collect();
        let next =
            "they are read, and never written; a lead file can move such a lead to one of the six";
        checks.push(Check::warning(
            "shapes",
            format!("statuses that no update takes: {}", words.join(", ")),
            next,
        ));
    }
    checks
}

fn agents(probes: &[(ChatType, Probe)], workspace: &Workspace) -> Option<Check> {
    let seen = || probes.iter().flat_map(|(_, probe)| &probe.agents);
    let named =
        |id: &&crate::lead::AgentId| workspace.agents.values().any(|agent| agent.id == **id);
    let unknown: std::collections::BTreeSet<_> = seen().filter(|id| !named(id)).collect();
    if unknown.is_empty() {
        return (seen().count() > 0).then(|| {
            Check::ok(
                "agents",
                "everyone seen with a lead has a name in convertalk.yaml",
            )
        });
    }
    let lines: String = unknown
        .iter()
        .map(|id| format!("\n    NAME: {id}"))
        .collect();
    let message = format!(
        "{} without a name in convertalk.yaml",
        count(unknown.len(), "agent")
    );
    Some(Check::warning(
        "agents",
        message,
        format!("name them under agents: so that reviewers read names{lines}"),
    ))
}

/// All checks in words, and what they come to.
pub fn checkup(checks: &[Check]) -> String {
    let mut out = String::new();
    for Check {
        health,
        about,
        message,
        next,
    } in checks
    {
        let (style, word) = match health {
            Health::Ok => (GOOD, "ok     "),
            Health::Warning => (CHANGE, "warning"),
            Health::Error => (BAD, "error  "),
        };
        // Writing into a String does not fail.
        let _infallible = writeln!(out, "{}  {about:<9}  {message}", paint(style, word));
        if let Some(next) = next {
            let _infallible = writeln!(out, "{:20}{} {next}", "", paint(FAINT, "next:"));
        }
    }
    let number = |health| checks.iter().filter(|check| check.health == health).count();
    let (errors, warnings) = (number(Health::Error), number(Health::Warning));
    let headline = match (errors, warnings) {
        (0, 0) => "all is well".to_owned(),
        (0, warnings) => count(warnings, "warning"),
        (errors, 0) => count(errors, "error"),
        (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    out + &format!("{} {headline}.\n", paint(STRONG, "Doctor:"))
}

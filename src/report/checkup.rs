//! The findings of `doctor`, each with its next step.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;

use super::style::{BAD, CHANGE, FAINT, GOOD, STRONG, count, paint, visible};
use crate::config::Workspace;
use crate::lead::AgentId;
use crate::observe::{ChatType, End, Probe};

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// No problem.
    Ok,
    /// Works, but needs attention.
    Warning,
    /// Must be fixed before anything else works.
    Error,
}

/// One finding.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HealthCheck {
    /// The result.
    pub health: Health,
    /// The subject, in one word.
    pub about: &'static str,
    /// What was found.
    pub message: String,
    /// What to do next; present unless the result is `Ok`.
    pub next: Option<String>,
}

impl HealthCheck {
    /// A check without a problem.
    pub fn ok(about: &'static str, message: impl Into<String>) -> Self {
        Self {
            health: Health::Ok,
            about,
            message: message.into(),
            next: None,
        }
    }

    /// A check that needs attention.
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

    /// A check that must be fixed first.
    pub fn error(about: &'static str, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            health: Health::Error,
            about,
            message: message.into(),
            next: Some(next.into()),
        }
    }
}

/// What a few pages of both lists show.
pub fn probed(probes: &[(ChatType, Probe)], workspace: &Workspace) -> Vec<HealthCheck> {
    let mut checks: Vec<HealthCheck> = probes
        .iter()
        .flat_map(|(list, probe)| listed(*list, probe))
        .collect();
    let chats: usize = probes
        .iter()
        .map(|(_, probe)| probe.chats.iter().sum::<usize>())
        .sum();
    if probes.iter().all(|(_, probe)| probe.is_nowhere) {
        let next =
            "check api.endpoint: expected the host alone, such as https://api.v7.convertalk.com";
        return vec![HealthCheck::error(
            "listing",
            "nothing is served at this address: page 1 of both lists is not found (HTTP 404)",
            next,
        )];
    }
    if chats == 0 {
        let next = "check bot_id and customer_id (the embed script has them as botId,customerId), and that the bot has chats";
        checks.push(HealthCheck::warning(
            "listing",
            "the inbox lists no chats",
            next,
        ));
    }
    checks.extend(shapes(probes));
    checks.extend(agents(probes, workspace));
    checks
}

fn listed(list: ChatType, probe: &Probe) -> Vec<HealthCheck> {
    let chats = match (probe.chats, probe.page_size()) {
        ([0, _], _) => "no chats".to_owned(),
        (_, Some(size)) => format!("{size} chats a page"),
        ([first, 0], _) => format!("{}, all on one page", count(first, "chat")),
        ([first, second], _) => format!("{first} chats on page 1, {second} on page 2"),
    };
    let mut checks = vec![HealthCheck::ok("listing", format!("{list}: {chats}"))];
    if probe.end == End::Repeats {
        let message = format!("{list}: page numbers beyond the end return the last page");
        checks.push(HealthCheck::ok(
            "listing",
            message + "; convertalk stops when a page repeats",
        ));
    }
    checks
}

fn shapes(probes: &[(ChatType, Probe)]) -> Vec<HealthCheck> {
    let mut checks = Vec::new();
    let sum =
        |of: &dyn Fn(&Probe) -> usize| probes.iter().map(|(_, probe)| of(probe)).sum::<usize>();
    let tags = |shape: &str| sum(&|probe| probe.tags.get(shape).copied().unwrap_or_default());
    match (tags("an array"), tags("text")) {
        (0, 0) => {}
        (_, 0) => checks.push(HealthCheck::ok(
            "shapes",
            "tags are listed as an array, and sent as an array",
        )),
        (0, _) => checks.push(HealthCheck::ok(
            "shapes",
            "tags are listed as text, and sent as text",
        )),
        (arrays, texts) => {
            let message =
                format!("tags are listed as an array for {arrays} leads and as text for {texts}");
            checks.push(HealthCheck::warning(
                "shapes",
                message,
                "convertalk sends an array; if the platform refuses it, set api.tags to string",
            ));
        }
    }
    match sum(&|probe| probe.without_uuid) {
        0 => {}
        chats => {
            let message = format!("{} without a uuid", count(chats, "chat"));
            checks.push(HealthCheck::warning(
                "shapes",
                message,
                "they cannot be managed; most likely they come from other channels",
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
            "these are read but never written; a lead file can set one of the six statuses instead";
        checks.push(HealthCheck::warning(
            "shapes",
            format!("statuses that cannot be written: {}", words.join(", ")),
            next,
        ));
    }
    checks
}

fn agents(probes: &[(ChatType, Probe)], workspace: &Workspace) -> Option<HealthCheck> {
    let mut seen: BTreeMap<&AgentId, usize> = BTreeMap::new();
    for (agent, leads) in probes.iter().flat_map(|(_, probe)| &probe.agents) {
        *seen.entry(agent).or_default() += leads;
    }
    let is_named = |id: &AgentId| workspace.agents.values().any(|agent| agent.id == *id);
    let unknown: BTreeMap<&AgentId, usize> = seen
        .iter()
        .filter(|(id, _)| !is_named(id))
        .map(|(id, leads)| (*id, *leads))
        .collect();
    if unknown.is_empty() {
        return (!seen.is_empty())
            .then(|| HealthCheck::ok("agents", "all agents seen have a name in convertalk.yaml"));
    }
    let message = format!(
        "{} without a name in convertalk.yaml",
        count(unknown.len(), "agent")
    );
    Some(HealthCheck::warning(
        "agents",
        message,
        format!(
            "name them in convertalk.yaml, to see the names in plans (the leads are those on the pages read):\n{}",
            unnamed_agents(&unknown)
        ),
    ))
}

/// Agents without a name as lines of convertalk.yaml, ready to paste: those with most leads first.
pub fn unnamed_agents(leads: &BTreeMap<&AgentId, usize>) -> String {
    let mut agents: Vec<(&&AgentId, &usize)> = leads.iter().collect();
    agents.sort_by_key(|(id, leads)| (Reverse(**leads), **id));
    let line = |(id, leads): (&&AgentId, &usize)| {
        let name = id.as_str().get(18..).unwrap_or_default();
        format!("\n  agent-{name}: \"{id}\" # {}", count(*leads, "lead"))
    };
    let lines: String = agents.into_iter().map(line).collect();
    format!("agents:{lines}")
}

/// Renders all checks and a summary.
pub fn checkup(checks: &[HealthCheck]) -> String {
    let mut out = String::new();
    for HealthCheck {
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
        // Writing to a String cannot fail.
        let _infallible = writeln!(out, "{}  {about:<9}  {message}", paint(style, word));
        if let Some(next) = next {
            let _infallible = writeln!(out, "{:20}{} {next}", "", paint(FAINT, "next:"));
        }
    }
    let number = |health| checks.iter().filter(|check| check.health == health).count();
    let (errors, warnings) = (number(Health::Error), number(Health::Warning));
    let headline = match (errors, warnings) {
        (0, 0) => "no problems found".to_owned(),
        (0, warnings) => count(warnings, "warning"),
        (errors, 0) => count(errors, "error"),
        (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    out + &format!("{} {headline}.\n", paint(STRONG, "Doctor:"))
}

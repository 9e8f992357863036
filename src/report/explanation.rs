//! One lead explained, for a terminal.

use std::fmt::{self, Write};

use super::style::{ADD, BAD, CHANGE, FAINT, GOOD, STRONG, indented, paint, visible};
use crate::lead::{Field, Note, Shown, Value};
use crate::plan::explain::{Decision, Declaration, Explained, Explanation};
use crate::text::distinct_from;

/// Renders the explanation of a lead.
pub fn explanation(lead: &Explanation) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _infallible = write_lead(&mut out, lead);
    out
}

fn write_lead(out: &mut dyn Write, lead: &Explanation) -> fmt::Result {
    let label = lead
        .label
        .as_deref()
        .map(|label| format!("  {}", paint(STRONG, visible(label))))
        .unwrap_or_default();
    let place = lead
        .source
        .as_ref()
        .map_or("not declared".to_owned(), ToString::to_string);
    writeln!(
        out,
        "{}{label}  {}",
        visible(lead.uuid.as_str()),
        paint(FAINT, place)
    )?;
    if let Some(reason) = &lead.hold {
        writeln!(out, "{} {}", paint(CHANGE, "Held:"), visible(reason))?;
    }
    if !lead.found {
        writeln!(out, "{} in the inbox", paint(BAD, "Not found"))?;
    }
    for field in &lead.fields {
        writeln!(out)?;
        write_field(out, lead, field)?;
    }
    if !lead.unmanaged.is_empty() {
        let fields: Vec<String> = lead.unmanaged.iter().map(|field| visible(field)).collect();
        writeln!(
            out,
            "\n{} {}",
            paint(STRONG, "Not managed:"),
            fields.join(", ")
        )?;
    }
    for refusal in &lead.refusals {
        let place = refusal
            .source
            .as_ref()
            .map(|source| format!("  {}", paint(FAINT, source)))
            .unwrap_or_default();
        writeln!(
            out,
            "\n{} {}{place}",
            paint(BAD, "Policy:"),
            visible(&refusal.message)
        )?;
        indented(
            out,
            2,
            format_args!("{} {}", paint(FAINT, "help:"), visible(&refusal.lift)),
        )?;
    }
    Ok(())
}

fn write_field(out: &mut dyn Write, lead: &Explanation, field: &Explained) -> fmt::Result {
    let (style, word, words) = describe(field.rule);
    writeln!(
        out,
        "{}  {}: {words}",
        paint(STRONG, visible(&field.field)),
        paint(style, word)
    )?;
    let is_agent = field.field == Field::AGENT.to_string();
    let texts = texts_of(field);
    // A text that would look like another one beside it is set apart from it.
    let shown = |text: &str| distinct_from(text, texts.iter().copied());
    let said = |said: &Declaration| match said {
        Declaration::Value(value) => value_words(value, is_agent, lead, &shown),
        Declaration::Patch { present, absent } => {
            let present = present.iter().map(|tag| format!("+{}", shown(tag)));
            present
                .chain(absent.iter().map(|tag| format!("-{}", shown(tag))))
                .collect::<Vec<_>>()
                .join(" ")
        }
    };
    if let Some(base) = &field.base {
        indented(out, 2, format_args!("base     {}", said(base)))?;
    }
    if let Some(desired) = &field.desired {
        let place = field
            .source
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        indented(
            out,
            2,
            format_args!("desired  {}  {}", said(desired), paint(FAINT, place)),
        )?;
    }
    indented(
        out,
        2,
        format_args!(
            "live     {}",
            value_words(&field.live, is_agent, lead, &shown)
        ),
    )?;
    if let Some(commit) = &field.commit {
        let short: String = commit.id.chars().take(12).collect();
        let words = format!(
            "{short} {}, {}: {}",
            visible(&commit.author),
            commit.at,
            visible(&commit.subject)
        );
        indented(out, 2, format_args!("commit   {}", paint(FAINT, words)))?;
    }
    Ok(())
}

fn describe(rule: Decision) -> (anstyle::Style, &'static str, &'static str) {
    match rule {
        Decision::InSync => (GOOD, "in sync", "the inbox matches the file"),
        Decision::Change => (CHANGE, "change", "apply writes the file's value"),
        Decision::Intended => (
            ADD,
            "intended",
            "the file changed since the base; apply writes its value",
        ),
        Decision::Drift => (
            CHANGE,
            "drift",
            "the inbox changed, the file did not; apply --base keeps the inbox's value, unless --drift revert is given",
        ),
        Decision::Conflict => (
            BAD,
            "conflict",
            "both changed, to different values; apply --base refuses, unless --conflicts take-file or take-live is given",
        ),
        Decision::Released => (FAINT, "released", "no longer declared; the inbox decides"),
        Decision::Unmanaged => (FAINT, "not managed", "not declared; the inbox decides"),
        Decision::Held => (CHANGE, "held", "the lead is held and is not written"),
        Decision::Missing => (BAD, "missing", "the lead is not in the inbox"),
    }
}

/// The texts and tags that a field has at the base, in the file and in the inbox.
fn texts_of(field: &Explained) -> Vec<&str> {
    let mut texts = texts_in(&field.live);
    for said in field.base.iter().chain(&field.desired) {
        match said {
            Declaration::Value(value) => texts.extend(texts_in(value)),
            Declaration::Patch { present, absent } => {
                texts.extend(present.iter().chain(absent).map(String::as_str));
            }
        }
    }
    texts
}

fn texts_in(value: &Value) -> Vec<&str> {
    match value.shown() {
        Shown::One(text) => text.into_iter().collect(),
        Shown::Tags(tags) => tags.iter().map(String::as_str).collect(),
        Shown::Agent(_) | Shown::Notes(_) => Vec::new(),
    }
}

fn value_words(
    value: &Value,
    is_agent: bool,
    lead: &Explanation,
    shown: &impl Fn(&str) -> String,
) -> String {
    match value.shown() {
        Shown::One(None) if is_agent => "none".to_owned(),
        Shown::One(None) => "(none)".to_owned(),
        Shown::One(Some("")) => "\"\"".to_owned(),
        Shown::One(Some(text)) => shown(text),
        Shown::Agent(id) => match lead.agents.get(id.as_str()) {
            Some(name) => format!("{} ({id})", visible(name)),
            None => id.to_string(),
        },
        Shown::Tags(tags) => {
            let tags: Vec<String> = tags.iter().map(|tag| shown(tag)).collect();
            format!("[{}]", tags.join(", "))
        }
        Shown::Notes([]) => "(none)".to_owned(),
        Shown::Notes(notes) => {
            let notes: Vec<String> = notes.iter().map(note_words).collect();
            notes.join("; ")
        }
    }
}

fn note_words(note: &Note) -> String {
    format!("{}: {}", visible(&note.title), visible(&note.description))
}

//! A plan as one self-contained HTML file: the browser fetches nothing and runs no style or script but the file's
//! own.
//!
//! This module owns the page; `cards` has the leads, `choices` the filters, `notices` refusals and warnings, `flow` and `load` the charts.
//! The templates print text through [`Visible`], so that text from strangers is escaped and made visible.

use std::fmt;

use askama::Template;
use sha2::{Digest, Sha256};

use super::field_summary::PlanNames;
use super::headline::{Outlook, PlanHeadline};
use crate::plan::{Base, Held, Plan, Released};
use crate::text::count;
use cards::{Card, FieldView};
use choices::Choices;
use flow::Flow;
use lead_link::{LeadLink, lead_link};
use load::Load;
use notices::{ClassCount, Notice};

mod cards;
mod choices;
mod flow;
mod lead_link;
mod load;
mod notices;

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// When what a page shows is done.
pub(super) enum Moment {
    /// Nothing has been written.
    Ahead,
    /// The last pass of `watch` carried the plan out.
    LastPass,
    /// A run wrote it, which ended so.
    Run(PlanHeadline),
}

/// The page, as the template receives it.
pub(super) fn plan(plan: &Plan, moment: Moment) -> String {
    let names = PlanNames::new(plan);
    let (cards, choices) = cards::cards(plan, &names);
    let is_of_run = matches!(moment, Moment::Run(_));
    let (headline, is_of_pass) = match moment {
        Moment::Ahead => (PlanHeadline::new(plan), false),
        Moment::LastPass => (PlanHeadline::new(plan), true),
        Moment::Run(headline) => (headline, false),
    };
    let page = PlanPage {
        plan,
        headline,
        notices: notices::notices(plan, &names),
        classes: notices::classes(plan),
        flow: Flow::new(&plan.transitions),
        load: Load::new(plan),
        held: plan
            .held
            .iter()
            .map(|held| (lead_link(plan, &names, &held.uuid), held))
            .collect(),
        released: plan
            .released
            .iter()
            .map(|released| (lead_link(plan, &names, &released.uuid), released))
            .collect(),
        cards,
        choices,
        is_of_pass,
        is_of_run,
    };
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _infallible = page.render_into(&mut out);
    out
}

#[derive(Template)]
#[template(path = "page.html", config = "src/report/html/askama.toml")]
struct PlanPage<'a> {
    plan: &'a Plan,
    headline: PlanHeadline,
    notices: Vec<Notice>,
    classes: Vec<ClassCount>,
    flow: Option<Flow>,
    load: Option<Load>,
    cards: Vec<Card>,
    choices: Choices,
    held: Vec<(LeadLink, &'a Held)>,
    released: Vec<(LeadLink, &'a Released)>,
    is_of_pass: bool,
    is_of_run: bool,
}

impl PlanPage<'_> {
    /// The color of the headline.
    fn tone(&self) -> &'static str {
        match self.headline.outlook {
            Outlook::Idle | Outlook::Ready
                if self.plan.warnings.is_empty() && self.plan.missing.is_empty() =>
            {
                "good"
            }
            Outlook::Idle | Outlook::Ready => "warn",
            Outlook::Missing | Outlook::Refused => "bad",
        }
    }

    /// What the headline means, for readers new to plans.
    fn meaning(&self) -> String {
        let written = self.plan.summary.to_update + self.plan.summary.to_create;
        if self.is_of_run {
            let leads = count(written, "lead");
            return format!("What this run wrote, or may have written, of {leads}.");
        }
        if self.is_of_pass {
            let leads = count(written, "lead");
            return format!(
                "The last pass carried this plan out for {leads}; /status has what came of it."
            );
        }
        match self.headline.outlook {
            Outlook::Idle if !self.plan.missing.is_empty() => {
                "Applying this plan writes nothing: the leads that were found are as the files say.".to_owned()
            }
            Outlook::Idle => "The inbox matches the files. Applying this plan writes nothing.".to_owned(),
            Outlook::Ready if written == 0 => {
                "Applying this plan writes nothing: the differences come from changes in the inbox, which are kept.".to_owned()
            }
            Outlook::Ready => {
                format!("Nothing has been written yet. Applying this plan writes {} in the inbox.", count(written, "lead"))
            }
            Outlook::Missing => {
                "Nothing has been written. This plan cannot be applied while declared leads are missing from the inbox.".to_owned()
            }
            Outlook::Refused => "Nothing has been written. This plan cannot be applied until the refusals below are resolved.".to_owned(),
        }
    }

    /// A reassurance, if there are no notices.
    fn calm(&self) -> Option<&'static str> {
        let is_calm = self.notices.is_empty() && !self.plan.changes.is_empty() && !self.is_of_run;
        is_calm.then_some(
            "No guard refuses this plan, every declared lead was found, and there are no warnings.",
        )
    }

    /// The address of the inbox without the part that all addresses share.
    fn inbox(&self) -> &str {
        let endpoint = &self.plan.target.endpoint;
        endpoint
            .strip_prefix("https://")
            .unwrap_or(endpoint)
            .trim_end_matches('/')
    }

    /// The commit of the base, abbreviated as git does.
    fn commit(&self, base: &Base) -> LeadLink {
        let at = base
            .commit
            .char_indices()
            .nth(7)
            .map_or(base.commit.len(), |(at, _)| at);
        let (short, rest) = base.commit.split_at(at);
        LeadLink {
            short: short.to_owned(),
            rest: rest.to_owned(),
            label: None,
            number: None,
            place: None,
        }
    }

    /// The time to the second, for people; unchanged if it is not a time.
    fn made(&self) -> String {
        let time: Result<jiff::Timestamp, _> = self.plan.created_at.parse();
        time.map_or_else(
            |_| self.plan.created_at.clone(),
            |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        )
    }

    fn listing(&self) -> String {
        let listing = &self.plan.listing;
        let number = |number: u64, noun| count(usize::try_from(number).unwrap_or(usize::MAX), noun);
        let read = format!(
            "{} on {}",
            number(listing.leads_read, "lead"),
            number(listing.pages_read, "page")
        );
        match listing.complete {
            true => format!("whole: {read}"),
            false => format!("as far as needed: {read}"),
        }
    }

    /// The content security policy: only this page's own style and script, by their hashes.
    fn policy(&self) -> String {
        let (style, script) = (hash(STYLE), hash(SCRIPT));
        format!(
            "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data:; base-uri 'none'; \
             form-action 'none'"
        )
    }

    fn style(&self) -> &'static str {
        STYLE
    }

    fn script(&self) -> &'static str {
        SCRIPT
    }
}

/// SHA-256 in base64, as a content security policy identifies inline text.
fn hash(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32| char::from(DIGITS[(bits & 63) as usize]);
    let three = |bytes: &[u8]| {
        let at = |index: usize| u32::from(bytes.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        let digits = [18, 12, 6, 0].map(|shift| digit(bits >> shift));
        digits
            .into_iter()
            .take(bytes.len() + 1)
            .chain(std::iter::repeat_n('=', 3 - bytes.len()))
            .collect::<String>()
    };
    Sha256::digest(text).chunks(3).map(three).collect()
}

/// Text for the page: invisible characters are made visible, then HTML is escaped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visible;

impl askama::filters::Escaper for Visible {
    fn write_escaped_str<W: fmt::Write>(&self, dest: W, text: &str) -> fmt::Result {
        askama::filters::Html.write_escaped_str(dest, &crate::text::visible(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_base64() {
        assert_eq!(hash(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}

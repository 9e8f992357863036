//! The saved plan: the contract between the pull request that was approved and the run that applies it.
//!
//! Owns the bytes of the file, its digest, and the checks that reject it: another format, another inbox, an edit, age. Masked values
//! carry HMAC tags, so that the file holds no contact data and still identifies each value exactly.

use std::borrow::Cow;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{Change, Plan, Target};
use crate::diff::{FieldChange, RedactionTag, value};
use crate::instance::{OtherVersion, SchemaFault, not_json};
use crate::lead::Value;
use crate::lead::desired::Desired;
use crate::observe::Live;
use crate::redaction::{Redaction, RedactionKey};

mod read;

/// The largest saved plan that is read, in bytes: about 1 000 000 changes.
pub const LARGEST: u64 = 1 << 30;

/// The maximum difference between the clocks of two machines.
pub(crate) const CLOCKS: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// Why a saved plan cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// The file is not a saved plan.
    #[error("not a saved plan: {0}")]
    NotAPlan(SchemaFault),
    /// Written by another version of this program.
    #[error("the plan has {0}")]
    Version(OtherVersion),
    /// The digest does not match.
    #[error("the plan was changed after it was saved: its digest does not match")]
    Tampered,
    /// There is no digest: the plan was printed, not saved.
    #[error("the plan has no digest: it was printed, not saved with --out")]
    NoDigest,
    /// The plan is for another inbox.
    #[error("the plan is for {planned}, not for {here}")]
    Foreign {
        /// The plan's inbox.
        planned: String,
        /// The inbox of this workspace.
        here: String,
    },
    /// The creation time is in the future.
    #[error("the plan was made at {created_at}, which is in the future")]
    Ahead {
        /// The creation time.
        created_at: String,
    },
    /// The plan has expired.
    #[error("the plan is {age} old, and the limit is {limit}")]
    Expired {
        /// Its age.
        age: String,
        /// The maximum age.
        limit: String,
    },
}

impl PlanFileError {
    /// The hint.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotAPlan(_) | Self::NoDigest => "make one with `convertalk plan --out FILE`",
            Self::Version(version) if version.is_newer() => {
                "use a newer version of convertalk, or plan again"
            }
            Self::Version(_) => "plan again",
            Self::Tampered => "plan again; a saved plan cannot be edited",
            Self::Foreign { .. } => {
                "apply it in its own workspace, with the same environment variables"
            }
            Self::Ahead { .. } => "correct the clock, or plan again",
            Self::Expired { .. } => "plan again, or set --max-age",
        }
    }
}

/// The plan as it may leave this process: contact values are masked and, given a key, tagged.
pub fn masked<'a>(plan: &'a Plan, names: Redaction, key: Option<&RedactionKey>) -> Cow<'a, Plan> {
    if names == Redaction::Full || !plan.changes.iter().any(is_masked) {
        return Cow::Borrowed(plan);
    }
    let changes = plan
        .changes
        .iter()
        .map(|change| sealed(change, names, key))
        .collect();
    Cow::Owned(Plan {
        changes,
        ..without_changes(plan)
    })
}

fn without_changes(plan: &Plan) -> Plan {
    Plan {
        changes: Vec::new(),
        tool_version: plan.tool_version.clone(),
        created_at: plan.created_at.clone(),
        plan_id: plan.plan_id.clone(),
        target: plan.target.clone(),
        head: plan.head.clone(),
        base: plan.base.clone(),
        selected: plan.selected.clone(),
        missing: plan.missing.clone(),
        held: plan.held.clone(),
        released: plan.released.clone(),
        refusals: plan.refusals.clone(),
        warnings: plan.warnings.clone(),
        transitions: plan.transitions.clone(),
        agents: plan.agents.clone(),
        digest: plan.digest.clone(),
        ..*plan
    }
}

fn is_masked(change: &Change) -> bool {
    let mut all = change.fields.iter().chain(change.unwritten.iter());
    all.any(|field| field.field.is_personal())
}

/// A change that may be shown, with tags for its masked values if there is a key and no tag yet.
fn sealed(change: &Change, names: Redaction, key: Option<&RedactionKey>) -> Change {
    let mut made = redact_change(change, names);
    if key.is_none() {
        // Without a tag, a masked value says nothing of the one that it stands for.
        made.unwritten
            .0
            .retain(|field| !field.field.is_personal() || field.seal.is_some());
    }
    let pairs = made.fields.0.iter_mut().zip(change.fields.iter());
    let all = key.map(|_| made.unwritten.0.iter_mut().zip(change.unwritten.iter()));
    for (field, whole) in pairs.chain(all.into_iter().flatten()) {
        if field.field.is_personal() && field.seal.is_none() {
            let seal = |key: &RedactionKey, value| key.seal(&change.uuid, &field.field, value);
            field.seal = key.map(|key| {
                Box::new(RedactionTag {
                    before: seal(key, &whole.before),
                    after: seal(key, &whole.after),
                })
            });
        }
    }
    made
}

/// A change with names and contact values redacted.
pub fn redact_change(change: &Change, names: Redaction) -> Change {
    let mut change = change.clone();
    for FieldChange {
        field,
        before,
        after,
        ..
    } in change.fields.0.iter_mut().chain(&mut change.unwritten.0)
    {
        (*before, *after) = (names.value(field, before), names.value(field, after));
    }
    change
}

/// The bytes of a saved plan, redacted like [`masked`].
///
/// # Errors
/// None for a plan made by this program.
pub fn saved(
    plan: &Plan,
    names: Redaction,
    key: Option<&RedactionKey>,
) -> Result<Vec<u8>, serde_json::Error> {
    let redacted_plan = RedactedPlan {
        plan,
        names,
        key,
        digest: None,
    };
    let redacted_plan = RedactedPlan {
        digest: Some(digest(&redacted_plan)?),
        ..redacted_plan
    };
    crate::json::pretty(&redacted_plan).map(String::into_bytes)
}

/// A plan that is redacted while it is written, one change at a time, so that a large plan is not held in memory twice.
struct RedactedPlan<'a> {
    plan: &'a Plan,
    names: Redaction,
    key: Option<&'a RedactionKey>,
    digest: Option<String>,
}

impl Serialize for RedactedPlan<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Destructured in full, so that the compiler reports a field that is not written here.
        let Plan {
            format_version,
            tool_version,
            created_at,
            plan_id,
            target,
            head,
            base,
            selected,
            listing,
            summary,
            changes,
            missing,
            skips_missing,
            held,
            released,
            refusals,
            warnings,
            transitions,
            agents,
            digest: _,
        } = self.plan;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("format_version", format_version)?;
        object.serialize_entry("tool_version", tool_version)?;
        object.serialize_entry("created_at", created_at)?;
        object.serialize_entry("plan_id", plan_id)?;
        object.serialize_entry("target", target)?;
        object.serialize_entry("head", head)?;
        object.serialize_entry("base", base)?;
        if let Some(selected) = selected {
            object.serialize_entry("selected", selected)?;
        }
        object.serialize_entry("listing", listing)?;
        object.serialize_entry("summary", summary)?;
        object.serialize_entry(
            "changes",
            &RedactedChanges {
                changes,
                plan: self,
            },
        )?;
        object.serialize_entry("missing", missing)?;
        if *skips_missing {
            object.serialize_entry("skips_missing", skips_missing)?;
        }
        object.serialize_entry("held", held)?;
        object.serialize_entry("released", released)?;
        object.serialize_entry("refusals", refusals)?;
        object.serialize_entry("warnings", warnings)?;
        object.serialize_entry("transitions", transitions)?;
        object.serialize_entry("agents", agents)?;
        if let Some(digest) = &self.digest {
            object.serialize_entry("digest", digest)?;
        }
        object.end()
    }
}

/// Changes without any personal data.
pub(super) struct Anonymous<'a>(pub(super) &'a [Change]);

impl Serialize for Anonymous<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let one = |change: &Change| {
            let written = change.without_unwritten();
            if is_masked(&written) {
                redact_change(&written, Redaction::None)
            } else {
                written
            }
        };
        serializer.collect_seq(self.0.iter().map(one))
    }
}

struct RedactedChanges<'a> {
    changes: &'a [Change],
    plan: &'a RedactedPlan<'a>,
}

impl Serialize for RedactedChanges<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let RedactedPlan { names, key, .. } = *self.plan;
        let whole = |change: &Change| names == Redaction::Full || !is_masked(change);
        let one = |change| {
            if whole(change) {
                Cow::Borrowed(change)
            } else {
                Cow::Owned(sealed(change, names, key))
            }
        };
        serializer.collect_seq(self.changes.iter().map(one))
    }
}

/// Reads a saved plan and checks its digest, which is that of the document as it is in the file: a key that this program does not know
/// is covered, and a key that it has gained since refuses no older plan.
///
/// # Errors
/// The file is not a plan, has another format version, or was edited.
pub fn from_bytes(bytes: &[u8]) -> Result<Plan, PlanFileError> {
    let text = String::from_utf8_lossy(bytes);
    let plan = read::plan(&text)?;
    let said = plan.digest.as_ref().ok_or(PlanFileError::NoDigest)?;
    let found = read::digest(&text).map_err(|error| PlanFileError::NotAPlan(not_json(&error)))?;
    if *said != found {
        return Err(PlanFileError::Tampered);
    }
    Ok(plan)
}

/// Checks that the plan is for this inbox and has not expired.
///
/// # Errors
/// The plan is for another inbox, from the future, or too old.
pub fn check(
    plan: &Plan,
    here: &Target,
    now: jiff::Timestamp,
    max_age: std::time::Duration,
) -> Result<(), PlanFileError> {
    if plan.target != *here {
        let words = |target: &Target| {
            format!(
                "{} (bot {}, customer {})",
                target.endpoint, target.bot_id, target.customer_id
            )
        };
        return Err(PlanFileError::Foreign {
            planned: words(&plan.target),
            here: words(here),
        });
    }
    let made: jiff::Timestamp = plan.created_at.parse().map_err(|_| {
        PlanFileError::NotAPlan(SchemaFault {
            line: 1,
            place: Some("/created_at".to_owned()),
            problem: "value is not a time".to_owned(),
        })
    })?;
    if now.duration_until(made) > CLOCKS {
        return Err(PlanFileError::Ahead {
            created_at: plan.created_at.clone(),
        });
    }
    let age = std::time::Duration::try_from(now.duration_since(made)).unwrap_or_default();
    if age > max_age {
        return Err(PlanFileError::Expired {
            age: crate::duration::words(age),
            limit: crate::duration::words(max_age),
        });
    }
    Ok(())
}

fn digest(plan: &RedactedPlan<'_>) -> Result<String, serde_json::Error> {
    Ok(format!("sha256:{}", super::hash_of(plan)?))
}

/// Restores masked values: desired values from the files, live values from the listing, each only if its tag
/// matches. A field with a value that cannot be restored stays masked and is never written.
pub fn unseal(mut plan: Plan, desired: &Desired, live: &Live, key: &RedactionKey) -> Plan {
    for change in &mut plan.changes {
        let uuid = &change.uuid;
        for change in &mut change.unwritten.0 {
            let Some(seal) = &change.seal else { continue };
            let now = live.get(uuid).map(|seen| value(&seen.lead, &change.field));
            let is_as_it_was = |now: &Value| key.seal(uuid, &change.field, now) == seal.before;
            if let Some(now) = now.filter(is_as_it_was) {
                (change.before, change.after, change.seal) = (now.clone(), now, None);
            }
        }
        for change in &mut change.fields.0 {
            let Some(seal) = &change.seal else { continue };
            let fits = |value: &Value, seal: &str| key.seal(uuid, &change.field, value) == seal;
            let now = live
                .get(uuid)
                .map(|seen| seen.lead.value(&change.field).into_owned())
                .unwrap_or_else(|| Value::empty(change.field.kind()));
            let declared = desired.get(uuid).and_then(|lead| lead.get(&change.field));
            let after = declared.map(|declared| declared.value.applied_to(&now));
            let Some(after) = after.filter(|after| fits(after, &seal.after)) else {
                continue;
            };
            let is_as_it_was = fits(&now, &seal.before);
            if now != after && !is_as_it_was {
                continue;
            }
            // What is done already had another value, which only the plan shows.
            if is_as_it_was {
                change.before = now;
            }
            (change.after, change.seal) = (after, None);
        }
    }
    plan
}

//! The saved plan: a contract between the pull request that was approved and the run that applies it.
//!
//! Owns the file's bytes, its digest, and what makes it unfit: another format, another inbox, an edit, age. Masked values carry
//! seals, so that the file holds no contact data and is still exact about it.

use std::borrow::Cow;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{Change, FORMAT_VERSION, Plan, Target};
use crate::diff::{FieldChange, RedactionTag};
use crate::lead::Value;
use crate::lead::desired::Desired;
use crate::observe::Live;
use crate::redaction::{Redaction, RedactionKey};

/// The largest saved plan that is read, in bytes: some 1 000 000 changes.
pub const LARGEST: u64 = 1 << 30;

/// So far apart may the clocks of two machines be.
const CLOCKS: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// Why a saved plan cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// Not a saved plan at all.
    #[error("this is not a saved plan: {reason}")]
    NotAPlan {
        /// What it is instead.
        reason: String,
    },
    /// Written by a later program.
    #[error("the plan has format version {found}; this program reads version {FORMAT_VERSION}")]
    Newer {
        /// The version in the file.
        found: u64,
    },
    /// Not as it was saved.
    #[error("the plan was changed after it was saved: its digest does not fit")]
    Tampered,
    /// Saved without a digest: printed, not saved.
    #[error("the plan has no digest: it was printed, not saved with --out")]
    NoDigest,
    /// For another inbox.
    #[error("the plan is for {planned}, and this is {here}")]
    Foreign {
        /// The plan's inbox.
        planned: String,
        /// This workspace's.
        here: String,
    },
    /// Made after now.
    #[error("the plan says it was made at {created_at}, which is yet to come")]
    Ahead {
        /// When.
        created_at: String,
    },
    /// Too old.
    #[error("the plan is {age} old, and the limit is {limit}")]
    Expired {
        /// Its age, in words.
        age: String,
        /// The limit, in words.
        limit: String,
    },
}

impl PlanFileError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotAPlan { .. } | Self::NoDigest => "make one with `convertalk plan --out FILE`",
            Self::Newer { .. } => "use the version of convertalk that made it, or plan again",
            Self::Tampered => "plan again; a plan is reviewed and applied as it is, or not at all",
            Self::Foreign { .. } => {
                "apply it in the workspace, and with the environment, that it was made in"
            }
            Self::Ahead { .. } => "set the clocks right, or plan again",
            Self::Expired { .. } => "plan again, or set --max-age",
        }
    }
}

/// The plan as it may leave this process: contact values masked and, with a key, sealed.
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
    change.fields.iter().any(|field| field.field.is_personal())
}

/// A change as it may be told, its masked values sealed where there is a key and they are not yet.
fn sealed(change: &Change, names: Redaction, key: Option<&RedactionKey>) -> Change {
    let mut made = told(change, names);
    for (field, whole) in made.fields.0.iter_mut().zip(change.fields.iter()) {
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

/// A change with as much of people's names and contact values as may be told.
pub fn told(change: &Change, names: Redaction) -> Change {
    let mut change = change.clone();
    for FieldChange {
        field,
        before,
        after,
        ..
    } in &mut change.fields.0
    {
        (*before, *after) = (names.value(field, before), names.value(field, after));
    }
    change
}

/// The bytes of a saved plan, as much of it as may leave this process: contact values masked and, with a key, sealed.
///
/// # Errors
/// None that a plan made here can cause.
pub fn saved(
    plan: &Plan,
    names: Redaction,
    key: Option<&RedactionKey>,
) -> Result<Vec<u8>, serde_json::Error> {
    let told = Told {
        plan,
        names,
        key,
        digest: None,
    };
    let told = Told {
        digest: Some(digest(&told)?),
        ..told
    };
    let mut bytes = serde_json::to_vec_pretty(&told)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A plan that is masked while it is written, one change at a time: a large one is not held twice.
struct Told<'a> {
    plan: &'a Plan,
    names: Redaction,
    key: Option<&'a RedactionKey>,
    digest: Option<String>,
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // In full, so that a field of a plan that is not written here is a mistake that the compiler finds.
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
            &ToldChanges {
                changes,
                told: self,
            },
        )?;
        object.serialize_entry("missing", missing)?;
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

/// Changes without anything of people.
pub(super) struct Anonymous<'a>(pub(super) &'a [Change]);

impl Serialize for Anonymous<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let one = |change| {
            if is_masked(change) {
                Cow::Owned(told(change, Redaction::None))
            } else {
                Cow::Borrowed(change)
            }
        };
        serializer.collect_seq(self.0.iter().map(one))
    }
}

struct ToldChanges<'a> {
    changes: &'a [Change],
    told: &'a Told<'a>,
}

impl Serialize for ToldChanges<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Told { names, key, .. } = *self.told;
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

/// Reads a saved plan and holds it against its digest.
///
/// # Errors
/// Not a plan, of a newer format, or edited.
pub fn from_bytes(bytes: &[u8]) -> Result<Plan, PlanFileError> {
    let not_a_plan = |error: serde_json::Error| PlanFileError::NotAPlan {
        reason: error.to_string(),
    };
    #[derive(serde::Deserialize)]
    struct Version {
        format_version: u64,
    }
    let Version { format_version } = serde_json::from_slice(bytes).map_err(not_a_plan)?;
    if format_version != u64::from(FORMAT_VERSION) {
        return Err(PlanFileError::Newer {
            found: format_version,
        });
    }
    let plan: Plan = serde_json::from_slice(bytes).map_err(|error| PlanFileError::NotAPlan {
        reason: crate::instance::fault::<Plan>(bytes, &error),
    })?;
    let said = plan.digest.as_ref().ok_or(PlanFileError::NoDigest)?;
    if *said
        != digest(&Told {
            plan: &plan,
            names: Redaction::Full,
            key: None,
            digest: None,
        })
        .map_err(not_a_plan)?
    {
        return Err(PlanFileError::Tampered);
    }
    Ok(plan)
}

/// Whether the plan is for this inbox and not too old.
///
/// # Errors
/// It is not.
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
    let made: jiff::Timestamp = plan
        .created_at
        .parse()
        .map_err(|_| PlanFileError::NotAPlan {
            reason: "`created_at` is not a time".to_owned(),
        })?;
    if now.duration_until(made) > CLOCKS {
        return Err(PlanFileError::Ahead {
            created_at: plan.created_at.clone(),
        });
    }
    let age = std::time::Duration::try_from(now.duration_since(made)).unwrap_or_default();
    if age > max_age {
        let words = |time: std::time::Duration| {
            format!(
                "{:#}",
                jiff::SignedDuration::from_secs(time.as_secs() as i64)
            )
        };
        return Err(PlanFileError::Expired {
            age: words(age),
            limit: words(max_age),
        });
    }
    Ok(())
}

fn digest(plan: &Told<'_>) -> Result<String, serde_json::Error> {
    Ok(format!("sha256:{}", super::hash_of(plan)?))
}

/// Fills masked values in again: what is wanted from the files, what was there from the listing, each only where its seal
/// fits. A field whose values cannot be had keeps its seal, and is never written.
pub fn unseal(mut plan: Plan, desired: &Desired, live: &Live, key: &RedactionKey) -> Plan {
    for Change { uuid, fields, .. } in &mut plan.changes {
        for change in &mut fields.0 {
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
            if now != after && !fits(&now, &seal.before) {
                continue;
            }
            (change.before, change.after, change.seal) = (now, after, None);
        }
    }
    plan
}

//! The saved plan: a contract between the pull request that was approved and the run that applies it.
//!
//! Owns the file's bytes, its digest, and what makes it unfit: another format, another inbox, an edit, age. Masked values carry
//! seals, so that the file holds no contact data and is still exact about it.

use sha2::{Digest, Sha256};

use super::{Change, FORMAT_VERSION, Plan, Target};
use crate::desired::Desired;
use crate::diff::{FieldChange, Seal, changes, value};
use crate::lead::{Field, Lead, Value};
use crate::observe::Live;
use crate::privacy::{Names, SealKey};

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
            Self::Foreign { .. } => "apply it in the workspace, and with the environment, that it was made in",
            Self::Ahead { .. } => "set the clocks right, or plan again",
            Self::Expired { .. } => "plan again, or set --max-age",
        }
    }
}

/// The plan as it may leave this process: contact values masked and, with a key, sealed.
pub fn masked(plan: &Plan, names: Names, key: Option<&SealKey>) -> Plan {
    let mut plan = plan.clone();
    for change in plan.changes.iter_mut().filter(|_| names != Names::Full) {
        for field in change.fields.0.iter_mut().filter(|field| matches!(field.field, Field::Contact(_)) && field.seal.is_none()) {
            let seal = |key: &SealKey, value| key.seal(&change.uuid, &field.field, value);
            field.seal = key.map(|key| Box::new(Seal { before: seal(key, &field.before), after: seal(key, &field.after) }));
        }
        *change = told(change, names);
    }
    plan
}

/// A change with as much of people's names and contact values as may be told.
pub fn told(change: &Change, names: Names) -> Change {
    let mut change = change.clone();
    for FieldChange { field, before, after, .. } in &mut change.fields.0 {
        (*before, *after) = (names.told(field, before), names.told(field, after));
    }
    change
}

/// The bytes of a saved plan.
///
/// # Errors
/// None that a plan made here can cause.
pub fn to_bytes(plan: &Plan) -> Result<Vec<u8>, serde_json::Error> {
    let mut plan = plan.clone();
    plan.digest = Some(digest(&plan)?);
    let mut bytes = serde_json::to_vec_pretty(&plan)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a saved plan and holds it against its digest.
///
/// # Errors
/// Not a plan, of a newer format, or edited.
pub fn from_bytes(bytes: &[u8]) -> Result<Plan, PlanFileError> {
    let not_a_plan = |error: serde_json::Error| PlanFileError::NotAPlan { reason: error.to_string() };
    #[derive(serde::Deserialize)]
    struct Version {
        format_version: u64,
    }
    let Version { format_version } = serde_json::from_slice(bytes).map_err(not_a_plan)?;
    if format_version != u64::from(FORMAT_VERSION) {
        return Err(PlanFileError::Newer { found: format_version });
    }
    let plan: Plan = serde_json::from_slice(bytes).map_err(not_a_plan)?;
    let told = plan.digest.as_ref().ok_or(PlanFileError::NoDigest)?;
    if *told != digest(&plan).map_err(not_a_plan)? {
        return Err(PlanFileError::Tampered);
    }
    Ok(plan)
}

/// Whether the plan is for this inbox and not too old.
///
/// # Errors
/// It is not.
pub fn check(plan: &Plan, here: &Target, now: jiff::Timestamp, max_age: std::time::Duration) -> Result<(), PlanFileError> {
    if plan.target != *here {
        let words = |target: &Target| format!("{} (bot {}, customer {})", target.endpoint, target.bot_id, target.customer_id);
        return Err(PlanFileError::Foreign { planned: words(&plan.target), here: words(here) });
    }
    let made: jiff::Timestamp =
        plan.created_at.parse().map_err(|_| PlanFileError::NotAPlan { reason: "`created_at` is not a time".to_owned() })?;
    if now.duration_until(made) > CLOCKS {
        return Err(PlanFileError::Ahead { created_at: plan.created_at.clone() });
    }
    let age = std::time::Duration::try_from(now.duration_since(made)).unwrap_or_default();
    if age > max_age {
        let words = |time: std::time::Duration| format!("{:#}", jiff::SignedDuration::from_secs(time.as_secs() as i64));
        return Err(PlanFileError::Expired { age: words(age), limit: words(max_age) });
    }
    Ok(())
}

fn digest(plan: &Plan) -> Result<String, serde_json::Error> {
    let bytes = serde_json::to_vec(&Plan { digest: None, ..plan.clone() })?;
    let hex: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("sha256:{hex}"))
}

/// Fills masked values in again: what is wanted from the files, what was there from the listing, each only where its seal
/// fits. A field whose values cannot be had keeps its seal, and is never written.
pub fn unseal(mut plan: Plan, desired: &Desired, live: &Live, key: &SealKey) -> Plan {
    for Change { uuid, fields, .. } in &mut plan.changes {
        for change in &mut fields.0 {
            let Some(seal) = &change.seal else { continue };
            let fits = |value: &Value, seal: &str| key.seal(uuid, &change.field, value) == seal;
            let demands = desired.get(uuid).map(|lead| lead.demands.as_slice()).unwrap_or_default();
            let wanted = changes(demands, &Lead::default()).into_iter().find(|other| other.field == change.field);
            let Some(after) = wanted.map(|wanted| wanted.after).filter(|after| fits(after, &seal.after)) else { continue };
            let now = live.leads.get(uuid).map_or(Value::Nothing, |seen| value(&seen.lead, &change.field));
            if now != after && !fits(&now, &seal.before) {
                continue;
            }
            (change.before, change.after, change.seal) = (now, after, None);
        }
    }
    plan
}

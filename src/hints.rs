//! The file of listing hints, `.convertalk/listing.json`: how long the lists were, and on which page each declared lead was seen.
//!
//! It holds uuids and page numbers, no value of any lead, and is bound to one inbox. It saves requests and proves nothing: a file that is
//! broken, too large, of another inbox or of another version counts as none, and one that cannot be written is not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::atomic_file;
use crate::error::Error;
use crate::lead::{Desired, LeadId};
use crate::observe::{ChatType, Lengths, ListingHints, Live, ObserveError, Reader, Seen};
use crate::plan::Target;

/// The version of the format that this program reads and writes.
pub const FORMAT_VERSION: u32 = 1;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 2 << 20;

/// Of more leads than these no places are kept: they are on most pages anyway.
const MOST_PLACES: usize = 10_000;

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HintsRecord {
    /// The version of this format: 1.
    pub format_version: u32,
    /// The inbox.
    pub target: Target,
    /// The number of pages of each list.
    pub lengths: Lengths,
    /// Where leads were seen.
    pub places: Vec<PageHint>,
}

/// A page, and the declared leads that were seen on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageHint {
    /// The list.
    pub list: ChatType,
    /// The page, from 1.
    #[schemars(range(min = 1))]
    pub page: u32,
    /// The leads.
    #[schemars(with = "Vec<String>")]
    pub uuids: Vec<LeadId>,
}

/// Where the file is.
pub fn path(root: &Path) -> PathBuf {
    root.join(".convertalk/listing.json")
}

/// Reads the listing by `observe`, which gets the hints of earlier runs. Keeps where this run saw the leads of `declared`, if that is given.
/// Of an inbox that is not remote nothing is read or kept.
///
/// # Errors
/// Those of `observe`, or a lead cannot be understood.
pub async fn with_hints<R: Reader>(
    reader: &R,
    root: &Path,
    target: &Target,
    declared: Option<&Desired>,
    observe: impl AsyncFnOnce(&ListingHints) -> Result<Live, ObserveError<R::Error>>,
) -> Result<Live, Error>
where
    Error: From<ObserveError<R::Error>>,
{
    if !reader.is_remote() {
        return Ok(observe(&ListingHints::default()).await?.readable()?);
    }
    let hints = read(root, target);
    let live = observe(&hints).await?.readable()?;
    if let Some(declared) = declared {
        keep(root, target, hints, &live, declared);
    }
    Ok(live)
}

/// The hints of earlier runs about this inbox: none where the file cannot be used.
fn read(root: &Path, target: &Target) -> ListingHints {
    match try_read(root, target) {
        Ok(hints) => hints,
        Err(why) => {
            tracing::debug!("no listing hints: {why}");
            ListingHints::default()
        }
    }
}

fn try_read(root: &Path, target: &Target) -> Result<ListingHints, String> {
    let path = path(root);
    crate::state::refuse_links(root, &path).map_err(|error| error.to_string())?;
    let meta = std::fs::metadata(&path).map_err(|error| error.to_string())?;
    if !meta.is_file() || meta.len() > LARGEST {
        return Err("it is too large, or not a file".to_owned());
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    // Its text is not repeated: nobody knows whose it is.
    let record: HintsRecord =
        serde_json::from_slice(&bytes).map_err(|_| "it is not as its schema says".to_owned())?;
    if record.format_version != FORMAT_VERSION {
        return Err(format!("it has format version {}", record.format_version));
    }
    if record.target != *target {
        return Err("it is about another inbox".to_owned());
    }
    let mut places = BTreeMap::new();
    for PageHint { list, page, uuids } in record.places {
        let seen = Seen { list, page };
        places.extend(uuids.into_iter().map(|id| (id, seen)));
    }
    Ok(ListingHints {
        lengths: record.lengths,
        places,
    })
}

/// Keeps what this listing showed of the declared leads, and what is known of those that it was not asked for.
fn keep(root: &Path, target: &Target, before: ListingHints, live: &Live, declared: &Desired) {
    let mut after = before.clone();
    after.lengths = live.lengths;
    let seen = live.leads.iter();
    let seen = seen.filter_map(|(id, lead)| Some((id.clone(), lead.seen?)));
    after.places.extend(seen);
    after.places.retain(|id, _| declared.contains_key(id));
    if after.places.len() > MOST_PLACES {
        after.places.clear();
    }
    if after == before {
        return;
    }
    let record = HintsRecord {
        format_version: FORMAT_VERSION,
        target: target.clone(),
        lengths: after.lengths,
        places: by_page(after.places),
    };
    let kept = crate::state::folder(root)
        .map_err(|error| error.to_string())
        .and_then(|_| {
            let write = atomic_file::write(&path(root), |out| {
                serde_json::to_writer(&mut *out, &record)?;
                out.write_all(b"\n")
            });
            write.map_err(|error| error.to_string())
        });
    if let Err(error) = kept {
        tracing::debug!("the listing hints are not kept: {error}");
    }
}

fn by_page(places: BTreeMap<LeadId, Seen>) -> Vec<PageHint> {
    let mut pages: BTreeMap<Seen, Vec<LeadId>> = BTreeMap::new();
    for (id, seen) in places {
        pages.entry(seen).or_default().push(id);
    }
    let hint = |(Seen { list, page }, uuids)| PageHint { list, page, uuids };
    pages.into_iter().map(hint).collect()
}

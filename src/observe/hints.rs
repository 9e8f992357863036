//! What an earlier run saw of the listing: where to look first. Hints never prove anything.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::collected::Collected;
use super::sweep::fetch;
use super::{ChatType, ObserveError, Projection, Reader, Seen};
use crate::lead::LeadId;

/// The number of pages of each list that had records; `None` for a list that was never read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lengths {
    lead: Option<u32>,
    non_lead: Option<u32>,
}

impl Lengths {
    /// The length of one list.
    pub fn get(self, list: ChatType) -> Option<u32> {
        match list {
            ChatType::Lead => self.lead,
            ChatType::NonLead => self.non_lead,
        }
    }

    pub(super) fn set(&mut self, list: ChatType, pages: u32) {
        match list {
            ChatType::Lead => self.lead = Some(pages),
            ChatType::NonLead => self.non_lead = Some(pages),
        }
    }
}

/// Where an earlier run saw declared leads, and how long the lists were.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListingHints {
    /// The lengths of the lists.
    pub lengths: Lengths,
    /// The page of each lead.
    pub places: BTreeMap<LeadId, Seen>,
}

/// Reads the pages where leads were seen earlier, and for those that are not there any more the pages next to them: chats that arrive
/// push others to the next page. Reads nothing if a lead was never seen, or if a sweep reads no more pages than that.
pub(super) async fn look_where_seen<'a, R: Reader>(
    reader: &R,
    wanted: impl Iterator<Item = &'a LeadId>,
    projection: &Projection,
    collected: &mut Collected,
    hints: &ListingHints,
) -> Result<(), ObserveError<R::Error>> {
    let seen: Option<Vec<(&LeadId, Seen)>> = wanted
        .map(|id| Some((id, *hints.places.get(id)?)))
        .collect();
    let Some(mut seen) = seen else {
        return Ok(());
    };
    // A sweep reads both lists as far as this page.
    let furthest = seen.iter().map(|(_, place)| place.page).max();
    let mut left = usize::try_from(furthest.unwrap_or_default())
        .unwrap_or(usize::MAX)
        .saturating_mul(2);
    let mut looked = BTreeSet::new();
    for step in [0, 1, -1] {
        let next_to = |place: &Seen| {
            let page = place
                .page
                .checked_add_signed(step)
                .filter(|page| *page > 0)?;
            (page <= reader.page_cap()).then_some(Seen { page, ..*place })
        };
        let places: BTreeSet<Seen> = seen
            .iter()
            .filter_map(|(_, place)| next_to(place))
            .collect();
        let places: Vec<Seen> = places.difference(&looked).copied().collect();
        if places.len() > left {
            return Ok(());
        }
        left -= places.len();
        looked.extend(places.iter().copied());
        let fetches = places
            .into_iter()
            .map(|place| fetch(reader, place, projection));
        let mut answers = stream::iter(fetches).buffered(2 * reader.width());
        while let Some((place, answer)) = answers.next().await {
            collected.take(answer?, place);
        }
        let before = seen.len();
        seen.retain(|(id, _)| !collected.has(id));
        // Where most have moved, they are not next door.
        if seen.is_empty() || 2 * seen.len() > before {
            return Ok(());
        }
    }
    Ok(())
}

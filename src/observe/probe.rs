//! Probing: reads a few pages of each list to learn how the platform lists. Read-only.

use std::collections::BTreeMap;

use super::{ChatType, ObserveError, Page, Projection, Reader};
use crate::lead::{AgentId, Status};
use crate::observe::TagShape;

/// What a few pages of one list show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probe {
    /// The number of chats on the first and on the second page.
    pub chats: [usize; 2],
    /// What a page far beyond the end returns.
    pub end: End,
    /// Whether the platform serves nothing at this address.
    pub is_nowhere: bool,
    /// Records without a uuid, which cannot be managed.
    pub without_uuid: usize,
    /// The number of leads with tags as text, and with tags as an array.
    pub tags: BTreeMap<&'static str, usize>,
    /// Statuses that can be read but not written, with their numbers of leads.
    pub odd_statuses: BTreeMap<String, usize>,
    /// Agents with their numbers of leads on the pages that were read.
    pub agents: BTreeMap<AgentId, usize>,
}

/// What a list returns far beyond its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum End {
    /// A page without records.
    #[default]
    Empty,
    /// Records: most likely its last page again.
    Repeats,
}

/// Reads two pages of a list and one far beyond its end.
///
/// # Errors
/// A page cannot be read.
pub async fn probe<R: Reader>(reader: &R, list: ChatType) -> Result<Probe, ObserveError<R::Error>> {
    let mut probe = Probe::default();
    let read = async |number| {
        let page = reader.page(list, number, &Projection::All).await;
        page.map_err(|source| ObserveError::Page {
            list,
            page: number,
            source,
        })
    };
    let first = read(1).await?;
    probe.is_nowhere = first.is_nowhere;
    probe.chats[0] = first.records();
    probe.look_at(first);
    if probe.chats[0] == 0 {
        return Ok(probe);
    }
    let second = read(2).await?;
    probe.chats[1] = second.records();
    probe.look_at(second);
    let far = read(reader.page_cap().max(1_000)).await?;
    probe.end = if far.records() == 0 {
        End::Empty
    } else {
        End::Repeats
    };
    Ok(probe)
}

impl Probe {
    /// The page size, if two full pages show it.
    pub fn page_size(&self) -> Option<usize> {
        (self.chats[0] > 0 && self.chats[0] == self.chats[1]).then_some(self.chats[0])
    }

    fn look_at(&mut self, page: Page) {
        self.without_uuid += page.without_uuid;
        let agents = page.sightings.into_iter().map(|sighting| sighting.agent);
        for agent in agents.flatten() {
            *self.agents.entry(agent).or_default() += 1;
        }
        for (_, seen) in page.leads {
            let shape = match seen.tag_shape {
                Some(TagShape::String) => Some("text"),
                Some(TagShape::Array | TagShape::Auto) => Some("an array"),
                None => None,
            };
            shape
                .into_iter()
                .for_each(|shape| *self.tags.entry(shape).or_default() += 1);
            if let Some(Status::Other(word)) = seen.lead.status() {
                *self.odd_statuses.entry(word.to_string()).or_default() += 1;
            }
        }
    }
}

//! Counts chats, each once, and those of each agent, in memory that does not grow with the inbox.
//!
//! Pages shift while they are read, so a chat may be listed twice, usually close to its first place. Chats are remembered in two
//! generations; when the newer one is full, the older one is forgotten. So the count is exact in an inbox of up to twice
//! [`GENERATION`] chats, however often they are listed. In a larger one, a chat counts again if it is listed again more than
//! [`GENERATION`] chats later, and each sweep counts for itself.

use std::collections::{BTreeMap, HashMap};

use foldhash::quality::RandomState;

use super::Sighting;
use super::key::ByKey;
use crate::lead::AgentId;

/// The number of chats of one generation.
const GENERATION: usize = 1 << 14;

/// When a chat was updated, and the index of its agent.
type CountedChat = (i64, Option<u32>);

/// The counts.
#[derive(Debug, Default)]
pub(super) struct Tally {
    young: ByKey<CountedChat>,
    old: ByKey<CountedChat>,
    /// Whether chats have been forgotten.
    forgetful: bool,
    chats: u64,
    numbers: HashMap<AgentId, u32, RandomState>,
    counts: Vec<u64>,
    /// The result of the last complete sweep, if chats have been forgotten.
    settled: Option<(u64, Vec<u64>)>,
}

impl Tally {
    /// Counts a chat. Of two readings the later update counts, and of equal updates the later reading.
    pub(super) fn take(&mut self, sighting: Sighting) {
        let Sighting {
            key,
            updated,
            agent,
        } = sighting;
        let agent = agent.map(|agent| self.number(agent));
        let known = self.young.get_mut(&key).or_else(|| self.old.get_mut(&key));
        if let Some(known) = known {
            if updated >= known.0 {
                let before = std::mem::replace(known, (updated, agent)).1;
                if before != agent {
                    self.count(before, |count| count.saturating_sub(1));
                    self.count(agent, |count| count + 1);
                }
            }
            return;
        }
        self.chats += 1;
        self.count(agent, |count| count + 1);
        if self.young.len() == GENERATION {
            self.forgetful |= !self.old.is_empty();
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(key, (updated, agent));
    }

    fn count(&mut self, agent: Option<u32>, change: impl Fn(u64) -> u64) {
        if let Some(count) = agent.and_then(|agent| self.counts.get_mut(agent as usize)) {
            *count = change(*count);
        }
    }

    fn number(&mut self, agent: AgentId) -> u32 {
        let next = u32::try_from(self.counts.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(agent).or_insert(next);
        if number == next {
            self.counts.push(0);
        }
        number
    }

    /// Starts a sweep. If chats have been forgotten, counting starts from zero, because they would count twice.
    pub(super) fn begin(&mut self) {
        if self.forgetful {
            self.young.clear();
            self.old.clear();
            self.chats = 0;
            self.counts.fill(0);
        }
    }

    /// Ends a sweep.
    pub(super) fn settle(&mut self) {
        self.settled = self.forgetful.then(|| (self.chats, self.counts.clone()));
    }

    /// The number of chats, and the number of each agent.
    pub(super) fn total(self) -> (u64, BTreeMap<AgentId, u64>) {
        let (chats, mut counts) = self.settled.unwrap_or((self.chats, self.counts));
        counts.resize(self.numbers.len(), 0);
        let count = |number: u32| counts.get(number as usize).copied().unwrap_or_default();
        (
            chats,
            self.numbers
                .into_iter()
                .map(|(agent, number)| (agent, count(number)))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Key;

    fn agent(number: u64) -> Option<AgentId> {
        AgentId::parse(&format!("{number:024x}"))
    }

    fn sighting(number: usize, updated: i64, agent: Option<AgentId>) -> Sighting {
        Sighting {
            key: Key::new(&number.to_string()),
            updated,
            agent,
        }
    }

    #[test]
    fn a_chat_counts_once_and_where_it_was_last() {
        let mut tally = Tally::default();
        for (number, updated, whose) in [(1, 5, 1), (2, 5, 1), (1, 4, 2), (2, 5, 2), (3, 1, 1)] {
            tally.take(sighting(number, updated, agent(whose)));
        }
        tally.begin();
        tally.take(sighting(1, 9, None));
        let (chats, agents) = tally.total();
        assert_eq!(
            (chats, agents.into_values().collect::<Vec<_>>()),
            (3, vec![1, 1])
        );
    }

    #[test]
    fn what_is_too_much_to_remember_counts_by_sweeps() {
        let mut tally = Tally::default();
        let all = 3 * GENERATION;
        for sweep in 0..2 {
            tally.begin();
            for number in 0..all {
                tally.take(sighting(number, 1, agent(7)));
                // The page before shifts into this one.
                tally.take(sighting(number.saturating_sub(200), 1, agent(7)));
            }
            tally.settle();
            assert_eq!(tally.chats, all as u64, "sweep {sweep}");
        }
        // A third sweep that ends early.
        tally.begin();
        tally.take(sighting(1, 1, agent(8)));
        let (chats, agents) = tally.total();
        assert_eq!(
            (chats, agents.into_values().collect::<Vec<_>>()),
            (all as u64, vec![all as u64, 0])
        );
    }
}

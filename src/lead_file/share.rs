//! Sharing leads out: which agent gets which of the selected leads. Pure.

/// An agent that leads are given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taker {
    /// The declared leads of the agent that are not shared out here.
    pub others: usize,
    /// How many leads the agent may have in all.
    pub max_leads: Option<usize>,
}

impl Taker {
    fn room(&self) -> usize {
        self.max_leads
            .map_or(usize::MAX, |most| most.saturating_sub(self.others))
    }
}

/// The caps leave no room for all leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{leads} leads are to be shared out, and the agents' max_leads leave room for {room}")]
pub struct NoRoom {
    /// The leads.
    pub leads: usize,
    /// How many fit.
    pub room: usize,
}

/// Gives each lead to one of the agents: numbers differ by at most one where no cap is in the way. `now` is the agent that a lead has, if
/// it is one of them: a lead stays with its agent as far as the numbers allow, so that sharing out again changes nothing.
///
/// # Errors
/// They do not fit.
pub fn share(now: &[Option<usize>], takers: &[Taker]) -> Result<Vec<usize>, NoRoom> {
    let mut left = quotas(now.len(), takers)?;
    let mut given: Vec<Option<usize>> = Vec::with_capacity(now.len());
    for agent in now {
        let stays = agent.filter(|agent| left[*agent] > 0);
        if let Some(agent) = stays {
            left[agent] -= 1;
        }
        given.push(stays);
    }
    let mut next = 0;
    let mut made = Vec::with_capacity(given.len());
    for agent in given {
        made.push(agent.unwrap_or_else(|| {
            while left[next % left.len()] == 0 {
                next += 1;
            }
            let agent = next % left.len();
            left[agent] -= 1;
            next += 1;
            agent
        }));
    }
    Ok(made)
}

/// How many leads each agent gets: one at a time in their order, for as long as there is room.
fn quotas(leads: usize, takers: &[Taker]) -> Result<Vec<usize>, NoRoom> {
    let mut quotas = vec![0; takers.len()];
    let mut given = 0;
    while given < leads {
        let before = given;
        for (quota, taker) in quotas.iter_mut().zip(takers) {
            if given < leads && *quota < taker.room() {
                *quota += 1;
                given += 1;
            }
        }
        if given == before {
            return Err(NoRoom { leads, room: given });
        }
    }
    Ok(quotas)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;

    fn takers() -> impl Strategy<Value = Vec<Taker>> {
        let taker = (0..20_usize, of(0..40_usize))
            .prop_map(|(others, max_leads)| Taker { others, max_leads });
        vec(taker, 1..6)
    }

    proptest! {
        #[test]
        fn shares_stay_within_caps_and_even_where_no_cap_hinders(
            takers in takers(),
            now in vec(of(0..6_usize), 0..80),
        ) {
            let now: Vec<Option<usize>> =
                now.into_iter().map(|agent| agent.filter(|agent| *agent < takers.len())).collect();
            let rooms: Vec<usize> = takers.iter().map(Taker::room).collect();
            let room = rooms.iter().fold(0_usize, |all, room| all.saturating_add(*room));
            match share(&now, &takers) {
                Err(error) => prop_assert_eq!(error, NoRoom { leads: now.len(), room }),
                Ok(given) => {
                    prop_assert_eq!(given.len(), now.len());
                    let mut counts = vec![0; takers.len()];
                    given.iter().for_each(|agent| counts[*agent] += 1);
                    let most = counts.iter().max().copied().unwrap_or_default();
                    for (count, room) in counts.iter().zip(&rooms) {
                        prop_assert!(count <= room);
                        prop_assert!(count == room || count + 1 >= most, "{:?} of {:?}", counts, rooms);
                    }
                    let again: Vec<Option<usize>> = given.iter().copied().map(Some).collect();
                    prop_assert_eq!(share(&again, &takers), Ok(given), "sharing out again changes nothing");
                }
            }
        }
    }
}

//! Agents' workload, drawn: each agent's leads before and after, with the cap. Units are those of the drawing, 340 across.

use crate::plan::{AgentLoad, Plan};

/// The drawing and the table that says the same.
pub(super) struct Load {
    /// All agents whose leads change in number, or who have a cap.
    pub(super) agents: Vec<Bars>,
    /// Whether the whole inbox was counted.
    pub(super) whole: bool,
}

/// One agent.
pub(super) struct Bars {
    pub(super) name: String,
    pub(super) before: u64,
    pub(super) after: u64,
    pub(super) cap: Option<u32>,
    /// As long as the numbers are, on one scale for all.
    pub(super) before_width: u64,
    pub(super) after_width: u64,
    /// Where the cap is, where the drawing reaches so far.
    pub(super) cap_at: Option<u64>,
}

const WIDTH: u128 = 338;
/// The height of one agent's part.
const STEP: usize = 44;
/// So many agents are drawn; the table has them all.
const DRAWN: usize = 16;

impl Bars {
    /// The change with its sign; nothing where there is none.
    pub(super) fn change(&self) -> String {
        match i128::from(self.after) - i128::from(self.before) {
            0 => String::new(),
            change if change < 0 => format!("−{}", change.unsigned_abs()),
            change => format!("+{change}"),
        }
    }

    pub(super) fn over(&self) -> bool {
        self.cap.is_some_and(|cap| self.after > u64::from(cap))
    }
}

impl Load {
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let told = |agent: &&AgentLoad| agent.before != agent.after || agent.max_leads.is_some();
        let told: Vec<&AgentLoad> = plan.agents.iter().filter(told).collect();
        if told.is_empty() || plan.is_empty() {
            return None;
        }
        let leads = told
            .iter()
            .map(|agent| agent.before.max(agent.after))
            .max()
            .unwrap_or_default();
        // A cap that nobody comes near would leave of the bars only dots.
        let reach = leads.saturating_mul(2);
        let cap = |agent: &AgentLoad| agent.max_leads.map(u64::from).filter(|cap| *cap <= reach);
        let most = told
            .iter()
            .filter_map(|agent| cap(agent))
            .chain([leads, 1])
            .max()
            .unwrap_or(1);
        let length =
            |number: u64| u64::try_from(u128::from(number) * WIDTH / u128::from(most)).unwrap_or(0);
        let bars = |agent: &&AgentLoad| Bars {
            name: agent.name.clone().unwrap_or_else(|| agent.id.clone()),
            before: agent.before,
            after: agent.after,
            cap: agent.max_leads,
            before_width: length(agent.before),
            after_width: length(agent.after),
            cap_at: cap(agent).map(length),
        };
        Some(Self {
            agents: told.iter().map(bars).collect(),
            whole: plan.listing.complete,
        })
    }

    /// Those that are drawn, each with its height on the page.
    pub(super) fn drawn(&self) -> impl Iterator<Item = (usize, &Bars)> {
        self.agents
            .iter()
            .take(DRAWN)
            .enumerate()
            .map(|(at, bars)| (at * STEP, bars))
    }

    pub(super) fn height(&self) -> usize {
        self.agents.len().min(DRAWN) * STEP - 6
    }

    /// How many are in the table only.
    pub(super) fn left_out(&self) -> usize {
        self.agents.len().saturating_sub(DRAWN)
    }

    /// The drawing in a sentence.
    pub(super) fn sentence(&self) -> String {
        let told = |bars: &Bars| {
            let cap = bars
                .cap
                .map(|cap| format!(" of at most {cap}"))
                .unwrap_or_default();
            format!("{} from {} to {}{cap}", bars.name, bars.before, bars.after)
        };
        let told: Vec<String> = self.agents.iter().take(DRAWN).map(told).collect();
        format!("Leads of each agent before and after: {}.", told.join(", "))
    }
}

//! Agents' workload as a chart: each agent's leads before and after, with the cap. Units are those of the drawing, 340 across.

use crate::plan::{AgentLoad, Plan};
use crate::report::tables::notable_agents;

/// The chart and the table with the same numbers.
pub(super) struct Load {
    /// All agents whose number of leads changes, or who have a cap.
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
    /// Widths, on one scale for all agents.
    pub(super) before_width: u64,
    pub(super) after_width: u64,
    /// The position of the cap, if it is within the chart.
    pub(super) cap_at: Option<u64>,
}

const WIDTH: u128 = 338;
/// The height of one agent's part.
const STEP: usize = 44;
/// The maximum number of agents in the chart; the table has all.
const DRAWN: usize = 16;

impl Bars {
    /// The change with its sign; empty if there is none.
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
    pub(super) fn new(plan: &Plan) -> Option<Self> {
        let agents: Vec<&AgentLoad> = notable_agents(&plan.agents).collect();
        if agents.is_empty() || plan.is_empty() {
            return None;
        }
        let leads = agents
            .iter()
            .map(|agent| agent.before.max(agent.after))
            .max()
            .unwrap_or_default();
        // A cap far above all numbers would shrink the bars to dots.
        let reach = leads.saturating_mul(2);
        let cap = |agent: &AgentLoad| agent.max_leads.map(u64::from).filter(|cap| *cap <= reach);
        let most = agents
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
            agents: agents.iter().map(bars).collect(),
            whole: plan.listing.complete,
        })
    }

    /// The agents in the chart, each with its vertical position.
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

    /// How many agents are in the table only.
    pub(super) fn left_out(&self) -> usize {
        self.agents.len().saturating_sub(DRAWN)
    }

    /// The chart in one sentence.
    pub(super) fn sentence(&self) -> String {
        let part = |bars: &Bars| {
            let cap = bars
                .cap
                .map(|cap| format!(" of at most {cap}"))
                .unwrap_or_default();
            format!("{} from {} to {}{cap}", bars.name, bars.before, bars.after)
        };
        let parts: Vec<String> = self.agents.iter().take(DRAWN).map(part).collect();
        format!(
            "Leads of each agent before and after: {}.",
            parts.join(", ")
        )
    }
}

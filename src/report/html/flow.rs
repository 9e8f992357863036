//! Status transitions as a chart: bands from the old to the new statuses, each as wide as its number of leads. Units
//! are those of the drawing, about 340 across.

use crate::lead::Status;
use crate::plan::TransitionCount;

/// The chart and the table with the same numbers.
pub(super) struct Flow {
    pub(super) height: u32,
    pub(super) from: Vec<StatusNode>,
    pub(super) to: Vec<StatusNode>,
    pub(super) bands: Vec<Band>,
}

/// A status on one side.
pub(super) struct StatusNode {
    pub(super) name: String,
    pub(super) leads: usize,
    pub(super) tone: usize,
    pub(super) y: u32,
    pub(super) height: u32,
}

/// Leads with the same transition.
pub(super) struct Band {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) leads: usize,
    pub(super) tone: usize,
    pub(super) path: String,
    /// The position of the number.
    pub(super) y: u32,
}

/// The minimum width of a band, so that its number fits.
const THINNEST: u32 = 13;
/// The width of all leads together, in addition to the minimum widths.
const SHARED: u64 = 64;
const GAP: u32 = 14;
/// The source of leads that have no status or are to be created.
const NEW: &str = "(new)";
/// Where bands start and end.
const LEFT: u32 = 96;
const RIGHT: u32 = 222;

impl Flow {
    pub(super) fn new(counts: &[TransitionCount]) -> Option<Self> {
        let total: usize = counts.iter().map(|count| count.count).sum();
        if total == 0 {
            return None;
        }
        let width = |leads: usize| THINNEST + share(leads, total);
        let name = |count: &TransitionCount| count.from.clone().unwrap_or_else(|| NEW.to_owned());
        let mut from = side(counts, &width, &name);
        let mut to = side(counts, &width, &|count| count.to.clone());
        let height = foot(&from).max(foot(&to));
        for nodes in [&mut from, &mut to] {
            let down = (height - foot(nodes)) / 2;
            nodes.iter_mut().for_each(|node| node.y += down);
        }
        // Bands leave and arrive in the order of the nodes, which keeps crossings to a minimum.
        let mut ends: Vec<u32> = to.iter().map(|node| node.y).collect();
        let mut bands = Vec::with_capacity(counts.len());
        for source in &from {
            let mut start = source.y;
            for (target, end) in to.iter().zip(&mut ends) {
                for count in counts
                    .iter()
                    .filter(|count| name(count) == source.name && count.to == target.name)
                {
                    let thick = width(count.count);
                    let (leads, tone) = (count.count, target.tone);
                    let (from, to) = (source.name.clone(), target.name.clone());
                    bands.push(Band {
                        from,
                        to,
                        leads,
                        tone,
                        path: path(start, *end, thick),
                        y: start + thick / 2,
                    });
                    (start, *end) = (start + thick, *end + thick);
                }
            }
        }
        Some(Self {
            height,
            from,
            to,
            bands,
        })
    }

    /// The chart in one sentence.
    pub(super) fn sentence(&self) -> String {
        let parts: Vec<String> = self
            .bands
            .iter()
            .map(|band| format!("{} from {} to {}", band.leads, band.from, band.to))
            .collect();
        format!("Leads that change status: {}.", parts.join(", "))
    }
}

fn share(leads: usize, total: usize) -> u32 {
    let (leads, total) = (leads as u64, total as u64);
    u32::try_from(leads.saturating_mul(SHARED) / total.max(1)).unwrap_or(0)
}

fn side(
    counts: &[TransitionCount],
    width: &dyn Fn(usize) -> u32,
    name: &dyn Fn(&TransitionCount) -> String,
) -> Vec<StatusNode> {
    let mut names: Vec<String> = counts.iter().map(name).collect();
    names.sort_by_cached_key(|name| (name != NEW, tone(name), name.clone()));
    names.dedup();
    let mut y = 0;
    let place = |name_of: String| {
        let of = || counts.iter().filter(|count| name(count) == name_of);
        let (leads, height) = (
            of().map(|count| count.count).sum(),
            of().map(|count| width(count.count)).sum(),
        );
        let node = StatusNode {
            leads,
            tone: tone(&name_of),
            y,
            height,
            name: name_of,
        };
        y += height + GAP;
        node
    };
    names.into_iter().map(place).collect()
}

fn foot(nodes: &[StatusNode]) -> u32 {
    nodes.last().map_or(0, |node| node.y + node.height)
}

/// The position among the six statuses, which decides the color; other statuses come last.
fn tone(name: &str) -> usize {
    let at = Status::WRITABLE
        .iter()
        .position(|status| status.as_str() == name);
    at.unwrap_or(Status::WRITABLE.len())
}

fn path(start: u32, end: u32, thick: u32) -> String {
    let middle = LEFT.midpoint(RIGHT);
    let (below, under) = (start + thick, end + thick);
    format!(
        "M{LEFT} {start}C{middle} {start} {middle} {end} {RIGHT} {end}V{under}C{middle} {under} {middle} {below} {LEFT} {below}Z"
    )
}

/// A name cut to the space beside the chart.
pub(super) fn cut(name: &str, most: usize) -> String {
    match name.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => name.to_owned(),
    }
}

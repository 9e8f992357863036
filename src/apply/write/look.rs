//! Reads leads again whose reading is too old to write on.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use crate::apply::Writer;
use crate::apply::queue::Look;
use crate::apply::run::Context;
use crate::lead::LeadId;
use crate::observe::{
    Leads, ListingHints, ObserveError, Projection, Reading, look_again, observe, read_page,
};

/// The result of a read.
pub(super) struct ReadResult {
    pub(super) leads: Leads,
    pub(super) unreadable: BTreeMap<LeadId, String>,
    /// For leads that were not found.
    pub(super) reading: Reading,
}

/// Reads the page that the leads are on, or the listing from its front where no page is known.
pub(super) async fn read<W: Writer>(
    context: &Context<'_, W>,
    look: Look,
    projection: &Projection,
) -> (Look, Result<ReadResult, ObserveError<W::Error>>) {
    let sent = Instant::now();
    let found = match look.page {
        Some(seen) => read_page(context.writer, seen, projection).await,
        None => sweep(context.writer, &look.leads).await,
    };
    let answered = Instant::now();
    let found = found.map(|(leads, unreadable)| ReadResult {
        leads,
        unreadable,
        reading: Reading { sent, answered },
    });
    (look, found)
}

/// Looks for leads from the front of the listing; what one sweep did not show is searched for as `observe` does.
async fn sweep<W: Writer>(
    writer: &W,
    leads: &BTreeSet<LeadId>,
) -> Result<(Leads, BTreeMap<LeadId, String>), ObserveError<W::Error>> {
    let hints = leads.iter().map(|id| (id.clone(), None)).collect();
    let (mut found, mut unreadable) = look_again(writer, &hints).await?;
    let slipped: BTreeSet<LeadId> = leads
        .iter()
        .filter(|id| !found.contains_key(*id) && !unreadable.contains_key(*id))
        .cloned()
        .collect();
    if !slipped.is_empty() {
        let live = observe(writer, &slipped, false, &ListingHints::default()).await?;
        found.extend(live.leads);
        unreadable.extend(live.unreadable);
    }
    Ok((found, unreadable))
}

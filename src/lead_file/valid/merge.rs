//! Puts the leads of all files together. A lead that is declared twice is an error.

use rayon::prelude::*;

use super::Declared;
use crate::lead::Desired;
use crate::yaml::diagnostic::{Code, Diagnostic, SourceFile};
use crate::yaml::excerpt::quoted;

/// Puts the leads of all files together, given in the files' order; `text_of` gives a file's name and text by its number, for the
/// places of duplicates.
pub fn merge<'a>(
    files: Vec<Vec<Declared>>,
    text_of: impl Fn(u32) -> SourceFile<'a>,
    out: &mut Vec<Diagnostic>,
) -> Desired {
    // Places are sorted, and not the leads, which are much to move about.
    let places = |(file, leads): (usize, &Vec<Declared>)| -> Vec<(u64, usize, usize)> {
        leads
            .iter()
            .enumerate()
            .map(|(at, lead)| (lead.id.beginning(), file, at))
            .collect()
    };
    let mut order: Vec<(u64, usize, usize)> =
        files.par_iter().enumerate().flat_map_iter(places).collect();
    let of = |place: &(u64, usize, usize)| &files[place.1][place.2];
    let by_id = |a: &(u64, usize, usize), b: &(u64, usize, usize)| {
        a.0.cmp(&b.0).then_with(|| of(a).id.cmp(&of(b).id))
    };
    order.par_sort_unstable_by(|a, b| by_id(a, b).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
    for pair in order
        .windows(2)
        .filter(|pair| by_id(&pair[0], &pair[1]).is_eq())
    {
        let (first, again) = (of(&pair[0]), of(&pair[1]));
        let message = format!("the lead {} is declared twice", quoted(again.id.as_str()));
        let error = text_of(again.file)
            .error(Code::DuplicateLead, again.span, message)
            .label("again");
        let error = error.also(&text_of(first.file), first.span, "also here");
        out.push(error.help("keep one of the two; one lead is declared in one place"));
    }
    let mut files: Vec<Vec<Option<Declared>>> = files
        .into_par_iter()
        .map(|leads| leads.into_iter().map(Some).collect())
        .collect();
    let taken = order
        .into_iter()
        .filter_map(|(_, file, at)| files[file][at].take());
    taken.map(|declared| (declared.id, declared.lead)).collect()
}

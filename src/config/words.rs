//! What the readers of all files share: places, the version, statuses and lists of tags.

use super::visible::is_visible;
use crate::lead::{Place, Status};
use crate::yaml::NodeId;
use crate::yaml::decode::{At, Decoder, odd_text};
use crate::yaml::diagnostic::{Code, Span, meant};
use crate::yaml::excerpt::quoted;

/// The place of a span, for what a plan says of it later.
pub(crate) fn place(reader: &Decoder<'_>, span: Span) -> Place {
    Place {
        file: reader.source.file.clone(),
        line: span.line,
    }
}

/// Checks that `version:` is 1.
pub(crate) fn read_version(reader: &mut Decoder<'_>, id: NodeId) {
    if reader.number(id) != Some(1.0) {
        let message = format!("this program reads version 1, found {}", reader.found(id));
        let help = "write `version: 1`, without quotes";
        reader.error(Code::UnknownVersion, reader.span(id), message, help);
    }
}

/// One of the six statuses, or an error that recognizes common misspellings.
pub(crate) fn read_status(reader: &mut Decoder<'_>, text: At<&str>) -> Option<Status> {
    let known = Status::writable(text.value);
    if known.is_none() {
        let six = Status::WRITABLE.map(|status| status.as_str().to_owned());
        let help = match meant(text.value, six.iter().map(String::as_str)) {
            Some(near @ "DEPENDANCY") => format!("write `{near}`, as the platform spells it"),
            Some(near) => match odd_text(text.value).as_str() {
                "" => format!("write `{near}`"),
                odd => format!("write `{near}`: {odd}"),
            },
            None => format!("write one of {}", six.join(", ")),
        };
        let message = format!("{} is not a status", quoted(text.value));
        reader.error(Code::UnknownStatus, text.span, message, help);
    }
    known
}

/// A list of tags.
pub(crate) fn read_tags<'t>(
    reader: &mut Decoder<'t>,
    id: NodeId,
    what: &str,
) -> Option<Vec<At<&'t str>>> {
    let items = reader.list(id, what, "write the tags as a list: `[vip, renewal]`")?;
    let mut tags = Vec::new();
    for item in items {
        let tag = reader.filled(item, "a tag");
        tags.extend(tag.filter(|tag| is_visible(reader, *tag)));
    }
    Some(tags)
}

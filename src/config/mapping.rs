//! Mappings with known keys, which the sections of `convertalk.yaml` are.

use crate::yaml::NodeId;
use crate::yaml::decode::{Decoder, Keys};

/// Reads a mapping with known keys.
pub(super) fn each<'t>(
    reader: &mut Decoder<'t>,
    id: NodeId,
    what: &str,
    known: &[&str],
    mut entry: impl FnMut(&mut Decoder<'t>, &'t str, NodeId),
) {
    let help = format!("{what} has: {}", known.join(", "));
    let Some(pairs) = reader.mapping(id, what, &help) else {
        return;
    };
    let mut keys = Keys::default();
    for (key, value) in pairs {
        match reader.key(key, &mut keys) {
            Some(name) if known.contains(&name) => entry(reader, name, value),
            Some(name) if !is_token(name) => reader.unknown(key, name, what, known),
            _ => {}
        }
    }
}

/// Whether a key's name suggests that its value is a token.
pub(super) fn is_token(key: &str) -> bool {
    key.to_ascii_lowercase().contains("token")
}

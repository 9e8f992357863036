//! YAML with places: read into a tree, decoded, laid out, and edited in place. It knows nothing of leads.

pub(crate) mod comments;
pub mod decode;
pub mod diagnostic;
pub(crate) mod excerpt;
pub(crate) mod file;
pub mod format;
pub(crate) mod list;
mod parse;
pub(crate) mod quote;
pub mod render;
pub mod scalar;
pub(crate) mod splice;
pub mod tree;
pub(crate) mod value;
mod written;

pub use self::diagnostic::{Diagnostic, Severity};
pub use self::parse::parse;
pub(crate) use self::parse::readable_part;
pub use self::tree::{Node, NodeId, NodeKind, Pairs, Style, Tree};
pub use self::written::Written;

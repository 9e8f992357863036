//! A cache of pages as sent, so that an unchanged inbox is listed as fast as memory can be copied.
//!
//! Takes the version of the inbox with each page, and clears the cache when the version changes. Limited in size.

use std::collections::HashMap;

use axum::body::Bytes;

use super::choices::ChatKind;

/// The pages of one version of the inbox.
#[derive(Debug)]
pub(super) struct Kept {
    pages: HashMap<(ChatKind, u32), Bytes>,
    version: u64,
    /// Bytes left for pages.
    left: usize,
    most: usize,
}

impl Kept {
    /// An empty cache of this size in bytes.
    pub(super) fn new(most: usize) -> Self {
        Self {
            pages: HashMap::new(),
            version: 0,
            left: most,
            most,
        }
    }

    /// The page as sent before, if nothing has changed since.
    pub(super) fn get(&self, version: u64, kind: ChatKind, page: u32) -> Option<Bytes> {
        self.pages
            .get(&(kind, page))
            .filter(|_| self.version == version)
            .cloned()
    }

    /// Adds a page if it fits.
    pub(super) fn keep(&mut self, version: u64, kind: ChatKind, page: u32, body: &Bytes) {
        if version != self.version {
            self.pages.clear();
            (self.version, self.left) = (version, self.most);
        }
        if let Some(left) = self.left.checked_sub(body.len())
            && self.pages.insert((kind, page), body.clone()).is_none()
        {
            self.left = left;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_fits_and_only_of_one_version() {
        let mut kept = Kept::new(10);
        let page = Bytes::from_static(b"123456");
        kept.keep(1, ChatKind::Lead, 1, &page);
        kept.keep(1, ChatKind::Lead, 2, &page);
        assert_eq!(
            (
                kept.get(1, ChatKind::Lead, 1),
                kept.get(1, ChatKind::Lead, 2)
            ),
            (Some(page.clone()), None)
        );
        assert_eq!(
            (
                kept.get(2, ChatKind::Lead, 1),
                kept.get(1, ChatKind::NonLead, 1)
            ),
            (None, None)
        );
        kept.keep(2, ChatKind::Lead, 2, &page);
        assert_eq!(
            (
                kept.get(2, ChatKind::Lead, 1),
                kept.get(2, ChatKind::Lead, 2)
            ),
            (None, Some(page))
        );
    }
}

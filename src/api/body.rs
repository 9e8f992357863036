//! The bodies of answers, and the memory that they may use.
//!
//! Small bodies are limited by the number of open requests. Larger ones share a fixed budget: a body that does not fit stays
//! with the server until earlier ones have been read. So memory does not grow with `api.concurrency`, whatever a server sends.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Failure;

/// The largest body that is read, and the budget for all large ones together, in bytes. A page of 200 chats is about 300 KB.
const LARGEST: usize = 64 << 20;
/// A body up to this size needs no budget.
const SMALL: usize = 1 << 20;
/// The unit of the budget, in bytes.
const UNIT: usize = 1 << 20;

/// Reads bodies.
#[derive(Debug)]
pub(super) struct Bodies {
    room: Arc<Semaphore>,
}

/// A body, with the part of the budget that it uses until it is dropped.
pub(super) struct Body {
    pub(super) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl Body {
    /// Large enough that decoding it would block a thread that moves bytes.
    pub(super) fn is_large(&self) -> bool {
        self.bytes.len() > SMALL
    }
}

impl Bodies {
    pub(super) fn new() -> Self {
        Self {
            room: Arc::new(Semaphore::new(LARGEST / UNIT)),
        }
    }

    /// Reads a body to its end.
    pub(super) async fn read(&self, mut answer: reqwest::Response) -> Result<Body, Failure> {
        let length = answer
            .content_length()
            .map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let oversized = Failure::Oversized {
            limit: LARGEST >> 20,
        };
        if length.is_some_and(|length| length > LARGEST) {
            return Err(oversized);
        }
        let mut bytes = BytesMut::with_capacity(length.unwrap_or_default().min(SMALL));
        let mut room = None;
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|error| Failure::broken(&error))?
        {
            let size = bytes.len() + chunk.len();
            if size > LARGEST {
                return Err(oversized);
            }
            if size > SMALL && room.is_none() {
                // Reserved at once: bodies that each hold a part of their budget would wait for each other.
                room = self.room(length.unwrap_or(LARGEST)).await;
                bytes.reserve(length.unwrap_or_default().saturating_sub(bytes.len()));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Body {
            bytes: bytes.freeze(),
            _room: room,
        })
    }

    async fn room(&self, size: usize) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(size.div_ceil(UNIT)).unwrap_or(u32::MAX);
        Arc::clone(&self.room).acquire_many_owned(units).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn answer(size: usize) -> reqwest::Response {
        axum::http::Response::new(vec![b' '; size]).into()
    }

    async fn reads(bodies: &Bodies, size: usize) -> bool {
        let read = bodies.read(answer(size));
        tokio::time::timeout(Duration::from_secs(60), read)
            .await
            .is_ok_and(|body| body.is_ok())
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_body_waits_until_there_is_room() {
        let bodies = Bodies::new();
        let first = bodies.read(answer(LARGEST)).await.expect("a body");
        assert!(!reads(&bodies, SMALL + 1).await);
        assert!(reads(&bodies, SMALL).await, "a small one needs no room");
        drop(first);
        assert!(reads(&bodies, SMALL + 1).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_without_end_is_refused_and_leaves_its_room() {
        let bodies = Bodies::new();
        let read = bodies.read(answer(LARGEST + 1)).await;
        assert!(matches!(read, Err(Failure::Oversized { limit: 64 })));
        assert!(reads(&bodies, LARGEST).await);
    }
}

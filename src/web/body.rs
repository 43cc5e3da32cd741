//! The body of a request, taken within bounds of size, time and memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use actix_web::web::{BytesMut, Payload};
use futures_util::StreamExt as _;

use crate::base::limit::{BODIES_BYTES_MAX, BODY_WAIT_S};
use crate::web::problem::{Kind, Problem};

/// Bytes of bodies that are held now, by all requests together.
#[derive(Clone, Default)]
pub struct Held(Arc<AtomicUsize>);

/// A body that was taken. Its bytes count as held until it is dropped.
pub struct Body {
    bytes: BytesMut,
    share: Share,
}

struct Share {
    held: Held,
    bytes: usize,
}

impl Share {
    fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let before = self.held.0.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        if before + bytes > BODIES_BYTES_MAX {
            return Err(Kind::NotReady.told("too much is being sent at once"));
        }
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.held.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Body {
    /// Takes a body of at most so many bytes.
    ///
    /// # Errors
    /// Where it is larger, arrives too slowly, or breaks off.
    pub async fn take(
        payload: &mut Payload,
        headers: &HeaderMap,
        bytes_max: usize,
        held: &Held,
    ) -> Result<Self, Problem> {
        let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|bytes: usize| bytes > bytes_max) {
            return Err(too_large(bytes_max));
        }
        let wait = Duration::from_secs(BODY_WAIT_S);
        let all = Self::all(payload, bytes_max, held);
        tokio::time::timeout(wait, all).await.unwrap_or_else(|_elapsed| Err(Kind::TooSlow.problem()))
    }

    async fn all(payload: &mut Payload, bytes_max: usize, held: &Held) -> Result<Self, Problem> {
        let mut body = Self { bytes: BytesMut::new(), share: Share { held: held.clone(), bytes: 0 } };
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_broken| Kind::Malformed.told("the body broke off"))?;
            if body.bytes.len() + chunk.len() > bytes_max {
                return Err(too_large(bytes_max));
            }
            body.share.grow(chunk.len())?;
            body.bytes.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn too_large(bytes_max: usize) -> Problem {
    Kind::TooLarge.told(format!("one request may have {bytes_max} bytes"))
}

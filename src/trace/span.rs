//! Whether anybody listens, and spans that are entered and closed without a panic.

use core::mem;

use tracing::Span;
use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};

use crate::wakes::contain;

pub(super) const TARGET: &str = "hchan";

/// Whether anybody may listen: one load. All that may be asked under the lock, where a subscriber that is asked
/// itself would run.
#[inline]
pub(super) fn is_heard() -> bool {
    LevelFilter::TRACE <= STATIC_MAX_LEVEL && LevelFilter::TRACE <= LevelFilter::current()
}

/// Closes a span.
pub(super) fn close(span: &mut Span) {
    let span = mem::replace(span, Span::none());
    contain(|| drop(span));
}

/// A span that was entered.
pub(super) struct Within<'a>(&'a Span);

impl<'a> Within<'a> {
    pub(super) fn new(span: &'a Span) -> Self {
        contain(|| {
            span.with_subscriber(|(id, subscriber)| subscriber.enter(id));
        });
        Self(span)
    }
}

impl Drop for Within<'_> {
    fn drop(&mut self) {
        contain(|| {
            self.0
                .with_subscriber(|(id, subscriber)| subscriber.exit(id));
        });
    }
}

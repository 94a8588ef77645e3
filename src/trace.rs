//! What happens in a channel, told to a `tracing` subscriber.
//!
//! A subscriber is code of a user's, which may use the channel or panic. So what happens is noted in
//! the state, under the lock, and told after the unlock and after the wakes. Without the feature
//! `tracing` a [`Trace`] has no size, and to note or tell is nothing.

#[cfg(feature = "tracing")]
use alloc::vec::Vec;

use crate::wakes::Panic;

/// A queue of waiters.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Queue {
    Send,
    Recv,
    Close,
}

/// Something that happened.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "not told"))]
pub(crate) enum Event {
    /// An operation went to the end of a queue.
    Park(Queue),
    /// A parked receive was handed a value, or the value of a parked send was taken.
    Handoff(Queue),
    /// A value came back that had left.
    PutBack,
    /// The channel was closed.
    Close,
}

/// What has happened under the lock, and is not told yet.
#[must_use]
pub(crate) struct Trace {
    #[cfg(feature = "tracing")]
    events: Vec<Event>,
}

#[cfg(not(feature = "tracing"))]
impl Trace {
    pub(crate) const fn new() -> Self {
        Self {}
    }

    #[inline]
    pub(crate) fn note(&mut self, _: Event) {}

    /// Takes out what was noted.
    #[inline]
    pub(crate) fn take(&mut self) -> Self {
        Self::new()
    }

    /// Tells it, outside the lock and after the wakes, and hands back the first panic of both.
    #[inline]
    pub(crate) fn tell(self, _: usize, woken: Result<(), Panic>) -> Result<(), Panic> {
        woken
    }
}

#[cfg(feature = "tracing")]
impl Trace {
    pub(crate) const fn new() -> Self {
        Self { events: Vec::new() }
    }

    #[inline]
    pub(crate) fn note(&mut self, event: Event) {
        use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};

        // All that may be asked here: a subscriber that is asked itself would run under the lock.
        if LevelFilter::TRACE <= STATIC_MAX_LEVEL && LevelFilter::TRACE <= LevelFilter::current() {
            self.events.push(event);
        }
    }

    /// Takes out what was noted.
    #[inline]
    pub(crate) fn take(&mut self) -> Self {
        Self {
            events: core::mem::take(&mut self.events),
        }
    }

    /// Tells it, outside the lock and after the wakes, and hands back the first panic of both.
    #[inline]
    pub(crate) fn tell(self, channel: usize, woken: Result<(), Panic>) -> Result<(), Panic> {
        match self.events.is_empty() {
            true => woken,
            false => self.tell_events(channel, woken),
        }
    }

    #[cold]
    fn tell_events(self, channel: usize, woken: Result<(), Panic>) -> Result<(), Panic> {
        let told = |woken, event: Event| {
            let tell = || Panic::catch(|| event.tell(channel));
            match woken {
                Ok(()) => tell(),
                Err(panic) => Err(Panic::hold(panic, tell)),
            }
        };
        self.events.into_iter().fold(woken, told)
    }
}

#[cfg(feature = "tracing")]
impl Event {
    fn tell(self, channel: usize) {
        use tracing::trace;

        const TARGET: &str = "hchan";

        match self {
            Self::Park(queue) => trace!(target: TARGET, queue = queue.name(), channel, "park"),
            Self::Handoff(queue) => {
                trace!(target: TARGET, queue = queue.name(), channel, "handoff");
            }
            Self::PutBack => trace!(target: TARGET, channel, "put back"),
            Self::Close => trace!(target: TARGET, channel, "close"),
        }
    }
}

#[cfg(feature = "tracing")]
impl Queue {
    const fn name(self) -> &'static str {
        match self {
            Self::Send => "sendq",
            Self::Recv => "recvq",
            Self::Close => "closeq",
        }
    }
}

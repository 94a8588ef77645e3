//! What happens in a channel, told to a `tracing` subscriber.
//!
//! A subscriber is code of a user's, which may use the channel or panic. So what happens is noted in
//! the state, under the lock, and told after the unlock and after the wakes. Without the feature
//! `tracing` a [`Trace`] and a [`Told`] have no size, and to note or tell is nothing.

#[cfg(feature = "tracing")]
use alloc::vec::Vec;

/// A queue of waiters.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Queue {
    Send,
    Recv,
    Reserve,
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
pub(crate) struct Trace {
    #[cfg(feature = "tracing")]
    events: Vec<Event>,
}

/// What has happened, on its way out of the lock. It is told when this is dropped.
pub(crate) struct Told {
    #[cfg(feature = "tracing")]
    events: Vec<Event>,
    #[cfg(feature = "tracing")]
    channel: usize,
}

#[cfg(not(feature = "tracing"))]
impl Trace {
    pub(crate) const fn new() -> Self {
        Self {}
    }

    #[inline]
    pub(crate) fn note(&mut self, _: Event) {}
}

#[cfg(not(feature = "tracing"))]
impl Told {
    #[inline]
    pub(crate) fn new() -> Self {
        Self {}
    }

    #[inline]
    pub(crate) fn add(&mut self, _: &mut Trace, _: usize) {}
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
}

#[cfg(feature = "tracing")]
impl Told {
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            events: Vec::new(),
            channel: 0,
        }
    }

    /// Takes out what was noted.
    #[inline]
    pub(crate) fn add(&mut self, trace: &mut Trace, channel: usize) {
        if !trace.events.is_empty() {
            self.events = core::mem::take(&mut trace.events);
            self.channel = channel;
        }
    }

    /// Tells each event, whatever any of them makes the subscriber do; the first panic goes on.
    #[cold]
    fn tell(&mut self) {
        let (events, channel) = (core::mem::take(&mut self.events), self.channel);
        crate::wakes::each(events, |event| event.tell(channel));
    }
}

#[cfg(feature = "tracing")]
impl Drop for Told {
    #[inline]
    fn drop(&mut self) {
        if !self.events.is_empty() {
            self.tell();
        }
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
            Self::Send | Self::Reserve => "sendq",
            Self::Recv => "recvq",
            Self::Close => "closeq",
        }
    }
}

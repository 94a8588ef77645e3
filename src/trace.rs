//! What happens in a channel, told to a `tracing` subscriber.
//!
//! A subscriber is user code, which may use the channel or panic. So what happens is noted in
//! the state, under the lock, and told after the unlock and after the wakes. Without the feature
//! `tracing` a [`Trace`], a [`Told`], a [`Resource`] and an [`Op`] have no size, and to note or tell is nothing.
//!
//! It is told twice: as events with the target `hchan`, and in the terms of tokio-console, where a channel is a
//! *resource* and an operation that has parked an *async operation*. Both are spans: the channel's is open as long
//! as the channel, an operation's as long as its place in line. They are made, entered and closed where events are
//! told. A panic of the subscriber's at an event goes on, as one of a waker's does; one at what is told to the
//! console goes no further, since it may come when a receive has its value.

#[cfg(feature = "tracing")]
pub(crate) use self::notes::{Told, Trace};
#[cfg(not(feature = "tracing"))]
pub(crate) use self::off::*;
#[cfg(feature = "tracing")]
pub(crate) use self::op::{Op, OpCell};
#[cfg(feature = "tracing")]
use self::op::{Step, Wait};
#[cfg(feature = "tracing")]
pub(crate) use self::resource::Resource;

/// A queue of waiters.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Queue {
    Send,
    Recv,
    Reserve,
    Close,
}

/// Something that happened.
#[derive(Debug)]
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
    /// A step of an operation that has parked.
    #[cfg(feature = "tracing")]
    Step(Step, Wait),
    /// The counts have changed.
    #[cfg(feature = "tracing")]
    Changed,
}

/// What is told of a channel whenever it changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) qcount: usize,
    pub(crate) closed: bool,
    pub(crate) senders: u32,
    pub(crate) receivers: u32,
}

#[cfg(feature = "tracing")]
mod notes;
#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(feature = "tracing")]
mod op;
#[cfg(feature = "tracing")]
mod resource;
#[cfg(feature = "tracing")]
mod span;

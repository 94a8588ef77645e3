//! What the core and the fronts note for `inspect`, and for `tracing`.
//!
//! A [`Caller`] is where an operation or a handle was asked for; a [`Visit`] is an operation as it parks; a
//! [`Spot`] is where it is seen, one for each place in a slab, and [`Spots`] are those that are new; a [`Watch`] is
//! the channel's record, which is written as the lock is released; a [`Badge`] is a handle's entry in it. Without
//! the feature `inspect` all of them have no size, and nothing is noted; but a subscriber of `tracing` is told who
//! asked, too.

#[cfg(any(feature = "inspect", feature = "tracing"))]
use core::panic::Location;
use core::task::Waker;
#[cfg(feature = "inspect")]
use std::time::Instant;

use crate::hchan::Kind;
use crate::hchan::offer::Offer;
use crate::trace::{Resource, Trace};

#[cfg(not(feature = "inspect"))]
pub(crate) use self::off::*;
#[cfg(feature = "inspect")]
pub(crate) use self::on::*;

/// Where an operation or a handle was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    #[cfg(any(feature = "inspect", feature = "tracing"))]
    pub(crate) at: &'static Location<'static>,
}

/// An operation as it parks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit {
    #[cfg(any(feature = "inspect", feature = "tracing"))]
    pub(crate) what: What,
    #[cfg(any(feature = "inspect", feature = "tracing"))]
    pub(crate) at: &'static Location<'static>,
    #[cfg(feature = "tracing")]
    pub(crate) is_arm: bool,
    #[cfg(feature = "inspect")]
    pub(crate) since: Instant,
    #[cfg(feature = "inspect")]
    pub(crate) is_blocking: bool,
    /// What the waker points to.
    #[cfg(feature = "inspect")]
    pub(crate) task: usize,
    /// The address of the offer that it is an arm of, or 0.
    #[cfg(feature = "inspect")]
    pub(crate) offer: usize,
}

impl Caller {
    #[inline]
    #[cfg_attr(any(feature = "inspect", feature = "tracing"), track_caller)]
    pub(crate) const fn here() -> Self {
        Self {
            #[cfg(any(feature = "inspect", feature = "tracing"))]
            at: Location::caller(),
        }
    }
}

#[cfg(not(any(feature = "inspect", feature = "tracing")))]
impl Caller {
    #[inline]
    pub(crate) fn visit(self, _: What, _: &Waker) -> Visit {
        Visit {}
    }

    #[inline]
    pub(crate) fn arm(self, _: What, _: &Offer) -> Visit {
        Visit {}
    }
}

#[cfg(any(feature = "inspect", feature = "tracing"))]
#[cfg_attr(
    not(feature = "inspect"),
    expect(unused_variables, reason = "not noted")
)]
impl Caller {
    /// An operation of a task or a thread that is about to park with this waker.
    #[inline]
    pub(crate) fn visit(self, what: What, waker: &Waker) -> Visit {
        Visit {
            what,
            at: self.at,
            #[cfg(feature = "tracing")]
            is_arm: false,
            #[cfg(feature = "inspect")]
            since: Instant::now(),
            #[cfg(feature = "inspect")]
            is_blocking: is_blocking(),
            #[cfg(feature = "inspect")]
            task: waker.data().addr(),
            #[cfg(feature = "inspect")]
            offer: 0,
        }
    }

    /// An arm of a select, whose waker is the offer's.
    #[inline]
    pub(crate) fn arm(self, what: What, offer: &Offer) -> Visit {
        Visit {
            #[cfg(feature = "tracing")]
            is_arm: true,
            #[cfg(feature = "inspect")]
            task: offer.task(),
            #[cfg(feature = "inspect")]
            offer: core::ptr::from_ref(offer).addr(),
            ..self.visit(what, Waker::noop())
        }
    }
}

/// A channel's record, and its span.
#[derive(Clone)]
pub(crate) struct Watch {
    record: Recorded,
    resource: Resource,
}

impl Watch {
    /// Registers a channel of this type with its first two handles.
    pub(crate) fn pair<T>(
        kind: Kind,
        capacity: Option<usize>,
        caller: Caller,
    ) -> (Self, Badge, Badge) {
        let resource = Resource::open::<T>(capacity, caller);
        let (record, sender, receiver) = Recorded::pair::<T>(kind, capacity, caller);
        (Self { record, resource }, sender, receiver)
    }

    /// The notes of what is told of the channel.
    #[inline]
    pub(crate) fn trace(&self) -> Trace {
        self.resource.trace()
    }

    /// Gives the channel a name.
    pub(crate) fn set_name(&self, name: &str) {
        self.record.set_name(name);
        self.resource.set_name(name);
    }
}

impl core::ops::Deref for Watch {
    type Target = Recorded;

    #[inline]
    fn deref(&self) -> &Recorded {
        &self.record
    }
}

/// The beginning of a text: at most so many bytes, and whole characters.
#[cfg(any(feature = "inspect", feature = "tracing"))]
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// What an operation is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Send,
    Recv,
    Reserve,
    Closed,
}

/// Which end a handle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Send,
    Recv,
}

/// How a handle was made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    /// With its channel.
    #[cfg(feature = "inspect")]
    Made,
    Cloned,
    Upgraded,
}

/// What a channel looks like as its lock is released.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(not(feature = "inspect"), expect(dead_code, reason = "not noted"))]
pub(crate) struct Counts {
    pub(crate) closed: bool,
    /// In the ring.
    pub(crate) ring: usize,
    /// How many have left the ring, in all.
    pub(crate) received: u64,
    /// What was put back and is inside.
    pub(crate) returned: u32,
    pub(crate) reserved: usize,
    pub(crate) unclaimed: u32,
    pub(crate) sent: u64,
    pub(crate) peak: usize,
}

/// Any visit.
#[cfg(test)]
pub(crate) fn visit() -> Visit {
    Caller::here().visit(What::Recv, Waker::noop())
}

#[cfg(not(feature = "inspect"))]
mod off {
    use core::task::Waker;

    use super::{Caller, Counts, Origin, Side, Visit};
    use crate::hchan::Kind;

    pub(crate) struct Spot;

    impl Spot {
        pub(crate) const NONE: Self = Self;

        #[inline]
        pub(crate) fn parked(&mut self, _: Visit, _: &mut Spots) {}

        #[inline]
        pub(crate) fn left(&self) {}

        #[inline]
        pub(crate) fn gone(&self) {}

        #[inline]
        pub(crate) fn renewed(&self, _: &Waker) {}
    }

    pub(crate) struct Spots;

    impl Spots {
        pub(crate) const fn new() -> Self {
            Self
        }

        #[inline]
        pub(crate) fn kept(&mut self) {}

        #[inline]
        pub(crate) fn gone(&mut self) {}
    }

    #[derive(Clone)]
    pub(crate) struct Recorded;

    impl Recorded {
        #[inline]
        #[expect(clippy::extra_unused_type_parameters, reason = "its name is not noted")]
        pub(crate) fn pair<T>(_: Kind, _: Option<usize>, caller: Caller) -> (Self, Badge, Badge) {
            (Self, Badge(caller), Badge(caller))
        }

        #[inline]
        pub(crate) fn join(&self, _: Side, _: Origin, caller: Caller) -> Badge {
            Badge(caller)
        }

        #[inline]
        pub(crate) fn begin(&self) {}

        #[inline]
        pub(crate) fn publish(&self, _: impl FnOnce() -> Counts, _: Option<&mut Spots>) {}

        #[inline]
        pub(crate) fn begin_closers(&self) {}

        #[inline]
        pub(crate) fn publish_closers(&self, _: &mut Spots) {}

        pub(crate) fn set_name(&self, _: &str) {}

        #[cfg(feature = "time")]
        pub(crate) fn set_timer(&self, _: bool) {}
    }

    pub(crate) struct Badge(Caller);

    impl Badge {
        #[inline]
        pub(crate) const fn caller(&self) -> Caller {
            self.0
        }
    }

    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn while_blocking<R>(poll: impl FnOnce() -> R) -> R {
        poll()
    }
}

#[cfg(feature = "inspect")]
mod on {
    use std::cell::Cell;

    pub(crate) use crate::inspect::board::{Spot, Spots};
    pub(crate) use crate::inspect::record::{Badge, Recorded};

    std::thread_local! {
        /// Whether the thread blocks on what it polls.
        static BLOCKS: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn is_blocking() -> bool {
        BLOCKS.try_with(Cell::get).unwrap_or(false)
    }

    /// Polls on a thread that blocks.
    pub(crate) fn while_blocking<R>(poll: impl FnOnce() -> R) -> R {
        struct Restore(bool);

        impl Drop for Restore {
            fn drop(&mut self) {
                let _ended = BLOCKS.try_with(|blocks| blocks.set(self.0));
            }
        }

        let before = BLOCKS.try_with(|blocks| blocks.replace(true));
        let _restore = Restore(before.unwrap_or(false));
        poll()
    }
}

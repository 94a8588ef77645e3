//! What the core and the fronts note for `inspect`.
//!
//! A [`Caller`] is where an operation or a handle was asked for; a [`Visit`] is an operation as it parks; a
//! [`Spot`] is where it is seen, one for each place in a slab, and [`Spots`] are those that are new; a [`Watch`] is
//! the channel's record, which is written as the lock is released; a [`Badge`] is a handle's entry in it. Without
//! the feature `inspect` all of them have no size, and nothing is noted.

#[cfg(not(feature = "inspect"))]
pub(crate) use self::off::*;
#[cfg(feature = "inspect")]
pub(crate) use self::on::*;

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
    pub(crate) reserved: u32,
    pub(crate) unclaimed: u32,
    pub(crate) sent: u64,
    pub(crate) peak: usize,
}

/// Any visit.
#[cfg(test)]
pub(crate) fn visit() -> Visit {
    Caller::here().visit(What::Recv, core::task::Waker::noop())
}

#[cfg(not(feature = "inspect"))]
mod off {
    use core::task::Waker;

    use super::{Counts, Origin, Side, What};
    use crate::hchan::Kind;
    use crate::hchan::offer::Offer;

    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Caller;

    impl Caller {
        #[inline]
        pub(crate) const fn here() -> Self {
            Self
        }

        #[inline]
        pub(crate) fn visit(self, _: What, _: &Waker) -> Visit {
            Visit
        }

        #[inline]
        pub(crate) fn arm(self, _: What, _: &Offer) -> Visit {
            Visit
        }
    }

    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Visit;

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
        pub(crate) fn gone(&mut self) {}
    }

    #[derive(Clone)]
    pub(crate) struct Watch;

    impl Watch {
        #[inline]
        #[expect(clippy::extra_unused_type_parameters, reason = "its name is not noted")]
        pub(crate) fn pair<T>(_: Kind, _: Option<usize>, _: Caller) -> (Self, Badge, Badge) {
            (Self, Badge, Badge)
        }

        #[inline]
        pub(crate) fn join(&self, _: Side, _: Origin, _: Caller) -> Badge {
            Badge
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

    pub(crate) struct Badge;

    impl Badge {
        #[inline]
        pub(crate) const fn caller(&self) -> Caller {
            Caller
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
    use core::panic::Location;
    use core::task::Waker;
    use std::cell::Cell;
    use std::time::Instant;

    use super::What;
    use crate::hchan::offer::Offer;
    pub(crate) use crate::inspect::board::{Spot, Spots};
    pub(crate) use crate::inspect::record::{Badge, Watch};

    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Caller(pub(crate) &'static Location<'static>);

    impl Caller {
        #[track_caller]
        pub(crate) const fn here() -> Self {
            Self(Location::caller())
        }

        /// An operation of a task or a thread that is about to park with this waker.
        #[inline]
        pub(crate) fn visit(self, what: What, waker: &Waker) -> Visit {
            Visit {
                what,
                at: self.0,
                since: Instant::now(),
                is_blocking: BLOCKS.try_with(Cell::get).unwrap_or(false),
                task: waker.data().addr(),
                offer: 0,
            }
        }

        /// An arm of a select, whose waker is the offer's.
        #[inline]
        pub(crate) fn arm(self, what: What, offer: &Offer) -> Visit {
            Visit {
                task: offer.task(),
                offer: core::ptr::from_ref(offer).addr(),
                ..self.visit(what, Waker::noop())
            }
        }
    }

    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Visit {
        pub(crate) what: What,
        pub(crate) at: &'static Location<'static>,
        pub(crate) since: Instant,
        pub(crate) is_blocking: bool,
        /// What the waker points to.
        pub(crate) task: usize,
        /// The address of the offer that it is an arm of, or 0.
        pub(crate) offer: usize,
    }

    std::thread_local! {
        /// Whether the thread blocks on what it polls.
        static BLOCKS: Cell<bool> = const { Cell::new(false) };
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

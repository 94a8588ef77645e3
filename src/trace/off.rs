//! Nothing is noted, and nothing told.

use super::{Event, Seen};
use crate::watch::{Caller, Visit};

/// What has happened under the lock, and is not told yet.
pub(crate) struct Trace;

impl Trace {
    pub(crate) const fn new() -> Self {
        Self
    }

    #[inline]
    pub(crate) fn note(&mut self, _: Event) {}

    #[inline]
    pub(crate) fn parked(&mut self, _: &mut Op, _: Visit) {}

    #[inline]
    pub(crate) fn polled(&mut self, _: &Op) {}

    #[inline]
    pub(crate) fn done(&mut self, _: Op) {}

    #[inline]
    pub(crate) fn left(&mut self, _: Op) {}

    #[inline]
    pub(crate) const fn is_kept(&self) -> bool {
        false
    }

    pub(crate) fn see(&mut self, _: Seen) {}
}

/// What has happened, on its way out of the lock. It is told when this is dropped.
pub(crate) struct Told;

impl Told {
    #[inline]
    pub(crate) fn new() -> Self {
        Self
    }

    #[inline]
    pub(crate) fn add(&mut self, _: &mut Trace, _: usize) {}
}

/// The channel, as it is told of.
#[derive(Clone)]
pub(crate) struct Resource;

impl Resource {
    #[inline]
    #[expect(clippy::extra_unused_type_parameters, reason = "its name is not told")]
    pub(crate) fn open<T>(_: Option<usize>, _: Caller) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn trace(&self) -> Trace {
        Trace
    }

    pub(crate) fn set_name(&self, _: &str) {}
}

/// A parked operation, as it is told of.
#[derive(Debug)]
pub(crate) struct Op;

impl Op {
    pub(crate) const NONE: Self = Self;

    #[inline]
    pub(crate) const fn finish(&mut self) {}
}

/// Keeps an [`Op`] from one poll of a handle to the next.
pub(crate) struct OpCell;

impl OpCell {
    pub(crate) const fn new() -> Self {
        Self
    }

    #[inline]
    pub(crate) fn take(&self) -> Op {
        Op
    }

    #[inline]
    pub(crate) fn keep(&self, _: Op) {}
}

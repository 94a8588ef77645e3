//! The arms of a select, whatever they are over.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::Tried;
use super::operation::Operation;
use crate::hchan::offer::Offer;
use crate::hchan::select::Released;
use crate::mask::masked;
use crate::sync::Arc;

/// What a select asks of its arms, whatever they carry.
pub trait Arm {
    /// What the arm is over.
    fn kind(&self) -> ArmKind;

    /// The line that it would park in, if any: the address of its channel, a little more for a send. Selects park
    /// in this order.
    fn line(&mut self) -> usize;

    /// Whether it is left out, because it is off or not to be tried.
    fn is_skipped(&mut self, tried: Tried) -> bool;

    /// Tries to win at once, unless [`is_skipped`](Self::is_skipped). A channel's arm only while none is in line.
    fn attempt(&mut self, cx: &mut Context<'_>) -> bool;

    /// Whether the last attempt has won, though a waker's panic kept the select from seeing that.
    fn has_won(&mut self) -> bool;

    /// Whether nothing has become possible since the last attempt.
    fn unchanged(&mut self) -> bool;

    /// Parks in the name of the offer, as the arm of this number.
    fn park(&mut self, offer: &Arc<Offer>, number: u32) -> Parked;

    /// Whether it has parked.
    fn is_in_line(&mut self) -> bool;

    /// Once the select holds its sends no longer: serves a send in line whose counterpart came past it.
    fn release(&mut self, offer: &Offer) -> Released;

    /// Takes what a counterpart left for the arm that it accepted.
    fn collect(&mut self);

    /// Leaves the line, since another arm has won or all are to be tried again. What a counterpart has left goes
    /// back, unless it has taken a value.
    fn leave(&mut self);
}

/// An arm whose result has a known type.
pub(super) trait Wins: Arm {
    /// What its closure gets.
    type Won;

    /// What the arm has won, if it is the winner.
    fn take_won(&mut self) -> Option<Self::Won>;
}

/// The line of an arm that parks in none.
pub(super) const NO_LINE: usize = 0;

/// What became of an arm that was to park.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parked {
    /// It stands in line.
    InLine,
    /// It waits for nothing that can happen: it is off, or over a nil channel.
    Nowhere,
    /// It could proceed instead.
    CouldProceed,
}

/// What an arm is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArmKind {
    /// A receive: it parks, and what it was handed can go back.
    Recv,
    /// A send: it parks, and what was taken is gone.
    Send,
    /// Any future: it is polled.
    Future,
}

/// An arm over a channel.
pub struct ChannelArm<F: Operation> {
    operation: F,
    enabled: bool,
    won: Option<F::Output>,
    /// What the clock showed at the last attempt.
    pub(super) seen: u64,
}

impl<F: Operation> ChannelArm<F> {
    pub(super) const fn new(operation: F) -> Self {
        Self::resumed(operation, 0)
    }

    /// An arm that is made again for each step; what the clock showed is kept in between.
    #[inline]
    pub(super) const fn resumed(operation: F, seen: u64) -> Self {
        Self {
            operation,
            enabled: true,
            won: None,
            seen,
        }
    }

    /// Takes part only if the arm's precondition holds.
    #[track_caller]
    pub fn only_if(&mut self, enabled: bool) {
        self.enabled = enabled;
        if enabled {
            self.operation.check();
        }
    }

    /// What the arm has won, if it is the winner.
    pub const fn won(&mut self) -> Option<F::Output> {
        self.won.take()
    }
}

impl<F: Operation> Wins for ChannelArm<F> {
    type Won = F::Output;

    fn take_won(&mut self) -> Option<F::Output> {
        self.won()
    }
}

impl<F: Operation> Arm for ChannelArm<F> {
    fn kind(&self) -> ArmKind {
        F::KIND
    }

    fn line(&mut self) -> usize {
        if self.enabled {
            self.operation.address() + usize::from(F::KIND == ArmKind::Send)
        } else {
            NO_LINE
        }
    }

    fn is_skipped(&mut self, tried: Tried) -> bool {
        !self.enabled || tried == Tried::Hopeful && self.operation.parks()
    }

    fn attempt(&mut self, _: &mut Context<'_>) -> bool {
        match masked!(self.operation.attempt()) {
            Ok(output) => self.won = Some(output),
            Err(clock) => self.seen = clock,
        }
        self.won.is_some()
    }

    fn has_won(&mut self) -> bool {
        if self.enabled {
            self.won = self.operation.interrupted();
        }
        self.won.is_some()
    }

    fn unchanged(&mut self) -> bool {
        !self.enabled || masked!(self.operation.now()) == self.seen
    }

    fn park(&mut self, offer: &Arc<Offer>, number: u32) -> Parked {
        masked!(self.operation.park(offer, number))
    }

    fn is_in_line(&mut self) -> bool {
        self.operation.is_in_line()
    }

    fn release(&mut self, offer: &Offer) -> Released {
        masked!(self.operation.release(offer))
    }

    fn collect(&mut self) {
        self.won = Some(masked!(self.operation.collect()));
    }

    fn leave(&mut self) {
        masked!(self.operation.leave());
    }
}

/// An arm over any future, which is pinned elsewhere.
pub struct FutureArm<F: Future + Unpin> {
    future: F,
    enabled: bool,
    /// Present from the poll in which the future was ready; then this arm is the winner.
    won: Option<F::Output>,
}

impl<F: Future + Unpin> FutureArm<F> {
    pub(super) const fn new(future: F) -> Self {
        Self {
            future,
            enabled: true,
            won: None,
        }
    }

    /// Takes part only if the arm's precondition holds.
    pub const fn only_if(&mut self, enabled: bool) {
        self.enabled = enabled;
    }

    /// What the arm has won, if it is the winner.
    pub const fn won(&mut self) -> Option<F::Output> {
        self.won.take()
    }
}

impl<F: Future + Unpin> Wins for FutureArm<F> {
    type Won = F::Output;

    fn take_won(&mut self) -> Option<F::Output> {
        self.won()
    }
}

impl<F: Future + Unpin> Arm for FutureArm<F> {
    fn kind(&self) -> ArmKind {
        ArmKind::Future
    }

    fn line(&mut self) -> usize {
        NO_LINE
    }

    fn is_skipped(&mut self, tried: Tried) -> bool {
        !self.enabled || tried == Tried::Channels
    }

    fn attempt(&mut self, cx: &mut Context<'_>) -> bool {
        if let Poll::Ready(output) = Pin::new(&mut self.future).poll(cx) {
            self.won = Some(output);
        }
        self.won.is_some()
    }

    fn has_won(&mut self) -> bool {
        self.won.is_some()
    }

    fn unchanged(&mut self) -> bool {
        true
    }

    fn park(&mut self, _: &Arc<Offer>, _: u32) -> Parked {
        Parked::Nowhere
    }

    fn is_in_line(&mut self) -> bool {
        false
    }

    fn release(&mut self, _: &Offer) -> Released {
        Released::Waits
    }

    fn collect(&mut self) {
        unreachable!("a future stands in no line");
    }

    fn leave(&mut self) {}
}

impl<F: Operation> fmt::Debug for ChannelArm<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelArm").finish_non_exhaustive()
    }
}

impl<F: Future + Unpin> fmt::Debug for FutureArm<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FutureArm").finish_non_exhaustive()
    }
}

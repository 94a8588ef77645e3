//! Select: several sends and receives stand in line at once, and exactly one of them commits.
//!
//! # How
//!
//! An arm is a waiter like any other, a sudog in `sendq` or `recvq`. Its party is not a task but the
//! select's [`Offer`](crate::party::Offer), which all its arms share. A poll of a select
//!
//! 1. with the offer *closed* and no arm in any line, tries the arms one after the other, each under
//!    its channel's lock alone; the first that can proceed has won. An arm whose channel has shown, when
//!    it was last unlocked, that it could not, counts as tried, unless there is a `default`;
//! 2. else *opens* the offer and parks the arms, in the order of their channels' addresses; under the
//!    lock under which it parks, each arm looks whether it could proceed now, its own select's other
//!    arms aside. An arm whose handle has a place in line already takes that over, when all others have
//!    parked: it has looked when it came there, and whoever has come since has met it, unless a permit
//!    counts on it. If the place has gone to another arm meanwhile, the arm parks behind that, on the same
//!    channel, and could meet nobody else;
//! 3. if one could, *withdraws* the offer, takes all arms out of their lines, and goes back to 1;
//! 4. else waits. A counterpart that finds an arm first in line *accepts* the offer, under the lock of
//!    that channel, before any value moves; only then it completes the arm's sudog, as it would any
//!    other. The next poll finds the offer accepted, takes the other arms out of their lines, and
//!    collects.
//!
//! # Why exactly one arm commits
//!
//! An arm commits in 1, which its owner does while the offer is closed, or in 4, which a counterpart
//! does after it has accepted. `accept` succeeds only from open, and leaves the offer accepted; only
//! the owner opens it, and only in 2, after 1 has failed, with no arm in any line. So between one
//! opening and the next `withdraw` one arm is accepted at most, and none after it. `withdraw` tells the
//! owner whether one was: if so the owner does not go back to 1, but collects. A counterpart that fails
//! to accept moves on to the next in line and has lost nothing, for it has not touched its own value.
//!
//! - *A drop* withdraws first, so nobody accepts an arm that is being taken out. The accepted arm is
//!   dropped like any served operation: a value it was handed is put back, a sent one stays sent.
//! - *Two arms in line* can be brought together by a third, who gives up a permit that stood between them:
//!   both offers are accepted, or neither.
//! - *A close* is a counterpart like any other: it accepts an arm to end it, or passes it by.
//! - *The same channel twice* is two sudogs with one offer: the second declines once the first was
//!   accepted.
//! - *A send and a receive on one channel* never meet each other: in 1 none of them is in line, in 2
//!   each is blind to its own select, and whoever else accepts one of them makes the other decline.
//!
//! # Why no meeting is missed
//!
//! Say a send and a receive are parked on one channel and could meet. The one that parked last did so
//! under the lock under which it looked; it saw the other, which stood in line and was open by then, and
//! so did not stay parked, unless both are arms of one select. If the other was not open, then it was
//! accepted or withdrawn, and its owner is about to leave the line or to look again. The same goes for
//! room and values: whoever makes some serves those in line, under the lock.
//!
//! # Why two selects facing each other do not chase each other for ever
//!
//! Selects park in the order of their channels' addresses. Of two that could meet on several channels, take
//! the first: whoever parks second there sees the other's arm, and withdraws before it parks any further. So
//! the other meets nobody, and stays. And if one withdraws because of another, the other is parked at that
//! channel and goes on to higher addresses only; along such a chain addresses rise, so it ends at a select
//! that commits or stays parked.
//!
//! # Why `default` is true
//!
//! Nothing was possible at one instant, on all channels at once. After the attempts have all failed,
//! the select looks a second time: a channel on which something became possible in between shows a
//! later time on its clock. If none does, none has become ready between its two looks, and the instant
//! between the last attempt and the first second look lies between both looks of each.
//!
//! A channel that others keep busy is tried again, right before a second look at it and at the others
//! that are busy; the instant then lies between these. The quiet ones have been tried before and are
//! looked at after it. So it takes a short moment in which the busy ones rest, however many arms there
//! are, and no channel's lock is ever held while another's is taken. The lock of an offer is taken last, and
//! of two offers that of the lower address first.

use alloc::boxed::Box;
use core::mem;
use core::task::{Context, Poll};

mod arm;
mod dynamic;
mod kit;
pub(crate) mod macros;
mod operation;
mod pollorder;

pub use self::dynamic::Select;

use self::arm::{Arm, ArmKind};
use self::kit::Kit;
use self::pollorder::Lots;

/// The arms of a select, whoever holds them.
pub trait Arms {
    /// How many there are.
    fn len(&self) -> u32;

    /// Shows one of them. Where its type is known, the compiler sees it too.
    fn show<R>(&mut self, index: u32, to: impl FnOnce(&mut dyn Arm) -> R) -> R;
}

/// No more arms.
impl Arms for () {
    #[inline]
    fn len(&self) -> u32 {
        0
    }

    #[inline]
    fn show<R>(&mut self, _: u32, _: impl FnOnce(&mut dyn Arm) -> R) -> R {
        unreachable!("a select has no other arms than it has")
    }
}

/// An arm, and the others.
impl<A: Arm, O: Arms> Arms for (&mut A, O) {
    #[inline]
    fn len(&self) -> u32 {
        1 + self.1.len()
    }

    #[inline]
    fn show<R>(&mut self, index: u32, to: impl FnOnce(&mut dyn Arm) -> R) -> R {
        match index.checked_sub(1) {
            None => to(self.0),
            Some(index) => self.1.show(index, to),
        }
    }
}

/// What a select does when no arm can proceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// It parks.
    Wait,
    /// It takes its `default`.
    Default,
}

/// In which order a select tries its arms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// In a random one.
    Fair,
    /// In that of the source.
    Source,
}

/// One select, from its first poll to the arm that wins.
#[derive(Debug)]
#[must_use]
pub struct Race {
    otherwise: Otherwise,
    bias: Bias,
    /// Here from the first time that it parks; its arms are in line while `parked`.
    kit: Option<Box<Kit>>,
    parked: bool,
    /// Set during a poll; still set at the next one if a panic has left this one.
    attempting: bool,
}

impl Race {
    /// A select that has not begun.
    pub const fn new(bias: Bias, otherwise: Otherwise) -> Self {
        Self {
            otherwise,
            bias,
            kit: None,
            parked: false,
            attempting: false,
        }
    }

    /// The arms have changed: all will be tried again.
    pub(crate) const fn restart(&mut self) {
        self.parked = false;
    }

    pub(crate) const fn set_bias(&mut self, bias: Bias) {
        self.bias = bias;
    }

    pub(crate) const fn set_otherwise(&mut self, otherwise: Otherwise) {
        self.otherwise = otherwise;
    }

    /// One poll. Ready when an arm has won, or none where there is a default.
    ///
    /// `order` is room for one number for each arm.
    #[inline]
    pub fn poll(
        &mut self,
        arms: &mut impl Arms,
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Poll<Option<u32>> {
        if self.parked && self.otherwise == Otherwise::Wait && !self.attempting {
            let polled = self.poll_parked(arms, order, cx);
            if polled != Poll::Ready(None) {
                return polled;
            }
        }
        self.poll_anew(arms, order, cx)
    }

    /// A poll that tries the arms.
    #[inline(never)]
    fn poll_anew(
        &mut self,
        arms: &mut impl Arms,
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Poll<Option<u32>> {
        // Arms may be in line: one of them was passed by, others were added, or now the select must not wait,
        // or a panic has stopped the last poll.
        if self.kit.is_some() {
            if let Some(winner) = self.withdraw(arms, None) {
                return Poll::Ready(Some(winner));
            }
        }
        let interrupted = mem::replace(&mut self.attempting, true);
        let polled = match interrupted.then(|| find_winner(arms)).flatten() {
            Some(winner) => Poll::Ready(Some(winner)),
            None => self.attempt_or_park(arms, order, cx),
        };
        self.attempting = false;
        if polled.is_ready() && self.kit.is_some() {
            self.keep_kit();
        }
        polled
    }

    #[inline]
    fn attempt_or_park(
        &mut self,
        arms: &mut impl Arms,
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Poll<Option<u32>> {
        loop {
            if let Some(winner) = self.attempt(arms, order, cx) {
                return Poll::Ready(Some(winner));
            }
            if self.otherwise == Otherwise::Default {
                return Poll::Ready(self.attempt_until_certain(arms, order, cx));
            }
            if self.park(arms, order, cx) {
                return Poll::Pending;
            }
            if let Some(winner) = self.withdraw(arms, None) {
                return Poll::Ready(Some(winner));
            }
        }
    }

    /// Tries each arm: Go's first pass. Leaves their numbers in the order in which they shall park.
    fn attempt(
        &self,
        arms: &mut impl Arms,
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Option<u32> {
        match self.bias {
            Bias::Source => {
                pollorder::number(order);
                self.attempt_in_order(arms, order, cx)
            }
            Bias::Fair => self.attempt_fairly(arms, order, cx),
        }
    }

    /// Tries in a random order the arms that are not in vain. Often there is one, and no lot is drawn.
    #[inline]
    fn attempt_fairly(
        &self,
        arms: &mut impl Arms,
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Option<u32> {
        let (mut hopeful, mut others) = (0, order.len());
        for index in 0..arms.len() {
            if arms.show(index, |arm| arm.is_vain(self.otherwise)) {
                others -= 1;
                order[others] = index;
            } else {
                order[hopeful] = index;
                hopeful += 1;
            }
        }
        let (hopeful, others) = order.split_at_mut(hopeful);
        let mut lots = Lots::new();
        for place in 0..hopeful.len() {
            let index = lots.draw(&mut hopeful[place..]);
            if arms.show(index, |arm| arm.attempt(self.otherwise, cx)) {
                return Some(index);
            }
        }
        lots.shuffle(others);
        None
    }

    /// Tries each arm, unless that is in vain.
    fn attempt_in_order(
        &self,
        arms: &mut impl Arms,
        order: &[u32],
        cx: &mut Context<'_>,
    ) -> Option<u32> {
        order.iter().copied().find(|&index| {
            arms.show(index, |arm| {
                !arm.is_vain(self.otherwise) && arm.attempt(self.otherwise, cx)
            })
        })
    }

    /// After each arm was tried in vain: tries those again whose channels others keep busy, until one
    /// wins, or until it is certain that at one instant none could.
    fn attempt_until_certain(
        &self,
        arms: &mut impl Arms,
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Option<u32> {
        let mut busy = 0;
        loop {
            let (busy_arms, quiet_arms) = order.split_at(busy);
            let winner = self.attempt_in_order(arms, busy_arms, cx);
            if winner.is_some() {
                return winner;
            }
            // The instant is now.
            let mut moved = |index: &u32| !arms.show(*index, |arm| arm.unchanged());
            if busy_arms.iter().any(&mut moved) {
                continue;
            }
            match quiet_arms.iter().position(moved) {
                None => return None,
                Some(place) => order.swap(busy, busy + place),
            }
            busy += 1;
        }
    }

    /// Opens the offer and parks the arms: Go's second pass. False if one of them could proceed instead.
    fn park(&mut self, arms: &mut impl Arms, order: &mut [u32], cx: &Context<'_>) -> bool {
        let waker = cx.waker().clone();
        let kit = self.kit.get_or_insert_with(Kit::take);
        kit.open(waker);
        // Stable, so that arms on one channel park in the order in which they were tried.
        order.sort_by_key(|&index| arms.show(index, |arm| arm.address()));
        let mut parked = order
            .iter()
            .all(|&index| arms.show(index, |arm| arm.park(kit, index)));
        if parked && kit.goes_on() {
            parked = order
                .iter()
                .all(|&index| arms.show(index, |arm| arm.is_in_line() || arm.park(kit, index)));
        }
        let mut order = order.iter();
        self.parked = parked && order.any(|&index| arms.show(index, |arm| arm.is_in_line()));
        if parked && !self.parked {
            // Nil channels alone: nobody will ever accept.
            self.close();
        }
        parked
    }

    /// A poll while all arms are in line. Ready without a winner if all are to be tried anew.
    #[inline(never)]
    fn poll_parked(
        &mut self,
        arms: &mut impl Arms,
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Poll<Option<u32>> {
        self.attempting = true;
        let holds = self.accepted().is_none() && self.hold_sends(arms);
        let resolved = self.poll_futures(arms, order, cx);
        let mut anew = false;
        if resolved.is_none() && self.accepted().is_none() {
            self.renew(cx);
            anew = holds && self.release_sends(arms);
        }
        let polled = match self.accepted() {
            // Looked at after the waker was left: an acceptance that is not seen here wakes it.
            None if resolved.is_none() && !anew => Poll::Pending,
            None if resolved.is_none() => Poll::Ready(None),
            _ => Poll::Ready(self.withdraw(arms, resolved)),
        };
        self.attempting = false;
        polled
    }

    /// Before futures are polled: from now on no counterpart takes what a send arm brings, for then it could
    /// not be given up any more. False if there is nothing to hold, or no future to poll.
    fn hold_sends(&self, arms: &mut impl Arms) -> bool {
        let mut indexes = 0..arms.len();
        let sends = indexes
            .any(|index| arms.show(index, |arm| arm.kind() == ArmKind::Send && arm.is_in_line()));
        let holds = has_futures(arms) && sends;
        if let Some(kit) = self.kit.as_ref().filter(|_| holds) {
            kit.offer().hold();
        }
        holds
    }

    /// After no future was ready: sends may be served again. True if one of them could proceed now, since its
    /// counterpart came past it while it was held.
    fn release_sends(&self, arms: &mut impl Arms) -> bool {
        self.kit.as_ref().is_some_and(|kit| {
            kit.offer().release();
            (0..arms.len()).any(|index| arms.show(index, |arm| arm.was_passed_by(kit)))
        })
    }

    /// Polls those futures that may still win, until one is ready: all, while no arm is accepted; and in a
    /// biased select those before a receive that is, since what it was handed can go back.
    fn poll_futures(
        &self,
        arms: &mut impl Arms,
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Option<u32> {
        let end = match self.accepted() {
            None => order.len(),
            Some(winner) if self.bias == Bias::Source && is_recv(arms, winner) => winner as usize,
            Some(_) => return None,
        };
        pollorder::number(order);
        let order = &mut order[..end];
        if self.bias == Bias::Fair {
            Lots::new().shuffle(order);
        }
        order.iter().copied().find(|&index| {
            arms.show(index, |arm| {
                let is_meant = arm.kind() == ArmKind::Future && !arm.is_vain(self.otherwise);
                is_meant && arm.attempt(self.otherwise, cx)
            })
        })
    }

    /// The arm that a counterpart has accepted, if one has.
    fn accepted(&self) -> Option<u32> {
        self.kit.as_ref()?.offer().accepted()
    }

    /// From now on a wake reaches this task.
    fn renew(&self, cx: &Context<'_>) {
        if let Some(kit) = self
            .kit
            .as_ref()
            .filter(|kit| !kit.offer().wakes(cx.waker()))
        {
            drop(kit.offer().renew(cx.waker().clone()));
        }
    }

    /// Closes the offer, and takes all arms out of their lines but the winner: Go's third pass. The winner is
    /// the future that has resolved, or else the arm that was accepted.
    fn withdraw(&mut self, arms: &mut impl Arms, resolved: Option<u32>) -> Option<u32> {
        let accepted = self.close();
        let winner = resolved.or(accepted);
        let kit = self.kit.as_mut()?;
        for index in 0..arms.len() {
            if winner != Some(index) {
                arms.show(index, |arm| arm.leave(kit));
            }
        }
        if let Some(accepted) = accepted.filter(|_| resolved.is_none()) {
            arms.show(accepted, |arm| arm.collect(kit));
        }
        if winner.is_some() {
            self.keep_kit();
        }
        winner
    }

    /// Closes the offer, whose arms will be dropped.
    #[inline(never)]
    fn give_up(&mut self) {
        self.close();
        self.keep_kit();
    }

    /// Leaves the kit to the next select.
    fn keep_kit(&mut self) {
        Kit::keep(self.kit.take());
    }

    /// Closes the offer: from now on nobody accepts an arm. Returns the arm that was accepted.
    fn close(&mut self) -> Option<u32> {
        self.parked = false;
        let (accepted, waker) = self.kit.as_ref()?.offer().withdraw();
        drop(waker);
        accepted
    }
}

/// Whether there are futures to poll.
fn has_futures(arms: &mut impl Arms) -> bool {
    (0..arms.len()).any(|index| {
        arms.show(index, |arm| {
            arm.kind() == ArmKind::Future && !arm.is_vain(Otherwise::Wait)
        })
    })
}

fn is_recv(arms: &mut impl Arms, index: u32) -> bool {
    arms.show(index, |arm| arm.kind() == ArmKind::Recv)
}

/// The arm whose attempt a waker's panic has interrupted after it had won.
#[cold]
fn find_winner(arms: &mut impl Arms) -> Option<u32> {
    (0..arms.len()).find(|&index| arms.show(index, |arm| arm.has_won()))
}

impl Drop for Race {
    fn drop(&mut self) {
        // Before the arms go, each of which leaves its line, with what it was handed if anything.
        if self.kit.is_some() {
            self.give_up();
        }
    }
}

//! Select: several sends and receives stand in line at once, and exactly one of them commits.
//!
//! # How
//!
//! An arm is a waiter like any other, a sudog in `sendq` or `recvq`. Its party is not a task but the
//! select's [`Offer`], one word that all its arms share. A poll of a select
//!
//! 1. with the offer *closed* and no arm in any line, tries the arms one after the other, each under
//!    its channel's lock alone; the first that can proceed has won. An arm whose channel has shown, when
//!    it was last unlocked, that it could not, counts as tried, unless there is a `default`;
//! 2. else *opens* the offer and parks the arms, in the order of their channels' addresses; under the
//!    lock under which it parks, each arm looks whether it could proceed now, its own select's other
//!    arms aside;
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
//! All selects park in the same order of channels. Of two that would meet on several channels the one
//! that is second on the first of these sees the other and withdraws, while the other does not see it
//! further on. A select that withdraws because of another's arm points to one that is parked at its
//! channel or goes on to higher ones, so of any number of them one commits or stays parked.
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
//! are, and no lock is ever held while another is taken.

use core::task::{Context, Poll};

use crate::party::Offer;
use crate::sync::Arc;

mod arm;
mod dynamic;
pub(crate) mod macros;
mod shuffle;

pub use self::dynamic::Select;

use self::arm::{Arm, Kind, Seat};

/// The arms of a select, whoever holds them.
pub trait Arms {
    /// How many there are.
    fn len(&self) -> usize;

    /// One of them.
    fn arm(&mut self, index: u32) -> &mut (dyn Arm + '_);
}

impl<'a> Arms for [&'a mut (dyn Arm + 'a)] {
    fn len(&self) -> usize {
        <[_]>::len(self)
    }

    fn arm(&mut self, index: u32) -> &mut (dyn Arm + '_) {
        &mut *self[index as usize]
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
    /// In a random one, channels before mere futures.
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
    /// Made when first needed; its arms are in line while `parked`.
    offer: Option<Arc<Offer>>,
    parked: bool,
}

impl Race {
    /// A select that has not begun.
    pub const fn new(bias: Bias, otherwise: Otherwise) -> Self {
        Self {
            otherwise,
            bias,
            offer: None,
            parked: false,
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
    pub fn poll(
        &mut self,
        arms: &mut (impl Arms + ?Sized),
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Poll<Option<u32>> {
        if self.parked && self.otherwise == Otherwise::Wait {
            return self.poll_parked(arms, order, cx).map(Some);
        }
        // A waker that panics may have stopped the select while it parked its arms.
        if self.offer.is_some() {
            if let Some(winner) = self.withdraw(arms, None) {
                return Poll::Ready(Some(winner));
            }
        }
        loop {
            self.put_in_order(order);
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

    /// Numbers the arms in the order in which to try them.
    fn put_in_order(&self, order: &mut [u32]) {
        for (place, index) in order.iter_mut().zip(0..) {
            *place = index;
        }
        if self.bias == Bias::Fair {
            shuffle::shuffle(order);
        }
    }

    /// Tries each arm.
    fn attempt(
        &self,
        arms: &mut (impl Arms + ?Sized),
        order: &[u32],
        cx: &mut Context<'_>,
    ) -> Option<u32> {
        let mut order = order.iter().copied();
        match self.bias {
            Bias::Source => order.find(|&index| arms.arm(index).attempt(self.otherwise, cx)),
            // A timer that is ready already gives way to what can proceed.
            Bias::Fair => self
                .attempt_kind(Kind::Channel, arms, order.clone(), cx)
                .or_else(|| self.attempt_kind(Kind::Future, arms, order, cx)),
        }
    }

    /// Tries each arm of a kind.
    fn attempt_kind(
        &self,
        kind: Kind,
        arms: &mut (impl Arms + ?Sized),
        mut order: impl Iterator<Item = u32>,
        cx: &mut Context<'_>,
    ) -> Option<u32> {
        order.find(|&index| {
            let arm = arms.arm(index);
            arm.kind() == kind && arm.attempt(self.otherwise, cx)
        })
    }

    /// After each arm was tried in vain: tries those again whose channels others keep busy, until one
    /// wins, or until it is certain that at one instant none could.
    fn attempt_until_certain(
        &self,
        arms: &mut (impl Arms + ?Sized),
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Option<u32> {
        bug!("default_looks_once" => return None);
        let mut busy = 0;
        loop {
            let (busy_arms, quiet_arms) = order.split_at(busy);
            let winner = self.attempt_kind(Kind::Channel, arms, busy_arms.iter().copied(), cx);
            if winner.is_some() {
                return winner;
            }
            // The instant is now.
            let mut moved = |index: &u32| !arms.arm(*index).unchanged();
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

    /// Opens the offer and parks the arms; false if one of them could proceed instead.
    fn park(
        &mut self,
        arms: &mut (impl Arms + ?Sized),
        order: &mut [u32],
        cx: &Context<'_>,
    ) -> bool {
        let waker = cx.waker().clone();
        let offer = self.offer.get_or_insert_with(|| Arc::new(Offer::new()));
        drop(offer.set_waker(waker));
        offer.open();
        // Stable, so that arms on one channel park in the order in which they were tried.
        order.sort_by_key(|&index| arms.arm(index).address());
        let mut order = order.iter();
        self.parked = order.all(|&arm| arms.arm(arm).park(Seat { offer, arm }));
        self.parked
    }

    fn poll_parked(
        &mut self,
        arms: &mut (impl Arms + ?Sized),
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Poll<u32> {
        let mut resolved = None;
        if self.is_open() {
            self.put_in_order(order);
            resolved = self.attempt_kind(Kind::Future, arms, order.iter().copied(), cx);
            if resolved.is_none() {
                self.leave_waker(cx);
                bug!("looks_before_its_waker_is_there" => return Poll::Pending);
            }
        }
        // Looked at after the waker was left: an acceptance that is not seen here wakes it.
        if resolved.is_none() && self.is_open() {
            return Poll::Pending;
        }
        match self.withdraw(arms, resolved) {
            Some(winner) => Poll::Ready(winner),
            None => unreachable!("an accepted offer stays accepted"),
        }
    }

    /// Whether the arms are in line, and nobody has accepted one.
    fn is_open(&self) -> bool {
        { &self.offer }
            .as_ref()
            .is_some_and(|offer| offer.accepted().is_none())
    }

    /// From now on a wake reaches this task.
    fn leave_waker(&self, cx: &Context<'_>) {
        if let Some(offer) = self.offer.as_ref().filter(|offer| !offer.wakes(cx.waker())) {
            drop(offer.set_waker(cx.waker().clone()));
        }
    }

    /// Closes the offer, and takes all arms out of their lines but the winner: the arm that was
    /// accepted, or else the future that has resolved.
    fn withdraw(&mut self, arms: &mut (impl Arms + ?Sized), resolved: Option<u32>) -> Option<u32> {
        let accepted = self.close();
        let winner = accepted.or(resolved);
        for index in (0..)
            .take(arms.len())
            .filter(|&index| winner != Some(index))
        {
            arms.arm(index).leave();
        }
        if let Some(accepted) = accepted {
            arms.arm(accepted).collect();
        }
        winner
    }

    /// Closes the offer: from now on nobody accepts an arm. Returns the arm that was accepted.
    fn close(&mut self) -> Option<u32> {
        self.parked = false;
        let offer = self.offer.as_ref()?;
        let accepted = offer.withdraw();
        drop(offer.take_waker());
        accepted
    }
}

impl Drop for Race {
    fn drop(&mut self) {
        // Before the arms go, each of which leaves its line, with what it was handed if anything.
        bug!("dropped_select_stays" => return);
        self.close();
    }
}

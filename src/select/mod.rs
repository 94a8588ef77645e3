//! Select: several sends and receives stand in line at once, beside futures of any kind, and exactly one
//! of them commits.
//!
//! # How
//!
//! A channel's arm is a waiter like any other, a sudog in `sendq` or `recvq`. It has no waker of its own but the
//! select's [`Offer`], which all its arms share. A poll of a select
//!
//! 1. with the offer *closed* and no arm in any line, tries the arms one after the other: a channel's under
//!    its lock alone, a future by a poll. The first that can proceed, or is ready, has won. An arm whose
//!    channel has shown, when it was last unlocked, that it could not, counts as tried, unless there is a
//!    `default`;
//! 2. else *opens* the offer and parks the channels' arms, in the order of their channels' addresses; under the
//!    lock under which it parks, each arm checks whether it could proceed now, ignoring its own select's other arms.
//!    Of several arms in one line only one parks, since the others could never be served before it: a random one, or
//!    the first if the select is biased;
//! 3. if one could, *withdraws* the offer, takes all arms out of their lines, and goes back to 1;
//! 4. else waits. A counterpart that finds an arm first in line *accepts* the offer, under the lock of
//!    that channel, before any value moves; only then it completes the arm's sudog, as it would any
//!    other. The next poll finds the offer accepted, takes the other arms out of their lines, and
//!    collects.
//!
//! The next poll that finds it not accepted asks the futures again, if there are any, while the arms stay in
//! line. It
//!
//! 5. *holds* its sends, if there are any in line: from now on a counterpart accepts only what can be undone,
//!    which is a receive, or the end of any arm by a close. It passes a send by, which stays in line;
//! 6. polls the futures, until one is ready. That one has won: the select withdraws, and an arm that was
//!    accepted meanwhile is undone as it leaves its line. What a receive was handed goes to the next in line
//!    or back in its place, by its age; a send that was ended still has its value;
//! 7. else leaves its new waker and *releases* the sends. If an arm was accepted meanwhile, it collects. Else
//!    it looks at each of its sends, under the lock of its channel, whether that could proceed now: there is
//!    room, or a receiver in line that is no arm of this select. If one could, it accepts that arm itself, and
//!    serves it in its place. The receiver may be an arm that is accepted elsewhere in this moment; then it
//!    goes on with 3;
//! 8. else waits on, with every arm in its place.
//!
//! A biased select that finds a receive accepted polls the futures in front of that arm first, as in 6: what
//! was accepted stays so meanwhile. If it was a send it has won, since a value that was taken cannot be undone.
//! The same goes for a select whose arms, or what it does otherwise, have changed by then.
//!
//! # Why exactly one arm commits
//!
//! A channel's arm commits in 1, which its owner does while the offer is closed, or in 4, which a counterpart
//! does after it has accepted. `accept` succeeds only from open, and on revocable terms from held, and leaves
//! the offer accepted; only the owner opens it, and only in 2, after 1 has failed, with no arm in any line. So
//! between one opening and the next `withdraw` one arm is accepted at most, and none after it. `withdraw`
//! tells the owner whether one was: if so the owner does not go back to 1, but collects. A counterpart that
//! fails to accept moves on to the next in line and has lost nothing, since it has not touched its own value.
//!
//! A future commits by being ready, and then it wins: no arm is tried after it, nor is another future polled.
//! In 1 no arm can have been accepted. In 6 one may have been, but on revocable terms: if there are sends, they
//! are held, and if there are none, all that there is to accept is revocable. It is undone before the poll
//! ends, and that is as if the counterpart had come to a plain receive that was dropped. What is accepted
//! before 5, or between 7 and the next poll, wins: no future is polled after it, but by a biased select that
//! can still undo it. So what a future has put out is always reported, in the very poll that got it.
//!
//! - *A drop* withdraws first, so nobody accepts an arm that is being taken out. The accepted arm is
//!   dropped like any served operation: a value it was handed is put back, a sent one stays sent. No future has
//!   put out anything that was not reported.
//! - *A close* is a counterpart like any other: it accepts an arm to end it, or passes it by.
//! - *The same channel twice*, in one direction, is one sudog.
//! - *A send and a receive on one channel* never meet each other: in 1 none of them is in line, in 2 and 7
//!   each is blind to its own select, and when anything else accepts one of them, the other declines.
//! - *A future that panics* as it is polled leaves the arms in line, and the sends held. That is sound: to others
//!   it looks as if the select had left those lines. The next poll withdraws, and collects or goes on with 1; a
//!   drop withdraws as ever.
//! - *A waker that panics* as a value is put back stops the poll in the middle of 6. What the future has put
//!   out is in its arm; the next poll takes the other arms out of their lines and reports it.
//! - *A destructor that panics*, of a future or of a value, runs when the winner is known, every line has been
//!   left, and what was won is out of its arm.
//!
//! # Why no meeting is missed
//!
//! Say a send and a receive are parked on one channel and could meet. The one that parked last did so under the
//! lock under which it looked; it saw the other, which stood in line and was open by then, and so did not stay
//! parked, unless both are arms of one select. If the other was not open, then it was accepted or withdrawn, and
//! its owner is about to leave the line or to look again; or it was a send that was held. The same goes for room
//! and values: an operation that makes some serves those in line, under the same lock.
//!
//! A receiver that passes a held send by, and parks, does both under one hold of the channel's lock. So does an
//! operation that makes room and finds nobody else to give it to. As they saw the send held, its release comes
//! after, and the look, which takes that lock after the release, later still: it sees the receiver in line, and
//! the room, or else another was served with them. A receiver that comes after the release finds the send open.
//!
//! Between its release and the look a send is open, but receivers may be in line that came past it. They are
//! first: a newcomer leaves it alone while there is one. To others it is in line again from the look on, which
//! moves the channel's clock.
//!
//! While futures are polled no lock is held. So if one of them uses the very channels of the select, it does
//! so like any other task: it may serve or close an arm, which is then undone or collected; it passes a
//! send by, and if it parks behind that, is met in 7.
//!
//! # Why two selects facing each other do not chase each other forever
//!
//! Selects park in the order of their channels' addresses. Of two that could meet on several channels, take
//! the first: the one that parks second there sees the other's arm, and withdraws before it parks any further. So
//! the other meets nobody, and stays. And if one withdraws because of another, the other is parked at that channel
//! and goes on to higher addresses only; along such a chain addresses rise, so it ends at a select that commits or
//! stays parked.
//!
//! If both have held their sends, neither has met a send of the other. But each has left its receives open. So
//! the one that came to a channel last, when the other's send there was held, stands in that line; the other
//! finds it there in 7, and withdraws. That happens once in a poll, which then goes on like a first one.
//!
//! # Why `default` is true
//!
//! Nothing was possible at one instant, on all channels at once, and each future was pending when it was
//! polled. After the attempts have all failed, the select looks a second time: a channel on which something
//! became possible in between shows a later time on its clock. If none does, none has become ready between its
//! two looks, and the instant between the last attempt and the first second look lies between both looks of
//! each. Whatever the futures have done to the channels shows on the clocks as well. A select with a `default`
//! never waits, so it has nothing to hold.
//!
//! A channel that others keep busy is tried again, right before a second look at it and at the others
//! that are busy; the instant then lies between these. The quiet ones have been tried before and are
//! looked at after it. So it takes a short moment in which the busy ones rest, however many arms there
//! are, and no channel's lock is ever held while another's is taken. The lock of an offer is taken last.

use core::mem;
use core::task::{Context, Poll};

mod any;
mod arm;
mod dynamic;
pub(crate) mod macros;
mod operation;
mod pollorder;
mod set;

#[cfg(feature = "std")]
pub use self::any::recv_any_blocking;
pub use self::any::{RecvAnyFuture, recv_any, try_recv_any};
pub use self::dynamic::Select;
pub use self::set::{RecvSet, SetNextFuture};

use self::arm::{Arm, ArmKind, NO_LINE, Parked};
use self::pollorder::Lots;
use crate::hchan::offer::Offer;
use crate::hchan::select::Released;
use crate::mask::masked;
use crate::sync::Arc;
use crate::wakes::Unneeded;

/// The arms of a select, wherever they are kept.
pub trait Arms {
    /// How many there are.
    fn len(&self) -> u32;

    /// Shows one of them. Where its type is known, the compiler sees it too.
    fn show<R>(&mut self, index: u32, to: impl FnOnce(&mut dyn Arm) -> R) -> R;

    /// Sorts the numbers of all arms by their lines, and those of one line by the bias, from the order of the source.
    /// No arm stands in line; the arms may be numbered again.
    #[inline]
    fn line_up(&mut self, bias: Bias, order: &mut [u32]) {
        if bias == Bias::Fair {
            Lots::new().shuffle(order);
        }
        // Stable.
        order.sort_by_key(|&index| self.show(index, |arm| arm.line()));
    }
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

/// Which arms are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// All but those whose channel has shown, when it was last unlocked, that they could not proceed: these will
    /// be looked at when they park.
    Hopeful,
    /// All, where there is a default.
    All,
    /// The channels', after a look has found that one could proceed. The futures have just been polled.
    Channels,
}

/// One select, from its first poll to the arm that wins.
#[derive(Debug)]
#[must_use]
pub struct Race {
    otherwise: Otherwise,
    bias: Bias,
    /// Made when it first parks; its arms are in line while `parked`.
    offer: Option<Arc<Offer>>,
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
            offer: None,
            parked: false,
            attempting: false,
        }
    }

    /// The arms have changed: all will be tried again.
    pub(crate) const fn restart(&mut self) {
        self.parked = false;
    }

    /// Ends a round that nobody has won: all arms leave their lines, and what one was handed goes back.
    pub(crate) fn leave(&mut self, arms: &mut impl Arms) {
        if self.offer.is_some() {
            self.close();
            (0..arms.len()).for_each(|index| arms.show(index, |arm| arm.leave()));
            self.keep_offer();
        }
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
        let mut again = false;
        let waits_on = self.parked && self.otherwise == Otherwise::Wait;
        if (waits_on || self.accepted().is_some()) && !self.attempting {
            let polled = self.poll_parked(arms, order, cx);
            if polled != Poll::Ready(None) {
                return polled;
            }
            again = true;
        }
        self.poll_anew(again, arms, order, cx)
    }

    /// A poll that tries the arms; `again`, if it has polled the futures before.
    #[inline(never)]
    fn poll_anew(
        &mut self,
        again: bool,
        arms: &mut impl Arms,
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Poll<Option<u32>> {
        // Arms may be in line: one of them was passed by, others were added, or now the select must not wait,
        // or a panic has stopped the last poll.
        if self.offer.is_some() {
            if let Some(winner) = self.withdraw(arms, None) {
                return Poll::Ready(Some(winner));
            }
        }
        let interrupted = mem::replace(&mut self.attempting, true);
        let polled = match interrupted.then(|| find_winner(arms)).flatten() {
            Some(winner) => Poll::Ready(Some(winner)),
            None => self.attempt_or_park(again, arms, order, cx),
        };
        self.attempting = false;
        if polled.is_ready() && self.offer.is_some() {
            self.keep_offer();
        }
        polled
    }

    #[inline]
    fn attempt_or_park(
        &mut self,
        again: bool,
        arms: &mut impl Arms,
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Poll<Option<u32>> {
        let mut tried = match self.otherwise {
            Otherwise::Default => Tried::All,
            Otherwise::Wait if again => Tried::Channels,
            Otherwise::Wait => Tried::Hopeful,
        };
        loop {
            if let Some(winner) = self.attempt(tried, arms, order, cx) {
                return Poll::Ready(Some(winner));
            }
            tried = Tried::Channels;
            if self.otherwise == Otherwise::Default {
                return Poll::Ready(Self::attempt_until_certain(arms, order, cx));
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
        tried: Tried,
        arms: &mut impl Arms,
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Option<u32> {
        match self.bias {
            Bias::Source => {
                pollorder::number(order);
                attempt_in_order(tried, arms, order, cx)
            }
            Bias::Fair => attempt_fairly(tried, arms, order, cx),
        }
    }

    /// After no arm could proceed: tries again those whose channels others keep busy, until one wins, or until it
    /// is certain that there was an instant at which none could.
    fn attempt_until_certain(
        arms: &mut impl Arms,
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Option<u32> {
        let mut busy = 0;
        loop {
            let (busy_arms, quiet_arms) = order.split_at(busy);
            let winner = attempt_in_order(Tried::All, arms, busy_arms, cx);
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
        let offer = self.offer.get_or_insert_with(Offer::take);
        masked!(offer.open(waker));
        arms.line_up(self.bias, order);
        let mut last = NO_LINE;
        for &index in order.iter() {
            let parked = arms.show(index, |arm| match arm.line() {
                line if line == last => Parked::Nowhere,
                line => {
                    last = line;
                    arm.park(offer, index)
                }
            });
            match parked {
                Parked::InLine => self.parked = true,
                Parked::Nowhere => {}
                Parked::CouldProceed => return false,
            }
        }
        if !self.parked {
            // Only nil channels: nothing will ever accept.
            self.close();
        }
        true
    }

    /// A poll while all arms are in line. Ready without a winner if all are to be tried again.
    #[inline(never)]
    fn poll_parked(
        &mut self,
        arms: &mut impl Arms,
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Poll<Option<u32>> {
        match self.accepted() {
            Some(_) if self.bias == Bias::Fair => Poll::Ready(self.withdraw(arms, None)),
            accepted => self.poll_futures_in_line(accepted, arms, order, cx),
        }
    }

    /// Polls the futures while all arms are in line, of which this one was accepted.
    #[inline(never)]
    fn poll_futures_in_line(
        &mut self,
        accepted: Option<u32>,
        arms: &mut impl Arms,
        order: &mut [u32],
        cx: &mut Context<'_>,
    ) -> Poll<Option<u32>> {
        self.attempting = true;
        let holds = accepted.is_none() && self.hold_sends(arms);
        let resolved = self.poll_futures(arms, order, cx);
        let mut anew = false;
        if resolved.is_none() && self.accepted().is_none() {
            self.renew(cx);
            anew = holds && self.release_sends(arms, order);
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

    /// Before futures are polled: from now on no counterpart takes what a send arm brings: if a future is ready,
    /// the arms must still be able to leave. False if there is nothing to hold, or no future to poll.
    fn hold_sends(&self, arms: &mut impl Arms) -> bool {
        let mut indexes = 0..arms.len();
        let sends = indexes
            .any(|index| arms.show(index, |arm| arm.kind() == ArmKind::Send && arm.is_in_line()));
        let holds = has_futures(arms) && sends;
        if let Some(offer) = self.offer.as_ref().filter(|_| holds) {
            masked!(offer.hold());
        }
        holds
    }

    /// After no future was ready: sends may be served again, and the first is, whose counterpart came past it while
    /// it was held. True if that has gone just then.
    fn release_sends(&self, arms: &mut impl Arms, order: &[u32]) -> bool {
        let Some(offer) = &self.offer else {
            return false;
        };
        masked!(offer.release());
        let mut released = order
            .iter()
            .map(|&index| arms.show(index, |arm| arm.release(offer)));
        released.find(|&released| released != Released::Waits) == Some(Released::Missed)
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
                let is_meant = arm.kind() == ArmKind::Future && !arm.is_skipped(Tried::All);
                is_meant && arm.attempt(cx)
            })
        })
    }

    /// The arm that a counterpart has accepted, if one has.
    #[inline]
    fn accepted(&self) -> Option<u32> {
        self.offer.as_ref()?.accepted()
    }

    /// From now on this task is woken.
    fn renew(&self, cx: &Context<'_>) {
        if let Some(offer) = self
            .offer
            .as_ref()
            .filter(|offer| !masked!(offer.wakes(cx.waker())))
        {
            let waker = cx.waker().clone();
            drop(masked!(offer.renew(waker)));
        }
    }

    /// Closes the offer, and takes all arms out of their lines but the winner: Go's third pass. The winner is
    /// the future that has resolved, or else the arm that was accepted.
    fn withdraw(&mut self, arms: &mut impl Arms, resolved: Option<u32>) -> Option<u32> {
        let accepted = self.close();
        let winner = resolved.or(accepted);
        for index in 0..arms.len() {
            if winner != Some(index) {
                arms.show(index, |arm| arm.leave());
            }
        }
        if let Some(accepted) = accepted.filter(|_| resolved.is_none()) {
            arms.show(accepted, |arm| arm.collect());
        }
        if winner.is_some() {
            self.keep_offer();
        }
        winner
    }

    /// Closes the offer, whose arms will be dropped.
    #[inline(never)]
    fn give_up(&mut self) {
        self.close();
        self.keep_offer();
    }

    /// Leaves the offer to the next select.
    fn keep_offer(&mut self) {
        if let Some(offer) = self.offer.take() {
            Offer::keep(offer);
        }
    }

    /// Closes the offer: from now on nobody accepts an arm. Returns the arm that was accepted.
    #[inline]
    fn close(&mut self) -> Option<u32> {
        self.parked = false;
        let offer = self.offer.as_ref()?;
        let (accepted, waker) = masked!(offer.withdraw());
        drop(Unneeded(waker));
        accepted
    }
}

/// Tries, in a random order, the arms that are not [skipped](Arm::is_skipped). Often there is only one, and no lot is
/// drawn.
#[inline]
fn attempt_fairly(
    tried: Tried,
    arms: &mut impl Arms,
    order: &mut [u32],
    cx: &mut Context<'_>,
) -> Option<u32> {
    let (mut hopeful, mut others) = (0, order.len());
    for index in 0..arms.len() {
        if arms.show(index, |arm| arm.is_skipped(tried)) {
            others -= 1;
            order[others] = index;
        } else {
            order[hopeful] = index;
            hopeful += 1;
        }
    }
    let mut lots = Lots::new();
    for place in 0..hopeful {
        let index = lots.draw(&mut order[place..hopeful]);
        if arms.show(index, |arm| arm.attempt(cx)) {
            return Some(index);
        }
    }
    None
}

/// Tries each arm that is not [skipped](Arm::is_skipped).
fn attempt_in_order(
    tried: Tried,
    arms: &mut impl Arms,
    order: &[u32],
    cx: &mut Context<'_>,
) -> Option<u32> {
    order
        .iter()
        .copied()
        .find(|&index| arms.show(index, |arm| !arm.is_skipped(tried) && arm.attempt(cx)))
}

/// Whether there are futures to poll.
fn has_futures(arms: &mut impl Arms) -> bool {
    (0..arms.len()).any(|index| {
        arms.show(index, |arm| {
            arm.kind() == ArmKind::Future && !arm.is_skipped(Tried::All)
        })
    })
}

fn is_recv(arms: &mut impl Arms, index: u32) -> bool {
    arms.show(index, |arm| arm.kind() == ArmKind::Recv)
}

/// The arm whose attempt was interrupted by a waker's panic after it had won.
#[cold]
fn find_winner(arms: &mut impl Arms) -> Option<u32> {
    (0..arms.len()).find(|&index| arms.show(index, |arm| arm.has_won()))
}

impl Drop for Race {
    fn drop(&mut self) {
        // Before the arms are dropped: each leaves its line, and gives back what it was handed.
        if self.offer.is_some() {
            self.give_up();
        }
    }
}

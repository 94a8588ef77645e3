//! Sends and receives as arms: the plain operations, parked in the name of an offer.

use core::future::Future;
use core::task::{Context, Poll, Waker};

use super::arm::{ArmKind, Parked};
use crate::chan::Chan;
use crate::error::{RecvError, SendError, TryRecvError, TrySendError, refused};
use crate::handles::receiver::Receiver;
use crate::hchan::offer::Offer;
use crate::hchan::select::Released;
use crate::hchan::sudog::{SendTicket, Ticket};
use crate::mask::masked;
use crate::ops::recv::{self, Plainly, Way};
use crate::ops::send::{self, SendFromFuture, SendFuture};
use crate::sync::Arc;
use crate::watch::{Caller, What};

/// A send or receive as an arm: the steps that a select takes it through.
pub trait Operation {
    /// What it ends with.
    type Output;

    /// Which of the two it is.
    const KIND: ArmKind;

    /// Where the channel stands in the order in which selects park.
    fn address(&mut self) -> usize;

    /// What the channel's clock shows.
    fn now(&mut self) -> u64;

    /// Whether the operation would have parked when the channel was last unlocked.
    fn parks(&mut self) -> bool;

    /// Panics if the operation cannot be an arm.
    fn check(&self) {}

    /// Tries without waiting; on failure says what the channel's clock shows.
    fn attempt(&mut self) -> Result<Self::Output, u64>;

    /// The outcome of an attempt that a waker's panic interrupted: a value that was sent stays sent.
    fn interrupted(&mut self) -> Option<Self::Output>;

    /// Parks in the name of the offer.
    fn park(&mut self, offer: &Arc<Offer>, number: u32) -> Parked;

    /// Whether it has parked.
    fn is_in_line(&mut self) -> bool;

    /// Once the select holds its sends no longer: serves a send in line whose counterpart came past it.
    fn release(&mut self, offer: &Offer) -> Released;

    /// Takes what a counterpart has left.
    fn collect(&mut self) -> Self::Output;

    /// Leaves the line.
    fn leave(&mut self);
}

/// An operation that is kept elsewhere.
#[derive(Debug)]
pub(super) struct Lent<'a, O>(pub(super) &'a mut O);

impl<O: Operation> Operation for Lent<'_, O> {
    type Output = O::Output;

    const KIND: ArmKind = O::KIND;

    #[inline]
    fn address(&mut self) -> usize {
        self.0.address()
    }

    #[inline]
    fn now(&mut self) -> u64 {
        self.0.now()
    }

    #[inline]
    fn parks(&mut self) -> bool {
        self.0.parks()
    }

    #[track_caller]
    fn check(&self) {
        self.0.check();
    }

    #[inline]
    fn attempt(&mut self) -> Result<Self::Output, u64> {
        self.0.attempt()
    }

    #[inline]
    fn interrupted(&mut self) -> Option<Self::Output> {
        self.0.interrupted()
    }

    #[inline]
    fn park(&mut self, offer: &Arc<Offer>, number: u32) -> Parked {
        self.0.park(offer, number)
    }

    #[inline]
    fn is_in_line(&mut self) -> bool {
        self.0.is_in_line()
    }

    #[inline]
    fn release(&mut self, offer: &Offer) -> Released {
        self.0.release(offer)
    }

    #[inline]
    fn collect(&mut self) -> Self::Output {
        self.0.collect()
    }

    #[inline]
    fn leave(&mut self) {
        self.0.leave();
    }
}

/// A receiver that is lent or owned.
pub trait Handle {
    /// What it receives.
    type Value;

    /// The receiver.
    fn receiver(&self) -> &Receiver<Self::Value>;
}

impl<T> Handle for &Receiver<T> {
    type Value = T;

    fn receiver(&self) -> &Receiver<T> {
        self
    }
}

impl<T> Handle for Receiver<T> {
    type Value = T;

    fn receiver(&self) -> &Self {
        self
    }
}

/// A receive, again and again. Dropped, it leaves its line.
#[derive(Debug)]
pub struct Receive<H: Handle> {
    /// Present until the end.
    handle: Option<H>,
    place: Option<Ticket>,
    /// Where it was asked for.
    pub(super) caller: Caller,
}

impl<H: Handle> Receive<H> {
    #[track_caller]
    pub(super) const fn new(handle: H) -> Self {
        Self::at(handle, Caller::here())
    }

    pub(super) const fn at(handle: H, caller: Caller) -> Self {
        Self {
            handle: Some(handle),
            place: None,
            caller,
        }
    }

    /// Leaves the line, and gives the handle back.
    pub(super) fn end(mut self) -> Option<H> {
        self.leave();
        self.handle.take()
    }

    #[inline]
    pub(super) fn chan(&self) -> &Chan<H::Value> {
        &self.receiver().chan
    }

    #[inline]
    fn receiver(&self) -> &Receiver<H::Value> {
        present_handle(&self.handle).receiver()
    }
}

#[inline]
fn present_handle<H>(handle: &Option<H>) -> &H {
    match handle {
        Some(handle) => handle,
        None => unreachable!("a receive that has ended is gone"),
    }
}

impl<H: Handle> Drop for Receive<H> {
    fn drop(&mut self) {
        if self.place.is_some() {
            masked!(self.leave());
        }
    }
}

impl<H: Handle> Operation for Receive<H> {
    type Output = Result<H::Value, RecvError>;

    const KIND: ArmKind = ArmKind::Recv;

    #[inline]
    fn address(&mut self) -> usize {
        self.chan().address()
    }

    fn now(&mut self) -> u64 {
        self.chan().lock().now()
    }

    #[inline]
    fn parks(&mut self) -> bool {
        let receiver = self.receiver();
        receiver.chan.recv_parks() && !receiver.standing.is_some()
    }

    fn attempt(&mut self) -> Result<Self::Output, u64> {
        let receiver = self.receiver();
        receiver.leave_standing();
        let mut hchan = receiver.chan.lock();
        // A receive that finds nothing changes nothing.
        let now = hchan.now();
        let received = match hchan.recv_alone() {
            Ok(Some(value)) => return Ok(Ok(value)),
            Ok(None) => Plainly.serve(hchan, 0),
            Err(refusal) => Err(refusal),
        };
        match received {
            Ok(value) => Ok(Ok(value)),
            Err(TryRecvError::Closed) => Ok(Err(RecvError)),
            Err(TryRecvError::Empty) => Err(now),
        }
    }

    fn interrupted(&mut self) -> Option<Self::Output> {
        None
    }

    // So that the arm around it is inlined, where it is known.
    #[inline(never)]
    fn park(&mut self, offer: &Arc<Offer>, number: u32) -> Parked {
        let visit = self.caller.arm(What::Recv, offer);
        let mut hchan = present_handle(&self.handle).receiver().chan.lock();
        if hchan.can_recv(offer) {
            return Parked::CouldProceed;
        }
        if !hchan.is_live() {
            return Parked::Nowhere;
        }
        let arm = offer.clone();
        self.place = Some(hchan.park_recv(visit, |sudog| sudog.set_arm(arm, number)));
        Parked::InLine
    }

    fn is_in_line(&mut self) -> bool {
        self.place.is_some()
    }

    fn release(&mut self, _: &Offer) -> Released {
        Released::Waits
    }

    fn collect(&mut self) -> Self::Output {
        let cx = Context::from_waker(Waker::noop());
        let receiver = present_handle(&self.handle).receiver();
        served(recv::poll_in_line(
            &receiver.chan,
            Plainly,
            &mut self.place,
            &cx,
        ))
    }

    #[inline]
    fn leave(&mut self) {
        let receiver = present_handle(&self.handle).receiver();
        recv::leave_line(&receiver.chan, &mut self.place);
    }
}

/// A send of one value, wherever it keeps that.
trait Sending: Future + Unpin {
    type Value;

    /// The channel, the value until it is sent or stands in line, and the place in line.
    fn parts(&mut self) -> Parts<'_, Self::Value>;

    /// Where it was asked for.
    fn caller(&self) -> Caller;

    /// What the send returns; a value that was refused is still there.
    fn answer(&mut self, sent: Result<(), SendError<()>>) -> Self::Output;

    /// Panics if there is no value to send.
    fn check(&self) {}
}

type Parts<'a, T> = (&'a Chan<T>, &'a mut Option<T>, &'a mut Option<SendTicket>);

impl<T> Sending for SendFuture<'_, T> {
    type Value = T;

    fn parts(&mut self) -> Parts<'_, T> {
        (self.chan, self.value.get_mut(), &mut self.place)
    }

    fn caller(&self) -> Caller {
        self.caller
    }

    fn answer(&mut self, sent: Result<(), SendError<()>>) -> Self::Output {
        refused(sent, self.value.get_mut())
    }
}

impl<T> Sending for SendFromFuture<'_, '_, T> {
    type Value = T;

    fn parts(&mut self) -> Parts<'_, T> {
        (self.chan, self.slot.get_mut(), &mut self.place)
    }

    fn caller(&self) -> Caller {
        self.caller
    }

    fn answer(&mut self, sent: Result<(), SendError<()>>) -> Self::Output {
        sent
    }

    #[track_caller]
    fn check(&self) {
        assert!(
            self.slot.look(|slot| slot.is_some()),
            "`send_from` needs a value in its slot"
        );
    }
}

impl<F: Sending> Operation for F {
    type Output = <F as Future>::Output;

    const KIND: ArmKind = ArmKind::Send;

    fn address(&mut self) -> usize {
        self.parts().0.address()
    }

    fn now(&mut self) -> u64 {
        self.parts().0.lock().now()
    }

    fn parks(&mut self) -> bool {
        self.parts().0.send_parks()
    }

    #[track_caller]
    fn check(&self) {
        Sending::check(self);
    }

    fn attempt(&mut self) -> Result<Self::Output, u64> {
        let (chan, value, _) = self.parts();
        let hchan = chan.lock();
        // A send that finds no room changes nothing.
        let now = hchan.now();
        let sent = match hchan.send_and_unlock(value) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(())) => return Err(now),
            Err(TrySendError::Closed(())) => Err(SendError(())),
        };
        Ok(self.answer(sent))
    }

    fn interrupted(&mut self) -> Option<Self::Output> {
        let sent = self.parts().1.is_none();
        sent.then(|| self.answer(Ok(())))
    }

    fn park(&mut self, offer: &Arc<Offer>, number: u32) -> Parked {
        let visit = self.caller().arm(What::Send, offer);
        let (chan, value, place) = self.parts();
        let mut hchan = chan.lock();
        if hchan.can_send(offer) {
            return Parked::CouldProceed;
        }
        if !hchan.is_live() {
            return Parked::Nowhere;
        }
        let arm = offer.clone();
        *place = Some(hchan.park_send(value, visit, |sudog| sudog.set_arm(arm, number)));
        Parked::InLine
    }

    fn is_in_line(&mut self) -> bool {
        self.parts().2.is_some()
    }

    fn release(&mut self, offer: &Offer) -> Released {
        let (chan, _, place) = self.parts();
        let Some(place) = place else {
            return Released::Waits;
        };
        let mut hchan = chan.lock();
        let (released, left, next) = hchan.release_send(place, offer);
        hchan.unlock_to_drop(left, next);
        released
    }

    fn collect(&mut self) -> Self::Output {
        let cx = Context::from_waker(Waker::noop());
        let (chan, value, place) = self.parts();
        let sent = served(send::poll_in_line(chan, place, value, &cx));
        self.answer(sent)
    }

    fn leave(&mut self) {
        let (chan, value, place) = self.parts();
        send::leave_line(chan, place, value);
    }
}

/// The outcome that a counterpart has left.
fn served<R>(polled: Poll<R>) -> R {
    match polled {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("an arm is completed as it is accepted"),
    }
}

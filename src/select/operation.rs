//! Sends and receives as arms: the futures of the plain operations, parked in the name of an offer.

use core::future::Future;
use core::task::{Context, Poll, Waker};

use super::arm::{ArmKind, Parked};
use crate::chan::Chan;
use crate::error::{RecvError, SendError, TryRecvError, TrySendError, present, refused};
use crate::hchan::offer::Offer;
use crate::hchan::select::Released;
use crate::hchan::sudog::SendTicket;
use crate::ops::recv::{self, RecvFuture};
use crate::ops::send::{self, SendFromFuture, SendFuture};
use crate::sync::Arc;

/// A send or receive as an arm: its future, and the steps that a select takes it through.
pub trait Operation: Future + Unpin {
    /// Which of the two it is.
    const KIND: ArmKind;

    /// Where the channel stands in the order in which selects park.
    fn address(&mut self) -> usize;

    /// What the channel's clock shows.
    fn now(&mut self) -> u64;

    /// Whether the channel had nothing for it when it was last unlocked.
    fn parks(&mut self) -> bool;

    /// Panics if the operation is not fit to be an arm.
    fn check(&self) {}

    /// Tries without waiting; on failure says what the channel's clock shows.
    fn attempt(&mut self) -> Result<Self::Output, u64>;

    /// What an attempt has come to that a waker's panic interrupted: a value that was sent stays sent.
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

impl<T> Operation for RecvFuture<'_, T> {
    const KIND: ArmKind = ArmKind::Recv;

    fn address(&mut self) -> usize {
        self.receiver.chan.address()
    }

    fn now(&mut self) -> u64 {
        self.receiver.chan.lock().now()
    }

    fn parks(&mut self) -> bool {
        self.receiver.chan.recv_parks() && !self.receiver.standing.is_some()
    }

    fn attempt(&mut self) -> Result<Self::Output, u64> {
        self.receiver.leave_standing();
        let mut hchan = self.receiver.chan.lock();
        let mut elem = None;
        match hchan.recv(&mut elem) {
            Ok(served) => {
                hchan.unlock_with(&mut elem, served);
                Ok(Ok(present(elem)))
            }
            Err(TryRecvError::Closed) => Ok(Err(RecvError)),
            Err(TryRecvError::Empty) => Err(hchan.now()),
        }
    }

    fn interrupted(&mut self) -> Option<Self::Output> {
        None
    }

    fn park(&mut self, offer: &Arc<Offer>, number: u32) -> Parked {
        let mut hchan = self.receiver.chan.lock();
        if hchan.can_recv(offer) {
            return Parked::CouldProceed;
        }
        if !hchan.is_live() {
            return Parked::Nowhere;
        }
        let arm = offer.clone();
        self.place = Some(hchan.park_recv(|sudog| sudog.set_arm(arm, number)));
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
        served(recv::poll_in_line(
            &self.receiver.chan,
            &mut self.place,
            &cx,
        ))
    }

    fn leave(&mut self) {
        recv::leave_line(&self.receiver.chan, &mut self.place);
    }
}

/// A send of one value, wherever it keeps that.
trait Sending: Future + Unpin {
    type Value;

    /// The channel, the value until it is sent or stands in line, and the place in line.
    fn parts(&mut self) -> Parts<'_, Self::Value>;

    /// What the send answers; a value that was refused is still there.
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

    fn answer(&mut self, sent: Result<(), SendError<()>>) -> Self::Output {
        refused(sent, self.value.get_mut())
    }
}

impl<T> Sending for SendFromFuture<'_, '_, T> {
    type Value = T;

    fn parts(&mut self) -> Parts<'_, T> {
        (self.chan, self.slot.get_mut(), &mut self.place)
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
        let mut hchan = chan.lock();
        let sent = match hchan.send(value) {
            Ok(waker) => {
                hchan.unlock_and_wake(waker);
                Ok(())
            }
            Err(TrySendError::Full(())) => return Err(hchan.now()),
            Err(TrySendError::Closed(())) => {
                drop(hchan);
                Err(SendError(()))
            }
        };
        Ok(self.answer(sent))
    }

    fn interrupted(&mut self) -> Option<Self::Output> {
        let sent = self.parts().1.is_none();
        sent.then(|| self.answer(Ok(())))
    }

    fn park(&mut self, offer: &Arc<Offer>, number: u32) -> Parked {
        let (chan, value, place) = self.parts();
        let mut hchan = chan.lock();
        if hchan.can_send(offer) {
            return Parked::CouldProceed;
        }
        if !hchan.is_live() {
            return Parked::Nowhere;
        }
        let arm = offer.clone();
        *place = Some(hchan.park_send(value, |sudog| sudog.set_arm(arm, number)));
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

/// What a counterpart has made of an operation.
fn served<R>(polled: Poll<R>) -> R {
    match polled {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("whoever accepts an arm completes it"),
    }
}

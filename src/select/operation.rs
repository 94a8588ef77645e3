//! Sends and receives as arms: the futures of the plain operations, parked in the name of an offer.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::Otherwise;
use super::arm::ArmKind;
use super::kit::Kit;
use crate::chan::Chan;
use crate::error::{RecvError, SendError, TryRecvError, TrySendError, present, refused};
use crate::forecast::Forecast;
use crate::hchan::Hchan;
use crate::party::Party;
use crate::receiver::Receiver;
use crate::recv::{self, RecvFuture};
use crate::send::{self, SendFromFuture, SendFuture};
use crate::sudog::SendTicket;
use crate::wakes::Wakes;

/// A send or receive as an arm: its future, and the steps that a select takes it through.
pub trait Operation: Future + Unpin {
    /// Which of the two it is.
    const KIND: ArmKind;

    /// Where the channel stands in the order in which selects park.
    fn address(&mut self) -> usize;

    /// What the channel's clock shows.
    fn clock(&mut self) -> u64;

    /// Whether the channel had nothing for it when it was last unlocked.
    fn parks(&mut self) -> bool;

    /// Panics if the operation is not fit to be an arm.
    fn check(&self) {}

    /// Tries without waiting; on failure says what the channel's clock shows.
    fn attempt(&mut self, otherwise: Otherwise) -> Result<Self::Output, u64>;

    /// What an attempt has come to that a waker's panic interrupted: a value that was sent stays sent.
    fn interrupted(&mut self) -> Option<Self::Output>;

    /// Parks in the name of the offer, or is put off; false if it could proceed instead.
    fn park(&mut self, kit: &mut Kit, number: u32) -> bool;

    /// Whether it has parked.
    fn is_in_line(&mut self) -> bool;

    /// Whether it could proceed now, a send in line that was held until now.
    fn was_passed_by(&mut self, kit: &Kit) -> bool;

    /// Takes what a counterpart has left.
    fn collect(&mut self, kit: &mut Kit) -> Self::Output;

    /// Leaves the line.
    fn leave(&mut self, kit: &mut Kit);
}

impl<T> Operation for RecvFuture<'_, T> {
    const KIND: ArmKind = ArmKind::Recv;

    fn address(&mut self) -> usize {
        self.receiver.chan.address()
    }

    fn clock(&mut self) -> u64 {
        self.receiver.chan.clock()
    }

    fn parks(&mut self) -> bool {
        let Receiver { chan, standing, .. } = self.receiver;
        chan.forecast.recv_parks() && !standing.is_some()
    }

    fn attempt(&mut self, otherwise: Otherwise) -> Result<Self::Output, u64> {
        let (receiver, mut elem) = (self.receiver, None);
        let held = match receiver.quick(&mut elem) {
            Ok(()) => return Ok(Ok(present(elem))),
            Err(held) => held,
        };
        let attempt = |hchan: &mut Hchan<T>, wakes: &mut Wakes| {
            let received = match receiver.claim(hchan, wakes) {
                Some((value, _)) => Ok(value),
                // It waits in the place that its handle has in line.
                None if otherwise == Otherwise::Wait && receiver.standing.is_some() => {
                    Err(TryRecvError::Empty)
                }
                None if otherwise == Otherwise::Wait => hchan.recv_in_turn(wakes),
                None => hchan.recv(wakes),
            };
            received.map_err(|error| (error, hchan.clock()))
        };
        let received = receiver.chan.take(held, attempt, Result::ok);
        match received {
            Ok(value) => Ok(Ok(value)),
            Err((TryRecvError::Closed, _)) => Ok(Err(RecvError)),
            Err((TryRecvError::Empty, clock)) => Err(clock),
        }
    }

    fn interrupted(&mut self) -> Option<Self::Output> {
        None
    }

    fn park(&mut self, kit: &mut Kit, number: u32) -> bool {
        let Receiver { chan, standing, .. } = self.receiver;
        let park = |hchan: &mut Hchan<T>, forecast: &Forecast| {
            if standing.is_some() || kit.is_late() {
                return None;
            }
            let arm = || {
                let again = kit.receives_again(chan.address());
                Some(kit.party(number, again))
            };
            hchan.park_recv_quick(&mut self.place, arm, forecast)
        };
        let held = match chan.quick(park) {
            Ok(()) => return true,
            Err(held) => held,
        };
        let park = |hchan: &mut Hchan<T>, wakes: &mut Wakes| {
            if standing.is_some() && kit.puts_off() {
                return true;
            }
            if let Some(place) = standing.take(hchan) {
                // The place that the handle has in line is the arm's from now on.
                if hchan.adopt(&place, kit.party(number, false), wakes) {
                    self.place = Some(place);
                    return true;
                }
                standing.keep(Some(place));
                return false;
            }
            if hchan.can_recv(kit.offer()) {
                return false;
            }
            if hchan.is_live() {
                let again = match kit.is_late() {
                    true => hchan.receives(kit.offer()),
                    false => kit.receives_again(chan.address()),
                };
                self.place = Some(hchan.park_recv(kit.party(number, again), wakes));
            }
            true
        };
        chan.with_held(held, park)
    }

    fn is_in_line(&mut self) -> bool {
        self.place.is_some()
    }

    fn was_passed_by(&mut self, _: &Kit) -> bool {
        false
    }

    fn collect(&mut self, kit: &mut Kit) -> Self::Output {
        let (place, mut elem) = (&mut self.place, None);
        let claim = |hchan: &mut Hchan<T>| {
            kit.put_by(hchan.take_offer(place.as_ref()));
            hchan.claim_quick(place, &mut elem)
        };
        match self.receiver.chan.step(claim) {
            Some(()) => Ok(present(elem)),
            None => served(self),
        }
    }

    fn leave(&mut self, kit: &mut Kit) {
        if self.place.is_none() {
            return;
        }
        let (chan, place) = (&self.receiver.chan, &mut self.place);
        match chan.quick(|hchan, forecast| hchan.cancel_recv_quick(place, forecast)) {
            Ok(party) => kit.put_by(party.and_then(Party::into_offer)),
            Err(held) => recv::cancel_in_full(chan, held, place),
        }
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

    fn clock(&mut self) -> u64 {
        self.parts().0.clock()
    }

    fn parks(&mut self) -> bool {
        self.parts().0.forecast.send_parks()
    }

    #[track_caller]
    fn check(&self) {
        Sending::check(self);
    }

    fn attempt(&mut self, _: Otherwise) -> Result<Self::Output, u64> {
        let (chan, value, _) = self.parts();
        let sent = match attempt_send(chan, value) {
            Ok(()) => Ok(()),
            Err((TrySendError::Closed(()), _)) => Err(SendError(())),
            Err((TrySendError::Full(()), clock)) => return Err(clock),
        };
        Ok(self.answer(sent))
    }

    fn interrupted(&mut self) -> Option<Self::Output> {
        let sent = self.parts().1.is_none();
        sent.then(|| self.answer(Ok(())))
    }

    fn park(&mut self, kit: &mut Kit, number: u32) -> bool {
        let (chan, value, place) = self.parts();
        let held = match chan.quick(|hchan, forecast| {
            let arm = || Some(kit.party(number, false));
            hchan.park_send_quick(place, value, arm, forecast)
        }) {
            Ok(()) => return true,
            Err(held) => held,
        };
        let park = |hchan: &mut Hchan<F::Value>, _: &mut Wakes| {
            if hchan.can_send(kit.offer()) {
                return false;
            }
            if hchan.is_live() {
                *place = Some(hchan.park_send(value.take(), kit.party(number, false)));
            }
            true
        };
        chan.with_held(held, park)
    }

    fn is_in_line(&mut self) -> bool {
        self.parts().2.is_some()
    }

    fn was_passed_by(&mut self, kit: &Kit) -> bool {
        let (chan, _, place) = self.parts();
        place.is_some() && chan.step(|hchan| hchan.was_passed_by(kit.offer()))
    }

    fn collect(&mut self, kit: &mut Kit) -> Self::Output {
        let (chan, _, place) = self.parts();
        let sent = chan.step(|hchan| {
            kit.put_by(hchan.take_offer(place.as_ref().map(|place| &place.ticket)));
            hchan.sent_quick(place)
        });
        match sent {
            Some(()) => self.answer(Ok(())),
            None => served(self),
        }
    }

    fn leave(&mut self, kit: &mut Kit) {
        let (chan, value, place) = self.parts();
        if place.is_none() {
            return;
        }
        match chan.quick(|hchan, forecast| hchan.cancel_send_quick(place, value, forecast)) {
            Ok(party) => kit.put_by(party.and_then(Party::into_offer)),
            Err(held) => send::cancel_in_full(chan, held, place, value),
        }
    }
}

/// Tries to send without waiting; on failure says what the channel's clock shows.
fn attempt_send<T>(chan: &Chan<T>, value: &mut Option<T>) -> Result<(), (TrySendError<()>, u64)> {
    match send::quick(chan, value) {
        Ok(()) => Ok(()),
        Err(held) => {
            let attempt = |hchan: &mut Hchan<T>, wakes: &mut Wakes| {
                let sent = hchan.send(value, wakes);
                sent.map_err(|error| (error, hchan.clock()))
            };
            chan.with_held(held, attempt)
        }
    }
}

/// What a counterpart has made of an operation, by the rules in full.
fn served<F: Operation>(operation: &mut F) -> F::Output {
    let mut cx = Context::from_waker(Waker::noop());
    match Pin::new(operation).poll(&mut cx) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("whoever accepts an arm completes it"),
    }
}

//! The arms of a select: the futures of the plain operations, parked in the name of an offer.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::Otherwise;
use super::kit::Kit;
use crate::chan::Chan;
use crate::error::{RecvError, SendError, TryRecvError, TrySendError};
use crate::hchan::Hchan;
use crate::party::Party;
use crate::receiver::Receiver;
use crate::recv::RecvFuture;
use crate::send::{SendFromFuture, SendFuture, refused};
use crate::sudog::Ticket;
use crate::wakes::{Forecast, Wakes};

/// What a select asks of its arms, whatever they carry.
pub trait Arm {
    /// What the arm is over.
    fn kind(&self) -> Kind;

    /// Where the arm stands in the order in which selects park.
    fn address(&self) -> usize;

    /// Tries to win at once. A channel's arm only while none is in line.
    fn attempt(&mut self, otherwise: Otherwise, cx: &mut Context<'_>) -> bool;

    /// Whether the last attempt has won, though a waker's panic kept the select from seeing that.
    fn has_won(&mut self) -> bool;

    /// Whether nothing has become possible since the last attempt.
    fn unchanged(&self) -> bool;

    /// Parks in the name of the offer, as the arm of this number; false if it could proceed instead.
    fn park(&mut self, kit: &mut Kit, number: u32) -> bool;

    /// Whether it has parked.
    fn is_in_line(&self) -> bool;

    /// Takes what a counterpart has left for the arm that it accepted.
    fn collect(&mut self, kit: &mut Kit);

    /// Leaves the line, since another arm has won or is to be tried first.
    fn leave(&mut self, kit: &mut Kit);
}

/// What an arm is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A channel: it parks.
    Channel,
    /// A future of anyone's: it is polled.
    Future,
}

/// A send or receive as an arm: its future, and the steps that a select takes it through.
pub trait Operation: Future + Unpin {
    /// Where the channel stands in the order in which selects park.
    fn address(&self) -> usize;

    /// What the channel's clock shows.
    fn clock(&self) -> u64;

    /// Whether the channel had nothing for it when it was last unlocked.
    fn parks(&self) -> bool;

    /// Panics if the operation is not fit to be an arm.
    fn check(&self) {}

    /// Tries without waiting; on failure says what the channel's clock shows.
    fn attempt(&mut self, otherwise: Otherwise) -> Result<Self::Output, u64>;

    /// What an attempt has come to that a waker's panic interrupted: a value that was sent stays sent.
    fn interrupted(&mut self) -> Option<Self::Output>;

    /// Parks in the name of the offer; false if it could proceed instead.
    fn park(&mut self, kit: &mut Kit, number: u32) -> bool;

    /// Whether it has parked.
    fn is_in_line(&self) -> bool;

    /// Takes what a counterpart has left.
    fn collect(&mut self, kit: &mut Kit) -> Self::Output;

    /// Leaves the line.
    fn leave(&mut self, kit: &mut Kit);
}

/// An arm over a channel.
pub struct ChannelArm<F: Future> {
    operation: F,
    enabled: bool,
    won: Option<F::Output>,
    /// What the clock showed at the last attempt.
    seen: u64,
}

impl<F: Operation> ChannelArm<F> {
    pub(super) const fn new(operation: F) -> Self {
        Self {
            operation,
            enabled: true,
            won: None,
            seen: 0,
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

impl<F: Operation> Arm for ChannelArm<F> {
    fn kind(&self) -> Kind {
        Kind::Channel
    }

    fn address(&self) -> usize {
        self.operation.address()
    }

    fn attempt(&mut self, otherwise: Otherwise, _: &mut Context<'_>) -> bool {
        // Only a default has to be certain.
        let is_vain = otherwise == Otherwise::Wait && self.operation.parks();
        if self.enabled && !is_vain {
            match self.operation.attempt(otherwise) {
                Ok(output) => self.won = Some(output),
                Err(clock) => self.seen = clock,
            }
        }
        self.won.is_some()
    }

    fn has_won(&mut self) -> bool {
        if self.enabled {
            self.won = self.operation.interrupted();
        }
        self.won.is_some()
    }

    fn unchanged(&self) -> bool {
        !self.enabled || self.operation.clock() == self.seen
    }

    fn park(&mut self, kit: &mut Kit, number: u32) -> bool {
        !self.enabled || self.operation.park(kit, number)
    }

    fn is_in_line(&self) -> bool {
        self.operation.is_in_line()
    }

    fn collect(&mut self, kit: &mut Kit) {
        self.won = Some(self.operation.collect(kit));
    }

    fn leave(&mut self, kit: &mut Kit) {
        self.operation.leave(kit);
    }
}

impl<T> Operation for RecvFuture<'_, T> {
    fn address(&self) -> usize {
        self.receiver.chan.address()
    }

    fn clock(&self) -> u64 {
        self.receiver.chan.clock()
    }

    fn parks(&self) -> bool {
        let Receiver { chan, standing, .. } = self.receiver;
        chan.forecast.recv_parks() && !standing.is_some()
    }

    fn attempt(&mut self, otherwise: Otherwise) -> Result<Self::Output, u64> {
        let receiver = self.receiver;
        let open = match receiver
            .chan
            .quick(|hchan, forecast| receiver.recv_quick(hchan, forecast))
        {
            Ok(value) => return Ok(Ok(value)),
            Err(open) => open,
        };
        let attempt = |hchan: &mut Hchan<T>, wakes: &mut Wakes| {
            let received = match receiver.claim(hchan, wakes) {
                Some((value, _)) => Ok(value),
                None if otherwise == Otherwise::Wait => hchan.recv_in_turn(wakes),
                None => hchan.recv(wakes),
            };
            received.map_err(|error| (error, hchan.clock()))
        };
        let received = receiver.chan.take(open, attempt, Result::ok);
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
        let park = |hchan: &mut Hchan<T>, forecast: &Forecast| match standing.is_some() {
            true => None,
            false => {
                let arm = || Some(kit.party(number));
                hchan.park_recv_quick(&mut self.place, arm, forecast)
            }
        };
        let open = match chan.quick(park) {
            Ok(()) => return true,
            Err(open) => open,
        };
        let park = |hchan: &mut Hchan<T>, wakes: &mut Wakes| {
            if let Some(place) = standing.take(hchan) {
                // The place that the handle has in line is the arm's from now on.
                if hchan.adopt(&place, kit.party(number), wakes) {
                    self.place = Some(place);
                    return true;
                }
                standing.keep(Some(place));
                return false;
            }
            if hchan.can_recv(kit.offer()) && !bug!("parks_without_a_look") {
                return false;
            }
            if hchan.parks() {
                self.place = Some(hchan.park_recv(kit.party(number), wakes));
            }
            true
        };
        chan.take(open, park, |_| None)
    }

    fn is_in_line(&self) -> bool {
        self.place.is_some()
    }

    fn collect(&mut self, kit: &mut Kit) -> Self::Output {
        let place = &mut self.place;
        let claim = |hchan: &mut Hchan<T>| {
            kit.put_by(hchan.take_offer(place));
            hchan.claim_quick(place)
        };
        match self.receiver.chan.step(claim) {
            Some(value) => Ok(value),
            None => served(self),
        }
    }

    fn leave(&mut self, kit: &mut Kit) {
        bug!("stale_arm_absorbs_value" => return self.place = None);
        if self.place.is_none() {
            return;
        }
        let cancel = |hchan: &mut Hchan<T>, forecast: &Forecast| {
            hchan.cancel_recv_quick(&mut self.place, forecast)
        };
        match self.receiver.chan.quick(cancel).ok() {
            Some(party) => kit.put_by(party.and_then(Party::into_offer)),
            None => self.leave_line(),
        }
    }
}

impl<T> Operation for SendFuture<'_, T> {
    fn address(&self) -> usize {
        self.chan.address()
    }

    fn clock(&self) -> u64 {
        self.chan.clock()
    }

    fn parks(&self) -> bool {
        self.chan.forecast.send_parks()
    }

    fn attempt(&mut self, _: Otherwise) -> Result<Self::Output, u64> {
        let value = self.value.get_mut();
        Ok(refused(attempt_send(self.chan, value)?, value))
    }

    fn interrupted(&mut self) -> Option<Self::Output> {
        self.value.get_mut().is_none().then_some(Ok(()))
    }

    fn park(&mut self, kit: &mut Kit, number: u32) -> bool {
        let value = self.value.get_mut();
        park_send(self.chan, value, &mut self.place, kit, number)
    }

    fn is_in_line(&self) -> bool {
        self.place.is_some()
    }

    fn collect(&mut self, kit: &mut Kit) -> Self::Output {
        match collect_sent(self.chan, &mut self.place, kit) {
            Some(()) => Ok(()),
            None => served(self),
        }
    }

    fn leave(&mut self, kit: &mut Kit) {
        if !leave_send(self.chan, self.value.get_mut(), &mut self.place, kit) {
            self.leave_line();
        }
    }
}

impl<T> Operation for SendFromFuture<'_, '_, T> {
    fn address(&self) -> usize {
        self.chan.address()
    }

    fn clock(&self) -> u64 {
        self.chan.clock()
    }

    fn parks(&self) -> bool {
        self.chan.forecast.send_parks()
    }

    #[track_caller]
    fn check(&self) {
        assert!(
            self.slot.look(|slot| slot.is_some()),
            "`send_from` needs a value in its slot"
        );
    }

    fn attempt(&mut self, _: Otherwise) -> Result<Self::Output, u64> {
        attempt_send(self.chan, self.slot.get_mut())
    }

    fn interrupted(&mut self) -> Option<Self::Output> {
        self.slot.get_mut().is_none().then_some(Ok(()))
    }

    fn park(&mut self, kit: &mut Kit, number: u32) -> bool {
        let slot = self.slot.get_mut();
        park_send(self.chan, slot, &mut self.place, kit, number)
    }

    fn is_in_line(&self) -> bool {
        self.place.is_some()
    }

    fn collect(&mut self, kit: &mut Kit) -> Self::Output {
        match collect_sent(self.chan, &mut self.place, kit) {
            Some(()) => Ok(()),
            None => served(self),
        }
    }

    fn leave(&mut self, kit: &mut Kit) {
        if !leave_send(self.chan, self.slot.get_mut(), &mut self.place, kit) {
            self.leave_line();
        }
    }
}

fn attempt_send<T>(
    chan: &Chan<T>,
    value: &mut Option<T>,
) -> Result<Result<(), SendError<()>>, u64> {
    match chan.quick(|hchan, forecast| hchan.send_quick(value, forecast)) {
        Ok(()) => Ok(Ok(())),
        Err(open) => {
            let attempt = |hchan: &mut Hchan<T>, wakes: &mut Wakes| match hchan.send(value, wakes) {
                Ok(()) => Ok(Ok(())),
                Err(TrySendError::Closed(())) => Ok(Err(SendError(()))),
                Err(TrySendError::Full(())) => Err(hchan.clock()),
            };
            chan.take(open, attempt, |_| None)
        }
    }
}

fn park_send<T>(
    chan: &Chan<T>,
    value: &mut Option<T>,
    place: &mut Option<Ticket>,
    kit: &mut Kit,
    number: u32,
) -> bool {
    let open = match chan.quick(|hchan, forecast| {
        let arm = || Some(kit.party(number));
        hchan.park_send_quick(place, value, arm, forecast)
    }) {
        Ok(()) => return true,
        Err(open) => open,
    };
    let park = |hchan: &mut Hchan<T>, _: &mut Wakes| {
        if hchan.can_send(kit.offer()) && !bug!("parks_without_a_look") {
            return false;
        }
        if hchan.parks() {
            *place = Some(hchan.park_send(value.take(), kit.party(number)));
        }
        true
    };
    chan.take(open, park, |_| None)
}

/// Collects where the value was taken.
fn collect_sent<T>(chan: &Chan<T>, place: &mut Option<Ticket>, kit: &mut Kit) -> Option<()> {
    chan.step(|hchan| {
        kit.put_by(hchan.take_offer(place));
        hchan.sent_quick(place)
    })
}

/// Leaves the line where the value was not taken; false if it was, or someone is at the channel.
fn leave_send<T>(
    chan: &Chan<T>,
    value: &mut Option<T>,
    place: &mut Option<Ticket>,
    kit: &mut Kit,
) -> bool {
    if place.is_none() {
        return true;
    }
    match chan.quick(|hchan, forecast| hchan.cancel_send_quick(place, value, forecast)) {
        Ok(party) => kit.put_by(party.and_then(Party::into_offer)),
        Err(_) => return false,
    }
    true
}

/// What a counterpart has made of an operation, by the rules in full.
fn served<F: Operation>(operation: &mut F) -> F::Output {
    let mut cx = Context::from_waker(Waker::noop());
    match Pin::new(operation).poll(&mut cx) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("whoever accepts an arm completes it"),
    }
}

/// An arm over any future.
pub struct FutureArm<'a, F: Future> {
    future: Pin<&'a mut F>,
    enabled: bool,
    won: Option<F::Output>,
}

impl<'a, F: Future> FutureArm<'a, F> {
    pub(super) const fn new(future: Pin<&'a mut F>) -> Self {
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

impl<F: Future> Arm for FutureArm<'_, F> {
    fn kind(&self) -> Kind {
        Kind::Future
    }

    fn address(&self) -> usize {
        0
    }

    fn attempt(&mut self, _: Otherwise, cx: &mut Context<'_>) -> bool {
        if self.enabled {
            if let Poll::Ready(output) = self.future.as_mut().poll(cx) {
                self.won = Some(output);
            }
        }
        self.won.is_some()
    }

    fn has_won(&mut self) -> bool {
        false
    }

    fn unchanged(&self) -> bool {
        true
    }

    fn park(&mut self, _: &mut Kit, _: u32) -> bool {
        true
    }

    fn is_in_line(&self) -> bool {
        false
    }

    fn collect(&mut self, _: &mut Kit) {
        unreachable!("a future stands in no line");
    }

    fn leave(&mut self, _: &mut Kit) {
        // A channel's arm was accepted while this one was asked.
        self.won = None;
    }
}

impl<F: Future> fmt::Debug for ChannelArm<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelArm").finish_non_exhaustive()
    }
}

impl<F: Future> fmt::Debug for FutureArm<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FutureArm").finish_non_exhaustive()
    }
}

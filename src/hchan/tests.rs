//! The state machine driven directly: no lock, no executor, no waker that does anything.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};

use super::{Hchan, Kind};
use crate::closed::Closeq;
use crate::error::{RecvError, SendError, TryRecvError, TrySendError};
use crate::forecast::Forecast;
use crate::party::{Offer, Party};
use crate::sudog::{SendTicket, Ticket};
use crate::sync::Arc;
use crate::wakes::{Visitor, Wakes};

/// A channel whose invariants are checked after each step, with the number of wakes that it took.
struct Machine {
    hchan: Hchan<u32>,
    woken: usize,
}

impl Machine {
    fn new(dataqsiz: usize) -> Self {
        Self {
            hchan: Hchan::new(Kind::Bounded, dataqsiz),
            woken: 0,
        }
    }

    fn step<R>(
        &mut self,
        work: impl FnOnce(&mut Hchan<u32>, &mut Visitor<'_>, &mut Wakes) -> R,
    ) -> R {
        let mut wakes = Wakes::new();
        let cx = Context::from_waker(Waker::noop());
        let mut visitor = Visitor::with(&cx, Some(Waker::noop().clone()));
        let result = work(&mut self.hchan, &mut visitor, &mut wakes);
        self.hchan.check();
        self.woken = wakes.count();
        result
    }

    fn send(&mut self, value: u32) -> Result<(), TrySendError<()>> {
        self.step(|hchan, _, wakes| hchan.send(&mut Some(value), wakes))
    }

    fn recv(&mut self) -> Result<u32, TryRecvError> {
        self.step(|hchan, _, wakes| hchan.recv(wakes))
    }

    fn park_send(&mut self, value: u32) -> Option<SendTicket> {
        let mut place = None;
        let polled = self.poll_send(&mut place, Some(value));
        assert_eq!(polled, (Poll::Pending, None));
        place
    }

    fn poll_send(
        &mut self,
        place: &mut Option<SendTicket>,
        mut elem: Option<u32>,
    ) -> (Poll<Result<(), SendError<()>>>, Option<u32>) {
        let polled =
            self.step(|hchan, visitor, wakes| hchan.poll_send(place, &mut elem, visitor, wakes));
        (polled, elem)
    }

    fn park_reserve(&mut self) -> Option<Ticket> {
        let mut place = None;
        let polled = self.step(|hchan, visitor, _| hchan.poll_reserve(&mut place, visitor));
        assert_eq!(polled, Poll::Pending);
        place
    }

    fn park_recv(&mut self) -> Option<Ticket> {
        let mut place = None;
        assert_eq!(self.poll_recv(&mut place), Poll::Pending);
        place
    }

    fn poll_recv(&mut self, place: &mut Option<Ticket>) -> Poll<Result<u32, RecvError>> {
        self.step(|hchan, visitor, wakes| hchan.poll_recv(place, visitor, wakes))
    }

    fn drop_recv(&mut self, place: Option<Ticket>) {
        let place = place.expect("parked");
        self.step(|hchan, _, wakes| hchan.cancel_recv(place, wakes));
    }

    fn close(&mut self) -> bool {
        self.step(|hchan, _, wakes| hchan.close(&Closeq::new(true), wakes))
    }
}

#[test]
fn a_send_asks_for_close_then_a_receiver_then_room_then_parks() {
    let mut machine = Machine::new(1);
    let mut receiver = machine.park_recv();
    assert_eq!((machine.send(1), machine.woken), (Ok(()), 1));
    assert_eq!((machine.send(2), machine.woken), (Ok(()), 0));
    assert_eq!(machine.send(3), Err(TrySendError::Full(())));
    let mut sender = machine.park_send(4);
    assert_eq!(machine.poll_recv(&mut receiver), Poll::Ready(Ok(1)));
    assert!(machine.close());
    assert_eq!(machine.woken, 1);
    assert_eq!(machine.send(5), Err(TrySendError::Closed(())));
    let refused = (Poll::Ready(Err(SendError(()))), Some(4));
    assert_eq!(machine.poll_send(&mut sender, None), refused);
}

#[test]
fn a_receive_from_a_full_ring_lets_the_first_parked_sender_move_up() {
    let mut machine = Machine::new(2);
    assert_eq!((machine.send(1), machine.send(2)), (Ok(()), Ok(())));
    let mut third = machine.park_send(3);
    let mut fourth = machine.park_send(4);
    assert_eq!((machine.recv(), machine.woken), (Ok(1), 1));
    assert_eq!(machine.poll_send(&mut third, None).0, Poll::Ready(Ok(())));
    assert_eq!(machine.poll_send(&mut fourth, None).0, Poll::Pending);
    assert_eq!(machine.hchan.len(), 2);
    let rest: Vec<_> = core::iter::from_fn(|| machine.recv().ok()).collect();
    assert_eq!(rest, [2, 3, 4]);
}

#[test]
fn values_are_put_back_by_age_whatever_the_order_of_the_drops() {
    for drops in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let mut machine = Machine::new(0);
        let mut receivers: Vec<_> = (0..3).map(|_| machine.park_recv()).collect();
        for value in 0..3 {
            assert_eq!(machine.send(value), Ok(()));
        }
        for receiver in drops {
            let place = receivers[receiver].take();
            machine.drop_recv(place);
        }
        let all: Vec<_> = core::iter::from_fn(|| machine.recv().ok()).collect();
        assert_eq!(all, [0, 1, 2]);
    }
}

#[test]
fn closed_waits_for_the_last_unclaimed_value() {
    let mut machine = Machine::new(0);
    let mut first = machine.park_recv();
    assert_eq!(machine.send(1), Ok(()));
    assert!(machine.close());
    assert_eq!(machine.recv(), Err(TryRecvError::Empty));
    let mut second = machine.park_recv();
    assert_eq!(machine.poll_recv(&mut first), Poll::Ready(Ok(1)));
    assert_eq!(machine.woken, 1);
    assert_eq!(machine.poll_recv(&mut second), Poll::Ready(Err(RecvError)));
    assert_eq!(machine.recv(), Err(TryRecvError::Closed));
}

#[test]
fn the_clock_moves_when_something_becomes_possible_and_not_when_nothing_does() {
    let mut machine = Machine::new(1);
    let mut seen = vec![machine.hchan.clock()];
    let mut note = |machine: &Machine, moves: bool| {
        let clock = machine.hchan.clock();
        assert_eq!(seen.last() != Some(&clock), moves);
        seen.push(clock);
    };
    assert_eq!(machine.recv(), Err(TryRecvError::Empty));
    note(&machine, false);
    assert_eq!(machine.send(1), Ok(()));
    note(&machine, true);
    assert_eq!(machine.send(2), Err(TrySendError::Full(())));
    note(&machine, false);
    let sender = machine.park_send(2);
    note(&machine, true);
    let mut elem = None;
    machine.step(|hchan, _, wakes| {
        hchan.cancel_send(sender.expect("parked"), &mut elem, wakes);
    });
    assert_eq!(machine.recv(), Ok(1));
    note(&machine, true);
    assert!(machine.close());
    note(&machine, true);
}

/// How far the clock goes while something happens.
fn ticks<R>(machine: &mut Machine, work: impl FnOnce(&mut Machine) -> R) -> u64 {
    let before = machine.hchan.clock();
    work(machine);
    let after = machine.hchan.clock();
    after.checked_sub(before).expect("a clock goes forward")
}

#[test]
fn whatever_may_make_something_possible_moves_the_clock() {
    let mut machine = Machine::new(0);
    let mut receiver = None;
    assert_eq!(ticks(&mut machine, |it| receiver = it.park_recv()), 1);
    assert_eq!(ticks(&mut machine, |it| it.send(1)), 1);
    assert_eq!(ticks(&mut machine, |it| it.drop_recv(receiver.take())), 1);
    assert_eq!(machine.recv(), Ok(1));

    let _sender = machine.park_send(2);
    assert_eq!(ticks(&mut machine, Machine::recv), 1);
    let _sender = machine.park_send(3);
    assert_eq!(
        ticks(&mut machine, |it| it
            .hchan
            .recv_meet(&mut None, &Forecast::new())),
        1
    );

    let mut receiver = machine.park_recv();
    let _promised = machine.step(|hchan, _, _| hchan.reserve());
    let release = |it: &mut Machine| it.step(|hchan, _, wakes| hchan.release_permit(wakes));
    assert_eq!(ticks(&mut machine, release), 1);
    let _promised = machine.step(|hchan, _, _| hchan.reserve());
    let _sender = machine.park_send(4);
    // A receiver is free again, and met.
    assert_eq!(ticks(&mut machine, release), 2);
    assert_eq!(ticks(&mut machine, Machine::close), 1);
    // Only now it is over.
    assert_eq!(ticks(&mut machine, |it| it.poll_recv(&mut receiver)), 1);

    let mut machine = Machine::new(4);
    let mut items = VecDeque::from([5, 6]);
    assert_eq!(ticks(&mut machine, |it| it.hchan.send_more(&mut items)), 1);
    let take = |it: &mut Machine| it.step(|hchan, _, wakes| hchan.recv_more(&mut vec![], 2, wakes));
    assert_eq!(ticks(&mut machine, take), 1);
}

#[test]
fn a_receive_goes_past_reservations_once_and_again_when_a_value_came() {
    let mut machine = Machine::new(0);
    let _reservation = machine.park_reserve();
    let _send = machine.park_send(1);
    assert_eq!(machine.recv(), Ok(1));
    assert!(machine.hchan.may_bring);
    assert_eq!(machine.recv(), Err(TryRecvError::Empty));
    assert!(!machine.hchan.may_bring);
    let _reservation = machine.park_reserve();
    assert!(!machine.hchan.may_bring);
    let _send = machine.park_send(2);
    assert_eq!(machine.recv(), Ok(2));
}

/// Parks a send as the arm of an open select.
fn park_arm(machine: &mut Machine, value: u32) -> Arc<Offer> {
    let offer = Arc::new(Offer::new());
    offer.open(Waker::noop().clone());
    let party = Party::Arm {
        offer: offer.clone(),
        number: 0,
        rank: 0,
    };
    machine.step(|hchan, _, _| hchan.park_send(Some(value), party));
    offer
}

#[test]
fn a_send_that_is_held_is_passed_by_and_keeps_its_place() {
    let mut machine = Machine::new(1);
    assert_eq!(machine.send(0), Ok(()));
    let select = park_arm(&mut machine, 3);
    let _behind = machine.park_send(1);
    select.hold();
    assert_eq!((machine.recv(), machine.recv()), (Ok(0), Ok(1)));
    assert_eq!(machine.recv(), Err(TryRecvError::Empty));
    assert_eq!((machine.send(2), machine.recv()), (Ok(()), Ok(2)));
    assert_eq!(machine.hchan.snapshot().sendq, 1);
    select.release();
    let looks = |it: &mut Machine| assert!(it.hchan.was_passed_by(&select));
    assert_eq!(ticks(&mut machine, looks), 1);
    assert_eq!((machine.recv(), select.accepted()), (Ok(3), Some(0)));
}

#[test]
fn no_newcomer_receives_what_a_receiver_in_line_waits_for() {
    let mut machine = Machine::new(0);
    let select = park_arm(&mut machine, 1);
    let other = Offer::new();
    assert!(machine.hchan.can_recv(&other) && !machine.hchan.can_recv(&select));
    select.hold();
    assert!(!machine.hchan.can_recv(&other));
    let _receiver = machine.park_recv();
    select.release();
    assert!(!machine.hchan.can_recv(&other));
    assert_eq!(machine.recv(), Err(TryRecvError::Empty));
    let meets = |it: &mut Machine| it.hchan.recv_meet(&mut None, &Forecast::new());
    assert!(meets(&mut machine).is_none());
    assert!(machine.hchan.was_passed_by(&select));
}

#[test]
fn a_send_that_is_held_can_be_closed() {
    let mut machine = Machine::new(0);
    let select = park_arm(&mut machine, 1);
    select.hold();
    assert!(machine.close());
    assert_eq!((machine.woken, select.accepted()), (1, Some(0)));
    assert_eq!(machine.hchan.snapshot().sendq, 0);
}

#[test]
fn a_value_is_as_old_as_its_departure() {
    let mut machine = Machine::new(2);
    for value in 0..2 {
        assert_eq!(machine.send(value), Ok(()));
    }
    let age = machine.hchan.next_age();
    assert_eq!(machine.recv(), Ok(0));
    assert_eq!(age, machine.hchan.clock());
    machine.step(|hchan, _, wakes| hchan.put_back(0, age, wakes));
    assert_eq!(machine.hchan.next_age(), age);
}

#[test]
fn the_ordinary_cases_are_done_in_few_steps() {
    let forecast = Forecast::new();
    let task = || Some(Party::Task(Waker::noop().clone()));
    let (mut sending, mut receiving, mut elem) = (None, None, Some(1));

    let mut hchan = Hchan::new(Kind::Bounded, 1);
    assert!(hchan.send_quick(&mut elem, &forecast).is_some() && elem.is_none());
    assert_eq!(
        (forecast.recv_parks(), forecast.send_parks()),
        (false, true)
    );
    let mut second = Some(2);
    let parked = hchan.park_send_quick(&mut sending, &mut second, task, &forecast);
    assert!(parked.is_some() && second.is_none());
    assert!(!forecast.has_sent(sending.as_ref().expect("parked")));
    let mut received = None;
    assert!(hchan.recv_meet(&mut received, &forecast).is_some());
    assert_eq!(received, Some(1));
    assert!(forecast.has_sent(&sending.take().expect("parked")));
    assert!(hchan.recv_quick(&mut received, &forecast).is_some());
    assert_eq!(received, Some(2));
    assert_eq!(
        (forecast.recv_parks(), forecast.send_parks()),
        (true, false)
    );

    let parked = hchan.park_recv_quick(&mut receiving, task, &forecast);
    assert!(parked.is_some() && receiving.is_some());
    let mut third = Some(3);
    assert!(hchan.send_meet(&mut third, &forecast).is_some() && third.is_none());
    assert!(hchan.claim_quick(&mut receiving, &mut received).is_some());
    assert_eq!(received, Some(3));

    hchan.foretell(&forecast);
    assert_eq!(
        (forecast.recv_parks(), forecast.send_parks()),
        (true, false)
    );
    hchan.park_recv_quick(&mut receiving, task, &forecast);
    assert!(hchan.cancel_recv_quick(&mut receiving, &forecast).is_some() && receiving.is_none());
    elem = Some(4);
    hchan.send_quick(&mut elem, &forecast);
    hchan.foretell(&forecast);
    assert_eq!(
        (forecast.recv_parks(), forecast.send_parks()),
        (false, true)
    );
    elem = Some(5);
    hchan.park_send_quick(&mut sending, &mut elem, task, &forecast);
    let left = hchan.cancel_send_quick(&mut sending, &mut elem, &forecast);
    assert!(left.is_some() && sending.is_none());
    assert_eq!(elem, Some(5));
    hchan.check();
}

#[test]
#[cfg(all(debug_assertions, feature = "std"))]
fn a_broken_invariant_is_noticed() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use crate::sudog::WaitQ;

    type Break = fn(&mut Machine);
    let breaks: [(&str, Break); 5] = [
        ("a receiver in line beside a value", |it| {
            it.hchan.buf.push(1);
        }),
        ("a receiver in line though all is over", |it| {
            it.hchan.closed = true;
        }),
        ("a sender in line though it is closed", |it| {
            it.hchan.recvq = WaitQ::new();
            it.hchan
                .park_send(Some(1), Party::Task(Waker::noop().clone()));
            it.hchan.closed = true;
        }),
        ("a value in line that no receive would look for", |it| {
            it.hchan.recvq = WaitQ::new();
            it.park_send(1);
            it.hchan.may_bring = false;
        }),
        ("a sender and a receiver that do not meet", |it| {
            it.hchan
                .park_send(Some(1), Party::Task(Waker::noop().clone()));
        }),
    ];
    for (what, breaks) in breaks {
        let mut machine = Machine::new(0);
        let _receiver = machine.park_recv();
        breaks(&mut machine);
        let check = || machine.hchan.check();
        assert!(catch_unwind(AssertUnwindSafe(check)).is_err(), "{what}");
    }
}

#[test]
fn handles_are_counted_and_not_beyond_what_can_be_counted() {
    let mut machine = Machine::new(0);
    assert!(machine.hchan.add_sender());
    assert_eq!(machine.hchan.sender_count(), 2);
    machine.hchan.senders = u32::MAX;
    assert!(!machine.hchan.add_sender());
    machine.hchan.receivers = u32::MAX;
    assert!(!machine.hchan.add_receiver());
}

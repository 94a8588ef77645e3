//! The state machine driven directly: no lock, no executor, no waker that does anything but count.

use alloc::collections::VecDeque;
use alloc::sync::Arc as Shared;
use alloc::task::Wake;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::Waker;

use super::offer::{Offer, Terms};
use super::select::Released;
use super::sudog::{SendTicket, Ticket};
use super::{Hchan, HchanOf, Kind, Look, Rest, Served};
use crate::error::{SendError, TryRecvError, TrySendError, present};
use crate::outside::Outside;
use crate::sync::Arc;
use crate::wakes::Wakes;
use crate::watch::{Caller, Watch, visit};

/// What surrounds a channel.
fn outside() -> Outside {
    let (watch, ..) = Watch::pair::<u32>(Kind::Bounded, None, Caller::here());
    Outside::new(&Hchan::new(Kind::Bounded, 0), watch)
}

/// Counts the wakes.
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Shared<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A channel whose invariants are checked after each step, with the number of wakes that it took.
struct Machine {
    hchan: HchanOf<u32>,
    woken: usize,
    task: Waker,
    count: Shared<Count>,
}

impl Machine {
    fn new(dataqsiz: usize) -> Self {
        let count = Shared::new(Count(AtomicUsize::new(0)));
        Self {
            hchan: HchanOf::new(Kind::Bounded, dataqsiz),
            woken: 0,
            // A clone, since only clones of clones are sure to be the same.
            task: Waker::from(count.clone()).clone(),
            count,
        }
    }

    /// A channel with so many values inside, from 0, which fill it.
    fn full(dataqsiz: usize) -> Self {
        let mut machine = Self::new(dataqsiz);
        for value in (0..).take(dataqsiz) {
            assert_eq!(machine.send(value), Ok(()));
        }
        machine
    }

    /// A channel that so many values have gone through, and that has seen as much else.
    fn used(dataqsiz: usize, times: u64) -> Self {
        let mut machine = Self::new(dataqsiz);
        machine.hchan.left = times;
        machine.hchan.sent = times;
        machine.hchan.clock = times;
        machine
    }

    fn step<R>(&mut self, work: impl FnOnce(&mut HchanOf<u32>, &mut Wakes) -> R) -> R {
        let mut wakes = Wakes::new();
        let result = work(&mut self.hchan, &mut wakes);
        self.hchan.check();
        wakes.wake_all();
        self.woken = self.count.0.swap(0, Ordering::Relaxed);
        result
    }

    fn send(&mut self, value: u32) -> Result<(), TrySendError<()>> {
        self.step(|hchan, wakes| {
            hchan
                .send(&mut Some(value))
                .map(|receiver| wakes.extend(receiver))
        })
    }

    fn recv(&mut self) -> Result<u32, TryRecvError> {
        self.step(|hchan, wakes| {
            let mut elem = None;
            let served = hchan.recv(&mut elem)?;
            wakes.extend(served.map(|served| served.waker));
            Ok(present(elem))
        })
    }

    /// Receives all that can be received.
    fn drain(&mut self) -> Vec<u32> {
        core::iter::from_fn(|| self.recv().ok()).collect()
    }

    fn park_send(&mut self, value: u32) -> Option<SendTicket> {
        assert_eq!(self.send(value), Err(TrySendError::Full(())));
        let task = self.task.clone();
        let park = |sudog: &mut super::Sudog| sudog.set_task(task);
        Some(self.step(|hchan, _| hchan.park_send(&mut Some(value), visit(), park)))
    }

    /// Parks a send as the arm of an open select.
    fn park_arm(&mut self, value: u32) -> (Arc<Offer>, Option<SendTicket>) {
        let offer = Arc::new(Offer::new());
        offer.open(self.task.clone());
        let arm = offer.clone();
        let park = |sudog: &mut super::Sudog| sudog.set_arm(arm, 0);
        let place = self.step(|hchan, _| hchan.park_send(&mut Some(value), visit(), park));
        (offer, Some(place))
    }

    /// What became of a parked send, and its value, if that was refused.
    fn look_send(&mut self, place: &mut Option<SendTicket>) -> (Look, Option<u32>) {
        let (task, mut elem) = (self.task.clone(), None);
        let look = self.step(|hchan, _| hchan.look_send(place, &mut elem, &task));
        assert_eq!(place.is_some(), look == Look::Parked);
        (look, elem)
    }

    fn drop_send(&mut self, place: Option<SendTicket>) -> Option<u32> {
        let (place, mut elem) = (place.expect("parked"), None);
        self.step(|hchan, _| drop(hchan.cancel_send(place, &mut elem)));
        elem
    }

    fn park_recv(&mut self) -> Option<Ticket> {
        assert_eq!(self.recv(), Err(TryRecvError::Empty));
        let task = self.task.clone();
        Some(self.step(|hchan, _| hchan.park_recv(visit(), |sudog| sudog.set_task(task))))
    }

    /// What became of a parked receive, and what it was handed.
    fn look_recv(&mut self, place: &mut Option<Ticket>) -> (Look, Option<u32>) {
        let (task, mut elem) = (self.task.clone(), None);
        let look = self.step(|hchan, wakes| {
            let look = hchan.claim(place, &mut elem, &task);
            hchan.settle(wakes);
            look
        });
        assert_eq!(place.is_some(), look == Look::Parked);
        (look, elem)
    }

    fn drop_recv(&mut self, place: Option<Ticket>) {
        let place = place.expect("parked");
        self.step(|hchan, wakes| wakes.extend(hchan.cancel_recv(place).1));
    }

    fn reserve(&mut self) -> Result<(), TrySendError<()>> {
        self.step(|hchan, _| hchan.reserve())
    }

    fn park_reserve(&mut self) -> Option<Ticket> {
        assert_eq!(self.reserve(), Err(TrySendError::Full(())));
        let task = self.task.clone();
        Some(self.step(|hchan, _| hchan.park_reserve(visit(), task)))
    }

    fn look_reserve(&mut self, place: &mut Option<Ticket>) -> Look {
        let task = self.task.clone();
        self.step(|hchan, _| hchan.look(place, &task))
    }

    fn drop_reserve(&mut self, place: Option<Ticket>) {
        let place = place.expect("parked");
        self.step(|hchan, wakes| wakes.extend(hchan.cancel_reserve(place).1));
    }

    fn send_reserved(&mut self, value: u32) -> Result<(), SendError<()>> {
        self.step(|hchan, wakes| {
            let woken = hchan.send_reserved(&mut Some(value))?;
            wakes.extend(woken.into_iter().flatten());
            Ok(())
        })
    }

    fn release_permit(&mut self) {
        self.step(|hchan, wakes| wakes.extend(hchan.release_permit()));
    }

    /// After the select has held its send. Nobody wakes the select, which is at it.
    fn release_send(&mut self, place: &Option<SendTicket>, select: &Offer) -> Released {
        let place = place.as_ref().expect("parked");
        self.step(|hchan, wakes| {
            let (released, left, next) = hchan.release_send(place, select);
            drop(left);
            wakes.extend(next);
            released
        })
    }

    fn put_back(&mut self, value: u32, age: u64) {
        self.step(|hchan, wakes| wakes.extend(hchan.put_back(value, age)));
    }

    fn close(&mut self) -> bool {
        self.step(|hchan, wakes| hchan.close(&outside(), wakes))
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
    assert_eq!(machine.look_recv(&mut receiver), (Look::Done, Some(1)));
    assert!(machine.close());
    assert_eq!(machine.woken, 1);
    assert_eq!(machine.send(5), Err(TrySendError::Closed(())));
    assert_eq!(machine.look_send(&mut sender), (Look::Closed, Some(4)));
}

#[test]
fn a_receive_from_a_full_ring_lets_the_first_parked_sender_move_up() {
    let mut machine = Machine::full(2);
    let mut third = machine.park_send(2);
    let mut fourth = machine.park_send(3);
    assert_eq!((machine.recv(), machine.woken), (Ok(0), 1));
    assert_eq!(machine.look_send(&mut third), (Look::Done, None));
    assert_eq!(machine.look_send(&mut fourth), (Look::Parked, None));
    assert_eq!(machine.hchan.qcount(), 2);
    assert_eq!(machine.drain(), [1, 2, 3]);
}

#[test]
fn many_are_received_as_if_one_by_one() {
    let mut machine = Machine::full(2);
    let mut senders = [2, 3, 4].map(|value| machine.park_send(value));
    let mut out = vec![9];
    let many = machine.step(|hchan, wakes| hchan.recv_more(&mut out, 4, wakes));
    assert_eq!(
        (many, machine.woken, &out[..]),
        (4, 3, &[9, 0, 1, 2, 3][..])
    );
    for sender in &mut senders {
        assert_eq!(machine.look_send(sender), (Look::Done, None));
    }
    let many = machine.step(|hchan, wakes| hchan.recv_more(&mut out, 4, wakes));
    assert_eq!((many, out.last()), (1, Some(&4)));
}

#[test]
fn one_time_tells_all_parked_sends_which_of_them_were_sent() {
    let mut machine = Machine::new(0);
    let [first, second, mut third] = [1, 2, 3].map(|value| machine.park_send(value));
    let is_sent = |machine: &Machine, place: &Option<SendTicket>| {
        place
            .as_ref()
            .is_some_and(|place| place.is_sent(machine.hchan.served()))
    };
    assert!(!is_sent(&machine, &first));
    assert_eq!(machine.recv(), Ok(1));
    assert!(is_sent(&machine, &first) && !is_sent(&machine, &second));
    assert_eq!(machine.drop_send(second), Some(2));
    assert!(!is_sent(&machine, &third));
    // The place of a send is free once it is sent, whoever has looked.
    let places = third.as_ref().map(|third| third.ticket.number());
    assert_eq!(machine.recv(), Ok(3));
    let mut fourth = machine.park_send(4);
    assert_eq!(fourth.as_ref().map(|fourth| fourth.ticket.number()), places);
    assert!(is_sent(&machine, &third) && !is_sent(&machine, &fourth));
    assert_eq!(machine.look_send(&mut third), (Look::Done, None));
    assert_eq!(machine.drop_send(first), None);
    assert_eq!(machine.look_send(&mut fourth), (Look::Parked, None));

    // An arm learns from its own place.
    let (_select, mut arm) = machine.park_arm(5);
    assert_eq!(machine.drain(), [4, 5]);
    assert!(is_sent(&machine, &fourth) && !is_sent(&machine, &arm));
    assert_eq!(machine.look_send(&mut arm), (Look::Done, None));
}

#[test]
fn another_task_is_told_that_it_is_not_the_one_that_will_be_woken() {
    let mut machine = Machine::new(0);
    let mut receiver = machine.park_recv();
    let (other, task) = (Waker::noop().clone(), machine.task.clone());
    let look = |it: &mut Machine, place: &mut _, task: &Waker| {
        it.step(|hchan, _| hchan.claim(place, &mut None, task))
    };
    assert_eq!(look(&mut machine, &mut receiver, &other), Look::Elsewhere);
    let place = receiver.as_ref().expect("parked");
    let old = machine.hchan.renew(place, other.clone());
    assert!(matches!(old, (true, Some(old)) if old.will_wake(&task)));
    assert_eq!(look(&mut machine, &mut receiver, &other), Look::Parked);
    assert_eq!(look(&mut machine, &mut receiver, &task), Look::Elsewhere);
    assert_eq!((machine.send(1), machine.woken), (Ok(()), 0));
    // Who has been served needs no waker any more.
    let place = receiver.as_ref().expect("parked");
    assert!(matches!(machine.hchan.renew(place, task), (false, Some(_))));
    assert_eq!(machine.look_recv(&mut receiver), (Look::Done, Some(1)));
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
        assert_eq!(machine.drain(), [0, 1, 2]);
    }
}

#[test]
fn what_a_receive_gives_back_is_the_next_ones() {
    let mut machine = Machine::new(0);
    let first = machine.park_recv();
    let mut second = machine.park_recv();
    assert_eq!(machine.send(1), Ok(()));
    machine.drop_recv(first);
    assert_eq!((machine.woken, machine.hchan.qcount()), (1, 0));
    assert_eq!(machine.look_recv(&mut second), (Look::Done, Some(1)));
}

#[test]
fn a_value_that_goes_back_is_as_old_as_it_was() {
    let mut machine = Machine::full(2);
    let _sender = machine.park_send(2);
    let age = machine.hchan.next_age();
    let mut elem = None;
    let served = machine.step(|hchan, _| hchan.recv(&mut elem));
    let served = served.map(|served| served.map(|Served { age, .. }| age));
    assert_eq!((elem, served), (Some(0), Ok(Some(age))));
    assert_eq!(machine.hchan.next_age(), age + 1);
    machine.put_back(0, age);
    assert_eq!((machine.hchan.next_age(), machine.hchan.qcount()), (age, 3));
    assert_eq!(machine.drain(), [0, 1, 2]);

    // So is one that never was in a slot.
    let mut machine = Machine::new(0);
    let _sender = machine.park_send(1);
    let age = machine.hchan.next_age();
    let served = machine.step(|hchan, _| hchan.recv(&mut None));
    let served = served.map(|served| served.map(|Served { age, .. }| age));
    assert_eq!(served, Ok(Some(age)));
}

#[test]
fn a_value_that_was_put_back_takes_a_slot() {
    let mut machine = Machine::new(1);
    let receiver = machine.park_recv();
    assert_eq!((machine.send(0), machine.send(1)), (Ok(()), Ok(())));
    machine.drop_recv(receiver);
    assert_eq!(machine.hchan.qcount(), 2);
    let _sender = machine.park_send(2);
    assert_eq!((machine.recv(), machine.woken), (Ok(0), 0));
    assert_eq!((machine.recv(), machine.woken), (Ok(1), 1));
    assert_eq!(machine.recv(), Ok(2));
}

#[test]
fn a_forced_send_costs_the_oldest_value_and_on_no_slots_itself() {
    let force = |machine: &mut Machine, value| {
        let mut elem = Some(value);
        let sent = machine.step(|hchan, wakes| {
            hchan
                .force_send(&mut elem)
                .map(|receiver| wakes.extend(receiver))
        });
        assert_eq!(sent, Ok(()));
        elem
    };
    let mut machine = Machine::full(2);
    assert_eq!(force(&mut machine, 2), Some(0));
    assert_eq!(machine.drain(), [1, 2]);
    let receiver = machine.park_recv();
    assert_eq!((force(&mut machine, 3), machine.woken), (None, 1));
    assert_eq!([4, 5].map(|value| force(&mut machine, value)), [None; 2]);
    machine.drop_recv(receiver);
    // What was put back is the oldest. There is one value too many still, until a receive.
    assert_eq!(force(&mut machine, 6), Some(3));
    assert_eq!(machine.drain(), [4, 5, 6]);
    assert_eq!(force(&mut Machine::new(0), 1), Some(1));
}

#[test]
fn closed_waits_for_the_last_unclaimed_value() {
    let mut machine = Machine::new(0);
    let mut first = machine.park_recv();
    assert_eq!(machine.send(1), Ok(()));
    assert!(machine.close());
    assert_eq!(machine.recv(), Err(TryRecvError::Empty));
    let mut second = machine.park_recv();
    assert_eq!(machine.look_recv(&mut first), (Look::Done, Some(1)));
    assert_eq!(machine.woken, 1);
    assert_eq!(machine.look_recv(&mut second), (Look::Closed, None));
    assert_eq!(machine.recv(), Err(TryRecvError::Closed));
}

#[test]
fn close_ends_sends_and_reservations_in_the_order_in_which_they_parked() {
    let mut machine = Machine::full(1);
    let mut send = machine.park_send(1);
    let mut reservation = machine.park_reserve();
    let mut last = machine.park_send(2);
    assert!(machine.close() && !machine.close());
    assert_eq!(machine.look_send(&mut send), (Look::Closed, Some(1)));
    assert_eq!(machine.look_reserve(&mut reservation), Look::Closed);
    assert_eq!(machine.look_send(&mut last), (Look::Closed, Some(2)));
    assert_eq!(machine.reserve(), Err(TrySendError::Closed(())));
    assert_eq!(machine.drain(), [0]);
}

#[test]
fn a_slot_is_the_next_ones_whether_that_is_a_send_or_a_reservation() {
    let mut machine = Machine::full(1);
    let mut first = machine.park_send(1);
    let mut reservation = machine.park_reserve();
    let mut last = machine.park_send(2);
    assert_eq!((machine.recv(), machine.woken), (Ok(0), 1));
    assert_eq!(machine.look_send(&mut first), (Look::Done, None));
    assert_eq!((machine.recv(), machine.woken), (Ok(1), 1));
    assert_eq!(machine.look_reserve(&mut reservation), Look::Done);
    assert_eq!(machine.look_send(&mut last), (Look::Parked, None));
    assert!(machine.hchan.is_full() && machine.hchan.qcount() == 0);
    machine.release_permit();
    assert_eq!((machine.woken, machine.hchan.qcount()), (1, 1));
    assert_eq!(machine.look_send(&mut last), (Look::Done, None));
}

#[test]
fn a_permit_is_a_slot_until_it_is_used_or_given_up() {
    let mut machine = Machine::new(2);
    assert_eq!((machine.reserve(), machine.send(1)), (Ok(()), Ok(())));
    assert_eq!(machine.send(2), Err(TrySendError::Full(())));
    assert_eq!(machine.reserve(), Err(TrySendError::Full(())));
    assert_eq!(machine.send_reserved(2), Ok(()));
    assert_eq!((machine.hchan.qcount(), machine.hchan.reserved()), (2, 0));
    assert_eq!(machine.drain(), [1, 2]);
    assert_eq!([machine.reserve(), machine.reserve()], [Ok(()); 2]);
    machine.release_permit();
    assert_eq!(machine.send(3), Ok(()));
    assert!(machine.close());
    assert_eq!(machine.send_reserved(4), Err(SendError(())));

    let mut none = Machine::new(0);
    assert_eq!(none.reserve(), Err(TrySendError::Full(())));
}

#[test]
fn a_receive_takes_what_a_parked_send_brings_while_permits_hold_every_slot() {
    let mut machine = Machine::new(1);
    assert_eq!(machine.reserve(), Ok(()));
    let mut reservation = machine.park_reserve();
    let mut sender = machine.park_send(1);
    assert_eq!((machine.recv(), machine.woken), (Ok(1), 1));
    assert_eq!(machine.look_send(&mut sender), (Look::Done, None));

    // And what a permit sends to a receiver leaves the slot to the next.
    let mut receiver = machine.park_recv();
    assert_eq!((machine.send_reserved(2), machine.woken), (Ok(()), 2));
    assert_eq!(machine.look_recv(&mut receiver), (Look::Done, Some(2)));
    assert_eq!(machine.look_reserve(&mut reservation), Look::Done);
}

#[test]
fn a_reservation_that_is_given_up_passes_on_what_it_was_granted() {
    let mut machine = Machine::full(1);
    let [first, second] = [(); 2].map(|()| machine.park_reserve());
    let mut third = machine.park_reserve();
    assert_eq!(machine.hchan.snapshot().sendq, 3);
    machine.drop_reserve(second);
    assert_eq!((machine.woken, machine.hchan.snapshot().sendq), (0, 2));
    assert_eq!((machine.recv(), machine.woken), (Ok(0), 1));
    machine.drop_reserve(first);
    assert_eq!(machine.woken, 1);
    assert_eq!(machine.look_reserve(&mut third), Look::Done);
    machine.release_permit();
    assert_eq!((machine.hchan.reserved(), machine.send(1)), (0, Ok(())));
}

#[test]
fn the_clock_moves_when_something_becomes_possible_and_not_when_nothing_does() {
    let mut machine = Machine::new(1);
    let mut seen = vec![machine.hchan.now()];
    let mut note = |machine: &Machine, moves: bool| {
        let clock = machine.hchan.now();
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
    assert_eq!(machine.drop_send(sender), Some(2));
    note(&machine, false);
    assert_eq!(machine.recv(), Ok(1));
    note(&machine, true);
    assert!(machine.close());
    note(&machine, true);
}

/// How far the clock goes while something happens.
fn ticks<R>(machine: &mut Machine, work: impl FnOnce(&mut Machine) -> R) -> u64 {
    let before = machine.hchan.now();
    work(machine);
    let after = machine.hchan.now();
    after.checked_sub(before).expect("a clock goes forward")
}

#[test]
fn whatever_may_make_something_possible_moves_the_clock() {
    let mut machine = Machine::new(0);
    let mut receiver = None;
    assert_eq!(ticks(&mut machine, |it| receiver = it.park_recv()), 1);
    assert_eq!(ticks(&mut machine, |it| it.send(1)), 1);
    assert_eq!(ticks(&mut machine, |it| it.drop_recv(receiver.take())), 1);
    assert_eq!(ticks(&mut machine, Machine::recv), 1);
    let _sender = machine.park_send(2);
    assert_eq!(ticks(&mut machine, Machine::recv), 1);

    let mut receiver = machine.park_recv();
    assert_eq!(machine.send(3), Ok(()));
    assert_eq!(ticks(&mut machine, Machine::close), 1);
    // Only now it is over.
    assert_eq!(ticks(&mut machine, |it| it.look_recv(&mut receiver)), 1);

    let mut machine = Machine::full(1);
    let _sender = machine.park_send(1);
    // A value leaves, and another comes in.
    assert_eq!(ticks(&mut machine, Machine::recv), 2);
    assert_eq!(machine.recv(), Ok(1));
    assert_eq!(ticks(&mut machine, Machine::reserve), 0);
    assert_eq!(ticks(&mut machine, Machine::release_permit), 1);
    assert_eq!(machine.reserve(), Ok(()));
    assert_eq!(ticks(&mut machine, Machine::park_reserve), 1);
    let _sender = machine.park_send(2);
    assert_eq!(ticks(&mut machine, Machine::release_permit), 1);
    assert_eq!(ticks(&mut machine, Machine::release_permit), 2);

    let mut machine = Machine::new(4);
    let mut items = VecDeque::from([5, 6]);
    assert_eq!(ticks(&mut machine, |it| it.hchan.send_more(&mut items)), 2);
    let take = |it: &mut Machine| it.step(|hchan, wakes| hchan.recv_more(&mut vec![], 2, wakes));
    assert_eq!(ticks(&mut machine, take), 2);
}

#[test]
fn a_send_that_is_held_is_passed_by_and_keeps_its_place() {
    let mut machine = Machine::full(1);
    let (select, mut arm) = machine.park_arm(3);
    let _behind = machine.park_send(1);
    select.hold();
    assert_eq!((machine.recv(), machine.recv()), (Ok(0), Ok(1)));
    assert_eq!(machine.recv(), Err(TryRecvError::Empty));
    assert_eq!((machine.send(2), machine.recv()), (Ok(()), Ok(2)));
    assert_eq!(machine.hchan.snapshot().sendq, 1);
    // It would have room, but for what is inside.
    assert_eq!(machine.send(4), Ok(()));
    select.release();
    let looks = |it: &mut Machine| assert_eq!(it.release_send(&arm, &select), Released::Waits);
    assert_eq!(ticks(&mut machine, looks), 1);
    select.hold();
    assert_eq!(machine.recv(), Ok(4));
    select.release();
    assert_eq!(machine.release_send(&arm, &select), Released::Accepted);
    assert_eq!((machine.woken, select.accepted()), (0, Some(0)));
    let sent = (Look::Done, None);
    assert_eq!((machine.recv(), machine.look_send(&mut arm)), (Ok(3), sent));
}

#[test]
fn no_newcomer_receives_what_a_receiver_in_line_waits_for() {
    let mut machine = Machine::new(0);
    let (select, mut arm) = machine.park_arm(1);
    let other = Offer::new();
    assert!(machine.hchan.can_recv(&other) && !machine.hchan.can_recv(&select));
    select.hold();
    assert!(!machine.hchan.can_recv(&other));
    let mut receiver = machine.park_recv();
    select.release();
    assert!(!machine.hchan.can_recv(&other));
    assert_eq!(machine.recv(), Err(TryRecvError::Empty));
    assert_eq!(machine.release_send(&arm, &select), Released::Accepted);
    assert_eq!(machine.woken, 1);
    assert_eq!(machine.look_recv(&mut receiver), (Look::Done, Some(1)));
    assert_eq!(machine.look_send(&mut arm), (Look::Done, None));
    assert_eq!(machine.hchan.snapshot().sendq, 0);

    // If it is not there any more, the send waits on, first in line.
    let mut machine = Machine::new(0);
    let (select, arm) = machine.park_arm(1);
    select.hold();
    let receiver = machine.park_recv();
    select.release();
    machine.drop_recv(receiver);
    assert_eq!(machine.release_send(&arm, &select), Released::Waits);
    let _behind = machine.park_send(2);
    assert_eq!((machine.recv(), select.accepted()), (Ok(1), Some(0)));

    // A task's send behind it waits for nobody in line.
    let mut machine = Machine::new(0);
    let (select, _arm) = machine.park_arm(1);
    select.hold();
    let receiver = machine.park_recv();
    machine.drop_recv(receiver);
    let _behind = machine.park_send(2);
    assert_eq!((machine.recv(), select.accepted()), (Ok(2), None));
}

#[test]
fn a_send_that_is_held_can_be_closed() {
    let mut machine = Machine::new(0);
    let (select, mut arm) = machine.park_arm(1);
    select.hold();
    assert!(machine.close());
    assert_eq!((machine.woken, select.accepted()), (1, Some(0)));
    assert_eq!(machine.hchan.snapshot().sendq, 0);
    assert_eq!(machine.look_send(&mut arm), (Look::Closed, Some(1)));
}

#[test]
fn a_select_does_not_meet_its_own_arms() {
    let mut machine = Machine::new(0);
    let (select, _arm) = machine.park_arm(1);
    let arm = select.clone();
    machine.step(|hchan, _| hchan.park_recv(visit(), |sudog| sudog.set_arm(arm, 1)));
    let other = Offer::new();
    assert!(!machine.hchan.can_send(&select) && machine.hchan.can_send(&other));
    assert!(!machine.hchan.can_recv(&select) && machine.hchan.can_recv(&other));
    assert_eq!((machine.send(2), select.accepted()), (Ok(()), Some(1)));
    assert!(!machine.hchan.can_send(&other) && !machine.hchan.can_recv(&other));
}

/// Whether a receive, and whether a send, would park, as the outlook tells.
fn parks(machine: &Machine) -> (bool, bool) {
    let outlook = machine.hchan.outlook();
    (
        outlook & Hchan::RECV_PARKS != 0,
        outlook & Hchan::SEND_PARKS != 0,
    )
}

#[test]
fn the_outlook_does_not_count_who_waits_for_nothing() {
    let mut machine = Machine::new(1);
    assert_eq!(machine.reserve(), Ok(()));
    let (select, _arm) = machine.park_arm(1);
    select.hold();
    let receiver = machine.park_recv();
    let _own = select.accept(1, Terms::Revocable).expect("held");
    machine.release_permit();
    machine.drop_recv(receiver);
    assert_eq!(parks(&machine), (true, false));
    assert_eq!(machine.send(2), Ok(()));
}

#[test]
fn the_outlook_counts_who_stands_in_both_lines() {
    let mut machine = Machine::new(1);
    assert_eq!(machine.reserve(), Ok(()));
    let (select, _arm) = machine.park_arm(1);
    let arm = select.clone();
    machine.step(|hchan, _| hchan.park_recv(visit(), |sudog| sudog.set_arm(arm, 2)));
    assert_eq!(parks(&machine), (false, false));
    // Its send gets the slot, and its receive is still in line.
    machine.release_permit();
    assert_eq!(parks(&machine), (false, false));
    assert!(machine.recv().is_ok());
    assert!(parks(&machine).0);
}

#[test]
fn the_outlook_tells_who_would_park() {
    for dataqsiz in 0..3 {
        let mut machine = Machine::new(dataqsiz);
        assert_eq!(parks(&machine), (true, dataqsiz == 0));
        let receiver = machine.park_recv();
        assert_eq!(parks(&machine), (true, false));
        machine.drop_recv(receiver);
        for value in (0..).take(dataqsiz) {
            assert!(!parks(&machine).1);
            assert_eq!(machine.send(value), Ok(()));
            assert!(!parks(&machine).0);
        }
        assert!(parks(&machine).1);
        let _senders = [7, 8].map(|value| machine.park_send(value));
        for _ in 0..2 {
            assert_eq!(parks(&machine), (false, true));
            assert!(machine.recv().is_ok());
        }
        assert_eq!(machine.drain().len(), dataqsiz);
        assert_eq!(parks(&machine), (true, dataqsiz == 0));
        assert!(machine.close());
        assert_eq!(parks(&machine), (false, false));
    }
}

#[test]
#[cfg(feature = "std")]
fn a_broken_invariant_is_noticed() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::sudog::WaitQ;

    fn park_send(machine: &mut Machine) {
        let task = machine.task.clone();
        let park = |sudog: &mut super::Sudog| sudog.set_task(task);
        machine.hchan.park_send(&mut Some(1), visit(), park);
    }

    fn park_reserve(machine: &mut Machine) {
        machine.hchan.recvq = WaitQ::new();
        machine.hchan.park_reserve(visit(), machine.task.clone());
    }

    type Break = fn(&mut Machine);
    let breaks: [(&str, Break); 9] = [
        ("a receiver in line beside a value", |it| {
            it.hchan.sent += 1;
        }),
        ("a receiver in line though all is over", |it| {
            it.hchan.open = 0;
        }),
        ("a sender in line though it is closed", |it| {
            it.hchan.recvq = WaitQ::new();
            park_send(it);
            it.hchan.open = 0;
        }),
        ("a sender and a receiver that do not meet", park_send),
        ("a sender in line though there is room", |it| {
            it.hchan.recvq = WaitQ::new();
            park_send(it);
            (it.hchan.dataqsiz, it.hchan.slots) = (1, 1);
        }),
        ("a value that was put back and is not counted", |it| {
            it.hchan.recvq = WaitQ::new();
            (it.hchan.sent, it.hchan.left) = (1, 1);
            assert!(it.hchan.put_back(1, 1).is_none());
            it.hchan.aside = 0;
        }),
        ("a reservation that nobody would look for", |it| {
            park_reserve(it);
            it.hchan.aside = 0;
        }),
        ("a reservation in line though it is closed", |it| {
            park_reserve(it);
            it.hchan.open = 0;
        }),
        ("a reservation in line though there is room", |it| {
            park_reserve(it);
            (it.hchan.dataqsiz, it.hchan.slots) = (1, 1);
        }),
    ];
    for (what, breaks) in breaks {
        let mut machine = Machine::new(0);
        let _receiver = machine.park_recv();
        breaks(&mut machine);
        machine.hchan.look_out();
        let check = || machine.hchan.check();
        assert!(catch_unwind(AssertUnwindSafe(check)).is_err(), "{what}");
    }
    let mut machine = Machine::new(0);
    machine.hchan.outlook = 0;
    assert!(catch_unwind(AssertUnwindSafe(|| machine.hchan.check())).is_err());
}

#[test]
fn a_channel_that_has_counted_beyond_32_bits_is_like_any_other() {
    let edge = u64::from(u32::MAX);
    for times in (edge - 20..edge + 2).chain([edge << 8]) {
        // Ages.
        let mut machine = Machine::used(0, times);
        let mut receivers = [0, 1, 2].map(|_| machine.park_recv());
        assert_eq!([0, 1, 2].map(|value| machine.send(value)), [Ok(()); 3]);
        for receiver in [1, 2, 0] {
            machine.drop_recv(receivers[receiver].take());
        }
        assert_eq!(machine.drain(), [0, 1, 2]);

        // The time of parked sends, and the line that they share with reservations.
        let mut machine = Machine::used(1, times);
        assert_eq!(machine.send(0), Ok(()));
        let [mut first, second] = [1, 2].map(|value| machine.park_send(value));
        let mut reservation = machine.park_reserve();
        let mut last = machine.park_send(3);
        assert_eq!(machine.drop_send(second), Some(2));
        assert_eq!((machine.recv(), machine.recv()), (Ok(0), Ok(1)));
        assert_eq!(machine.look_send(&mut first), (Look::Done, None));
        assert_eq!(machine.look_reserve(&mut reservation), Look::Done);
        assert_eq!(machine.look_send(&mut last), (Look::Parked, None));
        machine.release_permit();
        assert_eq!(machine.look_send(&mut last), (Look::Done, None));

        // The clock.
        let mut machine = Machine::used(3, times);
        for value in 0..30 {
            assert_eq!(ticks(&mut machine, |it| it.send(value)), 1);
            assert_eq!(ticks(&mut machine, Machine::recv), 1);
        }
    }
}

#[test]
fn slots_follow_each_other_beyond_what_32_bits_can_count() {
    for dataqsiz in 1..=7 {
        let mut machine = Machine::used(dataqsiz, u64::from(u32::MAX) - 9);
        let slots = |it: &Machine| (it.hchan.snapshot().recvx, it.hchan.snapshot().sendx);
        for value in 0..20 {
            let (recvx, sendx) = slots(&machine);
            assert_eq!(recvx, sendx);
            assert_eq!(machine.send(value), Ok(()));
            assert_eq!(slots(&machine), (recvx, (sendx + 1) % dataqsiz));
            assert_eq!(machine.recv(), Ok(value));
            assert_eq!(slots(&machine).0, (recvx + 1) % dataqsiz);
        }
    }
}

#[test]
fn as_many_permits_are_granted_as_there_are_slots() {
    let mut machine = Machine::new(usize::MAX);
    let most = core::mem::replace(&mut machine.hchan.slots, 1);
    assert_eq!(machine.reserve(), Ok(()));
    assert_eq!(machine.send(1), Err(TrySendError::Full(())));
    let mut waits = machine.park_reserve();
    assert_eq!(machine.look_reserve(&mut waits), Look::Parked);
    machine.release_permit();
    assert_eq!(machine.look_reserve(&mut waits), Look::Done);
    assert_eq!(machine.hchan.reserved(), most);
}

#[test]
fn leases_leave_room_in_the_count_for_values_that_are_handed() {
    let mut machine = Machine::new(0);
    machine.hchan.unclaimed = u32::MAX / 2;
    assert!(!machine.hchan.lease());
    machine.hchan.end_lease();
    assert!(machine.hchan.lease());
    let receiver = machine.park_recv();
    assert_eq!(machine.send(1), Ok(()));
    assert_eq!(machine.hchan.unclaimed, 1 << 31);
    machine.drop_recv(receiver);
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

#[test]
fn the_last_receiver_takes_what_is_inside_oldest_first() {
    let mut machine = Machine::new(2);
    let receiver = machine.park_recv();
    assert_eq!([0, 1, 2].map(|value| machine.send(value)), [Ok(()); 3]);
    machine.drop_recv(receiver);
    assert!(machine.hchan.add_receiver());
    let leave = |it: &mut Machine| {
        let mut rest = Rest::new();
        it.step(|hchan, _| {
            hchan
                .remove_receiver(&outside(), None, &mut rest)
                .wake_all()
        });
        rest.returned.extend(rest.inside);
        rest.returned
    };
    assert!(leave(&mut machine).is_empty() && !machine.hchan.is_closed());
    assert_eq!(leave(&mut machine), [0, 1, 2]);
    assert!(machine.hchan.is_over());
}

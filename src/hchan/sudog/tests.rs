//! Lines that one may leave from anywhere, and who is first in them.

use alloc::vec::Vec;
use core::task::Waker;

use super::{State, Sudog, Sudogs, Ticket, WaitQ};
use crate::hchan::offer::{Offer, Terms};
use crate::sync::Arc;
use crate::watch::visit;

/// Parks a task, in the order of the numbers.
fn park(sudogs: &mut Sudogs, queue: &mut WaitQ, id: u32) -> Ticket {
    let waker = Waker::noop().clone();
    queue
        .park(sudogs, id.into(), visit(), |sudog| sudog.set_task(waker))
        .0
}

/// Parks an arm of a select.
fn park_arm(sudogs: &mut Sudogs, queue: &mut WaitQ, id: u32, select: &Arc<Offer>) -> Ticket {
    let arm = select.clone();
    queue
        .park(sudogs, id.into(), visit(), |sudog| sudog.set_arm(arm, 0))
        .0
}

fn open() -> Arc<Offer> {
    let offer = Arc::new(Offer::new());
    offer.open(Waker::noop().clone());
    offer
}

fn dequeue(sudogs: &mut Sudogs, queue: &mut WaitQ, terms: Terms, limit: u64) -> Option<u32> {
    let (number, _waker) = queue.dequeue(sudogs, terms, limit)?;
    Some(sudogs.get(number).age as u32)
}

fn leave(sudogs: &mut Sudogs, queue: &mut WaitQ, ticket: &Ticket) -> u32 {
    queue.unlink(sudogs, ticket.number());
    sudogs.release(ticket.number(), |sudog| {
        assert!(sudog.take_waker().is_some());
        sudog.age as u32
    })
}

fn ids(sudogs: &Sudogs, queue: &WaitQ) -> Vec<u32> {
    queue.iter(sudogs).map(|sudog| sudog.age as u32).collect()
}

#[test]
fn a_sudog_leaves_its_queue_from_the_head_the_middle_and_the_tail() {
    for leaver in 0..3 {
        let (mut sudogs, mut queue) = (Sudogs::new(), WaitQ::new());
        let mut tickets: Vec<_> = (0..3).map(|id| park(&mut sudogs, &mut queue, id)).collect();
        let ticket = tickets.remove(leaver as usize);
        assert_eq!(leave(&mut sudogs, &mut queue, &ticket), leaver);
        let left: Vec<_> = (0..3).filter(|&id| id != leaver).collect();
        assert_eq!(ids(&sudogs, &queue), left);

        // Who comes next stands at the end, in the place that is free.
        let next = park(&mut sudogs, &mut queue, 3);
        assert_eq!(next.number(), ticket.number());
        assert_eq!(ids(&sudogs, &queue).last(), Some(&3));
        for ticket in tickets.into_iter().chain([next]) {
            leave(&mut sudogs, &mut queue, &ticket);
        }
        assert!(queue.is_empty() && queue.first_age(&sudogs).is_none());
    }
}

#[test]
fn sudogs_are_dequeued_first_come_first_served() {
    let (mut sudogs, mut queue) = (Sudogs::new(), WaitQ::new());
    let _tickets: Vec<_> = (0..4).map(|id| park(&mut sudogs, &mut queue, id)).collect();
    for id in 0..4 {
        assert_eq!(queue.first_age(&sudogs), Some(id.into()));
        let first = dequeue(&mut sudogs, &mut queue, Terms::Final, u64::MAX);
        assert_eq!((first, queue.count(&sudogs)), (Some(id), 3 - id as usize));
    }
    assert_eq!(
        dequeue(&mut sudogs, &mut queue, Terms::Final, u64::MAX),
        None
    );
    park(&mut sudogs, &mut queue, 4);
    assert_eq!(ids(&sudogs, &queue), [4]);
}

#[test]
fn who_parked_after_the_limit_is_left_alone() {
    let (mut sudogs, mut queue) = (Sudogs::new(), WaitQ::new());
    let select = open();
    let _tickets = [
        park(&mut sudogs, &mut queue, 1),
        park_arm(&mut sudogs, &mut queue, 2, &select),
        park(&mut sudogs, &mut queue, 3),
    ];
    let mut dequeue = |limit| dequeue(&mut sudogs, &mut queue, Terms::Final, limit);
    assert_eq!([dequeue(0), dequeue(1), dequeue(1)], [None, Some(1), None]);
    assert_eq!(
        [dequeue(2), dequeue(2), dequeue(3)],
        [Some(2), None, Some(3)]
    );
}

#[test]
fn an_arm_whose_select_is_not_open_leaves_the_line_on_the_way() {
    let (mut sudogs, mut queue) = (Sudogs::new(), WaitQ::new());
    let (withdrawn, served) = (open(), open());
    let arms = [
        park_arm(&mut sudogs, &mut queue, 0, &withdrawn),
        park_arm(&mut sudogs, &mut queue, 1, &served),
        park_arm(&mut sudogs, &mut queue, 2, &served),
    ];
    park(&mut sudogs, &mut queue, 3);
    drop(withdrawn.withdraw());
    assert_eq!((ids(&sudogs, &queue).len(), queue.count(&sudogs)), (4, 3));
    let first = dequeue(&mut sudogs, &mut queue, Terms::Final, u64::MAX);
    assert_eq!((first, served.accepted()), (Some(1), Some(0)));
    assert_eq!((ids(&sudogs, &queue).len(), queue.count(&sudogs)), (2, 1));
    let second = dequeue(&mut sudogs, &mut queue, Terms::Final, u64::MAX);
    assert_eq!((second, queue.is_empty()), (Some(3), true));
    // The one that was accepted is its counterpart's to complete.
    let states = [0, 2].map(|arm: usize| sudogs.get(arms[arm].number()).state);
    assert_eq!(states, [State::Passed; 2]);
}

#[test]
fn an_arm_that_is_held_is_passed_by_and_stays() {
    let (mut sudogs, mut queue) = (Sudogs::new(), WaitQ::new());
    let select = open();
    park_arm(&mut sudogs, &mut queue, 0, &select);
    park(&mut sudogs, &mut queue, 1);
    select.hold();
    let any = |_: &Sudog| true;
    let found = |queue: &WaitQ, sudogs: &Sudogs, terms| queue.find(sudogs, terms, any);
    assert_eq!(found(&queue, &sudogs, Terms::Final), Some(1));
    assert_eq!(found(&queue, &sudogs, Terms::Revocable), Some(0));
    let first = dequeue(&mut sudogs, &mut queue, Terms::Final, u64::MAX);
    assert_eq!((first, ids(&sudogs, &queue)), (Some(1), [0].into()));
    let none = dequeue(&mut sudogs, &mut queue, Terms::Final, u64::MAX);
    assert_eq!((none, queue.count(&sudogs)), (None, 1));
    let first = dequeue(&mut sudogs, &mut queue, Terms::Revocable, u64::MAX);
    assert_eq!((first, queue.is_empty()), (Some(0), true));
}

#[test]
fn a_select_does_not_meet_itself() {
    let (mut sudogs, mut queue) = (Sudogs::new(), WaitQ::new());
    let (select, other) = (open(), open());
    assert!(!queue.has_other(&sudogs, &select, Terms::Revocable));
    park_arm(&mut sudogs, &mut queue, 0, &select);
    assert!(!queue.has_other(&sudogs, &select, Terms::Revocable));
    assert!(queue.has_other(&sudogs, &other, Terms::Revocable));
    assert!(!queue.starts_with_task(&sudogs));
    park(&mut sudogs, &mut queue, 1);
    assert!(queue.has_other(&sudogs, &select, Terms::Revocable));
}

#[test]
fn a_task_leaves_its_waker_and_an_arm_its_offer() {
    let (mut sudogs, mut queue) = (Sudogs::new(), WaitQ::new());
    let (select, waker) = (open(), Waker::noop().clone());
    let task = park(&mut sudogs, &mut queue, 0);
    let arm = park_arm(&mut sudogs, &mut queue, 1, &select);
    assert_eq!(Arc::strong_count(&select), 2);

    let sudog = sudogs.get_mut(task.number());
    assert!(sudog.is_task() && sudog.select().is_none() && !sudog.is_of(&select));
    assert!(sudog.wakes(&waker) && sudog.renew(waker.clone()).is_some());
    assert!(sudog.take_waker().is_some() && sudog.take_waker().is_none());
    // Once it is completed, another waker is not needed.
    sudog.state = State::Success;
    assert!(sudog.wakes(&waker) && sudog.renew(waker).is_some());
    assert!(sudog.take_waker().is_none());

    let sudog = sudogs.get_mut(arm.number());
    assert!(!sudog.is_task() && sudog.is_of(&select));
    assert!(sudog.take_waker().is_none());
    assert_eq!(Arc::strong_count(&select), 1);
}

#[test]
fn a_ticket_is_a_number_that_is_never_zero() {
    let (mut sudogs, mut queue) = (Sudogs::new(), WaitQ::new());
    for number in 0..3 {
        let ticket = park(&mut sudogs, &mut queue, number);
        let (turned, op) = ticket.into_parts();
        let again = Ticket::from_parts(turned, op);
        assert_eq!(again.number(), number);
    }
    if !cfg!(feature = "tracing") {
        assert_eq!(size_of::<Option<Ticket>>(), size_of::<u32>());
    }
}

//! Places that are used again, and queues that one may leave from anywhere.

use alloc::vec::Vec;
use core::task::Waker;

use super::{State, Sudogs, Ticket, WaitQ};
use crate::party::{Party, Terms};

fn park(sudogs: &mut Sudogs<usize>, queue: &mut WaitQ, id: usize) -> Ticket {
    queue.park(sudogs, Some(id), Party::Task(Waker::noop().clone()), 0)
}

fn ids(sudogs: &Sudogs<usize>, queue: &WaitQ) -> Vec<usize> {
    queue
        .iter(sudogs, Terms::Final)
        .filter_map(|sudog| sudog.elem)
        .collect()
}

#[test]
fn a_sudog_leaves_its_queue_from_the_head_the_middle_and_the_tail() {
    for leaver in 0..3 {
        let (mut sudogs, mut queue) = (Sudogs::new(), WaitQ::new());
        let mut tickets: Vec<_> = (0..3).map(|id| park(&mut sudogs, &mut queue, id)).collect();
        let ticket = tickets.remove(leaver);
        queue.unlink(&mut sudogs, &ticket);
        assert_eq!(sudogs.release(ticket).0, Some(leaver));
        let left: Vec<_> = (0..3).filter(|&id| id != leaver).collect();
        assert_eq!(ids(&sudogs, &queue), left);
        for ticket in tickets {
            queue.unlink(&mut sudogs, &ticket);
        }
        assert!(queue.is_empty() && queue.last(&sudogs).is_none());
    }
}

#[test]
fn sudogs_are_dequeued_first_come_first_served() {
    let (mut sudogs, mut queue) = (Sudogs::new(), WaitQ::new());
    let _tickets: Vec<_> = (0..4).map(|id| park(&mut sudogs, &mut queue, id)).collect();
    let second = queue.dequeue(&mut sudogs, Terms::Final, |sudog| sudog.elem != Some(0));
    assert_eq!(second.and_then(|(index, _)| sudogs.at(index).elem), Some(1));
    assert_eq!(queue.last(&sudogs).and_then(|sudog| sudog.elem), Some(3));
    let first = queue.dequeue(&mut sudogs, Terms::Final, |_| true);
    assert_eq!(first.and_then(|(index, _)| sudogs.at(index).elem), Some(0));
    assert_eq!(ids(&sudogs, &queue), [2, 3]);
    assert!(
        queue
            .dequeue(&mut sudogs, Terms::Final, |_| false)
            .is_none()
    );
}

#[test]
fn a_place_is_used_again() {
    let (mut sudogs, mut queue) = (Sudogs::new(), WaitQ::new());
    for id in 0..1000 {
        let ticket = park(&mut sudogs, &mut queue, id);
        assert_eq!(sudogs.get(&ticket).state, State::Parked);
        queue.unlink(&mut sudogs, &ticket);
        assert_eq!(sudogs.release(ticket).0, Some(id));
    }
    assert_eq!(sudogs.slots.len(), 1);
}

#[test]
#[should_panic(expected = "a ticket outlived its sudog")]
fn a_ticket_is_good_for_one_use_of_its_place() {
    let (mut sudogs, mut queue) = (Sudogs::new(), WaitQ::new());
    let ticket = park(&mut sudogs, &mut queue, 1);
    let stale = Ticket {
        number: ticket.number,
        generation: ticket.generation,
    };
    queue.unlink(&mut sudogs, &ticket);
    drop(sudogs.release(ticket));
    let _next = park(&mut sudogs, &mut queue, 2);
    sudogs.get(&stale);
}

#[test]
fn the_memory_of_a_burst_goes_with_its_waiters_whoever_stays() {
    for stays in [0, 50_000, 99_999] {
        let (mut sudogs, mut queue) = (Sudogs::new(), WaitQ::new());
        let burst = (0..100_000).map(|id| park(&mut sudogs, &mut queue, id));
        let mut tickets: Vec<_> = burst.collect();
        assert!(sudogs.slots.capacity() >= 100_000);
        let last = tickets.remove(stays);
        for ticket in tickets {
            queue.unlink(&mut sudogs, &ticket);
            drop(sudogs.release(ticket));
        }
        assert!(sudogs.slots.capacity() <= stays.max(sudogs.slots.len()) + 1);

        // What is free is used before there is more.
        let places = sudogs.slots.len();
        let next: Vec<_> = (1..places.max(2))
            .map(|id| park(&mut sudogs, &mut queue, id))
            .collect();
        assert_eq!(sudogs.slots.len(), places.max(2));
        for ticket in next.into_iter().chain([last]) {
            queue.unlink(&mut sudogs, &ticket);
            drop(sudogs.release(ticket));
        }
        assert!(sudogs.slots.len() <= Sudogs::<usize>::KEPT);
    }
}

/// A slab in which so many were parked and those in `stay` are.
fn after_burst(parked: usize, stay: core::ops::Range<usize>) -> (Sudogs<usize>, Vec<Ticket>) {
    let (mut sudogs, mut queue) = (Sudogs::new(), WaitQ::new());
    let tickets: Vec<_> = (0..parked)
        .map(|id| park(&mut sudogs, &mut queue, id))
        .collect();
    let mut stayed = Vec::new();
    for (id, ticket) in tickets.into_iter().enumerate().rev() {
        queue.unlink(&mut sudogs, &ticket);
        match stay.contains(&id) {
            true => stayed.push(ticket),
            false => drop(sudogs.release(ticket)),
        }
    }
    (sudogs, stayed)
}

#[test]
fn no_more_than_128_kilobytes_are_kept_and_what_is_more_while_a_quarter_is_in_use() {
    let kept = Sudogs::<usize>::KEPT;
    let bytes = kept * size_of::<super::Sudog<usize>>();
    assert!((120 << 10..=128 << 10).contains(&bytes));
    assert_eq!(after_burst(kept, 0..0).0.slots.len(), kept);
    assert_eq!(after_burst(8 * kept, 0..4 * kept).0.slots.len(), 8 * kept);
    assert!(after_burst(8 * kept, 0..kept).0.slots.len() < 4 * kept);

    let (mut sudogs, stayed) = after_burst(8 * kept, kept - 1..kept);
    assert_eq!(sudogs.slots.len(), kept);
    for ticket in stayed {
        drop(sudogs.release(ticket));
    }
    assert_eq!(sudogs.slots.len(), kept);
}

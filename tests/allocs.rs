//! Waiting costs no memory: how often a channel allocates, how much, and what it keeps.
#![cfg(all(feature = "std", feature = "sink"))]
#![allow(
    unsafe_code,
    reason = "an allocator and a waker that count, and a waker whose clone does something"
)]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::iter;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::{Pin, pin};
use std::ptr;
use std::rc::Rc;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::time::Duration;

use fastrand::Rng;
use futures::StreamExt;
use hchan::{Receiver, RecvSet, Select, Sender, bounded, never, unbounded};

use support::{on_wake, poll_once, ready};

/// The system's allocator, counted for each thread.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// Wraps below zero while the thread frees what others allocated.
    static LIVE_BYTES: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all work is the system's; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        LIVE_BYTES.set(LIVE_BYTES.get().wrapping_add(layout.size()));
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE_BYTES.set(LIVE_BYTES.get().wrapping_sub(layout.size()));
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
}

fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// How many more bytes are allocated now than then.
struct Since(usize);

impl Since {
    fn now() -> Self {
        Self(LIVE_BYTES.get())
    }

    fn bytes(&self) -> usize {
        LIVE_BYTES.get().wrapping_sub(self.0)
    }
}

type Channel = (Sender<u64>, Receiver<u64>);

/// Runs a story on channels of capacity 0, 1 and 64 that are empty or full, until it is routine;
/// from then on it must not allocate.
#[track_caller]
fn routine(full: bool, mut story: impl FnMut(&mut Sender<u64>, &mut Receiver<u64>)) {
    for capacity in [0, 1, 64] {
        let (mut tx, mut rx) = bounded(capacity);
        if full {
            (0..capacity).for_each(|_| tx.try_send(0).unwrap());
        }
        (0..200).for_each(|_| story(&mut tx, &mut rx));
        let count = allocations(|| (0..1000).for_each(|_| story(&mut tx, &mut rx)));
        assert_eq!(count, 0, "capacity {capacity}");
    }
}

/// Polls a future, which has to park.
#[track_caller]
fn park<F: Future + Unpin>(mut future: F) -> F {
    assert!(poll_once(&mut future).is_pending());
    future
}

#[test]
#[cfg_attr(feature = "inspect", ignore = "the registry takes memory")]
fn a_channel_is_one_small_allocation() {
    let makers: [fn() -> Channel; 5] = [
        || bounded(0),
        || bounded(64),
        || bounded(usize::MAX),
        unbounded,
        never,
    ];
    // With `tracing`, three more words for what is not told yet.
    let most = match cfg!(feature = "tracing") {
        true => 192 + 3 * size_of::<usize>(),
        false => 192,
    };
    for make in makers {
        let since = Since::now();
        let mut channel = None;
        assert_eq!(allocations(|| channel = Some(make())), 1);
        assert!(since.bytes() <= most, "{} bytes", since.bytes());
        drop(channel);
        assert_eq!(since.bytes(), 0);
    }
}

/// With `inspect`: a record for each channel, a place for each further handle, which is used again, and now and then
/// room in the registry.
#[cfg(feature = "inspect")]
#[test]
fn the_registry_takes_one_allocation_for_a_channel() {
    for capacity in [0, 64] {
        let mut channels = Vec::with_capacity(100);
        let count = allocations(|| channels.extend((0..100).map(|_| bounded::<u64>(capacity))));
        assert!(count <= 2 * 100 + 30, "{count}");
        let (tx, rx) = &channels[0];
        assert_eq!(allocations(|| drop(tx.clone())), 1);
        assert_eq!(allocations(|| (0..100).for_each(|_| drop(rx.clone()))), 0);
        assert_eq!(allocations(|| channels.clear()), 0);
    }
}

#[test]
#[cfg_attr(feature = "inspect", ignore = "the registry takes memory")]
fn a_parked_receive_costs_little_however_large_the_values_are() {
    for count in [1, 2000] {
        let (_tx, rx) = bounded::<[u8; 64 * 1024]>(0);
        let mut parked = Vec::with_capacity(count);
        let since = Since::now();
        parked.extend((0..count).map(|_| park(rx.recv())));
        assert!(since.bytes() <= count * 128, "{} bytes", since.bytes());
    }
}

#[test]
fn the_largest_capacity_costs_nothing_until_it_is_used() {
    let (tx, rx) = bounded::<u64>(usize::MAX);
    let since = Since::now();
    (0..8).for_each(|n| tx.try_send(n).unwrap());
    assert!(since.bytes() <= 256, "{} bytes", since.bytes());
    assert!(rx.drain().eq(0..8));
}

#[test]
fn storage_grows_no_further_than_the_capacity() {
    type Large = [u8; 1024];
    for capacity in [1, 3, 5, 100] {
        let (tx, rx) = bounded::<Large>(capacity);
        let since = Since::now();
        for _lap in 0..10 {
            (0..capacity).for_each(|_| tx.try_send([0; 1024]).unwrap());
            assert!(tx.is_full());
            assert!(since.bytes() <= capacity * size_of::<Large>());
            assert_eq!(rx.try_iter().count(), capacity);
        }
        assert!(since.bytes() <= capacity * size_of::<Large>());
    }
}

#[test]
fn a_ready_pair_allocates_nothing() {
    for capacity in [1, 64] {
        let (tx, rx) = bounded(capacity);
        let pair = || {
            ready(tx.send(1)).unwrap();
            assert_eq!(ready(rx.recv()), Ok(1));
        };
        (0..200).for_each(|_| pair());
        assert_eq!(allocations(|| (0..1000).for_each(|_| pair())), 0);
    }
}

#[test]
fn a_parked_send_allocates_nothing() {
    routine(true, |tx, rx| {
        let send = park(tx.send(0));
        rx.try_recv().unwrap();
        ready(send).unwrap();
    });
    routine(true, |tx, rx| {
        let mut slot = Some(0);
        let send = park(tx.send_from(&mut slot));
        rx.try_recv().unwrap();
        ready(send).unwrap();
    });
}

/// The place in line of a send is free again when its value was taken, even if nobody comes to ask.
#[test]
fn a_served_send_that_is_forgotten_allocates_nothing() {
    routine(true, |tx, rx| {
        mem::forget(park(tx.send(0)));
        rx.try_recv().unwrap();
    });
}

#[test]
fn a_parked_receive_that_is_handed_its_value_allocates_nothing() {
    routine(false, |tx, rx| {
        let recv = park(rx.recv());
        tx.try_send(1).unwrap();
        assert_eq!(ready(recv), Ok(1));
    });
}

#[test]
fn a_value_that_is_put_back_allocates_nothing() {
    routine(false, |tx, rx| {
        let handed = park(rx.recv());
        tx.try_send(1).unwrap();
        drop(handed);
        assert_eq!(rx.try_recv(), Ok(1));
    });
    routine(false, |tx, rx| {
        let handed = park(rx.recv());
        let next = park(rx.recv());
        tx.try_send(1).unwrap();
        drop(handed);
        assert_eq!(ready(next), Ok(1));
    });
}

#[test]
fn a_reservation_allocates_nothing() {
    routine(true, |tx, rx| {
        if rx.capacity() == Some(0) {
            return;
        }
        let reserve = park(tx.reserve());
        rx.try_recv().unwrap();
        ready(reserve).unwrap().send(1).unwrap();
        assert!(tx.try_reserve().is_err());
        drop(park(tx.reserve()));
    });
}

#[test]
fn slots_that_permits_hold_are_not_filled_step_by_step() {
    let (tx, _rx) = bounded::<u64>(10_000);
    let permits: Vec<_> = (0..10_000).map(|_| tx.try_reserve().unwrap()).collect();
    let count = allocations(|| {
        permits
            .into_iter()
            .for_each(|permit| permit.send(1).unwrap());
    });
    assert!(count <= 20, "{count}");
}

/// A crowd that comes again and again: of values of so many bytes.
#[track_caller]
fn returning_crowd<const BYTES: usize>(crowd: usize) {
    let (tx, rx) = bounded::<[u8; BYTES]>(0);
    let mut parked = Vec::with_capacity(crowd);
    let mut round = || {
        parked.extend((0..crowd).map(|_| park(rx.recv())));
        (0..crowd).for_each(|_| tx.try_send([0; BYTES]).unwrap());
        parked
            .drain(..)
            .for_each(|recv| assert!(ready(recv).is_ok()));
        let mut sends: [_; 2] = [0, 1].map(|_| park(tx.send([0; BYTES])));
        (0..2).for_each(|_| assert!(rx.try_recv().is_ok()));
        sends
            .iter_mut()
            .for_each(|send| assert_eq!(ready(send), Ok(())));
    };
    round();
    assert_eq!(allocations(round), 0);
}

#[test]
fn a_crowd_that_comes_again_allocates_nothing() {
    returning_crowd::<64>(300);
    returning_crowd::<1024>(60);
    returning_crowd::<9000>(8);
}

/// A crowd that stays, of which one after another is served and parks again: with so many values of so many bytes
/// handed and not yet received, and the places of the crowd well shuffled.
#[track_caller]
fn standing_crowd<const BYTES: usize>(crowd: usize, handed: usize) {
    const ROUNDS: usize = 20_000;

    let mut rng = Rng::with_seed(1);
    let (tx, rx) = bounded::<[u8; BYTES]>(0);
    let mut parked: VecDeque<_> = (0..crowd).map(|_| park(rx.recv())).collect();
    rng.shuffle(parked.make_contiguous());
    parked.clear();
    parked.extend((0..crowd).map(|_| park(rx.recv())));
    (0..handed).for_each(|_| tx.try_send([0; BYTES]).unwrap());
    let mut rounds = || {
        for _ in 0..ROUNDS {
            tx.try_send([0; BYTES]).unwrap();
            assert!(ready(parked.pop_front().unwrap()).is_ok());
            parked.push_back(park(rx.recv()));
        }
    };
    rounds();
    rounds();
    let count = allocations(rounds);
    // How many segments have a value of several goes up and down.
    let limit = handed.min(1) * ROUNDS / 200;
    assert!(
        count <= limit,
        "{count} for {BYTES} bytes, {crowd} receives, {handed} handed"
    );
}

#[test]
fn a_crowd_that_is_served_by_turns_hardly_allocates() {
    standing_crowd::<8>(20_000, 0);
    standing_crowd::<64>(5_000, 0);
    standing_crowd::<64>(5_000, 30);
    standing_crowd::<256>(1_000, 10);
    standing_crowd::<4096>(300, 1);
}

#[test]
fn a_wait_for_the_end_allocates_nothing() {
    routine(false, |tx, rx| {
        drop(park(tx.closed()));
        drop(park(rx.closed()));
    });
}

#[test]
fn a_cancelled_operation_allocates_nothing() {
    routine(true, |tx, _| {
        drop(park(tx.send(1)));
        assert_eq!(park(tx.send(1)).cancel(), Some(1));
    });
    routine(false, |_, rx| {
        let first = park(rx.recv());
        let middle = park(rx.recv());
        let last = park(rx.recv());
        drop((middle, first, last));
    });
}

#[test]
fn a_select_in_a_loop_allocates_nothing() {
    let [(a, ra), (b, rb)] = [bounded(0), bounded(1)];
    let round = |n: u64| {
        let mut select = pin!(async {
            hchan::select! {
                recv(ra) -> value => value.ok(),
                recv(rb) -> value => value.ok(),
            }
        });
        assert!(poll_once(&mut select).is_pending());
        [&a, &b][n as usize % 2].try_send(n).unwrap();
        assert_eq!(poll_once(&mut select), Poll::Ready(Some(n)));
    };
    // The first select of a thread makes what the next ones use.
    (0..4).for_each(round);
    assert_eq!(allocations(|| (0..100).for_each(round)), 0);
}

#[test]
fn a_select_that_is_given_up_allocates_nothing() {
    let [(a, ra), (b, rb)] = [bounded::<u64>(0), bounded::<u64>(0)];
    let round = || {
        let mut select = pin!(async {
            hchan::select! {
                recv(ra) -> _ => (),
                recv(rb) -> _ => (),
            }
        });
        assert!(poll_once(&mut select).is_pending());
    };
    round();
    assert_eq!(allocations(round), 0);
    drop((a, b));
}

#[test]
fn a_hundred_thousand_selects_on_a_quiet_channel_leave_no_memory_there() {
    let (quiet_tx, quiet) = bounded::<[u64; 16]>(0);
    let (tx, rx) = bounded(0);
    let round = |value| {
        let mut select = pin!(async {
            hchan::select! {
                recv(quiet) -> _ => 0,
                recv(rx) -> value => value.unwrap(),
                send(quiet_tx, [0; 16]) -> _ => 0,
            }
        });
        assert!(poll_once(&mut select).is_pending());
        tx.try_send(value).unwrap();
        assert_eq!(poll_once(&mut select), Poll::Ready(value));
    };
    (0..4_u64).for_each(round);
    let since = Since::now();
    (0..100_000).for_each(round);
    assert_eq!((quiet.snapshot().sendq, quiet.snapshot().recvq), (0, 0));
    assert_eq!(since.bytes(), 0);
}

#[test]
fn the_rounds_of_a_set_allocate_nothing() {
    for count in [1, 10, 2000] {
        let (txs, rxs): (Vec<_>, Vec<_>) = (0..count).map(|_| bounded::<u64>(0)).unzip();
        let (_spare, spare) = bounded(0);
        let mut set: RecvSet<_> = rxs.into_iter().collect();
        let rounds = |set: &mut RecvSet<u64>| {
            for n in 0..20 {
                let which = n * 7 % count;
                assert_eq!(set.try_next(), None);
                assert!(poll_once(set.next()).is_pending());
                let mut next = park(set.next());
                txs[which].try_send(n as u64).unwrap();
                assert_eq!(poll_once(&mut next), Poll::Ready((which, Ok(n as u64))));
                drop(next);
                let mut send = park(txs[which].send(9));
                assert_eq!(ready(set.next()), (which, Ok(9)));
                assert_eq!(poll_once(&mut send), Poll::Ready(Ok(())));
            }
        };
        rounds(&mut set);
        assert_eq!(allocations(|| rounds(&mut set)), 0, "{count} receivers");
        // Nor do changes, once there is room.
        let index = set.add(spare);
        rounds(&mut set);
        let Some(spare) = set.remove(index) else {
            panic!("it was added");
        };
        let changes = allocations(|| {
            let index = set.add(spare);
            rounds(&mut set);
            drop(set.remove(index));
        });
        assert_eq!(changes, 0, "{count} receivers");
    }
}

#[test]
#[cfg_attr(feature = "inspect", ignore = "the registry takes memory")]
fn a_set_takes_the_same_memory_however_large_the_values_are() {
    let since = Since::now();
    let mut set = RecvSet::new();
    let (_tx, rx) = bounded::<[u8; 64 * 1024]>(1);
    set.extend((0..100).map(|_| rx.clone()));
    // With `tracing`, a handle and its place know where they were asked for, and what is told of them.
    let most = match cfg!(feature = "tracing") {
        true => 128,
        false => 64,
    };
    assert!(since.bytes() < 100 * most, "{} bytes", since.bytes());
}

#[test]
fn a_large_select_leaves_little_memory_behind() {
    let since = Since::now();
    {
        let channels: Vec<_> = (0..10_000).map(|_| bounded::<u8>(0)).collect();
        let mut select = Select::new();
        for (_, rx) in &channels {
            select = select.recv(rx, |value| value);
        }
        assert!(poll_once(&mut select).is_pending());
        channels[77].0.try_send(1).unwrap();
        assert_eq!(poll_once(&mut select), Poll::Ready(Ok(1)));
    }
    assert!(since.bytes() < 1024, "{} bytes", since.bytes());
}

#[test]
fn streams_and_sinks_allocate_nothing() {
    // Here alone: on a `&mut Sender` its `send` would hide the sender's own.
    use futures::SinkExt;

    routine(false, |tx, rx| {
        assert!(poll_once(StreamExt::next(rx)).is_pending());
        tx.try_send(1).unwrap();
        assert_eq!(poll_once(StreamExt::next(rx)), Poll::Ready(Some(1)));
    });
    routine(false, |tx, rx| {
        let next = park(rx.next());
        tx.try_send(1).unwrap();
        assert_eq!(ready(next), Some(1));
        assert!(poll_once(StreamExt::next(rx)).is_pending());
        assert!(rx.try_recv().is_err());
    });
    // A sink waits for a slot, or on capacity 0 for its item's receiver.
    routine(true, |tx, rx| {
        let is_fed = poll_once(tx.feed(1)).is_ready();
        assert_eq!(is_fed, rx.capacity() == Some(0));
        assert_eq!(poll_once(tx.flush()).is_pending(), is_fed);
        rx.try_recv().unwrap();
        if !is_fed {
            assert!(poll_once(tx.feed(1)).is_ready());
        }
        assert!(poll_once(tx.flush()).is_ready());
    });
}

#[test]
fn leases_and_operations_that_own_their_handles_allocate_nothing() {
    routine(false, |tx, rx| {
        let mut lease = park(rx.lease());
        tx.try_send(1).unwrap();
        drop(ready(&mut lease).unwrap());
        assert_eq!(rx.try_lease().unwrap().take(), 1);
    });
    routine(false, |tx, rx| {
        let recv = park(rx.clone().recv_owned());
        assert!(ready(tx.clone().send_owned(1)).is_ok());
        assert_eq!(ready(recv), Ok(1));
    });
    routine(false, |tx, rx| {
        if rx.capacity() != Some(0) {
            let permit = ready(tx.clone().reserve_owned()).unwrap();
            drop(permit.send(1).unwrap());
            assert_eq!(rx.try_recv(), Ok(1));
        }
    });
}

#[test]
fn bursts_allocate_nothing() {
    let mut items = VecDeque::with_capacity(64);
    let mut out = Vec::with_capacity(64);
    routine(false, |tx, rx| {
        items.extend(0..10);
        out.clear();
        let send = poll_once(tx.send_many(&mut items));
        assert_eq!(send.is_ready(), items.is_empty());
        if let Ok(count) = rx.try_recv_many(&mut out, 64) {
            assert_eq!(count, out.len());
        }
        items.clear();
    });
}

#[test]
fn a_blocked_thread_allocates_nothing() {
    routine(true, |tx, _| {
        assert!(tx.send_blocking_timeout(1, Duration::ZERO).is_err());
    });
    routine(false, |_, rx| {
        assert!(rx.recv_blocking_timeout(Duration::from_nanos(1)).is_err());
    });
}

/// As many as can be expected to wait at one channel on a bad day.
const CROWD: usize = 100_000;
/// What a channel may keep when a bad day is over: of its values, and beside that places for waiters.
const SMALL: usize = 32 * 1024;
const PLACES: usize = match cfg!(feature = "inspect") {
    false => 192 * 1024,
    // And for each place what is shown of it.
    true => 448 * 1024,
};

/// Lets a crowd of parked operations come, and go in some way; then the channel is small again.
#[track_caller]
fn crowd<'a, F>(since: &Since, come: impl Fn() -> F, go: impl FnOnce(Vec<F>))
where
    F: Future + Unpin + 'a,
{
    let mut parked = Vec::with_capacity(CROWD);
    parked.extend((0..CROWD).map(|_| park(come())));
    go(parked);
    assert!(since.bytes() < PLACES + SMALL, "{} bytes", since.bytes());
}

#[test]
fn a_crowd_of_receives_leaves_no_memory_behind() {
    let since = Since::now();
    let (tx, rx) = bounded::<u64>(0);
    crowd(&since, || rx.recv(), drop);
    crowd(
        &since,
        || rx.recv(),
        |parked| {
            for recv in parked {
                tx.try_send(1).unwrap();
                assert_eq!(ready(recv), Ok(1));
            }
        },
    );
    crowd(
        &since,
        || rx.recv(),
        |parked| {
            tx.close();
            parked
                .into_iter()
                .for_each(|recv| assert!(ready(recv).is_err()));
        },
    );
}

#[test]
fn a_crowd_of_sends_leaves_no_memory_behind() {
    let since = Since::now();
    let (tx, rx) = bounded::<u64>(1);
    tx.try_send(0).unwrap();
    crowd(&since, || tx.send(1), drop);
    crowd(&since, || tx.reserve(), drop);
    crowd(
        &since,
        || tx.send(1),
        |parked| {
            for send in parked {
                rx.try_recv().unwrap();
                assert_eq!(ready(send), Ok(()));
            }
        },
    );
    crowd(
        &since,
        || tx.send(1),
        |parked| {
            rx.close();
            parked
                .into_iter()
                .for_each(|send| assert!(ready(send).is_err()));
        },
    );
}

#[test]
fn a_crowd_of_sends_and_reservations_leaves_no_memory_behind() {
    for is_closed in [false, true] {
        let since = Since::now();
        let (tx, _rx) = bounded::<u64>(1);
        tx.try_send(0).unwrap();
        let both = (0..CROWD / 2).map(|_| (park(tx.send(1)), park(tx.reserve())));
        let (sends, reserves): (Vec<_>, Vec<_>) = both.unzip();
        if is_closed {
            tx.close();
            sends
                .into_iter()
                .for_each(|send| assert!(ready(send).is_err()));
            reserves
                .into_iter()
                .for_each(|reserve| assert!(ready(reserve).is_err()));
        } else {
            drop((sends, reserves));
        }
        assert!(since.bytes() < PLACES + SMALL, "{} bytes", since.bytes());
    }
}

#[test]
fn a_crowd_with_values_of_any_size_leaves_no_memory_behind() {
    /// As many as 40 MB are for.
    fn come_and_go<const BYTES: usize>() {
        let since = Since::now();
        let (tx, rx) = bounded::<[u8; BYTES]>(0);
        for way in 0..3 {
            let sends = (0..CROWD.min(40_000_000 / BYTES)).map(|_| park(tx.send([0; BYTES])));
            let parked: Vec<_> = sends.collect();
            match way {
                0 => drop(parked),
                1 => parked.into_iter().rev().for_each(drop),
                _ => {
                    for send in parked {
                        rx.try_recv().unwrap();
                        assert_eq!(ready(send), Ok(()));
                    }
                }
            }
            let kept = since.bytes();
            let most = PLACES + 64 * 1024 + 3 * BYTES;
            assert!(kept < most, "{BYTES} bytes: {kept} kept");
        }
    }
    come_and_go::<1>();
    come_and_go::<63>();
    come_and_go::<100>();
    come_and_go::<256>();
    come_and_go::<1000>();
    come_and_go::<4000>();
    come_and_go::<20_000>();
}

#[test]
fn a_crowd_that_waits_for_the_end_leaves_no_memory_behind() {
    let since = Since::now();
    let (tx, rx) = bounded::<u64>(0);
    crowd(&since, || rx.closed(), drop);
    crowd(
        &since,
        || rx.closed(),
        |parked| {
            tx.close();
            parked.into_iter().for_each(ready);
        },
    );
}

/// While a few wait, a crowd of others comes and goes, first come, first gone; perhaps one who came last
/// stays. A while later the channel is small again.
#[track_caller]
fn crowd_that_passes_by<'a, F>(come: impl Fn() -> F)
where
    F: Future + Unpin + 'a,
{
    for stays in [false, true] {
        let idle: Vec<_> = (0..16).map(|_| park(come())).collect();
        let since = Since::now();
        let crowd: Vec<_> = (0..1_000_000).map(|_| park(come())).collect();
        let last = stays.then(|| park(come()));
        drop(crowd);
        (0..100_000).for_each(|_| drop(park(come())));
        let bytes = since.bytes();
        assert!(
            bytes <= PLACES + 2 * SMALL,
            "{bytes} bytes, last stays: {stays}"
        );
        drop((idle, last));
    }
}

#[test]
fn receives_that_pass_by_others_leave_no_memory_behind() {
    let (_tx, rx) = bounded::<u64>(0);
    crowd_that_passes_by(|| rx.recv());
}

#[test]
fn sends_that_pass_by_others_leave_no_memory_behind() {
    let (tx, _rx) = bounded::<u64>(0);
    crowd_that_passes_by(|| tx.send(1));
}

#[test]
fn reservations_that_pass_by_others_leave_no_memory_behind() {
    let (tx, _rx) = bounded::<u64>(1);
    tx.try_send(1).unwrap();
    crowd_that_passes_by(|| tx.reserve());
}

#[test]
fn waits_for_the_end_that_pass_by_others_leave_no_memory_behind() {
    let (tx, _rx) = bounded::<u64>(0);
    crowd_that_passes_by(|| tx.closed());
}

#[test]
fn values_that_were_put_back_leave_no_memory_behind() {
    fn leave<T: PartialEq + Debug>(capacity: usize, value: fn(usize) -> T) {
        let since = Since::now();
        let (tx, rx) = bounded(capacity);
        let handed: Vec<_> = (0..10_000).map(|_| park(rx.recv())).collect();
        (0..10_000).for_each(|n| tx.try_send(value(n)).unwrap());
        drop(handed);
        assert!(rx.try_iter().eq((0..10_000).map(value)));
        assert!(since.bytes() < PLACES + SMALL, "{} bytes", since.bytes());
    }

    for capacity in [0, 1] {
        leave(capacity, |n| n);
        leave(capacity, |_| ());
    }
    leave(100_000, |_| ());
}

#[test]
fn a_crowd_whose_last_was_handed_a_value_leaves_no_memory_behind() {
    let since = Since::now();
    let (tx, rx) = unbounded::<[u8; 2048]>();
    let mut parked: Vec<_> = (0..100_000).map(|_| park(rx.recv())).collect();
    let last = parked.pop();
    drop(parked);
    tx.try_send([1; 2048]).unwrap();
    drop(last);
    assert_eq!(rx.try_recv(), Ok([1; 2048]));
    assert!(since.bytes() < PLACES + SMALL, "{} bytes", since.bytes());
}

#[test]
fn values_that_were_put_back_leave_little_memory_behind_before_the_last_leaves() {
    let since = Since::now();
    let (tx, rx) = unbounded::<u64>();
    (0..300_000).for_each(|n| tx.try_send(n).unwrap());
    let leases: Vec<_> = iter::from_fn(|| rx.try_lease().ok()).collect();
    drop(leases);
    assert!(rx.try_iter().take(299_999).eq(0..299_999));
    assert!(
        since.bytes() < PLACES + 2 * SMALL,
        "{} bytes",
        since.bytes()
    );
    assert_eq!(rx.try_recv(), Ok(299_999));
}

#[test]
fn an_unbounded_channel_is_small_again_when_drained() {
    let since = Since::now();
    let (tx, rx) = unbounded::<u64>();
    (0..1_000_000).for_each(|n| tx.try_send(n).unwrap());
    assert!(since.bytes() >= 8_000_000);
    assert!(rx.try_iter().eq(0..1_000_000));
    assert!(since.bytes() < SMALL, "{} bytes", since.bytes());
}

#[test]
fn a_queue_that_is_never_empty_again_gives_the_memory_of_a_burst_back() {
    let makers: [fn() -> Channel; 2] = [unbounded, || bounded(2_000_000)];
    for make in makers {
        let since = Since::now();
        let (tx, rx) = make();
        let burst = rx.capacity().unwrap_or(1_000_000) as u64;
        (0..burst).for_each(|n| tx.try_send(n).unwrap());
        assert!(since.bytes() as u64 >= burst * 8);
        let mut values = 0..;
        let mut receive = |many| {
            let received = rx.try_iter().take(many);
            assert!(received.eq(values.by_ref().take(many)));
        };
        receive(burst as usize - 1);
        for n in (burst..).take(1_000_000) {
            tx.try_send(n).unwrap();
            if tx.len() == 10 {
                receive(9);
            }
        }
        assert!(since.bytes() <= 64 * 1024, "{} bytes", since.bytes());
        assert!(!tx.is_empty());
    }
}

#[test]
fn large_values_through_an_unbounded_channel_allocate_nothing() {
    fn flow<const SIZE: usize>() {
        let (tx, rx) = unbounded();
        for inside in [1, 3] {
            let round = || {
                (0..inside).for_each(|_| tx.try_send([1_u8; SIZE]).unwrap());
                (0..inside).for_each(|_| assert!(rx.try_recv().is_ok()));
            };
            (0..200).for_each(|_| round());
            let count = allocations(|| (0..1000).for_each(|_| round()));
            assert_eq!(count, 0, "{SIZE} bytes, {inside} at a time");
        }
    }

    flow::<5000>();
    flow::<65_536>();
}

#[test]
#[cfg_attr(feature = "inspect", ignore = "the registry takes memory")]
fn a_dropped_channel_leaves_nothing_behind() {
    let since = Since::now();
    let (tx, rx) = bounded(1000);
    (0..1000).for_each(|n| tx.try_send(Box::new(n)).unwrap());
    drop(park(tx.send(Box::new(1000))));
    let weak = tx.downgrade();
    drop((tx, rx));
    assert!(since.bytes() < 1024, "{} bytes", since.bytes());
    drop(weak);
    assert_eq!(since.bytes(), 0);
}

// Wakers: cloning one may allocate, and is a user's code, so it is done as rarely as possible.

thread_local! {
    static CLONES: Cell<usize> = const { Cell::new(0) };
    static WAKES: Cell<usize> = const { Cell::new(0) };
    static DROPS: Cell<usize> = const { Cell::new(0) };
    /// What the next clone does besides.
    static ON_CLONE: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
    /// What the next drop does besides.
    static ON_DROP: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
}

fn add(count: &'static std::thread::LocalKey<Cell<usize>>) {
    count.set(count.get() + 1);
}

/// A waker that counts on its thread what is done to it.
fn counted() -> Waker {
    static VTABLE: RawWakerVTable = RawWakerVTable::new(
        |_| {
            add(&CLONES);
            if let Some(call) = ON_CLONE.take() {
                call();
            }
            RawWaker::new(ptr::null(), &VTABLE)
        },
        |_| add(&WAKES),
        |_| add(&WAKES),
        |_| {
            add(&DROPS);
            if let Some(call) = ON_DROP.take() {
                call();
            }
        },
    );
    // SAFETY: there is no data to care for.
    unsafe { Waker::new(ptr::null(), &VTABLE) }
}

/// How often the waker was cloned, woken and dropped in the course of a story.
fn waker_calls(story: impl FnOnce(&mut Context<'_>)) -> (usize, usize, usize) {
    for count in [&CLONES, &WAKES, &DROPS] {
        count.set(0);
    }
    let waker = counted();
    story(&mut Context::from_waker(&waker));
    (CLONES.get(), WAKES.get(), DROPS.get())
}

fn poll<F: Future + Unpin>(future: &mut F, cx: &mut Context<'_>) -> Poll<F::Output> {
    Pin::new(future).poll(cx)
}

#[test]
fn a_ready_operation_does_not_touch_its_waker() {
    let (tx, rx) = bounded(1);
    let calls = waker_calls(|cx| {
        assert!(poll(&mut tx.send(1), cx).is_ready());
        assert!(poll(&mut rx.recv(), cx).is_ready());
        assert!(poll(&mut tx.reserve(), cx).is_ready());
    });
    assert_eq!(calls, (0, 0, 0));
}

#[test]
fn an_operation_on_a_closed_channel_does_not_touch_its_waker() {
    let (tx, rx) = bounded(0);
    tx.close();
    let calls = waker_calls(|cx| {
        assert!(poll(&mut tx.send(1), cx).is_ready());
        assert!(poll(&mut rx.recv(), cx).is_ready());
    });
    assert_eq!(calls, (0, 0, 0));
}

#[test]
fn a_parked_operation_clones_its_waker_once_and_wakes_it_by_value() {
    let (tx, rx) = bounded(0);
    let calls = waker_calls(|cx| {
        let mut recv = rx.recv();
        (0..3).for_each(|_| assert!(poll(&mut recv, cx).is_pending()));
        tx.try_send(1).unwrap();
        assert!(poll(&mut recv, cx).is_ready());
    });
    assert_eq!(calls, (1, 1, 0));

    let calls = waker_calls(|cx| {
        let mut send = tx.send(1);
        (0..3).for_each(|_| assert!(poll(&mut send, cx).is_pending()));
        rx.try_recv().unwrap();
        assert!(poll(&mut send, cx).is_ready());
    });
    assert_eq!(calls, (1, 1, 0));

    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let calls = waker_calls(|cx| {
        let (mut closed, mut reserve) = (tx.closed(), tx.reserve());
        for _ in 0..3 {
            assert!(poll(&mut closed, cx).is_pending());
            assert!(poll(&mut reserve, cx).is_pending());
        }
        rx.close();
        assert!(poll(&mut closed, cx).is_ready());
        assert!(poll(&mut reserve, cx).is_ready());
    });
    assert_eq!(calls, (2, 2, 0));
}

/// An operation in line is polled with another waker, and is served while that is cloned.
fn served_while_cloned<F>(name: &str, mut future: F, serve: impl FnOnce() + 'static)
where
    F: Future + Unpin,
{
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(poll(&mut future, cx).is_pending(), "{name}");
    let mut is_ready = false;
    ON_CLONE.set(Some(Box::new(serve)));
    let (clones, wakes, _) = waker_calls(|cx| is_ready = poll(&mut future, cx).is_ready());
    assert!(clones > 0, "{name} keeps its old waker");
    assert!(is_ready || wakes > 0, "{name} is stuck");
    assert!(is_ready || poll(&mut future, cx).is_ready(), "{name}");
}

#[test]
fn what_is_served_while_its_new_waker_is_cloned_is_ready_or_wakes_that() {
    let (mut tx, mut rx) = bounded(1);
    let (other_tx, other_rx) = (tx.clone(), rx.clone());
    let give = || {
        let tx = other_tx.clone();
        move || tx.try_send(1).unwrap()
    };
    served_while_cloned("recv", rx.recv(), give());
    served_while_cloned("next", rx.next(), give());
    served_while_cloned("recv_many", rx.recv_many(&mut Vec::new(), 9), give());
    served_while_cloned("poll_recv", poll_fn(|cx| rx.poll_recv(cx)), give());
    served_while_cloned("select", Select::new().recv(&rx, drop), give());

    let take = || {
        let rx = other_rx.clone();
        move || assert!(rx.try_recv().is_ok())
    };
    tx.try_send(0).unwrap();
    served_while_cloned("send", tx.send(1), take());
    served_while_cloned("send_from", tx.send_from(&mut Some(1)), take());
    served_while_cloned("send_many", tx.send_many(&mut VecDeque::from([1])), take());
    let mut item = Some(1);
    served_while_cloned(
        "poll_send",
        poll_fn(|cx| tx.poll_send(cx, &mut item)),
        take(),
    );
    served_while_cloned("select", Select::new().send(&tx, 1, drop), take());
    served_while_cloned("reserve", tx.reserve(), take());
    served_while_cloned("closed", rx.closed(), move || assert!(other_tx.close()));
}

/// Polls an operation that can proceed once its waker was cloned, in vain; the clone panics as it is dropped.
fn cloned_in_vain<R>(
    serve: impl FnOnce() + 'static,
    op: impl FnOnce(&mut Context<'_>) -> R,
) -> Option<R> {
    ON_CLONE.set(Some(Box::new(serve)));
    ON_DROP.set(Some(Box::new(|| panic_any("a waker's"))));
    let waker = counted();
    let polled = catch_unwind(AssertUnwindSafe(|| op(&mut Context::from_waker(&waker))));
    assert!(ON_CLONE.take().is_none() && ON_DROP.take().is_none());
    polled.ok()
}

#[test]
fn a_waker_that_was_cloned_in_vain_and_panics_as_it_is_dropped_takes_nothing_along() {
    let (mut tx, rx) = bounded(1);
    let send = || {
        let tx = tx.clone();
        move || tx.try_send(1).unwrap()
    };
    let received = cloned_in_vain(send(), |cx| poll(&mut rx.recv(), cx));
    assert_eq!(received, Some(Poll::Ready(Ok(1))));
    let mut recv = rx.recv();
    assert!(poll_once(&mut recv).is_pending());
    let received = cloned_in_vain(send(), |cx| poll(&mut recv, cx));
    assert_eq!((received, poll_once(&mut recv)), (None, Poll::Ready(Ok(1))));

    let leased = cloned_in_vain(send(), |cx| poll(&mut rx.lease(), cx).is_ready());
    assert_eq!(leased, Some(true));
    assert_eq!((rx.snapshot().unclaimed, rx.len()), (0, 1));

    let receive = || {
        let rx = rx.clone();
        move || assert_eq!(rx.try_recv(), Ok(1))
    };
    let reserved = cloned_in_vain(receive(), |cx| poll(&mut tx.reserve(), cx).is_ready());
    assert_eq!((reserved, rx.snapshot().permits), (None, 0));
    tx.try_send(1).unwrap();
    let reserved = cloned_in_vain(receive(), |cx| tx.poll_reserve(cx).is_ready());
    assert_eq!((reserved, rx.snapshot().permits), (None, 0));
}

#[test]
fn a_waker_that_was_cloned_in_vain_may_panic_as_it_is_dropped_after_another_has() {
    let bad = || on_wake(|| panic_any("another's"));
    let (tx, rx) = bounded(1);

    // A full channel and a send that waits, by the time the waker has been cloned.
    let sends: Rc<RefCell<Vec<_>>> = Rc::default();
    let fill = {
        let (tx, sends) = (tx.clone(), sends.clone());
        move || {
            tx.try_send(1).unwrap();
            let mut send = Box::pin(tx.send_owned(2));
            let polled = send.as_mut().poll(&mut Context::from_waker(&bad()));
            assert!(polled.is_pending());
            sends.borrow_mut().push(send);
        }
    };
    let received = cloned_in_vain(fill, |cx| poll(&mut rx.recv(), cx));
    assert_eq!(received, None);
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(1), Ok(2)));
    assert!(poll_once(sends.borrow_mut().pop().unwrap()).is_ready());

    // An empty channel and a receive that waits.
    tx.try_send(0).unwrap();
    let recvs: Rc<RefCell<Vec<_>>> = Rc::default();
    let empty = {
        let (rx, recvs) = (rx.clone(), recvs.clone());
        move || {
            assert_eq!(rx.try_recv(), Ok(0));
            let mut recv = Box::pin(rx.recv_owned());
            let polled = recv.as_mut().poll(&mut Context::from_waker(&bad()));
            assert!(polled.is_pending());
            recvs.borrow_mut().push(recv);
        }
    };
    let mut send = tx.send(3);
    assert_eq!(cloned_in_vain(empty, |cx| poll(&mut send, cx)), None);
    drop(send);
    let recv = recvs.borrow_mut().pop().unwrap();
    assert_eq!(ready(recv), Ok(3));
}

#[test]
fn a_cancelled_operation_drops_its_waker() {
    let (tx, mut rx) = bounded(1);
    let calls = waker_calls(|cx| {
        assert!(poll(&mut rx.recv(), cx).is_pending());
        assert!(poll(&mut rx.next(), cx).is_pending());
        assert!(rx.poll_recv(cx).is_pending());
        assert!(rx.try_recv().is_err());
        tx.try_send(1).unwrap();
        assert!(poll(&mut tx.send(1), cx).is_pending());
        assert!(poll(&mut tx.reserve(), cx).is_pending());
        assert!(poll(&mut tx.closed(), cx).is_pending());
    });
    assert_eq!(calls, (6, 0, 6));
}

#[test]
fn a_stream_clones_its_waker_once_for_each_wait() {
    let (tx, mut rx) = bounded(0);
    let calls = waker_calls(|cx| {
        for n in 0..5 {
            (0..3).for_each(|_| assert!(rx.poll_next_unpin(cx).is_pending()));
            tx.try_send(n).unwrap();
            assert_eq!(rx.poll_next_unpin(cx), Poll::Ready(Some(n)));
        }
    });
    assert_eq!(calls, (5, 5, 0));
}

#[test]
fn a_never_channel_takes_no_waker_and_no_memory() {
    let (tx, rx) = never();
    let calls = waker_calls(|cx| {
        let allocations = allocations(|| {
            assert!(poll(&mut tx.send(1), cx).is_pending());
            assert!(poll(&mut rx.recv(), cx).is_pending());
            assert!(poll(&mut tx.reserve(), cx).is_pending());
            assert!(poll(&mut tx.closed(), cx).is_pending());
        });
        assert_eq!(allocations, 0);
    });
    assert_eq!(calls, (0, 0, 0));
}

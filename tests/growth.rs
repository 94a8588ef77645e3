//! What an operation costs does not grow with those who wait beside it, in a debug build neither, whose
//! checks a user runs too.
//!
//! Each story is played with a crowd, and with one four times as large, and the processor's time that
//! both take is compared: four times as much, and somewhat more since memory is further away, but not
//! sixteen times. The least of several runs counts, so that it does not matter what else the machine does.
#![cfg(not(miri))]

mod support;

use std::fs;
use std::future::poll_fn;
use std::iter::repeat_with;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fastrand::Rng;
use hchan::{Select, TrySendError, bounded, unbounded};

use support::{fill, parked, poll_once, ready, values};

/// The time that the processor has spent on this thread, or where that is not told, on everything.
fn cpu_time() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|told| told.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

fn cost(story: impl FnOnce()) -> Duration {
    let before = cpu_time();
    story();
    cpu_time() - before
}

/// Plays a story with a crowd of this size and with one of four times the size.
#[track_caller]
fn grows_with_its_crowd(story: impl Fn(usize)) {
    let measure = |times, size| cost(|| (0..times).for_each(|_| story(size)));
    // The clock may tick a hundred times a second.
    let enough = Duration::from_millis(50);
    let mut times = 1;
    while measure(times, CROWD) < enough {
        times *= 2;
    }
    let (mut small, mut large) = (Duration::MAX, Duration::MAX);
    // So many that the large one, too, meets the machine at its fastest.
    for _ in 0..16 {
        small = small.min(measure(times, CROWD));
        large = large.min(measure(times, 4 * CROWD));
        if large <= 8 * small {
            return;
        }
    }
    panic!("{large:?} for four times as many as take {small:?}");
}

/// Enough to tell a growth from another.
const CROWD: usize = 2_000;

#[test]
fn reservations_park_and_leave_beside_any_number_of_others() {
    grows_with_its_crowd(|size| {
        let (tx, rx) = bounded(1);
        fill(&tx, 0);
        let mut reserves: Vec<_> = repeat_with(|| parked(tx.reserve())).take(size).collect();
        assert_eq!(rx.snapshot().sendq, size);
        Rng::with_seed(1).shuffle(&mut reserves);
        drop(reserves);
        assert_eq!(rx.snapshot().sendq, 0);
    });
}

#[test]
fn receives_park_and_leave_beside_any_number_of_others() {
    grows_with_its_crowd(|size| {
        let (tx, rx) = bounded::<u8>(1);
        let mut recvs: Vec<_> = repeat_with(|| parked(rx.recv())).take(size).collect();
        Rng::with_seed(1).shuffle(&mut recvs);
        recvs.truncate(size / 2);
        assert_eq!(rx.snapshot().recvq, size / 2);
        tx.close();
        assert!(recvs.iter_mut().all(|recv| recv.poll().is_ready()));
    });
}

#[test]
fn sends_are_let_in_beside_any_number_of_others() {
    grows_with_its_crowd(|size| {
        let (tx, rx) = bounded(1);
        let next = fill(&tx, 0);
        let sends: Vec<_> = (next..next + size).map(|n| parked(tx.send(n))).collect();
        assert!(values(&rx).into_iter().eq(0..next + size));
        drop(sends);
    });
}

#[test]
fn a_value_is_put_back_beside_any_number_of_others() {
    grows_with_its_crowd(|size| {
        let (tx, rx) = unbounded();
        let mut recvs: Vec<_> = repeat_with(|| parked(rx.recv())).take(size).collect();
        (0..size).for_each(|n| tx.try_send(n).unwrap());
        Rng::with_seed(1).shuffle(&mut recvs);
        drop(recvs);
        assert!(values(&rx).into_iter().eq(0..size));
    });
}

#[test]
fn a_try_passes_any_number_of_reservations_by() {
    grows_with_its_crowd(|size| {
        let (tx, rx) = bounded(1);
        let permit = tx.try_reserve().unwrap();
        let reserves: Vec<_> = repeat_with(|| parked(tx.reserve())).take(size).collect();
        for n in 0..size {
            assert!(rx.try_recv().is_err());
            assert_eq!(tx.try_send(n), Err(TrySendError::Full(n)));
            assert!(tx.try_reserve().is_err());
        }
        let mut send = parked(tx.send(7));
        assert_eq!((ready(rx.recv()), send.poll().is_ready()), (Ok(7), true));
        drop((permit, reserves));
    });
}

#[test]
fn a_send_is_done_beside_any_number_of_permits() {
    grows_with_its_crowd(|size| {
        let (tx, rx) = bounded(2 * size);
        let permits: Vec<_> = repeat_with(|| tx.try_reserve().unwrap())
            .take(size)
            .collect();
        for n in 0..size {
            tx.try_send(n).unwrap();
            assert!(poll_once(Select::new().recv(&rx, |value| value)).is_ready());
        }
        for (n, permit) in permits.into_iter().enumerate() {
            permit.send(n).unwrap();
        }
        assert!(values(&rx).into_iter().eq(0..size));
    });
}

#[test]
fn handles_stand_in_line_and_give_their_places_up_beside_any_number_of_others() {
    grows_with_its_crowd(|size| {
        let (tx, rx) = bounded(1);
        let mut handles: Vec<_> = repeat_with(|| rx.clone()).take(size).collect();
        for handle in &mut handles {
            drop(parked(poll_fn(|cx| handle.poll_recv(cx))));
        }
        assert_eq!(rx.snapshot().recvq, size);
        (0..size / 2).for_each(|n| tx.try_send(n).unwrap());
        Rng::with_seed(1).shuffle(&mut handles);
        // What the first were handed goes to those behind, and from one to the next.
        let received = handles.iter().filter(|handle| handle.try_recv().is_ok());
        assert_eq!(received.count(), size / 2);
        assert_eq!((rx.snapshot().recvq, rx.len()), (0, 0));
    });
}

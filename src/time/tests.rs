//! The schedule, without a clock; and tasks that are woken in the middle of a poll.

use core::future::poll_fn;
use core::task::Poll;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::{Arc, Task, after, next_tick, tick};
use crate::sync::{AtomicU32, Ordering};

const PERIOD: Duration = Duration::from_millis(10);

#[test]
fn a_late_tick_makes_the_next_no_later() {
    let due = Instant::now();
    let next = |late| next_tick(due, PERIOD, due + late).map(|next| next - due);
    assert_eq!(next(Duration::ZERO), Some(PERIOD));
    assert_eq!(next(Duration::from_millis(1)), Some(PERIOD));
    assert_eq!(next(PERIOD - Duration::from_nanos(1)), Some(PERIOD));
}

#[test]
fn ticks_that_were_missed_are_left_out() {
    let due = Instant::now();
    let next = |late| next_tick(due, PERIOD, due + late).map(|next| next - due);
    assert_eq!(next(PERIOD), Some(2 * PERIOD));
    assert_eq!(next(Duration::from_millis(57)), Some(6 * PERIOD));
}

#[test]
fn a_tick_beyond_all_clocks_never_comes() {
    let due = Instant::now();
    assert_eq!(next_tick(due, Duration::MAX, due), None);
}

#[test]
fn the_last_receiver_takes_its_timer_along() {
    for rx in [
        after(Duration::from_secs(3600)),
        tick(Duration::from_secs(3600)),
    ] {
        let chan = rx.chan.clone();
        drop(rx);
        assert_eq!(crate::sync::Arc::strong_count(&chan), 1);
    }
}

#[test]
fn a_wake_out_of_a_poll_repeats_it() {
    let polls = Arc::new(AtomicU32::new(0));
    let counted = polls.clone();
    Task::start(poll_fn(move |cx| {
        match counted.fetch_add(1, Ordering::Relaxed) {
            9 => Poll::Ready(()),
            _ => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }));
    assert_eq!(polls.load(Ordering::Relaxed), 10);
}

#[test]
fn a_task_that_has_ended_is_dropped_and_heeds_no_wake() {
    let (kept, keeper) = mpsc::channel();
    let alive = Arc::new(());
    let inside = alive.clone();
    Task::start(poll_fn(move |cx| {
        let _inside = &inside;
        kept.send(cx.waker().clone()).expect("the test receives");
        Poll::Ready(())
    }));
    let waker = keeper.recv().expect("it was polled");
    assert_eq!(Arc::strong_count(&alive), 1);
    waker.wake();
    assert!(keeper.recv().is_err());
}

#[test]
fn a_task_that_panics_is_dropped_and_its_waker_does_not() {
    let (kept, keeper) = mpsc::channel();
    let alive = Arc::new(());
    let inside = alive.clone();
    Task::start(poll_fn(move |cx| {
        let _inside = &inside;
        let again = kept.send(cx.waker().clone());
        assert!(keeps(&kept), "polled once more: {again:?}");
        Poll::Pending
    }));
    let waker = keeper.recv().expect("it was polled");
    drop(keeper);
    assert_eq!(Arc::strong_count(&alive), 2);
    waker.wake_by_ref();
    assert_eq!(Arc::strong_count(&alive), 1);
    waker.wake();
}

/// Whether the other side is still there.
fn keeps(kept: &mpsc::Sender<core::task::Waker>) -> bool {
    kept.send(core::task::Waker::noop().clone()).is_ok()
}

//! Channels that the clock sends to. Nothing here is late before ten seconds have passed.
#![cfg(feature = "time")]

mod support;

use std::future::Future;
use std::panic::panic_any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use hchan::{
    Receiver, RecvError, RecvTimeoutError, SendTimeoutError, TryRecvError, after, bounded, never,
    select, select_blocking, tick,
};

use support::{on_wake, parked, parked_with, poll_once};

const SHORT: Duration = Duration::from_millis(2);
const LONG: Duration = Duration::from_secs(3600);
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until something is so.
#[track_caller]
fn eventually(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "not in ten seconds");
        thread::yield_now();
    }
}

#[track_caller]
fn recv(rx: &Receiver<Instant>) -> Instant {
    rx.recv_blocking_timeout(PATIENCE).expect("in time")
}

/// Runs a future on each of some executors.
fn on_each_executor<F: Future<Output = ()> + Send + 'static>(make: impl Fn() -> F) {
    futures::executor::block_on(make());
    smol::block_on(make());
    async_std::task::block_on(make());
    let tokio = tokio::runtime::Builder::new_current_thread().build();
    tokio.expect("a runtime").block_on(make());
}

#[test]
fn after_sends_the_time_and_is_never_early() {
    let began = Instant::now();
    let rx = after(SHORT);
    let sent = recv(&rx);
    assert!(sent >= began + SHORT);
    assert!(sent <= Instant::now());
}

#[test]
fn the_time_runs_though_nobody_receives() {
    let rx = after(SHORT);
    eventually(|| rx.len() == 1);
    let late = Instant::now();
    assert!(rx.try_recv().is_ok_and(|sent| sent <= late));
}

#[test]
fn after_its_value_the_channel_stays_open_and_empty() {
    let rx = after(SHORT);
    recv(&rx);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert!(!rx.is_closed());
    assert!(poll_once(rx.recv()).is_pending());
}

#[test]
fn its_arm_in_a_loop_fires_once() {
    let (_tx, nothing) = bounded::<()>(0);
    let (timeout, mut fired, mut turns) = (after(SHORT), 0, 0);
    while turns < 3 {
        let another = after(2 * SHORT);
        select_blocking! {
            recv(nothing) -> _ => unreachable!("nobody sends"),
            recv(timeout) -> _ => fired += 1,
            recv(another) -> _ => turns += 1,
        }
    }
    assert!(fired <= 1);
    eventually(|| timeout.len() == 1 - fired);
}

#[test]
fn after_no_time_is_soon() {
    recv(&after(Duration::ZERO));
}

#[test]
fn what_no_clock_can_show_never_comes() {
    for rx in [after(Duration::MAX), tick(Duration::MAX)] {
        assert!(poll_once(rx.recv()).is_pending());
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        assert!(!rx.is_closed());
    }
}

#[test]
fn a_far_time_is_waited_for() {
    for days in [365, 365 * 1000] {
        let rx = after(Duration::from_secs(days * 24 * 3600));
        let mut receive = parked(rx.recv());
        recv(&after(SHORT));
        assert!(receive.poll().is_pending());
    }
}

#[test]
fn a_tick_of_zero_is_a_nil_channel() {
    let rx = tick(Duration::ZERO);
    assert!(poll_once(rx.recv()).is_pending());
    assert!(!rx.close());
    assert_eq!(rx.capacity(), never::<Instant>().1.capacity());
}

#[test]
fn ticks_keep_to_their_schedule() {
    let began = Instant::now();
    let rx = tick(SHORT);
    let mut last = began;
    for n in 1..=5 {
        let sent = recv(&rx);
        assert!(sent >= began + n * SHORT && sent > last);
        last = sent;
    }
}

#[test]
fn a_tick_that_finds_the_last_one_is_dropped() {
    let rx = tick(SHORT);
    eventually(|| rx.len() == 1);
    recv(&after(5 * SHORT));
    assert_eq!((rx.len(), rx.snapshot().sendq), (1, 0));
    // The first one has stayed, and what comes next was not sent before there was room.
    let first = recv(&rx);
    assert!(recv(&rx) >= first + 2 * SHORT);
}

#[test]
fn a_tick_shorter_than_any_timer_holds_up_no_other() {
    let rx = tick(Duration::from_nanos(1));
    recv(&rx);
    recv(&after(SHORT));
    recv(&rx);
}

#[test]
fn close_ends_a_ticker() {
    let rx = tick(SHORT);
    recv(&rx);
    assert!(rx.close());
    eventually(|| rx.try_recv() == Err(TryRecvError::Closed));
    assert_eq!(rx.recv_blocking(), Err(RecvError));
    let rx = tick(LONG);
    rx.close();
    assert_eq!(rx.recv_blocking(), Err(RecvError));
}

#[test]
fn each_receiver_gets_its_own_ticks() {
    let rx = tick(SHORT);
    let (first, second) = (rx.clone(), rx);
    let other = thread::spawn(move || [recv(&first), recv(&first)]);
    let mut sent = [recv(&second), recv(&second)].to_vec();
    sent.extend(other.join().expect("no panic"));
    sent.sort();
    assert!(sent.is_sorted_by(|one, next| one < next));
}

#[test]
fn a_thousand_timers_fire() {
    let began = Instant::now();
    let timers: Vec<_> = (0..1000)
        .map(|n| after(Duration::from_micros(n % 50)))
        .collect();
    assert!(timers.iter().map(recv).all(|sent| sent >= began));
}

#[test]
fn they_need_no_executor_of_their_own() {
    on_each_executor(async || {
        let (ticker, timeout) = (tick(SHORT), after(PATIENCE));
        for _turn in 0..3 {
            select! {
                recv(ticker) -> sent => assert!(sent.is_ok()),
                recv(timeout) -> _ => panic!("not in ten seconds"),
            }
        }
        let (_tx, nothing) = bounded::<()>(0);
        let timeout = after(SHORT);
        select! {
            recv(nothing) -> _ => unreachable!("nobody sends"),
            recv(timeout) -> sent => assert!(sent.is_ok()),
        }
    });
}

#[test]
fn a_waker_that_panics_stops_no_timer() {
    let rx = tick(SHORT);
    let mut receive = parked_with(rx.recv(), on_wake(|| panic_any("a waker's")));
    let mut polled = Poll::Pending;
    eventually(|| {
        polled = poll_once(&mut receive);
        polled.is_ready()
    });
    assert!(matches!(polled, Poll::Ready(Ok(_))));
    recv(&rx);
    recv(&after(SHORT));
}

#[test]
fn a_waker_may_drop_the_last_receiver() {
    let rx = tick(SHORT);
    let weak = rx.downgrade();
    let kept = Arc::new(Mutex::new(Some(rx)));
    let inside = kept.clone();
    let waker = on_wake(move || drop(inside.lock().expect("no panic").take()));
    // The receive stands in line for the handle itself, which its waker may thus drop.
    if let Some(rx) = &mut *kept.lock().expect("no panic") {
        let polled = rx.poll_recv(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
    }
    eventually(|| weak.upgrade().is_none());
}

// Timeouts of operations.

#[test]
fn an_operation_in_time_takes_place() {
    on_each_executor(|| async {
        let (tx, rx) = bounded(1);
        assert_eq!(tx.send_timeout(1, Duration::ZERO).await, Ok(()));
        assert_eq!(rx.recv_timeout(Duration::ZERO).await, Ok(1));
        assert_eq!(tx.send_timeout(2, Duration::MAX).await, Ok(()));
        assert_eq!(rx.recv_timeout(Duration::MAX).await, Ok(2));
    });
}

#[test]
fn an_operation_out_of_time_ends_and_is_never_early() {
    on_each_executor(|| async {
        let (tx, rx) = bounded(0);
        let began = Instant::now();
        let late = Err(SendTimeoutError::Timeout("late"));
        assert_eq!(tx.send_timeout("late", SHORT).await, late);
        assert!(began.elapsed() >= SHORT);
        let began = Instant::now();
        let late = Err(RecvTimeoutError::Timeout);
        assert_eq!(rx.recv_timeout(SHORT).await, late);
        assert!(began.elapsed() >= SHORT);
        assert_eq!((rx.snapshot().sendq, rx.snapshot().recvq), (0, 0));
    });
}

#[test]
fn the_time_of_an_operation_runs_from_the_call() {
    let (_tx, rx) = bounded::<u8>(0);
    let recv = rx.recv_timeout(SHORT);
    thread::sleep(SHORT);
    assert_eq!(poll_once(recv), Poll::Ready(Err(RecvTimeoutError::Timeout)));
}

#[test]
fn an_operation_with_the_longest_timeout_waits_until_served() {
    let (tx, rx) = bounded(0);
    for longest in [Duration::MAX, LONG] {
        let mut recv = parked(rx.recv_timeout(longest));
        assert!(recv.poll().is_pending());
        tx.try_send(1).unwrap();
        assert_eq!(recv.poll(), Poll::Ready(Ok(1)));
        let mut send = parked(tx.send_timeout(2, longest));
        assert_eq!(rx.try_recv(), Ok(2));
        assert_eq!(send.poll(), Poll::Ready(Ok(())));
    }
}

#[test]
fn the_task_that_polled_last_is_woken_when_the_time_is_over() {
    let (_tx, rx) = bounded::<u8>(0);
    let mut recv = parked(rx.recv_timeout(10 * SHORT));
    let old = recv.change_waker();
    assert!(recv.poll().is_pending());
    eventually(|| recv.wakes() == 1);
    assert_eq!(recv.poll(), Poll::Ready(Err(RecvTimeoutError::Timeout)));
    assert_eq!(old.count(), 0);
}

#[test]
fn a_timeout_that_is_dropped_keeps_no_waker() {
    let (_tx, rx) = bounded::<u8>(0);
    let mut recv = parked(rx.recv_timeout(LONG));
    let task = recv.change_waker();
    assert!(recv.poll().is_pending());
    assert_eq!((Arc::strong_count(&task), recv.wakers()), (1, 2));
    let task = recv.change_waker();
    drop(recv);
    assert_eq!(Arc::strong_count(&task), 1);
}

#[test]
fn a_task_whose_waker_panics_stops_no_timer() {
    let (_tx, rx) = bounded::<u8>(0);
    let woken = Arc::new(AtomicBool::new(false));
    let told = woken.clone();
    let waker = on_wake(move || {
        told.store(true, Ordering::SeqCst);
        panic_any("a waker's")
    });
    let kept = parked_with(rx.recv_timeout(SHORT), waker);
    eventually(|| woken.load(Ordering::SeqCst));
    recv(&after(SHORT));
    drop(kept);
}

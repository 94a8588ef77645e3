//! Threads that wait keep every promise that tasks get, and cost nothing while they sleep.
#![cfg(feature = "std")]

mod support;

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use hchan::{
    Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, bounded, unbounded,
};

use support::{InTheEnd, each_capacity, parked, ready};

/// Long enough for whatever should happen at once, on a busy machine too.
const AGES: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_millis(1);

/// Fails, where it would hang, if somebody in the story waits for ever.
fn ends(story: impl FnOnce() + Send + 'static) {
    let (done, end) = mpsc::channel();
    let thread = thread::spawn(move || {
        story();
        done.send(()).unwrap();
    });
    if end.recv_timeout(AGES) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("somebody waits for ever");
    }
    thread.join().unwrap();
}

/// Looks away until something is so.
fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        thread::yield_now();
    }
}

fn sends_parked<T>(tx: &Sender<T>, count: usize) {
    until(|| tx.snapshot().sendq == count);
}

fn receives_parked<T>(tx: &Sender<T>, count: usize) {
    until(|| tx.snapshot().recvq == count);
}

/// A wait of its own, after which the thread keeps what it needs for the next.
fn wait_a_bit() {
    let (_tx, rx) = bounded::<()>(0);
    assert!(rx.recv_blocking_timeout(TICK).is_err());
}

#[test]
fn a_thread_meets_a_thread() {
    ends(|| {
        each_capacity(|_, tx, rx| {
            let thread = thread::spawn(move || (0..100).try_for_each(|n| tx.send_blocking(n)));
            for n in 0..100 {
                assert_eq!(rx.recv_blocking(), Ok(n));
            }
            assert_eq!(thread.join().unwrap(), Ok(()));
            assert_eq!(rx.recv_blocking(), Err(RecvError));
        });
    });
}

#[test]
fn a_thread_meets_a_task() {
    ends(|| {
        each_capacity(|_, tx, rx| {
            let (back, replies) = bounded(0);
            let thread = thread::spawn(move || {
                while let Ok(n) = rx.recv_blocking() {
                    back.send_blocking(n + 1).unwrap();
                }
            });
            futures::executor::block_on(async {
                for n in 0..100 {
                    tx.send(n).await.unwrap();
                    assert_eq!(replies.recv().await, Ok(n + 1));
                }
            });
            drop(tx);
            thread.join().unwrap();
        });
    });
}

#[test]
fn a_thread_serves_a_parked_task_without_waiting() {
    let (tx, rx) = bounded(0);
    let mut recv = parked(rx.recv());
    tx.send_blocking(1).unwrap();
    assert_eq!(recv.wakes(), 1);
    assert_eq!(recv.poll(), Poll::Ready(Ok(1)));

    let mut send = parked(tx.send(2));
    assert_eq!(rx.recv_blocking(), Ok(2));
    assert_eq!(send.wakes(), 1);
    assert_eq!(send.poll(), Poll::Ready(Ok(())));
}

#[test]
fn threads_and_tasks_stand_in_one_line() {
    ends(|| {
        let (tx, rx) = bounded(0);
        let mut first = parked(rx.recv());
        let second = rx.clone();
        let second = thread::spawn(move || second.recv_blocking());
        receives_parked(&tx, 2);
        let mut third = parked(rx.recv());
        for n in 1..=3 {
            tx.try_send(n).unwrap();
        }
        assert_eq!(first.poll(), Poll::Ready(Ok(1)));
        assert_eq!(second.join().unwrap(), Ok(2));
        assert_eq!(third.poll(), Poll::Ready(Ok(3)));
    });
}

#[test]
fn a_send_that_runs_out_of_time_returns_its_value_and_leaves_the_line() {
    let (tx, rx) = bounded(1);
    tx.try_send("first").unwrap();
    let late = Err(SendTimeoutError::Timeout("second"));
    assert_eq!(tx.send_blocking_timeout("second", TICK), late);
    assert_eq!(
        tx.send_blocking_deadline("second", Instant::now() + TICK),
        late
    );
    assert_eq!(tx.snapshot().sendq, 0);
    assert!(rx.drain().eq(["first"]));
}

#[test]
fn a_receive_that_runs_out_of_time_leaves_the_line() {
    let (tx, rx) = bounded(0);
    let late = Err(RecvTimeoutError::Timeout);
    assert_eq!(rx.recv_blocking_timeout(TICK), late);
    assert_eq!(rx.recv_blocking_deadline(Instant::now() + TICK), late);
    assert_eq!(rx.snapshot().recvq, 0);
    assert!(tx.try_send(1).unwrap_err().is_full());
}

#[test]
fn a_wait_lasts_as_long_as_its_timeout() {
    let (tx, rx) = bounded(0);
    let timeout = Duration::from_millis(30);
    let start = Instant::now();
    assert!(rx.recv_blocking_timeout(timeout).is_err());
    assert!(start.elapsed() >= timeout);
    let start = Instant::now();
    assert!(tx.send_blocking_timeout(1, timeout).is_err());
    assert!(start.elapsed() >= timeout);
}

#[test]
fn a_timeout_is_kept_beside_threads_that_leave_no_processor() {
    const TIMEOUT: Duration = Duration::from_millis(1);

    /// How long twenty waits take.
    fn twenty(wait: impl Fn()) -> Duration {
        let start = Instant::now();
        (0..20).for_each(|_| wait());
        start.elapsed()
    }

    let processors = thread::available_parallelism().map_or(1, usize::from);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let _stop = InTheEnd(&stop);
        for _ in 0..8 * processors {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let (tx, rx) = bounded(0);
        let waits = twenty(|| assert!(rx.recv_blocking_timeout(TIMEOUT).is_err()))
            + twenty(|| assert!(tx.send_blocking_timeout(1, TIMEOUT).is_err()));
        let sleeps = twenty(|| thread::park_timeout(TIMEOUT));
        assert!(
            waits < 20 * sleeps + Duration::from_secs(1),
            "{waits:?}, where sleeping takes {sleeps:?}"
        );
    });
}

/// The time that this thread has run so far, from Linux's scheduler.
#[cfg(target_os = "linux")]
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanos = stat.split_whitespace().next().unwrap();
    Duration::from_nanos(nanos.parse().unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn a_thread_sleeps_while_it_waits() {
    const LONG: Duration = Duration::from_millis(200);

    fn little<R>(wait: impl FnOnce() -> R) -> R {
        let before = cpu_time();
        let result = wait();
        let used = cpu_time() - before;
        assert!(used < Duration::from_millis(20), "ran for {used:?}");
        result
    }

    ends(|| {
        let (tx, rx) = bounded(0);
        let sender = {
            let tx = tx.clone();
            thread::spawn(move || little(|| tx.send_blocking_timeout(1, LONG)))
        };
        assert!(sender.join().unwrap().is_err());

        let receiver = thread::spawn(move || little(|| rx.recv_blocking()));
        receives_parked(&tx, 1);
        let (_tx, quiet) = bounded::<()>(0);
        assert!(little(|| quiet.recv_blocking_timeout(LONG)).is_err());
        tx.send_blocking(2).unwrap();
        assert_eq!(receiver.join().unwrap(), Ok(2));
    });
}

#[test]
fn the_longest_timeout_waits_until_served() {
    ends(|| {
        let (tx, rx) = bounded(0);
        let receiver = rx.clone();
        let receive = thread::spawn(move || receiver.recv_blocking_timeout(Duration::MAX));
        receives_parked(&tx, 1);
        tx.try_send(1).unwrap();
        assert_eq!(receive.join().unwrap(), Ok(1));

        let send = thread::spawn(move || tx.send_blocking_timeout(2, Duration::MAX));
        assert_eq!(rx.recv_blocking_timeout(Duration::MAX), Ok(2));
        assert_eq!(send.join().unwrap(), Ok(()));
    });
}

#[test]
fn a_deadline_in_the_past_makes_a_wait_a_try() {
    let past = Instant::now();
    thread::yield_now();
    let (tx, rx) = bounded(1);
    let empty = Err(RecvTimeoutError::Timeout);
    assert_eq!(rx.recv_blocking_deadline(past), empty);
    assert_eq!(rx.recv_blocking_timeout(Duration::ZERO), empty);
    assert_eq!(tx.send_blocking_deadline(1, past), Ok(()));
    let full = Err(SendTimeoutError::Timeout(2));
    assert_eq!(tx.send_blocking_deadline(2, past), full);
    assert_eq!(tx.send_blocking_timeout(2, Duration::ZERO), full);
    assert_eq!(rx.recv_blocking_deadline(past), Ok(1));
    assert_eq!(tx.send_blocking_timeout(2, Duration::ZERO), Ok(()));
    assert_eq!(rx.recv_blocking_timeout(Duration::ZERO), Ok(2));

    tx.close();
    let closed = SendTimeoutError::Closed(3);
    assert_eq!(tx.send_blocking_deadline(3, past), Err(closed));
    let closed = RecvTimeoutError::Closed;
    assert_eq!(rx.recv_blocking_deadline(past), Err(closed));
}

#[test]
fn close_frees_blocked_threads_and_returns_their_values() {
    ends(|| {
        let (tx, rx) = bounded(0);
        let sends = [1, 2].map(|n| {
            let tx = tx.clone();
            thread::spawn(move || tx.send_blocking(n))
        });
        let timed = tx.clone();
        let timed = thread::spawn(move || timed.send_blocking_timeout(3, AGES));
        sends_parked(&tx, 3);
        assert!(rx.close());
        assert_eq!(
            sends.map(|send| send.join().unwrap().unwrap_err().0),
            [1, 2]
        );
        assert_eq!(timed.join().unwrap(), Err(SendTimeoutError::Closed(3)));

        let (tx, rx) = bounded::<()>(0);
        let receives = [rx.clone(), rx.clone()].map(|rx| thread::spawn(move || rx.recv_blocking()));
        let timed = thread::spawn(move || rx.recv_blocking_timeout(AGES));
        receives_parked(&tx, 3);
        assert!(tx.close());
        for receive in receives {
            assert_eq!(receive.join().unwrap(), Err(RecvError));
        }
        assert_eq!(timed.join().unwrap(), Err(RecvTimeoutError::Closed));
    });
}

#[test]
fn the_last_handle_frees_blocked_threads() {
    ends(|| {
        let (tx, rx) = bounded(0);
        let sender = tx.clone();
        let send = thread::spawn(move || sender.send_blocking("unsent"));
        sends_parked(&tx, 1);
        drop(rx);
        assert_eq!(send.join().unwrap(), Err(SendError("unsent")));

        let (tx, rx) = bounded::<()>(0);
        let receive = thread::spawn(move || rx.recv_blocking());
        receives_parked(&tx, 1);
        drop(tx);
        assert_eq!(receive.join().unwrap(), Err(RecvError));
    });
}

#[test]
fn iterators_end_when_the_channel_is_closed_and_drained() {
    let (tx, rx) = bounded(5);
    let fill = |numbers: std::ops::Range<i32>| numbers.for_each(|n| tx.try_send(n).unwrap());
    fill(0..5);
    let mut iter = rx.iter();
    assert_eq!((iter.next(), iter.next()), (Some(0), Some(1)));
    tx.close();
    let mut rest = Vec::new();
    for n in &rx {
        rest.push(n);
    }
    assert_eq!(rest, [2, 3, 4]);
    assert_eq!(iter.next(), None);
    assert_eq!(iter.next(), None);
    assert_eq!(rx.into_iter().next(), None);
}

#[test]
fn iterators_wait_for_values() {
    ends(|| {
        each_capacity(|_, tx, rx| {
            let borrowing = rx.clone();
            let borrowing = thread::spawn(move || (&borrowing).into_iter().sum::<u64>());
            let owning = thread::spawn(move || rx.into_iter().sum::<u64>());
            for n in 0..100 {
                tx.send_blocking(n).unwrap();
            }
            drop(tx);
            assert_eq!(borrowing.join().unwrap() + owning.join().unwrap(), 4950);
        });
    });
}

/// A waker that runs a story on the thread that wakes it.
struct OnWake<F>(Mutex<Option<F>>);

impl<F: FnOnce()> Wake for OnWake<F> {
    fn wake(self: Arc<Self>) {
        let story = self.0.lock().unwrap().take();
        if let Some(story) = story {
            story();
        }
    }
}

fn on_wake(story: impl FnOnce() + Send + 'static) -> Waker {
    Waker::from(Arc::new(OnWake(Mutex::new(Some(story)))))
}

/// A handle that was handed a value, which it gives up when it is used, to one that waits behind it.
fn handed_handle(
    tx: &Sender<&'static str>,
    mut rx: Receiver<&'static str>,
) -> Receiver<&'static str> {
    drop(parked(poll_fn(|cx| rx.poll_recv(cx))));
    tx.try_send("other").unwrap();
    rx
}

#[test]
#[cfg_attr(
    feature = "critical-section",
    ignore = "a waker may not wait for another thread there"
)]
fn a_wait_within_a_waker_costs_the_outer_wait_no_wake() {
    ends(|| {
        for outer_is_served_first in [true, false] {
            let (tx, rx) = bounded(1);
            let (inner_tx, inner_rx) = bounded(0);
            let watch = inner_tx.clone();
            // What the handle gives up wakes in the middle of its poll.
            let waker = on_wake(move || assert_eq!(inner_rx.recv_blocking(), Ok("inner")));
            let handle = handed_handle(&tx, rx.clone());
            let mut other = rx.recv();
            let poll = Pin::new(&mut other).poll(&mut Context::from_waker(&waker));
            assert!(poll.is_pending());

            let outer = thread::spawn(move || {
                wait_a_bit();
                handle.recv_blocking()
            });
            receives_parked(&watch, 1);
            assert_eq!(ready(other), Ok("other"));
            if outer_is_served_first {
                tx.try_send("outer").unwrap();
                inner_tx.send_blocking("inner").unwrap();
            } else {
                inner_tx.send_blocking("inner").unwrap();
                tx.try_send("outer").unwrap();
            }
            assert_eq!(outer.join().unwrap(), Ok("outer"));
        }
    });
}

#[test]
fn a_waker_that_parks_its_thread_costs_the_wait_no_wake() {
    ends(|| {
        let (tx, rx) = bounded(1);
        let (entered, has_entered) = mpsc::channel();
        let waker = on_wake(move || {
            entered.send(()).unwrap();
            // Ends with the wake of the receive, if that is in line by now, and takes its token.
            thread::park_timeout(Duration::from_millis(100));
        });
        let handle = handed_handle(&tx, rx.clone());
        let mut other = rx.recv();
        let poll = Pin::new(&mut other).poll(&mut Context::from_waker(&waker));
        assert!(poll.is_pending());

        let receive = thread::spawn(move || handle.recv_blocking());
        has_entered.recv().unwrap();
        assert_eq!(ready(other), Ok("other"));
        tx.try_send("still noticed").unwrap();
        assert_eq!(receive.join().unwrap(), Ok("still noticed"));
    });
}

#[test]
fn a_wait_within_a_poll_costs_the_task_no_wake() {
    ends(|| {
        let (tx, rx) = bounded(0);
        let (inner_tx, inner_rx) = bounded(0);
        let task = thread::spawn(move || {
            let mut recv = rx.recv();
            futures::executor::block_on(poll_fn(|cx| {
                let poll = Pin::new(&mut recv).poll(cx);
                if poll.is_pending() {
                    assert_eq!(inner_rx.recv_blocking(), Ok("inner"));
                }
                poll
            }))
        });
        receives_parked(&inner_tx, 1);
        tx.try_send("outer").unwrap();
        inner_tx.try_send("inner").unwrap();
        assert_eq!(task.join().unwrap(), Ok("outer"));
    });
}

#[test]
fn an_unpark_that_means_nothing_does_not_end_a_wait() {
    ends(|| {
        let (tx, rx) = bounded(0);
        let receive = thread::spawn(move || {
            thread::current().unpark();
            rx.recv_blocking_timeout(AGES)
        });
        receives_parked(&tx, 1);
        for _ in 0..1000 {
            receive.thread().unpark();
        }
        assert_eq!(tx.snapshot().recvq, 1);
        tx.try_send(1).unwrap();
        assert_eq!(receive.join().unwrap(), Ok(1));
    });
}

/// Answers one request when its thread ends.
struct LastWords {
    requests: Receiver<i32>,
    replies: Sender<i32>,
}

impl Drop for LastWords {
    fn drop(&mut self) {
        if let Ok(n) = self.requests.recv_blocking() {
            let _closed = self.replies.send_blocking(n + 1);
        }
    }
}

#[test]
fn a_destructor_of_a_thread_local_may_wait() {
    thread_local! {
        static WORDS: Cell<Option<LastWords>> = const { Cell::new(None) };
    }

    ends(|| {
        // What is destroyed first depends on what was used first.
        for (wait_before, wait_after) in [(false, false), (true, false), (false, true)] {
            let (tx, requests) = bounded(0);
            let (replies, rx) = bounded(0);
            let thread = thread::spawn(move || {
                if wait_before {
                    wait_a_bit();
                }
                WORDS.set(Some(LastWords { requests, replies }));
                if wait_after {
                    wait_a_bit();
                }
            });
            receives_parked(&tx, 1);
            tx.try_send(1).unwrap();
            assert_eq!(rx.recv_blocking(), Ok(2));
            thread.join().unwrap();
        }
    });
}

/// Receives pairs until the end, and checks that no producer's values change places.
fn receive_in_order(mut receive: impl FnMut() -> Option<(u64, u64)>) -> u64 {
    let mut last = HashMap::new();
    let mut sum = 0;
    while let Some((producer, n)) = receive() {
        let before = last.insert(producer, n);
        assert!(before < Some(n), "{before:?} before {n}");
        sum += n;
    }
    sum
}

#[test]
fn many_threads_lose_nothing_and_keep_each_producers_order() {
    const THREADS: u64 = 4;
    const VALUES: u64 = 500;
    ends(|| {
        each_capacity(|_, tx, rx| {
            let sum = AtomicU64::new(0);
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        let received = receive_in_order(|| rx.recv_blocking().ok());
                        sum.fetch_add(received, Ordering::Relaxed);
                    });
                }
                for producer in 0..THREADS {
                    let tx = tx.clone();
                    scope.spawn(move || {
                        (1..=VALUES).for_each(|n| tx.send_blocking((producer, n)).unwrap());
                    });
                }
                drop(tx);
            });
            assert_eq!(sum.into_inner(), THREADS * VALUES * (VALUES + 1) / 2);
        });
    });
}

/// No order: a value that a receive gave back may have been overtaken meanwhile.
#[test]
fn impatient_threads_lose_nothing() {
    const THREADS: u64 = 3;
    const VALUES: u64 = 300;

    fn patience(n: u64) -> Duration {
        Duration::from_micros(n % 4)
    }
    fn send_at_last(tx: &Sender<u64>, mut value: u64) {
        while let Err(error) = tx.send_blocking_timeout(value, patience(value)) {
            assert!(error.is_timeout());
            value = error.into_inner();
        }
    }
    fn sum_at_last(rx: &Receiver<u64>) -> u64 {
        let mut sum = 0;
        loop {
            match rx.recv_blocking_timeout(patience(sum)) {
                Ok(n) => sum += n,
                Err(RecvTimeoutError::Timeout) => thread::yield_now(),
                Err(RecvTimeoutError::Closed) => return sum,
            }
        }
    }

    ends(|| {
        each_capacity(|_, tx, rx| {
            let sum = AtomicU64::new(0);
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| sum.fetch_add(sum_at_last(&rx), Ordering::Relaxed));
                    let tx = tx.clone();
                    scope.spawn(move || (1..=VALUES).for_each(|n| send_at_last(&tx, n)));
                }
                drop(tx);
            });
            assert_eq!(sum.into_inner(), THREADS * VALUES * (VALUES + 1) / 2);
        });
    });
}

#[test]
fn a_thread_passes_a_reservation_by() {
    let (tx, rx) = bounded(1);
    let permit = tx.try_reserve().unwrap();
    let reserve = parked(tx.reserve());
    let mut send = parked(tx.send("behind"));
    let thread = thread::spawn(move || [rx.recv_blocking(), rx.recv_blocking()]);
    until(|| tx.snapshot().recvq == 1);
    assert_eq!((send.poll(), reserve.wakes()), (Poll::Ready(Ok(())), 0));
    permit.send("permit").unwrap();
    assert_eq!(thread.join().unwrap(), [Ok("behind"), Ok("permit")]);
    assert_eq!(reserve.wakes(), 1);
}

#[test]
fn a_thread_gives_the_place_up_that_its_handle_has_in_line() {
    let (tx, mut rx) = bounded(0);
    let mut poll = parked(poll_fn(|cx| rx.poll_recv(cx)));
    let waker = poll.change_waker();
    drop(poll);
    let other = rx.clone();
    let mut before = parked(other.recv());
    let thread = thread::spawn(move || rx.recv_blocking());
    until(|| Arc::strong_count(&waker) == 1 && tx.snapshot().recvq == 2);
    tx.try_send("first").unwrap();
    tx.try_send("second").unwrap();
    assert_eq!(before.poll(), Poll::Ready(Ok("first")));
    assert_eq!(thread.join().unwrap(), Ok("second"));
}

#[test]
fn an_unbounded_send_never_blocks() {
    let (tx, rx) = unbounded();
    for n in 0..10_000 {
        tx.send_blocking(n).unwrap();
    }
    drop(tx);
    assert!(rx.iter().eq(0..10_000));
}

// Batches.

#[test]
fn a_batch_goes_from_thread_to_thread() {
    for capacity in [0, 1, 3, 100] {
        let (tx, rx) = bounded(capacity);
        ends(move || {
            let thread = thread::spawn(move || {
                let mut items: VecDeque<_> = (0..50).collect();
                tx.send_many_blocking(&mut items).unwrap();
                let longest = Duration::MAX;
                items.extend(50..80);
                tx.send_many_blocking_timeout(&mut items, longest).unwrap();
                items.extend(80..100);
                let late = Instant::now() + AGES;
                tx.send_many_blocking_deadline(&mut items, late).unwrap();
            });
            let mut out = Vec::new();
            while let Ok(count) = rx.recv_many_blocking(&mut out, 7) {
                assert!((1..=7).contains(&count));
            }
            thread.join().unwrap();
            assert!(out.into_iter().eq(0..100));
        });
    }
}

#[test]
fn a_batch_that_runs_out_of_time_keeps_what_was_not_sent() {
    for capacity in 0..4 {
        let (tx, rx) = bounded(capacity);
        let mut items = VecDeque::from([0, 1, 2, 3]);
        let late = Err(SendTimeoutError::Timeout(()));
        assert_eq!(tx.send_many_blocking_timeout(&mut items, TICK), late);
        let now = Instant::now();
        assert_eq!(tx.send_many_blocking_deadline(&mut items, now), late);
        assert!(items.into_iter().eq(capacity..4));
        assert_eq!((rx.snapshot().sendq, rx.drain().len()), (0, capacity));

        let mut out = Vec::new();
        let late = Err(RecvTimeoutError::Timeout);
        assert_eq!(rx.recv_many_blocking_timeout(&mut out, 9, TICK), late);
        assert_eq!(rx.recv_many_blocking_deadline(&mut out, 9, now), late);
        assert_eq!((rx.snapshot().recvq, out), (0, vec![]));
    }
}

#[test]
fn a_batch_without_time_takes_what_is_there() {
    let (tx, rx) = bounded(4);
    let mut out = Vec::new();
    for now in [Duration::ZERO; 2] {
        let mut items = VecDeque::from([1, 2, 3]);
        assert_eq!(tx.send_many_blocking_timeout(&mut items, now), Ok(()));
        assert_eq!(rx.recv_many_blocking_timeout(&mut out, 9, now), Ok(3));
    }
    assert_eq!(rx.recv_many_blocking(&mut out, 0), Ok(0));
    assert_eq!(out, [1, 2, 3, 1, 2, 3]);
}

#[test]
fn close_ends_a_batch_and_leaves_what_was_not_sent() {
    let (tx, rx) = bounded(1);
    let sender = tx.clone();
    ends(move || {
        let thread = thread::spawn(move || {
            let mut items = VecDeque::from([1, 2, 3]);
            let sent = sender.send_many_blocking(&mut items);
            (sent, items)
        });
        sends_parked(&tx, 1);
        assert!(rx.close());
        let left = VecDeque::from([2, 3]);
        assert_eq!(thread.join().unwrap(), (Err(SendError(())), left));
        let mut out = Vec::new();
        assert_eq!(rx.recv_many_blocking(&mut out, 9), Ok(1));
        assert_eq!(rx.recv_many_blocking(&mut out, 9), Err(RecvError));
        let closed = Err(RecvTimeoutError::Closed);
        assert_eq!(rx.recv_many_blocking_timeout(&mut out, 9, TICK), closed);
    });
}

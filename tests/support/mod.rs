//! What the tests share: polling by hand, wakers that count, values that count their drops.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of this"
)]

use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use hchan::{Receiver, RecvFuture, Sender};

/// Counts how often it was woken.
#[derive(Default)]
pub struct Wakes(AtomicUsize);

impl Wakes {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A future that is polled by hand, with a waker that counts.
pub struct Task<F> {
    future: F,
    wakes: Arc<Wakes>,
}

impl<F: Future + Unpin> Task<F> {
    pub fn new(future: F) -> Self {
        Self {
            future,
            wakes: Arc::default(),
        }
    }

    pub fn poll(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(self.wakes.clone());
        Pin::new(&mut self.future).poll(&mut Context::from_waker(&waker))
    }

    /// How often the waker of this task was woken.
    pub fn wakes(&self) -> usize {
        self.wakes.count()
    }

    /// How many clones of this task's waker others keep.
    pub fn wakers(&self) -> usize {
        Arc::strong_count(&self.wakes) - 1
    }

    /// Makes the next poll bring another waker, and hands out the old one's counter.
    pub fn change_waker(&mut self) -> Arc<Wakes> {
        mem::take(&mut self.wakes)
    }

    pub fn future(&mut self) -> &mut F {
        &mut self.future
    }

    pub fn into_inner(self) -> F {
        self.future
    }
}

/// A task that was polled once and had to park.
#[track_caller]
pub fn parked<F: Future + Unpin>(future: F) -> Task<F> {
    let mut task = Task::new(future);
    assert!(task.poll().is_pending(), "the future was ready");
    task
}

/// Polls once, with a waker that does nothing.
pub fn poll_once<F: Future + Unpin>(mut future: F) -> Poll<F::Output> {
    Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()))
}

/// The value of a future that is ready at its first poll.
#[track_caller]
pub fn ready<F: Future + Unpin>(future: F) -> F::Output {
    match poll_once(future) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future was not ready"),
    }
}

/// Polls once, with this waker.
pub fn poll_with<F: Future + Unpin>(mut future: F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(&mut future).poll(&mut Context::from_waker(waker))
}

/// A future that was polled once, with this waker, and had to park.
#[track_caller]
pub fn parked_with<F: Future + Unpin>(mut future: F, waker: Waker) -> F {
    assert!(
        poll_with(&mut future, &waker).is_pending(),
        "the future was ready"
    );
    future
}

/// The outcome of a select that need not wait.
#[track_caller]
pub fn now<F: Future>(select: F) -> F::Output {
    ready(Box::pin(select))
}

/// A select that was polled once and had to park.
#[track_caller]
pub fn waiting<F: Future>(select: F) -> Task<Pin<Box<F>>> {
    parked(Box::pin(select))
}

/// How many operations are parked: in `sendq`, in `recvq`.
pub fn lines<T>(rx: &Receiver<T>) -> (usize, usize) {
    let snapshot = rx.snapshot();
    (snapshot.sendq, snapshot.recvq)
}

/// Go's bound for a fair coin, for an event of any probability.
#[track_caller]
pub fn assert_fair(hits: usize, runs: usize, probability: f64) {
    let (hits, runs) = (hits as f64, runs as f64);
    let bound = 4.89 * (probability * (1.0 - probability) / runs).sqrt();
    let share = hits / runs;
    assert!(
        (share - probability).abs() <= bound,
        "{share} instead of {probability}, of which it may be off by {bound}"
    );
}

/// A receive that parked, and was handed a value it has not looked at.
#[track_caller]
pub fn handed<'a, T>(tx: &Sender<T>, rx: &'a Receiver<T>, value: T) -> Task<RecvFuture<'a, T>> {
    let recv = parked(rx.recv());
    tx.try_send(value).unwrap();
    recv
}

/// Sends `from`, `from + 1` and so on until the channel is full, and says what comes next.
pub fn fill(tx: &Sender<usize>, from: usize) -> usize {
    let full = (from..).find(|&value| tx.try_send(value).is_err());
    full.expect("a channel with a limit gets full")
}

/// All that can be received without waiting.
pub fn values<T>(rx: &Receiver<T>) -> Vec<T> {
    rx.try_iter().collect()
}

/// A waker that makes this call for each wake.
pub fn on_wake(call: impl Fn() + Send + Sync + 'static) -> Waker {
    struct OnWake<F>(F);

    impl<F: Fn() + Send + Sync + 'static> Wake for OnWake<F> {
        fn wake(self: Arc<Self>) {
            (self.0)();
        }
    }

    Waker::from(Arc::new(OnWake(call)))
}

/// A waker that does nothing when woken, and makes this call when its last clone is dropped.
pub fn on_drop(call: impl Fn() + Send + Sync + 'static) -> Waker {
    struct OnDrop<F: Fn()>(F);

    impl<F: Fn() + Send + Sync + 'static> Wake for OnDrop<F> {
        fn wake(self: Arc<Self>) {}
    }

    impl<F: Fn()> Drop for OnDrop<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }

    Waker::from(Arc::new(OnDrop(call)))
}

/// The message of the panic in which this call ends.
#[track_caller]
pub fn panic_of<R>(call: impl FnOnce() -> R) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(call)) else {
        panic!("there was no panic");
    };
    match payload.downcast::<&str>() {
        Ok(message) => (*message).to_owned(),
        Err(payload) => *payload.downcast::<String>().expect("a message"),
    }
}

/// Runs a test on channels of capacity 0, 1, 2, 3, 7 and without a limit.
pub fn each_capacity<T>(mut test: impl FnMut(Option<usize>, Sender<T>, Receiver<T>)) {
    each_limit(|capacity, tx, rx| test(Some(capacity), tx, rx));
    let (tx, rx) = hchan::unbounded();
    test(None, tx, rx);
}

/// Runs a test on channels of capacity 0, 1, 2, 3 and 7.
pub fn each_limit<T>(mut test: impl FnMut(usize, Sender<T>, Receiver<T>)) {
    for capacity in [0, 1, 2, 3, 7] {
        let (tx, rx) = hchan::bounded(capacity);
        test(capacity, tx, rx);
    }
}

/// Runs a test on channels that have slots: of capacity 1, 2, 3, 7 and without a limit.
pub fn each_with_slots<T>(mut test: impl FnMut(Option<usize>, Sender<T>, Receiver<T>)) {
    each_capacity(|capacity, tx, rx| {
        if capacity != Some(0) {
            test(capacity, tx, rx);
        }
    });
}

/// Sets its flag at the end, even that of a panic, so that nobody who waits for it does so for ever.
pub struct InTheEnd<'a>(pub &'a AtomicBool);

impl Drop for InTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Counts how many of its [`Counted`] values were dropped.
#[derive(Clone, Debug, Default)]
pub struct Drops(Arc<AtomicUsize>);

impl Drops {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    pub fn value(&self, id: usize) -> Counted {
        Counted {
            id,
            drops: self.clone(),
        }
    }
}

/// A value that counts its drop.
#[derive(Debug)]
pub struct Counted {
    pub id: usize,
    drops: Drops,
}

/// Its number, once it is dropped.
impl From<Counted> for usize {
    fn from(value: Counted) -> Self {
        value.id
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.drops.0.fetch_add(1, Ordering::SeqCst);
    }
}

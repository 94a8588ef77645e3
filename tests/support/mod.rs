//! What the tests share: polling by hand, wakers that count, values that count their drops.
#![allow(dead_code, reason = "each test file uses its part of this")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use hchan::{Receiver, Sender};

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
        Self { future, wakes: Arc::default() }
    }

    pub fn poll(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(self.wakes.clone());
        Pin::new(&mut self.future).poll(&mut Context::from_waker(&waker))
    }

    /// How often the waker of this task was woken.
    pub fn wakes(&self) -> usize {
        self.wakes.count()
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

/// Runs a test on channels of capacity 0, 1, 2, 3, 7 and without a limit.
pub fn each_capacity<T>(mut test: impl FnMut(Option<usize>, Sender<T>, Receiver<T>)) {
    for capacity in [0, 1, 2, 3, 7] {
        let (tx, rx) = hchan::bounded(capacity);
        test(Some(capacity), tx, rx);
    }
    let (tx, rx) = hchan::unbounded();
    test(None, tx, rx);
}

/// Counts how many of its [`Counted`] values were dropped.
#[derive(Clone, Default)]
pub struct Drops(Arc<AtomicUsize>);

impl Drops {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    pub fn value(&self, id: usize) -> Counted {
        Counted { id, drops: self.clone() }
    }
}

/// A value that counts its drop.
pub struct Counted {
    pub id: usize,
    drops: Drops,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.drops.0.fetch_add(1, Ordering::SeqCst);
    }
}

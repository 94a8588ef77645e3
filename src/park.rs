//! Threads that wait: a thread is a task whose waker unparks it.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::cell::Cell;
use std::sync::Arc;
use std::task::Wake;
use std::time::{Duration, Instant};

use crate::sync::thread::{self, Thread};
use crate::sync::{AtomicBool, Ordering, linger, park_timeout};

/// The waker of a thread.
struct Unparker {
    thread: Thread,
    /// Set by a wake, cleared by the thread. The thread's own token may be taken by anyone who parks
    /// in between; this cannot.
    woken: AtomicBool,
}

/// A thread as a task: what wakes it, and how it sees that it was woken.
struct Sleeper {
    waker: Waker,
    unparker: Arc<Unparker>,
}

impl Sleeper {
    /// This thread, as it is kept from one wait to the next.
    fn take() -> Self {
        // Without thread-local storage, as in the destructor of another thread-local, make one.
        SLEEPER
            .try_with(Cell::take)
            .ok()
            .flatten()
            .unwrap_or_else(Self::new)
    }

    #[cold]
    fn new() -> Self {
        let unparker = Arc::new(Unparker {
            thread: thread::current(),
            woken: AtomicBool::new(false),
        });
        Self {
            waker: Waker::from(unparker.clone()),
            unparker,
        }
    }

    fn keep(self) {
        // A model checker makes its threads anew each time. Else this fails only where there will be
        // no other wait.
        if !cfg!(any(hchan_loom, hchan_shuttle)) {
            let _kept = SLEEPER.try_with(|kept| kept.set(Some(self)));
        }
    }
}

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Ordering: what the waking thread did comes before the poll that this wake asks for.
        bug!("wakes_before_it_is_so" => self.thread.unpark());
        self.woken.store(true, Ordering::Release);
        bug!("wakes_before_it_is_so" => return);
        self.thread.unpark();
    }
}

thread_local! {
    /// This thread while it does not wait; a wait within a wait makes its own.
    static SLEEPER: Cell<Option<Sleeper>> = const { Cell::new(None) };
}

/// Waits for a future on this thread.
pub(crate) fn block_on<F: Future + Unpin>(mut op: F) -> F::Output {
    match block_on_until(&mut op, None) {
        Some(output) => output,
        None => unreachable!("a wait without a deadline ends with its future"),
    }
}

/// Waits for a future on this thread, until the deadline at most.
///
/// The future is polled at least once, and once more at the end.
pub(crate) fn block_on_until<F: Future + Unpin>(
    op: &mut F,
    deadline: Option<Instant>,
) -> Option<F::Output> {
    let sleeper = Sleeper::take();
    let unparker = &*sleeper.unparker;
    // A wake that came too late for the last wait is none of this one's.
    unparker.woken.store(false, Ordering::Relaxed);
    let mut cx = Context::from_waker(&sleeper.waker);
    let output = loop {
        if let Poll::Ready(output) = Pin::new(&mut *op).poll(&mut cx) {
            break Some(output);
        }
        if !wait(unparker, deadline) {
            break match Pin::new(&mut *op).poll(&mut cx) {
                Poll::Ready(output) => Some(output),
                Poll::Pending => None,
            };
        }
    };
    sleeper.keep();
    output
}

/// Sleeps until the next wake; false if the deadline comes first.
fn wait(unparker: &Unparker, deadline: Option<Instant>) -> bool {
    // Ordering: see `wake_by_ref`.
    let woken =
        || { &unparker.woken }.compare_exchange(true, false, Ordering::Acquire, Ordering::Relaxed);
    if linger(|| unparker.woken.load(Ordering::Relaxed)) && woken().is_ok() {
        return true;
    }
    while woken().is_err() {
        match deadline {
            None => thread::park(),
            Some(deadline) => match deadline.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => park_timeout(left),
                _ => return false,
            },
        }
    }
    true
}

/// The end of a timeout that begins now; none, if no clock reaches that far.
pub(crate) fn deadline(timeout: Duration) -> Option<Instant> {
    Instant::now().checked_add(timeout)
}

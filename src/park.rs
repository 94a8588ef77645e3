//! Threads that wait: a thread is a task whose waker unparks it.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::cell::Cell;
use std::sync::Arc;
use std::task::Wake;
use std::time::{Duration, Instant};

use crate::sync::thread::{self, Thread};
use crate::sync::{AtomicBool, Ordering, has_company, park_timeout, this_thread_blocks};
use crate::watch::while_blocking;

/// The waker of a thread.
struct Unparker {
    thread: Thread,
    /// Set by a wake, cleared by the thread. Any other code that parks in between may take the thread's own token;
    /// it cannot take this.
    woken: AtomicBool,
}

/// A thread as a task: what wakes it, and how it sees that it was woken.
struct Sleeper {
    waker: Waker,
    unparker: Arc<Unparker>,
    /// How often in a row it has spun and no wake came.
    misses: u32,
    /// The number of waits in which it will sleep at once.
    asleep: u32,
}

impl Sleeper {
    /// How often it checks for its wake, and how many pauses lie in between.
    const LOOKS: u32 = 25;
    const PAUSES: u32 = 10;
    /// How often it then yields, and for how long at most.
    const YIELDS: u32 = 30;
    const PATIENCE: Duration = Duration::from_millis(1);
    /// After so many waits in which it did not help, it sleeps at once.
    const ENOUGH: u32 = 64;

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
        this_thread_blocks();
        let unparker = Arc::new(Unparker {
            thread: thread::current(),
            woken: AtomicBool::new(false),
        });
        Self {
            waker: Waker::from(unparker.clone()),
            unparker,
            misses: 0,
            asleep: 0,
        }
    }

    /// Sleeps until the next wake; false if the deadline comes first.
    fn wait(&mut self, deadline: Option<Instant>) -> bool {
        self.linger(deadline);
        while !self.unparker.take_wake() {
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

    /// Stays awake for some microseconds, until it is woken or out of time: putting a thread to sleep and waking
    /// it takes several times as long.
    fn linger(&mut self, deadline: Option<Instant>) {
        // In a model, spinning makes no progress; a worker of a page has no clock.
        if cfg!(any(
            hchan_loom,
            hchan_shuttle,
            all(target_family = "wasm", target_os = "unknown")
        )) {
            return;
        }
        if self.asleep > 0 {
            self.asleep -= 1;
            return;
        }
        // The clock is read only here: for many waits spinning is enough.
        let is_late = deadline.is_some_and(|deadline| deadline <= Instant::now());
        if !is_late && !self.spin() {
            self.yield_a_while(Instant::now(), deadline);
        }
    }

    /// Spins for the wake: the fastest way while two threads take turns on processors of their own. False if none
    /// came: the other thread may need this processor, so it spins half as long next time.
    ///
    /// Two threads that only yield to each other stay on one processor, but a thread that sleeps is woken wherever
    /// there is room. So now and then it sleeps at once.
    fn spin(&mut self) -> bool {
        let looks = if has_company() {
            Self::LOOKS.checked_shr(self.misses).unwrap_or(0)
        } else {
            0
        };
        for _ in 0..looks {
            if self.unparker.is_woken() {
                self.misses = 0;
                return true;
            }
            (0..Self::PAUSES).for_each(|_| core::hint::spin_loop());
        }
        self.misses += 1;
        if self.misses == Self::ENOUGH {
            self.misses = 0;
            self.asleep = 1;
        }
        false
    }

    /// Yields its processor to others until it is woken. If it does not get it back soon, they may have nothing to
    /// do with the channel: then it sleeps at once the next times, twice as many for each wait since spinning last
    /// helped.
    fn yield_a_while(&mut self, begin: Instant, deadline: Option<Instant>) {
        for _ in 0..Self::YIELDS {
            if self.unparker.is_woken() {
                return;
            }
            thread::yield_now();
            let now = Instant::now();
            if now - begin > Self::PATIENCE {
                self.asleep = 1 << self.misses.min(Self::ENOUGH.ilog2());
                return;
            }
            if deadline.is_some_and(|deadline| deadline <= now) {
                return;
            }
        }
    }

    fn keep(self) {
        // A model checker makes new threads each time. Otherwise this fails only if no other wait will follow.
        if !cfg!(any(hchan_loom, hchan_shuttle)) {
            let _kept = SLEEPER.try_with(|kept| kept.set(Some(self)));
        }
    }
}

impl Unparker {
    fn is_woken(&self) -> bool {
        self.woken.load(Ordering::Relaxed)
    }

    /// Whether there was a wake, which is cleared.
    fn take_wake(&self) -> bool {
        let woken = &self.woken;
        // Ordering: see `wake_by_ref`.
        woken
            .compare_exchange(true, false, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }
}

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Ordering: what the waking thread did comes before the poll that this wake asks for.
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

thread_local! {
    /// This thread while it does not wait; a wait within a wait makes its own.
    static SLEEPER: Cell<Option<Sleeper>> = const { Cell::new(None) };
}

/// Panics where no thread can wait: on a page, and wherever else WebAssembly has one thread, nothing else runs
/// until it returns.
fn assert_may_wait() {
    let alone = cfg!(all(
        target_family = "wasm",
        target_os = "unknown",
        not(target_feature = "atomics")
    ));
    assert!(
        !alone,
        "nobody can end this wait, as there is no other thread: await it instead"
    );
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
    let mut sleeper = Sleeper::take();
    // A wake that came too late for the last wait does not belong to this one.
    sleeper.unparker.woken.store(false, Ordering::Relaxed);
    let mut poll = |sleeper: &Sleeper| {
        let mut cx = Context::from_waker(&sleeper.waker);
        let polled = while_blocking(|| Pin::new(&mut *op).poll(&mut cx));
        match polled {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    };
    let output = loop {
        if let Some(output) = poll(&sleeper) {
            break Some(output);
        }
        assert_may_wait();
        if !sleeper.wait(deadline) {
            break poll(&sleeper);
        }
    };
    sleeper.keep();
    output
}

/// The end of a timeout that begins now; `None` if that is beyond the clock's range.
pub(crate) fn deadline(timeout: Duration) -> Option<Instant> {
    assert_may_wait();
    Instant::now().checked_add(timeout)
}

#[cfg(test)]
mod tests;

//! The lock of a channel, and how a thread waits for it.

use core::panic::{RefUnwindSafe, UnwindSafe};

use spin::mutex::SpinMutex;
pub(crate) use spin::mutex::SpinMutexGuard as MutexGuard;

#[cfg(feature = "std")]
use crate::sync::{AtomicU32, Ordering};

/// The lock of a channel.
///
/// It is usually held for a few dozen instructions; batches, a close, and storage that grows hold it longer. The
/// allocator is the only foreign code that runs under it, and nothing waits there. So it is a spin lock, which is
/// released by a plain store: half the price of a lock that must look for sleepers. A thread that fails to get the
/// lock backs off, longer each time; then it yields, in case the holder was descheduled.
///
/// Executor threads start with a long wait: the holder usually relocks at once, and probing steals its cache line, so
/// that neither gets far. After each wait there are two probes, a moment apart: such a holder has the lock half of the
/// time, but never for long.
pub(crate) struct Mutex<T>(SpinMutex<T>);

// No user code runs under the lock, so a panic leaves nothing half changed.
impl<T> UnwindSafe for Mutex<T> {}
impl<T> RefUnwindSafe for Mutex<T> {}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(SpinMutex::new(value))
    }

    /// Takes the lock, and waits for it if need be. The fast path is `try_lock`, which is inlined.
    #[inline(never)]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        match self.0.try_lock() {
            Some(guard) => guard,
            None => self.lock_contended(),
        }
    }

    #[cold]
    fn lock_contended(&self) -> MutexGuard<'_, T> {
        let mut backoff = Backoff::new();
        loop {
            backoff.wait();
            if !self.0.is_locked() {
                if let Some(guard) = self.0.try_lock() {
                    return guard;
                }
            }
        }
    }

    #[inline]
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock()
    }
}

/// How long to stay away from a lock that someone else holds.
struct Backoff {
    round: usize,
    /// Whether the last wait was a long one, so that a short one is next.
    back: bool,
}

impl Backoff {
    /// For how many pauses the thread spins in each round: about 25 microseconds in all. The farther apart the
    /// processors are, the longer it must stay away for the holder to make progress; a probe that fails is how it
    /// learns that they are.
    const PAUSES: [u32; 4] = [16, 32, 96, 1024];
    /// How many rounds then yield the processor, before sleeping.
    #[cfg(feature = "std")]
    const YIELDING: usize = 8;
    /// The round in which an executor's thread begins.
    const EXECUTOR: usize = 2;

    fn new() -> Self {
        #[cfg(feature = "std")]
        let blocks = BLOCKS.get();
        #[cfg(not(feature = "std"))]
        let blocks = false;
        let round = match blocks {
            // A long wait would hold up its counterpart, which has the lock now and will wait for this thread next.
            true => 0,
            false => Self::EXECUTOR,
        };
        Self { round, back: false }
    }

    fn wait(&mut self) {
        self.back = !self.back;
        match self.back {
            true => self.stay_away(),
            false => core::hint::spin_loop(),
        }
    }

    #[cfg(feature = "std")]
    fn stay_away(&mut self) {
        const SLEEP: std::time::Duration = std::time::Duration::from_micros(50);

        match Self::PAUSES.get(self.round) {
            Some(&pauses) if has_company() => spin(pauses),
            _ if self.round < Self::PAUSES.len() + Self::YIELDING => std::thread::yield_now(),
            _ => std::thread::sleep(SLEEP),
        }
        self.round = self.round.saturating_add(1);
    }

    #[cfg(not(feature = "std"))]
    fn stay_away(&mut self) {
        spin(Self::PAUSES[self.round]);
        self.round = (self.round + 1).min(Self::PAUSES.len() - 1);
    }
}

fn spin(pauses: u32) {
    (0..pauses).for_each(|_| core::hint::spin_loop());
}

#[cfg(feature = "std")]
std::thread_local! {
    /// Whether this thread has ever blocked on a channel. Most executors' threads never do.
    static BLOCKS: core::cell::Cell<bool> = const { core::cell::Cell::new(false) };
}

/// Notes that this thread blocks on channels.
#[cfg(feature = "std")]
pub(crate) fn this_thread_blocks() {
    BLOCKS.set(true);
}

/// Whether there is another processor, on which the holder of a lock may run while this thread spins.
#[cfg(feature = "std")]
pub(crate) fn has_company() -> bool {
    static PROCESSORS: AtomicU32 = AtomicU32::new(0);

    let known = PROCESSORS.load(Ordering::Relaxed);
    if known > 0 {
        return known > 1;
    }
    let several = std::thread::available_parallelism().is_ok_and(|count| count.get() > 1);
    PROCESSORS.store(1 + u32::from(several), Ordering::Relaxed);
    several
}

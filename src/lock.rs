//! The lock of a channel, and how a thread waits for it.

use core::panic::{RefUnwindSafe, UnwindSafe};

use spin::mutex::SpinMutex;
pub(crate) use spin::mutex::SpinMutexGuard as MutexGuard;

use crate::mask::assert_masked;
#[cfg(feature = "std")]
use crate::sync::AtomicU32;
use crate::sync::{AtomicBool, Ordering};

/// The lock of a channel.
///
/// It is usually held for a few dozen instructions; batches, a close, and storage that grows hold it longer. The
/// allocator is the only foreign code that runs under it, and nothing waits there. So it is a spin lock, which is
/// released by a plain store: half the price of a lock that must look for sleepers. A thread that fails to get the
/// lock backs off, for longer and longer until it asks for room; then it yields, and in the end sleeps, in case the
/// holder was descheduled.
///
/// Executor threads start with a long wait: the holder usually relocks at once, and probing steals its cache line, so
/// that neither gets far. After each wait there are two probes, a moment apart: such a holder has the lock half of the
/// time, but never for long.
///
/// With the feature `critical-section` it is taken only with interrupts [masked](crate::mask), unless it may be taken
/// `ANYWHERE`.
pub(crate) struct Mutex<T, const ANYWHERE: bool = false>(SpinMutex<T>);

/// Keeps a thread that uses a lock without a pause from keeping others out: a thread that has backed off several times
/// asks for room, and those that come after that back off first.
///
/// A hint: the thread that asked may not be running, so one that has backed off takes the lock all the same. It lies
/// beside the lock and not in it, where it would take eight bytes.
pub(crate) struct Turns {
    asked: AtomicBool,
}

impl Turns {
    pub(crate) const fn new() -> Self {
        Self {
            asked: AtomicBool::new(false),
        }
    }

    #[inline]
    fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    fn ask(&self, asks: bool) {
        self.asked.store(asks, Ordering::Relaxed);
    }
}

// No user code runs under the lock, so a panic leaves nothing half changed.
impl<T, const ANYWHERE: bool> UnwindSafe for Mutex<T, ANYWHERE> {}
impl<T, const ANYWHERE: bool> RefUnwindSafe for Mutex<T, ANYWHERE> {}

impl<T, const ANYWHERE: bool> Mutex<T, ANYWHERE> {
    pub(crate) const fn new(value: T) -> Self {
        Self(SpinMutex::new(value))
    }

    /// Takes a lock that nobody uses without a pause.
    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.assert_masked();
        match self.0.try_lock() {
            Some(guard) => guard,
            None => self.wait(&Turns::new()),
        }
    }

    /// Takes it if it is free.
    #[cfg(feature = "inspect")]
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock()
    }

    /// Takes the lock, and waits for it if need be.
    #[inline]
    pub(crate) fn lock_in_turn(&self, turns: &Turns) -> MutexGuard<'_, T> {
        match self.try_lock_in_turn(turns) {
            Some(guard) => guard,
            None => self.wait(turns),
        }
    }

    /// Takes the lock, if it is free and nobody asks for room.
    #[inline]
    pub(crate) fn try_lock_in_turn(&self, turns: &Turns) -> Option<MutexGuard<'_, T>> {
        self.assert_masked();
        if turns.is_asked() {
            None
        } else {
            self.0.try_lock()
        }
    }

    #[inline]
    #[allow(clippy::unused_self, reason = "what may be asked depends on its type")]
    fn assert_masked(&self) {
        if !ANYWHERE {
            assert_masked();
        }
    }

    #[cold]
    #[inline(never)]
    fn wait(&self, turns: &Turns) -> MutexGuard<'_, T> {
        // Once more at once: the holder may just have released it.
        if let Some(guard) = self.try_lock_in_turn(turns) {
            return guard;
        }
        let mut backoff = Backoff::new();
        loop {
            backoff.wait();
            let asks = backoff.is_over();
            if !self.0.is_locked() && (asks || !turns.is_asked()) {
                if let Some(guard) = self.0.try_lock() {
                    // Other threads that need room ask again.
                    turns.ask(false);
                    return guard;
                }
            }
            if asks {
                turns.ask(true);
            }
        }
    }
}

/// How long to stay away from a lock that someone else holds.
struct Backoff {
    round: usize,
    /// Whether the last wait was a long one, so that a short one is next.
    back: bool,
}

impl Backoff {
    /// For how many pauses the thread spins in each round. The farther apart the processors are, and the more of them
    /// there are, the longer it must stay away for the holder to make progress; a probe that fails is how it learns
    /// of either.
    const PAUSES: [u32; 7] = [16, 32, 96, 256, 128, 256, 512];
    /// After so many rounds it asks for room.
    const PATIENT: usize = 4;
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
        let round = if !has_company() {
            // Nobody else runs while this thread does.
            Self::PAUSES.len()
        } else if blocks {
            // A long wait would hold up its counterpart, which has the lock now and will wait for this thread next.
            0
        } else {
            Self::EXECUTOR
        };
        Self { round, back: false }
    }

    /// Whether the thread has stayed away for long enough.
    fn is_over(&self) -> bool {
        self.round >= Self::PATIENT
    }

    fn wait(&mut self) {
        self.back = !self.back;
        if self.back {
            self.stay_away();
        } else {
            core::hint::spin_loop();
        }
    }

    fn stay_away(&mut self) {
        match Self::PAUSES.get(self.round) {
            Some(&pauses) => spin(pauses),
            // Nothing yields there, and the main thread of a page may not sleep.
            None if cfg!(all(target_family = "wasm", target_os = "unknown")) => {
                spin(Self::PAUSES[1])
            }
            None => self.sleep(),
        }
        self.round = self.round.saturating_add(1);
    }

    #[cfg(feature = "std")]
    fn sleep(&self) {
        const SLEEP: std::time::Duration = std::time::Duration::from_micros(50);

        if self.round < Self::PAUSES.len() + Self::YIELDING {
            std::thread::yield_now();
        } else {
            std::thread::sleep(SLEEP);
        }
    }

    /// Nobody knows how.
    #[cfg(not(feature = "std"))]
    #[expect(clippy::unused_self, reason = "with `std` it is asked")]
    fn sleep(&self) {
        spin(Self::PAUSES[Self::PAUSES.len() - 1]);
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

#[cfg(not(feature = "std"))]
const fn has_company() -> bool {
    true
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

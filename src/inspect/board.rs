//! What changes under one of the channel's locks, and is read without it.
//!
//! It is a sequence lock: a number is odd while the channel's lock is held, and a reader copies again until it has
//! found the same even number before and after. All that is copied is atomic, or has a lock of its own that is
//! held for the copy. The next thread that takes the channel's lock waits for readers, so a reader gets its copy
//! however busy the channel is.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::Waker;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering, fence};
use std::thread;

use crate::sync::Mutex;
use crate::watch::{Counts, Visit};

pub(super) struct Board {
    /// Odd while it is being changed.
    turn: AtomicUsize,
    /// How many read it.
    readers: AtomicUsize,
    counts: [AtomicUsize; 8],
    spots: Mutex<Vec<Arc<Seen>>, true>,
}

/// Where a parked operation is seen: one for each place that has ever held one.
pub(crate) struct Spot(Option<Arc<Seen>>);

struct Seen {
    state: AtomicU8,
    visit: Mutex<Option<Visit>, true>,
}

const FREE: u8 = 0;
const PARKED: u8 = 1;
/// Served or ended, and has not looked yet; or about to go.
const WOKEN: u8 = 2;

/// What the board must know of the spots of a slab.
pub(crate) struct Spots {
    /// Those that it does not have yet.
    new: Vec<Arc<Seen>>,
    /// How many are taken.
    taken: u32,
    /// When fewer are, places may have been given back, and with them spots.
    few: u32,
    /// Whether the board has something to do.
    is_due: bool,
}

/// A parked operation, or one that was woken and has not looked yet.
#[derive(Clone, Copy)]
pub(super) struct Waiting {
    pub(super) visit: Visit,
    pub(super) is_woken: bool,
}

impl Spots {
    /// A slab that has had no more places keeps them.
    const KEPT: u32 = 1024;

    pub(crate) const fn new() -> Self {
        Self {
            new: Vec::new(),
            taken: 0,
            few: 0,
            is_due: false,
        }
    }

    /// A place is taken for a value, which is not shown.
    #[inline]
    pub(crate) fn kept(&mut self) {
        self.taken += 1;
    }

    /// A place is free again.
    #[inline]
    pub(crate) fn gone(&mut self) {
        self.taken -= 1;
        if self.taken < self.few {
            self.few = self.taken / 2;
            self.is_due = true;
        }
    }
}

impl Spot {
    pub(crate) const NONE: Self = Self(None);

    /// An operation has parked here.
    #[inline]
    pub(crate) fn parked(&mut self, visit: Visit, spots: &mut Spots) {
        spots.taken += 1;
        let seen = match &self.0 {
            Some(seen) => seen,
            None => self.add(spots),
        };
        match seen.visit.try_lock() {
            Some(mut seen) => *seen = Some(visit),
            None => *seen.visit.lock() = Some(visit),
        }
        seen.state.store(PARKED, Ordering::Relaxed);
    }

    #[cold]
    #[inline(never)]
    fn add(&mut self, spots: &mut Spots) -> &Arc<Seen> {
        let seen = self.0.insert(Arc::new(Seen {
            state: AtomicU8::new(FREE),
            visit: Mutex::new(None),
        }));
        spots.new.push(seen.clone());
        spots.is_due = true;
        if spots.taken > Spots::KEPT {
            spots.few = spots.taken / 4;
        }
        seen
    }

    /// It is no longer in any line.
    #[inline]
    pub(crate) fn left(&self) {
        self.set(WOKEN);
    }

    /// Its place is free.
    #[inline]
    pub(crate) fn gone(&self) {
        self.set(FREE);
    }

    #[inline]
    fn set(&self, state: u8) {
        if let Some(seen) = &self.0 {
            seen.state.store(state, Ordering::Relaxed);
        }
    }

    /// Another task waits for it now.
    pub(crate) fn renewed(&self, waker: &Waker) {
        if let Some(seen) = &self.0 {
            if let Some(visit) = &mut *seen.visit.lock() {
                visit.task = waker.data().addr();
            }
        }
    }
}

impl Board {
    pub(super) fn new() -> Self {
        Self {
            turn: AtomicUsize::new(0),
            readers: AtomicUsize::new(0),
            counts: [const { AtomicUsize::new(0) }; 8],
            spots: Mutex::new(Vec::new()),
        }
    }

    /// The lock was taken.
    #[inline]
    pub(super) fn begin(&self) {
        if self.readers.load(Ordering::Relaxed) > 0 {
            self.wait_for_readers();
        }
        let turn = self.turn.load(Ordering::Relaxed);
        self.turn.store(turn.wrapping_add(1), Ordering::Relaxed);
        // Ordering: a reader that sees what is written from now on finds the turn odd, or changed, at the end.
        fence(Ordering::Release);
    }

    /// The lock is about to be released.
    #[inline]
    pub(super) fn end(&self) {
        let turn = self.turn.load(Ordering::Relaxed);
        // Ordering: a reader that finds this turn finds all that was written before.
        self.turn.store(turn.wrapping_add(1), Ordering::Release);
    }

    #[cold]
    #[inline(never)]
    fn wait_for_readers(&self) {
        while self.readers.load(Ordering::Relaxed) > 0 {
            thread::yield_now();
        }
    }

    /// Adds new spots, and drops those whose places were freed.
    #[inline]
    pub(super) fn update(&self, spots: &mut Spots) {
        if spots.is_due {
            self.update_some(spots);
        }
    }

    #[cold]
    #[inline(never)]
    fn update_some(&self, spots: &mut Spots) {
        spots.is_due = false;
        let mut all = self.spots.lock();
        if spots.new.is_empty() {
            all.retain(|seen| Arc::strong_count(seen) > 1);
            all.shrink_to_fit();
            spots.new = Vec::new();
        } else {
            all.append(&mut spots.new);
        }
    }

    #[inline]
    pub(super) fn set_counts(&self, counts: Counts) {
        let counts = [
            usize::from(counts.closed),
            counts.ring,
            counts.received as usize,
            counts.returned as usize,
            counts.reserved,
            counts.unclaimed as usize,
            counts.sent as usize,
            counts.peak,
        ];
        for (count, now) in self.counts.iter().zip(counts) {
            count.store(now, Ordering::Relaxed);
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let counts = self.counts.each_ref();
        let [
            closed,
            ring,
            received,
            returned,
            reserved,
            unclaimed,
            sent,
            peak,
        ] = counts.map(|count| count.load(Ordering::Relaxed));
        Counts {
            closed: closed != 0,
            ring,
            received: received as u64,
            returned: returned as u32,
            reserved,
            unclaimed: unclaimed as u32,
            sent: sent as u64,
            peak,
        }
    }

    /// How many may be seen here.
    pub(super) fn len(&self) -> usize {
        self.spots.lock().len()
    }

    /// Copies the operations that are seen here, if there is room for them.
    pub(super) fn copy(&self, out: &mut Vec<Waiting>) -> bool {
        let spots = self.spots.lock();
        if out.capacity() - out.len() < spots.len() {
            return false;
        }
        out.extend(spots.iter().filter_map(|seen| {
            let state = seen.state.load(Ordering::Relaxed);
            let visit = (state != FREE).then(|| *seen.visit.lock()).flatten()?;
            Some(Waiting {
                visit,
                is_woken: state == WOKEN,
            })
        }));
        true
    }
}

/// Copies two boards as they are at one instant.
///
/// It gives up, and takes what is there, if one of them has been changing for about a tenth of a second: then this
/// may be the thread that changes it, in a panic hook.
pub(super) fn read<R>(boards: [&Board; 2], mut copy: impl FnMut() -> R) -> R {
    const LOOKS: u32 = 1000;
    const SPINS: u32 = 50;
    const PAUSE: core::time::Duration = core::time::Duration::from_micros(100);

    /// Holds up threads that would change the boards.
    struct Reading<'a>([&'a Board; 2]);

    impl Drop for Reading<'_> {
        fn drop(&mut self) {
            for board in self.0 {
                board.readers.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    for board in boards {
        board.readers.fetch_add(1, Ordering::Relaxed);
    }
    let _reading = Reading(boards);
    let mut looks = 0;
    loop {
        let before = boards.map(|board| board.turn.load(Ordering::Acquire));
        let is_last = looks >= LOOKS;
        if is_last || before.iter().all(|turn| turn % 2 == 0) {
            let copied = copy();
            // Ordering: pairs with `begin`.
            fence(Ordering::Acquire);
            if is_last || before == boards.map(|board| board.turn.load(Ordering::Relaxed)) {
                return copied;
            }
        }
        if looks < SPINS {
            core::hint::spin_loop();
        } else {
            thread::sleep(PAUSE);
        }
        looks += 1;
    }
}

//! The registry, and in it a record of each channel.
//!
//! A record knows nothing of the channel's values, whose type may borrow, so it is no part of the channel. What
//! changes under the channel's lock stands on a [`Board`], which is read without that lock; the rest, such as the
//! handles, has a lock of its own, which is taken last and held while a few words are copied. The registry's lock is
//! taken when a channel is made, when its last handle goes, and to fetch some records; at no time with another.

use core::any::type_name;
use core::mem;
use core::panic::Location;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard as StdMutexGuard, PoisonError};
use std::time::Instant;

use super::board::{self, Board, Spots, Waiting};
use crate::hchan::Kind;
use crate::sync::{Mutex, MutexGuard};
use crate::watch::{Caller, Counts, Origin, Side, cut};

/// Names are cut to this many bytes.
const NAME_BYTES: usize = 128;

static REGISTRY: StdMutex<Registry> = StdMutex::new(Registry {
    last: 0,
    records: BTreeMap::new(),
});

struct Registry {
    last: u64,
    records: BTreeMap<u64, Arc<Record>>,
}

impl Registry {
    fn lock() -> StdMutexGuard<'static, Self> {
        // Nothing in it can be half changed: a panic comes before a change, or not at all.
        REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls for each record, with what it shows. The registry's lock is held for a few at a time.
pub(super) fn each(mut call: impl FnMut(&Record, &Look)) {
    const SOME: usize = 64;

    let mut look = Look::default();
    let (mut some, mut from) = (Vec::with_capacity(SOME), 0);
    loop {
        let registry = Registry::lock();
        let records = registry.records.range(from..).take(SOME);
        some.extend(records.map(|(_, record)| record.clone()));
        drop(registry);
        let Some(last) = some.last() else {
            return;
        };
        from = last.id + 1;
        for record in some.drain(..) {
            if record.look(&mut look) {
                call(&record, &look);
            }
        }
    }
}

/// What is known of a channel.
pub(super) struct Record {
    pub(super) id: u64,
    pub(super) type_name: &'static str,
    pub(super) kind: Kind,
    pub(super) capacity: Option<usize>,
    pub(super) made: &'static Location<'static>,
    board: Board,
    /// The waits for the channel to close.
    closers: Board,
    state: Mutex<State, true>,
}

struct State {
    name: Option<Arc<str>>,
    is_timer: bool,
    handles: Handles,
}

/// The living handles. A handle that goes leaves its place to the next that comes, and allocates nothing.
struct Handles {
    first: [Place; 2],
    more: Vec<Place>,
    /// How many there are.
    len: usize,
    /// The free place to use next, or [`NIL`].
    free: u32,
}

enum Place {
    Taken(Entry),
    /// The free place to use after it, or [`NIL`].
    Free(u32),
}

const NIL: u32 = u32::MAX;

/// A handle.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) side: Side,
    pub(super) origin: Origin,
    pub(super) at: &'static Location<'static>,
    pub(super) since: Instant,
}

impl Handles {
    fn new(first: [Entry; 2]) -> Self {
        Self {
            first: first.map(Place::Taken),
            more: Vec::new(),
            len: 2,
            free: NIL,
        }
    }

    fn at(&mut self, number: u32) -> &mut Place {
        let number = number as usize;
        match number.checked_sub(self.first.len()) {
            None => &mut self.first[number],
            Some(number) => &mut self.more[number],
        }
    }

    fn add(&mut self, entry: Entry) -> u32 {
        self.len += 1;
        let number = self.free;
        if number == NIL {
            self.more.push(Place::Taken(entry));
            return (self.first.len() + self.more.len() - 1) as u32;
        }
        if let Place::Free(next) = mem::replace(self.at(number), Place::Taken(entry)) {
            self.free = next;
        }
        number
    }

    fn remove(&mut self, number: u32) {
        self.len -= 1;
        let next = mem::replace(&mut self.free, number);
        *self.at(number) = Place::Free(next);
    }

    fn iter(&self) -> impl Iterator<Item = &Entry> {
        let places = self.first.iter().chain(&self.more);
        places.filter_map(|place| match place {
            Place::Taken(entry) => Some(entry),
            Place::Free(_) => None,
        })
    }
}

impl Record {
    #[inline]
    fn lock(&self) -> MutexGuard<'_, State> {
        match self.state.try_lock() {
            Some(state) => state,
            None => self.state.lock(),
        }
    }

    /// Copies what is there at one instant. False if the channel's last handle has just gone.
    ///
    /// Nothing is allocated while it holds anyone up.
    pub(super) fn look(&self, look: &mut Look) -> bool {
        let Look { handles, waits, .. } = look;
        loop {
            let many = self.lock().handles.len;
            if many == 0 {
                return false;
            }
            handles.clear();
            waits.clear();
            // A quarter more, for operations that come meanwhile.
            handles.reserve(many + many / 4);
            let more = self.board.len() + self.closers.len();
            waits.reserve(more + more / 4);
            let copy = || {
                handles.clear();
                waits.clear();
                let state = self.lock();
                let counts = self.board.counts();
                let fits = state.handles.len <= handles.capacity();
                if fits {
                    handles.extend(state.handles.iter());
                }
                let fits = fits && self.board.copy(waits) && self.closers.copy(waits);
                fits.then(|| (state.name.clone(), state.is_timer, counts))
            };
            if let Some(copied) = board::read([&self.board, &self.closers], copy) {
                (look.name, look.is_timer, look.counts) = copied;
                return !handles.is_empty();
            }
        }
    }
}

/// What a record has shown. Its room is used again for the next.
#[derive(Default)]
pub(super) struct Look {
    pub(super) name: Option<Arc<str>>,
    pub(super) is_timer: bool,
    pub(super) counts: Counts,
    pub(super) handles: Vec<Entry>,
    pub(super) waits: Vec<Waiting>,
}

/// A channel's hold on its record.
#[derive(Clone)]
pub(crate) struct Recorded(Arc<Record>);

impl Recorded {
    /// Registers a channel of this type with its first two handles.
    pub(crate) fn pair<T>(
        kind: Kind,
        capacity: Option<usize>,
        Caller { at: made }: Caller,
    ) -> (Self, Badge, Badge) {
        let [sender, receiver] = [Side::Send, Side::Recv].map(|side| Entry {
            side,
            origin: Origin::Made,
            at: made,
            since: Instant::now(),
        });
        let id = {
            let mut registry = Registry::lock();
            registry.last += 1;
            registry.last
        };
        let record = Arc::new(Record {
            id,
            type_name: type_name::<T>(),
            kind,
            capacity,
            made,
            board: Board::new(),
            closers: Board::new(),
            state: Mutex::new(State {
                name: None,
                is_timer: false,
                handles: Handles::new([sender, receiver]),
            }),
        });
        let [sender, receiver] = [0, 1].map(|number| Badge {
            record: record.clone(),
            number,
            at: made,
        });
        Registry::lock().records.insert(id, record.clone());
        (Self(record), sender, receiver)
    }

    /// Lists a handle. The channel is registered while it has another.
    pub(crate) fn join(&self, side: Side, origin: Origin, Caller { at }: Caller) -> Badge {
        let entry = Entry {
            side,
            origin,
            at,
            since: Instant::now(),
        };
        let number = self.0.lock().handles.add(entry);
        Badge {
            record: self.0.clone(),
            number,
            at,
        }
    }

    /// The channel's lock was taken: what is seen of it will change.
    #[inline]
    pub(crate) fn begin(&self) {
        self.0.board.begin();
    }

    /// Publishes what the channel looks like now. Its lock is about to be released.
    #[inline]
    pub(crate) fn publish(&self, counts: impl FnOnce() -> Counts, spots: Option<&mut Spots>) {
        if let Some(spots) = spots {
            self.0.board.update(spots);
        }
        self.0.board.set_counts(counts());
        self.0.board.end();
    }

    /// The same for the waits for the channel to close.
    #[inline]
    pub(crate) fn begin_closers(&self) {
        self.0.closers.begin();
    }

    #[inline]
    pub(crate) fn publish_closers(&self, spots: &mut Spots) {
        self.0.closers.update(spots);
        self.0.closers.end();
    }

    /// Gives the channel a name, which is cut if it is long.
    pub(crate) fn set_name(&self, name: &str) {
        let name: Arc<str> = cut(name, NAME_BYTES).into();
        let before = self.0.lock().name.replace(name);
        drop(before);
    }

    /// Whether the clock will send to the channel.
    #[cfg(feature = "time")]
    pub(crate) fn set_timer(&self, is_timer: bool) {
        self.0.lock().is_timer = is_timer;
    }
}

/// A handle's entry in the record of its channel. It goes when the handle is dropped.
pub(crate) struct Badge {
    record: Arc<Record>,
    number: u32,
    at: &'static Location<'static>,
}

impl Badge {
    /// Where the handle was made or cloned.
    pub(crate) const fn caller(&self) -> Caller {
        Caller { at: self.at }
    }
}

impl Drop for Badge {
    fn drop(&mut self) {
        let mut state = self.record.lock();
        state.handles.remove(self.number);
        let is_last = state.handles.len == 0;
        drop(state);
        if is_last {
            let record = Registry::lock().records.remove(&self.record.id);
            drop(record);
        }
    }
}

//! Which task waits on which channel, since when, and why the channel is still open.
//!
//! With the feature `inspect` every living channel is in a registry: where it was made, what its values are,
//! what is inside, its handles, and each operation that is parked. [`dump`] renders all of it as text,
//! [`channels`] gives it as data, and [`run()`] is for tests: it runs tasks until all of them are asleep, and then
//! panics with the dump instead of hanging. [When it hangs](when_it_hangs) leads from the symptom to the cause.
//!
//! ```
//! let (tx, rx) = hchan::bounded::<String>(10);
//! tx.set_name("jobs");
//! let forgotten = tx.clone();
//! drop(tx);
//! # let mut recv = rx.recv();
//! # assert!(futures::FutureExt::now_or_never(&mut recv).is_none());
//! // … and a receiver that waits for the end.
//! println!("{}", hchan::inspect::dump());
//! # drop(forgotten);
//! ```
//!
//! prints
//!
//! ```text
//! 1 channel, 1 operation waits
//!
//! channel 1 "jobs" of alloc::string::String, capacity 10, made at src/main.rs:3:16
//!     0 inside, 0 at most, 0 sent, 0 received
//!     recv, 5 min, at src/worker.rs:88:22
//!     still open: 1 sender: cloned at src/main.rs:5:20
//!     1 receiver: made at src/main.rs:3:16
//! ```
//!
//! # What it shows
//!
//! The state of each channel at one instant, which is not the same for all of them. No lock of a channel is taken,
//! so a dump can be made anywhere, even in a destructor, a waker or a panic hook; but not in a signal handler or
//! an allocator. An operation shows where its method was called, for a stream or a sink where the handle was made,
//! and for an arm of a select where the arm is.
//!
//! An operation that was *woken* has what it waited for, and has not been polled since. If it is a receive it may
//! have been handed a value, which others wait for meanwhile.
//!
//! Operations on a channel of [`never`](fn@crate::never) stand in no line, and are not shown. Neither are weak
//! handles, permits, and futures that were not polled: permits are only counted.
//!
//! # Cost
//!
//! An allocation for each channel, the clock read for each handle that is made and each operation that parks, and a
//! second lock under the channel's, held for a few dozen instructions. A send and a receive that need not wait take
//! twice the instructions, and a parked receive 1.8 times as many. Without the feature it costs nothing.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::panic::Location;
use std::time::Instant;

use self::board::Waiting;
use self::record::{Entry, Look, Record};
use crate::hchan::Kind;
use crate::snapshot::Snapshot;
use crate::watch::{self, Side, What};

pub(crate) mod board;
pub(crate) mod record;
mod run;
#[cfg(feature = "serde")]
mod serial;
mod text;
#[cfg(doc)]
pub mod when_it_hangs;

pub use self::run::{Tasks, run};

/// At most so many of each are shown.
const MOST: usize = 20;

/// Renders all living channels as text, those with the longest waits first.
///
/// Only 20 channels are shown, those with the longest waits first, then the oldest of the others; of each channel's
/// handles and operations the 20 oldest; and how many more there are. Names are escaped and cut, so that no name can
/// look like a line of the dump.
///
/// # Cost
///
/// Linear in the number of channels, handles and parked operations. No lock is held for longer than it takes to
/// copy one channel's data.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded::<u8>(1);
/// tx.set_name("bytes");
/// tx.try_send(1).unwrap();
/// let dump = hchan::inspect::dump();
/// assert!(dump.contains(r#""bytes" of u8, capacity 1, made at "#));
/// assert!(dump.contains("1 inside, 1 at most, 1 sent, 0 received"));
/// # drop(rx);
/// ```
///
/// From Go: the goroutines that a program prints when it gets `SIGQUIT`, by channel.
#[must_use]
pub fn dump() -> String {
    let mut dump = text::Dump::new();
    record::each(|record, look| dump.add(record, look));
    dump.render(Instant::now())
}

/// What [`dump`] shows, as data: all living channels, in the order in which they were made.
///
/// With the feature `serde` all of it is `Serialize`. A place is serialized as `file:line:column`, and instead of an
/// instant its age in milliseconds, as `age_ms`.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded::<u8>(1);
/// tx.set_name("watched");
/// tx.try_send(1).unwrap();
/// let channels = hchan::inspect::channels();
/// let watched = channels.iter().find(|it| it.name.as_deref() == Some("watched")).unwrap();
/// assert_eq!((watched.snapshot.qcount, watched.receivers.count), (1, 1));
/// # drop(rx);
/// ```
///
/// From Go: what a debugger shows of all channels.
#[must_use]
pub fn channels() -> Vec<Channel> {
    let mut channels = Vec::new();
    record::each(|record, look| channels.push(Channel::new(record, look)));
    channels
}

/// A channel, as it was at one instant.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Channel {
    /// The channels of a process are numbered in the order in which they are made.
    pub number: u64,
    /// The name that [`set_name`](crate::Sender::set_name) gave.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::name"))]
    pub name: Option<Arc<str>>,
    /// The type of the values, as the compiler calls it.
    pub type_name: &'static str,
    /// Where the channel was made.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::place"))]
    pub made_at: &'static Location<'static>,
    /// Whether nothing ever happens on it: a channel of [`never`](fn@crate::never).
    pub never: bool,
    /// The counts. `sendq` and `recvq` count arms of selects that were served elsewhere and have not looked yet.
    pub snapshot: Snapshot,
    /// The senders.
    pub senders: Oldest<Handle>,
    /// The receivers.
    pub receivers: Oldest<Handle>,
    /// Parked sends and reservations.
    pub sends: Oldest<Wait>,
    /// Parked receives.
    pub receives: Oldest<Wait>,
    /// Waits for the channel to close.
    pub closes: Oldest<Wait>,
    /// Operations that were woken and not polled since.
    pub woken: Oldest<Wait>,
}

/// The oldest of several, and how many there are in all.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Oldest<T> {
    /// How many there are.
    pub count: usize,
    /// The oldest first, 20 at most.
    pub first: Vec<T>,
}

/// A living handle.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Handle {
    /// How it was made.
    pub origin: Origin,
    /// Where it was made, cloned or upgraded.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::place"))]
    pub at: &'static Location<'static>,
    /// When it was made.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "age_ms", serialize_with = "serial::age")
    )]
    pub since: Instant,
}

/// How a handle was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Origin {
    /// With its channel.
    Made,
    /// As a clone of another.
    Cloned,
    /// From a weak handle.
    Upgraded,
}

/// An operation that waits.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Wait {
    /// What it is.
    pub operation: Operation,
    /// Whether it is an arm of a select.
    pub select: bool,
    /// Whether a thread waits for it, and not a task.
    pub blocking: bool,
    /// Where it was called.
    #[cfg_attr(feature = "serde", serde(serialize_with = "serial::place"))]
    pub at: &'static Location<'static>,
    /// When it parked.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "age_ms", serialize_with = "serial::age")
    )]
    pub since: Instant,
}

/// What an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Operation {
    /// A send.
    Send,
    /// A receive.
    Recv,
    /// A reservation.
    Reserve,
    /// A wait for the channel to close.
    Closed,
}

impl Channel {
    fn new(record: &Record, look: &Look) -> Self {
        let counts = look.counts;
        let handles = |side| look.handles.iter().filter(move |entry| entry.side == side);
        let waits = |fits: fn(What) -> bool| {
            look.waits
                .iter()
                .filter(move |it| !it.is_woken && fits(it.visit.what))
        };
        let senders = Oldest::new(handles(Side::Send));
        let receivers = Oldest::new(handles(Side::Recv));
        let sends = Oldest::new(waits(|what| matches!(what, What::Send | What::Reserve)));
        let receives = Oldest::new(waits(|what| matches!(what, What::Recv)));
        let inside = counts.ring + counts.returned as usize;
        let slots = record.capacity.unwrap_or(usize::MAX) as u64;
        let slot = |passed: u64| passed.checked_rem(slots).unwrap_or(0) as usize;
        Self {
            number: record.id,
            name: look.name.clone(),
            type_name: record.type_name,
            made_at: record.made,
            never: record.kind == Kind::Never,
            snapshot: Snapshot {
                qcount: inside,
                dataqsiz: record.capacity,
                sendx: slot(counts.received.wrapping_add(counts.ring as u64)),
                recvx: slot(counts.received),
                closed: counts.closed,
                sendq: sends.count,
                recvq: receives.count,
                senders: senders.count,
                receivers: receivers.count,
                permits: counts.reserved,
                unclaimed: counts.unclaimed as usize,
                sent: counts.sent,
                received: counts
                    .sent
                    .saturating_sub(inside as u64 + u64::from(counts.unclaimed)),
                peak: counts.peak,
            },
            senders,
            receivers,
            sends,
            receives,
            closes: Oldest::new(waits(|what| matches!(what, What::Closed))),
            woken: Oldest::new(look.waits.iter().filter(|waiting| waiting.is_woken)),
        }
    }
}

/// What has an age.
trait Aged {
    fn since(&self) -> Instant;
}

impl Aged for Entry {
    fn since(&self) -> Instant {
        self.since
    }
}

impl Aged for Waiting {
    fn since(&self) -> Instant {
        self.visit.since
    }
}

impl<T> Oldest<T> {
    fn new<'a, A>(all: impl Iterator<Item = &'a A>) -> Self
    where
        A: Aged + Copy + 'a,
        T: From<A>,
    {
        let mut all: Vec<&A> = all.collect();
        let count = all.len();
        if count > MOST {
            all.select_nth_unstable_by_key(MOST, |it| it.since());
            all.truncate(MOST);
        }
        all.sort_by_key(|it| it.since());
        Self {
            count,
            first: all.into_iter().copied().map(T::from).collect(),
        }
    }
}

impl From<Entry> for Handle {
    fn from(entry: Entry) -> Self {
        Self {
            origin: match entry.origin {
                watch::Origin::Made => Origin::Made,
                watch::Origin::Cloned => Origin::Cloned,
                watch::Origin::Upgraded => Origin::Upgraded,
            },
            at: entry.at,
            since: entry.since,
        }
    }
}

impl From<Waiting> for Wait {
    fn from(Waiting { visit, .. }: Waiting) -> Self {
        Self {
            operation: match visit.what {
                What::Send => Operation::Send,
                What::Recv => Operation::Recv,
                What::Reserve => Operation::Reserve,
                What::Closed => Operation::Closed,
            },
            select: visit.offer != 0,
            blocking: visit.is_blocking,
            at: visit.at,
            since: visit.since,
        }
    }
}

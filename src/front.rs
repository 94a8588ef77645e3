//! What of a channel is outside its lock, and knows nothing of its values: a forecast, and the line of
//! those who wait for the end, which has a lock of its own. That one is taken last: `close` holds the
//! channel's.

use alloc::boxed::Box;
use core::convert::Infallible;
use core::task::Poll;

use crate::party::Party;
use crate::sudog::{SendTicket, State, Sudogs, Ticket, WaitQ};
use crate::sync::{AtomicBool, AtomicU64, Mutex, Ordering};
use crate::trace::{Event, Queue, Trace};
use crate::wakes::{Visitor, Wakes};

pub(crate) struct Front {
    pub(crate) forecast: Forecast,
    /// Whether the channel can be closed.
    ends: bool,
    /// Looked at and changed with the lock on `closeq`.
    closed: AtomicBool,
    /// Made for the first who waits for the end: most channels have none.
    closeq: Mutex<Option<Box<Closeq>>>,
}

struct Closeq {
    sudogs: Sudogs<Infallible>,
    queue: WaitQ,
}

impl Closeq {
    fn new() -> Box<Self> {
        Box::new(Self {
            sudogs: Sudogs::new(),
            queue: WaitQ::new(),
        })
    }
}

impl Front {
    pub(crate) fn new(ends: bool) -> Self {
        Self {
            forecast: Forecast::new(),
            ends,
            closed: AtomicBool::new(false),
            closeq: Mutex::new(None),
        }
    }

    /// Where the channel stands among all channels.
    pub(crate) fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Ends every wait for the end.
    pub(crate) fn close(&self, wakes: &mut Wakes) {
        let mut closeq = self.closeq.lock();
        self.closed.store(true, Ordering::Relaxed);
        if let Some(Closeq { sudogs, queue }) = closeq.as_deref_mut() {
            while let Some((watcher, waker)) = queue.dequeue(sudogs, |_| true) {
                sudogs.at_mut(watcher).state = State::Success;
                wakes.push(waker);
            }
        }
    }

    /// One poll of a wait for the end.
    pub(crate) fn poll_closed(
        &self,
        place: &mut Option<Ticket>,
        visitor: &mut Visitor<'_>,
        trace: &mut Trace,
    ) -> Poll<()> {
        let mut closeq = self.closeq.lock();
        if place.is_none() && self.closed.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        if !self.ends {
            return Poll::Pending;
        }
        let Closeq { sudogs, queue } = &mut **closeq.get_or_insert_with(Closeq::new);
        if place.is_some() {
            return sudogs.redeem(place, visitor).map(|_| ());
        }
        *place = visitor.waker().map(|waker| {
            trace.note(Event::Park(Queue::Close));
            queue.park(sudogs, None, Party::Task(waker), 0)
        });
        Poll::Pending
    }

    /// Gives up a wait for the end, and hands its waker back.
    pub(crate) fn cancel_closed(&self, ticket: Ticket) -> Option<Party> {
        let mut closeq = self.closeq.lock();
        let Closeq { sudogs, queue } = &mut **closeq.get_or_insert_with(Closeq::new);
        if sudogs.get(&ticket).state == State::Parked {
            queue.unlink(sudogs, &ticket);
        }
        sudogs.release(ticket).1
    }
}

/// What was to be seen of a channel when it was last unlocked.
///
/// An operation that will have to park brings its waker along at once, instead of being sent back for
/// one, and an arm of a select spares itself the attempt. That an operation parks is only said where
/// it was true; where it is not said, it may park all the same.
///
/// That a parked send was sent is more than a forecast: once true, true forever.
pub(crate) struct Forecast {
    recv_parks: AtomicBool,
    send_parks: AtomicBool,
    /// Up to when the sends of tasks that parked, and were not given up, have been sent.
    sent: AtomicU64,
}

impl Forecast {
    pub(crate) fn new() -> Self {
        Self {
            recv_parks: AtomicBool::new(false),
            send_parks: AtomicBool::new(false),
            sent: AtomicU64::new(0),
        }
    }

    /// Whether a receive would have had to park.
    #[inline]
    pub(crate) fn recv_parks(&self) -> bool {
        self.recv_parks.load(Ordering::Relaxed)
    }

    /// Whether a send would have had to park.
    #[inline]
    pub(crate) fn send_parks(&self) -> bool {
        self.send_parks.load(Ordering::Relaxed)
    }

    /// Notes what the next receive and the next send will have to do.
    #[inline]
    pub(crate) fn note(&self, recv_parks: bool, send_parks: bool) {
        self.recv_parks.store(recv_parks, Ordering::Relaxed);
        self.send_parks.store(send_parks, Ordering::Relaxed);
    }

    /// Whether a task's parked send was sent, so that its place is free already. A send for which this is
    /// false may have been sent all the same.
    #[inline]
    pub(crate) fn has_sent(&self, place: &SendTicket) -> bool {
        place.is_sent(self.sent.load(Ordering::Acquire))
    }

    /// Notes up to when parked sends have been sent.
    #[inline]
    pub(crate) fn note_sent(&self, sent: u64) {
        // Ordering: pairs with `has_sent`, so that a send is over after all that happened before its receive.
        self.sent.store(sent, Ordering::Release);
    }
}

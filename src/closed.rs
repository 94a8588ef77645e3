//! Waiting for the end of a channel, in a line that has a lock of its own. That one is taken last:
//! `close` holds the channel's.

use alloc::boxed::Box;
use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::future::FusedFuture;

use crate::error::polled_after_ready;
use crate::party::{Party, Terms};
use crate::sudog::{State, Sudogs, Ticket, WaitQ};
use crate::sync::{AtomicBool, Mutex, Ordering};
use crate::trace::{Event, Queue, Trace};
use crate::wakes::{Visitor, Wakes};

/// Those who wait for the end. It knows nothing of the channel's values.
pub(crate) struct Closeq {
    /// Whether the channel can be closed.
    ends: bool,
    /// Looked at and changed with the lock on `line`.
    closed: AtomicBool,
    /// Made for the first who waits: most channels have none.
    line: Mutex<Option<Box<Line>>>,
}

struct Line {
    sudogs: Sudogs<Infallible>,
    queue: WaitQ,
}

impl Line {
    fn new() -> Box<Self> {
        Box::new(Self {
            sudogs: Sudogs::new(),
            queue: WaitQ::new(),
        })
    }
}

impl Closeq {
    pub(crate) fn new(ends: bool) -> Self {
        Self {
            ends,
            closed: AtomicBool::new(false),
            line: Mutex::new(None),
        }
    }

    /// Where the channel stands among all channels.
    pub(crate) fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Ends every wait for the end.
    pub(crate) fn close(&self, wakes: &mut Wakes) {
        let mut line = self.line.lock();
        self.closed.store(true, Ordering::Relaxed);
        if let Some(Line { sudogs, queue }) = line.as_deref_mut() {
            while let Some((watcher, waker)) = queue.dequeue(sudogs, Terms::Revocable, |_| true) {
                sudogs.at_mut(watcher).state = State::Success;
                wakes.push(waker);
            }
        }
    }

    /// One poll of a wait for the end.
    fn poll(
        &self,
        place: &mut Option<Ticket>,
        visitor: &mut Visitor<'_>,
        trace: &mut Trace,
    ) -> Poll<()> {
        let mut line = self.line.lock();
        if place.is_none() && self.closed.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        if !self.ends {
            return Poll::Pending;
        }
        let Line { sudogs, queue } = &mut **line.get_or_insert_with(Line::new);
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
    fn cancel(&self, ticket: Ticket) -> Option<Party> {
        let mut line = self.line.lock();
        let Line { sudogs, queue } = line.as_deref_mut()?;
        if sudogs.get(&ticket).state == State::Parked {
            queue.unlink(sudogs, &ticket);
        }
        sudogs.release(ticket).1
    }
}

/// The future of [`Sender::closed`](crate::Sender::closed) and
/// [`Receiver::closed`](crate::Receiver::closed).
#[must_use = "futures do nothing unless polled"]
pub struct ClosedFuture<'a> {
    closeq: &'a Closeq,
    place: Option<Ticket>,
    done: bool,
}

impl<'a> ClosedFuture<'a> {
    pub(crate) const fn new(closeq: &'a Closeq) -> Self {
        Self {
            closeq,
            place: None,
            done: false,
        }
    }
}

impl Future for ClosedFuture<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.done {
            polled_after_ready("ClosedFuture");
        }
        let mut visitor = Visitor::new(cx);
        loop {
            let mut trace = Trace::new();
            let polled = this.closeq.poll(&mut this.place, &mut visitor, &mut trace);
            drop(visitor.leftover());
            if let Err(panic) = trace.tell(this.closeq.address(), Ok(())) {
                panic.resume();
            }
            if !visitor.fetch_waker() {
                this.done = polled.is_ready();
                return polled;
            }
        }
    }
}

impl FusedFuture for ClosedFuture<'_> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

impl Drop for ClosedFuture<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.place.take() {
            drop(self.closeq.cancel(ticket));
        }
    }
}

impl fmt::Debug for ClosedFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("ClosedFuture");
        out.field("place", &self.place).finish_non_exhaustive()
    }
}

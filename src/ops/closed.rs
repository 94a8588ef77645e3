//! Waiting for a channel to close, in a line with a lock of its own, so that the type of the values is not needed.
//! That lock is taken last: `close` holds the channel's.

use alloc::boxed::Box;
use core::task::{Context, Poll, Waker};

use super::with_waker;
use crate::hchan::Look;
use crate::hchan::offer::Terms;
use crate::hchan::sudog::{State, Sudog, Sudogs, Ticket, WaitQ};
use crate::outside::Outside;
use crate::sync::Ordering;
use crate::trace::{Event, Queue, Told, Trace};
use crate::wakes::{Wakes, wake_and_drop};
use crate::watch::{Caller, What};

/// The operations that wait for the channel to close: `closeq`.
pub(crate) struct Line {
    sudogs: Sudogs,
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

impl Outside {
    /// Ends every wait for the end.
    pub(crate) fn end(&self, wakes: &mut Wakes) {
        let mut line = self.closeq.lock();
        self.closed.store(true, Ordering::Relaxed);
        if let Some(Line { sudogs, queue }) = line.as_deref_mut() {
            self.watch.begin_closers();
            while let Some((watcher, waker)) = queue.dequeue(sudogs, Terms::Revocable, u64::MAX) {
                sudogs.get_mut(watcher).state = State::Success;
                wakes.push(waker);
            }
            self.watch.publish_closers(&mut sudogs.spots);
        }
    }

    /// One poll of a wait for the end, by a task that brings its waker if an earlier try asked for it. A waker
    /// that is not needed is in `waker` afterwards.
    fn poll_closed(
        &self,
        place: &mut Option<Ticket>,
        caller: Caller,
        task: &Waker,
        waker: &mut Option<Waker>,
        trace: &mut Trace,
    ) -> Look {
        let mut line = self.closeq.lock();
        if place.is_none() && self.closed.load(Ordering::Relaxed) {
            return Look::Done;
        }
        if !self.is_live() {
            return Look::Parked;
        }
        let line = line.get_or_insert_with(Line::new);
        self.watch.begin_closers();
        let look = line.poll(place, caller, task, waker, trace);
        self.watch.publish_closers(&mut line.sudogs.spots);
        look
    }

    /// One poll of a wait for the end, which stands in line at `place` once it has parked.
    pub(crate) fn poll_end(
        &self,
        place: &mut Option<Ticket>,
        caller: Caller,
        cx: &Context<'_>,
    ) -> Poll<()> {
        with_waker(cx, |waker| {
            let (mut trace, mut told) = (self.watch.trace(), Told::new());
            let look = self.poll_closed(place, caller, cx.waker(), waker, &mut trace);
            told.add(&mut trace, self.address());
            match look {
                Look::Done | Look::Closed => Some(Poll::Ready(())),
                Look::Parked => Some(Poll::Pending),
                Look::Elsewhere => None,
            }
        })
    }

    /// Gives up a wait for the end, and hands its waker back.
    pub(crate) fn leave_closeq(&self, ticket: &Ticket) -> Option<Waker> {
        let mut line = self.closeq.lock();
        let Line { sudogs, queue } = line.as_deref_mut()?;
        self.watch.begin_closers();
        let waker = queue.leave(sudogs, ticket.number());
        self.watch.publish_closers(&mut sudogs.spots);
        waker
    }
}

impl Line {
    fn poll(
        &mut self,
        place: &mut Option<Ticket>,
        caller: Caller,
        task: &Waker,
        waker: &mut Option<Waker>,
        trace: &mut Trace,
    ) -> Look {
        let Self { sudogs, queue } = self;
        let Some(ticket) = place else {
            let Some(waker) = waker.take() else {
                return Look::Elsewhere;
            };
            trace.note(Event::Park(Queue::Close));
            let visit = caller.visit(What::Closed, &waker);
            let park = |sudog: &mut Sudog| sudog.set_task(waker);
            let (mut ticket, _) = queue.park(sudogs, 0, visit, park);
            trace.parked(&mut ticket.op, visit);
            *place = Some(ticket);
            return Look::Parked;
        };
        let sudog = sudogs.get_mut(ticket.number());
        if sudog.state != State::Parked {
            sudogs.release(ticket.number(), |_| ());
            place
                .take()
                .into_iter()
                .for_each(|ticket| trace.done(ticket.op));
            return Look::Done;
        }
        if sudog.wakes(task) {
            trace.polled(&ticket.op);
            return Look::Parked;
        }
        match waker.take() {
            Some(new) => {
                *waker = sudog.renew(new);
                trace.polled(&ticket.op);
                Look::Parked
            }
            None => Look::Elsewhere,
        }
    }
}

/// The future of [`Sender::closed`](crate::Sender::closed),
/// [`Receiver::closed`](crate::Receiver::closed), and the same of weak handles.
#[must_use = "futures do nothing unless polled"]
pub struct ClosedFuture<'a> {
    outside: &'a Outside,
    place: Option<Ticket>,
    done: bool,
    caller: Caller,
}

impl<'a> ClosedFuture<'a> {
    #[track_caller]
    pub(crate) const fn new(outside: &'a Outside) -> Self {
        Self {
            outside,
            place: None,
            done: false,
            caller: Caller::here(),
        }
    }
}

operation! {
    impl [] for [ClosedFuture['_]] -> ();
    once(this, cx) this.outside.poll_end(&mut this.place, this.caller, cx);
    leave if let Some(ticket) = this.place.take() {
        wake_and_drop(None, this.outside.leave_closeq(&ticket));
    };
}

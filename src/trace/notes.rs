//! What is noted under the lock, and told after it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem::{self, ManuallyDrop};

use tracing::trace;

use super::op::{Op, Step, Wait};
use super::resource::{Opened, Resource};
use super::span::{TARGET, Within, is_heard};
use super::{Event, Queue, Seen};
use crate::wakes::each;
use crate::watch::Visit;

/// What has happened under the lock, and is not told yet. Empty while nobody has listened.
pub(crate) struct Trace(pub(super) Option<Box<Notes>>);

#[derive(Default)]
pub(super) struct Notes {
    pub(super) events: Vec<Event>,
    pub(super) resource: Resource,
    /// The counts as they were noted last.
    pub(super) seen: Seen,
}

impl Trace {
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    #[inline]
    pub(crate) fn note(&mut self, event: Event) {
        if is_heard() {
            self.add(event);
        }
    }

    #[cold]
    #[inline(never)]
    fn add(&mut self, event: Event) {
        self.0.get_or_insert_default().events.push(event);
    }

    /// An operation has parked.
    #[inline]
    pub(crate) fn parked(&mut self, op: &mut Op, visit: Visit) {
        if let Some(notes) = &mut self.0 {
            notes.parked(op, visit);
        }
    }

    /// A parked operation was polled, and waits on.
    #[inline]
    pub(crate) fn polled(&mut self, op: &Op) {
        if !op.is_none() {
            self.step(Step::Wait, (*op.0).clone());
        }
    }

    /// A parked operation was polled, and is over.
    #[inline]
    pub(crate) fn done(&mut self, op: Op) {
        if !op.is_none() {
            self.end(Step::Done, op);
        }
    }

    /// A parked operation was given up.
    #[inline]
    pub(crate) fn left(&mut self, op: Op) {
        if !op.is_none() {
            self.end(Step::Left, op);
        }
    }

    #[cold]
    #[inline(never)]
    fn end(&mut self, step: Step, mut op: Op) {
        self.step(step, op.0.take());
    }

    #[cold]
    #[inline(never)]
    fn step(&mut self, step: Step, wait: Option<Wait>) {
        if let Some(wait) = wait {
            self.add(Event::Step(step, wait));
        }
    }

    /// Whether anybody has listened. If not, nothing is noted.
    #[inline]
    pub(crate) const fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// Notes what the channel looks like now.
    pub(crate) fn see(&mut self, now: Seen) {
        if let Some(notes) = &mut self.0 {
            notes.see(now);
        }
    }
}

impl Notes {
    #[cold]
    #[inline(never)]
    fn parked(&mut self, op: &mut Op, visit: Visit) {
        let Some(channel) = &self.resource.0 else {
            return;
        };
        if is_heard() {
            let wait = Wait::new(channel.clone(), visit);
            self.events.push(Event::Step(Step::Begin, wait.clone()));
            *op.0 = Some(wait);
        }
    }

    fn see(&mut self, now: Seen) {
        if let Some(channel) = &self.resource.0 {
            if self.seen != now && is_heard() {
                channel.looks.lock().now = now;
                self.seen = now;
                self.events.push(Event::Changed);
            }
        }
    }
}

/// What has happened, on its way out of the lock. It is told when this is dropped.
pub(crate) struct Told(
    // Dropped by hand, so that nothing is left to look for.
    ManuallyDrop<Option<Box<Telling>>>,
);

struct Telling {
    events: Vec<Event>,
    resource: Resource,
    channel: usize,
}

impl Told {
    #[inline]
    pub(crate) fn new() -> Self {
        Self(ManuallyDrop::new(None))
    }

    /// Takes out what was noted.
    #[cold]
    #[inline(never)]
    pub(crate) fn add(&mut self, trace: &mut Trace, channel: usize) {
        let Some(notes) = &mut trace.0 else {
            return;
        };
        if !notes.events.is_empty() {
            *self.0 = Some(Box::new(Telling {
                events: mem::take(&mut notes.events),
                resource: notes.resource.clone(),
                channel,
            }));
        }
    }
}

impl Drop for Told {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            self.tell();
        }
    }
}

impl Told {
    /// Tells each event, whatever any of them makes the subscriber do; the first panic goes on.
    #[cold]
    #[inline(never)]
    fn tell(&mut self) {
        let Some(telling) = self.0.take() else {
            return;
        };
        let Telling {
            events,
            resource: Resource(opened),
            channel,
        } = *telling;
        let _within = opened.as_ref().map(|opened| Within::new(&opened.span));
        each(events, |event| event.tell(channel, opened.as_deref()));
    }
}

impl Event {
    fn tell(self, channel: usize, opened: Option<&Opened>) {
        match self {
            Self::Park(queue) => trace!(target: TARGET, queue = queue.name(), channel, "park"),
            Self::Handoff(queue) => {
                trace!(target: TARGET, queue = queue.name(), channel, "handoff");
            }
            Self::PutBack => trace!(target: TARGET, channel, "put back"),
            Self::Close => trace!(target: TARGET, channel, "close"),
            Self::Step(step, Wait(waiting)) => match step {
                Step::Begin => waiting.begin(),
                Step::Wait => waiting.polled(false),
                Step::Done => waiting.polled(true),
                Step::Left => waiting.end(),
            },
            Self::Changed => {
                if let Some(opened) = opened {
                    opened.tell_changes();
                }
            }
        }
    }
}

impl Queue {
    const fn name(self) -> &'static str {
        match self {
            Self::Send | Self::Reserve => "sendq",
            Self::Recv => "recvq",
            Self::Close => "closeq",
        }
    }
}

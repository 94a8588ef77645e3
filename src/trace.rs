//! What happens in a channel, told to a `tracing` subscriber.
//!
//! A subscriber is code of a user's, which may use the channel or panic. So what happens is noted in
//! the state, under the lock, and told after the unlock and after the wakes. Without the feature
//! `tracing` a [`Trace`], a [`Told`], a [`Resource`] and an [`Op`] have no size, and to note or tell is nothing.
//!
//! It is told twice: as events with the target `hchan`, and in the terms of tokio-console, where a channel is a
//! *resource* and an operation that has parked an *async operation*. Both are spans: the channel's is open as long
//! as the channel, an operation's as long as its place in line. They are made, entered and closed where events are
//! told. A panic of the subscriber's at an event goes on, as one of a waker's does; one at what is told to the
//! console goes no further, since it may come when a receive has its value.

#[cfg(not(feature = "tracing"))]
pub(crate) use self::off::*;
#[cfg(feature = "tracing")]
pub(crate) use self::on::*;

/// A queue of waiters.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Queue {
    Send,
    Recv,
    Reserve,
    Close,
}

/// Something that happened.
#[derive(Debug)]
#[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "not told"))]
pub(crate) enum Event {
    /// An operation went to the end of a queue.
    Park(Queue),
    /// A parked receive was handed a value, or the value of a parked send was taken.
    Handoff(Queue),
    /// A value came back that had left.
    PutBack,
    /// The channel was closed.
    Close,
    /// A step of an operation that has parked.
    #[cfg(feature = "tracing")]
    Step(Step, Wait),
    /// The counts have changed.
    #[cfg(feature = "tracing")]
    Changed,
}

/// What is told of a channel whenever it changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) qcount: usize,
    pub(crate) closed: bool,
    pub(crate) senders: u32,
    pub(crate) receivers: u32,
}

#[cfg(not(feature = "tracing"))]
mod off {
    use super::{Event, Seen};
    use crate::watch::{Caller, Visit};

    /// What has happened under the lock, and is not told yet.
    pub(crate) struct Trace;

    impl Trace {
        pub(crate) const fn new() -> Self {
            Self
        }

        #[inline]
        pub(crate) fn note(&mut self, _: Event) {}

        #[inline]
        pub(crate) fn parked(&mut self, _: &mut Op, _: Visit) {}

        #[inline]
        pub(crate) fn polled(&mut self, _: &Op) {}

        #[inline]
        pub(crate) fn done(&mut self, _: Op) {}

        #[inline]
        pub(crate) fn left(&mut self, _: Op) {}

        #[inline]
        pub(crate) const fn is_kept(&self) -> bool {
            false
        }

        pub(crate) fn see(&mut self, _: Seen) {}
    }

    /// What has happened, on its way out of the lock. It is told when this is dropped.
    pub(crate) struct Told;

    impl Told {
        #[inline]
        pub(crate) fn new() -> Self {
            Self
        }

        #[inline]
        pub(crate) fn add(&mut self, _: &mut Trace, _: usize) {}
    }

    /// The channel, as it is told of.
    #[derive(Clone)]
    pub(crate) struct Resource;

    impl Resource {
        #[inline]
        #[expect(clippy::extra_unused_type_parameters, reason = "its name is not told")]
        pub(crate) fn open<T>(_: Option<usize>, _: Caller) -> Self {
            Self
        }

        #[inline]
        pub(crate) fn trace(&self) -> Trace {
            Trace
        }

        pub(crate) fn set_name(&self, _: &str) {}
    }

    /// A parked operation, as it is told of.
    #[derive(Debug)]
    pub(crate) struct Op;

    impl Op {
        pub(crate) const NONE: Self = Self;

        #[inline]
        pub(crate) const fn finish(&mut self) {}
    }

    /// Keeps an [`Op`] from one poll of a handle to the next.
    pub(crate) struct OpCell;

    impl OpCell {
        pub(crate) const fn new() -> Self {
            Self
        }

        #[inline]
        pub(crate) fn take(&self) -> Op {
            Op
        }

        #[inline]
        pub(crate) fn keep(&self, _: Op) {}
    }
}

#[cfg(feature = "tracing")]
mod on {
    use alloc::boxed::Box;
    use alloc::format;
    use alloc::vec::Vec;
    use core::any::type_name;
    use core::fmt;
    use core::mem::{self, ManuallyDrop};

    use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};
    use tracing::subscriber::NoSubscriber;
    use tracing::{Span, trace, trace_span};

    use super::{Event, Queue, Seen};
    use crate::sync::{Arc, AtomicBool, Mutex, Ordering};
    use crate::wakes::{contain, each};
    use crate::watch::{Caller, Visit, What, cut};

    const TARGET: &str = "hchan";

    /// Names are cut to this many bytes.
    const NAME_BYTES: usize = 128;

    /// Whether anybody may listen: one load. All that may be asked under the lock, where a subscriber that is asked
    /// itself would run.
    #[inline]
    fn is_heard() -> bool {
        LevelFilter::TRACE <= STATIC_MAX_LEVEL && LevelFilter::TRACE <= LevelFilter::current()
    }

    /// What has happened under the lock, and is not told yet. Empty while nobody has listened.
    pub(crate) struct Trace(Option<Box<Notes>>);

    #[derive(Default)]
    struct Notes {
        events: Vec<Event>,
        resource: Resource,
        /// The counts as they were noted last.
        seen: Seen,
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
                let wait = Wait(Arc::new(Waiting {
                    channel: channel.clone(),
                    visit,
                    spans: Mutex::new(None),
                }));
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

    /// A channel, as it is told of: nothing if nobody listened when it was made.
    #[derive(Clone, Default)]
    pub(crate) struct Resource(Option<Arc<Opened>>);

    struct Opened {
        span: Span,
        looks: Mutex<Looks, true>,
    }

    impl Seen {
        /// How a new channel looks.
        fn of_new() -> Self {
            Self {
                senders: 1,
                receivers: 1,
                ..Self::default()
            }
        }
    }

    /// What the channel looks like. One thread at a time tells of changes, so that the last that is told is how it is.
    #[derive(Clone, Copy)]
    struct Looks {
        /// When the lock was last released.
        now: Seen,
        told: Seen,
        is_told_of: bool,
    }

    // What a subscriber's panic leaves half changed is the subscriber's.
    impl core::panic::UnwindSafe for Opened {}
    impl core::panic::RefUnwindSafe for Opened {}

    impl Resource {
        /// Opens a channel's span, if anybody listens.
        #[inline]
        pub(crate) fn open<T>(capacity: Option<usize>, caller: Caller) -> Self {
            if is_heard() {
                Self::open_heard(type_name::<T>(), capacity, caller)
            } else {
                Self(None)
            }
        }

        #[cold]
        #[inline(never)]
        fn open_heard(type_name: &str, capacity: Option<usize>, caller: Caller) -> Self {
            let concrete_type = format!("Channel<{}>", cut(type_name, NAME_BYTES));
            let mut span = Span::none();
            contain(|| {
                // Without a parent: it may outlive the task that makes it.
                span = trace_span!(
                    target: TARGET,
                    parent: None,
                    "runtime.resource",
                    concrete_type = concrete_type.as_str(),
                    kind = "channel",
                    is_internal = false,
                    inherits_child_attrs = false,
                    loc.file = caller.at.file(),
                    loc.line = caller.at.line(),
                    loc.col = caller.at.column(),
                );
            });
            // Someone else may listen, and nobody on this thread.
            let is_shown = span.with_subscriber(|(_, subscriber)| !subscriber.is::<NoSubscriber>());
            if is_shown != Some(true) {
                return Self(None);
            }
            let now = Seen::of_new();
            let opened = Opened {
                span,
                looks: Mutex::new(Looks {
                    now,
                    told: now,
                    is_told_of: false,
                }),
            };
            {
                let _within = Within::new(&opened.span);
                if let Some(capacity) = capacity {
                    contain(|| {
                        trace!(target: STATE, capacity = capacity as u64, capacity.op = OVERRIDE);
                    });
                }
                tell_each(None, now);
            }
            Self(Some(Arc::new(opened)))
        }

        /// The notes of this channel.
        pub(crate) fn trace(&self) -> Trace {
            Trace(self.0.is_some().then(|| {
                Box::new(Notes {
                    events: Vec::new(),
                    resource: self.clone(),
                    seen: Seen::of_new(),
                })
            }))
        }

        /// Tells the name that a user has given to the channel, on one line.
        pub(crate) fn set_name(&self, name: &str) {
            if let Some(opened) = &self.0 {
                let name = cut(name, NAME_BYTES).escape_debug();
                let _within = Within::new(&opened.span);
                contain(|| trace!(target: STATE, name = %name, name.op = OVERRIDE));
            }
        }
    }

    const STATE: &str = "runtime::resource::state_update";

    const OVERRIDE: &str = "override";

    /// Tells what is new.
    fn tell_each(before: Option<Seen>, now: Seen) {
        if before.is_none_or(|before| before.qcount != now.qcount) {
            contain(|| trace!(target: STATE, qcount = now.qcount as u64, qcount.op = OVERRIDE));
        }
        if before.is_none_or(|before| before.closed != now.closed) {
            contain(|| trace!(target: STATE, closed = now.closed, closed.op = OVERRIDE));
        }
        if before.is_none_or(|before| before.senders != now.senders) {
            contain(|| trace!(target: STATE, senders = now.senders, senders.op = OVERRIDE));
        }
        if before.is_none_or(|before| before.receivers != now.receivers) {
            contain(|| trace!(target: STATE, receivers = now.receivers, receivers.op = OVERRIDE));
        }
    }

    impl Opened {
        /// Tells what has changed, unless another thread is about to; and then what has changed meanwhile. Not
        /// forever: a subscriber may change it each time.
        fn tell_changes(&self) {
            const LOOKS: u32 = 100;

            if mem::replace(&mut self.looks.lock().is_told_of, true) {
                return;
            }
            for look in 1.. {
                let mut looks = self.looks.lock();
                let Looks { now, told, .. } = *looks;
                if now == told || look > LOOKS {
                    looks.is_told_of = false;
                    return;
                }
                looks.told = now;
                drop(looks);
                tell_each(Some(told), now);
            }
        }
    }

    impl Drop for Opened {
        fn drop(&mut self) {
            close(&mut self.span);
        }
    }

    /// Closes a span.
    fn close(span: &mut Span) {
        let span = mem::replace(span, Span::none());
        contain(|| drop(span));
    }

    /// A span that was entered.
    struct Within<'a>(&'a Span);

    impl<'a> Within<'a> {
        fn new(span: &'a Span) -> Self {
            contain(|| {
                span.with_subscriber(|(id, subscriber)| subscriber.enter(id));
            });
            Self(span)
        }
    }

    impl Drop for Within<'_> {
        fn drop(&mut self) {
            contain(|| {
                self.0
                    .with_subscriber(|(id, subscriber)| subscriber.exit(id));
            });
        }
    }

    /// A parked operation, as it is told of: nothing if nobody listened when it parked.
    #[derive(Debug)]
    pub(crate) struct Op(
        // As in `Told`.
        ManuallyDrop<Option<Wait>>,
    );

    impl Op {
        pub(crate) const NONE: Self = Self(ManuallyDrop::new(None));

        #[inline]
        fn is_none(&self) -> bool {
            self.0.is_none()
        }

        /// It was polled, and is over: as [`Trace::done`], outside the lock.
        #[inline]
        pub(crate) fn finish(&mut self) {
            if !self.is_none() {
                self.tell_done();
            }
        }

        #[cold]
        #[inline(never)]
        fn tell_done(&mut self) {
            if let Some(Wait(waiting)) = self.0.take() {
                let _within = Within::new(&waiting.channel.span);
                waiting.polled(true);
            }
        }

        #[cold]
        #[inline(never)]
        fn close(&mut self) {
            drop(self.0.take());
        }
    }

    impl Drop for Op {
        #[inline]
        fn drop(&mut self) {
            if !self.is_none() {
                self.close();
            }
        }
    }

    /// A step of a parked operation.
    #[derive(Clone, Copy, Debug)]
    pub(crate) enum Step {
        /// It parks.
        Begin,
        /// A poll that finds it still parked.
        Wait,
        /// A poll that finds it over.
        Done,
        /// It is given up.
        Left,
    }

    /// What an operation and those that tell of it have in common.
    #[derive(Clone)]
    pub(crate) struct Wait(Arc<Waiting>);

    struct Waiting {
        channel: Arc<Opened>,
        visit: Visit,
        /// For the one that has the operation. Nothing is told while this lock is held.
        spans: Mutex<Option<Spans>, true>,
    }

    struct Spans {
        op: Span,
        poll: Span,
    }

    impl Waiting {
        fn begin(&self) {
            let Visit { at, .. } = self.visit;
            let mut spans = Spans {
                op: Span::none(),
                poll: Span::none(),
            };
            contain(|| {
                spans.op = trace_span!(
                    target: TARGET,
                    "runtime.resource.async_op",
                    source = self.source(),
                    inherits_child_attrs = false,
                    loc.file = at.file(),
                    loc.line = at.line(),
                    loc.col = at.column(),
                );
            });
            {
                let _within = Within::new(&spans.op);
                contain(|| {
                    spans.poll = trace_span!(target: TARGET, "runtime.resource.async_op.poll");
                });
            }
            *self.spans.lock() = Some(spans);
            self.polled(false);
        }

        fn polled(&self, is_ready: bool) {
            let spans = self.take_spans();
            if let Some(Spans { op, poll }) = &spans {
                let _op = Within::new(op);
                let _poll = Within::new(poll);
                contain(|| trace!(target: POLL, op_name = self.op_name(), is_ready));
            }
            if !is_ready {
                *self.spans.lock() = spans;
            }
        }

        fn end(&self) {
            drop(self.take_spans());
        }

        fn take_spans(&self) -> Option<Spans> {
            self.spans.lock().take()
        }

        const fn source(&self) -> &'static str {
            match (self.visit.what, self.visit.is_arm) {
                (What::Send, false) => "Sender::send",
                (What::Send, true) => "select send",
                (What::Recv, false) => "Receiver::recv",
                (What::Recv, true) => "select recv",
                (What::Reserve, _) => "Sender::reserve",
                (What::Closed, _) => "closed",
            }
        }

        const fn op_name(&self) -> &'static str {
            match self.visit.what {
                What::Send => "poll_send",
                What::Recv => "poll_recv",
                What::Reserve => "poll_reserve",
                What::Closed => "poll_closed",
            }
        }
    }

    const POLL: &str = "runtime::resource::poll_op";

    impl Drop for Spans {
        fn drop(&mut self) {
            close(&mut self.poll);
            close(&mut self.op);
        }
    }

    impl fmt::Debug for Wait {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0.source())
        }
    }

    /// Keeps an [`Op`] from one poll of a handle to the next.
    pub(crate) struct OpCell {
        is_some: AtomicBool,
        op: Mutex<Op, true>,
    }

    impl OpCell {
        pub(crate) fn new() -> Self {
            Self {
                is_some: AtomicBool::new(false),
                op: Mutex::new(Op::NONE),
            }
        }

        #[inline]
        pub(crate) fn take(&self) -> Op {
            if self.is_some.load(Ordering::Relaxed) {
                self.is_some.store(false, Ordering::Relaxed);
                mem::replace(&mut *self.op.lock(), Op::NONE)
            } else {
                Op::NONE
            }
        }

        #[inline]
        pub(crate) fn keep(&self, op: Op) {
            if !op.is_none() {
                *self.op.lock() = op;
                self.is_some.store(true, Ordering::Relaxed);
            }
        }
    }
}

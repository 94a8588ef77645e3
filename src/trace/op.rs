//! A parked operation as an async operation of tokio-console.

use core::fmt;
use core::mem::{self, ManuallyDrop};

use tracing::{Span, trace, trace_span};

use super::resource::Opened;
use super::span::{TARGET, Within, close};
use crate::sync::{Arc, AtomicBool, Mutex, Ordering};
use crate::wakes::contain;
use crate::watch::{Visit, What};

/// A parked operation, as it is told of: nothing if nobody listened when it parked.
#[derive(Debug)]
pub(crate) struct Op(
    // As in `Told`.
    pub(super) ManuallyDrop<Option<Wait>>,
);

impl Op {
    pub(crate) const NONE: Self = Self(ManuallyDrop::new(None));

    #[inline]
    pub(super) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// It was polled, and is over: as [`Trace::done`](super::Trace::done), outside the lock.
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
pub(crate) struct Wait(pub(super) Arc<Waiting>);

impl Wait {
    pub(super) fn new(channel: Arc<Opened>, visit: Visit) -> Self {
        Self(Arc::new(Waiting {
            channel,
            visit,
            spans: Mutex::new(None),
        }))
    }
}

pub(super) struct Waiting {
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
    pub(super) fn begin(&self) {
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

    pub(super) fn polled(&self, is_ready: bool) {
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

    pub(super) fn end(&self) {
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

//! A channel as a resource of tokio-console.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::any::type_name;
use core::mem;

use tracing::subscriber::NoSubscriber;
use tracing::{Span, trace, trace_span};

use super::Seen;
use super::notes::{Notes, Trace};
use super::span::{TARGET, Within, close, is_heard};
use crate::sync::{Arc, Mutex};
use crate::wakes::contain;
use crate::watch::{Caller, cut};

/// Names are cut to this many bytes.
const NAME_BYTES: usize = 128;

/// A channel, as it is told of: nothing if nobody listened when it was made.
#[derive(Clone, Default)]
pub(crate) struct Resource(pub(super) Option<Arc<Opened>>);

pub(super) struct Opened {
    pub(super) span: Span,
    pub(super) looks: Mutex<Looks, true>,
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
pub(super) struct Looks {
    /// When the lock was last released.
    pub(super) now: Seen,
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
    pub(super) fn tell_changes(&self) {
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

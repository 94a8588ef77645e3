//! Playing scripts on the crate and on the model side by side: what to compare, and how to shorten a
//! script that leads to a difference.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of this"
)]

use std::cell::RefCell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use futures::future::FusedFuture;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};

use crate::model::{Chan, FutureId, Value};
use crate::support::{Counted, Wakes};

/// Where the crate and the model differ.
pub type Verdict = Result<(), String>;

pub fn same<T: PartialEq + fmt::Debug>(what: &str, crate_says: &T, law: &T) -> Verdict {
    if crate_says == law {
        return Ok(());
    }
    Err(format!(
        "{what}: the crate says {crate_says:?}, the law {law:?}"
    ))
}

/// Whoever is woken: its row in the model, a waker that counts, and the count that is due.
pub struct Task {
    pub id: FutureId,
    pub wakes: Arc<Wakes>,
    pub expected: usize,
    /// Whether its last poll brought its waker.
    pub hears: bool,
}

impl Task {
    pub fn new(id: FutureId) -> Self {
        Self {
            id,
            wakes: Arc::default(),
            expected: 0,
            hears: true,
        }
    }

    pub fn waker(&self) -> Waker {
        Waker::from(self.wakes.clone())
    }

    /// How many wakers of this task there are.
    pub fn wakers_kept(&self) -> usize {
        Arc::strong_count(&self.wakes) - 1
    }

    /// Whose waker nobody keeps is not woken later, either.
    pub fn is_gone(&self) -> Verdict {
        same(
            "wakes of one that is gone",
            &self.wakes.count(),
            &self.expected,
        )?;
        same("wakers kept of one that is gone", &self.wakers_kept(), &0)
    }
}

/// A foreign future: it has nothing to do with channels. It is ready from this poll on, counted from 1, and may be
/// polled so once.
pub struct Foreign {
    polls: AtomicUsize,
    ready_from: AtomicUsize,
}

impl Foreign {
    pub fn new(ready_from: usize) -> Arc<Self> {
        Arc::new(Self {
            polls: AtomicUsize::new(0),
            ready_from: AtomicUsize::new(ready_from),
        })
    }

    pub fn future(self: &Arc<Self>) -> impl Future<Output = ()> + Send + use<> {
        let this = self.clone();
        let mut done = false;
        poll_fn(move |_| {
            assert!(!done, "polled after it was ready");
            let polls = this.polls.fetch_add(1, Ordering::Relaxed) + 1;
            done = polls >= this.ready_from.load(Ordering::Relaxed);
            if done { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    /// The next poll finds it ready.
    pub fn ripen(&self) {
        self.ready_from.store(0, Ordering::Relaxed);
    }

    pub fn polls(&self) -> usize {
        self.polls.load(Ordering::Relaxed)
    }
}

pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What a send brought and did not send, seen when its slot goes out of scope.
pub type Unsent = Rc<RefCell<Vec<Value>>>;

/// A slot that tells what is left in it in the end.
pub struct Slot<C>(pub C, pub Unsent)
where
    for<'a> &'a C: IntoIterator<Item = &'a Counted>;

impl<C> Drop for Slot<C>
where
    for<'a> &'a C: IntoIterator<Item = &'a Counted>,
{
    fn drop(&mut self) {
        self.1
            .borrow_mut()
            .extend(self.0.into_iter().map(|value| value.id));
    }
}

/// Polls a future that must say by itself whether it has ended.
pub fn poll_fused<F: FusedFuture + Unpin>(future: &mut F, cx: &mut Context<'_>) -> Poll<F::Output> {
    assert!(!future.is_terminated());
    let polled = Pin::new(&mut *future).poll(cx);
    assert_eq!(future.is_terminated(), polled.is_ready());
    polled
}

/// What a channel looks like from outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Looks {
    pub len: usize,
    pub is_empty: bool,
    pub is_full: bool,
    pub is_closed: bool,
    pub cursors: (usize, usize),
    pub sendq: usize,
    pub recvq: usize,
    pub senders: usize,
    pub receivers: usize,
    pub permits: usize,
    pub unclaimed: usize,
    pub totals: (u64, u64),
    pub peak: usize,
}

impl Looks {
    pub fn of(chan: &Chan) -> Self {
        Self {
            len: chan.buf.len(),
            is_empty: chan.buf.is_empty(),
            is_full: !chan.has_room(),
            is_closed: chan.closed,
            cursors: chan.cursors(),
            sendq: chan.sendq.len(),
            recvq: chan.recvq.len(),
            senders: chan.senders,
            receivers: chan.receivers,
            permits: chan.reserved,
            unclaimed: chan.inflight,
            totals: chan.totals(),
            peak: chan.peak,
        }
    }
}

/// What a handle sees.
macro_rules! looks {
    ($handle:expr) => {{
        let snapshot = $handle.snapshot();
        $crate::script::Looks {
            len: $handle.len(),
            is_empty: $handle.is_empty(),
            is_full: $handle.is_full(),
            is_closed: $handle.is_closed(),
            cursors: (snapshot.sendx, snapshot.recvx),
            sendq: snapshot.sendq,
            recvq: snapshot.recvq,
            senders: $handle.sender_count(),
            receivers: $handle.receiver_count(),
            permits: snapshot.permits,
            unclaimed: snapshot.unclaimed,
            totals: (snapshot.sent, snapshot.received),
            peak: snapshot.peak,
        }
    }};
}

pub(crate) use looks;

/// A list of steps that can be shortened.
pub trait Steps: Clone + fmt::Debug {
    /// All that have one thing less.
    fn shorter(&self) -> Vec<Self>;
}

/// A difference that a random script leads to; nothing in that script is needless.
pub fn shortest_difference<S: Steps>(
    cases: u32,
    scripts: &impl Strategy<Value = S>,
    play: impl Fn(&S) -> Verdict,
) -> Option<(S, String)> {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let played =
        TestRunner::new(config).run(scripts, |script| play(&script).map_err(TestCaseError::fail));
    let (mut difference, mut script) = match played {
        Ok(()) => return None,
        Err(TestError::Fail(difference, script)) => (difference.to_string(), script),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    };
    // Shrinking makes other steps of the steps, which may make some needless.
    while let Some((shorter, still)) = script.shorter().into_iter().find_map(|shorter| {
        let still = play(&shorter).err()?;
        Some((shorter, still))
    }) {
        (script, difference) = (shorter, still);
    }
    Some((script, difference))
}

//! What two or three threads may do to each other: small models for the model checkers.
//!
//! Each opens one window, which its comment names, and ends with an outcome. A checker runs it in
//! many orders; each of the expected outcomes has to come about, and no other. A wake that gets lost
//! is a deadlock, which the checkers report.
//!
//! That each outcome is demanded is no pedantry: a model that is run in one order only, since its
//! window does not open or since the checker takes two orders for the same, passes all else.

#[path = "../support/mod.rs"]
mod support;

mod blocking;
mod cancel;
mod close;
mod lease;
mod many;
mod memory;
mod permits;
mod select;
mod sink;
mod values;
mod wakers;

use std::any::type_name;
use std::env;
use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use hchan::{Receiver, RecvError, SendError, Sender};

use self::Search::{Bounded, Complete};
use self::Turn::{AtOnce, Parked};
use self::checker::{JoinHandle, block_on, explore, spawn};

/// How much of a model loom looks at. Shuttle takes a sample of everything.
#[derive(Clone, Copy, Debug)]
enum Search {
    /// Every order of the steps.
    Complete,
    /// The orders in which a thread that could go on is interrupted so many times at most.
    Bounded(usize),
}

impl Search {
    fn preemptions(self) -> Option<usize> {
        match self {
            Complete => None,
            Bounded(preemptions) => Some(preemptions + env_or("HCHAN_DEEP", 0)),
        }
    }
}

/// A number from the environment, which may ask for more than there is time for at each change.
fn env_or(variable: &str, default: usize) -> usize {
    env::var(variable).map_or(default, |number| number.parse().expect("a number"))
}

#[cfg(hchan_loom)]
mod checker {
    pub(super) use loom::future::block_on;
    pub(super) use loom::thread::{JoinHandle, spawn};

    pub(super) fn explore(preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        // `LOOM_MAX_PREEMPTIONS` may ask for more.
        let asked = builder.preemption_bound;
        builder.preemption_bound =
            preemptions.map(|least| asked.map_or(least, |asked| asked.max(least)));
        builder.check(model);
    }

    /// Fails the model on two accesses of which neither happens before the other.
    #[derive(Debug)]
    pub(super) struct Watch(loom::cell::UnsafeCell<()>);

    #[expect(unsafe_code, reason = "a race is what the cell is for")]
    // SAFETY: it holds nothing; only loom takes note of who is there.
    unsafe impl Sync for Watch {}

    impl Watch {
        pub(super) fn new() -> Self {
            Self(loom::cell::UnsafeCell::new(()))
        }

        pub(super) fn read(&self) {
            self.0.with(|_| ());
        }

        pub(super) fn write(&self) {
            self.0.with_mut(|_| ());
        }
    }
}

#[cfg(hchan_shuttle)]
mod checker {
    use std::env;
    use std::sync::Arc;

    pub(super) use shuttle::future::block_on;
    pub(super) use shuttle::thread::{JoinHandle, spawn};

    use super::env_or;

    pub(super) fn explore(_: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
        let schedules = env_or("HCHAN_SCHEDULES", 20_000);
        let model = Arc::new(model);
        let again = model.clone();
        shuttle::check_random(move || model(), schedules);
        shuttle::check_pct(move || again(), schedules, 3);
    }

    /// Shuttle knows of no memory that is seen late.
    #[derive(Debug)]
    pub(super) struct Watch;

    impl Watch {
        pub(super) fn new() -> Self {
            Self
        }

        pub(super) fn read(&self) {}

        pub(super) fn write(&self) {}
    }
}

/// Explores a model: each of the expected outcomes has to come about, and no other.
#[track_caller]
fn check<O, M, const N: usize>(search: Search, expected: [O; N], model: M)
where
    O: PartialEq + Debug + Send + Sync + 'static,
    M: Fn() -> O + Send + Sync + 'static,
{
    let start = Instant::now();
    let expected = Arc::new(expected);
    let seen = Arc::new(Mutex::new([0; N]));
    explore(search.preemptions(), {
        let (expected, seen) = (expected.clone(), seen.clone());
        move || {
            let outcome = model();
            let Some(which) = expected.iter().position(|other| *other == outcome) else {
                panic!("unexpected: {outcome:?}");
            };
            seen.lock().unwrap()[which] += 1;
        }
    });
    let seen = *seen.lock().unwrap();
    eprintln!(
        "{} ({search:?}): {} runs, {:.2?}, {seen:?}",
        type_name::<M>(),
        seen.iter().sum::<usize>(),
        start.elapsed(),
    );
    for (outcome, seen) in expected.iter().zip(seen) {
        assert!(seen > 0, "never seen: {outcome:?}");
    }
}

/// Whether an operation was served when it came, or had to park first.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    AtOnce,
    Parked,
}

/// Waits for an operation to end, and tells whether it parked.
fn wait<F: Future>(operation: F) -> (Turn, F::Output) {
    let mut operation = pin!(operation);
    let mut turn = AtOnce;
    let output = block_on(poll_fn(|cx| {
        let polled = operation.as_mut().poll(cx);
        if polled.is_pending() {
            turn = Parked;
        }
        polled
    }));
    (turn, output)
}

/// An operation that was polled once, by a task that sleeps, and had to park.
fn parked<F: Future>(operation: F) -> Pin<Box<F>> {
    support::parked_with(Box::pin(operation), Waker::noop().clone())
}

/// A receive with a handle of its own, parked.
fn parked_recv<T: Send + 'static>(
    rx: &Receiver<T>,
) -> Pin<Box<impl Future<Output = Result<T, RecvError>> + Send + use<T>>> {
    let rx = rx.clone();
    parked(async move { rx.recv().await })
}

/// A send with a handle of its own, parked.
fn parked_send<T: Send + 'static>(
    tx: &Sender<T>,
    value: T,
) -> Pin<Box<impl Future<Output = Result<(), SendError<T>>> + Send + use<T>>> {
    let tx = tx.clone();
    parked(async move { tx.send(value).await })
}

/// One poll of a handle itself, by a task that sleeps.
fn poll_recv<T>(rx: &mut Receiver<T>) -> Poll<Result<T, RecvError>> {
    rx.poll_recv(&mut Context::from_waker(Waker::noop()))
}

/// A thread that sends.
fn sends<T: Send + 'static>(tx: &Sender<T>, value: T) -> JoinHandle<Result<(), SendError<T>>> {
    let tx = tx.clone();
    spawn(move || block_on(tx.send(value)))
}

/// A thread that receives.
fn recvs<T: Send + 'static>(rx: &Receiver<T>) -> JoinHandle<Result<T, RecvError>> {
    let rx = rx.clone();
    spawn(move || block_on(rx.recv()))
}

/// A thread that drops this.
fn drops(what: impl Send + 'static) -> JoinHandle<()> {
    spawn(move || drop(what))
}

/// What a thread has come to.
fn end<O>(thread: JoinHandle<O>) -> O {
    thread.join().unwrap()
}

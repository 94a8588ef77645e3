//! What a subscriber is told, and what it may do meanwhile.
#![cfg(feature = "tracing")]

mod support;

use std::fmt;
use std::mem;
#[cfg(feature = "std")]
use std::panic::panic_any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll::Ready;

use hchan::{Receiver, Select, Sender, bounded, never, unbounded};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Level, Metadata, Subscriber};

#[cfg(feature = "std")]
use support::{Task, on_wake, panic_of};
use support::{Wakes, handed, parked, parked_with, poll_once, ready, values};

/// An event, as `park recvq`, and its channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Told {
    what: String,
    channel: u64,
}

impl Visit for Told {
    fn record_u64(&mut self, field: &Field, value: u64) {
        assert_eq!(field.name(), "channel");
        self.channel = value;
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        assert_eq!(field.name(), "queue");
        self.what += &format!(" {value}");
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        assert_eq!(field.name(), "message");
        self.what = format!("{value:?}{}", self.what);
    }
}

/// A subscriber that makes a call for each event.
struct Listener<F>(F);

impl<F: Fn(Told) + Send + Sync + 'static> Subscriber for Listener<F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "hchan"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        unreachable!("there are no spans")
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        assert_eq!(*event.metadata().level(), Level::TRACE);
        let mut told = Told::default();
        event.record(&mut told);
        assert_ne!(told.channel, 0);
        (self.0)(told);
    }
}

/// What is told on this thread during a story.
fn told(story: impl FnOnce()) -> Vec<Told> {
    let events = Arc::new(Mutex::new(Vec::new()));
    let noted = events.clone();
    let listener = Listener(move |told| noted.lock().expect("no panic").push(told));
    with_default(listener, story);
    let mut events = events.lock().expect("no panic");
    mem::take(&mut events)
}

/// Asserts what is told during a story.
#[track_caller]
fn tells(expected: &[&str], story: impl FnOnce()) {
    let told = told(story);
    let what: Vec<_> = told.iter().map(|told| told.what.as_str()).collect();
    assert_eq!(what, expected);
}

type Channel = (Sender<u32>, Receiver<u32>);

// What is told.

#[test]
fn what_need_not_wait_is_not_told() {
    let (tx, rx) = bounded(1);
    tells(&[], || {
        ready(tx.send(1)).unwrap();
        assert!(tx.try_send(2).is_err());
        assert_eq!(ready(rx.recv()), Ok(1));
        assert!(rx.try_recv().is_err());
    });
}

#[test]
fn a_receive_parks_and_is_handed_a_value() {
    for (tx, rx) in [bounded(0), bounded(1), unbounded()] {
        tells(&["park recvq", "handoff recvq"], || {
            let mut recv = parked(rx.recv());
            tx.try_send(1).unwrap();
            assert!(recv.poll().is_ready());
        });
    }
}

#[test]
fn a_send_parks_and_its_value_is_taken() {
    let (tx, rx) = bounded(0);
    tells(&["park sendq", "handoff sendq"], || {
        let mut send = parked(tx.send(1));
        assert_eq!(rx.try_recv(), Ok(1));
        assert!(send.poll().is_ready());
    });
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    tells(&["park sendq", "handoff sendq"], || {
        let mut send = parked(tx.send(2));
        assert_eq!(rx.drain().count(), 2);
        assert!(send.poll().is_ready());
    });
}

#[test]
fn a_second_time_is_told_as_the_first() {
    // The forecasts are right by now, so it goes by the short ways.
    let (tx, rx) = bounded(0);
    let story = || {
        let mut recv = parked(rx.recv());
        ready(tx.send(1)).unwrap();
        assert_eq!(recv.poll(), Ready(Ok(1)));
        let mut send = parked(tx.send(2));
        assert_eq!(ready(rx.recv()), Ok(2));
        assert!(send.poll().is_ready());
    };
    let expected = ["park recvq", "handoff recvq", "park sendq", "handoff sendq"];
    for _time in 0..3 {
        tells(&expected, story);
    }
}

#[test]
fn a_dropped_receive_puts_its_value_back() {
    let (tx, rx) = bounded(1);
    tells(&["park recvq", "handoff recvq", "put back"], || {
        drop(handed(&tx, &rx, 1));
    });
    assert_eq!(rx.try_recv(), Ok(1));
    let expected = [
        "park recvq",
        "handoff recvq",
        "park recvq",
        "put back",
        "handoff recvq",
    ];
    tells(&expected, || {
        let first = handed(&tx, &rx, 2);
        let mut second = parked(rx.recv());
        drop(first);
        assert!(second.poll().is_ready());
    });
}

#[test]
fn who_leaves_is_not_told() {
    let (tx, rx) = bounded(0);
    tells(&["park recvq", "park sendq"], || {
        drop(parked(rx.recv()));
        assert_eq!(parked(tx.send(1)).into_inner().cancel(), Some(1));
    });
}

#[test]
fn a_reservation_parks_and_takes_no_value() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    tells(&["park sendq", "park recvq", "handoff recvq"], || {
        let mut reserve = parked(tx.reserve());
        rx.try_recv().unwrap();
        let Ready(Ok(permit)) = reserve.poll() else {
            panic!("there is room");
        };
        let mut recv = parked(rx.recv());
        permit.send(2).unwrap();
        assert_eq!(recv.poll(), Ready(Ok(2)));
    });
}

#[test]
fn close_is_told_once() {
    let (tx, rx) = bounded::<u32>(0);
    tells(&["park closeq", "park recvq", "close"], || {
        let mut closed = parked(tx.closed());
        let mut recv = parked(rx.recv());
        assert!(tx.close());
        assert!(!rx.close());
        assert!(closed.poll().is_ready());
        assert!(recv.poll().is_ready());
        drop((closed, recv));
        drop((tx, rx));
    });
    tells(&["close"], || drop(bounded::<u32>(1)));
}

#[test]
fn nothing_happens_on_a_nil_channel() {
    let (tx, rx) = never();
    tells(&[], || {
        assert!(poll_once(tx.send(1)).is_pending());
        assert!(poll_once(rx.recv()).is_pending());
        assert!(!tx.close());
        drop((tx, rx));
    });
}

#[test]
fn a_select_parks_each_arm_at_its_channel() {
    let (a_tx, a) = bounded::<u32>(0);
    let (b, b_rx) = bounded::<u32>(0);
    let told = told(|| {
        let select = Select::new().recv(&a, |_| 'a').send(&b, 1, |_| 'b');
        let mut select = parked(select);
        assert_eq!(b_rx.try_recv(), Ok(1));
        assert_eq!(select.poll(), Ready('b'));
        a_tx.close();
    });
    let mut parks: Vec<_> = told[..2].iter().map(|told| told.what.as_str()).collect();
    parks.sort_unstable();
    assert_eq!(parks, ["park recvq", "park sendq"]);
    let channel = |what| {
        told.iter()
            .find(|told| told.what == what)
            .map(|told| told.channel)
    };
    assert_eq!(told[2].what, "handoff sendq");
    assert_eq!(Some(told[2].channel), channel("park sendq"));
    assert_ne!(told[2].channel, told[3].channel);
    assert_eq!(channel("close"), channel("park recvq"));
    assert_eq!(told.len(), 4);
}

// What a subscriber may do.

#[test]
fn whoever_is_served_was_woken_before_that_is_told() {
    for (tx, rx) in [bounded(0), bounded(1)] {
        let wakes = Arc::new(Wakes::default());
        let _recv = parked_with(rx.recv(), wakes.clone().into());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (counted, noted) = (wakes.clone(), seen.clone());
        let listener = Listener(move |told: Told| {
            let wakes = counted.count();
            noted.lock().expect("no panic").push((told.what, wakes));
        });
        with_default(listener, || tx.try_send(1).unwrap());
        let seen = seen.lock().expect("no panic");
        assert_eq!(*seen, [("handoff recvq".to_owned(), 1)]);
    }
}

#[test]
fn a_subscriber_may_use_the_channel() {
    // `tracing` never tells a kind of event whose first comes while another is told.
    let (tx, rx): Channel = bounded(0);
    assert_eq!(told(|| drop(handed(&tx, &rx, 0))).len(), 3);
    for capacity in [0, 1] {
        let (tx, rx): Channel = bounded(capacity);
        let (inner_tx, inner_rx) = (tx.clone(), rx.clone());
        let uses = Arc::new(AtomicU64::new(0));
        let counted = uses.clone();
        let listener = Listener(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            // Each of these takes the lock, and some of them wake.
            let seen = inner_rx.snapshot();
            assert!(seen.qcount <= 1);
            drop(inner_tx.clone());
            if let Ok(value) = inner_rx.try_recv() {
                let _sent = inner_tx.try_send(value);
            }
            if capacity > 0 {
                let _reserved = poll_once(inner_tx.reserve());
            }
            assert!(poll_once(inner_rx.closed()).is_pending());
        });
        with_default(listener, || {
            (0..capacity).for_each(|_| tx.try_send(9).unwrap());
            // The subscriber takes out what is inside and puts it in again, or takes this one's value.
            drop(parked(tx.send(1)));
            let _drained = rx.drain();
            let mut recv = parked(rx.recv());
            tx.try_send(2).unwrap();
            assert_eq!(recv.poll(), Ready(Ok(2)));
            drop(handed(&tx, &rx, 3));
        });
        assert!(values(&rx).into_iter().all(|value| value == 3));
        assert!(uses.load(Ordering::SeqCst) >= 5);
    }
}

// Subscribers that panic. Without `std` nobody can hold a panic back.

/// Makes a call with a subscriber that panics at each event of this kind, as the call must then.
#[cfg(feature = "std")]
#[track_caller]
fn panics_at<R>(what: &'static str, call: impl FnOnce() -> R) {
    let listener = Listener(move |told: Told| {
        if told.what.starts_with(what) {
            panic_any("a subscriber's");
        }
    });
    assert_eq!(panic_of(|| with_default(listener, call)), "a subscriber's");
}

/// Every kind.
#[cfg(feature = "std")]
const ANY: &str = "";

#[cfg(feature = "std")]
#[test]
fn what_was_parked_when_a_subscriber_panicked_is_in_line() {
    for _time in 0..2 {
        let (tx, rx) = bounded(0);
        let mut recv = Task::new(rx.recv());
        panics_at("park", || recv.poll());
        tx.try_send(1).unwrap();
        assert_eq!((recv.wakes(), recv.poll()), (1, Ready(Ok(1))));

        let mut send = Task::new(tx.send(2));
        panics_at("park", || send.poll());
        assert_eq!(rx.try_recv(), Ok(2));
        assert_eq!((send.wakes(), send.poll()), (1, Ready(Ok(()))));

        let mut send = Task::new(tx.send(3));
        panics_at("park", || send.poll());
        assert_eq!(send.future().cancel(), Some(3));
    }
}

#[cfg(feature = "std")]
#[test]
fn a_value_that_was_handed_when_a_subscriber_panicked_is_received() {
    for (tx, rx) in [bounded(0), bounded(1)] {
        let mut recv = parked(rx.recv());
        panics_at("handoff recvq", || tx.try_send(1));
        assert_eq!((recv.wakes(), recv.poll()), (1, Ready(Ok(1))));
        assert!(rx.try_recv().is_err());
    }
}

#[cfg(feature = "std")]
#[test]
fn a_value_that_was_taken_when_a_subscriber_panicked_is_back() {
    // The second panics while the value goes back, too.
    for what in ["handoff sendq", ANY] {
        for capacity in [0, 1] {
            let (tx, rx) = bounded(capacity);
            (0..capacity).for_each(|n| tx.try_send(n).unwrap());
            let mut send = parked(tx.send(capacity));
            panics_at(what, || rx.try_recv());
            assert_eq!((send.wakes(), send.poll()), (1, Ready(Ok(()))));
            assert!(values(&rx).into_iter().eq(0..=capacity));

            (0..capacity).for_each(|n| tx.try_send(n).unwrap());
            let mut send = parked(tx.send(capacity));
            let mut recv = Task::new(rx.recv());
            panics_at(what, || recv.poll());
            assert_eq!((send.wakes(), send.poll()), (1, Ready(Ok(()))));
            drop(recv);
            assert!(values(&rx).into_iter().eq(0..=capacity));
        }
    }
}

#[cfg(feature = "std")]
#[test]
fn a_value_that_was_put_back_when_a_subscriber_panicked_is_there() {
    let (tx, rx) = bounded(1);
    let recv = handed(&tx, &rx, 1);
    panics_at("put back", || drop(recv));
    assert_eq!(rx.try_recv(), Ok(1));

    let recv = handed(&tx, &rx, 2);
    let mut next = parked(rx.recv());
    panics_at(ANY, || drop(recv));
    assert_eq!((next.wakes(), next.poll()), (1, Ready(Ok(2))));
}

#[cfg(feature = "std")]
#[test]
fn close_wakes_everyone_though_a_subscriber_panics() {
    let (tx, rx) = bounded::<u32>(0);
    let (mut first, mut second) = (parked(rx.recv()), parked(rx.recv()));
    let mut closed = parked(rx.closed());
    panics_at("close", || drop(tx));
    assert!(first.wakes() == 1 && second.wakes() == 1 && closed.wakes() == 1);
    assert!(first.poll().is_ready() && second.poll().is_ready() && closed.poll().is_ready());
}

#[cfg(feature = "std")]
#[test]
fn a_select_whose_park_panics_leaves_its_lines() {
    let ((a_tx, a), (b_tx, b)) = (bounded::<u32>(0), bounded::<u32>(0));
    let mut select = Task::new(Select::new().recv(&a, |r| r).recv(&b, |r| r));
    panics_at("park", || select.poll());
    assert!(select.poll().is_pending());
    assert_eq!((a.snapshot().recvq, b.snapshot().recvq), (1, 1));
    b_tx.try_send(1).unwrap();
    assert_eq!(select.poll(), Ready(Ok(1)));
    let mut select = Task::new(Select::new().recv(&a, |r| r).recv(&b, |r| r));
    panics_at("park", || select.poll());
    drop(select);
    assert_eq!((a.snapshot().recvq, b.snapshot().recvq), (0, 0));
    drop(a_tx);
}

#[cfg(feature = "std")]
#[test]
fn a_waker_that_panics_comes_first() {
    let (tx, rx) = bounded(0);
    let recv = parked_with(rx.recv(), on_wake(|| panic_any("a waker's")));
    let listener = Listener(|_| panic_any("a subscriber's"));
    let send = || with_default(listener, || tx.try_send(1));
    assert_eq!(panic_of(send), "a waker's");
    drop(recv);
    assert_eq!(rx.try_recv(), Ok(1));
}

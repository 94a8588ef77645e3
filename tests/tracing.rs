//! What a subscriber is told, and what it may do meanwhile.
#![cfg(feature = "tracing")]

mod support;

#[path = "support/console.rs"]
mod console;

use std::collections::VecDeque;
use std::fmt;
use std::mem;
#[cfg(feature = "std")]
use std::panic::panic_any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll::Ready;
use std::task::{Context, Waker};

use futures::FutureExt as _;
use futures::future::FusedFuture as _;
use hchan::{Receiver, RecvSet, Select, Sender, bounded, never, unbounded};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Level, Metadata, Subscriber};

use console::{Call, Console};
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
        metadata.is_event() && metadata.target() == "hchan"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        unreachable!("it takes none")
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

// What the console is shown.

/// Asserts what a console is shown during a story, on channels that are made before it.
#[track_caller]
fn shows<C>(made: impl FnOnce() -> C, story: impl FnOnce(C), expected: &[&str]) {
    let console = Console::new();
    console.watch(|| {
        let channel = made();
        let _made = console.lines();
        story(channel);
    });
    assert_eq!(console.lines(), expected);
    assert_eq!(console.open(), 0);
}

/// The lines that tell of operations, and not of attributes.
fn of_operations(console: &Console) -> Vec<String> {
    let mut lines = console.lines();
    lines.retain(|line| line.starts_with("op"));
    lines
}

#[test]
fn a_channel_is_a_resource_as_long_as_it_lives() {
    let console = Console::new();
    console.watch(|| {
        let (line, (tx, rx)) = (line!(), bounded::<u8>(3));
        let made = [
            "channel 1: channel Channel<u8>",
            "channel 1: capacity = 3",
            "channel 1: qcount = 0",
            "channel 1: closed = false",
            "channel 1: senders = 1",
            "channel 1: receivers = 1",
        ];
        assert_eq!(console.lines(), made);
        let fields = console.fields("channel 1");
        assert_eq!(fields["loc.file"], file!());
        assert_eq!(fields["loc.line"], line.to_string());
        assert_eq!(fields["loc.col"], "42");
        let weak = tx.downgrade();
        drop((tx, rx));
        let ended = [
            "channel 1: closed = true",
            "channel 1: senders = 0",
            "channel 1: receivers = 0",
        ];
        assert_eq!(console.lines(), ended);
        drop(weak);
        assert_eq!(console.lines(), ["channel 1: closed"]);

        let unbounded = unbounded::<String>();
        let made = console.lines();
        assert_eq!(made[0], "channel 2: channel Channel<alloc::string::String>");
        assert!(!made.iter().any(|line| line.contains("capacity")));
        drop(unbounded);
    });
    assert_eq!(console.open(), 0);
}

#[test]
fn each_change_is_an_attribute() {
    let story = |(tx, rx): Channel| {
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        assert!(tx.try_send(3).is_err());
        drop(tx.clone());
        assert_eq!(rx.drain().count(), 2);
        tx.close();
        tx.set_name("jobs");
    };
    let expected = [
        "channel 1: qcount = 1",
        "channel 1: qcount = 2",
        "channel 1: senders = 2",
        "channel 1: senders = 1",
        "channel 1: qcount = 0",
        "channel 1: closed = true",
        "channel 1: name = debug jobs",
        "channel 1: receivers = 0",
        "channel 1: senders = 0",
        "channel 1: closed",
    ];
    shows(|| bounded(2), story, &expected);
}

#[test]
fn a_name_stays_on_one_line_and_is_cut() {
    let console = Console::new();
    console.watch(|| {
        let (tx, _rx) = bounded::<u8>(0);
        tx.set_name("a\nchannel 2: closed = true\u{1b}[2J");
        let name = console.attribute("channel 1", "name").unwrap();
        assert_eq!(name, r"debug a\nchannel 2: closed = true\u{1b}[2J");
        tx.set_name(&"ä".repeat(1 << 20));
        let name = console.attribute("channel 1", "name").unwrap();
        assert_eq!(name, format!("debug {}", "ä".repeat(64)));

        type Long<T> = Option<Option<Option<Option<Option<Option<Option<T>>>>>>>;
        let _long = bounded::<fn(Long<Long<Long<u8>>>)>(0);
        let fields = console.fields("channel 2");
        assert_eq!(fields["concrete_type"].len(), "Channel<>".len() + 128);
    });
}

/// What is shown of one operation.
fn life(source: &str, op: &str, polls: &[bool]) -> Vec<String> {
    let polls = polls
        .iter()
        .map(|is_ready| format!("op 1: {op} {is_ready}"));
    let begin = format!("op 1: {source} of channel 1");
    let mut lines: Vec<_> = [begin].into_iter().chain(polls).collect();
    lines.push("op 1: closed".to_owned());
    lines
}

/// Asserts that an operation is shown from the moment in which it parks, and until it is served.
#[track_caller]
fn shows_each<O>(
    channel: fn() -> Channel,
    (source, op): (&str, &str),
    operation: impl Fn(Sender<u32>, Receiver<u32>) -> O,
    serve: fn(&Channel),
) where
    O: Future + Unpin,
{
    let console = Console::new();
    console.watch(|| {
        let channel = channel();
        let mut task = parked(operation(channel.0.clone(), channel.1.clone()));
        assert!(task.poll().is_pending());
        drop(task.change_waker());
        assert!(task.poll().is_pending());
        serve(&channel);
        assert!(task.poll().is_ready());
        drop(task);
        drop(channel);
    });
    let expected = life(source, op, &[false, false, false, true]);
    assert_eq!(of_operations(&console), expected);
    assert_eq!(console.open(), 0);

    let console = Console::new();
    console.watch(|| {
        let channel = channel();
        drop(parked(operation(channel.0.clone(), channel.1.clone())));
        drop(channel);
    });
    assert_eq!(of_operations(&console), life(source, op, &[false]));
    assert_eq!(console.open(), 0);
}

const RECV: (&str, &str) = ("Receiver::recv", "poll_recv");
const SEND: (&str, &str) = ("Sender::send", "poll_send");
const RESERVE: (&str, &str) = ("Sender::reserve", "poll_reserve");

fn full() -> Channel {
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    (tx, rx)
}

fn send(channel: &Channel) {
    channel.0.try_send(1).unwrap();
}

fn recv(channel: &Channel) {
    channel.1.try_recv().unwrap();
}

#[test]
fn each_receive_that_parks_is_an_operation() {
    for channel in [|| bounded(0), || bounded(1), unbounded] {
        shows_each(channel, RECV, |_tx, rx| rx.recv_owned(), send);
    }
    let empty = || bounded(1);
    shows_each(
        empty,
        RECV,
        |_, rx| async move { rx.recv().await }.boxed(),
        send,
    );
    shows_each(
        empty,
        RECV,
        |_, rx| async move { rx.lease().await.map(hchan::Lease::take) }.boxed(),
        send,
    );
    shows_each(
        empty,
        RECV,
        |_, mut rx| async move { rx.next().await }.boxed(),
        send,
    );
    let many = |_, rx: Receiver<u32>| async move { rx.recv_many(&mut Vec::new(), 2).await }.boxed();
    shows_each(empty, RECV, many, send);
    let stream =
        |_, mut rx: Receiver<u32>| async move { futures::StreamExt::next(&mut rx).await }.boxed();
    shows_each(empty, RECV, stream, send);
    let polled = |_, mut rx: Receiver<u32>| std::future::poll_fn(move |cx| rx.poll_recv(cx));
    shows_each(empty, RECV, polled, send);
    // A close ends it, too.
    shows_each(
        empty,
        RECV,
        |_, rx| rx.recv_owned(),
        |(tx, _)| assert!(tx.close()),
    );
}

#[test]
fn each_send_that_parks_is_an_operation() {
    for channel in [|| bounded(0), full] {
        shows_each(channel, SEND, |tx, _| tx.send_owned(1), recv);
    }
    shows_each(
        full,
        SEND,
        |tx, _| async move { tx.send(1).await }.boxed(),
        recv,
    );
    let from = |tx: Sender<u32>, _| async move { tx.send_from(&mut Some(1)).await }.boxed();
    shows_each(full, SEND, from, recv);
    let many =
        |tx: Sender<u32>, _| async move { tx.send_many(&mut VecDeque::from([1])).await }.boxed();
    shows_each(full, SEND, many, recv);
    let polled = |mut tx: Sender<u32>, _| {
        let mut item = Some(1);
        std::future::poll_fn(move |cx| tx.poll_send(cx, &mut item))
    };
    shows_each(full, SEND, polled, recv);
    shows_each(
        full,
        SEND,
        |tx, _| tx.send_owned(1),
        |(tx, _)| assert!(tx.close()),
    );
}

#[test]
fn each_reservation_and_each_wait_for_the_end_is_an_operation() {
    shows_each(full, RESERVE, |tx, _| tx.reserve_owned().map(drop), recv);
    shows_each(
        full,
        RESERVE,
        |tx, _| async move { tx.reserve().await.map(drop) }.boxed(),
        recv,
    );
    let polled =
        |mut tx: Sender<u32>, _| std::future::poll_fn(move |cx| tx.poll_reserve(cx).map(drop));
    shows_each(full, RESERVE, polled, recv);
    #[cfg(feature = "sink")]
    {
        let sink = |mut tx: Sender<u32>, _| {
            async move { futures::SinkExt::send(&mut tx, 1).await }.boxed()
        };
        shows_each(full, RESERVE, sink, recv);
    }
    let closed = ("closed", "poll_closed");
    let close: fn(&Channel) = |(tx, _)| assert!(tx.close());
    shows_each(
        full,
        closed,
        |tx, _| async move { tx.closed().await }.boxed(),
        close,
    );
    shows_each(
        full,
        closed,
        |_, rx| async move { rx.closed().await }.boxed(),
        close,
    );
    shows_each(
        full,
        closed,
        |mut tx, _| std::future::poll_fn(move |cx| tx.poll_closed(cx)),
        close,
    );
}

#[test]
fn what_need_not_wait_is_no_operation() {
    let console = Console::new();
    console.watch(|| {
        let (tx, rx) = bounded(1);
        ready(tx.send(1)).unwrap();
        assert_eq!(ready(rx.recv()), Ok(1));
        ready(tx.reserve()).unwrap().send(2).unwrap();
        assert_eq!(ready(rx.lease()).unwrap().take(), 2);
        assert!(Select::new().recv(&rx, |_| ()).try_select().is_none());
        tx.close();
        ready(tx.closed());
    });
    assert_eq!(of_operations(&console), [""; 0]);
}

#[test]
fn each_arm_of_a_select_is_an_operation() {
    let story = |(a, b): (Channel, Channel)| {
        let select = Select::new()
            .recv(&a.1, |_| 'a')
            .send(&b.0, 1, |_| 'b')
            .biased();
        let mut select = parked(select);
        assert!(select.poll().is_pending());
        recv(&b);
        assert_eq!(select.poll(), Ready('b'));
    };
    let console = Console::new();
    console.watch(|| {
        let both = (bounded(0), bounded(0));
        story(both);
    });
    // They park in the order of their channels' addresses.
    let mut lines = of_operations(&console);
    assert_eq!(lines.len(), 7);
    let recv = lines[0].contains("recv");
    let (recv, send) = if recv {
        ("op 1", "op 2")
    } else {
        ("op 2", "op 1")
    };
    let mut expected = [
        format!("{recv}: select recv of channel 1"),
        format!("{recv}: poll_recv false"),
        format!("{recv}: closed"),
        format!("{send}: select send of channel 2"),
        format!("{send}: poll_send false"),
        format!("{send}: poll_send true"),
        format!("{send}: closed"),
    ];
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines, expected);

    let console = Console::new();
    console.watch(|| {
        let (tx, rx) = bounded(0);
        let mut set = RecvSet::from_iter([rx]);
        for n in 0..2 {
            let mut next = parked(set.next());
            tx.try_send(n).unwrap();
            assert_eq!(next.poll(), Ready((0, Ok(n))));
        }
    });
    let mut expected = life("select recv", "poll_recv", &[false, true]);
    let again: Vec<_> = expected
        .iter()
        .map(|line| line.replace("op 1", "op 2"))
        .collect();
    expected.extend(again);
    assert_eq!(of_operations(&console), expected);
}

#[test]
fn an_operation_shows_where_it_was_called() {
    let console = Console::new();
    console.watch(|| {
        let (tx, rx) = bounded::<u32>(0);
        let (line, recv) = (line!(), parked(rx.recv()));
        let fields = console.fields("op 1");
        assert_eq!(
            (fields["loc.file"].as_str(), fields["loc.line"].as_str()),
            (file!(), &*line.to_string())
        );
        drop(recv);
        let line = line!() + 1;
        let send = parked(tx.send(1));
        assert_eq!(console.fields("op 2")["loc.line"], line.to_string());
        drop(send);
    });
}

#[cfg(feature = "std")]
#[test]
fn a_thread_that_blocks_is_shown() {
    let console = Console::new();
    let (tx, rx) = console.watch(|| bounded(0));
    let thread = std::thread::spawn({
        let console = console.clone();
        move || console.watch(|| rx.recv_blocking())
    });
    tx.send_blocking(1).unwrap();
    assert_eq!(thread.join().unwrap(), Ok(1));
    drop(tx);
    assert_eq!(console.open(), 0);
}

#[test]
fn who_was_not_listening_is_shown_nothing() {
    let (tx, rx) = bounded(1);
    let mut recv = parked(rx.recv());
    let console = Console::new();
    console.watch(|| {
        tx.try_send(1).unwrap();
        assert!(recv.poll().is_ready());
        drop(parked(rx.recv()));
        tx.set_name("late");
    });
    assert_eq!(console.lines(), [""; 0]);

    // What was shown is closed, whoever listens by then.
    let (tx, rx) = console.watch(|| bounded::<u32>(1));
    let recv = console.watch(|| parked(rx.recv()));
    assert_eq!(console.open(), 3);
    drop(recv);
    assert_eq!(console.open(), 1);
    drop((tx, rx));
    assert_eq!(console.open(), 0);
}

#[cfg(feature = "std")]
#[test]
fn the_last_that_is_told_is_how_it_is() {
    let console = Console::new();
    let rounds = if cfg!(miri) { 2 } else { 200 };
    for round in 1..=rounds {
        let (tx, rx) = console.watch(|| bounded::<u32>(4));
        std::thread::scope(|threads| {
            for thread in 0..4 {
                let (console, tx, rx) = (&console, &tx, &rx);
                threads.spawn(move || {
                    console.watch(|| {
                        for n in 0..20 {
                            match (thread + n) % 2 {
                                0 => drop(tx.try_send(n)),
                                _ => drop(rx.try_recv()),
                            }
                        }
                    });
                });
            }
        });
        let told = console.attribute(&format!("channel {round}"), "qcount");
        assert_eq!(told, Some(rx.len().to_string()), "round {round}");
    }
}

// What a console may do.

/// Uses a channel in every way that takes its lock or wakes, with this call of the console's.
fn use_channel((tx, rx): &Channel) {
    drop(tx.clone());
    let _tried = tx.try_send(7);
    let _tried = rx.try_recv();
    let mut cx = Context::from_waker(Waker::noop());
    let _polled = tx.send(7).poll_unpin(&mut cx);
    let _polled = rx.recv().poll_unpin(&mut cx);
    let _polled = rx.closed().poll_unpin(&mut cx);
    assert!(rx.snapshot().qcount <= 1);
}

/// Every operation, in all that can become of it.
fn use_all((tx, rx): &Channel) {
    let mut cx = Context::from_waker(Waker::noop());
    let wakes = Waker::from(Arc::new(Wakes::default()));
    let mut recv = rx.recv();
    let _polled = recv.poll_unpin(&mut cx);
    if !recv.is_terminated() {
        let _polled = recv.poll_unpin(&mut Context::from_waker(&wakes));
    }
    let _sent = tx.try_send(1);
    if !recv.is_terminated() {
        let _polled = recv.poll_unpin(&mut cx);
    }
    let mut recv = rx.recv();
    let _polled = recv.poll_unpin(&mut cx);
    let _sent = tx.try_send(2);
    drop(recv);
    let _received = rx.drain().count();
    let _sent = tx.try_send(3);
    let (mut one, mut two) = (tx.send(4), tx.send(5));
    let _polled = (one.poll_unpin(&mut cx), two.poll_unpin(&mut cx));
    let _received = rx.try_recv();
    if !one.is_terminated() {
        let _polled = one.poll_unpin(&mut cx);
    }
    drop((one, two));
    let mut select = Select::new().recv(rx, |_| ()).send(tx, 6, |_| ());
    let _polled = select.poll_unpin(&mut cx);
    drop(select);
    let mut closed = tx.closed();
    let _polled = closed.poll_unpin(&mut cx);
    drop(closed);
    let (mut tx, mut rx) = (tx.clone(), rx.clone());
    let _polled = (rx.poll_recv(&mut cx), tx.poll_send(&mut cx, &mut Some(8)));
    tx.set_name("used");
}

#[test]
fn a_console_may_use_the_channel_at_every_call() {
    use Call::{Close, Enter, Event, Exit, NewSpan};

    for capacity in [0, 1] {
        for at in [NewSpan, Enter, Exit, Event, Close] {
            thread_local! {
                static USES: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
            }
            let channel: Arc<Mutex<Option<Channel>>> = Arc::default();
            let uses = Arc::new(AtomicU64::new(0));
            let (inner, counted) = (channel.clone(), uses.clone());
            let console = Console::with(move |call| {
                // Not in what it does itself: `tracing` leaves that to subscribers.
                if call != at || USES.replace(true) {
                    return;
                }
                let inner = inner.lock().expect("no panic").clone();
                if let Some(channel) = &inner {
                    use_channel(channel);
                    counted.fetch_add(1, Ordering::SeqCst);
                }
                drop(inner);
                USES.set(false);
            });
            console.watch(|| {
                let (tx, rx) = bounded(capacity);
                *channel.lock().expect("no panic") = Some((tx.clone(), rx.clone()));
                use_all(&(tx, rx));
                let last = channel.lock().expect("no panic").take();
                drop(last);
            });
            assert!(uses.load(Ordering::SeqCst) > 0, "{at:?}");
            assert_eq!(console.open(), 0, "{at:?}");
        }
    }
}

#[cfg(feature = "std")]
#[test]
fn a_console_that_panics_at_any_call_loses_nothing() {
    use Call::{Close, Enter, Event, Exit, NewSpan};

    std::panic::set_hook(Box::new(|_| {}));
    for at in [NewSpan, Enter, Exit, Event, Close] {
        let console = Console::with(move |call| assert!(call != at, "a console's"));
        console.watch(|| {
            let (tx, rx) = bounded(1);
            let mut recv = parked(rx.recv());
            tx.try_send(1).unwrap();
            assert_eq!(recv.poll(), Ready(Ok(1)));
            drop(handed(&tx, &rx, 2));
            assert_eq!(rx.try_recv(), Ok(2));

            tx.try_send(3).unwrap();
            let mut sends = [4, 5].map(|n| parked(tx.send(n)));
            assert_eq!(rx.try_recv(), Ok(3));
            assert_eq!(sends[0].poll(), Ready(Ok(())));
            let [_, last] = sends;
            assert_eq!(last.into_inner().cancel(), Some(5));
            assert_eq!(values(&rx), [4]);

            let mut select = parked(Select::new().recv(&rx, |value| value));
            tx.try_send(6).unwrap();
            assert_eq!(select.poll(), Ready(Ok(6)));
            let mut closed = parked(tx.closed());
            tx.close();
            assert_eq!(closed.poll(), Ready(()));
            use_all(&bounded(1));
        });
    }
    drop(std::panic::take_hook());
}

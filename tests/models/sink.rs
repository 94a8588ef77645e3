//! Streams and sinks: a handle that has a value in hand, or one staged.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use futures::Sink;
use hchan::{TryRecvError, bounded};

use super::support::Drops;
use super::{
    AtOnce, Bounded, Complete, Parked, block_on, check, drops, end, poll_recv, recvs, spawn, wait,
};

/// The handle of a stream goes while it has a value that it was handed, and another receive comes.
#[test]
fn stream_dropped_with_a_value_in_hand() {
    check(Complete, [AtOnce, Parked], || {
        let (tx, rx) = bounded(0);
        let mut stream = rx.clone();
        assert!(poll_recv(&mut stream).is_pending());
        tx.try_send(1).unwrap();
        let dropper = drops(stream);
        let (turn, received) = wait(rx.recv());
        assert_eq!(received, Ok(1));
        end(dropper);
        turn
    });
}

/// A stream ends after its last value: the sender goes before, while and after that is claimed.
#[test]
fn stream_against_the_last_sender() {
    let turns = [
        [AtOnce, AtOnce],
        [AtOnce, Parked],
        [Parked, AtOnce],
        [Parked, Parked],
    ];
    check(Bounded(2), turns, || {
        let (tx, mut rx) = bounded(0);
        let sender = spawn(move || block_on(tx.send(1)).unwrap());
        let [(first, value), (second, none)] = [(); 2].map(|()| wait(rx.next()));
        assert_eq!([value, none], [Some(1), None]);
        end(sender);
        [first, second]
    });
}

/// The sink's handle goes, and its staged item with it, unless a receiver was faster.
#[test]
fn staged_item_is_taken_or_dropped() {
    let fates = [(Ok(1), false), (Err(TryRecvError::Closed), true)];
    check(Complete, fates, || {
        let (mut tx, rx) = bounded(0);
        let counter = Drops::default();
        Pin::new(&mut tx).start_send(counter.value(1)).unwrap();
        let dropper = drops(tx);
        let received = rx.try_recv();
        end(dropper);
        let dropped = counter.count() == 1;
        (received.map(|value| value.id), dropped)
    });
}

/// The staged item is taken while its task comes back to flush, with a waker at last.
#[test]
fn staged_item_is_flushed_while_it_is_taken() {
    check(Complete, [AtOnce, Parked], || {
        let (mut tx, rx) = bounded(0);
        Pin::new(&mut tx).start_send(1).unwrap();
        let receiver = recvs(&rx);
        let (turn, flushed) = wait(poll_fn(|cx| Pin::new(&mut tx).poll_flush(cx)));
        assert_eq!((flushed, end(receiver)), (Ok(()), Ok(1)));
        turn
    });
}

/// A sink that holds the slot goes before or after a send parks for it.
#[test]
fn slot_of_a_sink_is_a_parked_sends() {
    check(Complete, [AtOnce, Parked], || {
        let (tx, rx) = bounded(1);
        let mut sink = tx.clone();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut sink).poll_ready(&mut cx).is_ready());
        let dropper = drops(sink);
        let (turn, sent) = wait(tx.send(1));
        assert_eq!((sent, rx.try_recv()), (Ok(()), Ok(1)));
        end(dropper);
        turn
    });
}

/// Two threads share a handle that holds the slot: one of them gives it up, and each sends or finds it full.
#[test]
fn slot_of_a_shared_sink_is_given_up_once() {
    check(Complete, [[true, false], [false, true]], || {
        let (tx, rx) = bounded(1);
        let mut sink = tx.clone();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut sink).poll_ready(&mut cx).is_ready());
        let sink = Arc::new(sink);
        let other = sink.clone();
        let sender = spawn(move || other.try_send(1).is_ok());
        let sent = sink.try_send(2).is_ok();
        let sent = [end(sender), sent];
        assert!(rx.try_recv().is_ok() && !rx.is_full());
        sent
    });
}

//! Closing, and the last handle of a side.

use std::future::poll_fn;
use std::task::{Context, Waker};

use hchan::{RecvError, SendError, Sender, TryRecvError, TrySendError, bounded};

use super::support::{Drops, values};
use super::{
    AtOnce, Bounded, Complete, Parked, block_on, check, drops, end, parked, parked_recv,
    parked_send, recvs, sends, spawn, wait,
};

/// The close finds the send before, in and after its line.
#[test]
fn close_against_send() {
    let fates = [(Ok(()), vec![1]), (Err(SendError(1)), vec![])];
    check(Complete, fates, || {
        let (tx, rx) = bounded(1);
        let sender = sends(&tx, 1);
        assert!(rx.close());
        (end(sender), values(&rx))
    });
    check(Complete, [AtOnce, Parked], || {
        let (tx, rx) = bounded(0);
        let closer = spawn(move || rx.close());
        let (turn, sent) = wait(tx.send(1));
        assert_eq!((end(closer), sent), (true, Err(SendError(1))));
        turn
    });
}

/// The close finds the receive before, in and after its line.
#[test]
fn close_against_recv() {
    for capacity in [0, 1] {
        check(Complete, [AtOnce, Parked], move || {
            let (tx, rx) = bounded::<()>(capacity);
            let closer = spawn(move || tx.close());
            let (turn, received) = wait(rx.recv());
            assert_eq!((end(closer), received), (true, Err(RecvError)));
            turn
        });
    }
}

/// The close finds no receive in line, one or two, and wakes each.
#[test]
fn close_wakes_everyone() {
    check(Bounded(2), [0, 1, 2], || {
        let (tx, rx) = bounded::<()>(0);
        let receivers = [recvs(&rx), recvs(&rx)];
        let waiting = rx.snapshot().recvq;
        assert!(tx.close());
        assert_eq!(receivers.map(end), [Err(RecvError); 2]);
        waiting
    });
}

/// A parked send is ended by the close, or served first; what is in the ring stays.
#[test]
fn close_against_a_parked_send_and_its_receiver() {
    let fates = [(Ok(()), vec![1, 2]), (Err(SendError(2)), vec![1])];
    check(Bounded(2), fates, || {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let sender = sends(&tx, 2);
        let closer = spawn(move || tx.close());
        let mut received = vec![block_on(rx.recv()).unwrap()];
        assert!(end(closer));
        let sent = end(sender);
        received.extend(values(&rx));
        (sent, received)
    });
}

/// Two close at once.
#[test]
fn one_close_is_the_first() {
    check(Complete, [(true, false), (false, true)], || {
        let (tx, rx) = bounded::<()>(1);
        let other = spawn(move || rx.close());
        (tx.close(), end(other))
    });
}

/// On a closed channel the only value is with a receive that may yet be dropped: nobody is told
/// "closed" before it comes back.
#[test]
fn closed_waits_for_a_value_that_comes_back() {
    let tries = [(Err(TryRecvError::Empty), Ok(1)), (Ok(1), Err(RecvError))];
    check(Complete, tries, || {
        let (tx, rx) = bounded(0);
        let recv = parked_recv(&rx);
        tx.try_send(1).unwrap();
        tx.close();
        let dropper = drops(recv);
        let received = (rx.try_recv(), block_on(rx.recv()));
        end(dropper);
        received
    });
}

/// The same, but the value is claimed: then those who wait are told.
#[test]
fn closed_is_told_when_the_last_value_is_claimed() {
    let tries = [TryRecvError::Empty, TryRecvError::Closed];
    check(Complete, tries, || {
        let (tx, rx) = bounded(0);
        let recv = parked_recv(&rx);
        tx.try_send(1).unwrap();
        tx.close();
        let owner = spawn(move || block_on(recv));
        let tried = rx.try_recv().unwrap_err();
        assert_eq!(block_on(rx.recv()), Err(RecvError));
        assert_eq!(end(owner), Ok(1));
        tried
    });
}

/// The close comes before, while and after a value comes back, which another receive waits for.
#[test]
fn close_against_a_put_back() {
    check(Bounded(2), [AtOnce, Parked], || {
        let (tx, rx) = bounded(0);
        let recv = parked_recv(&rx);
        tx.try_send(1).unwrap();
        let dropper = drops(recv);
        let closer = spawn(move || tx.close());
        let (turn, received) = wait(rx.recv());
        end(dropper);
        assert_eq!((end(closer), received), (true, Ok(1)));
        turn
    });
}

/// The last receiver goes while a value arrives: it is returned, or dropped with the channel, once.
#[test]
fn send_against_the_last_receivers_drop() {
    check(Complete, [(true, 1), (false, 0)], || {
        let (tx, rx) = bounded(1);
        let counter = Drops::default();
        let dropper = drops(rx);
        let sent = tx.try_send(counter.value(1));
        end(dropper);
        (sent.is_ok(), counter.count())
    });
    check(Complete, [(AtOnce, 0), (Parked, 0)], || {
        let (tx, rx) = bounded(0);
        let counter = Drops::default();
        let dropper = drops(rx);
        let (turn, sent) = wait(tx.send(counter.value(1)));
        end(dropper);
        assert!(sent.is_err());
        (turn, counter.count())
    });
}

/// The same with a value that looks at the channel when it is dropped.
#[test]
fn value_that_looks_at_the_channel_it_is_dropped_by() {
    struct Looks(Sender<Self>);

    impl Drop for Looks {
        fn drop(&mut self) {
            assert!(self.0.is_closed());
        }
    }

    check(Complete, [true, false], || {
        let (tx, rx) = bounded(1);
        let dropper = drops(rx);
        let sent = tx.try_send(Looks(tx.clone())).is_ok();
        end(dropper);
        sent
    });
}

/// The last receiver goes while its parked receive is handed a value.
#[test]
fn send_against_the_last_parked_receivers_drop() {
    let fates = [("sent", 1), ("full", 0), ("closed", 0)];
    check(Complete, fates, || {
        let (tx, rx) = bounded(0);
        let counter = Drops::default();
        let recv = parked(async move { rx.recv().await.is_ok() });
        let dropper = drops(recv);
        let sent = tx.try_send(counter.value(1));
        end(dropper);
        let fate = match &sent {
            Ok(()) => "sent",
            Err(TrySendError::Full(_)) => "full",
            Err(TrySendError::Closed(_)) => "closed",
        };
        (fate, counter.count())
    });
}

/// A parked send is given up while the last receiver goes, and a value with it.
#[test]
fn teardown_against_a_dropped_send() {
    check(Complete, [2], || {
        let (tx, rx) = bounded(1);
        let counter = Drops::default();
        tx.try_send(counter.value(1)).ok().unwrap();
        let dropper = drops(parked_send(&tx, counter.value(2)));
        drop(rx);
        end(dropper);
        counter.count()
    });
}

/// The last two receivers go at once, one of them with a value in hand.
#[test]
fn teardown_against_a_put_back() {
    check(Complete, [(1, true)], || {
        let (tx, rx) = bounded(0);
        let counter = Drops::default();
        let recv = parked_recv(&rx);
        tx.try_send(counter.value(1)).ok().unwrap();
        let dropper = drops(recv);
        drop(rx);
        end(dropper);
        (counter.count(), tx.is_closed())
    });
}

/// A sender is made of a weak one while the last strong one goes.
#[test]
fn weak_sender_against_the_last_sender() {
    check(Complete, [(true, false), (false, true)], || {
        let (tx, rx) = bounded::<()>(1);
        let weak = tx.downgrade();
        let dropper = drops(tx);
        let revived = weak.upgrade();
        end(dropper);
        (revived.is_some(), rx.is_closed())
    });
}

/// A receiver is made of a weak one while the last strong one goes; the value inside goes once.
#[test]
fn weak_receiver_against_the_last_receiver() {
    let fates = [(true, false, 0), (false, true, 1)];
    check(Complete, fates, || {
        let (tx, rx) = bounded(1);
        let counter = Drops::default();
        tx.try_send(counter.value(1)).ok().unwrap();
        let weak = rx.downgrade();
        let dropper = drops(rx);
        let revived = weak.upgrade();
        end(dropper);
        (revived.is_some(), tx.is_closed(), counter.count())
    });
}

/// One task waits for the end while the other makes it, by a close or by its last handle.
#[test]
fn closed_future_against_the_end() {
    check(Complete, [AtOnce, Parked], || {
        let (tx, rx) = bounded::<()>(0);
        let closer = spawn(move || rx.close());
        let (turn, ()) = wait(tx.closed());
        assert!(end(closer));
        turn
    });
    check(Complete, [AtOnce, Parked], || {
        let (tx, rx) = bounded::<()>(0);
        let dropper = drops(tx);
        let (turn, ()) = wait(rx.closed());
        end(dropper);
        turn
    });
}

/// A wait for the end is given up while the end comes, and a neighbour still learns of it.
#[test]
fn closed_future_dropped_at_the_end() {
    check(Complete, [true], || {
        let (tx, rx) = bounded::<()>(0);
        let tx2 = tx.clone();
        let dropper = drops(parked(async move { tx2.closed().await }));
        let watcher = parked(async move { tx.closed().await });
        let closed = rx.close();
        block_on(watcher);
        end(dropper);
        closed
    });
}

/// The same with a handle that is polled itself, and with one that keeps nothing open.
#[test]
fn polled_and_weak_handles_against_the_end() {
    check(Complete, [AtOnce, Parked], || {
        let (mut tx, rx) = bounded::<()>(0);
        let closer = spawn(move || rx.close());
        let (turn, ()) = wait(poll_fn(|cx| tx.poll_closed(cx)));
        assert!(end(closer));
        turn
    });
    check(Complete, [AtOnce, Parked], || {
        let (tx, rx) = bounded::<()>(0);
        let weak = rx.downgrade();
        let dropper = drops(tx);
        let (turn, ()) = wait(weak.closed());
        end(dropper);
        turn
    });
}

/// A handle that was polled itself is dropped while the end comes.
#[test]
fn polled_handle_dropped_at_the_end() {
    check(Complete, [true], || {
        let (tx, rx) = bounded::<()>(0);
        let mut tx2 = tx.clone();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(tx2.poll_closed(&mut cx).is_pending());
        let dropper = drops(tx2);
        let closed = rx.close();
        end(dropper);
        closed && tx.is_closed()
    });
}

/// Handles are cloned and dropped on both threads: only the last drop closes.
#[test]
fn clones_and_drops_of_senders() {
    check(Complete, [((false, 1), (true, 0))], || {
        let (tx, rx) = bounded::<()>(1);
        let tx2 = tx.clone();
        let other = spawn(move || drop(tx2.clone()));
        let tx3 = tx.clone();
        drop(tx);
        end(other);
        let before = (rx.is_closed(), rx.sender_count());
        drop(tx3);
        (before, (rx.is_closed(), rx.sender_count()))
    });
}

/// Both of the last two senders go at once, and the receiver waits.
#[test]
fn last_two_senders_go_at_once() {
    check(Bounded(2), [AtOnce, Parked], || {
        let (tx, rx) = bounded::<()>(1);
        let droppers = [drops(tx.clone()), drops(tx)];
        let (turn, received) = wait(rx.recv());
        assert_eq!(received, Err(RecvError));
        droppers.into_iter().for_each(end);
        turn
    });
}

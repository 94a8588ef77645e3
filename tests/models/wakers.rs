//! Wakers: each completed operation wakes its task once, by the waker that it left last.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Poll;

use hchan::{RecvError, TryRecvError, TrySendError, bounded};

use super::support::{self, on_wake, parked_with, poll_once, ready, values};
use super::{
    AtOnce, Bounded, Complete, Parked, check, end, parked_recv, parked_send, poll_recv, recvs,
    sends, spawn, wait,
};

/// A task comes with its second waker while the operation that keeps the first is completed.
#[test]
fn replaced_while_the_recv_is_served() {
    for capacity in [0, 1] {
        check(Complete, [AtOnce, Parked], move || {
            let (tx, rx) = bounded(capacity);
            let recv = parked_recv(&rx);
            let sender = spawn(move || tx.try_send(1));
            let (turn, received) = wait(recv);
            assert_eq!((end(sender), received), (Ok(()), Ok(1)));
            turn
        });
    }
}

/// The same for a send.
#[test]
fn replaced_while_the_send_is_served() {
    check(Bounded(2), [AtOnce, Parked], || {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let send = parked_send(&tx, 2);
        let receiver = recvs(&rx);
        let (turn, sent) = wait(send);
        assert_eq!((end(receiver), sent), (Ok(1), Ok(())));
        turn
    });
}

/// The poll that brings a new waker has the value, or the new waker gets the one wake.
#[test]
fn either_the_poll_is_ready_or_its_waker_is_woken() {
    let wakes = [(Poll::Ready(Ok(1)), [1, 0]), (Poll::Pending, [0, 1])];
    check(Complete, wakes, || {
        let (tx, rx) = bounded(0);
        let mut recv = support::parked(rx.recv());
        let old = recv.change_waker();
        let sender = spawn(move || tx.try_send(1));
        let polled = recv.poll();
        end(sender).unwrap();
        (polled, [old.count(), recv.wakes()])
    });
}

/// A waker sends into its own channel, while another thread sends as well.
#[test]
fn waker_that_uses_the_channel() {
    check(
        Complete,
        [[1, 2, 3], [1, 3, 2], [3, 2, 1], [3, 1, 2]],
        || {
            let (tx, rx) = bounded(2);
            let (tx1, tx2) = (tx.clone(), tx.clone());
            let waker = on_wake(move || tx2.try_send(2).unwrap());
            let recv = parked_with(rx.recv(), waker);
            let sender = spawn(move || tx1.try_send(1));
            tx.try_send(3).unwrap();
            end(sender).unwrap();
            let first = ready(recv).unwrap();
            let others = values(&rx);
            [first, others[0], others[1]]
        },
    );
}

/// The close wakes two, and the first of their wakers panics.
#[test]
fn waker_that_panics_before_another() {
    check(Complete, [AtOnce, Parked], || {
        let (tx, rx) = bounded::<()>(0);
        // Without the hook, in which the checkers end a model.
        let first = parked_with(rx.recv(), on_wake(|| resume_unwind(Box::new("waker"))));
        let second = spawn({
            let rx = rx.clone();
            move || wait(rx.recv())
        });
        assert!(catch_unwind(AssertUnwindSafe(|| tx.close())).is_err());
        let (turn, received) = end(second);
        assert_eq!((ready(first), received), (Err(RecvError), Err(RecvError)));
        turn
    });
}

/// A poll that no wake has asked for comes while the value is handed over.
#[test]
fn unasked_poll_while_the_recv_is_served() {
    let polls = [(Poll::Ready(Ok(1)), 1), (Poll::Pending, 1)];
    check(Complete, polls, || {
        let (tx, rx) = bounded(0);
        let mut recv = support::parked(rx.recv());
        let sender = spawn(move || tx.try_send(1));
        let polled = recv.poll();
        end(sender).unwrap();
        (polled, recv.wakes())
    });
}

/// The handle stands in line by its poll; the plain receive gives that place up while it is served, and
/// finds the value, or waits for it.
#[test]
fn recv_gives_the_place_of_poll_recv_up() {
    for capacity in [0, 1] {
        check(Complete, [AtOnce, Parked], move || {
            let (tx, mut rx) = bounded(capacity);
            assert!(poll_recv(&mut rx).is_pending());
            let sender = sends(&tx, 1);
            let (turn, received) = wait(rx.recv());
            assert_eq!((end(sender), received), (Ok(()), Ok(1)));
            turn
        });
    }
}

/// A try on a handle that stands in line finds what it is handed, or leaves the line before.
#[test]
fn try_recv_gives_the_place_of_poll_recv_up() {
    let tries = [
        (Ok(()), Ok(1)),
        (Err(TrySendError::Full(1)), Err(TryRecvError::Empty)),
    ];
    check(Complete, tries, || {
        let (tx, mut rx) = bounded(0);
        assert!(poll_recv(&mut rx).is_pending());
        let sender = spawn(move || (tx.try_send(1), tx));
        let tried = rx.try_recv();
        let (sent, _tx) = end(sender);
        (sent, tried)
    });
}

/// What a handle was handed is given up while another receive comes: that one gets it, or the try does.
#[test]
fn what_is_given_up_against_a_receive() {
    let fates = [
        (Ok(1), Poll::Pending),
        (Err(TryRecvError::Empty), Poll::Ready(Ok(1))),
    ];
    check(Complete, fates, || {
        let (tx, mut rx) = bounded(0);
        assert!(poll_recv(&mut rx).is_pending());
        tx.try_send(1).unwrap();
        let other = rx.clone();
        let receiver = spawn(move || {
            let mut recv = Box::pin(async move { other.recv().await });
            (poll_once(&mut recv), recv)
        });
        let tried = rx.try_recv();
        let (polled, mut recv) = end(receiver);
        let polled = match polled {
            Poll::Pending => poll_once(&mut recv),
            ready => ready,
        };
        (tried, polled)
    });
}

//! Permits: a place for a value that comes later.

use std::task::Poll;

#[cfg(hchan_shuttle)]
use hchan::RecvError;
use hchan::{Select, SendError, TryRecvError, TrySendError, bounded};

use super::select::two_channels;
use super::support::poll_once;
use super::{
    AtOnce, Bounded, Complete, Parked, block_on, check, drops, end, parked, parked_recv, spawn,
    wait,
};

/// The channel closes before or after the permit is used.
#[test]
fn permit_against_close() {
    let fates = [
        (Ok(()), Ok(1)),
        (Err(SendError(1)), Err(TryRecvError::Closed)),
    ];
    check(Complete, fates, || {
        let (tx, rx) = bounded(1);
        let permit = tx.try_reserve().unwrap();
        let rx2 = rx.clone();
        let closer = spawn(move || rx2.close());
        let sent = permit.send(1);
        assert!(end(closer));
        (sent, rx.try_recv())
    });
}

/// The slot is given up before or after a send parks for it.
#[test]
fn dropped_permit_is_a_parked_sends() {
    check(Complete, [AtOnce, Parked], || {
        let (tx, rx) = bounded(1);
        let permit = tx.try_reserve().unwrap();
        let sender = {
            let tx = tx.clone();
            spawn(move || wait(tx.send(1)))
        };
        drop(permit);
        let (turn, sent) = end(sender);
        assert_eq!((sent, rx.try_recv()), (Ok(()), Ok(1)));
        turn
    });
}

/// A reservation is dropped with a permit that it has not looked at: it is the next one's.
#[test]
fn dropped_reservation_passes_its_permit_on() {
    check(Complete, [AtOnce, Parked], || {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let tx2 = tx.clone();
        let reserve = parked(async move { tx2.reserve().await.is_ok() });
        let sender = spawn(move || wait(tx.send(2)));
        assert_eq!(rx.try_recv(), Ok(1));
        drop(reserve);
        let (turn, sent) = end(sender);
        assert_eq!((sent, rx.try_recv()), (Ok(()), Ok(2)));
        turn
    });
}

/// On capacity 0 the receiver that a permit was granted for leaves before the value comes.
#[test]
fn permit_outlives_its_receiver() {
    check(Complete, [(Ok(()), Ok(1))], || {
        let (tx, rx) = bounded(0);
        let recv = parked_recv(&rx);
        let permit = tx.try_reserve().unwrap();
        let dropper = drops(recv);
        let sent = permit.send(1);
        end(dropper);
        (sent, rx.try_recv())
    });
}

/// On capacity 0 a reservation and a receive meet, then the value: the receive waits for it.
#[test]
fn reservation_against_recv() {
    check(Bounded(2), [AtOnce, Parked], || {
        let (tx, rx) = bounded(0);
        let sender = spawn(move || {
            let (turn, permit) = wait(tx.reserve());
            permit.unwrap().send(1).unwrap();
            turn
        });
        assert_eq!(wait(rx.recv()), (Parked, Ok(1)));
        end(sender)
    });
}

/// On capacity 0 a reservation is granted for a receiver that leaves, while another comes.
#[test]
fn reservation_granted_for_a_receiver_that_leaves() {
    check(Bounded(2), [(Poll::Pending, Ok(1))], || {
        let (tx, rx) = bounded(0);
        let tx2 = tx.clone();
        let send = parked(async move { tx2.reserve().await.unwrap().send(1) });
        let rx2 = rx.clone();
        let passer_by = spawn(move || poll_once(rx2.recv()));
        let sender = spawn(move || block_on(send));
        let received = block_on(rx.recv());
        end(sender).unwrap();
        (end(passer_by), received)
    });
}

/// A permit is given up for a select's arm that is served elsewhere meanwhile: then the value in line stays
/// with its sender, until the receiver that the other permit counts on is free.
#[test]
fn admitted_for_an_arm_that_is_served_elsewhere() {
    let fates = [
        (false, Poll::Ready(Ok(1)), Poll::Ready(Ok(5))),
        (true, Poll::Ready(Ok(5)), Poll::Pending),
    ];
    check(Complete, fates, || {
        let [(tx, rx), (tx_other, rx_other)] = two_channels(0);
        let mut first = parked(rx.recv());
        let mut select = parked(Select::new().recv(&rx, |n| n).recv(&rx_other, |n| n));
        let permits = [tx.try_reserve().unwrap(), tx.try_reserve().unwrap()];
        let mut send = parked(tx.send(5));
        let server = spawn(move || {
            let _maybe = tx_other.try_send(1);
            tx_other
        });
        let [last, next] = permits;
        // Without this loom does not see that it matters who comes first.
        let _len = rx_other.len();
        drop(next);
        let _tx_other = end(server);
        let sent = poll_once(&mut send).is_ready();
        let won = poll_once(&mut select);
        drop(last);
        (sent, won, poll_once(&mut first))
    });
}

/// The same with a value in line behind the permit: a receive takes it, or it stays with its sender.
#[test]
fn introduced_to_an_arm_that_is_served_elsewhere() {
    let fates = [
        (Poll::Ready(Ok(5)), Poll::Ready(Ok(()))),
        (Poll::Ready(Ok(1)), Poll::Pending),
    ];
    check(Complete, fates, || {
        let [(tx, rx), (tx_other, rx_other)] = two_channels(0);
        let mut select = parked(Select::new().recv(&rx, |n| n).recv(&rx_other, |n| n));
        let permit = tx.try_reserve().unwrap();
        let mut send = parked(tx.send(5));
        let server = spawn(move || {
            let _maybe = tx_other.try_send(1);
            tx_other
        });
        // Without this loom does not see that it matters who comes first.
        let _len = rx_other.len();
        drop(permit);
        let _tx_other = end(server);
        assert_eq!(rx.len(), 0);
        (poll_once(&mut select), poll_once(&mut send))
    });
}

/// Two arms are introduced to each other, while both of their selects are served elsewhere.
///
/// Not under loom, of which an assertion of its own fails here: "expected to be able to acquire lock".
#[test]
#[cfg(hchan_shuttle)]
fn arms_introduced_to_each_other() {
    let fates = [
        (Poll::Ready(Ok(5)), Poll::Ready(Ok(0))),
        (Poll::Ready(Ok(1)), Poll::Ready(Ok(2))),
    ];
    check(Complete, fates, || {
        let [(tx, rx), (tx_other, rx_other)] = two_channels(0);
        let (tx_third, rx_third) = bounded(0);
        let mut receiver = parked(Select::new().recv(&rx, |n| n).recv(&rx_other, |n| n));
        let permit = tx.try_reserve().unwrap();
        let sender = Select::new().send(&tx, 5, |sent| sent.map_or(Err(RecvError), |()| Ok(0)));
        let mut sender = parked(sender.recv(&rx_third, |n| n));
        let server = spawn(move || {
            let _maybe = (tx_other.try_send(1), tx_third.try_send(2));
            (tx_other, tx_third)
        });
        // Without this loom does not see that it matters who comes first.
        let _len = rx_other.len();
        drop(permit);
        let _txs = end(server);
        assert_eq!(rx.len(), 0);
        (poll_once(&mut receiver), poll_once(&mut sender))
    });
}

/// A select with two arms that a permit counts on is served elsewhere, while others look for a receiver that
/// no permit counts on: there was none at any time.
#[test]
fn two_arms_are_one_receiver_while_they_are_served_elsewhere() {
    let none = (false, Err(TrySendError::Full(9)));
    check(Complete, [none], || {
        let [(tx, rx), (tx_other, rx_other)] = two_channels(0);
        let select = Select::new().recv(&rx, |n| n).recv(&rx, |n| n);
        let mut select = parked(select.recv(&rx_other, |n| n));
        let permit = tx.try_reserve().unwrap();
        let server = spawn(move || {
            tx_other.try_send(1).unwrap();
            tx_other
        });
        // Without this loom does not see that it matters who comes first.
        let _len = rx_other.len();
        let found = (tx.try_reserve().is_ok(), tx.try_send(9));
        let _tx_other = end(server);
        assert_eq!(poll_once(&mut select), Poll::Ready(Ok(1)));
        drop(permit);
        found
    });
}

/// The same with a receiver behind it, and a permit for that.
#[test]
fn two_arms_leave_the_next_receiver_to_the_next_permit() {
    check(Complete, [Err(TrySendError::Full(9))], || {
        let [(tx, rx), (tx_other, rx_other)] = two_channels(0);
        let select = Select::new().recv(&rx, |n| n).recv(&rx, |n| n);
        let mut select = parked(select.recv(&rx_other, |n| n));
        let mut recv = parked(rx.recv());
        let permits = [tx.try_reserve().unwrap(), tx.try_reserve().unwrap()];
        let server = spawn(move || {
            tx_other.try_send(1).unwrap();
            tx_other
        });
        // Without this loom does not see that it matters who comes first.
        let _len = rx_other.len();
        let passed = tx.try_send(9);
        let _tx_other = end(server);
        assert_eq!(poll_once(&mut select), Poll::Ready(Ok(1)));
        assert!(poll_once(&mut recv).is_pending());
        drop(permits);
        passed
    });
}

//! Permits: a place for a value that comes later.

use std::task::Poll;

use hchan::{Select, SendError, TryRecvError, bounded};

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

/// A reservation and a receive meet: the receive frees the slot that the reservation waits for.
#[test]
fn reservation_against_recv() {
    check(Bounded(2), [AtOnce, Parked], || {
        let (tx, rx) = bounded(1);
        tx.try_send(0).unwrap();
        let sender = spawn(move || {
            let (turn, permit) = wait(tx.reserve());
            permit.unwrap().send(1).unwrap();
            turn
        });
        assert_eq!([block_on(rx.recv()), block_on(rx.recv())], [Ok(0), Ok(1)]);
        end(sender)
    });
}

/// The receiver that a permit's value would go to leaves before, or after, and passes it on.
#[test]
fn permit_is_used_while_a_receiver_leaves() {
    check(Complete, [(Ok(()), Ok(1))], || {
        let (tx, rx) = bounded(1);
        let permit = tx.try_reserve().unwrap();
        let dropper = drops(parked_recv(&rx));
        let sent = permit.send(1);
        end(dropper);
        (sent, rx.try_recv())
    });
}

/// A permit is given up for a select's arm that is served elsewhere meanwhile: the slot is the next one's.
#[test]
fn slot_passes_an_arm_that_is_served_elsewhere() {
    let fates = [
        (Poll::Ready(7), Poll::Ready(Ok(())), Ok(2)),
        (Poll::Ready(0), Poll::Pending, Ok(1)),
    ];
    check(Complete, fates, || {
        let ((tx, rx), (tx_other, rx_other)) = (bounded(1), bounded(0));
        let permit = tx.try_reserve().unwrap();
        let select = Select::new().send(&tx, 1, |sent| sent.map_or(9, |()| 0));
        let mut select = parked(select.recv(&rx_other, |n| n.unwrap_or(9)));
        let mut next = parked(tx.send(2));
        let server = spawn(move || {
            let _maybe = tx_other.try_send(7);
            tx_other
        });
        // Without this loom does not see that it matters who comes first.
        let _len = rx_other.len();
        drop(permit);
        let _tx_other = end(server);
        let (won, sent) = (poll_once(&mut select), poll_once(&mut next));
        (won, sent, rx.try_recv())
    });
}

/// A permit's value comes for a select's arm that is served elsewhere meanwhile: then it goes inside.
#[test]
fn permit_passes_an_arm_that_is_served_elsewhere() {
    let fates = [
        (Poll::Ready(Ok(1)), Ok(5)),
        (Poll::Ready(Ok(5)), Err(TryRecvError::Empty)),
    ];
    check(Complete, fates, || {
        let ((tx, rx), (tx_other, rx_other)) = (bounded(1), bounded(0));
        let permit = tx.try_reserve().unwrap();
        let mut select = parked(Select::new().recv(&rx, |n| n).recv(&rx_other, |n| n));
        let server = spawn(move || {
            let _maybe = tx_other.try_send(1);
            tx_other
        });
        // Without this loom does not see that it matters who comes first.
        let _len = rx_other.len();
        permit.send(5).unwrap();
        let _tx_other = end(server);
        (poll_once(&mut select), rx.try_recv())
    });
}

//! Leases: a value that has left and may come back.

use hchan::{RecvError, TryRecvError, bounded};

use super::{AtOnce, Bounded, Parked, check, drops, end, spawn, wait};

/// A value comes back before or after a receive parks for it, while the last sender goes: it is received, and only then
/// is it over.
#[test]
fn dropped_lease_against_a_receive_and_a_close() {
    check(Bounded(2), [AtOnce, Parked], || {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let lease = rx.try_lease().unwrap();
        let receiver = {
            let rx = rx.clone();
            spawn(move || wait(rx.recv()))
        };
        let closer = drops(tx);
        drop(lease);
        let (turn, received) = end(receiver);
        assert_eq!(received, Ok(1));
        end(closer);
        assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
        turn
    });
}

/// A value is taken before or after a receive parks, while the last sender goes: whoever waits is told.
#[test]
fn taken_lease_against_a_receive_and_a_close() {
    check(Bounded(2), [AtOnce, Parked], || {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let lease = rx.try_lease().unwrap();
        let receiver = {
            let rx = rx.clone();
            spawn(move || wait(rx.recv()))
        };
        let closer = drops(tx);
        assert_eq!(lease.take(), 1);
        let (turn, received) = end(receiver);
        assert_eq!(received, Err(RecvError));
        end(closer);
        turn
    });
}

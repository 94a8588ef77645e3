//! Threads that wait, beside one other: loom takes the unpark of a thread that waits for a lock as the
//! end of that wait, so no third thread may hold a lock meanwhile.

use hchan::{RecvError, bounded, select_blocking};

use super::select::two_channels;
use super::{Bounded, Complete, check, end, spawn};

/// The wake comes before, while and after the thread goes to sleep.
#[test]
fn threads_meet() {
    check(Complete, [(Ok(()), Ok(1))], || {
        let (tx, rx) = bounded(0);
        let sender = spawn(move || tx.send_blocking(1));
        let received = rx.recv_blocking();
        (end(sender), received)
    });
}

/// A thread sleeps on a full ring, and then on an empty one.
#[test]
fn threads_take_turns() {
    check(Bounded(2), [[Ok(1), Ok(2), Err(RecvError)]], || {
        let (tx, rx) = bounded(1);
        let sender = spawn(move || {
            tx.send_blocking(1).unwrap();
            tx.send_blocking(2).unwrap();
        });
        let received = [(); 3].map(|()| rx.recv_blocking());
        end(sender);
        received
    });
}

/// The close ends the wait of a thread that goes to sleep.
#[test]
fn close_against_a_thread() {
    check(Complete, [Err(RecvError)], || {
        let (tx, rx) = bounded::<()>(1);
        let closer = spawn(move || tx.close());
        let received = rx.recv_blocking();
        assert!(end(closer));
        received
    });
}

/// A value comes to each arm of a thread's select: it is woken through the first, or finds both.
#[test]
fn select_against_a_sender() {
    check(Bounded(2), [(1, Ok(2)), (2, Ok(1))], || {
        let [(tx_a, a), (tx_b, b)] = two_channels(1);
        let sender = spawn(move || {
            tx_b.try_send(2).unwrap();
            tx_a.try_send(1).unwrap();
            [tx_a, tx_b]
        });
        let won = select_blocking! {
            recv(a) -> value => value.unwrap(),
            recv(b) -> value => value.unwrap(),
        };
        drop(end(sender));
        (won, if won == 1 { b.try_recv() } else { a.try_recv() })
    });
}

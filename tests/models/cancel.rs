//! Cancelling: what was handed and not looked at goes to the next, or back.

use std::task::Poll;

use hchan::{RecvError, TryRecvError, TrySendError, bounded};

use super::support::{self, poll_once, values};
use super::{
    AtOnce, Bounded, Complete, Parked, block_on, check, drops, end, parked_recv, parked_send,
    sends, spawn, wait,
};

/// The drop comes before, while and after the receive is handed the value.
#[test]
fn recv_dropped_while_it_is_handed_a_value() {
    let fates = [
        (Ok(()), Ok(1)),
        (Err(TrySendError::Full(1)), Err(TryRecvError::Empty)),
    ];
    check(Complete, fates, || {
        let (tx, rx) = bounded(0);
        let dropper = drops(parked_recv(&rx));
        let sent = tx.try_send(1);
        end(dropper);
        (sent, rx.try_recv())
    });
}

/// The same while another receive comes, which must get the value, no matter which comes first.
#[test]
fn value_survives_the_recv_it_was_handed_to() {
    check(Bounded(2), [AtOnce, Parked], || {
        let (tx, rx) = bounded(0);
        let dropper = drops(parked_recv(&rx));
        let sender = sends(&tx, 1);
        let (turn, received) = wait(rx.recv());
        end(dropper);
        assert_eq!((end(sender), received), (Ok(()), Ok(1)));
        turn
    });
}

/// The value is put back just before or after the other receive parks.
#[test]
fn put_back_meets_a_receiver_that_comes() {
    for capacity in [0, 1] {
        check(Complete, [AtOnce, Parked], move || {
            let (tx, rx) = bounded(capacity);
            let recv = parked_recv(&rx);
            tx.try_send(1).unwrap();
            let dropper = drops(recv);
            let (turn, received) = wait(rx.recv());
            assert_eq!(received, Ok(1));
            end(dropper);
            turn
        });
    }
}

/// The send finds the first in line, who leaves; the second is in line already and must be woken.
#[test]
fn put_back_wakes_a_parked_neighbour() {
    check(Complete, [AtOnce, Parked], || {
        let (tx, rx) = bounded(0);
        let [first, second] = [(); 2].map(|()| parked_recv(&rx));
        let dropper = drops(first);
        tx.try_send(1).unwrap();
        let (turn, received) = wait(second);
        assert_eq!(received, Ok(1));
        end(dropper);
        turn
    });
}

/// Two receives in line are given up one behind the other, while the value runs along the line.
#[test]
fn put_back_runs_down_the_line() {
    check(Bounded(2), [AtOnce, Parked], || {
        let (tx, rx) = bounded(0);
        let [first, second, third] = [(); 3].map(|()| parked_recv(&rx));
        tx.try_send(1).unwrap();
        let droppers = [drops(first), drops(second)];
        let (turn, received) = wait(third);
        assert_eq!(received, Ok(1));
        droppers.into_iter().for_each(end);
        turn
    });
}

/// Two handed receives are dropped in either order, and one value is back before the other.
#[test]
fn two_put_backs_stand_in_order() {
    check(Complete, [1, 2], || {
        let (tx, rx) = bounded(0);
        let [first, second] = [(); 2].map(|()| parked_recv(&rx));
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        let dropper = drops(first);
        drop(second);
        let inside = rx.len();
        end(dropper);
        assert_eq!(values(&rx), [1, 2]);
        inside
    });
}

/// A younger value comes into the ring before the older one comes back, or finds no room.
#[test]
fn put_back_goes_before_what_came_since() {
    let contents = [(Ok(()), vec![1, 2]), (Err(TrySendError::Full(2)), vec![1])];
    check(Complete, contents, || {
        let (tx, rx) = bounded(1);
        let recv = parked_recv(&rx);
        tx.try_send(1).unwrap();
        let dropper = drops(recv);
        let sent = tx.try_send(2);
        end(dropper);
        (sent, values(&rx))
    });
}

/// The parked send leaves its line while the ring has room for it.
#[test]
fn send_dropped_while_a_receiver_takes() {
    check(Complete, [vec![1], vec![1, 2]], || {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let dropper = drops(parked_send(&tx, 2));
        let mut received = vec![block_on(rx.recv()).unwrap()];
        end(dropper);
        received.extend(values(&rx));
        received
    });
}

/// The first in line leaves while it is served: the room is its own or the next one's.
#[test]
fn dropped_send_leaves_its_turn_to_the_next() {
    let fates = [(vec![1, 2, 3], 1), (vec![1, 3], 1)];
    check(Complete, fates, || {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let dropper = drops(parked_send(&tx, 2));
        let mut next = support::parked(tx.send(3));
        let mut received = vec![rx.try_recv().unwrap()];
        end(dropper);
        received.extend(values(&rx));
        assert_eq!(next.poll(), Poll::Ready(Ok(())));
        (received, next.wakes())
    });
}

/// The receiver takes the value just before or after it is wanted back.
#[test]
fn cancelled_send_is_sent_or_returned() {
    let fates = [(None, Ok(1)), (Some(1), Err(RecvError))];
    check(Complete, fates, || {
        let (tx, rx) = bounded(0);
        let sender = spawn(move || {
            let mut send = tx.send(1);
            let _sent = poll_once(&mut send);
            send.cancel()
        });
        let received = block_on(rx.recv());
        (end(sender), received)
    });
}

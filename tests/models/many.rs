//! Many values at once.

use std::collections::VecDeque;
use std::mem;

use hchan::bounded;

use super::support::{poll_once, values};
use super::{
    AtOnce, Bounded, Complete, Parked, Turn, block_on, check, drops, end, parked, spawn, wait,
};

/// One value, or both, are there when the receive is served.
#[test]
fn recv_many_against_two_sends() {
    check(
        Bounded(2),
        [vec![vec![1], vec![2]], vec![vec![1, 2]]],
        || {
            let (tx, rx) = bounded(2);
            let sender = spawn(move || {
                tx.try_send(1).unwrap();
                tx.try_send(2).unwrap();
            });
            let (mut batches, mut batch) = (vec![], vec![]);
            while block_on(rx.recv_many(&mut batch, 2)).is_ok() {
                batches.push(mem::take(&mut batch));
            }
            end(sender);
            batches
        },
    );
}

/// The receive is given up with a value in hand, after or before another came into the ring.
#[test]
fn recv_many_dropped_while_it_is_handed_a_value() {
    check(Complete, [1, 2], || {
        let (tx, rx) = bounded(2);
        let rx2 = rx.clone();
        let many = parked(async move {
            let mut batch = vec![];
            rx2.recv_many(&mut batch, 2).await
        });
        let dropper = drops(many);
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        let inside = rx.len();
        end(dropper);
        assert_eq!(values(&rx), [1, 2]);
        inside
    });
}

/// The receiver takes between two values of one burst.
#[test]
fn send_many_against_a_receiver() {
    fn turns(capacity: usize) -> [Turn; 2] {
        let (tx, rx) = bounded(capacity);
        let sender = spawn(move || {
            let mut items = VecDeque::from([1, 2]);
            block_on(tx.send_many(&mut items)).unwrap();
            assert!(items.is_empty());
            tx
        });
        let [(first, one), (second, two)] = [(); 2].map(|()| wait(rx.recv()));
        assert_eq!([one, two], [Ok(1), Ok(2)]);
        drop(end(sender));
        [first, second]
    }
    let any = [
        [AtOnce, AtOnce],
        [AtOnce, Parked],
        [Parked, AtOnce],
        [Parked, Parked],
    ];
    check(Bounded(2), any, || turns(0));
    // The slot takes the second value in the same moment in which the receive gets the first.
    let not_both = [[AtOnce, AtOnce], [AtOnce, Parked], [Parked, AtOnce]];
    check(Bounded(2), not_both, || turns(1));
}

/// The burst is given up in the middle: each value was sent or is still there, in order.
#[test]
fn send_many_dropped_while_it_is_served() {
    let fates = [(vec![1], vec![2, 3]), (vec![1, 2], vec![3])];
    check(Complete, fates, || {
        let (tx, rx) = bounded(1);
        let sender = spawn(move || {
            let mut items = VecDeque::from([1, 2, 3]);
            let _sent = poll_once(tx.send_many(&mut items));
            Vec::from(items)
        });
        let mut received = vec![block_on(rx.recv()).unwrap()];
        let left = end(sender);
        received.extend(values(&rx));
        (received, left)
    });
}

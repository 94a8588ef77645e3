//! Values from hand to hand.

use hchan::{RecvError, TryRecvError, TrySendError, bounded};

use super::support::values;
use super::{
    AtOnce, Bounded, Complete, Parked, block_on, check, end, parked_recv, parked_send, recvs,
    sends, spawn, wait,
};

/// The send comes between the receive's first look and its parking, or the other way round: one of
/// the two waits for the other.
#[test]
fn rendezvous() {
    check(Complete, [[AtOnce, Parked], [Parked, AtOnce]], || {
        let (tx, rx) = bounded(0);
        let sender = spawn(move || wait(tx.send(1)));
        let (receiver_turn, received) = wait(rx.recv());
        let (sender_turn, sent) = end(sender);
        assert_eq!((sent, received), (Ok(()), Ok(1)));
        [sender_turn, receiver_turn]
    });
}

/// The second value comes before or after the first receive has claimed the first.
#[test]
fn two_values_keep_their_order() {
    for capacity in [0, 1] {
        let turns = [
            [AtOnce, AtOnce],
            [AtOnce, Parked],
            [Parked, AtOnce],
            [Parked, Parked],
        ];
        check(Bounded(2), turns, move || {
            let (tx, rx) = bounded(capacity);
            let sender = spawn(move || {
                block_on(tx.send(1)).unwrap();
                block_on(tx.send(2)).unwrap();
                tx
            });
            let [(first, one), (second, two)] = [(); 2].map(|()| wait(rx.recv()));
            assert_eq!([one, two], [Ok(1), Ok(2)]);
            drop(end(sender));
            [first, second]
        });
    }
}

/// The senders come in either order: one takes the slot or meets the receiver, the other may park.
#[test]
fn two_senders_one_receiver() {
    check(Bounded(2), [[1, 2], [2, 1]], || {
        let (tx, rx) = bounded(1);
        let senders = [sends(&tx, 1), sends(&tx, 2)];
        let first = block_on(rx.recv()).unwrap();
        assert_eq!(senders.map(end), [Ok(()), Ok(())]);
        [first, rx.try_recv().unwrap()]
    });
}

/// Both receivers are in line, or one comes while the other is being served, or after.
#[test]
fn one_sender_two_receivers() {
    check(Bounded(2), [[Ok(1), Ok(2)], [Ok(2), Ok(1)]], || {
        let (tx, rx) = bounded(2);
        let receivers = [recvs(&rx), recvs(&rx)];
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        receivers.map(end)
    });
}

/// The last sender goes between the hand-over and the claim.
#[test]
fn value_then_closed() {
    for capacity in [0, 1] {
        let turns = [
            [AtOnce, AtOnce],
            [AtOnce, Parked],
            [Parked, AtOnce],
            [Parked, Parked],
        ];
        check(Bounded(2), turns, move || {
            let (tx, rx) = bounded(capacity);
            let sender = spawn(move || block_on(tx.send(1)).unwrap());
            let [(first, value), (second, closed)] = [(); 2].map(|()| wait(rx.recv()));
            assert_eq!([value, closed], [Ok(1), Err(RecvError)]);
            end(sender);
            [first, second]
        });
    }
}

/// The ring swaps its head for the parked send's value while another receive looks.
#[test]
fn swap_on_a_full_ring() {
    let first_two = [
        ([Ok(1), Ok(2)], vec![]),
        ([Ok(1), Err(TryRecvError::Empty)], vec![2]),
    ];
    check(Complete, first_two, || {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let sender = sends(&tx, 2);
        let received = [rx.try_recv(), rx.try_recv()];
        end(sender).unwrap();
        (received, values(&rx))
    });
}

/// A try comes before or after the swap: either way the ring is full, of the first value or of the
/// parked send's.
#[test]
fn no_try_send_overtakes_a_parked_send() {
    check(Complete, [0, 1], || {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let _send = parked_send(&tx, 2);
        let receiver = {
            let rx = rx.clone();
            spawn(move || rx.try_recv())
        };
        assert_eq!(tx.try_send(3), Err(TrySendError::Full(3)));
        let waiting = rx.snapshot().sendq;
        assert_eq!(end(receiver), Ok(1));
        assert_eq!(values(&rx), [2]);
        waiting
    });
}

/// A try comes before or after the hand-over, but before the claim.
#[test]
fn no_try_recv_overtakes_a_parked_recv() {
    for capacity in [0, 1] {
        check(Complete, [0, 1], move || {
            let (tx, rx) = bounded(capacity);
            let recv = parked_recv(&rx);
            let sender = sends(&tx, 1);
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
            let waiting = rx.snapshot().recvq;
            end(sender).unwrap();
            assert_eq!(block_on(recv), Ok(1));
            waiting
        });
    }
}

/// The value is accepted before the channel closes, and the try comes at any time.
#[test]
fn try_recv_finds_what_was_sent_before_close() {
    let tries = [
        [Ok(1), Err(TryRecvError::Closed)],
        [Ok(1), Err(TryRecvError::Empty)],
        [Err(TryRecvError::Empty), Ok(1)],
        [Err(TryRecvError::Empty), Err(TryRecvError::Empty)],
    ];
    check(Complete, tries, || {
        let (tx, rx) = bounded(1);
        let sender = spawn(move || {
            tx.try_send(1).unwrap();
            tx.close();
        });
        let received = [rx.try_recv(), rx.try_recv()];
        end(sender);
        received
    });
}

/// Two tries meet at the channel while there is enough for both.
#[test]
fn tries_never_fail_for_each_other() {
    check(Complete, [[Ok(()), Ok(())]], || {
        let (tx, _rx) = bounded(2);
        let tx2 = tx.clone();
        let other = spawn(move || tx2.try_send(1));
        [tx.try_send(2), end(other)]
    });
    check(Complete, [[Ok(1), Ok(2)], [Ok(2), Ok(1)]], || {
        let (tx, rx) = bounded(2);
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        let rx2 = rx.clone();
        let other = spawn(move || rx2.try_recv());
        [rx.try_recv(), end(other)]
    });
    check(Complete, [[Ok(()), Ok(())]], || {
        let (tx, rx) = bounded(0);
        let _recvs = (parked_recv(&rx), parked_recv(&rx));
        let tx2 = tx.clone();
        let other = spawn(move || tx2.try_send(1));
        [tx.try_send(2), end(other)]
    });
}

/// The oldest value gives way to a forced one, or the receiver has it.
#[test]
fn force_send_against_recv() {
    let fates = [(Ok(Some(1)), Ok(2), vec![]), (Ok(None), Ok(1), vec![2])];
    check(Complete, fates, || {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let sender = spawn(move || tx.force_send(2));
        let received = rx.try_recv();
        (end(sender), received, values(&rx))
    });
}

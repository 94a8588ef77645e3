//! Select: several arms stand in line, and one commits.

use std::future::{Future, pending, poll_fn};
use std::task::Poll;
use std::time::Duration;

use hchan::__support::{self, Arm as _};
use hchan::{
    Receiver, RecvError, RecvSet, Select, SendError, Sender, TryRecvError, TrySendError, bounded,
    select,
};

use super::{
    AtOnce, Bounded, Complete, Parked, block_on, check, drops, end, parked, parked_recv,
    parked_send, poll_recv, sends, spawn, support, wait,
};

/// Two channels in the order in which selects park, so that each run parks as the last one did.
pub(super) fn two_channels(capacity: usize) -> [(Sender<i32>, Receiver<i32>); 2] {
    let mut channels = [(); 2].map(|()| bounded(capacity));
    channels.sort_by_key(|(_, rx)| __support::recv(rx).line());
    channels
}

/// The arm that a value came through.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Arm {
    A,
    B,
}

/// A select over both receivers, with handles of its own.
async fn select_recv(a: Receiver<i32>, b: Receiver<i32>) -> (Arm, Result<i32, RecvError>) {
    select! {
        recv(a) -> value => (Arm::A, value),
        recv(b) -> value => (Arm::B, value),
    }
}

/// A select that sends 1 or receives, with handles of its own: what it received, if anything.
async fn select_send_or_recv(a: Sender<i32>, b: Receiver<i32>) -> Option<i32> {
    select! {
        send(a, 1) -> sent => sent.map_or(Some(0), |()| None),
        recv(b) -> value => Some(value.unwrap()),
    }
}

/// Values come to both arms of a select that may be parked, parking, or trying.
#[test]
fn claimed_from_two_sides() {
    let winners = [((Arm::A, Ok(1)), Ok(2)), ((Arm::B, Ok(2)), Ok(1))];
    check(Bounded(2), winners, || {
        let [(tx_a, a), (tx_b, b)] = two_channels(1);
        let senders = [(tx_a, 1), (tx_b, 2)].map(|(tx, value)| {
            spawn(move || {
                tx.try_send(value).unwrap();
                tx
            })
        });
        let won = block_on(select_recv(a.clone(), b.clone()));
        let _txs = senders.map(end);
        let other = match won.0 {
            Arm::A => b.try_recv(),
            Arm::B => a.try_recv(),
        };
        (won, other)
    });
}

/// The same for a set, whose next round finds what the first one has left.
#[test]
fn claimed_by_a_set_from_two_sides() {
    let winners = [[(0, Ok(1)), (1, Ok(2))], [(1, Ok(2)), (0, Ok(1))]];
    check(Bounded(2), winners, || {
        let [(tx_a, a), (tx_b, b)] = two_channels(1);
        let mut set = RecvSet::from_iter([a, b]);
        let senders = [(tx_a, 1), (tx_b, 2)].map(|(tx, value)| {
            spawn(move || {
                tx.try_send(value).unwrap();
                tx
            })
        });
        let received = [block_on(set.next()), block_on(set.next())];
        let _txs = senders.map(end);
        received
    });
}

/// A round of a set is given up while a counterpart accepts one of its arms: the next round has the value.
#[test]
fn round_dropped_while_its_recv_is_accepted() {
    let fates = [
        (Ok(()), Some((0, Ok(1)))),
        (Err(TrySendError::Full(1)), None),
    ];
    check(Complete, fates, || {
        let [(tx_a, a), (_tx_b, b)] = two_channels(0);
        let mut set = RecvSet::from_iter([a, b]);
        let next = parked(set.next());
        let sender = spawn(move || {
            let sent = tx_a.try_send(1);
            (sent, tx_a)
        });
        drop(next);
        let (sent, _tx_a) = end(sender);
        (sent, set.try_next())
    });
}

/// Two tries find both arms parked: one of them is accepted, and the other is as if nobody waited.
#[test]
fn claimed_by_one_of_two_tries() {
    let full = |value| Err(TrySendError::Full(value));
    let winners = [
        (Ok(()), full(2), (Arm::A, Ok(1))),
        (full(1), Ok(()), (Arm::B, Ok(2))),
    ];
    check(Complete, winners, || {
        let [(tx_a, a), (tx_b, b)] = two_channels(0);
        let select = parked(select_recv(a, b));
        let sender = spawn(move || tx_a.try_send(1));
        let second = tx_b.try_send(2);
        (end(sender), second, block_on(select))
    });
}

/// The select leaves its lines while a counterpart accepts an arm: the value comes back, or was never
/// taken.
#[test]
fn dropped_while_its_recv_is_accepted() {
    let fates = [
        (Ok(()), Ok(1)),
        (Err(TrySendError::Full(1)), Err(TryRecvError::Empty)),
    ];
    check(Complete, fates, || {
        let [(tx_a, a), (_tx_b, b)] = two_channels(0);
        let dropper = drops(parked(select_recv(a.clone(), b)));
        let sent = tx_a.try_send(1);
        end(dropper);
        (sent, a.try_recv())
    });
}

/// The same for a send arm: the value was sent, or is dropped.
#[test]
fn dropped_while_its_send_is_accepted() {
    let fates = [Ok(1), Err(TryRecvError::Empty)];
    check(Complete, fates, || {
        let [(tx_a, a), (_tx_b, b)] = two_channels(0);
        let dropper = drops(parked(select_send_or_recv(tx_a.clone(), b)));
        let received = a.try_recv();
        end(dropper);
        assert_eq!(a.try_recv(), Err(TryRecvError::Empty));
        received
    });
}

/// Two counterparts and the drop are at a select with two arms at once: each value is somewhere.
#[test]
fn dropped_while_claimed_from_two_sides() {
    let fates = [
        ([true, false], [Ok(1), Err(TryRecvError::Empty)]),
        ([false, true], [Err(TryRecvError::Empty), Ok(2)]),
        ([false, false], [Err(TryRecvError::Empty); 2]),
    ];
    check(Bounded(3), fates, || {
        let [(tx_a, a), (tx_b, b)] = two_channels(0);
        let dropper = drops(parked(select_recv(a.clone(), b.clone())));
        let tx = tx_a.clone();
        let sender = spawn(move || tx.try_send(1).is_ok());
        let second = tx_b.try_send(2).is_ok();
        end(dropper);
        ([end(sender), second], [a.try_recv(), b.try_recv()])
    });
}

/// Each select sends what the other receives, both ways: they meet on one channel, and on one only.
#[test]
fn two_selects_cross() {
    let meetings = [(None, Some(1)), (Some(1), None)];
    check(Bounded(2), meetings, || {
        let [(tx_a, a), (tx_b, b)] = two_channels(0);
        let other = spawn(move || block_on(select_send_or_recv(tx_b, a)));
        let won = block_on(select_send_or_recv(tx_a, b));
        (won, end(other))
    });
}

/// Two selects with both directions of one channel meet each other, never themselves.
#[test]
fn two_selects_on_both_ends_of_one_channel() {
    let meetings = [(None, Some(1)), (Some(1), None)];
    check(Bounded(3), meetings, || {
        let (tx, rx) = bounded(0);
        let (tx2, rx2) = (tx.clone(), rx.clone());
        let other = spawn(move || block_on(select_send_or_recv(tx2, rx2)));
        let won = block_on(select_send_or_recv(tx, rx));
        (won, end(other))
    });
}

/// The channel of one arm closes while the select is parked, parking, or trying.
#[test]
fn against_close() {
    check(Bounded(2), [AtOnce, Parked], || {
        let [(_tx_a, a), (tx_b, b)] = two_channels(0);
        let closer = spawn(move || tx_b.close());
        let (turn, won) = wait(select_recv(a, b));
        assert!(end(closer));
        assert_eq!(won, (Arm::B, Err(RecvError)));
        turn
    });
}

/// A value on one arm and a close on the other: the value that does not win is still there.
#[test]
fn against_a_value_and_a_close() {
    let winners = [
        ((Arm::A, Ok(1)), Err(TryRecvError::Empty)),
        ((Arm::B, Err(RecvError)), Ok(1)),
    ];
    check(Complete, winners, || {
        let [(tx_a, a), (tx_b, b)] = two_channels(1);
        let select = parked(select_recv(a.clone(), b));
        let closer = drops(tx_b);
        tx_a.try_send(1).unwrap();
        let won = block_on(select);
        end(closer);
        (won, a.try_recv())
    });
}

/// The task comes with another waker while an arm is accepted.
#[test]
fn polled_with_a_new_waker_while_accepted() {
    check(Bounded(2), [AtOnce, Parked], || {
        let [(_tx_a, a), (tx_b, b)] = two_channels(0);
        let select = parked(select_recv(a, b));
        let sender = sends(&tx_b, 2);
        let (turn, won) = wait(select);
        end(sender).unwrap();
        assert_eq!(won, (Arm::B, Ok(2)));
        turn
    });
}

/// A select that sends out of a slot loses: the value is in the slot again, unless it was taken.
#[test]
fn send_from_loses_nothing() {
    let full = Err(TrySendError::Full(2));
    let fates = [
        (Ok(7), full, (Arm::A, None)),
        (Err(TryRecvError::Empty), Ok(()), (Arm::B, Some(7))),
    ];
    check(Complete, fates, || {
        let [(tx_a, a), (tx_b, b)] = two_channels(0);
        let tx = tx_a.clone();
        let select = parked(async move {
            let mut slot = Some(7);
            let arm = select! {
                send_from(tx, &mut slot) -> _ => Arm::A,
                recv(b) -> _ => Arm::B,
            };
            (arm, slot)
        });
        let receiver = spawn(move || a.try_recv());
        let sent = tx_b.try_send(2);
        (end(receiver), sent, block_on(select))
    });
}

/// A future resolves while a receive next to it is accepted: if the future was polled, it wins, and the value
/// is back in its place.
#[test]
fn future_resolves_while_an_arm_is_accepted() {
    let (future, full) = ((Arm::B, Err(RecvError)), Err(TrySendError::Full(1)));
    let winners = [
        (Ok(()), (Arm::A, Ok(1)), Err(TryRecvError::Empty)),
        (Ok(()), future, Ok(1)),
        (full, future, Err(TryRecvError::Empty)),
    ];
    check(Complete, winners, || {
        let [(tx_a, a), (tx_b, b)] = two_channels(0);
        let receiver = a.clone();
        let select = parked(async move {
            select! {
                recv(receiver) -> value => (Arm::A, value),
                future(b.closed()) -> () => (Arm::B, Err(RecvError)),
            }
        });
        tx_b.close();
        let tx = tx_a.clone();
        let sender = spawn(move || tx.try_send(1));
        // So that the send may come first: for loom, a look without a lock is no reason to try that.
        let _len = a.len();
        let won = block_on(select);
        (end(sender), won, a.try_recv())
    });
}

/// A future resolves while a counterpart comes to the send next to it, which is held or has been taken: what
/// was taken was sent.
#[test]
fn future_resolves_while_a_send_is_taken() {
    let empty = Err(TryRecvError::Empty);
    let winners = [(Ok(1), Arm::A), (empty, Arm::B)];
    check(Complete, winners, || {
        let [(tx_a, a), (tx_b, b)] = two_channels(0);
        let tx = tx_a.clone();
        let select = parked(async move {
            select! {
                send(tx, 1) -> sent => { sent.unwrap(); Arm::A }
                future(b.closed()) -> () => Arm::B,
            }
        });
        tx_b.close();
        let other = a.clone();
        let receiver = spawn(move || other.try_recv());
        let won = block_on(select);
        (end(receiver), won)
    });
}

/// A select that waits for a future as well, and is polled again and again.
async fn send_beside_future<T>(tx: Sender<T>, value: T) -> Result<(), SendError<T>> {
    select! {
        send(tx, value) -> sent => sent,
        future(pending::<()>()) -> () => unreachable!(),
    }
}

/// A receiver comes before a send is held, while it is, between its release and the look, or afterwards.
#[test]
fn a_receiver_comes_past_a_send_that_is_held() {
    for capacity in [0, 1] {
        check(Bounded(3), [AtOnce, Parked], move || {
            let (tx, rx) = bounded(capacity);
            if capacity > 0 {
                tx.try_send(0).unwrap();
            }
            let select = parked(send_beside_future(tx, 1));
            let receiver = spawn(move || {
                let taken: Vec<_> = (0..capacity).map(|_| rx.try_recv().unwrap()).collect();
                assert!(taken.iter().all(|value| *value == 0));
                wait(async move { rx.recv().await })
            });
            block_on(select).unwrap();
            let (turn, received) = end(receiver);
            assert_eq!(received, Ok(1));
            turn
        });
    }
}

/// The same, and then a second receiver comes: whoever was first is first.
#[test]
fn nobody_is_passed_by_who_came_past_a_send_that_is_held() {
    let empty = Err(TryRecvError::Empty);
    let turns = [(AtOnce, empty), (Parked, empty)];
    check(Bounded(3), turns, || {
        let (tx, rx) = bounded(0);
        let mut select = parked(send_beside_future(tx.clone(), 1));
        let receivers = spawn(move || {
            let mut first = rx.recv();
            let polled = support::poll_once(&mut first);
            let second = rx.try_recv();
            match polled {
                Poll::Ready(received) => {
                    received.unwrap();
                    (AtOnce, second)
                }
                Poll::Pending => (Parked, second),
            }
        });
        let _sent = support::poll_once(select.as_mut());
        end(receivers)
    });
}

/// A select that sends and one that receives, each beside a future that wakes it: they meet.
#[test]
fn two_selects_with_futures_face_each_other() {
    check(Bounded(3), [AtOnce, Parked], || {
        let (tx, rx) = bounded(0);
        let sender = parked(send_beside_future(tx.clone(), 1));
        let other = spawn(move || {
            wait(async move {
                select! {
                    recv(rx) -> value => value,
                    future(pending::<()>()) -> () => unreachable!(),
                }
            })
        });
        block_on(sender).unwrap();
        let (turn, received) = end(other);
        assert_eq!(received, Ok(1));
        turn
    });
}

/// The channel of a send is closed before it is held, while it is, or afterwards.
#[test]
fn a_send_that_is_held_is_closed() {
    check(Complete, [AtOnce, Parked], || {
        let (tx, rx) = bounded(0);
        let select = parked(send_beside_future(tx, 1));
        let closer = drops(rx);
        let (turn, sent) = wait(select);
        end(closer);
        assert_eq!(sent, Err(SendError(1)));
        turn
    });
}

/// What can be received is the send of a select, or, while that is held, a value on another channel: at no
/// instant there is nothing.
#[test]
fn default_is_true_beside_a_send_that_is_held() {
    check(Bounded(3), [Some(Arm::A), Some(Arm::B)], || {
        let ((tx_a, a), (tx_b, b)) = (bounded(0), bounded(1));
        tx_b.try_send(2).unwrap();
        let mut select = parked(send_beside_future(tx_a.clone(), 1));
        let other = b.clone();
        let taker = spawn(move || {
            if support::poll_once(select.as_mut()).is_pending() {
                other.try_recv().unwrap_or_default();
            }
            select
        });
        let found = Select::new()
            .biased()
            .recv(&a, |_| Arm::A)
            .recv(&b, |_| Arm::B)
            .try_select();
        drop(end(taker));
        found
    });
}

/// The same with a try, which does not wait.
#[test]
fn try_recv_comes_while_a_send_is_held_back() {
    check(Complete, [Ok(1), Err(TryRecvError::Empty)], || {
        let (tx, rx) = bounded(0);
        let mut select = parked(send_beside_future(tx.clone(), 1));
        let other = rx.clone();
        let receiver = spawn(move || other.try_recv());
        let polled = support::poll_once(&mut select);
        let received = end(receiver);
        match received {
            // It was seen in this poll, or is in the next one.
            Ok(_) => assert!(polled.is_ready() || block_on(select).is_ok()),
            Err(_) => {
                assert!(polled.is_pending());
                assert_eq!(rx.try_recv(), Ok(1), "it is there again");
                block_on(select).unwrap();
            }
        }
        received
    });
}

/// A receiver comes and goes while the select holds its send back, and then a sender comes: the select still
/// stands before it, unless its value was taken.
#[test]
fn receiver_comes_and_goes_while_a_send_is_held_back() {
    let received = [[Some(1), Some(2), None], [None, Some(1), Some(2)]];
    check(Bounded(3), received, || {
        let (tx, rx) = bounded(0);
        let mut select = parked(send_beside_future(tx.clone(), 1));
        let other = rx.clone();
        let comes_and_goes = spawn(move || {
            let first = match support::poll_once(&mut other.recv()) {
                Poll::Ready(received) => received.ok(),
                Poll::Pending => None,
            };
            (first, parked_send(&tx, 2))
        });
        let _polled = support::poll_once(&mut select);
        let (first, _send) = end(comes_and_goes);
        [first, rx.try_recv().ok(), rx.try_recv().ok()]
    });
}

/// A value comes to an arm and another one by the future beside it: the select has one, and the other is still
/// there.
#[test]
fn value_comes_to_an_arm_and_to_the_future_beside_it() {
    let won = [(Arm::A, Ok(1)), (Arm::B, Ok(2))];
    check(Bounded(2), won, || {
        let [(tx_a, a), (tx_b, b)] = two_channels(1);
        let (rx_a, rx_b) = (a.clone(), b.clone());
        let select = parked(async move {
            select! {
                recv(rx_a) -> value => (Arm::A, value),
                future(rx_b.recv()) -> value => (Arm::B, value),
            }
        });
        let senders = [(tx_a, 1), (tx_b, 2)].map(|(tx, value)| {
            spawn(move || {
                tx.try_send(value).unwrap();
                tx
            })
        });
        let won = block_on(select);
        let _txs = senders.map(end);
        let others = [a.try_recv().ok(), b.try_recv().ok()];
        assert_eq!(
            others,
            [Some(1), Some(2)].map(|other| other.filter(|&n| won.1 != Ok(n)))
        );
        won
    });
}

/// The future is lent, and ready by another thread while a value comes to the arm: its output is reported once,
/// and the value is received once, whichever comes first.
#[test]
fn lent_future_is_reported_once() {
    let orders = [[Arm::A, Arm::B], [Arm::B, Arm::A]];
    check(Bounded(2), orders, || {
        let [(tx_a, a), (tx_b, b)] = two_channels(0);
        let closer = spawn(move || tx_b.close());
        let sender = sends(&tx_a, 1);
        let order = block_on(async {
            // Polled after it was ready, it panics.
            let mut closed = b.closed();
            let first = select! {
                recv(a) -> value => (Arm::A, value),
                future(&mut closed) -> () => (Arm::B, Ok(1)),
            };
            let second = match first.0 {
                Arm::A => select! { future(&mut closed) -> () => (Arm::B, Ok(1)) },
                Arm::B => select! { recv(a) -> value => (Arm::A, value) },
            };
            assert_eq!((first.1, second.1), (Ok(1), Ok(1)));
            [first.0, second.0]
        });
        end(sender).unwrap();
        assert!(end(closer));
        order
    });
}

/// A future that wakes its task so many times before it sleeps for good.
fn wakes_again(times: usize) -> impl Future<Output = ()> + Send {
    let mut left = times;
    poll_fn(move |cx| {
        if left > 0 {
            left -= 1;
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
}

/// Each select sends what the other receives, both ways, and both have a future that wakes them: they meet, on
/// one channel, and on one only.
#[test]
fn two_selects_with_futures_cross() {
    async fn select_both(a: Sender<i32>, b: Receiver<i32>) -> Option<i32> {
        select! {
            send(a, 1) -> sent => sent.map_or(Some(0), |()| None),
            recv(b) -> value => Some(value.unwrap()),
            future(wakes_again(2)) -> () => unreachable!(),
        }
    }
    let meetings = [(None, Some(1)), (Some(1), None)];
    check(Bounded(2), meetings, || {
        let [(tx_a, a), (tx_b, b)] = two_channels(0);
        let other = spawn(move || block_on(select_both(tx_b, a)));
        let won = block_on(select_both(tx_a, b));
        (won, end(other))
    });
}

/// The select polls its future once more and is dropped, while a counterpart comes to its send: the value was
/// received or is dropped, and nothing is left in the line.
#[test]
fn dropped_after_its_send_was_held_back() {
    check(Complete, [Ok(1), Err(TryRecvError::Empty)], || {
        let (tx, rx) = bounded(0);
        let mut select = parked(send_beside_future(tx.clone(), 1));
        let dropper = spawn(move || {
            let polled = support::poll_once(&mut select);
            polled.is_ready()
        });
        let received = rx.try_recv();
        // A poll that says so was not for nothing.
        assert!(!end(dropper) || received.is_ok());
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        let mut next = parked_recv(&rx);
        assert_eq!(tx.try_send(2), Ok(()));
        assert_eq!(block_on(&mut next), Ok(2));
        received
    });
}

/// A receiver comes while the select polls its future once more and is dropped: it has received from the
/// select, or else receives what is sent next.
#[test]
fn dropped_after_a_receiver_has_come() {
    check(Bounded(3), [(AtOnce, 1), (Parked, 1), (Parked, 2)], || {
        let (tx, rx) = bounded(0);
        let mut select = parked(send_beside_future(tx.clone(), 1));
        let dropper = spawn(move || {
            let _polled = support::poll_once(&mut select);
        });
        let mut recv = Box::pin(async move { rx.recv().await });
        let polled = support::poll_once(&mut recv);
        end(dropper);
        match polled {
            Poll::Ready(received) => (AtOnce, received.unwrap()),
            Poll::Pending => {
                let _full = tx.try_send(2);
                (Parked, block_on(recv).unwrap())
            }
        }
    });
}

/// The same for a receive: the value that comes is received by the select, or is still there.
#[test]
fn dropped_after_its_future_was_polled_beside_a_receive() {
    let fates = [
        (Ok(()), None, Ok(1)),
        (Ok(()), Some(1), Err(TryRecvError::Empty)),
        (Err(TrySendError::Full(1)), None, Err(TryRecvError::Empty)),
    ];
    check(Complete, fates, || {
        let (tx, rx) = bounded(0);
        let receiver = rx.clone();
        let mut select = parked(async move {
            select! {
                recv(receiver) -> value => value.unwrap(),
                future(wakes_again(2)) -> () => unreachable!(),
            }
        });
        let dropper = spawn(move || match support::poll_once(&mut select) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        });
        let sent = tx.try_send(1);
        (sent, end(dropper), rx.try_recv())
    });
}

/// A token moves from one channel to the other, put in before it is taken out: there is no instant
/// at which both are empty, so a select over both never takes its default.
#[test]
fn default_is_true() {
    fn token_moves(look: fn(&Receiver<i32>, &Receiver<i32>) -> Option<Arm>) -> Option<Arm> {
        let [(tx_a, a), (tx_b, b)] = two_channels(1);
        tx_a.try_send(1).unwrap();
        let other = a.clone();
        let mover = spawn(move || {
            tx_b.try_send(1).unwrap();
            other.try_recv().is_ok()
        });
        // In the order in which one look at each would miss the token.
        let found = look(&b, &a);
        end(mover);
        found
    }
    check(Complete, [Some(Arm::A), Some(Arm::B)], || {
        token_moves(|b, a| {
            block_on(async {
                select! {
                    recv(b) -> _ => Some(Arm::B),
                    recv(a) -> _ => Some(Arm::A),
                    default => None,
                }
            })
        })
    });
    check(Complete, [Some(Arm::A), Some(Arm::B)], || {
        token_moves(|b, a| {
            let select = Select::new().recv(b, |_| Arm::B).recv(a, |_| Arm::A);
            select.try_select()
        })
    });
}

/// A default is decided while a value comes, and takes what is there.
#[test]
fn default_against_a_value() {
    let tries = [(Some(1), false), (None, true)];
    check(Complete, tries, || {
        let (tx, rx) = bounded(1);
        let sender = sends(&tx, 1);
        let won = Select::new().recv(&rx, |value| value.unwrap()).try_select();
        end(sender).unwrap();
        (won, rx.try_recv().is_ok())
    });
}

/// An arm gives up the place that its handle has in line, while that is served.
#[test]
fn gives_the_place_of_poll_recv_up() {
    check(Bounded(2), [AtOnce, Parked], || {
        let [(tx_a, mut a), (_tx_b, b)] = two_channels(0);
        assert!(poll_recv(&mut a).is_pending());
        let sender = sends(&tx_a, 1);
        let (turn, won) = wait(select_recv(a, b));
        end(sender).unwrap();
        assert_eq!(won, (Arm::A, Ok(1)));
        turn
    });
}

/// A value is taken from a select whose time is up: either both say so, or neither.
#[test]
fn served_as_its_time_is_up() {
    check(Complete, [(true, Some(true)), (false, None)], || {
        let (tx, rx) = bounded(0);
        let selecting = spawn(move || {
            let select = Select::new().send(&tx, 1, |sent| sent.is_ok());
            select.wait_timeout(Duration::ZERO)
        });
        let received = rx.try_recv().is_ok();
        (received, end(selecting))
    });
}

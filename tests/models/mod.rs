//! What two or three threads may do to each other: small models for the model checkers.
//!
//! Each opens one window, which its comment names, and ends with an outcome. A checker runs it in
//! many orders; each of the expected outcomes has to come about, and no other. A wake that gets lost
//! is a deadlock, which the checkers report.

#[path = "../support/mod.rs"]
mod support;

use std::any::type_name;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use futures::Sink;
use hchan::__support::{self, Arm as _};
use hchan::{
    Receiver, RecvError, Select, SendError, Sender, TryRecvError, TrySendError, bounded, select,
};

use self::checker::{JoinHandle, Watch, block_on, explore, spawn};
use self::support::{Drops, poll_once, poll_with, values};

/// How much of a model loom looks at. Shuttle takes a sample of everything.
#[derive(Clone, Copy, Debug)]
enum Bound {
    /// Every order of the steps.
    None,
    /// The orders in which a thread that could go on is interrupted so many times at most.
    Preemptions(usize),
}

#[cfg(hchan_loom)]
mod checker {
    pub(super) use loom::future::block_on;
    pub(super) use loom::thread::{JoinHandle, spawn};

    use super::Bound;

    pub(super) fn explore(bound: Bound, model: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = match bound {
            Bound::None => None,
            Bound::Preemptions(least) => builder.preemption_bound.max(Some(least)),
        };
        builder.check(model);
    }

    /// Fails the model on two accesses of which neither happens before the other.
    #[derive(Debug)]
    pub(super) struct Watch(loom::cell::UnsafeCell<()>);

    #[expect(unsafe_code, reason = "a race is what the cell is for")]
    // SAFETY: it holds nothing; only loom takes note of who is there.
    unsafe impl Sync for Watch {}

    impl Watch {
        pub(super) fn new() -> Self {
            Self(loom::cell::UnsafeCell::new(()))
        }

        pub(super) fn read(&self) {
            self.0.with(|_| ());
        }

        pub(super) fn write(&self) {
            self.0.with_mut(|_| ());
        }
    }
}

#[cfg(hchan_shuttle)]
mod checker {
    use std::env;

    pub(super) use shuttle::future::block_on;
    pub(super) use shuttle::thread::{JoinHandle, spawn};

    use super::Bound;

    pub(super) fn explore(_: Bound, model: impl Fn() + Send + Sync + 'static) {
        let schedules = env::var("HCHAN_SCHEDULES").map_or(20_000, |schedules| {
            schedules.parse().expect("`HCHAN_SCHEDULES` is a number")
        });
        let model = std::sync::Arc::new(model);
        let again = model.clone();
        shuttle::check_random(move || model(), schedules);
        shuttle::check_pct(move || again(), schedules / 10, 3);
    }

    /// Shuttle knows of no memory that is seen late.
    #[derive(Debug)]
    pub(super) struct Watch;

    impl Watch {
        pub(super) fn new() -> Self {
            Self
        }

        pub(super) fn read(&self) {}

        pub(super) fn write(&self) {}
    }
}

/// Explores a model: each of the expected outcomes has to come about, and no other.
#[track_caller]
fn check<O, M, const N: usize>(bound: Bound, expected: [O; N], model: M)
where
    O: PartialEq + Debug + Send + Sync + 'static,
    M: Fn() -> O + Send + Sync + 'static,
{
    let start = Instant::now();
    let expected = Arc::new(expected);
    let seen = Arc::new(Mutex::new([0; N]));
    explore(bound, {
        let (expected, seen) = (expected.clone(), seen.clone());
        move || {
            let outcome = model();
            let Some(which) = expected.iter().position(|other| *other == outcome) else {
                panic!("unexpected: {outcome:?}");
            };
            seen.lock().unwrap()[which] += 1;
        }
    });
    let seen = *seen.lock().unwrap();
    eprintln!(
        "{} ({bound:?}): {} runs, {:.2?}, {seen:?}",
        type_name::<M>(),
        seen.iter().sum::<usize>(),
        start.elapsed(),
    );
    for (outcome, seen) in expected.iter().zip(seen) {
        assert!(seen > 0, "never seen: {outcome:?}");
    }
}

/// A number that nobody guards: all that orders its reads and writes is the channel.
#[derive(Debug)]
struct Plain {
    watch: Watch,
    value: AtomicUsize,
}

impl Plain {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            watch: Watch::new(),
            value: AtomicUsize::new(0),
        })
    }

    fn read(&self) -> usize {
        self.watch.read();
        self.value.load(Ordering::Relaxed)
    }

    fn write(&self, value: usize) {
        self.watch.write();
        self.value.store(value, Ordering::Relaxed);
    }
}

/// An operation that was polled once, by a task that sleeps, and had to park.
fn parked<F: Future>(operation: F) -> Pin<Box<F>> {
    support::parked_with(Box::pin(operation), Waker::noop().clone())
}

/// A receive with a handle of its own, parked.
fn parked_recv<T: Send + 'static>(
    rx: &Receiver<T>,
) -> Pin<Box<impl Future<Output = Result<T, RecvError>> + Send + use<T>>> {
    let rx = rx.clone();
    parked(async move { rx.recv().await })
}

/// A send with a handle of its own, parked.
fn parked_send<T: Send + 'static>(
    tx: &Sender<T>,
    value: T,
) -> Pin<Box<impl Future<Output = Result<(), SendError<T>>> + Send + use<T>>> {
    let tx = tx.clone();
    parked(async move { tx.send(value).await })
}

/// A thread that sends.
fn sends<T: Send + 'static>(tx: &Sender<T>, value: T) -> JoinHandle<Result<(), SendError<T>>> {
    let tx = tx.clone();
    spawn(move || block_on(tx.send(value)))
}

/// A thread that receives.
fn recvs<T: Send + 'static>(rx: &Receiver<T>) -> JoinHandle<Result<T, RecvError>> {
    let rx = rx.clone();
    spawn(move || block_on(rx.recv()))
}

/// A thread that drops this.
fn drops(what: impl Send + 'static) -> JoinHandle<()> {
    spawn(move || drop(what))
}

/// What a thread has come to.
fn end<O>(thread: JoinHandle<O>) -> O {
    thread.join().unwrap()
}

// Values from hand to hand.

/// The send comes between the receive's first look and its parking, or the other way round.
#[test]
fn rendezvous() {
    check(Bound::None, [(Ok(()), Ok(1))], || {
        let (tx, rx) = bounded(0);
        let sender = sends(&tx, 1);
        let received = block_on(rx.recv());
        (end(sender), received)
    });
}

/// The second value comes before the first receive has claimed the first.
#[test]
fn two_values_keep_their_order() {
    for capacity in [0, 1] {
        check(Bound::None, [[Ok(1), Ok(2)]], move || {
            let (tx, rx) = bounded(capacity);
            let sender = spawn(move || {
                block_on(tx.send(1)).unwrap();
                block_on(tx.send(2)).unwrap();
            });
            let received = [block_on(rx.recv()), block_on(rx.recv())];
            end(sender);
            received
        });
    }
}

/// Both senders find the receiver in line, or both park before it comes.
#[test]
fn two_senders_one_receiver() {
    for capacity in [0, 1] {
        let orders = [[Ok(1), Ok(2)], [Ok(2), Ok(1)]];
        check(Bound::None, orders, move || {
            let (tx, rx) = bounded(capacity);
            let senders = [sends(&tx, 1), sends(&tx, 2)];
            let received = [block_on(rx.recv()), block_on(rx.recv())];
            assert_eq!(senders.map(end), [Ok(()), Ok(())]);
            received
        });
    }
}

/// Both receivers are in line, or one comes while the other is being served.
#[test]
fn one_sender_two_receivers() {
    let orders = [[Ok(1), Ok(2)], [Ok(2), Ok(1)]];
    check(Bound::None, orders, || {
        let (tx, rx) = bounded(0);
        let receivers = [recvs(&rx), recvs(&rx)];
        assert_eq!(block_on(tx.send(1)), Ok(()));
        assert_eq!(block_on(tx.send(2)), Ok(()));
        receivers.map(end)
    });
}

/// The last sender goes between the hand-over and the claim.
#[test]
fn value_then_closed() {
    for capacity in [0, 1] {
        check(Bound::None, [[Ok(1), Err(RecvError)]], move || {
            let (tx, rx) = bounded(capacity);
            let sender = spawn(move || block_on(tx.send(1)).unwrap());
            let received = [block_on(rx.recv()), block_on(rx.recv())];
            end(sender);
            received
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
    check(Bound::None, first_two, || {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let sender = sends(&tx, 2);
        let received = [rx.try_recv(), rx.try_recv()];
        end(sender).unwrap();
        (received, values(&rx))
    });
}

/// A try comes between the swap and the moment when the parked send learns of it.
#[test]
fn no_try_send_overtakes_a_parked_send() {
    check(Bound::None, [(Err(TrySendError::Full(3)), vec![2])], || {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let _send = parked_send(&tx, 2);
        let receiver = recvs(&rx);
        let sent = tx.try_send(3);
        assert_eq!(end(receiver), Ok(1));
        (sent, values(&rx))
    });
}

/// A try comes between the hand-over and the claim.
#[test]
fn no_try_recv_overtakes_a_parked_recv() {
    for capacity in [0, 1] {
        let outcome = (Err(TryRecvError::Empty), Ok(1));
        check(Bound::None, [outcome], move || {
            let (tx, rx) = bounded(capacity);
            let recv = parked_recv(&rx);
            let sender = sends(&tx, 1);
            let stolen = rx.try_recv();
            end(sender).unwrap();
            (stolen, block_on(recv))
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
    check(Bound::None, tries, || {
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
    check(Bound::None, [[Ok(()), Ok(())]], || {
        let (tx, _rx) = bounded(2);
        let tx2 = tx.clone();
        let other = spawn(move || tx2.try_send(1));
        [tx.try_send(2), end(other)]
    });
    check(Bound::None, [[Ok(1), Ok(2)], [Ok(2), Ok(1)]], || {
        let (tx, rx) = bounded(2);
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        let rx2 = rx.clone();
        let other = spawn(move || rx2.try_recv());
        [rx.try_recv(), end(other)]
    });
    check(Bound::None, [[Ok(()), Ok(())]], || {
        let (tx, rx) = bounded(0);
        let _recvs = (parked_recv(&rx), parked_recv(&rx));
        let tx2 = tx.clone();
        let other = spawn(move || tx2.try_send(1));
        [tx.try_send(2), end(other)]
    });
}

// Cancelling: what was handed and not looked at goes to the next, or back.

/// The drop comes before, while and after the receive is handed the value.
#[test]
fn recv_dropped_while_it_is_handed_a_value() {
    let fates = [
        (Ok(()), Ok(1)),
        (Err(TrySendError::Full(1)), Err(TryRecvError::Empty)),
    ];
    check(Bound::None, fates, || {
        let (tx, rx) = bounded(0);
        let dropper = drops(parked_recv(&rx));
        let sent = tx.try_send(1);
        end(dropper);
        (sent, rx.try_recv())
    });
}

/// The same while another receive comes, which must get the value whoever is first.
#[test]
fn value_survives_the_recv_it_was_handed_to() {
    check(Bound::None, [(Ok(()), Ok(1))], || {
        let (tx, rx) = bounded(0);
        let dropper = drops(parked_recv(&rx));
        let sender = sends(&tx, 1);
        let received = block_on(rx.recv());
        end(dropper);
        (end(sender), received)
    });
}

/// The value is put back just before or after the other receive parks.
#[test]
fn put_back_meets_a_receiver_that_comes() {
    for capacity in [0, 1] {
        check(Bound::None, [Ok(1)], move || {
            let (tx, rx) = bounded(capacity);
            let recv = parked_recv(&rx);
            tx.try_send(1).unwrap();
            let dropper = drops(recv);
            let received = block_on(rx.recv());
            end(dropper);
            received
        });
    }
}

/// The send finds the first in line, who leaves; the second is in line already and must be woken.
#[test]
fn put_back_wakes_a_parked_neighbour() {
    check(Bound::None, [(Poll::Ready(Ok(1)), 1)], || {
        let (tx, rx) = bounded(0);
        let first = parked_recv(&rx);
        let mut second = support::parked(Box::pin(async move { rx.recv().await }));
        let dropper = drops(first);
        tx.try_send(1).unwrap();
        end(dropper);
        (second.poll(), second.wakes())
    });
}

/// Two receives in line are given up one behind the other, while the value runs along the line.
#[test]
fn put_back_runs_down_the_line() {
    check(Bound::None, [Ok(1)], || {
        let (tx, rx) = bounded(0);
        let [first, second, third] = [(); 3].map(|()| parked_recv(&rx));
        tx.try_send(1).unwrap();
        let droppers = [drops(first), drops(second)];
        let received = block_on(third);
        droppers.into_iter().for_each(end);
        received
    });
}

/// Two handed receives are dropped in either order.
#[test]
fn two_put_backs_stand_in_order() {
    check(Bound::None, [vec![1, 2]], || {
        let (tx, rx) = bounded(0);
        let [first, second] = [(); 2].map(|()| parked_recv(&rx));
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        let dropper = drops(first);
        drop(second);
        end(dropper);
        values(&rx)
    });
}

/// A younger value comes into the ring before the older one comes back, or finds no room.
#[test]
fn put_back_goes_before_what_came_since() {
    let contents = [(Ok(()), vec![1, 2]), (Err(TrySendError::Full(2)), vec![1])];
    check(Bound::None, contents, || {
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
    check(Bound::None, [vec![1], vec![1, 2]], || {
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
    check(Bound::None, [vec![1, 2, 3], vec![1, 3]], || {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let dropper = drops(parked_send(&tx, 2));
        let sender = sends(&tx, 3);
        let mut received = vec![block_on(rx.recv()).unwrap()];
        end(dropper);
        received.extend(values(&rx));
        end(sender).unwrap();
        received.extend(values(&rx));
        received.sort_unstable();
        received
    });
}

/// The receiver takes the value just before or after it is wanted back.
#[test]
fn cancelled_send_is_sent_or_returned() {
    let fates = [(None, Ok(1)), (Some(1), Err(RecvError))];
    check(Bound::None, fates, || {
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

/// A stream's handle goes while it has a value that it was handed.
#[test]
fn stream_dropped_with_a_value_in_hand() {
    check(Bound::None, [Ok(1)], || {
        let (tx, rx) = bounded(0);
        let mut stream = rx.clone();
        assert!(poll_recv(&mut stream).is_pending());
        tx.try_send(1).unwrap();
        let dropper = drops(stream);
        let received = block_on(rx.recv());
        end(dropper);
        received
    });
}

/// The handle stands in line by its poll; the plain receive takes that place over while it is served.
#[test]
fn recv_takes_over_the_place_of_poll_recv() {
    for capacity in [0, 1] {
        check(Bound::None, [(Ok(()), Ok(1))], move || {
            let (tx, mut rx) = bounded(capacity);
            assert!(poll_recv(&mut rx).is_pending());
            let sender = sends(&tx, 1);
            let received = block_on(rx.recv());
            (end(sender), received)
        });
    }
}

/// A try on a handle that stands in line finds what it is handed, or leaves it for the next poll.
#[test]
fn try_recv_claims_for_poll_recv() {
    let tries = [
        (Ok(1), Poll::Pending),
        (Err(TryRecvError::Empty), Poll::Ready(Ok(1))),
    ];
    check(Bound::None, tries, || {
        let (tx, mut rx) = bounded(0);
        assert!(poll_recv(&mut rx).is_pending());
        let sender = sends(&tx, 1);
        let tried = rx.try_recv();
        end(sender).unwrap();
        (tried, poll_recv(&mut rx))
    });
}

fn poll_recv<T>(rx: &mut Receiver<T>) -> Poll<Result<T, RecvError>> {
    rx.poll_recv(&mut Context::from_waker(Waker::noop()))
}

/// The sink's handle goes, and its staged item with it, unless a receiver was faster.
#[test]
fn staged_item_is_taken_or_dropped() {
    let fates = [(Ok(1), false), (Err(TryRecvError::Closed), true)];
    check(Bound::None, fates, || {
        let (mut tx, rx) = bounded(0);
        let counter = Drops::default();
        Pin::new(&mut tx).start_send(counter.value(1)).unwrap();
        let dropper = drops(tx);
        let received = rx.try_recv();
        end(dropper);
        let dropped = counter.count() == 1;
        (received.map(|value| value.id), dropped)
    });
}

/// The staged item is taken while its task comes back to flush, with a waker at last.
#[test]
fn staged_item_is_flushed_while_it_is_taken() {
    check(Bound::None, [(Ok(()), Ok(1))], || {
        let (mut tx, rx) = bounded(0);
        Pin::new(&mut tx).start_send(1).unwrap();
        let receiver = recvs(&rx);
        let flushed = block_on(std::future::poll_fn(|cx| Pin::new(&mut tx).poll_flush(cx)));
        (flushed, end(receiver))
    });
}

// Wakers.

/// A task comes with its second waker while the operation that keeps the first is completed.
#[test]
fn waker_replaced_while_the_recv_is_served() {
    for capacity in [0, 1] {
        check(Bound::None, [Ok(1)], move || {
            let (tx, rx) = bounded(capacity);
            let recv = parked_recv(&rx);
            let sender = sends(&tx, 1);
            let received = block_on(recv);
            end(sender).unwrap();
            received
        });
    }
}

/// The same for a send.
#[test]
fn waker_replaced_while_the_send_is_served() {
    check(Bound::None, [(Ok(1), Ok(()))], || {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let send = parked_send(&tx, 2);
        let receiver = recvs(&rx);
        let sent = block_on(send);
        (end(receiver), sent)
    });
}

/// The poll that brings a new waker has the value, or the new waker gets the one wake.
#[test]
fn either_the_poll_is_ready_or_its_waker_is_woken() {
    let wakes = [(Poll::Ready(Ok(1)), [1, 0]), (Poll::Pending, [0, 1])];
    check(Bound::None, wakes, || {
        let (tx, rx) = bounded(0);
        let mut recv = support::parked(rx.recv());
        let old = recv.change_waker();
        let sender = spawn(move || tx.try_send(1));
        let polled = recv.poll();
        end(sender).unwrap();
        (polled, [old.count(), recv.wakes()])
    });
}

/// The wake comes between the thread's look and its going to sleep.
#[test]
fn blocking_threads_meet() {
    check(Bound::None, [(Ok(()), Ok(1))], || {
        let (tx, rx) = bounded(0);
        let sender = spawn(move || tx.send_blocking(1));
        let received = rx.recv_blocking();
        (end(sender), received)
    });
}

/// A thread sleeps on a full ring, and then on an empty one.
#[test]
fn blocking_threads_take_turns() {
    check(Bound::None, [[Ok(1), Ok(2), Err(RecvError)]], || {
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

// Closing.

/// The close finds the send before, in and after its line.
#[test]
fn close_against_send() {
    let fates = [(Ok(()), vec![1]), (Err(SendError(1)), vec![])];
    check(Bound::None, fates, || {
        let (tx, rx) = bounded(1);
        let sender = sends(&tx, 1);
        assert!(rx.close());
        (end(sender), values(&rx))
    });
    check(Bound::None, [Err(SendError(1))], || {
        let (tx, rx) = bounded(0);
        let sender = sends(&tx, 1);
        assert!(rx.close());
        end(sender)
    });
}

/// The close finds the receive before, in and after its line.
#[test]
fn close_against_recv() {
    for capacity in [0, 1] {
        check(Bound::None, [Err(RecvError)], move || {
            let (tx, rx) = bounded::<()>(capacity);
            let receiver = recvs(&rx);
            assert!(tx.close());
            end(receiver)
        });
    }
}

/// A parked send is ended by the close, or served first; what is in the ring stays.
#[test]
fn close_against_a_parked_send_and_its_receiver() {
    let fates = [(Ok(()), vec![1, 2]), (Err(SendError(2)), vec![1])];
    check(Bound::None, fates, || {
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
    check(Bound::None, [(true, false), (false, true)], || {
        let (tx, rx) = bounded::<()>(1);
        let other = spawn(move || rx.close());
        (tx.close(), end(other))
    });
}

/// A parked receive is handed the last value, and the last sender goes.
#[test]
fn last_value_before_the_last_sender_goes() {
    check(Bound::None, [[Ok(1), Err(RecvError)]], || {
        let (tx, rx) = bounded(0);
        let recv = parked_recv(&rx);
        let sender = spawn(move || tx.try_send(1).unwrap());
        let received = [block_on(recv), block_on(rx.recv())];
        end(sender);
        received
    });
}

/// On a closed channel the only value is with a receive that may yet be dropped: nobody is told
/// "closed" before it comes back.
#[test]
fn closed_waits_for_a_value_that_comes_back() {
    let tries = [(Err(TryRecvError::Empty), Ok(1)), (Ok(1), Err(RecvError))];
    check(Bound::None, tries, || {
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
    check(Bound::None, tries, || {
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

/// The close comes before, while and after the value comes back to a second receiver.
#[test]
fn close_against_a_put_back() {
    check(Bound::None, [Ok(1)], || {
        let (tx, rx) = bounded(0);
        let recv = parked_recv(&rx);
        tx.try_send(1).unwrap();
        let dropper = drops(recv);
        let closer = spawn(move || tx.close());
        let received = block_on(rx.recv());
        end(dropper);
        assert!(end(closer));
        received
    });
}

/// The last receiver goes while a value arrives: it is returned, or dropped with the channel, once.
#[test]
fn send_against_the_last_receivers_drop() {
    check(Bound::None, [(true, 1), (false, 0)], || {
        let (tx, rx) = bounded(1);
        let counter = Drops::default();
        let dropper = drops(rx);
        let sent = tx.try_send(counter.value(1));
        end(dropper);
        (sent.is_ok(), counter.count())
    });
    check(Bound::None, [(false, 0)], || {
        let (tx, rx) = bounded(0);
        let counter = Drops::default();
        let dropper = drops(rx);
        let sent = block_on(tx.send(counter.value(1)));
        end(dropper);
        (sent.is_ok(), counter.count())
    });
}

/// The last receiver goes while its parked receive is handed a value.
#[test]
fn send_against_the_last_parked_receivers_drop() {
    let fates = [("sent", 1), ("full", 0), ("closed", 0)];
    check(Bound::None, fates, || {
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
    check(Bound::None, [2], || {
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
    check(Bound::None, [(1, true)], || {
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
    check(Bound::None, [(true, false), (false, true)], || {
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
    check(Bound::None, fates, || {
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
    check(Bound::None, [true], || {
        let (tx, rx) = bounded::<()>(0);
        let closer = spawn(move || rx.close());
        block_on(tx.closed());
        end(closer)
    });
    check(Bound::None, [true], || {
        let (tx, rx) = bounded::<()>(0);
        let dropper = drops(tx);
        block_on(rx.closed());
        end(dropper);
        rx.is_closed()
    });
}

/// A wait for the end is given up while the end comes, and a neighbour still learns of it.
#[test]
fn closed_future_dropped_at_the_end() {
    check(Bound::None, [true], || {
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

/// Handles are cloned and dropped on both threads: only the last drop closes.
#[test]
fn clones_and_drops_of_senders() {
    check(Bound::None, [((false, 1), (true, 0))], || {
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
    check(Bound::None, [Err(RecvError)], || {
        let (tx, rx) = bounded::<()>(1);
        let droppers = [drops(tx.clone()), drops(tx)];
        let received = block_on(rx.recv());
        droppers.into_iter().for_each(end);
        received
    });
}

// Many values, and force.

/// One value, or both, are there when the receive is served.
#[test]
fn recv_many_against_two_senders() {
    let batches = [
        vec![vec![1], vec![2]],
        vec![vec![2], vec![1]],
        vec![vec![1, 2]],
        vec![vec![2, 1]],
    ];
    check(Bound::None, batches, || {
        let (tx, rx) = bounded(2);
        let senders = [sends(&tx, 1), sends(&tx, 2)];
        drop(tx);
        let mut batches = vec![];
        let mut batch = vec![];
        while block_on(rx.recv_many(&mut batch, 2)).is_ok() {
            batches.push(std::mem::take(&mut batch));
        }
        assert_eq!(senders.map(end), [Ok(()), Ok(())]);
        batches
    });
}

/// The receive is given up with a value in hand, after or before another came into the ring.
#[test]
fn recv_many_dropped_while_it_is_handed_a_value() {
    check(Bound::None, [vec![1, 2]], || {
        let (tx, rx) = bounded(2);
        let rx2 = rx.clone();
        let many = parked(async move {
            let mut batch = vec![];
            rx2.recv_many(&mut batch, 2).await
        });
        let dropper = drops(many);
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        end(dropper);
        values(&rx)
    });
}

/// The receiver takes between two values of one burst.
#[test]
fn send_many_against_a_receiver() {
    for capacity in [0, 1] {
        check(Bound::None, [[Ok(1), Ok(2)]], move || {
            let (tx, rx) = bounded(capacity);
            let sender = spawn(move || {
                let mut items = VecDeque::from([1, 2]);
                block_on(tx.send_many(&mut items)).unwrap();
                assert!(items.is_empty());
            });
            let received = [block_on(rx.recv()), block_on(rx.recv())];
            end(sender);
            received
        });
    }
}

/// The burst is given up in the middle: each value was sent or is still there, in order.
#[test]
fn send_many_dropped_while_it_is_served() {
    let fates = [(vec![1], vec![2, 3]), (vec![1, 2], vec![3])];
    check(Bound::None, fates, || {
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

/// The oldest value gives way to a forced one, or the receiver has it.
#[test]
fn force_send_against_recv() {
    let fates = [(Ok(Some(1)), Ok(2), vec![]), (Ok(None), Ok(1), vec![2])];
    check(Bound::None, fates, || {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let sender = spawn(move || tx.force_send(2));
        let received = rx.try_recv();
        (end(sender), received, values(&rx))
    });
}

// Permits.

/// The channel closes before or after the permit is used.
#[test]
fn permit_against_close() {
    let fates = [
        (Ok(()), Ok(1)),
        (Err(SendError(1)), Err(TryRecvError::Closed)),
    ];
    check(Bound::None, fates, || {
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
    check(Bound::None, [(Ok(()), Ok(1))], || {
        let (tx, rx) = bounded(1);
        let permit = tx.try_reserve().unwrap();
        let sender = sends(&tx, 1);
        drop(permit);
        (end(sender), rx.try_recv())
    });
}

/// A reservation is dropped with a permit that it has not looked at: it is the next one's.
#[test]
fn dropped_reservation_passes_its_permit_on() {
    check(Bound::None, [(Ok(1), Ok(()), Ok(2))], || {
        let (tx, rx) = bounded(1);
        tx.try_send(1).unwrap();
        let tx2 = tx.clone();
        let reserve = parked(async move { tx2.reserve().await.is_ok() });
        let sender = sends(&tx, 2);
        let first = rx.try_recv();
        drop(reserve);
        (first, end(sender), rx.try_recv())
    });
}

/// On capacity 0 the receiver that a permit was granted for leaves before the value comes.
#[test]
fn permit_outlives_its_receiver() {
    check(Bound::None, [(Ok(()), Ok(1))], || {
        let (tx, rx) = bounded(0);
        let recv = parked_recv(&rx);
        let permit = tx.try_reserve().unwrap();
        let dropper = drops(recv);
        let sent = permit.send(1);
        end(dropper);
        (sent, rx.try_recv())
    });
}

/// On capacity 0 a reservation and a receive meet, then the value.
#[test]
fn reservation_against_recv() {
    check(Bound::None, [(Ok(()), Ok(1))], || {
        let (tx, rx) = bounded(0);
        let sender = spawn(move || block_on(tx.reserve()).unwrap().send(1));
        let received = block_on(rx.recv());
        (end(sender), received)
    });
}

/// On capacity 0 a reservation is granted for a receiver that leaves, while another comes.
#[test]
fn reservation_granted_for_a_receiver_that_leaves() {
    check(Bound::None, [(Poll::Pending, Ok(1))], || {
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

// Select.

/// Two channels in the order in which selects park, so that each run parks as the last one did.
fn two_channels(capacity: usize) -> [(Sender<i32>, Receiver<i32>); 2] {
    let mut channels = [(); 2].map(|()| bounded(capacity));
    channels.sort_by_key(|(_, rx)| __support::recv(rx).address());
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
fn select_claimed_from_two_sides() {
    let winners = [((Arm::A, Ok(1)), Ok(2)), ((Arm::B, Ok(2)), Ok(1))];
    check(Bound::None, winners, || {
        let [(tx_a, a), (tx_b, b)] = two_channels(0);
        let senders = [sends(&tx_a, 1), sends(&tx_b, 2)];
        let won = block_on(select_recv(a.clone(), b.clone()));
        let other = match won.0 {
            Arm::A => block_on(b.recv()),
            Arm::B => block_on(a.recv()),
        };
        assert_eq!(senders.map(end), [Ok(()), Ok(())]);
        (won, other)
    });
}

/// Two tries find both arms parked: one of them is accepted, and the other is as if nobody waited.
#[test]
fn parked_select_takes_one_of_two_values() {
    let full = |value| Err(TrySendError::Full(value));
    let winners = [
        (Ok(()), full(2), (Arm::A, Ok(1))),
        (full(1), Ok(()), (Arm::B, Ok(2))),
    ];
    check(Bound::None, winners, || {
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
fn select_dropped_while_its_recv_is_accepted() {
    let fates = [
        (Ok(()), Ok(1)),
        (Err(TrySendError::Full(1)), Err(TryRecvError::Empty)),
    ];
    check(Bound::None, fates, || {
        let [(tx_a, a), (_tx_b, b)] = two_channels(0);
        let dropper = drops(parked(select_recv(a.clone(), b)));
        let sent = tx_a.try_send(1);
        end(dropper);
        (sent, a.try_recv())
    });
}

/// The same for a send arm: the value was sent, or is dropped.
#[test]
fn select_dropped_while_its_send_is_accepted() {
    let fates = [Ok(1), Err(TryRecvError::Empty)];
    check(Bound::None, fates, || {
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
fn select_dropped_while_claimed_from_two_sides() {
    let fates = [
        ([true, false], [Ok(1), Err(TryRecvError::Empty)]),
        ([false, true], [Err(TryRecvError::Empty), Ok(2)]),
        ([false, false], [Err(TryRecvError::Empty); 2]),
    ];
    check(Bound::None, fates, || {
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
    check(Bound::None, meetings, || {
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
    check(Bound::None, meetings, || {
        let (tx, rx) = bounded(0);
        let (tx2, rx2) = (tx.clone(), rx.clone());
        let other = spawn(move || block_on(select_send_or_recv(tx2, rx2)));
        let won = block_on(select_send_or_recv(tx, rx));
        (won, end(other))
    });
}

/// The channel of one arm closes while the select is parked, parking, or trying.
#[test]
fn select_against_close() {
    let ended = (Arm::B, Err(RecvError));
    check(Bound::None, [ended], || {
        let [(_tx_a, a), (tx_b, b)] = two_channels(0);
        let closer = spawn(move || tx_b.close());
        let won = block_on(select_recv(a, b));
        assert!(end(closer));
        won
    });
}

/// A value on one arm and a close on the other: the value that does not win is still there.
#[test]
fn select_against_a_value_and_a_close() {
    let winners = [
        ((Arm::A, Ok(1)), Err(TryRecvError::Empty)),
        ((Arm::B, Err(RecvError)), Ok(1)),
    ];
    check(Bound::None, winners, || {
        let [(tx_a, a), (tx_b, b)] = two_channels(1);
        let tx = tx_a.clone();
        let sender = spawn(move || tx.try_send(1).unwrap());
        let closer = drops(tx_b);
        let won = block_on(select_recv(a.clone(), b));
        end(sender);
        end(closer);
        (won, a.try_recv())
    });
}

/// The task comes with another waker while an arm is accepted.
#[test]
fn select_polled_with_a_new_waker_while_accepted() {
    check(Bound::None, [(Arm::B, Ok(2))], || {
        let [(_tx_a, a), (tx_b, b)] = two_channels(0);
        let select = parked(select_recv(a, b));
        let sender = sends(&tx_b, 2);
        let won = block_on(select);
        end(sender).unwrap();
        won
    });
}

/// A select that sends out of a slot loses: the value is in the slot again, unless it was taken.
#[test]
fn select_send_from_loses_nothing() {
    let full = Err(TrySendError::Full(2));
    let fates = [
        (Ok(7), full, (Arm::A, None)),
        (Err(TryRecvError::Empty), Ok(()), (Arm::B, Some(7))),
    ];
    check(Bound::None, fates, || {
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

/// A future resolves while the arm next to it is accepted: the accepted arm wins.
#[test]
fn select_future_resolves_while_an_arm_is_accepted() {
    let winners = [
        (Ok(()), (Arm::A, Ok(1))),
        (Err(TrySendError::Full(1)), (Arm::B, Err(RecvError))),
    ];
    check(Bound::None, winners, || {
        let [(tx_a, a), (tx_b, b)] = two_channels(0);
        let receiver = a.clone();
        let select = parked(async move {
            select! {
                recv(receiver) -> value => (Arm::A, value),
                future(b.closed()) -> () => (Arm::B, Err(RecvError)),
            }
        });
        tx_b.close();
        let sender = spawn(move || tx_a.try_send(1));
        let won = block_on(select);
        (end(sender), won)
    });
}

/// A token moves from one channel to the other, put in before it is taken out: there is no instant
/// at which both are empty, so a select over both never takes its default.
#[test]
fn select_default_is_true() {
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
    check(Bound::None, [Some(Arm::A), Some(Arm::B)], || {
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
    check(Bound::None, [Some(Arm::A), Some(Arm::B)], || {
        token_moves(|b, a| {
            let select = Select::new().recv(b, |_| Arm::B).recv(a, |_| Arm::A);
            select.try_select()
        })
    });
}

/// A default is decided while a value comes, and takes what is there.
#[test]
fn select_default_against_a_value() {
    let tries = [(Some(1), false), (None, true)];
    check(Bound::None, tries, || {
        let (tx, rx) = bounded(1);
        let sender = sends(&tx, 1);
        let won = Select::new().recv(&rx, |value| value.unwrap()).try_select();
        end(sender).unwrap();
        (won, rx.try_recv().is_ok())
    });
}

/// A thread waits in a select, and is woken through either arm.
#[test]
fn blocking_select_against_two_senders() {
    let winners = [(Arm::A, 1), (Arm::B, 2)];
    check(Bound::None, winners, || {
        let [(tx_a, a), (tx_b, b)] = two_channels(1);
        let senders = [sends(&tx_a, 1), sends(&tx_b, 2)];
        let won = hchan::select_blocking! {
            recv(a) -> value => (Arm::A, value.unwrap()),
            recv(b) -> value => (Arm::B, value.unwrap()),
        };
        assert_eq!(senders.map(end), [Ok(()), Ok(())]);
        won
    });
}

/// An arm takes over the place that its handle has in line, while that is served.
#[test]
fn select_takes_over_the_place_of_poll_recv() {
    check(Bound::None, [(Arm::A, Ok(1))], || {
        let [(tx_a, mut a), (_tx_b, b)] = two_channels(0);
        assert!(poll_recv(&mut a).is_pending());
        let sender = sends(&tx_a, 1);
        let won = block_on(select_recv(a, b));
        end(sender).unwrap();
        won
    });
}

// Memory: what one thread did before is seen by the other after.

/// Written before a send, read after its receive: handed over, through the ring, or by a try.
#[test]
fn send_happens_before_recv() {
    for capacity in [0, 1] {
        check(Bound::None, [1], move || {
            let (tx, rx) = bounded(capacity);
            let cell = Plain::new();
            let written = cell.clone();
            let sender = spawn(move || {
                written.write(1);
                block_on(tx.send(())).unwrap();
            });
            block_on(rx.recv()).unwrap();
            let seen = cell.read();
            end(sender);
            seen
        });
    }
    check(Bound::None, [None, Some(1)], || {
        let (tx, rx) = bounded(1);
        let cell = Plain::new();
        let written = cell.clone();
        let sender = spawn(move || {
            written.write(1);
            tx.try_send(()).unwrap();
        });
        let seen = rx.try_recv().ok().map(|()| cell.read());
        end(sender);
        seen
    });
}

/// The value travels by the swap: parked, moved into the ring by one receive, taken by the next.
#[test]
fn send_happens_before_recv_by_swap() {
    check(Bound::None, [1], || {
        let (tx, rx) = bounded(1);
        tx.try_send(()).unwrap();
        let cell = Plain::new();
        let written = cell.clone();
        let sender = spawn(move || {
            written.write(1);
            block_on(tx.send(())).unwrap();
        });
        block_on(rx.recv()).unwrap();
        block_on(rx.recv()).unwrap();
        let seen = cell.read();
        end(sender);
        seen
    });
}

/// On capacity 0, written before a receive begins, read after the send.
#[test]
fn recv_happens_before_the_end_of_its_send() {
    check(Bound::None, [1], || {
        let (tx, rx) = bounded(0);
        let cell = Plain::new();
        let written = cell.clone();
        let receiver = spawn(move || {
            written.write(1);
            block_on(rx.recv()).unwrap();
        });
        block_on(tx.send(())).unwrap();
        let seen = cell.read();
        end(receiver);
        seen
    });
}

/// A ring of one slot is a lock: a send takes it, a receive gives it back.
#[test]
fn one_slot_is_a_lock() {
    check(Bound::None, [2], || {
        let (tx, rx) = bounded(1);
        let cell = Plain::new();
        let critical = {
            let cell = cell.clone();
            move || {
                block_on(tx.send(())).unwrap();
                cell.write(cell.read() + 1);
                rx.try_recv().unwrap();
            }
        };
        let other = spawn(critical.clone());
        critical();
        end(other);
        cell.read()
    });
}

/// What was done before the k-th receive is seen after the k+1st send into one slot, even though the
/// first value went out to a receive that was dropped, and came back.
#[test]
fn freed_slot_happens_before_the_send_that_takes_it() {
    check(Bound::None, [1], || {
        let (tx, rx) = bounded(1);
        let dropped = parked_recv(&rx);
        tx.try_send(1).unwrap();
        drop(dropped);
        let cell = Plain::new();
        let written = cell.clone();
        let receiver = spawn(move || {
            written.write(1);
            assert_eq!(rx.try_recv(), Ok(1));
            rx
        });
        block_on(tx.send(2)).unwrap();
        let seen = cell.read();
        drop(end(receiver));
        seen
    });
}

/// A channel joins two workers: each has written a cell of its own.
#[test]
fn two_sends_join_two_workers() {
    check(Bound::None, [[1, 2]], || {
        let (tx, rx) = bounded(2);
        let cells = [Plain::new(), Plain::new()];
        let mut number = 0;
        let workers = cells.clone().map(|cell| {
            number += 1;
            let (tx, number) = (tx.clone(), number);
            spawn(move || {
                cell.write(number);
                block_on(tx.send(())).unwrap();
            })
        });
        block_on(rx.recv()).unwrap();
        block_on(rx.recv()).unwrap();
        let seen = cells.map(|cell| cell.read());
        workers.into_iter().for_each(end);
        seen
    });
}

/// Written before a close, read after a receive, a wait or a select that tells of it.
#[test]
fn close_happens_before_closed() {
    async fn by_recv(rx: Receiver<()>) {
        rx.recv().await.unwrap_err();
    }
    async fn by_closed(rx: Receiver<()>) {
        rx.closed().await;
    }
    async fn by_select(rx: Receiver<()>) {
        select! { recv(rx) -> closed => closed.unwrap_err() };
    }
    fn written_then<F: Future>(tell: fn(Receiver<()>) -> F, end_it: fn(Sender<()>)) -> usize {
        let (tx, rx) = bounded(1);
        let cell = Plain::new();
        let written = cell.clone();
        let closer = spawn(move || {
            written.write(1);
            end_it(tx);
        });
        block_on(tell(rx));
        let seen = cell.read();
        end(closer);
        seen
    }
    let ends: [fn(Sender<()>); 2] = [|tx| assert!(tx.close()), drop];
    for end_it in ends {
        check(Bound::None, [1], move || written_then(by_recv, end_it));
        check(Bound::None, [1], move || written_then(by_closed, end_it));
        check(Bound::None, [1], move || written_then(by_select, end_it));
    }
}

/// Written before a select's send, read after a select's receive.
#[test]
fn select_happens_before_select() {
    check(Bound::None, [1], || {
        let (tx, rx) = bounded(0);
        let cell = Plain::new();
        let written = cell.clone();
        let sender = spawn(move || {
            written.write(1);
            block_on(async {
                select! { send(tx, ()) -> sent => sent.unwrap() }
            });
        });
        block_on(async {
            select! { recv(rx) -> value => value.unwrap() }
        });
        let seen = cell.read();
        end(sender);
        seen
    });
}

/// A handed value is claimed by a poll that nobody's wake has asked for.
#[test]
fn unasked_poll_sees_what_came_before_the_send() {
    check(Bound::None, [None, Some(1)], || {
        let (tx, rx) = bounded(0);
        let mut recv = parked_recv(&rx);
        let cell = Plain::new();
        let written = cell.clone();
        let sender = spawn(move || {
            written.write(1);
            tx.try_send(()).unwrap();
        });
        let seen = match poll_with(&mut recv, Waker::noop()) {
            Poll::Ready(_) => Some(cell.read()),
            Poll::Pending => None,
        };
        end(sender);
        seen
    });
}

/// A value is handed to one thread, put back, and received by another.
#[test]
fn put_back_carries_what_came_before_its_send() {
    check(Bound::None, [1], || {
        let (tx, rx) = bounded(0);
        let dropper = drops(parked_recv(&rx));
        let cell = Plain::new();
        let written = cell.clone();
        let sender = spawn(move || {
            written.write(1);
            block_on(tx.send(())).unwrap();
        });
        block_on(rx.recv()).unwrap();
        let seen = cell.read();
        end(dropper);
        end(sender);
        seen
    });
}

/// A value that nobody received is dropped by the thread whose receiver goes last.
#[test]
fn send_happens_before_the_drop_of_what_was_left() {
    struct Reads(Arc<Plain>, Arc<AtomicUsize>);

    impl Drop for Reads {
        fn drop(&mut self) {
            self.1.store(self.0.read(), Ordering::Relaxed);
        }
    }

    check(Bound::None, [1], || {
        let (tx, rx) = bounded(1);
        let seen = Arc::new(AtomicUsize::new(0));
        let value = Reads(Plain::new(), seen.clone());
        let sender = spawn(move || {
            value.0.write(1);
            // Whoever the value is left to drops it.
            drop(tx.try_send(value));
        });
        drop(rx);
        end(sender);
        seen.load(Ordering::Relaxed)
    });
}

//! The promise of select for receivers of one type, once and again and again: one receives, and the others are as
//! if they had not been asked.

mod support;

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::Poll::{Pending, Ready};
use std::task::Waker;
use std::thread;
use std::time::Duration;

use futures::future::FusedFuture;
use hchan::{
    Receiver, RecvError, RecvSet, Sender, TryRecvError, bounded, never, recv_any,
    recv_any_blocking, select, try_recv_any,
};
use support::{
    Drops, Task, assert_fair, lines, now, on_wake, panic_of, parked, parked_with, poll_once, ready,
    values, waiting,
};

type Received<T = usize> = (usize, Result<T, RecvError>);

type Round<'a> = Pin<Box<dyn Future<Output = Received> + Send + 'a>>;

fn set_of<T>(receivers: &[Receiver<T>]) -> RecvSet<T> {
    receivers.iter().cloned().collect()
}

fn once(receivers: &[Receiver<usize>]) -> Round<'_> {
    Box::pin(recv_any(receivers))
}

fn of_a_set(receivers: &[Receiver<usize>]) -> Round<'_> {
    let mut set = set_of(receivers);
    Box::pin(async move { set.next().await })
}

/// Runs a test with the future of a call and with that of a set.
fn each_form(mut test: impl FnMut(fn(&[Receiver<usize>]) -> Round<'_>)) {
    test(once);
    test(of_a_set);
}

fn channels(count: usize, capacity: usize) -> (Vec<Sender<usize>>, Vec<Receiver<usize>>) {
    (0..count).map(|_| bounded(capacity)).unzip()
}

#[track_caller]
fn assert_left(receivers: &[Receiver<usize>]) {
    for rx in receivers {
        assert_eq!(lines(rx), (0, 0));
    }
}

#[test]
fn it_receives_what_is_there_and_tells_where() {
    each_form(|round| {
        for capacity in [0, 1, 3] {
            for which in 0..3 {
                let (txs, rxs) = channels(3, capacity);
                let mut send = Task::new(txs[which].send(7));
                let _sent_or_parked = send.poll();
                assert_eq!(ready(round(&rxs)), (which, Ok(7)));
                assert_eq!(send.future().is_terminated(), capacity > 0);
                assert_left(&rxs);
            }
        }
    });
    let (txs, rxs) = channels(2, 1);
    txs[1].try_send(1).unwrap();
    assert_eq!(try_recv_any(&rxs), Some((1, Ok(1))));
    assert_eq!(try_recv_any(&rxs), None);
    txs[0].try_send(2).unwrap();
    assert_eq!(recv_any_blocking([&rxs[1], &rxs[0]]), (1, Ok(2)));
}

#[test]
fn it_waits_in_all_lines_and_leaves_them_with_one_value() {
    each_form(|round| {
        for capacity in [0, 1] {
            let (txs, rxs) = channels(4, capacity);
            let mut select = parked(round(&rxs));
            for rx in &rxs {
                assert_eq!(lines(rx), (0, 1));
            }
            txs[2].try_send(5).unwrap();
            // The others are out of the game.
            for tx in &txs {
                assert_eq!(tx.try_send(9).is_ok(), capacity > 0);
            }
            assert_eq!((select.wakes(), select.poll()), (1, Ready((2, Ok(5)))));
            assert_left(&rxs);
            for rx in &rxs {
                assert_eq!(rx.try_recv().is_ok(), capacity > 0);
            }
        }
    });
}

#[test]
fn of_many_of_which_some_are_ready_each_is_as_likely_to_receive() {
    // Beside each other, so that it matters if only the first to be looked at is drawn.
    let full = [40, 41, 97];
    let (txs, rxs) = channels(100, 1);
    let mut set = set_of(&rxs);
    let forms: [&mut dyn FnMut() -> Received; 5] = [
        &mut || now(recv_any(&rxs)),
        &mut || try_recv_any(&rxs).unwrap(),
        &mut || recv_any_blocking(&rxs),
        &mut || ready(set.next()),
        &mut || set_of(&rxs).try_next().unwrap(),
    ];
    for receive in forms {
        let mut hits = [0; 3];
        let runs = 2000;
        for _ in 0..runs {
            for n in full {
                txs[n].try_send(n).unwrap();
            }
            let (index, value) = receive();
            assert_eq!(value, Ok(index));
            hits[full.iter().position(|&n| n == index).unwrap()] += 1;
            for n in full {
                values(&rxs[n]);
            }
        }
        for hits in hits {
            assert_fair(hits, runs, 1.0 / 3.0);
        }
    }
}

#[test]
fn a_receiver_that_is_there_twice_receives_by_each_as_often() {
    each_form(|round| {
        for parks in [false, true] {
            let (tx, rx) = bounded(1);
            let (_quiet, quiet) = bounded(1);
            let rxs = [rx.clone(), quiet, rx.clone(), rx];
            let (mut hits, runs) = ([0; 4], 2000);
            for _ in 0..runs {
                let mut select = Task::new(round(&rxs));
                if parks {
                    assert!(select.poll().is_pending());
                    // It stands in line once.
                    assert_eq!((lines(&rxs[0]), lines(&rxs[1])), ((0, 1), (0, 1)));
                }
                tx.try_send(1).unwrap();
                let Ready((index, Ok(1))) = select.poll() else {
                    panic!("the value is there");
                };
                hits[index] += 1;
            }
            assert_eq!(hits[1], 0);
            for index in [0, 2, 3] {
                assert_fair(hits[index], runs, 1.0 / 3.0);
            }
        }
    });
}

#[test]
fn a_closed_channel_is_drained_and_then_tells_so() {
    each_form(|round| {
        let (txs, rxs) = channels(2, 1);
        txs[1].try_send(1).unwrap();
        txs[1].close();
        assert_eq!(ready(round(&rxs)), (1, Ok(1)));
        assert_eq!(ready(round(&rxs)), (1, Err(RecvError)));
        assert_eq!(ready(round(&rxs)), (1, Err(RecvError)));

        let mut select = parked(round(&rxs[..1]));
        drop(txs);
        assert_eq!(
            (select.wakes(), select.poll()),
            (1, Ready((0, Err(RecvError))))
        );
    });
}

#[test]
fn it_is_not_told_closed_while_a_value_may_come_back() {
    each_form(|round| {
        let (txs, rxs) = channels(2, 0);
        let handed = support::handed(&txs[0], &rxs[0], 3);
        txs[0].close();
        let mut select = parked(round(&rxs));
        drop(handed);
        assert_eq!(select.poll(), Ready((0, Ok(3))));
        assert_eq!(ready(round(&rxs)), (0, Err(RecvError)));
    });
}

#[test]
fn without_a_receiver_that_may_receive_it_waits_for_ever() {
    each_form(|round| {
        for count in [0, 2] {
            let rxs: Vec<_> = (0..count).map(|_| never().1).collect();
            let mut select = parked(round(&rxs));
            assert!(select.poll().is_pending());
            assert_eq!(select.wakers(), 0);
            assert_eq!(try_recv_any(&rxs), None);
            assert_eq!(set_of(&rxs).try_next(), None);
            assert_eq!(set_of(&rxs).wait_timeout(Duration::from_millis(1)), None);
        }
        let (tx, rx) = bounded(0);
        let rxs = [never().1, rx, never().1];
        let mut select = parked(round(&rxs));
        tx.try_send(1).unwrap();
        assert_eq!(select.poll(), Ready((1, Ok(1))));
    });
}

#[test]
fn dropped_at_any_time_it_leaves_no_trace() {
    each_form(|round| {
        for capacity in [0, 1] {
            let (txs, rxs) = channels(3, capacity);
            drop(round(&rxs));
            drop(parked(round(&rxs)));
            assert_left(&rxs);

            // What it was handed goes back in its place.
            let select = parked(round(&rxs));
            txs[1].try_send(1).unwrap();
            let mut send = Task::new(txs[1].send(2));
            let _sent_or_parked = send.poll();
            drop(select);
            assert_left(&rxs[..1]);
            assert_eq!([rxs[1].try_recv(), rxs[1].try_recv()], [Ok(1), Ok(2)]);
            drop(send);

            // Or to the next in line.
            let select = parked(round(&rxs));
            let mut next = parked(rxs[1].recv());
            txs[1].try_send(3).unwrap();
            assert_eq!(next.wakes(), 0);
            drop(select);
            assert_eq!((next.wakes(), next.poll()), (1, Ready(Ok(3))));
            assert_left(&rxs);
        }
    });
}

#[test]
fn a_value_that_nobody_receives_is_dropped_once() {
    let drops = Drops::default();
    let (tx, rx) = bounded(0);
    let mut set = RecvSet::from_iter([rx]);
    let mut next = parked(set.next());
    tx.try_send(drops.value(1)).unwrap();
    let Ready((0, Ok(value))) = next.poll() else {
        panic!("it was handed over");
    };
    assert_eq!(drops.count(), 0);
    drop(value);
    drop(next);

    let next = parked(set.next());
    tx.try_send(drops.value(2)).unwrap();
    drop(next);
    assert_eq!(drops.count(), 1);
    drop(set);
    assert_eq!(drops.count(), 2);
    assert!(tx.is_closed());
}

#[test]
fn receivers_may_come_and_go_between_the_rounds() {
    let (txs, rxs) = channels(4, 1);
    let mut set = RecvSet::default();
    assert_eq!((set.len(), set.is_empty()), (0, true));
    for (n, rx) in rxs.iter().take(3).enumerate() {
        assert_eq!(set.add(rx.clone()), n);
    }
    assert!(parked(set.next()).poll().is_pending());
    txs[2].try_send(20).unwrap();
    assert_eq!(ready(set.next()), (2, Ok(20)));

    let first = set.remove(0).unwrap();
    assert!(first.same_channel(&rxs[0]));
    assert!(set.remove(0).is_none() && set.remove(3).is_none());
    assert_eq!(set.len(), 2);
    txs[0].try_send(1).unwrap();
    assert!(parked(set.next()).poll().is_pending());

    // An index is used once.
    assert_eq!(set.add(rxs[3].clone()), 3);
    assert_eq!(set.add(first), 4);
    assert_eq!(set.try_next(), Some((4, Ok(1))));
    set.extend([rxs[3].clone()]);
    assert_eq!(set.len(), 5);
    for n in [1, 2, 3] {
        txs[n].try_send(n).unwrap();
    }
    let mut received: Vec<_> = (0..3).map(|_| ready(set.next()).1.unwrap()).collect();
    received.sort_unstable();
    assert_eq!((received, set.try_next()), (vec![1, 2, 3], None));
    for index in 0..7 {
        assert_eq!(set.remove(index).is_some(), (1..6).contains(&index));
    }
    assert!(set.is_empty());
    assert_left(&rxs);
}

#[test]
fn a_set_serves_in_line_with_others_each_time_anew() {
    let (tx, rx) = bounded(0);
    let mut set = RecvSet::from_iter([rx.clone()]);
    let mut next = parked(set.next());
    let mut other = parked(rx.recv());
    tx.try_send(1).unwrap();
    assert_eq!(next.poll(), Ready((0, Ok(1))));
    drop(next);
    // The set has had its turn.
    let mut next = parked(set.next());
    tx.try_send(2).unwrap();
    assert_eq!((next.poll(), other.poll()), (Pending, Ready(Ok(2))));
    tx.try_send(3).unwrap();
    assert_eq!(next.poll(), Ready((0, Ok(3))));
}

#[test]
fn a_set_gives_up_what_a_forgotten_round_has_left() {
    for changes in [0, 1, 2] {
        for is_handed in [false, true] {
            let (txs, rxs) = channels(3, 0);
            let mut set = set_of(&rxs);
            let mut next = set.next();
            assert!(poll_once(&mut next).is_pending());
            mem::forget(next);
            if is_handed {
                txs[1].try_send(7).unwrap();
            }
            match changes {
                0 => assert!(set.remove(0).is_some()),
                1 => assert_eq!(set.add(rxs[0].clone()), 3),
                _ => {}
            }
            match is_handed {
                true => assert_eq!(ready(set.next()), (1, Ok(7))),
                false => assert_eq!(set.try_next(), None),
            }
            assert_left(&rxs);
        }
    }
}

#[test]
fn the_waker_of_the_last_poll_is_the_one_that_wakes() {
    each_form(|round| {
        let (txs, rxs) = channels(2, 0);
        let mut select = parked(round(&rxs));
        let before = select.change_waker();
        assert!(select.poll().is_pending());
        txs[0].try_send(1).unwrap();
        assert_eq!((before.count(), select.wakes()), (0, 1));
        assert_eq!(select.poll(), Ready((0, Ok(1))));
        assert_eq!(select.wakers(), 0);
    });
}

#[test]
fn it_ends_once() {
    let (tx, rx) = bounded(2);
    (0..2).for_each(|n| tx.try_send(n).unwrap());
    let mut any = recv_any([&rx]);
    assert!(!any.is_terminated());
    assert_eq!(ready(&mut any), (0, Ok(0)));
    assert!(any.is_terminated());
    assert!(panic_of(|| poll_once(&mut any)).contains("RecvAnyFuture"));

    let mut set = RecvSet::from_iter([rx.clone()]);
    let mut next = set.next();
    assert!(!next.is_terminated());
    assert_eq!(ready(&mut next), (0, Ok(1)));
    assert!(next.is_terminated());
    assert!(panic_of(|| poll_once(&mut next)).contains("SetNextFuture"));
}

#[test]
fn a_set_may_be_an_arm_of_a_select() {
    let (txs, rxs) = channels(2, 0);
    let (stop, stopped) = bounded::<()>(0);
    let mut set = set_of(&rxs);
    let mut received = Vec::new();
    let mut task = waiting(async {
        loop {
            select! {
                recv(stopped) -> _ => break,
                future(set.next()) -> (index, value) => received.push((index, value.unwrap())),
            }
        }
    });
    for n in 0..10 {
        txs[n % 2].try_send(n).unwrap();
        assert!(task.poll().is_pending());
    }
    stop.close();
    assert_eq!(task.poll(), Ready(()));
    drop(task);
    assert!(received.into_iter().eq((0..10).map(|n| (n % 2, n))));
    assert_left(&rxs);
}

#[test]
fn a_place_that_its_handle_has_in_line_is_given_up() {
    let (tx, mut rx) = bounded(0);
    let others = rx.clone();
    let mut cx = std::task::Context::from_waker(Waker::noop());
    assert!(rx.poll_recv(&mut cx).is_pending());
    tx.try_send(1).unwrap();
    // What the handle was handed is there for the taking.
    let mut set = RecvSet::from_iter([rx]);
    assert_eq!(ready(set.next()), (0, Ok(1)));
    assert_eq!(lines(&others), (0, 0));
}

#[test]
fn a_waker_that_panics_as_a_value_goes_back_leaves_nothing_in_line() {
    let (txs, rxs) = channels(3, 0);
    let mut set = set_of(&rxs);
    let next = parked(set.next());
    let other = parked_with(rxs[0].recv(), on_wake(|| panic!("a waker")));
    txs[0].try_send(1).unwrap();
    assert_eq!(panic_of(|| drop(next)), "a waker");
    drop(other);
    assert_eq!(ready(set.next()), (0, Ok(1)));
    assert_left(&rxs);
}

#[test]
fn a_set_that_a_panic_has_stopped_goes_on() {
    let (tx, rx) = bounded(1);
    let mut set = RecvSet::from_iter([rx.clone()]);
    tx.try_send(1).unwrap();
    // To receive the first wakes the sender of the second.
    let send = parked_with(tx.send(2), on_wake(|| panic!("a waker")));
    assert_eq!(panic_of(|| poll_once(set.next())), "a waker");
    drop(send);
    assert_eq!([set.wait(), set.wait()], [(0, Ok(1)), (0, Ok(2))]);
    assert_eq!(
        (set.try_next(), rx.try_recv()),
        (None, Err(TryRecvError::Empty))
    );
}

#[test]
fn a_thread_waits_for_its_time_at_most() {
    let (tx, rx) = bounded(0);
    let mut set = RecvSet::from_iter([rx.clone()]);
    assert_eq!(set.wait_timeout(Duration::from_millis(2)), None);
    assert_eq!(lines(&rx), (0, 0));
    let mut send = parked(tx.send(1));
    assert_eq!(set.wait_timeout(Duration::ZERO), Some((0, Ok(1))));
    assert_eq!(send.poll(), Ready(Ok(())));
    thread::scope(|scope| {
        scope.spawn(|| tx.send_blocking(2).unwrap());
        assert_eq!(set.wait_timeout(Duration::MAX), Some((0, Ok(2))));
        scope.spawn(|| tx.send_blocking(3).unwrap());
        assert_eq!(recv_any_blocking([&rx]), (0, Ok(3)));
    });
}

#[test]
fn many_threads_lose_and_double_nothing() {
    const PRODUCERS: usize = 4;
    let count = if cfg!(miri) { 40 } else { 100_000 / PRODUCERS };
    for capacity in [0, 1, 8] {
        let (txs, rxs) = channels(PRODUCERS, capacity);
        let mut received: Vec<usize> = thread::scope(|scope| {
            for (producer, tx) in txs.into_iter().enumerate() {
                scope.spawn(move || {
                    (0..count).for_each(|n| tx.send_blocking(producer * count + n).unwrap());
                });
            }
            let consumers = [true, true, false].map(|has_set| {
                let rxs = &rxs;
                scope.spawn(move || match has_set {
                    true => consume_by_set(rxs),
                    false => consume_by_calls(rxs),
                })
            });
            consumers
                .into_iter()
                .flat_map(|consumer| consumer.join().unwrap())
                .collect()
        });
        received.sort_unstable();
        assert!(
            received.into_iter().eq(0..PRODUCERS * count),
            "capacity {capacity}"
        );
        assert_left(&rxs);
        assert!(rxs.iter().all(|rx| values(rx).is_empty()));
    }
}

/// Receives by a set until all channels are over. Some rounds are given up.
fn consume_by_set(rxs: &[Receiver<usize>]) -> Vec<usize> {
    let mut set = set_of(rxs);
    let mut received = Vec::new();
    while !set.is_empty() {
        let given_up = match received.len() % 5 {
            0 => poll_once(set.next()),
            _ => Pending,
        };
        let (index, value) = match given_up {
            Ready(received) => received,
            Pending => set.wait(),
        };
        match value {
            Ok(value) => received.push(value),
            Err(RecvError) => drop(set.remove(index)),
        }
    }
    received
}

fn consume_by_calls(rxs: &[Receiver<usize>]) -> Vec<usize> {
    let mut open: Vec<_> = rxs.iter().collect();
    let mut received = Vec::new();
    while !open.is_empty() {
        match recv_any_blocking(open.iter().copied()) {
            (_, Ok(value)) => received.push(value),
            (index, Err(RecvError)) => drop(open.remove(index)),
        }
    }
    received
}

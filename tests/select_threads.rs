//! The promise of select under threads: each value goes to one party, no wait lasts forever, nothing grows.

mod support;

use std::collections::HashMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll::{Pending, Ready};
use std::thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use hchan::{
    Receiver, RecvError, Select, Sender, TryRecvError, TrySendError, bounded, select,
    select_blocking,
};
use support::{InTheEnd, parked, poll_once, values};

/// Many with optimisations, few without.
const fn many(count: usize) -> usize {
    if cfg!(debug_assertions) {
        count / 10
    } else {
        count
    }
}

/// A value says who sent it and how many that one had sent before.
type Value = (usize, usize);

/// Sends `count` values on two channels, wherever somebody is first.
fn produce(producer: usize, count: usize, a: &Sender<Value>, b: &Sender<Value>) {
    for number in 0..count {
        let mut slots = [Some((producer, number)); 2];
        let [first, second] = &mut slots;
        if number % 2 == 0 {
            select_blocking! {
                send_from(a, first) -> sent => sent.unwrap(),
                send_from(b, second) -> sent => sent.unwrap(),
            }
        } else {
            let select = Select::new().send_from(b, first, Result::unwrap);
            select.send_from(a, second, Result::unwrap).wait();
        }
        assert_eq!(slots.iter().flatten().count(), 1, "one of the two was sent");
    }
}

/// Receives from two channels until both are over, alternately with the macro and the dynamic form.
fn consume(a: &Receiver<Value>, b: &Receiver<Value>) -> Vec<(usize, Value)> {
    let mut received = Vec::new();
    let mut open = [true, true];
    while open[0] || open[1] {
        let (channel, value) = if received.len() % 2 == 0 {
            select_blocking! {
                recv(a) -> value, if open[0] => (0, value),
                recv(b) -> value, if open[1] => (1, value),
            }
        } else {
            let mut select = Select::new();
            if open[1] {
                select = select.recv(b, |value| (1, value));
            }
            if open[0] {
                select = select.recv(a, |value| (0, value));
            }
            select.wait()
        };
        match value {
            Ok(value) => received.push((channel, value)),
            Err(RecvError) => open[channel] = false,
        }
    }
    received
}

/// Whether the numbers of each producer rise, for each key that is made of channel and value.
#[track_caller]
fn assert_rising<K: std::hash::Hash + Eq>(
    received: &[(usize, Value)],
    key: impl Fn(usize, Value) -> K,
) {
    let mut last = HashMap::new();
    for &(channel, value) in received {
        let before = last.insert(key(channel, value), value.1);
        assert!(
            before < Some(value.1) || before.is_none(),
            "{value:?} after {before:?}"
        );
    }
}

#[test]
fn each_value_is_received_once_whichever_way_it_takes() {
    let count = many(50_000);
    for capacity in [0, 1, 3] {
        for consumers in [1, 2] {
            let (a, rx_a) = bounded(capacity);
            let (b, rx_b) = bounded(capacity);
            let received: Vec<Vec<_>> = thread::scope(|scope| {
                let consumers: Vec<_> = (0..consumers)
                    .map(|_| scope.spawn(|| consume(&rx_a, &rx_b)))
                    .collect();
                let producers = [(a.clone(), b.clone()), (a, b)];
                for (producer, (a, b)) in producers.into_iter().enumerate() {
                    scope.spawn(move || produce(producer, count / 12, &a, &b));
                }
                let ended = consumers.into_iter().map(thread::ScopedJoinHandle::join);
                ended.map(Result::unwrap).collect()
            });
            for received in &received {
                assert_rising(received, |channel, (producer, _)| (channel, producer));
                if capacity == 0 {
                    // With no ring to wait in, not even the channel matters.
                    assert_rising(received, |_, (producer, _)| producer);
                }
            }
            let mut all: Vec<_> = received.into_iter().flatten().map(|(_, v)| v).collect();
            all.sort_unstable();
            let sent = (0..2).flat_map(|producer| (0..count / 12).map(move |n| (producer, n)));
            assert!(all.into_iter().eq(sent));
        }
    }
}

#[test]
fn selects_that_name_two_channels_in_both_orders_do_not_lock_each_other_out() {
    let count = many(20_000);
    let (a, rx_a) = bounded(0);
    let (b, rx_b) = bounded(0);
    let (sent, received) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for thread in 0..2 {
            let (a, b) = (a.clone(), b.clone());
            let sent = &sent;
            scope.spawn(move || {
                for _ in 0..count {
                    let value = if thread == 0 {
                        select_blocking! { send(a, 1) -> _ => 1, send(b, 2) -> _ => 2 }
                    } else {
                        select_blocking! { send(b, 2) -> _ => 2, send(a, 1) -> _ => 1 }
                    };
                    sent.fetch_add(value, Ordering::Relaxed);
                }
            });
        }
        for thread in 0..2 {
            let (rx_a, rx_b, received) = (&rx_a, &rx_b, &received);
            scope.spawn(move || {
                for _ in 0..count {
                    let value = if thread == 0 {
                        select_blocking! { recv(rx_a) -> value => value, recv(rx_b) -> value => value }
                    } else {
                        select_blocking! { recv(rx_b) -> value => value, recv(rx_a) -> value => value }
                    };
                    received.fetch_add(value.unwrap(), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(sent.into_inner(), received.into_inner());
}

#[test]
fn crossing_selects_always_meet() {
    let (a, rx_a) = bounded(0);
    let (b, rx_b) = bounded(0);
    let count = many(50_000);
    let (to_left, to_right) = thread::scope(|scope| {
        let left = scope.spawn(|| {
            let mut received = 0;
            for value in 0..count {
                received += select_blocking! {
                    send(a, value) -> sent => { sent.unwrap(); 0 }
                    recv(rx_b) -> value => { value.unwrap(); 1 }
                };
            }
            received
        });
        let right = scope.spawn(|| {
            let mut received = 0;
            for value in 0..count {
                received += select_blocking! {
                    send(b, value) -> sent => { sent.unwrap(); 0 }
                    recv(rx_a) -> value => { value.unwrap(); 1 }
                };
            }
            received
        });
        (left.join().unwrap(), right.join().unwrap())
    });
    assert_eq!(to_left + to_right, count, "one of each two receives");
}

#[test]
fn identical_selects_meet_in_pairs_and_never_themselves() {
    let (tx, rx) = bounded(0);
    let count = many(20_000);
    let threads = 4;
    let [sent, received] = [AtomicUsize::new(0), AtomicUsize::new(0)];
    thread::scope(|scope| {
        for me in 0..threads {
            let (tx, rx, sent, received) = (&tx, &rx, &sent, &received);
            scope.spawn(move || {
                // The last one would wait for ever, so all of them end when enough have met.
                while sent.load(Ordering::SeqCst) < count {
                    let mut slot = Some(me);
                    let select = Select::new().recv(rx, Result::ok);
                    let mut select = select.send_from(tx, &mut slot, |sent| {
                        sent.unwrap();
                        None
                    });
                    let mut polled = poll_once(&mut select);
                    while polled.is_pending() && sent.load(Ordering::SeqCst) < count {
                        thread::yield_now();
                        polled = poll_once(&mut select);
                    }
                    drop(select);
                    if let Ready(Some(other)) = polled {
                        assert_ne!(other, me);
                        received.fetch_add(1, Ordering::SeqCst);
                    }
                    sent.fetch_add(usize::from(slot.is_none()), Ordering::SeqCst);
                }
            });
        }
    });
    let back = values(&rx).len();
    assert_eq!(sent.into_inner(), received.into_inner() + back);
    assert_eq!((rx.snapshot().sendq, rx.snapshot().recvq), (0, 0));
}

#[test]
fn selects_that_race_with_drops_and_a_close_lose_nothing() {
    for capacity in [0, 1, 2] {
        for _ in 0..many(500) {
            let (a, rx_a) = bounded(capacity);
            let (b, rx_b) = bounded(capacity);
            let start = Barrier::new(3);
            let (accepted, received) = thread::scope(|scope| {
                let sender = scope.spawn(|| {
                    start.wait();
                    let mut accepted = 0;
                    for round in 0..30 {
                        let mut slot = Some(1);
                        let mut other = Some(1);
                        let mut select = Select::new()
                            .send_from(&a, &mut slot, |sent| sent)
                            .send_from(&b, &mut other, |sent| sent);
                        // Now and then it is dropped while somebody may be serving it.
                        let mut polled = poll_once(&mut select);
                        if polled.is_pending() && round % 3 == 0 {
                            thread::yield_now();
                            polled = poll_once(&mut select);
                        }
                        drop(select);
                        let gone = usize::from(slot.is_none()) + usize::from(other.is_none());
                        assert!(gone <= 1, "two arms have sent");
                        match polled {
                            Ready(Ok(())) => assert_eq!(gone, 1),
                            Ready(Err(_)) => assert_eq!(gone, 0),
                            Pending => {}
                        }
                        accepted += gone;
                    }
                    accepted
                });
                let receiver = scope.spawn(|| {
                    start.wait();
                    let mut received = 0;
                    for round in 0..30 {
                        let mut select = Select::new()
                            .recv(&rx_b, |value| value)
                            .recv(&rx_a, |value| value);
                        let mut polled = poll_once(&mut select);
                        if polled.is_pending() && round % 2 == 0 {
                            thread::yield_now();
                            polled = poll_once(&mut select);
                        }
                        if let Ready(Ok(value)) = polled {
                            received += value;
                        }
                    }
                    received
                });
                let closer = scope.spawn(|| {
                    start.wait();
                    for _ in 0..20 {
                        thread::yield_now();
                    }
                    a.close();
                    b.close();
                });
                closer.join().unwrap();
                (sender.join().unwrap(), receiver.join().unwrap())
            });
            let inside = values(&rx_a).len() + values(&rx_b).len();
            assert_eq!(accepted, received + inside);
            for rx in [&rx_a, &rx_b] {
                assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
                assert_eq!((rx.snapshot().sendq, rx.snapshot().recvq), (0, 0));
            }
        }
    }
}

#[test]
fn a_close_wakes_every_select() {
    for _ in 0..many(1000) {
        let (a, rx_a) = bounded::<u8>(0);
        let (_b, rx_b) = bounded::<u8>(0);
        thread::scope(|scope| {
            for thread in 0..3 {
                let (rx_a, rx_b) = (&rx_a, &rx_b);
                scope.spawn(move || {
                    let select = Select::new().recv(rx_a, |value| value);
                    let ended = if thread == 0 {
                        select.recv(rx_b, |value| value).wait()
                    } else {
                        select_blocking! {
                            recv(rx_b) -> value => value,
                            recv(rx_a) -> value => value,
                        }
                    };
                    assert_eq!(ended, Err(RecvError));
                });
            }
            a.close();
        });
        assert_eq!(rx_b.snapshot().recvq, 0);
    }
}

#[test]
fn selects_and_drops_on_a_rendezvous_lose_nothing() {
    selects_permits_and_drops_lose_nothing(0, 0);
}

#[test]
fn permits_selects_and_drops_on_one_slot_lose_nothing() {
    selects_permits_and_drops_lose_nothing(1, many(20_000));
}

/// Every value is received, put back, or refused; nobody waits while a counterpart waits too.
fn selects_permits_and_drops_lose_nothing(capacity: usize, reservations: usize) {
    let (tx, rx) = bounded(capacity);
    let rounds = many(20_000);
    let counts = thread::scope(|scope| {
        let both = |me: usize| {
            let (tx, rx) = (&tx, &rx);
            scope.spawn(move || {
                let (mut sent, mut received) = (0, 0);
                for round in 0..rounds {
                    let mut slot = Some(me);
                    let mut select = Select::new()
                        .send_from(tx, &mut slot, |_| None)
                        .recv(rx, Result::ok);
                    let mut polled = poll_once(&mut select);
                    if polled.is_pending() && round % 2 == 0 {
                        thread::yield_now();
                        polled = poll_once(&mut select);
                    }
                    drop(select);
                    sent += usize::from(slot.is_none());
                    received += usize::from(matches!(polled, Ready(Some(_))));
                }
                (sent, received)
            })
        };
        let selects = [both(0), both(1)];
        let permits = scope.spawn(|| {
            let mut sent = 0;
            for round in 0..reservations {
                let mut reserve = tx.reserve();
                let mut polled = poll_once(&mut reserve);
                if polled.is_pending() {
                    thread::yield_now();
                    polled = poll_once(&mut reserve);
                }
                if let Ready(Ok(permit)) = polled {
                    if round % 2 == 0 {
                        permit.send(9).unwrap();
                        sent += 1;
                    }
                }
            }
            (sent, 0)
        });
        let all = selects.into_iter().chain([permits]);
        all.map(|thread| thread.join().unwrap())
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    });
    assert_eq!(counts.0, counts.1 + values(&rx).len());
    assert_eq!((rx.snapshot().sendq, rx.snapshot().recvq), (0, 0));
}

#[test]
fn many_kinds_of_threads_move_the_same_number_of_values_through_four_channels() {
    let count = many(10_000);
    let channels = [bounded(0), bounded(0), bounded(2), bounded(3)];
    thread::scope(|scope| {
        // One sender and one receiver for each channel, which know nothing else.
        for (tx, rx) in &channels {
            scope.spawn(move || (0..count).for_each(|_| tx.send_blocking(()).unwrap()));
            scope.spawn(move || (0..count).for_each(|_| rx.recv_blocking().unwrap()));
        }
        // One that sends as many on each, on whichever is ready, and one that receives them so.
        scope.spawn(|| {
            let mut left = [count; 4];
            while left != [0; 4] {
                let [a, b, c, d] = channels.each_ref().map(|(tx, _)| tx);
                let arm = select_blocking! {
                    send(a, ()) -> sent, if left[0] > 0 => { sent.unwrap(); 0 }
                    send(b, ()) -> sent, if left[1] > 0 => { sent.unwrap(); 1 }
                    send(c, ()) -> sent, if left[2] > 0 => { sent.unwrap(); 2 }
                    send(d, ()) -> sent, if left[3] > 0 => { sent.unwrap(); 3 }
                };
                left[arm] -= 1;
            }
        });
        scope.spawn(|| {
            let mut left = [count; 4];
            while left != [0; 4] {
                let mut select = Select::new();
                for (arm, (_, rx)) in channels.iter().enumerate() {
                    if left[arm] > 0 {
                        select = select.recv(rx, move |value| {
                            value.unwrap();
                            arm
                        });
                    }
                }
                left[block_on(select)] -= 1;
            }
        });
    });
    for (_, rx) in &channels {
        assert_eq!((rx.len(), rx.snapshot().sendq), (0, 0));
        assert_eq!(rx.snapshot().recvq, 0);
    }
}

#[test]
fn a_default_is_not_taken_while_one_of_two_channels_always_has_a_value() {
    let (a, rx_a) = bounded(2);
    let (b, rx_b) = bounded(2);
    a.try_send(()).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Puts a value into one channel before it takes one from the other.
            while !done.load(Ordering::Relaxed) {
                let _full = b.try_send(());
                let _taken = rx_a.try_recv();
                let _full = a.try_send(());
                let _taken = rx_b.try_recv();
            }
        });
        let _done = InTheEnd(&done);
        for round in 0..many(100_000) {
            let source = match round % 3 {
                0 => {
                    select_blocking! { recv(rx_a) -> _ => Some(&a), recv(rx_b) -> _ => Some(&b), default => None }
                }
                1 => {
                    select_blocking! { biased; recv(rx_b) -> _ => Some(&b), recv(rx_a) -> _ => Some(&a), default => None }
                }
                _ => Select::new()
                    .recv(&rx_a, |_| &a)
                    .recv(&rx_b, |_| &b)
                    .try_select(),
            };
            match source {
                Some(source) => while source.try_send(()).is_err() && source.len() < 2 {},
                None => panic!("one of the two had a value at any time, in round {round}"),
            }
        }
    });
}

#[test]
fn a_default_is_not_taken_while_one_of_two_channels_always_has_room() {
    let (a, rx_a) = bounded(1);
    let (b, rx_b) = bounded(1);
    a.try_send(()).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Makes room in one channel before it fills the other.
            while !done.load(Ordering::Relaxed) {
                let _empty = rx_a.try_recv();
                let _full = b.try_send(());
                let _empty = rx_b.try_recv();
                let _full = a.try_send(());
            }
        });
        let _done = InTheEnd(&done);
        for round in 0..many(100_000) {
            let filled = select_blocking! {
                send(b, ()) -> _ => Some(&rx_b),
                send(a, ()) -> _ => Some(&rx_a),
                default => None,
            };
            match filled {
                Some(filled) => drop(filled.try_recv()),
                None => panic!("one of the two had room at any time, in round {round}"),
            }
        }
    });
}

#[test]
fn tasks_of_a_runtime_select_among_each_other() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let count = many(5000);
    let sum = runtime.block_on(async {
        let (a, rx_a) = bounded(0);
        let (b, rx_b) = bounded(1);
        let (stop, stopped) = bounded::<()>(0);
        let mut tasks = Vec::new();
        for _ in 0..4 {
            let (a, b) = (a.clone(), b.clone());
            tasks.push(tokio::spawn(async move {
                let mut sent = 0;
                for _ in 0..count {
                    select! { send(a, 1) -> x => x.unwrap(), send(b, 1) -> x => x.unwrap() }
                    sent += 1;
                }
                sent
            }));
        }
        let receivers: Vec<_> = (0..3)
            .map(|_| {
                let (rx_a, rx_b, stopped) = (rx_a.clone(), rx_b.clone(), stopped.clone());
                tokio::spawn(async move {
                    let mut sum = 0;
                    loop {
                        sum += select! {
                            recv(rx_a) -> value => value.unwrap(),
                            recv(rx_b) -> value => value.unwrap(),
                            recv(stopped) -> _ => break sum,
                        };
                    }
                })
            })
            .collect();
        let mut sent = 0;
        for task in tasks {
            sent += task.await.unwrap();
        }
        assert_eq!(sent, 4 * count);
        stop.close();
        let mut sum = values(&rx_b).len();
        for receiver in receivers {
            sum += receiver.await.unwrap();
        }
        sum
    });
    assert_eq!(sum, 4 * count);
}

// Large and long.

/// How long this takes.
fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

/// Whether the larger work takes no more than so many times as long. Others use the machine as well, so
/// it is asked again and again before it is believed not to.
#[track_caller]
fn assert_grows_at_most(factor: u32, smaller: impl Fn(), larger: impl Fn()) {
    let begun = Instant::now();
    let mut measured = Vec::new();
    while measured.len() < 30 && begun.elapsed() < Duration::from_secs(10) {
        let (small, large) = (timed(&smaller), timed(&larger));
        if large <= small * factor {
            return;
        }
        measured.push((small, large));
    }
    panic!("more than {factor} times as long: {measured:?}");
}

/// A select over so many channels parks, is served by one of them, and leaves the others; and so again.
fn many_channels(arms: usize) {
    let channels: Vec<_> = (0..arms).map(|_| bounded(0)).collect();
    for served in [0, arms / 2, arms - 1] {
        let mut select = Select::new();
        for (arm, (_, rx)) in channels.iter().enumerate() {
            select = select.recv(rx, move |value| (arm, value));
        }
        let mut select = parked(select);
        assert!(select.poll().is_pending());
        channels[served].0.try_send(served).unwrap();
        assert_eq!(select.poll(), Ready((served, Ok(served))));
    }
    let mut select = Select::new();
    for (_, rx) in &channels {
        select = select.recv(rx, |_| ());
    }
    assert_eq!(select.try_select(), None);
    assert!(channels.iter().all(|(_, rx)| rx.snapshot().recvq == 0));
}

/// Parks a select with so many arms on one channel, which is served once.
fn many_arms_on_one_channel(arms: usize) {
    let (tx, rx) = bounded(0);
    let mut select = Select::new();
    for arm in 0..arms {
        select = select.recv(&rx, move |value| (arm, value));
    }
    let mut select = parked(select);
    tx.try_send(1).unwrap();
    assert!(matches!(select.poll(), Ready((_, Ok(1)))));
}

/// The same with arms of both directions, which never meet each other.
fn many_arms_of_both_directions_on_one_channel(arms: usize) {
    let (tx, rx) = bounded(0);
    let mut select = Select::new();
    for _ in 0..arms / 2 {
        select = select.recv(&rx, |_| ()).send(&tx, 1, |_| ());
    }
    drop(parked(select));
}

#[test]
fn a_select_of_65_536_arms_parks_and_is_served_and_leaves_quickly() {
    let elapsed = timed(|| many_channels(65_536));
    assert!(elapsed < Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 }));
}

#[test]
fn a_select_of_65_536_arms_costs_each_no_more_than_one_of_few() {
    assert_grows_at_most(32, || many_channels(8192), || many_channels(65_536));
}

#[test]
fn the_cost_of_a_select_grows_with_its_arms_and_no_faster() {
    assert_grows_at_most(
        32,
        || many_arms_on_one_channel(2000),
        || many_arms_on_one_channel(16_000),
    );
    assert_grows_at_most(
        32,
        || many_arms_of_both_directions_on_one_channel(500),
        || many_arms_of_both_directions_on_one_channel(4000),
    );
}

/// So many selects wait at one popular channel and each at a quiet one of its own; then each is served
/// there, and at last the popular channel is used.
fn popular(selects: usize) {
    let (popular, populars) = bounded(0);
    let own: Vec<_> = (0..selects).map(|_| bounded(0)).collect();
    let mut parked: Vec<_> = own
        .iter()
        .map(|(_, own)| {
            let populars = &populars;
            parked(Box::pin(async move {
                select! { recv(populars) -> value => value, recv(own) -> value => value }
            }))
        })
        .collect();
    for (n, (tx, _)) in own.iter().enumerate().rev() {
        tx.try_send(n).unwrap();
        if n % 2 == 0 {
            assert_eq!(parked[n].poll(), Ready(Ok(n)));
        }
    }
    assert_eq!(popular.try_send(0), Err(TrySendError::Full(0)));
    for (n, select) in parked.iter_mut().enumerate() {
        if n % 2 == 1 {
            assert_eq!(select.poll(), Ready(Ok(n)));
        }
    }
    assert_eq!(populars.snapshot().recvq, 0);
}

#[test]
fn a_popular_channel_costs_each_select_no_more_than_a_quiet_one() {
    assert_grows_at_most(32, || popular(500), || popular(4000));
}

#[test]
fn a_select_that_waits_again_and_again_in_one_future_leaves_nothing() {
    let (tx, rx) = bounded(0);
    let (_quiet, quiet) = bounded::<()>(0);
    let mut select = parked(Box::pin(async {
        let mut sum = 0;
        loop {
            sum += select! {
                recv(rx) -> value => match value {
                    Ok(value) => value,
                    Err(RecvError) => break sum,
                },
                recv(quiet) -> _ => 0,
            };
        }
    }));
    let rounds = many(100_000);
    for _ in 0..rounds {
        tx.try_send(1).unwrap();
        assert!(select.poll().is_pending());
        assert_eq!(quiet.snapshot().recvq, 1);
    }
    drop(tx);
    assert_eq!(select.poll(), Ready(rounds));
    assert_eq!(quiet.snapshot().recvq, 0);
}

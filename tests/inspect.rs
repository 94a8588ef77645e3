//! What the registry shows, and that it can be looked at from anywhere, at any time.
#![cfg(all(feature = "inspect", feature = "sink"))]

mod support;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::panic::{self, Location};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures::{Sink, StreamExt};
use hchan::inspect::{self, Channel, Oldest, Operation, Origin, Wait};
use hchan::{Receiver, RecvSet, Select, Sender, bounded, never, unbounded};
use support::{handed, on_drop, on_wake, panic_of, parked, parked_with, poll_once, ready, waiting};

/// One test at a time: a dump shows twenty channels at most, whoever has made them.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());

    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The channel of this name, if it is there.
fn look(name: &str) -> Option<Channel> {
    let mut found = inspect::channels();
    found.retain(|channel| channel.name.as_deref() == Some(name));
    assert!(found.len() < 2, "{name} twice");
    found.pop()
}

#[track_caller]
fn find(name: &str) -> Channel {
    look(name).expect(name)
}

/// What the dump tells of the channel of this name.
fn told(name: &str) -> String {
    let dump = inspect::dump();
    let mut parts = dump.split("\n\n").skip(1);
    let part = parts.find(|part| part.contains(&format!(" {name:?} of ")));
    part.expect("shown").to_owned()
}

#[track_caller]
fn here() -> (u32, &'static str) {
    let here = Location::caller();
    (here.line(), here.file())
}

/// The one operation that waits.
#[track_caller]
fn only(waits: &Oldest<Wait>) -> (Operation, (u32, &'static str), bool, bool) {
    assert_eq!((waits.count, waits.first.len()), (1, 1));
    let wait = waits.first[0];
    let at = (wait.at.line(), wait.at.file());
    (wait.operation, at, wait.select, wait.blocking)
}

#[test]
fn an_operation_shows_where_it_was_called() {
    let _turn = turn();
    let (mut tx, mut rx) = bounded::<usize>(1);
    tx.set_name("operations");
    let recvs = || only(&find("operations").receives);
    let sends = || only(&find("operations").sends);

    let at = here();
    let task = parked(rx.recv());
    let line = at.0 + 1;
    assert_eq!(recvs(), (Operation::Recv, (line, at.1), false, false));
    drop(task);
    assert_eq!(find("operations").receives.count, 0);
    // What is called stands in the same statement, which may have several lines.
    macro_rules! shows {
        ($seen:ident, $operation:ident, $select:literal, $op:expr) => {
            match ($op, here()) {
                (_op, (line, file)) => {
                    let (operation, at, select, blocking) = $seen();
                    let wanted = (Operation::$operation, $select, false);
                    assert_eq!((operation, select, blocking), wanted);
                    assert!(at.1 == file && (line..line + 9).contains(&at.0), "{at:?}");
                }
            }
        };
    }
    shows!(recvs, Recv, false, parked(rx.next()));
    shows!(recvs, Recv, false, waiting(rx.recv_until(pending::<()>())));
    shows!(recvs, Recv, false, parked(rx.lease()));
    shows!(recvs, Recv, false, parked(rx.clone().recv_owned()));
    shows!(recvs, Recv, false, parked(rx.recv_many(&mut vec![], 2)));
    let mut out = vec![];
    shows!(
        recvs,
        Recv,
        false,
        waiting(async { out.push(rx.recv().await) })
    );
    shows!(
        recvs,
        Recv,
        true,
        waiting(async {
            hchan::select! { recv(rx) -> _ => () }
        })
    );
    shows!(recvs, Recv, true, parked(Select::new().recv(&rx, drop)));
    shows!(recvs, Recv, true, parked(hchan::recv_any([&rx])));
    let mut set = RecvSet::from_iter([rx.clone()]);
    shows!(recvs, Recv, true, parked(set.next()));
    shows!(recvs, Recv, true, parked(set.next()));
    let mut cx = Context::from_waker(Waker::noop());
    shows!(recvs, Recv, false, rx.poll_recv(&mut cx));
    rx.try_recv().unwrap_err();
    {
        let closes = || only(&find("operations").closes);
        shows!(closes, Closed, false, parked(tx.closed()));
        shows!(closes, Closed, false, parked(rx.closed()));
        shows!(closes, Closed, false, parked(tx.downgrade().closed()));
        shows!(closes, Closed, false, rx.clone().poll_closed(&mut cx));
    }
    assert_eq!(find("operations").closes.count, 0);

    tx.try_send(0).unwrap();
    shows!(sends, Send, false, parked(tx.send(1)));
    shows!(sends, Send, false, parked(tx.clone().send_owned(1)));
    shows!(sends, Reserve, false, parked(tx.clone().reserve_owned()));
    shows!(
        sends,
        Send,
        false,
        waiting(tx.send_until(1, pending::<()>()))
    );
    shows!(sends, Send, false, parked(tx.send_from(&mut Some(1))));
    shows!(
        sends,
        Send,
        false,
        parked(tx.send_many(&mut VecDeque::from([1])))
    );
    shows!(
        sends,
        Send,
        true,
        waiting(async {
            hchan::select! { send(tx, 1) -> _ => () }
        })
    );
    shows!(sends, Send, true, parked(Select::new().send(&tx, 1, drop)));
    shows!(sends, Reserve, false, parked(tx.reserve()));
    shows!(sends, Send, false, tx.poll_send(&mut cx, &mut Some(1)));
}

#[test]
fn a_stream_and_a_sink_show_where_the_handle_was_made() {
    let _turn = turn();
    let ((mut tx, mut rx), at) = (bounded::<usize>(0), here());
    tx.set_name("streams");
    let mut cx = Context::from_waker(Waker::noop());
    assert!(rx.poll_next_unpin(&mut cx).is_pending());
    assert_eq!(only(&find("streams").receives).1, at);
    let _none = rx.try_recv();
    Pin::new(&mut tx).start_send(1).unwrap();
    assert_eq!(only(&find("streams").sends).1, at);
    // Its channel is another then, which nobody receives from.
    rx.recv_blocking().unwrap();
    assert_eq!(Pin::new(&mut tx).poll_close(&mut cx), Poll::Ready(Ok(())));
    assert_eq!(find("streams").senders.count, 0);
}

#[test]
fn a_thread_that_waits_is_told_from_a_task() {
    let _turn = turn();
    let (tx, rx) = bounded::<usize>(0);
    tx.set_name("threads");
    thread::scope(|scope| {
        scope.spawn(|| rx.recv_blocking());
        while find("threads").receives.count == 0 {
            thread::yield_now();
        }
        let (operation, _, select, blocking) = only(&find("threads").receives);
        let told_of = told("threads");
        tx.try_send(1).unwrap();
        assert_eq!(
            (operation, select, blocking),
            (Operation::Recv, false, true)
        );
        assert!(told_of.contains("\n    recv on a thread, "));
        scope.spawn(|| hchan::select_blocking! { send(tx, 1) -> _ => () });
        while find("threads").sends.count == 0 {
            thread::yield_now();
        }
        let told_of = told("threads");
        assert_eq!(rx.try_recv(), Ok(1));
        assert!(told_of.contains("\n    send in a select on a thread, "));
    });
    let task = parked(rx.recv());
    assert!(!only(&find("threads").receives).3);
    drop(task);
}

#[test]
fn a_thread_shows_where_it_called() {
    let _turn = turn();
    const SHORT: Duration = Duration::from_secs(60);
    let at = here();
    let receives: [fn(&Receiver<usize>); 11] = [
        |rx| _ = rx.recv_blocking(),
        |rx| _ = rx.recv_blocking_timeout(SHORT),
        |rx| _ = rx.recv_blocking_deadline(Instant::now() + SHORT),
        |rx| drop(rx.lease_blocking()),
        |rx| _ = rx.recv_many_blocking(&mut vec![], 2),
        |rx| _ = rx.recv_many_blocking_timeout(&mut vec![], 2, SHORT),
        |rx| _ = rx.iter().next(),
        |rx| _ = hchan::recv_any_blocking([rx]),
        |rx| _ = RecvSet::from_iter([rx.clone()]).wait(),
        |rx| _ = RecvSet::from_iter([rx.clone()]).wait_timeout(SHORT),
        |rx| Select::new().recv(rx, drop).wait(),
    ];
    let sends: [fn(&Sender<usize>); 6] = [
        |tx| _ = tx.send_blocking(1),
        |tx| _ = tx.send_blocking_timeout(1, SHORT),
        |tx| _ = tx.send_blocking_deadline(1, Instant::now() + SHORT),
        |tx| _ = tx.send_many_blocking(&mut VecDeque::from([1])),
        |tx| _ = tx.send_many_blocking_timeout(&mut VecDeque::from([1]), SHORT),
        |tx| hchan::select_blocking! { send(tx, 1) -> _ => () },
    ];
    let end = here();
    let check = |waits: &Oldest<Wait>| {
        let (.., (line, file), _, blocking) = only(waits);
        assert!(blocking && file == at.1, "{file}:{line}");
        assert!((at.0..end.0).contains(&line), "{file}:{line}");
    };
    let wait_for = |waits: fn(&Channel) -> &Oldest<Wait>| {
        while waits(&find("blocked")).count == 0 {
            thread::yield_now();
        }
        check(waits(&find("blocked")));
    };
    let (tx, rx) = &bounded(0);
    tx.set_name("blocked");
    thread::scope(|scope| {
        for receive in receives {
            let thread = scope.spawn(move || receive(rx));
            wait_for(|channel| &channel.receives);
            tx.try_send(1).unwrap();
            thread.join().unwrap();
            drop(rx.drain());
        }
        for send in sends {
            let thread = scope.spawn(move || send(tx));
            wait_for(|channel| &channel.sends);
            rx.try_recv().unwrap();
            thread.join().unwrap();
        }
    });
}

#[test]
fn an_iterator_shows_where_its_loop_is() {
    let _turn = turn();
    let (tx, rx) = bounded::<usize>(0);
    tx.set_name("loops");
    thread::scope(|scope| {
        let at = here();
        scope.spawn(|| for _ in &rx {});
        while find("loops").receives.count == 0 {
            thread::yield_now();
        }
        let looped = only(&find("loops").receives).1;
        tx.close();
        assert!(looped.1 == at.1 && looped.0 - at.0 < 4);
    });
}

#[test]
fn handles_show_where_they_came_from_and_the_last_one_unlists_the_channel() {
    let _turn = turn();
    let ((tx, rx), made) = (bounded::<usize>(0), here());
    tx.set_name("handles");
    let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
    let (clone, cloned) = (tx.clone(), here());
    let (upgrade, upgraded) = (weak_tx.upgrade().unwrap(), here());
    let senders = || {
        let senders = find("handles").senders;
        let at = senders
            .first
            .iter()
            .map(|it| (it.origin, (it.at.line(), it.at.file())));
        at.collect::<Vec<_>>()
    };
    let all = [
        (Origin::Made, made),
        (Origin::Cloned, cloned),
        (Origin::Upgraded, upgraded),
    ];
    assert_eq!(senders(), all);
    drop(tx);
    assert_eq!(senders(), all[1..]);
    let again = clone.clone();
    assert_eq!((senders().len(), find("handles").receivers.count), (3, 1));
    drop((clone, upgrade, again));
    assert!(find("handles").snapshot.closed);
    let receiver = (rx.clone(), weak_rx.upgrade());
    assert_eq!(find("handles").receivers.count, 3);
    drop(rx);
    assert_eq!(find("handles").receivers.count, 2);
    drop(receiver);
    assert!(look("handles").is_none());
    assert!(weak_tx.upgrade().is_none() && weak_rx.upgrade().is_none());
}

#[test]
fn a_wakers_panic_as_the_last_handle_goes_leaves_nothing_behind() {
    let _turn = turn();
    let (tx, rx) = bounded::<usize>(0);
    tx.set_name("panics");
    let closed = parked_with(tx.closed(), on_wake(|| panic!("as the receiver goes")));
    assert_eq!(panic_of(|| drop(rx)), "as the receiver goes");
    assert_eq!(find("panics").receivers.count, 0);
    drop(closed);
    drop(tx);
    assert!(look("panics").is_none());
}

#[test]
fn the_counts_are_those_of_the_channel() {
    let _turn = turn();
    let (tx, rx) = bounded(4);
    tx.set_name("counts");
    for n in 0..3 {
        tx.try_send(n).unwrap();
    }
    rx.try_recv().unwrap();
    let permit = tx.try_reserve().unwrap();
    let channel = find("counts");
    assert_eq!(channel.snapshot, rx.snapshot());
    assert!(channel.type_name == "i32" && !channel.never);
    drop(permit);
    assert_eq!(find("counts").snapshot.permits, 0);
    rx.close();
    assert!(find("counts").snapshot.closed);

    let (tx, rx) = never::<u8>();
    tx.set_name("nothing");
    let _recv = parked(rx.recv());
    assert!(find("nothing").never);
    let (tx, rx) = unbounded::<u8>();
    let _shown = parked(rx.recv());
    tx.set_name("all");
    assert!(told("all").contains(" of u8, unbounded, made at "));
    assert_eq!(find("all").snapshot.dataqsiz, None);
}

#[test]
fn a_receive_that_was_handed_a_value_and_has_not_looked_is_shown() {
    let _turn = turn();
    let (tx, rx) = bounded(1);
    tx.set_name("handed");
    let recv = handed(&tx, &rx, 1);
    let channel = find("handed");
    assert_eq!((channel.receives.count, channel.woken.count), (0, 1));
    assert_eq!(
        (
            channel.snapshot.sent,
            channel.snapshot.unclaimed,
            channel.snapshot.received
        ),
        (1, 1, 0)
    );
    assert!(told("handed").contains("woken and not polled since, at tests/inspect.rs:"));
    drop(recv);
    let channel = find("handed");
    assert_eq!((channel.woken.count, channel.snapshot.unclaimed), (0, 0));
    assert_eq!((channel.snapshot.qcount, rx.try_recv()), (1, Ok(1)));
    assert_eq!(find("handed").snapshot.received, 1);
}

#[test]
fn of_many_the_oldest_are_shown() {
    let _turn = turn();
    let (tx, rx) = bounded::<usize>(0);
    tx.set_name("many");
    let mut recvs: Vec<_> = (0..30).map(|_| parked(rx.recv())).collect();
    let clones: Vec<_> = (0..30).map(|_| tx.clone()).collect();
    let channel = find("many");
    assert_eq!(
        (channel.receives.count, channel.receives.first.len()),
        (30, 20)
    );
    assert_eq!(
        (channel.senders.count, channel.senders.first.len()),
        (31, 20)
    );
    assert_eq!(channel.senders.first[0].origin, Origin::Made);
    assert!(channel.receives.first.is_sorted_by_key(|wait| wait.since));
    let told = told("many");
    assert!(told.contains("\n    and 10 more\n") && told.contains(", and 11 more\n"));
    recvs.drain(..15);
    assert_eq!(find("many").receives.first.len(), 15);
    drop((recvs, clones));
}

#[test]
fn the_one_who_has_waited_longest_is_shown_first() {
    let _turn = turn();
    let (a, rx_a) = bounded::<usize>(0);
    let (b, rx_b) = bounded::<usize>(0);
    a.set_name("later");
    b.set_name("sooner");
    let _later = parked(rx_b.recv());
    thread::sleep(Duration::from_millis(2));
    let _sooner = parked(rx_a.recv());
    let dump = inspect::dump();
    let [later, sooner] = ["later", "sooner"].map(|name| dump.find(name).unwrap());
    assert!(sooner < later);
}

#[test]
fn a_name_cannot_look_like_a_line() {
    let _turn = turn();
    let (tx, rx) = bounded::<usize>(0);
    let _shown = parked(rx.recv());
    tx.set_name("a\n\nchannel 1 \"b\" of u8\u{2028}\u{202e}\0");
    let dump = inspect::dump();
    let line = dump
        .lines()
        .find(|line| line.contains("channel 1 "))
        .unwrap();
    assert!(
        line.contains(r#" "a\n\nchannel 1 \"b\" of u8\u{2028}\u{202e}\0" of usize"#),
        "{line}"
    );
    tx.set_name(&"é".repeat(1 << 19));
    let name = inspect::channels().into_iter().filter_map(|it| it.name);
    assert!(name.into_iter().all(|name| name.len() <= 128));
    tx.set_name("ends");
    assert!(told("ends").contains(" \"ends\" of usize, "));
}

#[test]
fn a_type_of_a_megabyte_is_cut() {
    let _turn = turn();
    struct AnEntirelyInnocentLookingNameOfATypeThatIsLong<T>(std::marker::PhantomData<T>);
    type One<T> = (T, T, T, T, T, T, T, T);
    type Two<T> = One<One<T>>;
    type Long = Two<Two<AnEntirelyInnocentLookingNameOfATypeThatIsLong<u8>>>;
    let (tx, rx) = bounded::<*const Long>(0);
    let _shown = parked(rx.recv());
    tx.set_name("long");
    let length = find("long").type_name.len();
    assert!(length > 300_000, "{length}");
    assert!(told("long").len() < 1000);
}

#[test]
fn a_hundred_thousand_channels_are_no_trouble() {
    let _turn = turn();
    let begin = Instant::now();
    let mut channels: Vec<_> = (0..100_000).map(|_| unbounded::<u8>()).collect();
    let dump = inspect::dump();
    assert!(dump.len() < 100_000 && dump.lines().last().unwrap().ends_with(" channels more"));
    channels.truncate(50_000);
    assert!(inspect::channels().len() >= 50_000);
    drop(channels);
    assert!(begin.elapsed() < Duration::from_secs(60));
}

/// How soon says `cargo test --release --all-features --test inspect -- --nocapture ten_thousand`: in 10 to 15 ms on
/// a machine with two processors.
#[test]
fn ten_thousand_channels_with_ten_waits_each_are_soon_dumped() {
    let _turn = turn();
    let channels: Vec<_> = (0..10_000).map(|_| bounded::<u8>(0)).collect();
    let waits = channels
        .iter()
        .flat_map(|(_, rx)| (0..10).map(|_| parked(rx.recv())));
    let waits: Vec<_> = waits.collect();
    let begin = Instant::now();
    let dump = inspect::dump();
    println!("{:?}", begin.elapsed());
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert!(dump.len() < 100_000);
    drop(waits);
}

#[test]
fn no_channel_is_shown_half_changed_while_all_are_busy() {
    let _turn = turn();
    let stop = AtomicBool::new(false);
    let (tx, rx) = bounded::<usize>(1);
    tx.set_name("busy");
    thread::scope(|scope| {
        for _ in 0..2 {
            let (tx, rx) = (tx.clone(), rx.clone());
            scope.spawn({
                let stop = &stop;
                move || {
                    while !stop.load(Ordering::Relaxed) {
                        let _sent = tx.send_blocking_timeout(1, Duration::from_micros(50));
                        let _clone = tx.clone();
                    }
                }
            });
            scope.spawn({
                let stop = &stop;
                move || {
                    while !stop.load(Ordering::Relaxed) {
                        let _received = rx.recv_blocking_timeout(Duration::from_micros(50));
                        let _given_up = poll_once(Box::pin(rx.recv()));
                    }
                }
            });
        }
        let looks = [(); 2].map(|()| {
            scope.spawn(|| {
                for _ in 0..300 {
                    let it = find("busy");
                    let (inside, recvs, sends) =
                        (it.snapshot.qcount, it.receives.count, it.sends.count);
                    assert!(inside == 0 || recvs == 0, "{it:?}");
                    assert!(sends == 0 || inside > 0 && recvs == 0, "{it:?}");
                    assert!(it.woken.count >= it.snapshot.unclaimed, "{it:?}");
                    assert_eq!(
                        it.snapshot.sent,
                        it.snapshot.received + (inside + it.snapshot.unclaimed) as u64
                    );
                    assert!(it.senders.count > 0 && !it.snapshot.closed);
                    assert!(inspect::dump().contains("\"busy\""));
                }
            })
        });
        let looked = looks.map(thread::ScopedJoinHandle::join);
        stop.store(true, Ordering::Relaxed);
        assert!(looked.into_iter().all(|looked| looked.is_ok()));
    });
}

#[test]
fn a_dump_can_be_made_by_wakers_and_destructors() {
    let _turn = turn();
    static DUMPS: AtomicUsize = AtomicUsize::new(0);

    fn dump() {
        assert!(inspect::dump().contains("\"anywhere\""));
        DUMPS.fetch_add(1, Ordering::Relaxed);
    }

    struct Dumps;

    impl Drop for Dumps {
        fn drop(&mut self) {
            dump();
        }
    }

    let (tx, rx) = bounded(1);
    tx.set_name("anywhere");
    let recv = parked_with(rx.recv(), on_wake(dump));
    tx.try_send(Dumps).unwrap();
    assert_eq!(DUMPS.load(Ordering::Relaxed), 1);
    drop(ready(recv));
    assert_eq!(DUMPS.load(Ordering::Relaxed), 2);
    let recv = parked_with(rx.recv(), on_drop(dump));
    drop(recv);
    assert_eq!(DUMPS.load(Ordering::Relaxed), 3);
    tx.try_send(Dumps).unwrap();
    // The last receiver drops what is inside.
    drop(rx);
    assert_eq!(DUMPS.load(Ordering::Relaxed), 4);

    thread_local! {
        static LATE: RefCell<Option<Dumps>> = const { RefCell::new(None) };
    }
    thread::spawn(|| LATE.set(Some(Dumps))).join().unwrap();
    assert_eq!(DUMPS.load(Ordering::Relaxed), 5);
    drop(tx);
}

#[test]
fn a_dump_can_be_made_by_a_panic_hook() {
    let _turn = turn();
    let dumps = Arc::new(Mutex::new(Vec::new()));
    let before = panic::take_hook();
    panic::set_hook(Box::new({
        let dumps = dumps.clone();
        move |info| {
            dumps.lock().unwrap().push(inspect::dump());
            before(info);
        }
    }));
    let (tx, rx) = bounded::<usize>(0);
    tx.set_name("hooked");
    let recv = parked_with(rx.recv(), on_wake(|| panic!("expected, of a waker")));
    assert_eq!(panic_of(|| tx.try_send(1)), "expected, of a waker");
    drop(panic::take_hook());
    let dumps = dumps.lock().unwrap();
    assert!(dumps.iter().any(|dump| dump.contains("\"hooked\"")));
    drop(recv);
}

#[test]
fn an_arm_that_lost_is_gone() {
    let _turn = turn();
    let (a, rx_a) = bounded::<usize>(0);
    let (b, rx_b) = bounded::<usize>(0);
    a.set_name("won");
    b.set_name("lost");
    let mut select = waiting(async {
        hchan::select! {
            recv(rx_a) -> _ => "won",
            recv(rx_b) -> _ => "lost",
        }
    });
    assert_eq!(find("lost").receives.count, 1);
    a.try_send(1).unwrap();
    // It was served elsewhere, and has not looked yet.
    assert_eq!(
        (find("won").woken.count, find("lost").receives.count),
        (1, 1)
    );
    assert_eq!(select.poll(), Poll::Ready("won"));
    let counts = ["won", "lost"]
        .map(find)
        .map(|it| it.receives.count + it.woken.count);
    assert_eq!(counts, [0, 0]);
}

#[test]
fn a_crowd_that_has_gone_leaves_nothing_that_is_looked_at() {
    let _turn = turn();
    let (tx, rx) = bounded::<usize>(0);
    tx.set_name("crowd");
    let crowd: Vec<_> = (0..10_000).map(|_| parked(rx.recv())).collect();
    assert_eq!(find("crowd").receives.count, 10_000);
    drop(crowd);
    assert_eq!(find("crowd").receives.count, 0);
    let _recv = parked(rx.recv());
    assert_eq!(find("crowd").receives.count, 1);
}

// Runs that end, and those that do not.

/// The message of the panic in which a run ends.
fn asleep(main: impl AsyncFnOnce(&inspect::Tasks)) -> String {
    let message = panic_of(|| inspect::run(main));
    assert!(
        message.starts_with("all tasks are asleep - deadlock!\n\n"),
        "{message}"
    );
    message
}

#[test]
fn two_that_send_to_each_other_are_asleep() {
    let _turn = turn();
    let message = asleep(async |tasks| {
        let (a, from_a) = bounded(0);
        let (b, from_b) = bounded(0);
        a.set_name("there");
        b.set_name("back");
        tasks.spawn(async move {
            a.send(1).await.unwrap();
            from_b.recv().await.unwrap();
        });
        b.send(1).await.unwrap();
        from_a.recv().await.unwrap();
    });
    assert!(message.contains("\"there\"") && message.contains("\"back\""));
    assert!(message.matches("\n    send, ").count() >= 2);
}

#[test]
fn a_forgotten_clone_is_found() {
    let _turn = turn();
    let message = asleep(async |tasks| {
        let (tx, rx) = bounded(4);
        tx.set_name("forgotten");
        for n in 0..3 {
            let tx = tx.clone();
            tasks.spawn(async move { tx.send(n).await.unwrap() });
        }
        while rx.recv().await.is_ok() {}
        drop(tx);
    });
    assert!(message.contains("    still open: 1 sender: made at tests/inspect.rs:"));
}

#[test]
fn an_idle_stream_is_found() {
    let _turn = turn();
    let message = asleep(async |_| {
        let (tx, mut idle) = bounded(1);
        tx.set_name("idle");
        let rx = idle.clone();
        poll_fn(|cx| {
            assert!(idle.poll_next_unpin(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        tx.send(1).await.unwrap();
        rx.recv().await.unwrap();
        drop(idle);
    });
    assert!(message.contains("woken and not polled since"));
}

#[test]
fn a_select_and_many_tasks_are_seen_asleep() {
    let _turn = turn();
    asleep(async |tasks| {
        let (tx, rx) = bounded::<usize>(0);
        let other = bounded::<usize>(0);
        for _ in 0..10 {
            let (rx, other) = (rx.clone(), other.1.clone());
            tasks.spawn(async move {
                hchan::select! {
                    recv(rx) -> _ => (),
                    recv(other) -> _ => (),
                    future(pending()) -> () => (),
                }
            });
        }
        drop(rx);
        tx.closed().await;
        drop(other);
    });
}

#[test]
fn a_run_ends_with_its_first_task() {
    let _turn = turn();
    let sum = inspect::run(async |tasks| {
        let (tx, rx) = bounded(0);
        tasks.spawn(pending());
        for n in 1..=10 {
            let tx = tx.clone();
            tasks.spawn(async move { tx.send(n).await.unwrap() });
        }
        drop(tx);
        let mut sum = 0;
        while let Ok(n) = rx.recv().await {
            sum += n;
        }
        sum
    });
    assert_eq!(sum, 55);
}

/// Is woken by a thread, after a while.
async fn after_a_while() {
    let mut woken = None;
    poll_fn(|cx| match &woken {
        None => {
            let (set, waker) = (Arc::new(AtomicBool::new(false)), cx.waker().clone());
            woken = Some(set.clone());
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(60));
                set.store(true, Ordering::Relaxed);
                waker.wake();
            });
            Poll::Pending
        }
        Some(set) if set.load(Ordering::Relaxed) => Poll::Ready(()),
        Some(_) => Poll::Pending,
    })
    .await;
}

#[test]
fn a_run_waits_for_wakers_that_are_elsewhere() {
    let _turn = turn();
    inspect::run(async |tasks| {
        after_a_while().await;
        let (tx, rx) = bounded(0);
        tasks.spawn(async move {
            after_a_while().await;
            tx.send(1).await.unwrap();
        });
        assert_eq!(rx.recv().await, Ok(1));
    });
}

#[cfg(feature = "time")]
#[test]
fn the_crates_timers_count_as_pending_until_they_have_fired() {
    let _turn = turn();
    inspect::run(async |_| {
        let timer = hchan::after(Duration::from_millis(60));
        timer.recv().await.unwrap();
        let ticker = hchan::tick(Duration::from_millis(5));
        ticker.recv().await.unwrap();
        hchan::select! {
            recv(timer) -> _ => unreachable!("it has fired"),
            recv(ticker) -> _ => (),
        }
    });
    let message = asleep(async |_| {
        let timer = hchan::after(Duration::from_millis(1));
        timer.recv().await.unwrap();
        timer.recv().await.unwrap();
    });
    assert!(message.contains("of std::time::Instant"));
}

//! The promise to executors: each completion is one wake, and a waker may do what it likes.

mod support;

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::Poll::{Pending, Ready};
use std::task::Waker;

use futures::future::{FusedFuture, FutureExt};
use hchan::{
    ClosedFuture, Receiver, RecvError, RecvFuture, RecvSet, Select, SendError, SendFuture, Sender,
    TryRecvError, bounded, recv_any,
};
use support::{
    Drops, Task, each_capacity, each_limit, fill, handed, on_drop, on_wake, panic_of, parked,
    parked_with, poll_once, poll_with, ready, values,
};

/// Whatever it has come to.
fn ignore<T>(_result: T) {}

/// An operation that had to wait, of whatever kind.
type Wait<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// What an operation needs.
struct Ends {
    tx: Sender<u8>,
    rx: Receiver<u8>,
    set: RecvSet<u8>,
    slot: Option<u8>,
    items: VecDeque<u8>,
    out: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Awaits {
    Value,
    Room,
    Close,
}

type Make = for<'a> fn(&'a mut Ends) -> Wait<'a>;

const WAITS: [(&str, Awaits, Make); 18] = [
    ("recv", Awaits::Value, |ends| {
        Box::pin(ends.rx.recv().map(ignore))
    }),
    ("recv_many", Awaits::Value, |ends| {
        Box::pin(ends.rx.recv_many(&mut ends.out, 9).map(ignore))
    }),
    ("next", Awaits::Value, |ends| {
        Box::pin(ends.rx.next().map(ignore))
    }),
    ("poll_recv", Awaits::Value, |ends| {
        let mut rx = ends.rx.clone();
        Box::pin(poll_fn(move |cx| rx.poll_recv(cx)).map(ignore))
    }),
    ("send", Awaits::Room, |ends| {
        Box::pin(ends.tx.send(1).map(ignore))
    }),
    ("send_from", Awaits::Room, |ends| {
        Box::pin(ends.tx.send_from(&mut ends.slot).map(ignore))
    }),
    ("send_many", Awaits::Room, |ends| {
        Box::pin(ends.tx.send_many(&mut ends.items).map(ignore))
    }),
    ("poll_send", Awaits::Room, |ends| {
        let mut tx = ends.tx.clone();
        Box::pin(poll_fn(move |cx| tx.poll_send(cx, &mut ends.slot)).map(ignore))
    }),
    ("reserve", Awaits::Room, |ends| {
        Box::pin(ends.tx.reserve().map(ignore))
    }),
    ("poll_reserve", Awaits::Room, |ends| {
        let mut tx = ends.tx.clone();
        Box::pin(poll_fn(move |cx| tx.poll_reserve(cx)).map(ignore))
    }),
    ("lease", Awaits::Value, |ends| {
        Box::pin(ends.rx.lease().map(ignore))
    }),
    ("a select's recv", Awaits::Value, |ends| {
        Box::pin(Select::new().recv(&ends.rx, ignore))
    }),
    ("a select's send", Awaits::Room, |ends| {
        Box::pin(Select::new().send(&ends.tx, 1, ignore))
    }),
    ("recv_any", Awaits::Value, |ends| {
        Box::pin(recv_any([&ends.rx]).map(ignore))
    }),
    ("RecvSet", Awaits::Value, |ends| {
        Box::pin(ends.set.next().map(ignore))
    }),
    ("Sender::closed", Awaits::Close, |ends| {
        Box::pin(ends.tx.closed())
    }),
    ("Receiver::closed", Awaits::Close, |ends| {
        Box::pin(ends.rx.closed())
    }),
    ("poll_closed", Awaits::Close, |ends| {
        let mut rx = ends.rx.clone();
        Box::pin(poll_fn(move |cx| rx.poll_closed(cx)))
    }),
];

/// Runs a test on each kind of operation, with the call that lets it proceed.
fn each_wait(test: impl Fn(&str, Wait<'_>, &dyn Fn())) {
    for (name, awaits, make) in WAITS {
        let (tx, rx) = bounded(1);
        let mut ends = Ends {
            tx: tx.clone(),
            rx: rx.clone(),
            set: RecvSet::from_iter([rx.clone()]),
            slot: Some(1),
            items: VecDeque::from([1]),
            out: Vec::new(),
        };
        if let Awaits::Room = awaits {
            tx.try_send(0).unwrap();
        }
        let proceed = || match awaits {
            Awaits::Value => assert_eq!(tx.try_send(1), Ok(())),
            Awaits::Room => assert_eq!(rx.try_recv(), Ok(0)),
            Awaits::Close => assert!(rx.close()),
        };
        test(name, make(&mut ends), &proceed);
    }
}

// One completion is one wake.

#[test]
fn a_completed_operation_is_woken_once_and_its_next_poll_is_ready() {
    each_wait(|name, wait, proceed| {
        let mut wait = parked(wait);
        assert_eq!(wait.wakes(), 0, "{name}");
        proceed();
        assert_eq!(wait.wakes(), 1, "{name}");
        assert_eq!(wait.poll(), Ready(()), "{name}");
        assert_eq!(wait.wakes(), 1, "{name}");
    });
}

#[test]
fn an_operation_that_need_not_wait_is_not_woken() {
    each_wait(|name, wait, proceed| {
        let mut wait = Task::new(wait);
        proceed();
        assert_eq!(wait.poll(), Ready(()), "{name}");
        assert_eq!((wait.wakes(), wait.wakers()), (0, 0), "{name}");
    });
}

#[test]
fn a_spurious_poll_changes_nothing() {
    each_wait(|name, wait, proceed| {
        let mut wait = parked(wait);
        for _ in 0..1000 {
            assert!(wait.poll().is_pending(), "{name}");
        }
        assert_eq!((wait.wakes(), wait.wakers()), (0, 1), "{name}");
        proceed();
        assert_eq!((wait.wakes(), wait.poll()), (1, Ready(())), "{name}");
    });
}

#[test]
fn a_spurious_poll_takes_no_second_place() {
    each_limit(|_, tx, rx| {
        let mut recv = parked(rx.recv());
        assert!(recv.poll().is_pending());
        assert_eq!(rx.snapshot().recvq, 1);
        drop(recv);
        let next = fill(&tx, 0);
        let mut send = parked(tx.send(next));
        assert!(send.poll().is_pending());
        assert_eq!(rx.snapshot().sendq, 1);
    });
}

#[test]
fn each_send_wakes_one_parked_receive() {
    each_capacity(|_, tx, rx| {
        let recvs: Vec<_> = (0..10).map(|_| parked(rx.recv())).collect();
        for sent in 1..=10 {
            tx.try_send(sent).unwrap();
            assert_eq!(recvs.iter().map(Task::wakes).sum::<usize>(), sent);
        }
        assert!(recvs.iter().all(|recv| recv.wakes() == 1));
    });
}

#[test]
fn several_sends_wake_a_parked_receive_once() {
    each_capacity(|_, mut tx, rx| {
        let mut recv = handed(&tx, &rx, 1);
        let mut item = Some(2);
        let _maybe_staged = poll_once(poll_fn(|cx| tx.poll_send(cx, &mut item)));
        let _maybe_parked = poll_once(tx.send(3));
        assert_eq!(recv.wakes(), 1);
        assert_eq!(recv.poll(), Ready(Ok(1)));
        assert_eq!(recv.wakes(), 1);
    });
}

#[test]
fn close_wakes_each_parked_operation_once() {
    each_limit(|_, tx: Sender<u8>, rx| {
        let recvs = [(); 3].map(|()| parked(rx.recv()));
        let watch = [parked(tx.closed()), parked(rx.closed())];
        tx.close();
        tx.close();
        assert_eq!(recvs.each_ref().map(Task::wakes), [1, 1, 1]);
        assert_eq!(watch.each_ref().map(Task::wakes), [1, 1]);
    });
    each_limit(|capacity, tx, rx| {
        let next = fill(&tx, 0);
        let sends = [(); 3].map(|()| parked(tx.send(next)));
        let reserves = if capacity > 0 { 3 } else { 0 };
        let reserves: Vec<_> = (0..reserves).map(|_| parked(tx.reserve())).collect();
        rx.close();
        drop(rx);
        assert_eq!(sends.each_ref().map(Task::wakes), [1, 1, 1]);
        assert!(reserves.iter().all(|reserve| reserve.wakes() == 1));
    });
}

// The newest waker is the one that is woken, and none is kept for longer than needed.

#[test]
fn a_poll_with_another_waker_replaces_the_old_one() {
    each_wait(|name, wait, proceed| {
        let mut wait = parked(wait);
        let old = wait.change_waker();
        assert_eq!(Arc::strong_count(&old), 2, "{name}");
        assert!(wait.poll().is_pending(), "{name}");
        assert_eq!(Arc::strong_count(&old), 1, "{name}: the old one is kept");
        assert_eq!(wait.wakers(), 1, "{name}");
        proceed();
        assert_eq!((old.count(), wait.wakes()), (0, 1), "{name}");
        assert_eq!(wait.poll(), Ready(()), "{name}");
    });
}

#[test]
fn a_waker_that_was_replaced_may_come_back() {
    each_wait(|name, wait, proceed| {
        let mut wait = parked(wait);
        let first = wait.change_waker();
        assert!(wait.poll().is_pending(), "{name}");
        let second = wait.change_waker();
        let again = poll_with(wait.future(), &Waker::from(first.clone()));
        assert!(again.is_pending(), "{name}");
        proceed();
        assert_eq!((first.count(), second.count()), (1, 0), "{name}");
    });
}

#[test]
fn a_parked_operation_keeps_one_clone_of_its_waker_and_a_completed_one_none() {
    each_wait(|name, wait, proceed| {
        let mut wait = parked(wait);
        assert_eq!(wait.wakers(), 1, "{name}");
        proceed();
        assert_eq!(wait.wakers(), 0, "{name}: kept after its wake");
        assert_eq!(wait.poll(), Ready(()), "{name}");
        assert_eq!(wait.wakers(), 0, "{name}: kept after it was ready");
    });
}

#[test]
fn a_dropped_operation_leaves_no_waker_behind() {
    each_wait(|name, wait, proceed| {
        let mut wait = parked(wait);
        let waker = wait.change_waker();
        drop(wait);
        assert_eq!(Arc::strong_count(&waker), 1, "{name}");
        proceed();
        assert_eq!(waker.count(), 0, "{name}");
    });
}

#[test]
fn a_cancelled_send_leaves_no_waker_behind() {
    let (tx, _rx) = bounded(0);
    let mut send = parked(tx.send(1));
    assert_eq!(send.future().cancel(), Some(1));
    assert_eq!((send.wakers(), send.wakes()), (0, 0));
}

#[test]
fn ten_thousand_cancelled_receives_leave_nothing_to_wake() {
    each_capacity(|_, tx, rx| {
        let waker = Arc::<support::Wakes>::default();
        for _ in 0..10_000 {
            drop(parked_with(rx.recv(), Waker::from(waker.clone())));
        }
        assert_eq!(Arc::strong_count(&waker), 1);
        let recv = parked(rx.recv());
        tx.try_send(1).unwrap();
        assert_eq!((waker.count(), recv.wakes()), (0, 1));
    });
}

#[test]
fn a_handle_that_is_dropped_takes_its_waker_along() {
    each_limit(|_, tx, rx| {
        let mut handle = rx.clone();
        let mut recv = parked(poll_fn(|cx| handle.poll_recv(cx)));
        let waker = recv.change_waker();
        drop(recv);
        assert_eq!(Arc::strong_count(&waker), 2, "the handle keeps its place");
        drop(handle);
        assert_eq!(Arc::strong_count(&waker), 1);

        let mut item = Some(fill(&tx, 0));
        let mut handle = tx.clone();
        let mut send = parked(poll_fn(|cx| handle.poll_send(cx, &mut item)));
        let waker = send.change_waker();
        drop(send);
        assert_eq!(Arc::strong_count(&waker), 2, "the handle keeps its place");
        drop(handle);
        assert_eq!(Arc::strong_count(&waker), 1);
    });
}

// A future that was ready is over.

#[test]
fn a_future_polled_after_it_was_ready_panics_and_says_which() {
    fn over<F: FusedFuture + Unpin>(mut future: F, name: &str) {
        assert!(!future.is_terminated(), "{name}");
        assert!(poll_once(&mut future).is_ready(), "{name}");
        assert!(future.is_terminated(), "{name}");
        let message = panic_of(|| poll_once(&mut future).is_ready());
        assert!(message.contains(name), "{name}: {message}");
    }
    for closed in [false, true] {
        let (tx, rx) = bounded(9);
        let (mut slot, mut items, mut out) = (Some(1), VecDeque::from([1]), Vec::new());
        let late = tx.clone();
        if closed {
            tx.close();
        }
        over(tx.send(1), "SendFuture");
        over(tx.send_from(&mut slot), "SendFromFuture");
        over(tx.send_many(&mut items), "SendManyFuture");
        over(tx.reserve(), "ReserveFuture");
        over(rx.recv(), "RecvFuture");
        over(rx.clone().next(), "NextFuture");
        over(rx.recv_many(&mut out, 9), "RecvManyFuture");
        over(rx.recv_many(&mut out, 0), "RecvManyFuture");
        late.close();
        over(tx.closed(), "ClosedFuture");
    }
}

#[test]
fn a_parked_future_is_not_terminated_before_it_was_ready() {
    fn over<F: FusedFuture + Unpin>(future: F, proceed: impl FnOnce()) {
        let mut task = parked(future);
        assert!(!task.future().is_terminated());
        proceed();
        assert!(!task.future().is_terminated());
        assert!(task.poll().is_ready());
        assert!(task.future().is_terminated());
    }
    each_limit(|capacity, tx, rx| {
        over(rx.clone().next(), || assert_eq!(tx.try_send(1), Ok(())));
        let (mut slot, mut items, mut out) = (Some(1), VecDeque::from([1]), Vec::new());
        let give = || assert_eq!(tx.try_send(1), Ok(()));
        let take = || assert!(rx.try_recv().is_ok());
        over(rx.recv(), give);
        over(rx.recv_many(&mut out, 9), give);
        fill(&tx, 0);
        over(tx.send(1), take);
        over(tx.send_from(&mut slot), take);
        over(tx.send_many(&mut items), take);
        if capacity > 0 {
            over(tx.reserve(), take);
        }
        over(tx.closed(), || assert!(rx.close()));
    });
}

// Wakers that come back to the channel.

/// What the code of a waker may do to the channel.
type Visit = fn(&Sender<u8>, &Receiver<u8>);

const VISITS: [Visit; 16] = [
    |tx, _| ignore(tx.try_send(9)),
    |tx, _| ignore(poll_once(tx.send(9))),
    |tx, _| ignore(poll_once(tx.send_many(&mut VecDeque::from([8, 9])))),
    |tx, _| ignore(tx.force_send(9)),
    |tx, _| ignore(has_slots(tx).then(|| drop(tx.try_reserve()))),
    |tx, _| ignore(has_slots(tx).then(|| drop(poll_once(tx.reserve())))),
    |_, rx| ignore(rx.try_recv()),
    |_, rx| ignore(poll_once(rx.recv())),
    |_, rx| ignore(poll_once(rx.recv_many(&mut Vec::new(), 9))),
    |_, rx| ignore(rx.try_recv_many(&mut Vec::new(), 9)),
    |_, rx| ignore(rx.drain()),
    |tx, _| ignore(poll_once(tx.closed())),
    |tx, _| ignore(tx.close()),
    |tx, rx| ignore((tx.len(), rx.is_full(), rx.snapshot())),
    |tx, rx| ignore(format!("{tx:?} {rx:?}")),
    |tx, rx| {
        ignore((
            tx.clone(),
            rx.clone(),
            tx.downgrade().upgrade(),
            rx.downgrade(),
        ))
    },
];

fn has_slots(tx: &Sender<u8>) -> bool {
    tx.capacity() != Some(0)
}

/// A way to wake a waker: the channel's capacity, and what is inside if the waker panics.
struct Path {
    name: &'static str,
    capacity: usize,
    left: &'static [u8],
    wake: fn(&Sender<u8>, &Receiver<u8>, Waker),
}

const fn path(
    name: &'static str,
    capacity: usize,
    left: &'static [u8],
    wake: fn(&Sender<u8>, &Receiver<u8>, Waker),
) -> Path {
    Path {
        name,
        capacity,
        left,
        wake,
    }
}

const PATHS: [Path; 28] = [
    path("send to a receive", 0, &[1], |tx, rx, waker| {
        let _recv = parked_with(rx.recv(), waker);
        ignore(poll_once(tx.send(1)));
    }),
    path("try_send to a receive", 1, &[1], |tx, rx, waker| {
        let _recv = parked_with(rx.recv(), waker);
        ignore(tx.try_send(1));
    }),
    path("send_from to a receive", 1, &[1], |tx, rx, waker| {
        let _recv = parked_with(rx.recv(), waker);
        ignore(poll_once(tx.send_from(&mut Some(1))));
    }),
    path("send_many to a receive", 1, &[1, 2], |tx, rx, waker| {
        let _recv = parked_with(rx.recv(), waker);
        ignore(poll_once(tx.send_many(&mut VecDeque::from([1, 2]))));
    }),
    path("poll_send to a receive", 1, &[1], |tx, rx, waker| {
        let _recv = parked_with(rx.recv(), waker);
        let (mut tx, mut item) = (tx.clone(), Some(1));
        ignore(poll_once(poll_fn(|cx| tx.poll_send(cx, &mut item))));
    }),
    path("force_send to a receive", 0, &[1], |tx, rx, waker| {
        let _recv = parked_with(rx.recv(), waker);
        ignore(tx.force_send(1));
    }),
    path("a permit to a receive", 1, &[1], |tx, rx, waker| {
        let _recv = parked_with(rx.recv(), waker);
        ignore(tx.try_reserve().unwrap().send(1));
    }),
    path("try_send to a recv_many", 1, &[1], |tx, rx, waker| {
        let mut out = Vec::new();
        let _recv = parked_with(rx.recv_many(&mut out, 9), waker);
        ignore(tx.try_send(1));
    }),
    path("try_send to a handle", 1, &[1], |tx, rx, waker| {
        let mut handle = rx.clone();
        ignore(parked_with(poll_fn(|cx| handle.poll_recv(cx)), waker));
        ignore(tx.try_send(1));
    }),
    path("recv from a send", 0, &[1], |tx, rx, waker| {
        let _send = parked_with(tx.send(1), waker);
        ignore(poll_once(rx.recv()));
    }),
    path("poll_recv from a send", 0, &[1], |tx, rx, waker| {
        let _send = parked_with(tx.send(1), waker);
        let mut handle = rx.clone();
        ignore(poll_once(poll_fn(|cx| handle.poll_recv(cx))));
    }),
    path("recv lets a send in", 1, &[0, 1], |tx, rx, waker| {
        tx.try_send(0).unwrap();
        let _send = parked_with(tx.send(1), waker);
        ignore(poll_once(rx.recv()));
    }),
    path("try_recv lets a send in", 1, &[0, 1], |tx, rx, waker| {
        tx.try_send(0).unwrap();
        let mut slot = Some(1);
        let _send = parked_with(tx.send_from(&mut slot), waker);
        ignore(rx.try_recv());
    }),
    path(
        "try_recv lets a reservation in",
        1,
        &[0],
        |tx, rx, waker| {
            tx.try_send(0).unwrap();
            let _reserve = parked_with(tx.reserve(), waker);
            ignore(rx.try_recv());
        },
    ),
    path(
        "recv_blocking lets a send in",
        1,
        &[0, 1],
        |tx, rx, waker| {
            tx.try_send(0).unwrap();
            let _send = parked_with(tx.send(1), waker);
            ignore(rx.recv_blocking());
        },
    ),
    path("recv_many lets a send in", 1, &[1], |tx, rx, waker| {
        tx.try_send(0).unwrap();
        let _send = parked_with(tx.send(1), waker);
        ignore(poll_once(rx.recv_many(&mut Vec::new(), 1)));
    }),
    path("try_recv_many lets a send in", 1, &[1], |tx, rx, waker| {
        tx.try_send(0).unwrap();
        let _send = parked_with(tx.send(1), waker);
        ignore(rx.try_recv_many(&mut Vec::new(), 1));
    }),
    path(
        "a handle gives a value up to a receive",
        0,
        &[1],
        |tx, rx, waker| {
            let mut handle = rx.clone();
            ignore(parked(poll_fn(|cx| handle.poll_recv(cx))));
            let _recv = parked_with(rx.recv(), waker);
            tx.try_send(1).unwrap();
            ignore(handle.try_recv());
        },
    ),
    path(
        "a dropped permit lets a send in",
        1,
        &[1],
        |tx, _, waker| {
            let permit = tx.try_reserve().unwrap();
            let _send = parked_with(tx.send(1), waker);
            drop(permit);
        },
    ),
    path(
        "a dropped reservation lets a send in",
        1,
        &[1],
        |tx, rx, waker| {
            tx.try_send(0).unwrap();
            let reserve = parked(tx.reserve());
            let _send = parked_with(tx.send(1), waker);
            rx.try_recv().unwrap();
            drop(reserve);
        },
    ),
    path(
        "a dropped receive passes its value on",
        0,
        &[1],
        |tx, rx, waker| {
            let first = parked(rx.recv());
            let _second = parked_with(rx.recv(), waker);
            tx.try_send(1).unwrap();
            drop(first);
        },
    ),
    path(
        "a dropped handle passes its value on",
        0,
        &[1],
        |tx, rx, waker| {
            let mut handle = rx.clone();
            ignore(parked(poll_fn(|cx| handle.poll_recv(cx))));
            let _second = parked_with(rx.recv(), waker);
            tx.try_send(1).unwrap();
            drop(handle);
        },
    ),
    path(
        "a value comes back after close",
        0,
        &[1],
        |tx, rx, waker| {
            let first = handed(tx, rx, 1);
            tx.close();
            let _second = parked_with(rx.recv(), waker);
            drop(first);
        },
    ),
    // Where the waker panics, another receive has been told that no value will come: so none does.
    path("a value is claimed after close", 0, &[], |tx, rx, waker| {
        let mut first = handed(tx, rx, 1);
        tx.close();
        let _second = parked_with(rx.recv(), waker);
        ignore(first.poll());
    }),
    path("close ends a receive", 1, &[], |tx, rx, waker| {
        let _recv = parked_with(rx.recv(), waker);
        ignore(tx.close());
    }),
    path("close ends a send", 1, &[0], |tx, rx, waker| {
        tx.try_send(0).unwrap();
        let _send = parked_with(tx.send(1), waker);
        ignore(rx.close());
    }),
    path("close ends a reservation", 1, &[0], |tx, rx, waker| {
        tx.try_send(0).unwrap();
        let _reserve = parked_with(tx.reserve(), waker);
        ignore(rx.close());
    }),
    path("close ends a wait for it", 1, &[], |tx, rx, waker| {
        let _closed = parked_with(tx.closed(), waker);
        ignore(rx.close());
    }),
];

/// The ways to get rid of a waker that is not woken.
const LEAVES: [Path; 21] = [
    path("a receive changes its waker", 0, &[], |_, rx, waker| {
        ignore(poll_once(parked_with(rx.recv(), waker)));
    }),
    path("a recv_many changes its waker", 1, &[], |_, rx, waker| {
        ignore(poll_once(parked_with(
            rx.recv_many(&mut Vec::new(), 9),
            waker,
        )));
    }),
    path("a send changes its waker", 0, &[], |tx, _, waker| {
        ignore(poll_once(parked_with(tx.send(1), waker)));
    }),
    path(
        "a reservation changes its waker",
        1,
        &[0],
        |tx, _, waker| {
            tx.try_send(0).unwrap();
            ignore(poll_once(parked_with(tx.reserve(), waker)));
        },
    ),
    path(
        "a wait for the end changes its waker",
        0,
        &[],
        |tx, _, waker| {
            ignore(poll_once(parked_with(tx.closed(), waker)));
        },
    ),
    path("a receive gives a place up", 1, &[], |_, rx, waker| {
        let mut handle = rx.clone();
        ignore(parked_with(poll_fn(|cx| handle.poll_recv(cx)), waker));
        ignore(poll_once(handle.recv()));
    }),
    path("a try gives a place up", 1, &[], |_, rx, waker| {
        let mut handle = rx.clone();
        ignore(parked_with(poll_fn(|cx| handle.poll_recv(cx)), waker));
        ignore(handle.try_recv());
    }),
    path("a batch gives a place up", 0, &[], |_, rx, waker| {
        let mut handle = rx.clone();
        ignore(parked_with(poll_fn(|cx| handle.poll_recv(cx)), waker));
        ignore(poll_once(handle.recv_many(&mut Vec::new(), 9)));
    }),
    path("a drain gives a place up", 0, &[], |_, rx, waker| {
        let mut handle = rx.clone();
        ignore(parked_with(poll_fn(|cx| handle.poll_recv(cx)), waker));
        ignore(handle.drain());
    }),
    path("an arm gives a place up", 0, &[], |_, rx, waker| {
        let mut handle = rx.clone();
        ignore(parked_with(poll_fn(|cx| handle.poll_recv(cx)), waker));
        ignore(poll_once(Select::new().recv(&handle, ignore)));
    }),
    path("a next is dropped", 0, &[], |_, rx, waker| {
        drop(parked_with(rx.clone().next(), waker));
    }),
    path("a receive is dropped", 0, &[], |_, rx, waker| {
        drop(parked_with(rx.recv(), waker));
    }),
    path("a recv_many is dropped", 1, &[], |_, rx, waker| {
        drop(parked_with(rx.recv_many(&mut Vec::new(), 9), waker));
    }),
    path("a send is dropped", 0, &[], |tx, _, waker| {
        drop(parked_with(tx.send(1), waker));
    }),
    path("a send is cancelled", 0, &[], |tx, _, waker| {
        ignore(parked_with(tx.send(1), waker).cancel());
    }),
    path("a send_from is dropped", 0, &[], |tx, _, waker| {
        drop(parked_with(tx.send_from(&mut Some(1)), waker));
    }),
    path("a send_many is dropped", 1, &[1], |tx, _, waker| {
        drop(parked_with(
            tx.send_many(&mut VecDeque::from([1, 2])),
            waker,
        ));
    }),
    path("a reservation is dropped", 1, &[0], |tx, _, waker| {
        tx.try_send(0).unwrap();
        drop(parked_with(tx.reserve(), waker));
    }),
    path("a wait for the end is dropped", 0, &[], |tx, _, waker| {
        drop(parked_with(tx.closed(), waker));
    }),
    path(
        "a handle that receives is dropped",
        1,
        &[],
        |_, rx, waker| {
            let mut handle = rx.clone();
            ignore(parked_with(poll_fn(|cx| handle.poll_recv(cx)), waker));
        },
    ),
    path("a handle that sends is dropped", 0, &[], |tx, _, waker| {
        let (mut handle, mut item) = (tx.clone(), Some(1));
        ignore(parked_with(
            poll_fn(|cx| handle.poll_send(cx, &mut item)),
            waker,
        ));
    }),
];

/// Walks these paths with wakers that come back to the channel.
fn walk_with_visits(paths: &[&[Path]], dress: fn(Box<dyn Fn() + Send + Sync>) -> Waker) {
    for path in paths.iter().copied().flatten() {
        for (index, visit) in VISITS.iter().enumerate() {
            let (tx, rx) = bounded(path.capacity);
            let visits = Arc::new(AtomicUsize::new(0));
            let waker = dress(Box::new({
                let (tx, rx, visits) = (tx.clone(), rx.clone(), visits.clone());
                move || {
                    visits.fetch_add(1, Ordering::SeqCst);
                    visit(&tx, &rx);
                }
            }));
            (path.wake)(&tx, &rx, waker);
            let visits = visits.load(Ordering::SeqCst);
            assert_eq!(visits, 1, "{}, visit {index}", path.name);
        }
    }
}

#[test]
fn a_waker_may_enter_the_channel_when_it_is_woken() {
    walk_with_visits(&[&PATHS], on_wake);
}

#[test]
fn a_waker_may_enter_the_channel_when_it_is_dropped() {
    walk_with_visits(&[&PATHS, &LEAVES], on_drop);
}

#[test]
fn a_waker_may_enter_the_channel_that_the_last_handle_of_a_side_closes() {
    type Dress = fn(Box<dyn Fn() + Send + Sync>) -> Waker;
    let dresses: [Dress; 2] = [on_wake, on_drop];
    for dress in dresses {
        let (tx, rx) = bounded::<u8>(0);
        let visitor = rx.clone();
        let _recv = parked_with(
            rx.recv(),
            dress(Box::new(move || {
                assert_eq!(visitor.try_recv(), Err(TryRecvError::Closed));
                assert_eq!(ready(visitor.recv()), Err(RecvError));
                assert!(!visitor.clone().close());
            })),
        );
        drop(tx);

        let (tx, rx) = bounded(1);
        tx.try_send(0).unwrap();
        let visitor = tx.clone();
        let _send = parked_with(
            tx.send(1),
            dress(Box::new(move || {
                assert!(visitor.try_send(9).unwrap_err().is_closed());
                assert_eq!(ready(visitor.send(9)), Err(SendError(9)));
                assert!(!visitor.clone().close());
            })),
        );
        drop(rx);
        assert_eq!((tx.sender_count(), tx.len()), (1, 0));
    }
}

#[test]
fn a_waker_may_enter_the_channel_while_all_is_drained() {
    for visit in VISITS {
        for dress in [|call| on_wake(call), |call| on_drop(call)] {
            let (tx, rx) = bounded(1);
            tx.try_send(0).unwrap();
            let call: Box<dyn Fn() + Send + Sync> = Box::new({
                let (tx, rx) = (tx.clone(), rx.clone());
                move || visit(&tx, &rx)
            });
            let _send = parked_with(tx.send(1), dress(call));
            assert!(rx.drain().eq([0, 1]));
        }
    }
}

#[test]
fn a_waker_may_poll_the_next_operation_to_its_end() {
    let (tx, rx) = bounded(0);
    let received = Arc::new(Mutex::new(Vec::new()));
    let waker = on_wake({
        let (rx, received) = (rx.clone(), received.clone());
        move || received.lock().unwrap().extend(rx.try_recv())
    });
    let mut recv = parked_with(rx.recv(), waker);
    let mut items = VecDeque::from([1, 2]);
    assert!(poll_once(tx.send_many(&mut items)).is_pending());
    assert_eq!(poll_once(&mut recv), Ready(Ok(1)));
    assert_eq!(*received.lock().unwrap(), []);
    assert_eq!(items, [2]);
}

#[test]
fn a_waker_may_drop_the_other_receives_of_its_batch() {
    static CHANNEL: LazyLock<(Sender<u8>, Receiver<u8>)> = LazyLock::new(|| bounded(0));
    static PARKED: Mutex<Vec<RecvFuture<'static, u8>>> = Mutex::new(Vec::new());
    let drop_all = || {
        let parked = mem::take(&mut *PARKED.lock().unwrap());
        drop(parked);
    };
    let park = |count| {
        let recvs = (0..count).map(|_| parked_with(CHANNEL.1.recv(), on_wake(drop_all)));
        PARKED.lock().unwrap().extend(recvs);
    };

    park(3);
    assert_eq!(CHANNEL.0.try_send(1), Ok(()));
    assert_eq!(
        values(&CHANNEL.1),
        [1],
        "dropped with its value by its own waker"
    );

    park(3);
    let mut items = VecDeque::from([2, 3, 4]);
    assert_eq!(ready(CHANNEL.0.send_many(&mut items)), Ok(()));
    assert_eq!(values(&CHANNEL.1), [2, 3, 4]);

    park(3);
    assert!(CHANNEL.0.close());
    assert!(PARKED.lock().unwrap().is_empty());
}

#[test]
fn a_waker_may_drop_the_other_sends_of_its_batch() {
    type Futures = (Vec<SendFuture<'static, u8>>, Vec<ClosedFuture<'static>>);
    static CHANNEL: LazyLock<(Sender<u8>, Receiver<u8>)> = LazyLock::new(|| bounded(0));
    static PARKED: Mutex<Futures> = Mutex::new((Vec::new(), Vec::new()));
    let drop_all = || {
        let parked = mem::take(&mut *PARKED.lock().unwrap());
        drop(parked);
    };
    let park = |values: [u8; 3]| {
        let sends = values.map(|value| parked_with(CHANNEL.0.send(value), on_wake(drop_all)));
        let watch = values.map(|_| parked_with(CHANNEL.0.closed(), on_wake(drop_all)));
        let mut parked = PARKED.lock().unwrap();
        parked.0.extend(sends);
        parked.1.extend(watch);
    };

    park([1, 2, 3]);
    let mut out = Vec::new();
    assert_eq!(CHANNEL.1.try_recv_many(&mut out, 2), Ok(2));
    assert_eq!((out, values(&CHANNEL.1)), (vec![1, 2], vec![]));

    park([4, 5, 6]);
    assert!(CHANNEL.1.close());
    assert!(PARKED.lock().unwrap().0.is_empty());
}

/// A waker that owns something until it is woken.
fn owner_of(owned: impl Send + 'static) -> Waker {
    let owned = Mutex::new(Some(owned));
    on_wake(move || {
        let owned = owned.lock().unwrap().take();
        drop(owned);
    })
}

#[test]
fn a_waker_may_drop_the_last_sender() {
    let (tx, rx) = bounded(0);
    let first = handed(&tx, &rx, 1);
    let mut second = parked_with(rx.recv(), owner_of(tx));
    let mut third = parked(rx.recv());
    drop(first);
    assert!(rx.is_closed());
    assert!(third.poll().is_pending());
    assert_eq!(poll_once(&mut second), Ready(Ok(1)));
    assert_eq!(third.poll(), Ready(Err(RecvError)));
}

#[test]
fn a_waker_may_drop_the_last_receiver() {
    let drops = Drops::default();
    let (tx, rx) = bounded(1);
    assert!(tx.try_send(drops.value(0)).is_ok());
    let mut first = parked_with(tx.send(drops.value(1)), owner_of(rx));
    let mut second = parked(tx.send(drops.value(2)));
    tx.close();
    assert_eq!((tx.receiver_count(), drops.count()), (0, 1));
    let refused = |SendError(value): SendError<support::Counted>| value.id;
    assert_eq!(poll_once(&mut first).map_err(refused), Ready(Err(1)));
    assert_eq!(second.poll().map_err(refused), Ready(Err(2)));
}

#[test]
fn a_waker_may_own_the_last_handle_when_it_is_dropped() {
    let (tx, rx) = bounded::<u8>(0);
    let mut watch = parked(rx.closed());
    let mut recv = parked_with(rx.recv(), on_drop(owning(tx)));
    assert!(
        poll_once(&mut recv).is_pending(),
        "its old waker has not closed yet"
    );
    assert_eq!(poll_once(&mut recv), Ready(Err(RecvError)));
    assert_eq!(watch.poll(), Ready(()));
}

/// A call that does nothing but own something.
fn owning(owned: impl Send + Sync + 'static) -> impl Fn() + Send + Sync {
    move || {
        let _owned = &owned;
    }
}

// Wakers that panic.

/// Walks these paths with wakers that panic.
fn walk_with_panics(paths: &[&[Path]], dress: fn(Box<dyn Fn() + Send + Sync>) -> Waker) {
    for path in paths.iter().copied().flatten() {
        let name = path.name;
        let (tx, rx) = bounded(path.capacity);
        let waker = dress(Box::new(|| panic_any("a waker's")));
        let message = panic_of(|| (path.wake)(&tx, &rx, waker));
        assert_eq!(message, "a waker's", "{name}");
        assert_eq!(values(&rx), path.left, "{name}");

        let left = rx.snapshot();
        assert_eq!((left.sendq, left.recvq), (0, 0), "{name}");
        if !rx.is_closed() {
            assert_eq!(handed(&tx, &rx, 7).poll(), Ready(Ok(7)), "{name}");
            let room = (0..9).take_while(|&value| tx.try_send(value).is_ok());
            assert_eq!(room.count(), path.capacity, "{name}");
        }
    }
}

#[test]
fn a_panic_of_a_waker_loses_no_value_and_leaves_the_channel_usable() {
    walk_with_panics(&[&PATHS], on_wake);
}

#[test]
fn a_panic_of_a_waker_that_is_dropped_leaves_the_channel_usable() {
    walk_with_panics(&[&PATHS, &LEAVES], on_drop);
}

/// A waker that panics with this message.
fn panics(message: &'static str) -> Waker {
    on_wake(move || panic_any(message))
}

#[test]
fn close_wakes_everyone_before_the_first_panic_goes_on() {
    each_limit(|_, tx: Sender<u8>, rx| {
        let mut first = parked_with(rx.recv(), panics("first"));
        let mut second = parked(rx.recv());
        let mut third = parked_with(rx.recv(), panics("third"));
        let mut watch = parked(tx.closed());
        assert_eq!(panic_of(|| tx.close()), "first");
        assert_eq!((second.wakes(), watch.wakes()), (1, 1));
        assert_eq!(poll_once(&mut first), Ready(Err(RecvError)));
        assert_eq!(second.poll(), Ready(Err(RecvError)));
        assert_eq!(poll_once(&mut third), Ready(Err(RecvError)));
        assert_eq!(watch.poll(), Ready(()));
    });
    each_limit(|capacity, tx, rx| {
        let next = fill(&tx, 0);
        let mut first = parked_with(tx.send(next), panics("first"));
        let mut second = parked(tx.send(next));
        let mut third = parked_with(tx.send(next), panics("third"));
        let fourth = (capacity > 0).then(|| parked_with(tx.reserve(), panics("fourth")));
        assert_eq!(panic_of(|| rx.close()), "first");
        assert_eq!(second.wakes(), 1);
        assert_eq!(poll_once(&mut first), Ready(Err(SendError(next))));
        assert_eq!(second.poll(), Ready(Err(SendError(next))));
        assert_eq!(poll_once(&mut third), Ready(Err(SendError(next))));
        if let Some(fourth) = fourth {
            assert!(poll_once(fourth).map(|reserved| reserved.is_err()) == Ready(true));
        }
        assert!(values(&rx).into_iter().eq(0..capacity));
    });
}

#[test]
fn the_last_handle_wakes_everyone_before_the_first_panic_goes_on() {
    let (tx, rx) = bounded::<u8>(1);
    let mut recv = parked_with(rx.recv(), panics("first"));
    let watch = parked(rx.closed());
    assert_eq!(panic_of(|| drop(tx)), "first");
    assert_eq!((watch.wakes(), rx.is_closed()), (1, true));
    assert_eq!(poll_once(&mut recv), Ready(Err(RecvError)));

    let drops = Drops::default();
    let (tx, rx) = bounded(1);
    assert!(tx.try_send(drops.value(0)).is_ok());
    let send = parked_with(tx.send(drops.value(1)), panics("first"));
    let other = parked(tx.send(drops.value(2)));
    assert_eq!(panic_of(|| drop(rx)), "first");
    assert_eq!((other.wakes(), drops.count()), (1, 1));
    drop((send, other));
    assert_eq!(drops.count(), 3);
}

#[test]
fn a_burst_wakes_everyone_before_the_first_panic_goes_on() {
    let (tx, rx) = bounded(0);
    let mut first = parked_with(rx.recv(), panics("first"));
    let mut second = parked(rx.recv());
    let mut third = parked_with(rx.recv(), panics("third"));
    let mut items = VecDeque::from([1, 2, 3]);
    let message = panic_of(|| poll_once(tx.send_many(&mut items)));
    assert_eq!((message.as_str(), second.wakes()), ("first", 1));
    assert_eq!(poll_once(&mut first), Ready(Ok(1)));
    assert_eq!(second.poll(), Ready(Ok(2)));
    assert_eq!(poll_once(&mut third), Ready(Ok(3)));

    let mut first = parked_with(tx.send(4), panics("first"));
    let mut second = parked(tx.send(5));
    let mut third = parked_with(tx.send(6), panics("third"));
    let mut out = Vec::new();
    let message = panic_of(|| rx.try_recv_many(&mut out, 9));
    assert_eq!((message.as_str(), second.wakes()), ("first", 1));
    assert_eq!(out, [4, 5, 6]);
    assert_eq!(poll_once(&mut first), Ready(Ok(())));
    assert_eq!(second.poll(), Ready(Ok(())));
    assert_eq!(poll_once(&mut third), Ready(Ok(())));
}

#[test]
fn drain_loses_no_value_to_a_panic_of_a_waker() {
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let mut send = parked_with(tx.send(1), panics("a waker's"));
    assert_eq!(panic_of(|| rx.drain().count()), "a waker's");
    assert_eq!(poll_once(&mut send), Ready(Ok(())));
    assert_eq!(values(&rx), [0, 1]);
}

#[test]
fn values_leave_in_order_though_a_waker_panics_while_a_handle_gives_them_back() {
    type Receive = fn(&mut Receiver<u8>, &mut Vec<u8>);
    let ways: [Receive; 6] = [
        |rx, out| out.extend(rx.try_recv()),
        |rx, out| match poll_once(rx.recv()) {
            Ready(received) => out.extend(received),
            Pending => {}
        },
        |rx, out| match poll_once(rx.next()) {
            Ready(received) => out.extend(received),
            Pending => {}
        },
        |rx, out| out.extend(rx.drain()),
        |rx, out| ignore(rx.try_recv_many(out, 9)),
        |rx, out| ignore(poll_once(rx.recv_many(out, 2))),
    ];
    for dress in [on_wake, on_drop] as [fn(Box<dyn Fn() + Send + Sync>) -> Waker; 2] {
        for receive in ways {
            for capacity in 0..3 {
                let bad = || dress(Box::new(|| panic_any("a waker's")));
                let (tx, mut rx) = bounded(capacity);
                ignore(parked(poll_fn(|cx| rx.poll_recv(cx))));
                (1..=1 + capacity).for_each(|value| tx.try_send(value as u8).unwrap());
                let next = 2 + capacity as u8;
                let sends = [next, next + 1].map(|value| parked_with(tx.send(value), bad()));
                let (mut out, mut panics) = (Vec::new(), 0);
                for _ in 0..9 {
                    let received = || receive(&mut rx, &mut out);
                    panics += usize::from(catch_unwind(AssertUnwindSafe(received)).is_err());
                }
                assert!(panics > 0, "there was no panic");
                out.extend(values(&rx));
                drop(sends);
                assert!(out.into_iter().eq(1..=next + 1));
            }
        }
    }
}

#[test]
fn a_receive_whose_poll_panicked_may_be_polled_again() {
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let mut send = parked_with(tx.send(1), panics("a waker's"));
    let mut recv = rx.recv();
    assert_eq!(panic_of(|| poll_once(&mut recv)), "a waker's");
    assert_eq!(poll_once(&mut recv), Ready(Ok(0)));
    assert_eq!(poll_once(&mut send), Ready(Ok(())));
    assert_eq!(values(&rx), [1]);
}

#[test]
fn a_batch_whose_poll_panicked_has_received_and_exceeds_no_limit() {
    let (tx, rx) = bounded(2);
    tx.try_send(0).unwrap();
    tx.try_send(1).unwrap();
    let mut send = parked_with(tx.send(2), panics("a waker's"));
    let mut out = vec![];
    let mut recv = rx.recv_many(&mut out, 2);
    assert_eq!(panic_of(|| poll_once(&mut recv)), "a waker's");
    assert!(recv.is_terminated());
    let again = catch_unwind(AssertUnwindSafe(|| poll_once(&mut recv)));
    assert!(again.is_err());
    drop(recv);
    assert_eq!(out, [0, 1]);
    assert_eq!(poll_once(&mut send), Ready(Ok(())));
    assert_eq!(values(&rx), [2]);
}

#[test]
fn a_send_whose_poll_panicked_has_sent_its_value_and_sends_nothing_more() {
    let (tx, rx) = bounded(0);
    let mut slot = Some(1);
    let mut recv = parked_with(rx.recv(), panics("a waker's"));
    let mut next = parked(rx.recv());
    let mut send = tx.send_from(&mut slot);
    assert_eq!(panic_of(|| poll_once(&mut send)), "a waker's");
    assert_eq!(poll_once(&mut recv), Ready(Ok(1)));

    assert!(send.is_terminated());
    let _again = catch_unwind(AssertUnwindSafe(|| poll_once(&mut send)));
    assert_eq!((next.wakes(), next.poll()), (0, Pending));
    assert_eq!(tx.try_send(2), Ok(()));
    assert_eq!(next.poll(), Ready(Ok(2)));
}

#[test]
fn a_panic_of_a_waker_does_not_make_closed_a_lie() {
    let (tx, rx) = bounded(0);
    let mut first = handed(&tx, &rx, 1);
    let mut second = parked_with(rx.recv(), panics("a waker's"));
    tx.close();
    assert_eq!(panic_of(|| first.poll()), "a waker's");
    if poll_once(&mut second) == Ready(Err(RecvError)) {
        assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    }
}

#[test]
fn the_first_of_two_panics_goes_on_even_if_putting_back_panics_too() {
    static HANDLE: Mutex<Option<Receiver<u8>>> = Mutex::new(None);
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let meddler = on_wake({
        let rx = rx.clone();
        move || {
            // The value that is on its way finds a receive in line when it is put back.
            assert_eq!(rx.try_recv(), Ok(1));
            let mut handle = rx.clone();
            ignore(parked_with(
                poll_fn(|cx| handle.poll_recv(cx)),
                panics("second"),
            ));
            *HANDLE.lock().unwrap() = Some(handle);
            panic_any("first");
        }
    });
    let _send = parked_with(tx.send(1), meddler);
    assert_eq!(panic_of(|| rx.try_recv()), "first");
    let handle = HANDLE.lock().unwrap().take().unwrap();
    assert_eq!(handle.try_recv(), Ok(0));
}

#[test]
fn a_panic_whose_payload_panics_when_dropped_leaves_nobody_asleep() {
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(std::thread::panicking(), "a payload was dropped");
        }
    }

    let (tx, rx) = bounded::<u8>(0);
    let _first = parked_with(rx.recv(), on_wake(|| panic_any(Bomb)));
    let _second = parked_with(rx.recv(), on_wake(|| panic_any(Bomb)));
    let third = parked(rx.recv());
    let panic = catch_unwind(AssertUnwindSafe(|| tx.close()));
    mem::forget(panic);
    assert_eq!(third.wakes(), 1);
}

#[test]
fn a_panic_of_a_waker_while_the_thread_panics_anyhow_is_passed_over() {
    let (tx, rx) = bounded(0);
    let mut next = None;
    let message = panic_of(|| {
        let _first = handed(&tx, &rx, 1);
        next = Some(parked_with(rx.recv(), panics("a waker's")));
        panic_any("the thread's");
    });
    assert_eq!(message, "the thread's");
    assert_eq!(poll_once(next.unwrap()), Ready(Ok(1)));
}

#[test]
fn a_panic_of_a_waker_that_is_dropped_while_the_thread_panics_anyhow_is_passed_over() {
    each_wait(|name, wait, _| {
        let message = panic_of(|| {
            let _wait = parked_with(wait, on_drop(|| panic_any("a waker's")));
            panic_any("the thread's");
        });
        assert_eq!(message, "the thread's", "{name}");
    });
}

#[test]
fn a_waker_that_panics_when_replaced_has_been_replaced() {
    each_wait(|name, wait, proceed| {
        let old = on_drop(|| panic_any("a waker's"));
        let mut wait = Task::new(parked_with(wait, old));
        assert_eq!(panic_of(|| wait.poll()), "a waker's", "{name}");
        proceed();
        assert_eq!((wait.wakes(), wait.poll()), (1, Ready(())), "{name}");
    });
}

#[test]
fn a_send_whose_waker_panics_when_dropped_still_gives_its_value_back() {
    let bad = || on_drop(|| panic_any("a waker's"));
    let (tx, rx) = bounded(0);
    let mut send = parked_with(tx.send(1), bad());
    assert_eq!(panic_of(|| send.cancel()), "a waker's");
    assert_eq!(send.cancel(), Some(1));

    let mut slot = Some(2);
    let send = parked_with(tx.send_from(&mut slot), bad());
    assert_eq!(panic_of(|| drop(send)), "a waker's");
    assert_eq!(slot, Some(2));

    let mut items = VecDeque::from([3, 4]);
    let send = parked_with(tx.send_many(&mut items), bad());
    assert_eq!(panic_of(|| drop(send)), "a waker's");
    assert_eq!(items, [3, 4]);
    assert_eq!(rx.snapshot().sendq, 0);
}

#[test]
fn a_last_handle_whose_waker_panics_when_dropped_still_closes() {
    let bad = || on_drop(|| panic_any("a waker's"));
    let drops = Drops::default();
    let (mut tx, rx) = bounded(0);
    let mut item = Some(drops.value(0));
    ignore(parked_with(
        poll_fn(|cx| tx.poll_send(cx, &mut item)),
        bad(),
    ));
    let watch = parked(rx.closed());
    assert_eq!(panic_of(|| drop(tx)), "a waker's");
    assert_eq!((watch.wakes(), drops.count()), (1, 1));
    assert!(rx.is_closed());

    let (tx, mut rx) = bounded::<u8>(0);
    ignore(parked_with(poll_fn(|cx| rx.poll_recv(cx)), bad()));
    let watch = parked(tx.closed());
    assert_eq!(panic_of(|| drop(rx)), "a waker's");
    assert_eq!((watch.wakes(), tx.is_closed()), (1, true));
}

#[test]
fn a_last_handle_whose_waker_and_value_both_panic_when_dropped_panics_once() {
    struct Bad;

    impl Drop for Bad {
        fn drop(&mut self) {
            panic_any("a value's");
        }
    }

    let bad = || on_drop(|| panic_any("a waker's"));
    let (tx, mut rx) = bounded(1);
    ignore(parked_with(poll_fn(|cx| rx.poll_closed(cx)), bad()));
    assert!(tx.try_send(Bad).is_ok());
    assert_eq!(panic_of(|| drop(rx)), "a value's");
    assert!(tx.is_closed());

    let (mut tx, rx) = bounded(0);
    let mut item = Some(Bad);
    ignore(parked_with(
        poll_fn(|cx| tx.poll_send(cx, &mut item)),
        bad(),
    ));
    assert_eq!(panic_of(|| drop(tx)), "a value's");
    assert!(rx.is_closed());
}

#[test]
fn what_is_drained_while_a_waker_panics_goes_back_in_its_place() {
    let (tx, rx) = bounded(2);
    let [first, second] = [parked(rx.recv()), parked(rx.recv())];
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    drop(first); // 1 is back, and 2 still unclaimed
    tx.try_send(3).unwrap();
    let send = parked_with(tx.send(4), on_wake(|| panic!("a waker")));
    assert_eq!(panic_of(|| drop(rx.drain())), "a waker");
    drop(second);
    drop(send);
    assert_eq!(values(&rx), [1, 2, 3, 4]);
}

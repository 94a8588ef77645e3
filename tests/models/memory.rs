//! Memory: what one thread did before is seen by the other after.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};

use hchan::{Receiver, Sender, bounded, select};

use super::checker::Watch;
use super::support::poll_with;
use super::{Bounded, Complete, block_on, check, drops, end, parked, parked_recv, spawn};

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

/// Written before a send, read after its receive: handed over, through the ring, or by a try.
#[test]
fn send_happens_before_recv() {
    for capacity in [0, 1] {
        check(Bounded(2), [1], move || {
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
    check(Bounded(2), [None, Some(1)], || {
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
    check(Bounded(2), [1], || {
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
    check(Complete, [1], || {
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
    check(Complete, [2], || {
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
    check(Complete, [1], || {
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
    check(Bounded(2), [[1, 2]], || {
        let (tx, rx) = bounded(2);
        let cells = [Plain::new(), Plain::new()];
        let mut number = 0;
        let workers = cells.clone().map(|cell| {
            number += 1;
            let (tx, number) = (tx.clone(), number);
            spawn(move || {
                cell.write(number);
                tx.try_send(()).unwrap();
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
        check(Bounded(2), [1], move || written_then(by_recv, end_it));
        check(Bounded(2), [1], move || written_then(by_closed, end_it));
        check(Bounded(2), [1], move || written_then(by_select, end_it));
    }
}

/// Written before a select's send, read after a select's receive.
#[test]
fn select_happens_before_select() {
    check(Bounded(2), [1], || {
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
    check(Complete, [None, Some(1)], || {
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

/// A send ends with a poll that nobody's wake has asked for.
#[test]
fn unasked_poll_sees_what_came_before_the_recv() {
    check(Complete, [Poll::Pending, Poll::Ready(1)], || {
        let (tx, rx) = bounded(0);
        let cell = Plain::new();
        let written = cell.clone();
        let mut send = parked(async move {
            tx.send(()).await.unwrap();
            cell.read()
        });
        let sender = spawn(move || (poll_with(&mut send, Waker::noop()), send));
        written.write(1);
        rx.try_recv().unwrap();
        let (seen, _send) = end(sender);
        seen
    });
}

/// A value is handed to one thread, put back, and received by another.
#[test]
fn put_back_carries_what_came_before_its_send() {
    check(Bounded(2), [1], || {
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

    check(Complete, [1], || {
        let (tx, rx) = bounded(1);
        let seen = Arc::new(AtomicUsize::new(0));
        let value = Reads(Plain::new(), seen.clone());
        let sender = spawn(move || {
            value.0.write(1);
            // The side that the value is left to drops it.
            drop(tx.try_send(value));
        });
        drop(rx);
        end(sender);
        seen.load(Ordering::Relaxed)
    });
}

//! The channel where there is one thread, no clock and no way to wait: `wasm32-unknown-unknown`.
//!
//! Each test is run in an instance of its own by `run.mjs`, for a panic there ends the instance.

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::{FutureExt, SinkExt, Stream, StreamExt, join};
use hchan::{Receiver, RecvError, SendError, Sender, bounded, never, select, unbounded};

mod host {
    #[link(wasm_import_module = "host")]
    unsafe extern "C" {
        /// Shows some text.
        pub(crate) safe fn say(text: *const u8, len: usize);
    }
}

fn say(text: &str) {
    host::say(text.as_ptr(), text.len());
}

/// Counts the wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls a future again whenever it was woken, until it is ready.
fn run_to_end<F: Future>(future: F) -> F::Output {
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut future = pin!(future);
    loop {
        let woken = count.0.load(Ordering::Relaxed);
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        assert!(count.0.load(Ordering::Relaxed) > woken, "nobody wakes it");
    }
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    future.poll_unpin(&mut Context::from_waker(Waker::noop()))
}

fn numbers_arrive_in_order_on_every_capacity() {
    for (tx, rx) in [bounded(0), bounded(1), bounded(7), unbounded()] {
        let send = async move {
            for n in 0..100 {
                tx.send(n).await.unwrap();
            }
        };
        let receive = async {
            for n in 0..100 {
                assert_eq!(rx.recv().await, Ok(n));
            }
            assert_eq!(rx.recv().await, Err(RecvError));
        };
        run_to_end(async { join!(send, receive) });
    }
}

fn a_receive_that_is_dropped_gives_its_value_to_the_next() {
    let (tx, rx) = bounded(0);
    let (mut first, mut second) = (rx.recv(), rx.recv());
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    assert_eq!(tx.try_send(1), Ok(()));
    drop(first);
    assert_eq!(poll(&mut second), Poll::Ready(Ok(1)));
}

fn a_send_that_is_given_up_returns_its_value() {
    let (tx, _rx) = bounded(0);
    let mut send = tx.send(String::from("one"));
    assert!(poll(&mut send).is_pending());
    assert_eq!(send.cancel().as_deref(), Some("one"));
    assert_eq!(tx.snapshot().sendq, 0);
}

fn close_ends_every_wait() {
    let (tx, rx) = bounded(0);
    let (mut send, mut closed) = (tx.send(1), tx.closed());
    assert!(poll(&mut send).is_pending() && poll(&mut closed).is_pending());
    assert!(rx.close());
    assert_eq!(poll(&mut send), Poll::Ready(Err(SendError(1))));
    assert!(poll(&mut closed).is_ready());
    assert_eq!(poll(&mut rx.recv()), Poll::Ready(Err(RecvError)));
}

fn of_a_select_one_arm_commits() {
    let (jobs, work) = unbounded();
    let (results, done) = unbounded();
    (0..10).for_each(|n| jobs.try_send(n).unwrap());
    drop(jobs);
    let (_nobody, silent) = never::<()>();
    run_to_end(async {
        let (mut received, mut sent) = (0, 0);
        loop {
            select! {
                recv(work) -> job => match job {
                    Ok(_) => received += 1,
                    Err(RecvError) => break,
                },
                send(results, sent) -> result => {
                    result.unwrap();
                    sent += 1;
                }
                recv(silent) -> _ => unreachable!("nobody sends there"),
            }
        }
        assert_eq!((received, done.len()), (10, sent));
    });

    let (tx, rx) = bounded::<u32>(0);
    let picked = run_to_end(async {
        select! {
            recv(rx) -> _ => "received",
            send(tx, 1) -> _ => "sent",
            default => "neither",
        }
    });
    assert_eq!(picked, "neither");
}

fn streams_and_sinks_pass_everything_on() {
    let (mut tx, rx) = bounded(2);
    let send = async move {
        for n in 0..20 {
            SinkExt::send(&mut tx, n).await.unwrap();
        }
        tx.close();
    };
    let ((), received) = run_to_end(async { join!(send, rx.collect::<Vec<_>>()) });
    assert!(received.into_iter().eq(0..20));

    let (tx, mut rx) = bounded::<u32>(1);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut rx).poll_next(&mut cx).is_pending());
    drop(tx);
    assert_eq!(Pin::new(&mut rx).poll_next(&mut cx), Poll::Ready(None));
}

fn many_are_sent_and_received_at_once() {
    let (tx, rx) = bounded(4);
    let mut items: VecDeque<_> = (0..30).collect();
    let send = tx.send_many(&mut items);
    let receive = async {
        let mut out = Vec::new();
        while out.len() < 30 {
            rx.recv_many(&mut out, 3).await.unwrap();
        }
        out
    };
    let (sent, out) = run_to_end(async { join!(send, receive) });
    assert!(sent.is_ok() && out.into_iter().eq(0..30));
}

fn what_need_not_wait_may_block() {
    let (tx, rx): (Sender<u32>, Receiver<u32>) = bounded(1);
    assert_eq!(tx.send_blocking(1), Ok(()));
    assert_eq!(rx.recv_blocking(), Ok(1));
    drop(tx);
    assert_eq!(rx.into_iter().next(), None);
}

fn to_wait_on_the_thread_panics() {
    let (_tx, rx) = bounded::<u32>(1);
    let _received = rx.recv_blocking();
}

fn to_wait_on_the_thread_with_a_timeout_panics() {
    let (_tx, rx) = bounded::<u32>(1);
    let _received = rx.recv_blocking_timeout(std::time::Duration::from_secs(1));
}

macro_rules! tests {
    ($($test:ident)+) => {
        const TESTS: &[(&str, fn())] = &[$((stringify!($test), $test)),+];
    };
}

tests! {
    numbers_arrive_in_order_on_every_capacity
    a_receive_that_is_dropped_gives_its_value_to_the_next
    a_send_that_is_given_up_returns_its_value
    close_ends_every_wait
    of_a_select_one_arm_commits
    streams_and_sinks_pass_everything_on
    many_are_sent_and_received_at_once
    what_need_not_wait_may_block
    to_wait_on_the_thread_panics
    to_wait_on_the_thread_with_a_timeout_panics
}

/// Runs the test of this number, after it has said its name; false if there is none. A panic says what it
/// has to say, and traps.
#[unsafe(no_mangle)]
extern "C" fn run(number: usize) -> bool {
    let Some((name, test)) = TESTS.get(number) else {
        return false;
    };
    say(name);
    std::panic::set_hook(Box::new(|panic| say(&panic.to_string())));
    test();
    true
}

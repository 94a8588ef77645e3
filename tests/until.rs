//! Operations that have until a timer is ready: who wins, and what is left behind.

mod support;

use std::future::{Future, pending, ready as at_once};
use std::marker::PhantomPinned;
use std::pin::{Pin, pin};
use std::task::Poll::{Pending, Ready};
use std::task::{Context, Poll};

use futures::future::FusedFuture;
use hchan::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};

use support::{each_capacity, fill, lines, panic_of, parked, poll_once, ready, values};

/// A timer that may not move once it was polled.
struct Pinned(Option<usize>, PhantomPinned);

impl Pinned {
    const fn new() -> Self {
        Self(None, PhantomPinned)
    }
}

impl Future for Pinned {
    type Output = ();

    /// Ready in the second poll, unless it has moved.
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let here = (&raw const *self).addr();
        match self.0 {
            Some(before) => {
                assert_eq!(before, here);
                Ready(())
            }
            None => {
                // Not moved: one field of what is pinned is written.
                Pin::set(&mut self, Self(Some(here), PhantomPinned));
                Pending
            }
        }
    }
}

#[test]
fn what_can_proceed_wins_over_a_timer_that_has_fired() {
    let (tx, rx) = bounded(1);
    assert_eq!(ready(tx.send_until(1, at_once(()))), Ok(()));
    assert_eq!(ready(rx.recv_until(at_once(()))), Ok(1));
    let timeout = RecvTimeoutError::Timeout;
    assert_eq!(ready(rx.recv_until(at_once(()))), Err(timeout));
    tx.close();
    let closed = SendTimeoutError::Closed(2);
    assert_eq!(ready(tx.send_until(2, at_once(()))), Err(closed));
    let closed = RecvTimeoutError::Closed;
    assert_eq!(ready(rx.recv_until(at_once(()))), Err(closed));
}

#[test]
fn what_was_served_while_the_timer_fired_wins() {
    each_capacity(|_, tx, rx| {
        let mut recv = parked(Box::pin(rx.recv_until(Pinned::new())));
        tx.try_send(0).unwrap();
        assert_eq!(recv.poll(), Ready(Ok(0)));
    });
    let (tx, rx) = bounded(0);
    let mut send = parked(Box::pin(tx.send_until(1, Pinned::new())));
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(send.poll(), Ready(Ok(())));
}

#[test]
fn a_timer_may_serve_the_operation_that_it_ends() {
    let (tx, rx) = bounded(0);
    let serves = async { tx.try_send(1).unwrap() };
    assert_eq!(ready(rx.recv_until(pin!(serves))), Ok(1));
    let takes = async { assert_eq!(rx.try_recv(), Ok(2)) };
    assert_eq!(ready(tx.send_until(2, pin!(takes))), Ok(()));
}

#[test]
fn out_of_time_it_stands_in_no_line_though_it_is_kept() {
    each_capacity(|_, tx: Sender<usize>, rx: Receiver<usize>| {
        let mut first = parked(Box::pin(rx.recv_until(Pinned::new())));
        let mut second = parked(rx.recv());
        assert_eq!(first.poll(), Ready(Err(RecvTimeoutError::Timeout)));
        assert!(first.future().is_terminated());
        assert_eq!(lines(&rx), (0, 1));
        tx.try_send(1).unwrap();
        assert_eq!(second.poll(), Ready(Ok(1)));
    });
    let (tx, rx) = bounded(2);
    let inside = fill(&tx, 0);
    let mut send = parked(Box::pin(tx.send_until(7, Pinned::new())));
    assert_eq!(send.poll(), Ready(Err(SendTimeoutError::Timeout(7))));
    assert!(send.future().is_terminated());
    assert_eq!((lines(&rx), values(&rx).len()), ((0, 0), inside));
}

#[test]
fn dropped_it_leaves_the_line() {
    let (tx, rx) = bounded(0);
    let recv = parked(rx.recv_until(pending::<()>()));
    tx.try_send(1).unwrap();
    drop(recv);
    assert_eq!(values(&rx), [1]);
    let send = parked(tx.send_until(2, pending::<()>()));
    drop(send);
    assert_eq!(lines(&rx), (0, 0));
}

#[test]
fn polled_after_it_was_ready_it_says_its_name() {
    let (tx, rx) = bounded::<u8>(0);
    let mut recv = rx.recv_until(at_once(()));
    let mut send = tx.send_until(1, at_once(()));
    assert!(poll_once(&mut recv).is_ready() && poll_once(&mut send).is_ready());
    assert!(panic_of(|| poll_once(recv)).contains("`RecvUntilFuture` polled"));
    assert!(panic_of(|| poll_once(send)).contains("`SendUntilFuture` polled"));
}

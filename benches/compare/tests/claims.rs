//! The rows of COMPARE.md that are marked, as programs. A rival that does better than the table says fails
//! here, and the table is to be changed.

use std::future::Future;
use std::panic::catch_unwind;
use std::pin::{Pin, pin};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use futures::future::FusedFuture;

/// Polls once, for nobody.
fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn panics<T>(make: impl FnOnce() -> T + std::panic::UnwindSafe) -> bool {
    catch_unwind(make).is_err()
}

mod capacity_0 {
    use super::*;

    /// A receive waits, a send is accepted, and the receive is dropped: is the value still inside, in a
    /// channel without room?
    macro_rules! keeps_a_value_inside {
        ($tx:ident, $parked:expr, $receive:expr) => {{
            {
                let mut parked = pin!($parked);
                assert!(poll(parked.as_mut()).is_pending());
                assert!($tx.try_send(1).is_ok());
            }
            $receive.is_ok()
        }};
    }

    #[test]
    fn hchan_meets_and_keeps_what_came_back() {
        let (tx, rx) = hchan::bounded(0);
        assert!(tx.try_send(1).is_err());
        assert!(poll(pin!(tx.send(1))).is_pending());
        // A put back is not a slot: the value was accepted while a receive waited.
        assert!(keeps_a_value_inside!(tx, rx.recv(), rx.try_recv()));
    }

    #[test]
    fn flume_and_loole_have_a_hidden_slot() {
        // The value is taken by another than the receive that waited, while that still waits.
        let (tx, rx) = flume::bounded(0);
        let mut parked = pin!(rx.recv_async());
        assert!(poll(parked.as_mut()).is_pending());
        assert!(tx.try_send(1).is_ok());
        assert_eq!(rx.try_recv(), Ok(1));
        assert!(poll(parked).is_pending());

        let (tx, rx) = loole::bounded(0);
        let mut parked = pin!(rx.recv_async());
        assert!(poll(parked.as_mut()).is_pending());
        assert!(tx.try_send(1).is_ok());
        assert_eq!(rx.try_recv(), Ok(1));
        assert!(poll(parked).is_pending());

        // And here it is not.
        let (tx, rx) = hchan::bounded(0);
        let mut parked = rx.recv();
        assert!(poll(Pin::new(&mut parked)).is_pending());
        assert!(tx.try_send(1).is_ok());
        assert!(rx.try_recv().is_err());
        assert_eq!(poll(Pin::new(&mut parked)), Poll::Ready(Ok(1)));
    }

    #[test]
    fn async_channel_and_tokio_panic() {
        assert!(panics(|| async_channel::bounded::<u8>(0)));
        assert!(panics(|| tokio::sync::mpsc::channel::<u8>(0)));
    }

    #[test]
    fn crossfire_makes_it_1() {
        let (tx, _rx) = crossfire::mpmc::bounded_async::<u8>(0);
        assert!(tx.try_send(1).is_ok());
        assert!(tx.try_send(2).is_err());
    }

    #[test]
    fn futures_has_a_slot_for_each_sender() {
        let (mut tx, _rx) = futures::channel::mpsc::channel::<u8>(0);
        let mut other = tx.clone();
        assert!(tx.try_send(1).is_ok());
        assert!(other.try_send(2).is_ok());
        assert!(other.try_send(3).is_err());
    }
}

/// A receive waits, is served, and is dropped.
mod dropped_receive {
    use super::*;

    macro_rules! finds_it_again {
        ($tx:expr, $parked:expr, $again:expr) => {{
            {
                let mut parked = pin!($parked);
                assert!(poll(parked.as_mut()).is_pending());
                assert!($tx.try_send(7).is_ok());
            }
            matches!(poll(pin!($again)), Poll::Ready(Ok(7)))
        }};
    }

    #[test]
    fn kanal_loses_the_value() {
        let (tx, rx) = kanal::bounded_async(1);
        assert!(!finds_it_again!(tx, rx.recv(), rx.recv()));
    }

    #[test]
    fn the_others_keep_it() {
        let (tx, rx) = hchan::bounded(1);
        assert!(finds_it_again!(tx, rx.recv(), rx.recv()));
        let (tx, rx) = async_channel::bounded(1);
        assert!(finds_it_again!(tx, rx.recv(), rx.recv()));
        let (tx, rx) = flume::bounded(1);
        assert!(finds_it_again!(tx, rx.recv_async(), rx.recv_async()));
        let (tx, rx) = loole::bounded(1);
        assert!(finds_it_again!(tx, rx.recv_async(), rx.recv_async()));
        let (tx, rx) = crossfire::mpmc::bounded_async(1);
        assert!(finds_it_again!(tx, rx.recv(), rx.recv()));
    }

    #[test]
    fn so_does_tokio() {
        let (tx, mut rx) = tokio::sync::mpsc::channel(1);
        assert!(poll(pin!(rx.recv())).is_pending());
        assert!(tx.try_send(7).is_ok());
        assert_eq!(rx.recv().now_or_never(), Some(Some(7)));
    }
}

mod after_close {
    #[test]
    fn hchan_and_async_channel_keep_what_is_inside() {
        let (tx, rx) = hchan::bounded(1);
        tx.try_send(1).unwrap();
        rx.close();
        assert_eq!(rx.try_recv(), Ok(1));
        let (tx, rx) = async_channel::bounded(1);
        tx.try_send(1).unwrap();
        rx.close();
        assert_eq!(rx.try_recv(), Ok(1));
    }

    #[test]
    fn kanal_discards_it() {
        let (tx, rx) = kanal::bounded_async(1);
        assert_eq!(tx.try_send(1), Ok(true));
        rx.close().unwrap();
        assert!(!matches!(rx.try_recv(), Ok(Some(1))));
    }
}

/// The waker of a receive that waits begins to receive on the same channel.
mod waker {
    use super::*;

    struct Receives<F>(F);

    impl<F: Fn() + Send + Sync + 'static> Wake for Receives<F> {
        fn wake(self: Arc<Self>) {
            (self.0)();
        }
    }

    /// Whether it runs to its end; if not, its thread is left behind.
    fn ends(story: impl FnOnce() + Send + 'static) -> bool {
        let (done, ended) = mpsc::channel();
        thread::spawn(move || {
            story();
            done.send(()).unwrap();
        });
        ended.recv_timeout(Duration::from_secs(5)).is_ok()
    }

    macro_rules! story {
        ($channel:expr, $recv:ident, |$tx:ident| $serve:expr) => {
            ends(|| {
                let ($tx, rx) = $channel;
                let inner = rx.clone();
                let waker = Waker::from(Arc::new(Receives(move || {
                    // The first may find the value; the second has to wait.
                    let _ = poll(pin!(inner.$recv()));
                    let _ = poll(pin!(inner.$recv()));
                })));
                let mut parked = Box::pin(rx.$recv());
                assert!(
                    parked
                        .as_mut()
                        .poll(&mut Context::from_waker(&waker))
                        .is_pending()
                );
                $serve;
            })
        };
    }

    #[test]
    fn of_hchan_and_loole_runs() {
        assert!(story!(hchan::bounded(1), recv, |tx| tx
            .try_send(1)
            .unwrap()));
        assert!(story!(loole::bounded(1), recv_async, |tx| tx
            .try_send(1)
            .unwrap()));
    }

    #[test]
    fn of_async_channel_flume_and_kanal_deadlocks() {
        assert!(!story!(async_channel::bounded(1), recv, |tx| tx
            .try_send(1)
            .unwrap()));
        assert!(!story!(flume::bounded(1), recv_async, |tx| tx
            .try_send(1)
            .unwrap()));
        assert!(!story!(kanal::bounded_async::<u8>(1), recv, |tx| tx
            .close()
            .unwrap()));
    }
}

mod select {
    use super::*;

    /// `futures::select!` skips an arm that says so before it is polled, and "closed" is never seen.
    #[test]
    fn the_new_futures_of_flume_and_loole_are_terminated_when_closed() {
        let (tx, rx) = flume::bounded::<u8>(1);
        drop(tx);
        assert!(rx.recv_async().is_terminated());
        let (tx, rx) = loole::bounded::<u8>(1);
        drop(tx);
        assert!(rx.recv_async().is_terminated());
        let (tx, rx) = hchan::bounded::<u8>(1);
        drop(tx);
        assert!(!rx.recv().is_terminated());
    }

    #[test]
    fn one_select_of_flume_sends_twice() {
        let ((a, from_a), (b, from_b)) = (flume::bounded(1), flume::bounded(1));
        a.send(0).unwrap();
        b.send(0).unwrap();
        let selecting = thread::spawn(move || {
            flume::Selector::new()
                .send(&a, 1, |_| 'a')
                .send(&b, 1, |_| 'b')
                .wait();
        });
        // Nothing shows whether it waits yet.
        thread::sleep(Duration::from_millis(300));
        let mut received = vec![from_a.recv().unwrap(), from_b.recv().unwrap()];
        received.extend(from_a.recv());
        received.extend(from_b.recv());
        selecting.join().unwrap();
        assert_eq!(received.iter().sum::<u32>(), 2, "{received:?}");
    }

    #[test]
    fn one_select_of_hchan_sends_once() {
        let ((a, from_a), (b, from_b)) = (hchan::bounded(1), hchan::bounded(1));
        a.try_send(0).unwrap();
        b.try_send(0).unwrap();
        let selecting = thread::spawn(move || {
            hchan::select_blocking! {
                send(a, 1) -> sent => sent.unwrap(),
                send(b, 1) -> sent => sent.unwrap(),
            }
        });
        while from_a.snapshot().sendq + from_b.snapshot().sendq < 2 {
            thread::yield_now();
        }
        let mut received = vec![
            from_a.recv_blocking().unwrap(),
            from_b.recv_blocking().unwrap(),
        ];
        received.extend(from_a.recv_blocking());
        received.extend(from_b.recv_blocking());
        selecting.join().unwrap();
        assert_eq!(received.iter().sum::<u32>(), 1, "{received:?}");
    }
}

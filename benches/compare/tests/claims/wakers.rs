//! Wakers and futures.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use futures::future::FusedFuture;
use futures::stream::Stream;
use futures::{FutureExt, SinkExt, StreamExt};
use hchan_compare::alloc::counted;

use super::{Count, Fused, Is, No, Unpinned, ends, poll};

/// The waker of a receive that waits begins to receive on the same channel.
mod waker {
    use super::*;

    struct Receives<F>(F);

    impl<F: Fn() + Send + Sync + 'static> Wake for Receives<F> {
        fn wake(self: Arc<Self>) {
            (self.0)();
        }
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

    #[test]
    fn of_crossfire_deadlocks() {
        assert!(!story!(
            crossfire::mpmc::bounded_async::<u8>(1),
            recv,
            |tx| drop(tx)
        ));
    }

    /// Only one may receive, so the waker of a receive sends, and that of a send asks whether it may.
    #[test]
    fn of_tokio_runs() {
        assert!(ends(|| {
            let (tx, mut rx) = tokio::sync::mpsc::channel(1);
            let inner = tx.clone();
            let waker = Waker::from(Arc::new(Receives(move || {
                let _ = poll(pin!(inner.send(2)));
            })));
            let mut cx = Context::from_waker(&waker);
            assert!(rx.poll_recv(&mut cx).is_pending());
            tx.try_send(1).unwrap();
            let mut parked = pin!(tx.send(3));
            assert!(parked.as_mut().poll(&mut cx).is_pending());
            assert_eq!(rx.try_recv(), Ok(1));
        }));
    }

    #[test]
    fn of_futures_deadlocks() {
        assert!(!ends(|| {
            let (mut tx, mut rx) = futures::channel::mpsc::channel(0);
            tx.try_send(1).unwrap();
            let tx = Arc::new(Mutex::new(tx));
            let inner = tx.clone();
            let waker = Waker::from(Arc::new(Receives(move || {
                let mut cx = Context::from_waker(Waker::noop());
                let _ = inner.lock().unwrap().poll_ready(&mut cx);
            })));
            let mut cx = Context::from_waker(&waker);
            assert!(tx.lock().unwrap().poll_ready(&mut cx).is_pending());
            assert_eq!(rx.next().now_or_never(), Some(Some(1)));
        }));
    }
}

/// How often three streams that wait are woken for one value.
mod streams {
    use super::*;

    fn wakes<S: Stream>(streams: [S; 3], send: impl FnOnce()) -> usize {
        let count = Arc::new(Count::default());
        let waker = count.waker();
        let mut cx = Context::from_waker(&waker);
        let mut streams = streams.map(Box::pin);
        for stream in &mut streams {
            assert!(stream.as_mut().poll_next(&mut cx).is_pending());
        }
        send();
        count.get()
    }

    #[test]
    fn of_hchan_and_kanal_once() {
        let (tx, rx) = hchan::bounded(1);
        let streams = [rx.clone(), rx.clone(), rx];
        assert_eq!(wakes(streams, || tx.try_send(1).unwrap()), 1);
        let (tx, rx) = kanal::bounded_async(1);
        let streams = [rx.stream(), rx.stream(), rx.stream()];
        assert_eq!(wakes(streams, || assert_eq!(tx.try_send(1), Ok(true))), 1);
    }

    #[test]
    fn of_async_channel_flume_and_loole_all() {
        let (tx, rx) = async_channel::bounded(1);
        let streams = [rx.clone(), rx.clone(), rx];
        assert_eq!(wakes(streams, || tx.try_send(1).unwrap()), 3);
        let (tx, rx) = flume::bounded(1);
        let streams = [rx.stream(), rx.stream(), rx.stream()];
        assert_eq!(wakes(streams, || tx.try_send(1).unwrap()), 3);
        let (tx, rx) = loole::bounded(1);
        let streams = [rx.stream(), rx.stream(), rx.stream()];
        assert_eq!(wakes(streams, || tx.try_send(1).unwrap()), 3);
    }

    #[test]
    fn of_crossfire_once() {
        let (tx, rx) = crossfire::mpmc::bounded_async(1);
        let streams = [rx.clone(), rx.clone(), rx].map(|rx| rx.into_stream());
        assert_eq!(wakes(streams, || tx.try_send(1).unwrap()), 1);
    }
}

/// The future of a receive, as `futures::select!` and `&mut` need it.
mod receive {
    use super::*;

    /// Whether it is `Unpin`, and whether it is a bare arm of `futures::select!`.
    macro_rules! can {
        ($recv:expr) => {{
            let recv = $recv;
            let unpin = (&Is(&recv)).is_unpin();
            (unpin, unpin && (&Is(&recv)).is_fused())
        }};
    }

    #[test]
    fn of_hchan_flume_loole_and_futures_is_unpin_and_fused() {
        let (_tx, rx) = hchan::bounded::<u8>(1);
        assert_eq!(can!(rx.recv()), (true, true));
        let (_tx, rx) = flume::bounded::<u8>(1);
        assert_eq!(can!(rx.recv_async()), (true, true));
        let (_tx, rx) = loole::bounded::<u8>(1);
        assert_eq!(can!(rx.recv_async()), (true, true));
        let (_tx, mut rx) = futures::channel::mpsc::channel::<u8>(1);
        assert_eq!(can!(rx.next()), (true, true));
    }

    #[test]
    fn of_crossfire_is_unpin() {
        let (_tx, rx) = crossfire::mpmc::bounded_async::<u8>(1);
        assert_eq!(can!(rx.recv()), (true, false));
    }

    #[test]
    fn of_async_channel_kanal_and_tokio_is_neither() {
        let (_tx, rx) = async_channel::bounded::<u8>(1);
        assert_eq!(can!(rx.recv()), (false, false));
        let (_tx, rx) = kanal::bounded_async::<u8>(1);
        assert_eq!(can!(rx.recv()), (false, false));
        let (_tx, mut rx) = tokio::sync::mpsc::channel::<u8>(1);
        assert_eq!(can!(rx.recv()), (false, false));
    }

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
}

/// What a receive, or a send, that waits allocates, once the channel has had as many waiters before.
mod allocations {
    use super::*;

    /// How often each of ten rounds allocates to wait, and to be served.
    macro_rules! of_a_wait {
        ($parked:expr, $serve:expr) => {{
            let mut rounds = Vec::new();
            for _ in 0..20 {
                let mut parked = pin!($parked);
                let (pending, to_wait) = counted(|| poll(parked.as_mut()).is_pending());
                assert!(pending);
                $serve;
                let (ready, to_end) = counted(|| poll(parked).is_ready());
                assert!(ready);
                rounds.push(to_wait.allocations + to_end.allocations);
            }
            rounds.split_off(10).into_iter().sum::<i64>()
        }};
    }

    macro_rules! of_waits {
        ($channel:expr, $send:ident, $recv:ident, $try_recv:expr) => {{
            #[allow(unused_mut, reason = "some receivers are asked for more")]
            let (tx, mut rx) = $channel;
            let receives = of_a_wait!(rx.$recv(), assert!(tx.try_send(0).is_ok()));
            assert!(tx.try_send(0).is_ok());
            let sends = of_a_wait!(tx.$send(0), $try_recv(&mut rx));
            (receives / 10, sends / 10)
        }};
    }

    #[test]
    fn of_hchan_kanal_loole_and_tokio_are_none() {
        let found = of_waits!(hchan::bounded(1), send, recv, |rx: &mut hchan::Receiver<
            u8,
        >| {
            assert!(rx.try_recv().is_ok());
        });
        assert_eq!(found, (0, 0));
        let found = of_waits!(
            kanal::bounded_async(1),
            send,
            recv,
            |rx: &mut kanal::AsyncReceiver<u8>| {
                assert_eq!(rx.try_recv(), Ok(Some(0)));
            }
        );
        assert_eq!(found, (0, 0));
        let found = of_waits!(
            loole::bounded(1),
            send_async,
            recv_async,
            |rx: &mut loole::Receiver<u8>| {
                assert!(rx.try_recv().is_ok());
            }
        );
        assert_eq!(found, (0, 0));
        // Its receiver is taken by its future, and every 32nd value allocates.
        let (tx, mut rx) = tokio::sync::mpsc::channel(1);
        assert_eq!(of_a_wait!(rx.recv(), tx.try_send(0).unwrap()) / 10, 0);
        tx.try_send(0).unwrap();
        assert_eq!(of_a_wait!(tx.send(0), rx.try_recv().unwrap()) / 10, 0);
    }

    #[test]
    fn of_async_channel_crossfire_and_flume_are_one_each() {
        let found = of_waits!(
            async_channel::bounded(1),
            send,
            recv,
            |rx: &mut async_channel::Receiver<u8>| {
                assert!(rx.try_recv().is_ok());
            }
        );
        assert_eq!(found, (1, 1));
        let found = of_waits!(
            flume::bounded(1),
            send_async,
            recv_async,
            |rx: &mut flume::Receiver<u8>| {
                assert!(rx.try_recv().is_ok());
            }
        );
        assert_eq!(found, (1, 1));
        let found = of_waits!(
            crossfire::mpmc::bounded_async(1),
            send,
            recv,
            |rx: &mut crossfire::MAsyncRx<_>| {
                assert_eq!(rx.try_recv(), Ok(0u8));
            }
        );
        assert_eq!(found, (1, 1));
    }

    #[test]
    fn of_futures_are_for_values() {
        let (mut tx, mut rx) = futures::channel::mpsc::channel(0);
        assert_eq!(of_a_wait!(rx.next(), tx.try_send(0).unwrap()), 0);
        // One to wait, and one for the value.
        tx.try_send(0).unwrap();
        let sends = of_a_wait!(tx.feed(0), assert!(rx.next().now_or_never().is_some()));
        assert_eq!(sends, 20);
    }

    #[test]
    fn of_values_are_one_for_32_in_tokio() {
        let (tx, mut rx) = tokio::sync::mpsc::channel(1024);
        let ((), used) = counted(|| (0..1024).for_each(|n| tx.try_send(n).unwrap()));
        // The first is part of the channel.
        assert_eq!(used.allocations, 1024 / 32 - 1);
        assert_eq!(rx.try_recv(), Ok(0));
    }
}

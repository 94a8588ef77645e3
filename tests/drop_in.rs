//! One program, built with async-channel and again with this crate: it needs no other names, and does the same.
#![cfg(feature = "std")]

/// The program, with the channels of a crate.
macro_rules! program {
    ($name:ident, $channel:path) => {
        mod $name {
            use std::error::Error;
            use std::fmt::{Debug, Display};
            use std::pin::pin;
            use std::thread;

            use futures::executor::block_on;
            use futures::stream::{FusedStream, StreamExt};
            use $channel::{
                Receiver, RecvError, SendError, Sender, TryRecvError, TrySendError, WeakReceiver,
                WeakSender, bounded, unbounded,
            };

            struct Pair {
                tx: Sender<u32>,
                rx: Receiver<u32>,
            }

            fn pair(capacity: Option<usize>) -> Pair {
                let (tx, rx) = match capacity {
                    Some(capacity) => bounded(capacity),
                    None => unbounded(),
                };
                Pair { tx, rx }
            }

            async fn producer(tx: Sender<u32>) -> Result<(), SendError<u32>> {
                for n in 0..10 {
                    tx.send(n).await?;
                }
                Ok(())
            }

            async fn next(rx: &Receiver<u32>) -> Result<u32, RecvError> {
                rx.recv().await
            }

            #[test]
            fn sends_and_receives() {
                let Pair { tx, rx } = pair(Some(2));
                let received = async {
                    let mut received = Vec::new();
                    while let Ok(value) = next(&rx).await {
                        received.push(value);
                    }
                    received
                };
                let (sent, received) = block_on(async { futures::join!(producer(tx), received) });
                assert_eq!(sent, Ok(()));
                assert!(received.into_iter().eq(0..10));
            }

            #[test]
            fn tries() {
                let Pair { tx, rx } = pair(Some(1));
                assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
                assert_eq!(tx.try_send(1), Ok(()));
                assert_eq!(tx.try_send(2), Err(TrySendError::Full(2)));
                assert_eq!(rx.try_recv(), Ok(1));
                drop(rx);
                let refused = tx.try_send(3).unwrap_err();
                assert!(refused.is_closed() && !refused.is_full());
                assert_eq!(refused.into_inner(), 3);

                let Pair { tx, rx } = pair(None);
                assert!(rx.try_recv().unwrap_err().is_empty());
                drop(tx);
                assert!(rx.try_recv().unwrap_err().is_closed());
            }

            #[test]
            fn tells_what_is_inside() {
                let Pair { tx, rx } = pair(Some(2));
                assert!(tx.is_empty() && rx.is_empty() && !tx.is_full() && !rx.is_full());
                assert_eq!((tx.capacity(), rx.capacity()), (Some(2), Some(2)));
                assert_eq!(tx.force_send(1), Ok(None));
                assert_eq!(tx.force_send(2), Ok(None));
                assert_eq!((tx.len(), rx.len()), (2, 2));
                assert!(tx.is_full() && rx.is_full() && !tx.is_empty() && !rx.is_empty());
                assert_eq!(tx.force_send(3), Ok(Some(1)));
                drop(rx);
                assert_eq!(tx.force_send(4), Err(SendError(4)));
                assert_eq!(pair(None).tx.capacity(), None);
            }

            #[test]
            fn closes() {
                let Pair { tx, rx } = pair(None);
                tx.send_blocking(1).unwrap();
                assert!(!tx.is_closed() && !rx.is_closed());
                assert!(tx.close() && !rx.close());
                assert!(tx.is_closed() && rx.is_closed());
                block_on(tx.closed());
                assert_eq!(tx.send_blocking(2), Err(SendError(2)));
                assert_eq!(SendError(2).into_inner(), 2);
                assert_eq!(rx.recv_blocking(), Ok(1));
                assert_eq!(rx.recv_blocking(), Err(RecvError));
            }

            #[test]
            fn blocks_threads() {
                let Pair { tx, rx } = pair(Some(1));
                let sender = thread::spawn(move || (0..10).try_for_each(|n| tx.send_blocking(n)));
                let mut received = 0..;
                while let Ok(value) = rx.recv_blocking() {
                    assert_eq!(received.next(), Some(value));
                }
                assert_eq!(received.next(), Some(10));
                assert_eq!(sender.join().unwrap(), Ok(()));
            }

            #[test]
            fn counts_and_compares_handles() {
                let Pair { tx, rx } = pair(Some(1));
                let (other_tx, other_rx) = (tx.clone(), rx.clone());
                assert_eq!((tx.sender_count(), tx.receiver_count()), (2, 2));
                assert_eq!((rx.sender_count(), rx.receiver_count()), (2, 2));
                assert!(tx.same_channel(&other_tx) && rx.same_channel(&other_rx));
                let strange = pair(Some(1));
                assert!(!tx.same_channel(&strange.tx) && !rx.same_channel(&strange.rx));
            }

            #[test]
            fn has_weak_handles() {
                let Pair { tx, rx } = pair(Some(1));
                let weak_tx: WeakSender<u32> = tx.downgrade();
                let weak_rx: WeakReceiver<u32> = rx.downgrade();
                assert!(weak_tx.clone().upgrade().unwrap().same_channel(&tx));
                assert!(weak_rx.clone().upgrade().unwrap().same_channel(&rx));
                drop(tx);
                assert!(weak_tx.upgrade().is_none() && rx.is_closed());
                drop(rx);
                assert!(weak_rx.upgrade().is_none());
            }

            #[test]
            fn streams() {
                fn is_stream(_: &impl FusedStream<Item = u32>) {}

                let Pair { tx, rx } = pair(Some(1));
                let mut rx = pin!(rx);
                is_stream(&rx);
                let received = async {
                    let mut received = Vec::new();
                    while let Some(value) = rx.next().await {
                        received.push(value);
                    }
                    received
                };
                let (sent, received) = block_on(async { futures::join!(producer(tx), received) });
                assert_eq!(sent, Ok(()));
                assert!(received.into_iter().eq(0..10));
                assert!(rx.is_terminated());
            }

            #[test]
            fn errors_and_handles_go_anywhere() {
                fn go<T: Send + Sync + Debug + 'static>(_: &T) {}
                fn are_errors<T: Error + Display + Send + Sync + 'static>(_: T) {}

                let Pair { tx, rx } = pair(None);
                go(&tx);
                go(&rx);
                go(&tx.downgrade());
                go(&rx.downgrade());
                are_errors(SendError(1));
                are_errors(TrySendError::Full(1));
                are_errors(RecvError);
                are_errors(TryRecvError::Empty);
            }
        }
    };
}

program!(async_channel, smol::channel);
program!(this_crate, hchan);

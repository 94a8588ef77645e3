//! A program whose code is measured: `ci/size` builds it for messages of one type and, with
//! `--cfg hchan_eight`, of eight, to see what each further type costs.

use std::future::Future;
use std::pin::{Pin, pin};
#[cfg(hchan_eight)]
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use hchan::{Receiver, Sender, bounded};

async fn produce<T>(tx: Sender<T>, make: fn() -> T) {
    while tx.send(make()).await.is_ok() {}
}

async fn consume<T>(rx: Receiver<T>) -> usize {
    let mut received = 0;
    while rx.recv().await.is_ok() {
        received += 1;
    }
    received
}

fn poll<T>(future: Pin<&mut dyn Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Sends and receives, with and without waiting, and gives up a receive and a send that wait.
fn story<T>(make: fn() -> T) {
    let (tx, rx) = bounded(1);
    assert!(tx.try_send(make()).is_ok());
    assert!(rx.try_recv().is_ok());
    {
        let mut consumer = pin!(consume(rx.clone()));
        assert!(poll(consumer.as_mut()).is_pending());
        assert!(tx.try_send(make()).is_ok());
        assert!(poll(consumer.as_mut()).is_pending());
    }
    assert!(poll(pin!(produce(tx, make))).is_pending());
    assert_eq!(poll(pin!(consume(rx))), Poll::Ready(1));
}

fn main() {
    story(|| 1_u64);
    #[cfg(hchan_eight)]
    {
        story(|| 1_u8);
        story(|| 1_u32);
        story(|| [1_u64; 2]);
        story(|| [1_u64; 8]);
        story(|| Box::new(1_u64));
        story(|| Arc::new(1_u64));
        story(String::new);
    }
}

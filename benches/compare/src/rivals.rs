//! The rivals that are async, each in its own words.

use std::collections::VecDeque;
use std::future::{Future, ready};
use std::sync::Arc;

use futures::channel::mpsc as futures_mpsc;
use spin::mutex::SpinMutex;
use tokio::sync::mpsc as tokio_mpsc;

use crate::rival::{Capacity, Received, Rival, Sent, Value};

/// Makes a rival: its handles of `V`, a channel of a capacity if there is such a one, and its calls.
macro_rules! rival {
    ($rival:ident, $name:literal, $tx:ty, $rx:ty;
        new |$capacity:ident| $new:expr;
        $(clone_rx |$cr:ident| $clone_rx:expr;)?
        send |$t:ident, $value:ident| $send:expr;
        recv |$r:ident| $recv:expr;
        $(try_recv |$tr:ident| $try_recv:expr;)?
        $(send_many |$mt:ident, $items:ident| $send_many:expr;)?
        $(recv_many |$mr:ident, $out:ident, $max:pat_param| $recv_many:expr;)?
    ) => {
        pub struct $rival;

        impl Rival for $rival {
            const NAME: &str = $name;
            type Tx<V: Value> = $tx;
            type Rx<V: Value> = $rx;

            fn channel<V: Value>($capacity: Capacity) -> Option<(Self::Tx<V>, Self::Rx<V>)> {
                $new
            }

            fn clone_tx<V: Value>(tx: &Self::Tx<V>) -> Self::Tx<V> {
                tx.clone()
            }

            $(fn clone_rx<V: Value>($cr: &Self::Rx<V>) -> Option<Self::Rx<V>> {
                Some($clone_rx)
            })?

            fn send<V: Value>(
                $t: &mut Self::Tx<V>,
                $value: V,
            ) -> impl Future<Output: Sent + Send> + Send {
                $send
            }

            fn recv<V: Value>(
                $r: &mut Self::Rx<V>,
            ) -> impl Future<Output: Received<V> + Send> + Send {
                $recv
            }

            $(fn try_recv<V: Value>($tr: &mut Self::Rx<V>) -> Option<V> {
                $try_recv
            })?

            $(fn send_many<V: Value>(
                $mt: &mut Self::Tx<V>,
                $items: &mut VecDeque<V>,
            ) -> impl Future<Output = ()> + Send {
                async move { $send_many }
            })?

            $(fn recv_many<V: Value>(
                $mr: &mut Self::Rx<V>,
                $out: &mut Vec<V>,
                $max: usize,
            ) -> impl Future<Output = ()> + Send {
                async move { $recv_many }
            })?
        }
    };
}
pub(crate) use rival;

rival!(Hchan, "hchan", hchan::Sender<V>, hchan::Receiver<V>;
    new |capacity| Some(capacity.map_or_else(hchan::unbounded, hchan::bounded));
    clone_rx |rx| rx.clone();
    send |tx, value| tx.send(value);
    recv |rx| rx.recv();
    try_recv |rx| rx.try_recv().ok();
    send_many |tx, items| assert!(tx.send_many(items).await.is_ok());
    recv_many |rx, out, max| {
        let _closed = rx.recv_many(out, max).await.is_err();
    };
);

rival!(Kanal, "kanal", kanal::AsyncSender<V>, kanal::AsyncReceiver<V>;
    new |capacity| Some(capacity.map_or_else(kanal::unbounded_async, kanal::bounded_async));
    clone_rx |rx| rx.clone();
    send |tx, value| tx.send(value);
    recv |rx| rx.recv();
    try_recv |rx| rx.try_recv().ok().flatten();
    recv_many |rx, out, _| {
        out.extend(rx.recv().await.ok());
        drop(rx.drain_into(out));
    };
);

rival!(Flume, "flume", flume::Sender<V>, flume::Receiver<V>;
    new |capacity| Some(capacity.map_or_else(flume::unbounded, flume::bounded));
    clone_rx |rx| rx.clone();
    send |tx, value| tx.send_async(value);
    recv |rx| rx.recv_async();
    try_recv |rx| rx.try_recv().ok();
    recv_many |rx, out, _| {
        out.extend(rx.recv_async().await.ok());
        out.extend(rx.drain());
    };
);

rival!(Loole, "loole", loole::Sender<V>, loole::Receiver<V>;
    new |capacity| Some(capacity.map_or_else(loole::unbounded, loole::bounded));
    clone_rx |rx| rx.clone();
    send |tx, value| tx.send_async(value);
    recv |rx| rx.recv_async();
    try_recv |rx| rx.try_recv().ok();
    recv_many |rx, out, _| {
        out.extend(rx.recv_async().await.ok());
        out.extend(rx.drain());
    };
);

rival!(AsyncChannel, "async-channel", async_channel::Sender<V>, async_channel::Receiver<V>;
    new |capacity| match capacity {
        Some(0) => None,
        Some(n) => Some(async_channel::bounded(n)),
        None => Some(async_channel::unbounded()),
    };
    clone_rx |rx| rx.clone();
    send |tx, value| tx.send(value);
    recv |rx| rx.recv();
    try_recv |rx| rx.try_recv().ok();
);

/// The least capacity that a channel without a rendezvous can have.
fn buffered(capacity: Capacity) -> Option<usize> {
    capacity.filter(|&n| n > 0)
}

type Mpmc<V> = crossfire::mpmc::Array<V>;
rival!(CrossfireMpmc, "crossfire mpmc", crossfire::MAsyncTx<Mpmc<V>>, crossfire::MAsyncRx<Mpmc<V>>;
    new |capacity| buffered(capacity).map(crossfire::mpmc::bounded_async);
    clone_rx |rx| rx.clone();
    send |tx, value| tx.send(value);
    recv |rx| rx.recv();
    try_recv |rx| rx.try_recv().ok();
);

type MpmcList<V> = crossfire::mpmc::List<V>;
rival!(CrossfireMpmcList, "crossfire mpmc", crossfire::MTx<MpmcList<V>>, crossfire::MAsyncRx<MpmcList<V>>;
    new |capacity| capacity.is_none().then(crossfire::mpmc::unbounded_async);
    clone_rx |rx| rx.clone();
    send |tx, value| ready(tx.send(value));
    recv |rx| rx.recv();
    try_recv |rx| rx.try_recv().ok();
);

type Mpsc<V> = crossfire::mpsc::Array<V>;
rival!(CrossfireMpsc, "crossfire mpsc", crossfire::MAsyncTx<Mpsc<V>>, crossfire::AsyncRx<Mpsc<V>>;
    new |capacity| buffered(capacity).map(crossfire::mpsc::bounded_async);
    send |tx, value| tx.send(value);
    recv |rx| rx.recv();
    try_recv |rx| rx.try_recv().ok();
);

type MpscList<V> = crossfire::mpsc::List<V>;
rival!(CrossfireMpscList, "crossfire mpsc", crossfire::MTx<MpscList<V>>, crossfire::AsyncRx<MpscList<V>>;
    new |capacity| capacity.is_none().then(crossfire::mpsc::unbounded_async);
    send |tx, value| ready(tx.send(value));
    recv |rx| rx.recv();
    try_recv |rx| rx.try_recv().ok();
);

rival!(Tokio, "tokio", tokio_mpsc::Sender<V>, tokio_mpsc::Receiver<V>;
    new |capacity| buffered(capacity).map(tokio_mpsc::channel);
    send |tx, value| tx.send(value);
    recv |rx| rx.recv();
    try_recv |rx| rx.try_recv().ok();
    send_many |tx, items| {
        let permits = tx.reserve_many(items.len()).await;
        permits.unwrap().zip(items.drain(..)).for_each(|(permit, value)| permit.send(value));
    };
    recv_many |rx, out, max| {
        rx.recv_many(out, max).await;
    };
);

rival!(TokioUnbounded, "tokio", tokio_mpsc::UnboundedSender<V>, tokio_mpsc::UnboundedReceiver<V>;
    new |capacity| capacity.is_none().then(tokio_mpsc::unbounded_channel);
    send |tx, value| ready(tx.send(value));
    recv |rx| rx.recv();
    try_recv |rx| rx.try_recv().ok();
);

// Beside the slots that it was asked for, each of its senders has one of its own.
rival!(Futures, "futures", futures_mpsc::Sender<V>, futures_mpsc::Receiver<V>;
    new |capacity| buffered(capacity).map(futures_mpsc::channel);
    send |tx, value| futures::SinkExt::send(tx, value);
    recv |rx| futures::StreamExt::next(rx);
    try_recv |rx| rx.try_recv().ok();
);

rival!(FuturesUnbounded, "futures", futures_mpsc::UnboundedSender<V>, futures_mpsc::UnboundedReceiver<V>;
    new |capacity| capacity.is_none().then(futures_mpsc::unbounded);
    send |tx, value| ready(tx.unbounded_send(value));
    recv |rx| futures::StreamExt::next(rx);
    try_recv |rx| rx.try_recv().ok();
);

rival!(Tachyonix, "tachyonix", tachyonix::Sender<V>, tachyonix::Receiver<V>;
    new |capacity| buffered(capacity).map(tachyonix::channel);
    send |tx, value| tx.send(value);
    recv |rx| rx.recv();
    try_recv |rx| rx.try_recv().ok();
);

rival!(Thingbuf, "thingbuf", thingbuf::mpsc::Sender<V>, thingbuf::mpsc::Receiver<V>;
    new |capacity| buffered(capacity).map(thingbuf::mpsc::channel);
    send |tx, value| tx.send(value);
    recv |rx| rx.recv();
    try_recv |rx| rx.try_recv().ok();
);

rival!(PostageMpsc, "postage mpsc", postage::mpsc::Sender<V>, postage::mpsc::Receiver<V>;
    new |capacity| buffered(capacity).map(postage::mpsc::channel);
    send |tx, value| postage::sink::Sink::send(tx, value);
    recv |rx| postage::stream::Stream::recv(rx);
    try_recv |rx| postage::stream::Stream::try_recv(rx).ok();
);

rival!(PostageDispatch, "postage dispatch", postage::dispatch::Sender<V>, postage::dispatch::Receiver<V>;
    new |capacity| buffered(capacity).map(postage::dispatch::channel);
    clone_rx |rx| rx.clone();
    send |tx, value| postage::sink::Sink::send(tx, value);
    recv |rx| postage::stream::Stream::recv(rx);
    try_recv |rx| postage::stream::Stream::try_recv(rx).ok();
);

rival!(LockedQueue, "locked queue", Arc<SpinMutex<VecDeque<V>>>, Arc<SpinMutex<VecDeque<V>>>;
    new |_capacity| {
        let queue = Arc::default();
        Some((Arc::clone(&queue), queue))
    };
    send |tx, value| {
        tx.lock().push_back(value);
        ready(Ok::<(), ()>(()))
    };
    recv |rx| ready(rx.lock().pop_front());
);

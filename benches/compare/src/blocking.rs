//! The rivals that block the thread: futures that are ready once the call has returned.

use std::future::{Future, ready};

use tokio::sync::mpsc as tokio_mpsc;

use crate::rival::{Capacity, Received, Rival, Sent, Value};
use crate::rivals::rival;

rival!(Hchan, "hchan", hchan::Sender<V>, hchan::Receiver<V>;
    new |capacity| Some(capacity.map_or_else(hchan::unbounded, hchan::bounded));
    clone_rx |rx| rx.clone();
    send |tx, value| ready(tx.send_blocking(value));
    recv |rx| ready(rx.recv_blocking());
);

rival!(Kanal, "kanal", kanal::Sender<V>, kanal::Receiver<V>;
    new |capacity| Some(capacity.map_or_else(kanal::unbounded, kanal::bounded));
    clone_rx |rx| rx.clone();
    send |tx, value| ready(tx.send(value));
    recv |rx| ready(rx.recv());
);

rival!(Flume, "flume", flume::Sender<V>, flume::Receiver<V>;
    new |capacity| Some(capacity.map_or_else(flume::unbounded, flume::bounded));
    clone_rx |rx| rx.clone();
    send |tx, value| ready(tx.send(value));
    recv |rx| ready(rx.recv());
);

rival!(Loole, "loole", loole::Sender<V>, loole::Receiver<V>;
    new |capacity| Some(capacity.map_or_else(loole::unbounded, loole::bounded));
    clone_rx |rx| rx.clone();
    send |tx, value| ready(tx.send(value));
    recv |rx| ready(rx.recv());
);

rival!(AsyncChannel, "async-channel", async_channel::Sender<V>, async_channel::Receiver<V>;
    new |capacity| match capacity {
        Some(0) => None,
        Some(n) => Some(async_channel::bounded(n)),
        None => Some(async_channel::unbounded()),
    };
    clone_rx |rx| rx.clone();
    send |tx, value| ready(tx.send_blocking(value));
    recv |rx| ready(rx.recv_blocking());
);

type Mpmc<V> = crossfire::mpmc::Array<V>;
rival!(CrossfireMpmc, "crossfire mpmc", crossfire::MTx<Mpmc<V>>, crossfire::MRx<Mpmc<V>>;
    new |capacity| capacity.filter(|&n| n > 0).map(crossfire::mpmc::bounded_blocking);
    clone_rx |rx| rx.clone();
    send |tx, value| ready(tx.send(value));
    recv |rx| ready(rx.recv());
);

type MpmcList<V> = crossfire::mpmc::List<V>;
rival!(CrossfireMpmcList, "crossfire mpmc", crossfire::MTx<MpmcList<V>>, crossfire::MRx<MpmcList<V>>;
    new |capacity| capacity.is_none().then(crossfire::mpmc::unbounded_blocking);
    clone_rx |rx| rx.clone();
    send |tx, value| ready(tx.send(value));
    recv |rx| ready(rx.recv());
);

type Mpsc<V> = crossfire::mpsc::Array<V>;
rival!(CrossfireMpsc, "crossfire mpsc", crossfire::MTx<Mpsc<V>>, crossfire::Rx<Mpsc<V>>;
    new |capacity| capacity.filter(|&n| n > 0).map(crossfire::mpsc::bounded_blocking);
    send |tx, value| ready(tx.send(value));
    recv |rx| ready(rx.recv());
);

type MpscList<V> = crossfire::mpsc::List<V>;
rival!(CrossfireMpscList, "crossfire mpsc", crossfire::MTx<MpscList<V>>, crossfire::Rx<MpscList<V>>;
    new |capacity| capacity.is_none().then(crossfire::mpsc::unbounded_blocking);
    send |tx, value| ready(tx.send(value));
    recv |rx| ready(rx.recv());
);

rival!(Tokio, "tokio", tokio_mpsc::Sender<V>, tokio_mpsc::Receiver<V>;
    new |capacity| capacity.filter(|&n| n > 0).map(tokio_mpsc::channel);
    send |tx, value| ready(tx.blocking_send(value));
    recv |rx| ready(rx.blocking_recv());
);

rival!(TokioUnbounded, "tokio", tokio_mpsc::UnboundedSender<V>, tokio_mpsc::UnboundedReceiver<V>;
    new |capacity| capacity.is_none().then(tokio_mpsc::unbounded_channel);
    send |tx, value| ready(tx.send(value));
    recv |rx| ready(rx.blocking_recv());
);

rival!(Thingbuf, "thingbuf", thingbuf::mpsc::blocking::Sender<V>, thingbuf::mpsc::blocking::Receiver<V>;
    new |capacity| capacity.filter(|&n| n > 0).map(thingbuf::mpsc::blocking::channel);
    send |tx, value| ready(tx.send(value));
    recv |rx| ready(rx.recv());
);

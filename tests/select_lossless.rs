//! A select between a channel and another queue, on threads: all values of both arrive, in order.

use std::future::poll_fn;
use std::io::{BufWriter, Write};
use std::net::TcpStream;
use std::task::Poll::{Pending, Ready};
use std::thread::{self, JoinHandle};

use futures::StreamExt;
use futures::executor::block_on;
use hchan::{Receiver, RecvTimeoutError, Select, bounded, select};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// How many values go through each of the two.
const COUNT: usize = 200_000;

/// Small enough that the select often waits, large enough that it does not wait for each value.
const CAPACITY: usize = 8;

/// The values from 0 on, each of which has to come when it is due, and the end after the last.
#[derive(Default)]
struct Due {
    next: usize,
    over: bool,
}

impl Due {
    #[track_caller]
    fn came(&mut self, value: Option<usize>) {
        self.over = value.is_none();
        assert_eq!(value.unwrap_or(COUNT), self.next, "another value was due");
        self.next += 1;
    }
}

/// A channel of the crate, on which a thread sends all values.
fn channel() -> Receiver<usize> {
    let (tx, rx) = bounded(CAPACITY);
    thread::spawn(move || (0..COUNT).for_each(|value| tx.send_blocking(value).unwrap()));
    rx
}

/// A channel of tokio's, on which a thread sends all values.
fn foreign() -> mpsc::Receiver<usize> {
    let (tx, rx) = mpsc::channel(CAPACITY);
    thread::spawn(move || (0..COUNT).for_each(|value| tx.blocking_send(value).unwrap()));
    rx
}

/// Selects between a channel and a future until both have brought all values.
macro_rules! select_all {
    ($future:expr, |$due:ident, $output:pat_param| $came:expr) => {{
        let rx = channel();
        let (mut mine, mut $due) = (Due::default(), Due::default());
        while !(mine.over && $due.over) {
            select! {
                recv(rx) -> value, if !mine.over => mine.came(value.ok()),
                future($future) -> $output, if !$due.over => { $came }
            }
        }
    }};
}

#[test]
fn beside_a_channel_of_tokio() {
    let mut other = foreign();
    block_on(async { select_all!(other.recv(), |due, value| due.came(value)) });
}

#[test]
fn beside_a_channel_of_tokio_in_a_biased_select() {
    let (rx, mut other) = (channel(), foreign());
    let (mut mine, mut due) = (Due::default(), Due::default());
    block_on(async {
        while !(mine.over && due.over) {
            select! { biased;
                future(other.recv()) -> value, if !due.over => due.came(value),
                recv(rx) -> value, if !mine.over => mine.came(value.ok()),
            }
        }
    });
}

#[test]
fn beside_a_channel_of_tokio_in_a_dynamic_select() {
    let (rx, mut other) = (channel(), foreign());
    let (mut mine, mut due) = (Due::default(), Due::default());
    while !(mine.over && due.over) {
        let mut select = Select::new();
        if !mine.over {
            select = select.recv(&rx, Ok);
        }
        if !due.over {
            select = select.future(other.recv(), Err);
        }
        match select.wait() {
            Ok(value) => mine.came(value.ok()),
            Err(value) => due.came(value),
        }
    }
}

#[test]
fn beside_recv() {
    let other = channel();
    block_on(async { select_all!(other.recv(), |due, value| due.came(value.ok())) });
}

#[test]
fn beside_next() {
    let mut other = channel();
    block_on(async { select_all!(StreamExt::next(&mut other), |due, value| due.came(value)) });
}

#[test]
fn beside_recv_until() {
    let other = channel();
    let timer = || {
        let mut polls = 0;
        poll_fn(move |_| {
            polls += 1;
            if polls > 2 { Ready(()) } else { Pending }
        })
    };
    block_on(async {
        select_all!(other.recv_until(timer()), |due, value| match value {
            Err(RecvTimeoutError::Timeout) => {}
            value => due.came(value.ok()),
        });
    });
}

#[test]
fn beside_recv_many() {
    let (other, mut burst) = (channel(), Vec::new());
    block_on(async {
        select_all!(other.recv_many(&mut burst, 5), |due, count| match count {
            Ok(count) => {
                assert_eq!(count, burst.len());
                burst.drain(..).for_each(|value| due.came(Some(value)));
            }
            Err(_) => due.came(None),
        });
    });
}

#[test]
fn beside_the_lines_of_a_socket() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let mut stream = BufWriter::with_capacity(16, TcpStream::connect(address).unwrap());
            (0..COUNT).for_each(|value| writeln!(stream, "{value}").unwrap());
        });
        let mut lines = BufReader::new(listener.accept().await.unwrap().0).lines();
        select_all!(lines.next_line(), |due, line| {
            let line = line.unwrap();
            due.came(line.map(|line| line.parse().unwrap()));
        });
    });
}

/// A channel on which a thread receives, which ends once all values have come.
fn sink() -> (hchan::Sender<usize>, JoinHandle<()>) {
    let (tx, rx) = bounded(CAPACITY);
    let receives = move || {
        let mut due = Due::default();
        while !due.over {
            due.came(rx.recv_blocking().ok());
        }
    };
    (tx, thread::spawn(receives))
}

#[test]
fn beside_a_send_what_is_not_sent_is_sent_once_in_the_end() {
    let (tx, sink) = sink();
    let mut other = foreign();
    let (mut next, mut due) = (0, Due::default());
    block_on(async {
        while next < COUNT || !due.over {
            select! {
                send(tx, next) -> sent, if next < COUNT => {
                    sent.unwrap();
                    next += 1;
                }
                future(other.recv()) -> value, if !due.over => due.came(value),
            }
        }
    });
    drop(tx);
    sink.join().unwrap();
}

#[test]
fn beside_a_send_from_a_slot_what_is_not_sent_is_in_the_slot() {
    let (tx, sink) = sink();
    let mut other = foreign();
    let (mut slot, mut next, mut due) = (None, 0, Due::default());
    block_on(async {
        while slot.is_some() || next < COUNT || !due.over {
            if slot.is_none() && next < COUNT {
                slot = Some(next);
                next += 1;
            }
            let full = slot.is_some();
            select! {
                send_from(tx, &mut slot) -> sent, if full => sent.unwrap(),
                future(other.recv()) -> value, if !due.over => due.came(value),
            }
        }
    });
    drop(tx);
    sink.join().unwrap();
}

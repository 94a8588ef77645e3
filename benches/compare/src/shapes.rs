//! The shapes, for any rival, value and watch.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Poll;
use std::thread;

use futures::{FutureExt, poll};

use crate::cell::{Cell, Shape};
use crate::rival::{Received, Rival, Sent, Value};
use crate::runtime::Runtimes;
use crate::watch::{Findings, Report, Tally, Task, Watch};

/// What came of a run.
pub struct Outcome {
    pub nanos: f64,
    pub messages: u64,
    /// Values got lost, or came twice.
    pub lost: bool,
    pub close: Option<Close>,
}

/// What came of a close look.
pub struct Close {
    pub messages: u64,
    pub findings: Findings,
    pub wakes: u64,
    /// The messages of the least served over those of the most served.
    pub senders: f64,
    pub receivers: f64,
}

/// What a close look finds, as [`Close::numbers`] gives it.
pub const FOUND: [&str; 8] = [
    "p50",
    "p99",
    "p99.9",
    "max",
    "allocations",
    "wakes",
    "senders",
    "receivers",
];

impl Outcome {
    fn new(nanos: f64, reports: &[Report]) -> Self {
        let mut sent = Tally::default();
        let mut received = Tally::default();
        for report in reports {
            report.sent.iter().for_each(|tally| sent.merge(tally));
            report
                .received
                .iter()
                .for_each(|tally| received.merge(tally));
        }
        Self {
            nanos: reports
                .iter()
                .find_map(|report| report.nanos)
                .unwrap_or(nanos),
            messages: received.count,
            lost: sent != received,
            close: None,
        }
    }

    pub fn nanos_each(&self) -> f64 {
        self.nanos / self.messages as f64
    }
}

impl Close {
    fn new(reports: &[Report], wakes: u64) -> Self {
        let mut findings = Findings::default();
        for report in reports {
            for more in &report.findings {
                findings.polls.merge(&more.polls);
                findings.allocations += more.allocations;
            }
        }
        let balance = |tally: fn(&Report) -> &Option<Tally>| {
            let counts = reports.iter().flat_map(tally).map(|tally| tally.count);
            let most = counts.clone().max().unwrap_or(0).max(1);
            counts.min().unwrap_or(0) as f64 / most as f64
        };
        Self {
            messages: reports
                .iter()
                .flat_map(|report| &report.received)
                .map(|tally| tally.count)
                .sum(),
            findings,
            wakes,
            senders: balance(|report| &report.sent),
            receivers: balance(|report| &report.received),
        }
    }

    /// Nanoseconds of a poll, what was counted for each message, and the balances.
    pub fn numbers(&self) -> [f64; FOUND.len()] {
        let polls = &self.findings.polls;
        let each = |count: f64| count / self.messages as f64;
        [
            polls.quantile(0.5) as f64,
            polls.quantile(0.99) as f64,
            polls.quantile(0.999) as f64,
            polls.max as f64,
            each(self.findings.allocations as f64),
            each(self.wakes as f64),
            self.senders,
            self.receivers,
        ]
    }
}

/// Runs tasks that were made for this cell.
pub fn run_tasks<W: Watch>(
    cell: &Cell,
    run: &W::Run,
    tasks: Vec<Task>,
    runtimes: &Runtimes,
) -> Outcome {
    let tasks = tasks.into_iter().map(|task| W::task(run, task)).collect();
    let (nanos, reports) = runtimes.run(cell.runtime, tasks);
    let close = W::wakes(run).map(|wakes| Close::new(&reports, wakes));
    Outcome {
        close,
        ..Outcome::new(nanos, &reports)
    }
}

/// Runs a cell; `None` if the rival cannot.
pub fn run<R: Rival, V: Value, W: Watch>(
    cell: &Cell,
    messages: u64,
    runtimes: &Runtimes,
) -> Option<Outcome> {
    let run = W::run(messages);
    let watch = || W::new(&run, messages);
    let channel = || R::channel::<V>(cell.capacity);
    let tasks: Vec<Task> = match cell.shape {
        Shape::Fan { senders, receivers } => {
            let share = messages.div_ceil(senders as u64);
            let watches = (0..senders + receivers).map(|_| W::new(&run, share));
            fan::<R, V, W>(channel()?, senders, cell.batch, watches.collect())?
        }
        Shape::PingPong => {
            let (there, back) = (channel()?, channel()?);
            vec![
                Box::pin(ping::<R, V, W>(there.0, back.1, watch())),
                Box::pin(pong::<R, V, W>(back.0, there.1, watch())),
            ]
        }
        // A task that plays with itself.
        Shape::Ready => {
            let (tx, rx) = channel()?;
            vec![Box::pin(ping::<R, V, W>(tx, rx, watch()))]
        }
        Shape::ParkedRecv => {
            vec![Box::pin(parked_recv::<R, V, W>(
                channel()?,
                [watch(), watch()],
            ))]
        }
        Shape::ParkedSend => {
            let full = cell.capacity?;
            vec![Box::pin(parked_send::<R, V, W>(
                channel()?,
                full,
                [watch(), watch()],
            ))]
        }
        _ => return None,
    };
    Some(run_tasks::<W>(cell, &run, tasks, runtimes))
}

fn fan<R: Rival, V: Value, W: Watch>(
    (tx, rx): (R::Tx<V>, R::Rx<V>),
    senders: usize,
    batch: usize,
    mut watches: Vec<W>,
) -> Option<Vec<Task>> {
    let receivers = watches.split_off(senders);
    let mut txs: Vec<_> = (1..senders).map(|_| R::clone_tx(&tx)).collect();
    txs.push(tx);
    let mut rxs = Vec::new();
    for _ in 1..receivers.len() {
        rxs.push(R::clone_rx(&rx)?);
    }
    rxs.push(rx);

    let mut tasks = Vec::<Task>::new();
    let awaited = Arc::new(AtomicUsize::new(senders));
    for (tx, watch) in txs.into_iter().zip(watches) {
        let here = is_here(awaited.clone());
        tasks.push(match batch {
            1 => Box::pin(here.then(|()| send::<R, V, W>(tx, watch))),
            _ => Box::pin(here.then(move |()| send_by::<R, V, W>(tx, batch, watch))),
        });
    }
    for (rx, watch) in rxs.into_iter().zip(receivers) {
        let all_here = are_all_here(awaited.clone());
        tasks.push(match batch {
            1 => Box::pin(all_here.then(|()| recv::<R, V, W>(rx, watch))),
            _ => Box::pin(all_here.then(move |()| recv_by::<R, V, W>(rx, batch, watch))),
        });
    }
    Some(tasks)
}

async fn is_here(awaited: Arc<AtomicUsize>) {
    awaited.fetch_sub(1, Relaxed);
}

/// Waits until nobody is awaited any more, so that of 2000 senders all stand in line, and not only those
/// who come before the first is done.
async fn are_all_here(awaited: Arc<AtomicUsize>) {
    poll_fn(|cx| match awaited.load(Relaxed) {
        0 => Poll::Ready(()),
        _ => {
            // What runs on a thread of its own is polled again at once.
            thread::yield_now();
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

async fn send<R: Rival, V: Value, W: Watch>(mut tx: R::Tx<V>, mut watch: W) -> Report {
    let mut sent = Tally::default();
    while watch.more() {
        let value = V::new(sent.next_number());
        let result = watch.over(|| R::send(&mut tx, value)).await;
        assert!(result.is_sent());
    }
    Report::new(watch).sent(sent)
}

async fn recv<R: Rival, V: Value, W: Watch>(mut rx: R::Rx<V>, mut watch: W) -> Report {
    let mut received = Tally::default();
    while let Some(value) = watch.over(|| R::recv(&mut rx)).await.value() {
        received.add(value.number());
    }
    Report::new(watch).received(received)
}

async fn send_by<R: Rival, V: Value, W: Watch>(
    mut tx: R::Tx<V>,
    batch: usize,
    mut watch: W,
) -> Report {
    let mut sent = Tally::default();
    let mut items = VecDeque::with_capacity(batch);
    loop {
        while items.len() < batch && watch.more() {
            items.push_back(V::new(sent.next_number()));
        }
        if items.is_empty() {
            return Report::new(watch).sent(sent);
        }
        watch.over(|| R::send_many(&mut tx, &mut items)).await;
    }
}

async fn recv_by<R: Rival, V: Value, W: Watch>(
    mut rx: R::Rx<V>,
    batch: usize,
    mut watch: W,
) -> Report {
    let mut received = Tally::default();
    let mut items = Vec::with_capacity(batch);
    loop {
        watch
            .over(|| R::recv_many(&mut rx, &mut items, batch))
            .await;
        if items.is_empty() {
            return Report::new(watch).received(received);
        }
        for value in items.drain(..) {
            received.add(V::number(&value));
        }
    }
}

async fn ping<R: Rival, V: Value, W: Watch>(
    mut tx: R::Tx<V>,
    mut rx: R::Rx<V>,
    mut watch: W,
) -> Report {
    let (mut sent, mut received) = (Tally::default(), Tally::default());
    while watch.more() {
        let value = V::new(sent.next_number());
        let result = watch.over(|| R::send(&mut tx, value)).await;
        assert!(result.is_sent());
        let value = watch.over(|| R::recv(&mut rx)).await.value();
        received.add(value.unwrap().number());
    }
    Report::new(watch).sent(sent).received(received)
}

async fn pong<R: Rival, V: Value, W: Watch>(
    mut tx: R::Tx<V>,
    mut rx: R::Rx<V>,
    mut watch: W,
) -> Report {
    while let Some(value) = watch.over(|| R::recv(&mut rx)).await.value() {
        let result = watch.over(|| R::send(&mut tx, value)).await;
        assert!(result.is_sent());
    }
    Report::new(watch)
}

async fn parked_recv<R: Rival, V: Value, W: Watch>(
    (mut tx, mut rx): (R::Tx<V>, R::Rx<V>),
    [mut sending, mut receiving]: [W; 2],
) -> Report {
    let (mut sent, mut received) = (Tally::default(), Tally::default());
    while sending.more() {
        let value = V::new(sent.next_number());
        let mut recv = pin!(receiving.over(|| R::recv(&mut rx)));
        assert!(poll!(recv.as_mut()).is_pending());
        let result = sending.over(|| R::send(&mut tx, value)).await;
        assert!(result.is_sent());
        received.add(recv.await.value().unwrap().number());
    }
    Report::new(sending)
        .and(receiving)
        .sent(sent)
        .received(received)
}

async fn parked_send<R: Rival, V: Value, W: Watch>(
    (mut tx, mut rx): (R::Tx<V>, R::Rx<V>),
    full: usize,
    [mut sending, mut receiving]: [W; 2],
) -> Report {
    let (mut sent, mut received) = (Tally::default(), Tally::default());
    for _ in 0..full {
        let result = R::send(&mut tx, V::new(sent.next_number())).await;
        assert!(result.is_sent());
    }
    while sending.more() {
        let value = V::new(sent.next_number());
        let mut send = pin!(sending.over(|| R::send(&mut tx, value)));
        assert!(poll!(send.as_mut()).is_pending());
        let value = receiving.over(|| R::recv(&mut rx)).await.value();
        received.add(value.unwrap().number());
        assert!(send.await.is_sent());
    }
    for _ in 0..full {
        let value = R::recv(&mut rx).await.value();
        received.add(value.unwrap().number());
    }
    Report::new(sending)
        .and(receiving)
        .sent(sent)
        .received(received)
}

//! Selects over two receivers.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::pin;

use futures::{FutureExt, poll};

use crate::cell::{Cell, Shape};
use crate::clock::Clock;
use crate::contest::{Entry, Look, Run};
use crate::rival::{Received, Rival, Sent};
use crate::rivals::{Hchan, Kanal, Tokio};
use crate::runtime::Runtimes;
use crate::shapes::{Outcome, run_tasks};
use crate::watch::{self, Report, Tally, Task, Watch};

type Tx<S> = <<S as Select>::Over as Rival>::Tx<u64>;
type Rx<S> = <<S as Select>::Over as Rival>::Rx<u64>;

/// A way to receive from either of two channels.
trait Select: 'static {
    const NAME: &str;

    /// How many of the two it looks at.
    const ARMS: usize = 2;

    type Over: Rival;

    /// `None` if a channel is closed.
    fn select(a: &mut Rx<Self>, b: &mut Rx<Self>) -> impl Future<Output = Option<u64>> + Send;
}

struct HchanSelect;

impl Select for HchanSelect {
    const NAME: &str = "hchan::select!";
    type Over = Hchan;

    async fn select(a: &mut Rx<Self>, b: &mut Rx<Self>) -> Option<u64> {
        hchan::select! {
            recv(a) -> value => value.ok(),
            recv(b) -> value => value.ok(),
        }
    }
}

/// `hchan::Select`, made anew each time.
struct HchanDynamic;

impl Select for HchanDynamic {
    const NAME: &str = "hchan::Select";
    type Over = Hchan;

    async fn select(a: &mut Rx<Self>, b: &mut Rx<Self>) -> Option<u64> {
        let select = hchan::Select::new().recv(a, Result::ok).recv(b, Result::ok);
        select.await
    }
}

/// No select: a receive from the first.
struct Plain;

impl Select for Plain {
    const NAME: &str = "plain recv";
    const ARMS: usize = 1;
    type Over = Hchan;

    async fn select(a: &mut Rx<Self>, _: &mut Rx<Self>) -> Option<u64> {
        a.recv().await.ok()
    }
}

/// `tokio::select!` and `futures::select!`, over the receives of a rival.
struct TokioSelect<R>(PhantomData<R>);
struct FuturesSelect<R>(PhantomData<R>);

macro_rules! foreign {
    ($over:ident, $tokio:literal, $futures:literal) => {
        impl Select for TokioSelect<$over> {
            const NAME: &str = $tokio;
            type Over = $over;

            async fn select(a: &mut Rx<Self>, b: &mut Rx<Self>) -> Option<u64> {
                tokio::select! {
                    value = $over::recv(a) => value.value(),
                    value = $over::recv(b) => value.value(),
                }
            }
        }

        impl Select for FuturesSelect<$over> {
            const NAME: &str = $futures;
            type Over = $over;

            async fn select(a: &mut Rx<Self>, b: &mut Rx<Self>) -> Option<u64> {
                let mut a = pin!($over::recv(a).fuse());
                let mut b = pin!($over::recv(b).fuse());
                futures::select! {
                    value = a => value.value(),
                    value = b => value.value(),
                }
            }
        }
    };
}

foreign!(
    Hchan,
    "tokio::select! on hchan",
    "futures::select! on hchan"
);
foreign!(
    Tokio,
    "tokio::select! on tokio",
    "futures::select! on tokio"
);
foreign!(
    Kanal,
    "tokio::select! on kanal",
    "futures::select! on kanal"
);

/// All of them, ours first.
pub fn entries() -> Vec<Entry> {
    vec![
        entry::<HchanSelect>(),
        entry::<HchanDynamic>(),
        entry::<Plain>(),
        entry::<TokioSelect<Hchan>>(),
        entry::<FuturesSelect<Hchan>>(),
        entry::<TokioSelect<Tokio>>(),
        entry::<FuturesSelect<Tokio>>(),
        entry::<TokioSelect<Kanal>>(),
        entry::<FuturesSelect<Kanal>>(),
    ]
}

fn entry<S: Select>() -> Entry {
    let run: Run = Box::new(|cell, messages, look, on| match look {
        Look::Away => run::<S, watch::Away>(cell, messages, on),
        Look::Close => run::<S, watch::Close>(cell, messages, on),
    });
    Entry::new(S::NAME, run)
}

fn run<S: Select, W: Watch>(cell: &Cell, messages: u64, on: &Runtimes) -> Option<Outcome> {
    let run = W::run(messages);
    let watch = || W::new(&run, messages);
    let channel = || S::Over::channel(cell.capacity);
    let (a, b) = (channel()?, channel()?);
    let there = [a.0, b.0];
    let from = [a.1, b.1];
    let tasks: Vec<Task> = match cell.shape {
        Shape::SelectReady => vec![Box::pin(ready::<S, W>(there, from, *cell, watch()))],
        Shape::SelectParked => vec![Box::pin(parked::<S, W>(there, from, [watch(), watch()]))],
        Shape::SelectPing => {
            let back = channel()?;
            vec![
                Box::pin(ping::<S, W>(there, back.1, watch())),
                Box::pin(pong::<S, W>(back.0, from, watch())),
            ]
        }
        _ => return None,
    };
    Some(run_tasks::<W>(cell, &run, tasks, on))
}

/// One of the channels has values, the other none. Only the selects are timed.
async fn ready<S: Select, W: Watch>(
    mut txs: [Tx<S>; 2],
    [mut a, mut b]: [Rx<S>; 2],
    cell: Cell,
    mut watch: W,
) -> Report {
    let (mut sent, mut received) = (Tally::default(), Tally::default());
    let mut nanos = 0.0;
    for arm in (0..S::ARMS).cycle() {
        let mut count = 0;
        while count < cell.capacity.unwrap() && watch.more() {
            assert!(
                S::Over::send(&mut txs[arm], sent.next_number())
                    .await
                    .is_sent()
            );
            count += 1;
        }
        if count == 0 {
            break;
        }
        let clock = Clock::start(cell.runtime);
        for _ in 0..count {
            let value = watch.over(|| S::select(&mut a, &mut b)).await;
            received.add(value.unwrap());
        }
        nanos += clock.nanos();
    }
    let report = Report::new(watch).sent(sent).received(received);
    Report {
        nanos: Some(nanos),
        ..report
    }
}

async fn parked<S: Select, W: Watch>(
    mut txs: [Tx<S>; 2],
    [mut a, mut b]: [Rx<S>; 2],
    [mut sending, mut receiving]: [W; 2],
) -> Report {
    let (mut sent, mut received) = (Tally::default(), Tally::default());
    for arm in (0..S::ARMS).cycle() {
        if !sending.more() {
            break;
        }
        let mut select = pin!(receiving.over(|| S::select(&mut a, &mut b)));
        assert!(poll!(select.as_mut()).is_pending());
        let number = sent.next_number();
        let result = sending.over(|| S::Over::send(&mut txs[arm], number)).await;
        assert!(result.is_sent());
        received.add(select.await.unwrap());
    }
    Report::new(sending)
        .and(receiving)
        .sent(sent)
        .received(received)
}

async fn ping<S: Select, W: Watch>(mut txs: [Tx<S>; 2], mut rx: Rx<S>, mut watch: W) -> Report {
    let (mut sent, mut received) = (Tally::default(), Tally::default());
    for arm in (0..S::ARMS).cycle() {
        if !watch.more() {
            break;
        }
        let number = sent.next_number();
        let result = watch.over(|| S::Over::send(&mut txs[arm], number)).await;
        assert!(result.is_sent());
        let value = watch.over(|| S::Over::recv(&mut rx)).await.value();
        received.add(value.unwrap());
    }
    Report::new(watch).sent(sent).received(received)
}

async fn pong<S: Select, W: Watch>(
    mut tx: Tx<S>,
    [mut a, mut b]: [Rx<S>; 2],
    mut watch: W,
) -> Report {
    while let Some(number) = watch.over(|| S::select(&mut a, &mut b)).await {
        let result = watch.over(|| S::Over::send(&mut tx, number)).await;
        assert!(result.is_sent());
    }
    Report::new(watch)
}

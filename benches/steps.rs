//! Programs whose instructions are counted: `ci/steps` runs each under callgrind and holds it to its
//! budget.
//!
//! `steps CASE ROUNDS` runs one of them; without arguments it runs each for a moment, to see that it
//! works.

use std::env;
use std::future::{Future, pending};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use futures::poll;
use hchan::{Receiver, RecvSet, bounded};

type Case = fn(u64) -> Pin<Box<dyn Future<Output = u64>>>;

const CASES: [(&str, Case); 12] = [
    ("ready-pair", |rounds| Box::pin(ready_pair(rounds))),
    ("parked-recv", |rounds| Box::pin(parked_recv(rounds))),
    ("parked-send", |rounds| Box::pin(parked_send(rounds))),
    ("ready-lease", |rounds| Box::pin(ready_lease(rounds))),
    ("parked-lease", |rounds| Box::pin(parked_lease(rounds))),
    ("cancelled-recv", |rounds| Box::pin(cancelled_recv(rounds))),
    ("ready-select", |rounds| Box::pin(ready_select(rounds))),
    ("parked-select", |rounds| Box::pin(parked_select(rounds))),
    ("parked-select-future", |rounds| {
        Box::pin(parked_select_future(rounds))
    }),
    ("select-spurious-poll", |rounds| {
        Box::pin(select_spurious_poll(rounds))
    }),
    ("ready-set", |rounds| Box::pin(ready_set(rounds))),
    ("parked-set", |rounds| Box::pin(parked_set(rounds))),
];

/// A send and a receive that never wait.
async fn ready_pair(rounds: u64) -> u64 {
    let (tx, rx) = bounded(128);
    let mut sum = 0;
    for n in 0..rounds {
        tx.send(n).await.unwrap();
        sum += rx.recv().await.unwrap();
    }
    sum
}

/// A receive that parks, a send that serves it, and the poll that claims the value.
async fn parked_recv(rounds: u64) -> u64 {
    let (tx, rx) = bounded(0);
    let mut sum = 0;
    for n in 0..rounds {
        let mut recv = rx.recv();
        assert!(poll!(&mut recv).is_pending());
        tx.send(n).await.unwrap();
        sum += recv.await.unwrap();
    }
    sum
}

/// The same as a ready pair, where the value is leased and taken.
async fn ready_lease(rounds: u64) -> u64 {
    let (tx, rx) = bounded(128);
    let mut sum = 0;
    for n in 0..rounds {
        tx.send(n).await.unwrap();
        sum += rx.lease().await.unwrap().take();
    }
    sum
}

/// The same as a parked receive, where the value is leased and taken.
async fn parked_lease(rounds: u64) -> u64 {
    let (tx, rx) = bounded(0);
    let mut sum = 0;
    for n in 0..rounds {
        let mut lease = rx.lease();
        assert!(poll!(&mut lease).is_pending());
        tx.send(n).await.unwrap();
        sum += lease.await.unwrap().take();
    }
    sum
}

/// A send that parks, a receive that takes its value, and the poll that learns of it.
async fn parked_send(rounds: u64) -> u64 {
    let (tx, rx) = bounded(0);
    let mut sum = 0;
    for n in 0..rounds {
        let mut send = tx.send(n);
        assert!(poll!(&mut send).is_pending());
        sum += rx.recv().await.unwrap();
        send.await.unwrap();
    }
    sum
}

/// A receive that parks and is given up.
async fn cancelled_recv(rounds: u64) -> u64 {
    let (tx, rx) = bounded::<u64>(0);
    for _ in 0..rounds {
        assert!(poll!(rx.recv()).is_pending());
    }
    drop(tx);
    (0..rounds).sum()
}

async fn select(a: &Receiver<u64>, b: &Receiver<u64>) -> u64 {
    hchan::select! {
        recv(a) -> value => value.unwrap(),
        recv(b) -> value => value.unwrap(),
    }
}

/// A send, and a select that finds the value on one of two channels.
async fn ready_select(rounds: u64) -> u64 {
    let [(a, ra), (b, rb)] = [bounded(1), bounded(1)];
    let mut sum = 0;
    for n in 0..rounds {
        [&a, &b][n as usize % 2].send(n).await.unwrap();
        sum += select(&ra, &rb).await;
    }
    sum
}

/// A select that parks on two channels, a send that serves it, and the poll that claims the value.
async fn parked_select(rounds: u64) -> u64 {
    let [(a, ra), (b, rb)] = [bounded(0), bounded(0)];
    let mut sum = 0;
    for n in 0..rounds {
        let mut select = pin!(select(&ra, &rb));
        assert!(poll!(select.as_mut()).is_pending());
        [&a, &b][n as usize % 2].send(n).await.unwrap();
        sum += select.await;
    }
    sum
}

async fn select_future(a: &Receiver<u64>, b: &Receiver<u64>) -> u64 {
    hchan::select! {
        recv(a) -> value => value.unwrap(),
        recv(b) -> value => value.unwrap(),
        future(pending()) -> value => value,
    }
}

/// The same beside a future.
async fn parked_select_future(rounds: u64) -> u64 {
    let [(a, ra), (b, rb)] = [bounded(0), bounded(0)];
    let mut sum = 0;
    for n in 0..rounds {
        let mut select = pin!(select_future(&ra, &rb));
        assert!(poll!(select.as_mut()).is_pending());
        [&a, &b][n as usize % 2].send(n).await.unwrap();
        sum += select.await;
    }
    sum
}

/// A poll of a select in line that finds neither of its channels nor its future ready.
async fn select_spurious_poll(rounds: u64) -> u64 {
    let [(a, ra), (_b, rb)] = [bounded(0), bounded(0)];
    let mut select = pin!(select_future(&ra, &rb));
    for _ in 0..rounds {
        assert!(poll!(select.as_mut()).is_pending());
    }
    a.send((0..rounds).sum()).await.unwrap();
    select.await
}

/// A send, and a round of a set that finds the value on one of ten channels.
async fn ready_set(rounds: u64) -> u64 {
    let (txs, rxs): (Vec<_>, Vec<_>) = (0..10).map(|_| bounded(1)).unzip();
    let (mut set, mut sum) = (RecvSet::from_iter(rxs), 0);
    for n in 0..rounds {
        txs[n as usize % 10].send(n).await.unwrap();
        sum += set.next().await.1.unwrap();
    }
    sum
}

/// A round of a set that parks on ten channels, a send that serves it, and the poll that claims the value.
async fn parked_set(rounds: u64) -> u64 {
    let (txs, rxs): (Vec<_>, Vec<_>) = (0..10).map(|_| bounded(0)).unzip();
    let (mut set, mut sum) = (RecvSet::from_iter(rxs), 0);
    for n in 0..rounds {
        let mut next = set.next();
        assert!(poll!(&mut next).is_pending());
        txs[n as usize % 10].send(n).await.unwrap();
        sum += next.await.1.unwrap();
    }
    sum
}

fn run(case: Case, rounds: u64) {
    let mut story = case(black_box(rounds));
    match story.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(sum) => assert_eq!(sum, (0..rounds).sum()),
        Poll::Pending => panic!("nobody wakes this story"),
    }
}

fn main() {
    let mut args = env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let wanted = args.next();
    let rounds = args.next().map_or(100, |rounds| rounds.parse().unwrap());
    for (name, case) in CASES {
        if wanted.as_deref().is_none_or(|wanted| wanted == name) {
            run(case, rounds);
        }
    }
}

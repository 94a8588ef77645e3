//! What each kind of operation costs: ready, parked, tried, cancelled, closed, in bulk.
//!
//! All but the ping-pong run on one thread and without an executor, so that they measure the channel
//! and nothing else.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use futures::FutureExt;
use hchan::{Receiver, RecvFuture, Sender, bounded, unbounded};

type Channel = (Sender<u64>, Receiver<u64>);

/// Capacities, with a name; 0 means no limit.
const BUFFERED: [(&str, usize); 3] = [("1", 1), ("64", 64), ("unbounded", 0)];

fn buffered(capacity: usize) -> Channel {
    match capacity {
        0 => unbounded(),
        _ => bounded(capacity),
    }
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// A send and a receive that never wait.
fn ready_pair(c: &mut Criterion) {
    let mut group = c.benchmark_group("ready_pair");
    for (name, capacity) in BUFFERED {
        let (tx, rx) = buffered(capacity);
        group.bench_function(name, |b| {
            b.iter(|| {
                let sent = tx.send(black_box(1)).now_or_never();
                (sent, rx.recv().now_or_never())
            });
        });
    }
    group.finish();
}

/// A send and a receive that are not even futures.
fn try_pair(c: &mut Criterion) {
    let mut group = c.benchmark_group("try_pair");
    for (name, capacity) in BUFFERED {
        let (tx, rx) = buffered(capacity);
        group.bench_function(name, |b| {
            b.iter(|| (tx.try_send(black_box(1)), rx.try_recv()));
        });
    }
    group.finish();
}

/// A receive that parks, a send that serves it, and the poll that claims the value.
fn parked_recv(c: &mut Criterion) {
    let mut group = c.benchmark_group("parked_recv");
    for capacity in [0, 1] {
        let (tx, rx) = bounded(capacity);
        group.bench_function(capacity.to_string(), |b| {
            b.iter(|| {
                let mut recv = rx.recv();
                assert!(poll(&mut recv).is_pending());
                let sent = tx.send(black_box(1)).now_or_never();
                (sent, poll(&mut recv))
            });
        });
    }
    group.finish();
}

/// A send that parks, a receive that takes its value or admits it, and the poll that learns of it.
fn parked_send(c: &mut Criterion) {
    let mut group = c.benchmark_group("parked_send");
    for capacity in [0, 1] {
        let (tx, rx) = bounded(capacity);
        (0..capacity).for_each(|_| tx.try_send(0).unwrap());
        group.bench_function(capacity.to_string(), |b| {
            b.iter(|| {
                let mut send = tx.send(black_box(1));
                assert!(poll(&mut send).is_pending());
                let received = rx.recv().now_or_never();
                (received, poll(&mut send))
            });
        });
    }
    group.finish();
}

/// There and back again between two tasks on one thread.
fn ping_pong(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut group = c.benchmark_group("ping_pong");
    for capacity in [0, 1] {
        group.bench_function(capacity.to_string(), |b| {
            b.iter_custom(|rounds| {
                runtime.block_on(async {
                    let (ping, pings) = bounded(capacity);
                    let (pong, pongs) = bounded(capacity);
                    let echo = tokio::spawn(async move {
                        while let Ok(n) = pings.recv().await {
                            pong.send(n).await.unwrap();
                        }
                    });
                    let start = Instant::now();
                    for n in 0..rounds {
                        ping.send(n).await.unwrap();
                        black_box(pongs.recv().await.unwrap());
                    }
                    let time = start.elapsed();
                    drop(ping);
                    echo.await.unwrap();
                    time
                })
            });
        });
    }
    group.finish();
}

fn parked(rx: &Receiver<u64>) -> RecvFuture<'_, u64> {
    let mut recv = rx.recv();
    assert!(poll(&mut recv).is_pending());
    recv
}

/// Marsaglia's xorshift: which of many to pick.
fn pick(seed: &mut u64, many: usize) -> usize {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    usize::try_from(*seed % many as u64).unwrap()
}

/// One more receive parks, and one in the midst of many is cancelled.
fn cancel(c: &mut Criterion) {
    let mut group = c.benchmark_group("cancel_one_of");
    for many in [1_000, 10_000, 40_000] {
        let (tx, rx) = bounded(0);
        let mut line: Vec<_> = (0..many).map(|_| parked(&rx)).collect();
        let mut seed = 0x9E37_79B9_7F4A_7C15;
        group.bench_function(BenchmarkId::from_parameter(many), |b| {
            b.iter(|| line[pick(&mut seed, many)] = parked(&rx));
        });
        drop(line);
        drop(tx);
    }
    group.finish();
}

/// Close, which completes and wakes all that are parked.
fn close(c: &mut Criterion) {
    const PARKED: usize = 1_000;
    let mut group = c.benchmark_group("close");
    group.throughput(Throughput::Elements(PARKED as u64));
    group.bench_function(BenchmarkId::from_parameter(PARKED), |b| {
        b.iter_custom(|rounds| {
            let mut time = Duration::ZERO;
            for _ in 0..rounds {
                let (tx, rx) = bounded(0);
                let line: Vec<_> = (0..PARKED).map(|_| parked(&rx)).collect();
                let start = Instant::now();
                tx.close();
                time += start.elapsed();
                drop(line);
            }
            time
        });
    });
    group.finish();
}

/// Many values under one lock.
fn recv_many(c: &mut Criterion) {
    const MANY: usize = 256;
    let mut group = c.benchmark_group("recv_many");
    group.throughput(Throughput::Elements(MANY as u64));
    for (name, capacity) in [("bounded", MANY), ("unbounded", 0)] {
        let (tx, rx) = buffered(capacity);
        let mut out = Vec::with_capacity(MANY);
        group.bench_function(name, |b| {
            b.iter_custom(|rounds| {
                let mut time = Duration::ZERO;
                for n in 0..rounds {
                    (0..MANY).for_each(|_| tx.try_send(n).unwrap());
                    out.clear();
                    let start = Instant::now();
                    let count = rx.recv_many(&mut out, MANY).now_or_never();
                    time += start.elapsed();
                    assert_eq!(count, Some(Ok(MANY)));
                }
                time
            });
        });
    }
    group.finish();
}

fn main() {
    let mut c = Criterion::default().configure_from_args();
    ready_pair(&mut c);
    try_pair(&mut c);
    parked_recv(&mut c);
    parked_send(&mut c);
    ping_pong(&mut c);
    cancel(&mut c);
    close(&mut c);
    recv_many(&mut c);
    c.final_summary();
}

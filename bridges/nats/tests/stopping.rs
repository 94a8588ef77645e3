//! Bridges that stop, at whatever moment: at once, and nothing is left behind.

mod server;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use hchan::Receiver;
use hchan_nats::{Bridge, Delivery, Error, FromStream, Nats, ToStream};
use server::{Server, eventually, pending, polls, waiting};

async fn publish(nats: &Nats, values: std::ops::Range<u64>) {
    let (tx, rx) = hchan::unbounded();
    for value in values {
        tx.try_send(value).unwrap();
    }
    drop(tx);
    ToStream::new("work.n")
        .message_id(u64::to_string)
        .run(nats, &rx)
        .await
        .unwrap();
}

async fn start(nats: &Nats, capacity: usize) -> (Bridge, Receiver<Delivery<u64>>) {
    let (tx, rx) = hchan::bounded(capacity);
    let settings = FromStream::new("WORK", "counter");
    (settings.start(nats, tx).await.unwrap(), rx)
}

/// Receives and acknowledges these, in whatever order.
async fn receive(rx: &Receiver<Delivery<u64>>, values: std::ops::Range<u64>) {
    let mut left: HashSet<u64> = values.collect();
    while !left.is_empty() {
        let value = tokio::time::timeout(Duration::from_secs(10), rx.recv());
        let value = value.await.expect("not by the server's timeout of 30 s");
        assert!(left.remove(&value.unwrap().ack().await.unwrap()));
    }
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_bridge_over_an_idle_stream_stops_at_once() {
    let server = Server::start();
    let nats = server.queue().await;
    let mut longest = Duration::ZERO;
    for pause in [0, 1, 30, 300, 1100] {
        let (bridge, _rx) = start(&nats, 8).await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let since = Instant::now();
        bridge.stop().await.unwrap();
        longest = longest.max(since.elapsed());
    }
    println!("an idle bridge stops within {longest:?}");
    assert!(longest < Duration::from_millis(400), "{longest:?}");
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn what_was_taken_goes_back_at_once() {
    let server = Server::start();
    let nats = server.queue().await;
    let (bridge, rx) = start(&nats, 4).await;
    publish(&nats, 0..6).await;
    eventually("all are taken", async || bridge.counts().taken == 6).await;
    // Four are in the channel, two are not. Two more are asked for.
    let since = Instant::now();
    bridge.stop().await.unwrap();
    let stopped = since.elapsed();
    let (_other, others) = start(&nats, 8).await;
    receive(&others, 4..6).await;
    drop(rx);
    receive(&others, 0..4).await;
    let elsewhere = since.elapsed();
    assert!(stopped < Duration::from_millis(400), "{stopped:?}");
    assert!(elsewhere < Duration::from_secs(2), "{elsewhere:?}");
    assert_eq!(waiting(&nats, "WORK").await, 0);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn bridges_that_stop_under_a_flood_leave_nothing_behind() {
    const VALUES: u64 = 4000;
    let server = Server::start();
    let nats = server.queue().await;
    let flood = tokio::spawn({
        let nats = nats.clone();
        async move {
            for n in 0..VALUES / 20 {
                publish(&nats, 20 * n..20 * (n + 1)).await;
                tokio::time::sleep(Duration::from_micros(fastrand::u64(..4000))).await;
            }
        }
    });
    let (mut left, mut bridges) = ((0..VALUES).collect::<HashSet<_>>(), 0);
    let since = Instant::now();
    while !left.is_empty() {
        bridges += 1;
        let (bridge, rx) = start(&nats, 16).await;
        let until = tokio::time::Instant::now() + Duration::from_micros(fastrand::u64(..60_000));
        while tokio::time::Instant::now() < until
            && let Ok(Ok(value)) = tokio::time::timeout_at(until, rx.recv()).await
        {
            if fastrand::u8(..) > 10 {
                assert!(left.remove(&value.ack().await.unwrap()));
            }
        }
        if fastrand::bool() {
            bridge.stop().await.unwrap();
        } else {
            // It ends by itself, beside the next one.
            drop(bridge);
        }
        assert!(
            since.elapsed() < Duration::from_secs(25),
            "{} of {VALUES} wait for the server's timeout after {bridges} bridges",
            left.len()
        );
    }
    flood.await.unwrap();
    println!(
        "{VALUES} values went through {bridges} bridges in {:?}",
        since.elapsed()
    );
    eventually("the stream is empty", async || {
        waiting(&nats, "WORK").await == 0
    })
    .await;
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_bridge_stops_while_the_server_is_away() {
    let mut server = Server::start();
    let nats = server.queue().await;
    publish(&nats, 0..10).await;
    let (bridge, rx) = start(&nats, 4).await;
    eventually("eight are taken", async || bridge.counts().taken == 8).await;
    let held = rx.recv().await.unwrap();
    server.kill();
    eventually("it is noticed", async || {
        nats.client().connection_state() != async_nats::connection::State::Connected
    })
    .await;
    let since = Instant::now();
    bridge.stop().await.unwrap();
    assert!(
        since.elapsed() < Duration::from_secs(1),
        "{:?}",
        since.elapsed()
    );
    server.start_again();
    // What was given back meanwhile is there at once, and what is held can be acknowledged.
    assert_eq!(held.ack().await.unwrap(), 0);
    drop(rx);
    let (_bridge, rx) = start(&nats, 16).await;
    receive(&rx, 1..10).await;
}

/// More than the client's queue holds.
#[tokio::test]
#[ignore = "needs nats-server"]
async fn many_values_go_back_though_the_server_is_away() {
    const VALUES: u64 = 5000;
    let mut server = Server::start();
    let nats = server.queue().await;
    publish(&nats, 0..VALUES).await;
    let (bridge, rx) = start(&nats, VALUES as usize).await;
    eventually("all are taken", async || bridge.counts().taken == VALUES).await;
    server.kill();
    eventually("it is noticed", async || {
        nats.client().connection_state() != async_nats::connection::State::Connected
    })
    .await;
    let since = Instant::now();
    for _ in 0..VALUES / 2 {
        drop(rx.recv().await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    bridge.stop().await.unwrap();
    drop(rx);
    assert!(
        since.elapsed() < Duration::from_secs(3),
        "{:?}",
        since.elapsed()
    );
    server.start_again();
    let (_bridge, rx) = start(&nats, 64).await;
    receive(&rx, 0..VALUES).await;
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_bridge_stops_while_the_connection_comes_back() {
    let mut server = Server::start();
    let nats = server.queue().await;
    for round in 0..6 {
        publish(&nats, 10 * round..10 * (round + 1)).await;
        let (bridge, rx) = start(&nats, 4).await;
        eventually("eight are taken", async || bridge.counts().taken == 8).await;
        server.kill();
        server.start_again();
        tokio::time::sleep(Duration::from_millis(20 * round)).await;
        let since = Instant::now();
        bridge.stop().await.unwrap();
        assert!(
            since.elapsed() < Duration::from_secs(5),
            "{:?}",
            since.elapsed()
        );
        drop(rx);
        let (bridge, rx) = start(&nats, 16).await;
        // A server that is killed may have forgotten some acknowledgements.
        let mut left: HashSet<u64> = (10 * round..10 * (round + 1)).collect();
        while !left.is_empty() {
            let value = tokio::time::timeout(Duration::from_secs(10), rx.recv());
            let value = value.await.expect("not by the server's timeout of 30 s");
            left.remove(&value.unwrap().ack().await.unwrap());
        }
        bridge.stop().await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn deliveries_outlive_their_bridge() {
    let server = Server::start();
    let nats = server.queue().await;
    publish(&nats, 0..6).await;
    let (bridge, rx) = start(&nats, 6).await;
    let mut held = Vec::new();
    for _ in 0..6 {
        held.push(rx.recv().await.unwrap());
    }
    drop(bridge);
    eventually("the bridge is gone", async || rx.is_closed()).await;
    drop(rx);
    tokio::time::sleep(Duration::from_millis(200)).await;
    held.remove(5).nak(Duration::ZERO);
    held.remove(4).ack().await.unwrap();
    held.remove(3).term("it is odd");
    drop(held);
    let (_bridge, rx) = start(&nats, 6).await;
    let mut came = HashSet::new();
    for _ in 0..4 {
        let value = tokio::time::timeout(Duration::from_secs(5), rx.recv());
        came.insert(value.await.unwrap().unwrap().ack().await.unwrap());
    }
    assert_eq!(came, HashSet::from([0, 1, 2, 5]));
    eventually("the stream is empty", async || {
        waiting(&nats, "WORK").await == 0
    })
    .await;
}

#[test]
#[ignore = "needs nats-server"]
fn deliveries_outlive_their_runtime() {
    let server = Server::start();
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let first = runtime();
    let held = first.block_on(async {
        let nats = server.queue().await;
        publish(&nats, 0..1).await;
        let (bridge, rx) = start(&nats, 1).await;
        let held = rx.recv().await.unwrap();
        tokio::spawn(bridge);
        held
    });
    first.shutdown_background();
    // Nobody is left to tell the server, which finds out by itself.
    assert_eq!(*held, 0);
    drop(held);
    runtime().block_on(async {
        let nats = server.connect().await;
        assert_eq!(waiting(&nats, "WORK").await, 1);
    });
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_consumer_that_is_deleted_fails_the_acknowledgements_under_way() {
    let server = Server::start();
    let nats = server.queue().await;
    publish(&nats, 0..8).await;
    let (bridge, rx) = start(&nats, 4).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(rx.recv().await.unwrap());
    }
    let context = async_nats::jetstream::new(nats.client());
    let since = Instant::now();
    let acks: Vec<_> = held
        .drain(..3)
        .map(|held| tokio::spawn(held.ack()))
        .collect();
    context
        .delete_consumer_from_stream("counter", "WORK")
        .await
        .unwrap();
    held.remove(0).ack().await.unwrap_err();
    let mut acknowledged = 0;
    for ack in acks {
        acknowledged += u64::from(ack.await.unwrap().is_ok());
    }
    assert!(
        since.elapsed() < Duration::from_secs(6),
        "{:?}",
        since.elapsed()
    );
    let error = bridge.await.unwrap_err();
    assert!(matches!(error, Error::ConsumerGone { .. }), "{error}");
    drop(rx);
    assert_eq!(waiting(&nats, "WORK").await, 8 - acknowledged);
    // Another one of that name gets them all.
    let (_bridge, rx) = start(&nats, 8).await;
    let mut left = 8 - acknowledged;
    while left > 0 {
        rx.recv().await.unwrap().ack().await.unwrap();
        left -= 1;
    }
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn an_acknowledgement_is_aborted_at_any_await() {
    let server = Server::start();
    let nats = server.queue().await;
    publish(&nats, 0..200).await;
    let (bridge, rx) = start(&nats, 8).await;
    let mut left: HashSet<u64> = (0..200).collect();
    let (mut aborted, since) = (0, Instant::now());
    // Whether it was acknowledged or not cannot be told, but no value comes after that was confirmed.
    while waiting(&nats, "WORK").await > 0 {
        let Ok(value) = tokio::time::timeout(Duration::from_millis(500), rx.recv()).await else {
            continue;
        };
        let value = value.unwrap();
        let n = *value;
        match polls(value.ack(), fastrand::u32(..4)).await {
            Some(acknowledged) => assert!(left.remove(&acknowledged.unwrap()), "{n} again"),
            None => aborted += 1,
        }
        assert!(since.elapsed() < Duration::from_secs(20), "{left:?}");
    }
    println!(
        "{aborted} acknowledgements were aborted, {} had arrived",
        left.len()
    );
    assert!(aborted > 50);
    bridge.stop().await.unwrap();
    assert_eq!(pending(&nats, "WORK", "counter").await, 0);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_start_is_aborted_at_any_await() {
    let server = Server::start();
    let nats = server.queue().await;
    publish(&nats, 0..20).await;
    for times in 0.. {
        let (tx, rx) = hchan::bounded::<Delivery<u64>>(4);
        let started = polls(FromStream::new("WORK", "counter").start(&nats, tx), times).await;
        let Some(bridge) = started else {
            assert!(rx.recv().await.is_err(), "its sender is gone");
            continue;
        };
        assert!(times > 2, "{times}");
        receive(&rx, 0..20).await;
        bridge.unwrap().stop().await.unwrap();
        break;
    }
}

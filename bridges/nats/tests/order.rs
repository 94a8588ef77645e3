//! The order of the channel, with many values under way.

mod server;

use std::time::Duration;

use hchan_nats::{Delivery, FromStream, Nats, Published, Queue, ToStream};
use server::{Server, eventually, waiting};
use tokio::task::JoinHandle;

const WINDOW: usize = 32;

fn settings() -> ToStream<u64> {
    ToStream::new("work.n")
        .window(WINDOW)
        .in_order()
        .message_id(u64::to_string)
}

/// Publishes `0..values`.
fn publish(
    nats: &Nats,
    settings: ToStream<u64>,
    values: u64,
) -> JoinHandle<Result<Published, hchan_nats::Error>> {
    let (tx, rx) = hchan::bounded::<u64>(WINDOW);
    tokio::spawn(async move {
        for n in 0..values {
            if tx.send(n).await.is_err() {
                break;
            }
        }
    });
    let nats = nats.clone();
    tokio::spawn(async move { settings.run(&nats, &rx).await })
}

/// What the stream holds, in its order.
async fn stored(nats: &Nats) -> Vec<u64> {
    let (tx, rx) = hchan::bounded::<Delivery<u64>>(64);
    let bridge = FromStream::new("WORK", "reader").start(nats, tx);
    let bridge = bridge.await.unwrap();
    let mut values = Vec::new();
    for _ in 0..waiting(nats, "WORK").await {
        let value = rx.recv().await.unwrap();
        values.push(*value);
        tokio::spawn(value.ack());
    }
    bridge.stop().await.unwrap();
    values
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn order_is_kept_though_the_server_stops_and_starts() {
    const VALUES: u64 = 6000;
    let mut server = Server::start();
    let nats = server.queue().await;
    let out = publish(&nats, settings(), VALUES);
    for stop in 1..=4 {
        let until = VALUES * stop / 6;
        while waiting(&nats, "WORK").await < until {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        server.kill();
        tokio::time::sleep(Duration::from_millis(100 * stop)).await;
        server.start_again();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let published = out.await.unwrap().unwrap();
    assert_eq!(published.confirmed, VALUES);
    assert!(published.repeated > 0, "nothing was under way");
    println!(
        "{} values were published again, in order",
        published.repeated
    );
    assert_eq!(stored(&nats).await, (0..VALUES).collect::<Vec<_>>());
}

/// Of what is under way half is lost with the server, and half has not left the client, which sends it as soon as
/// there is a server again.
#[tokio::test]
#[ignore = "needs nats-server"]
async fn what_is_queued_does_not_overtake_what_was_lost() {
    for in_order in [true, false] {
        let mut server = Server::start();
        let nats = server.queue().await;
        let (tx, rx) = hchan::bounded::<u64>(WINDOW);
        let mut settings = ToStream::new("work.n").window(WINDOW);
        if in_order {
            settings = settings.in_order();
        }
        let out = tokio::spawn({
            let nats = nats.clone();
            async move { settings.run(&nats, &rx).await }
        });
        server.freeze();
        for n in 0..8 {
            tx.send(n).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.kill();
        eventually("it is noticed", async || {
            nats.client().connection_state() != async_nats::connection::State::Connected
        })
        .await;
        for n in 8..16 {
            tx.send(n).await.unwrap();
        }
        drop(tx);
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.start_again();
        let published = out.await.unwrap().unwrap();
        assert_eq!((published.confirmed, published.repeated), (16, 16));
        let (mut stored, all) = (stored(&nats).await, (0..16).collect::<Vec<_>>());
        if in_order {
            assert_eq!(stored, all);
        } else {
            // Otherwise this test would not show anything.
            assert_ne!(stored, all);
            stored.sort();
            assert_eq!(stored, all);
        }
    }
}

/// Places become free while values are on their way, some of which have been refused.
#[tokio::test]
#[ignore = "needs nats-server"]
async fn order_is_kept_when_the_stream_is_full() {
    const VALUES: u64 = 3000;
    let server = Server::start();
    let nats = server.connect().await;
    nats.work_queue(Queue::new("WORK", "work.>").max_values(20))
        .await
        .unwrap();
    let out = publish(&nats, settings(), VALUES);
    let (tx, rx) = hchan::bounded::<Delivery<u64>>(16);
    let bridge = FromStream::new("WORK", "counter").start(&nats, tx);
    let _bridge = bridge.await.unwrap();
    for n in 0..VALUES {
        let value = rx.recv().await.unwrap();
        assert_eq!(*value, n);
        tokio::spawn(value.ack());
    }
    assert_eq!(out.await.unwrap().unwrap().confirmed, VALUES);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn order_is_kept_though_others_publish_as_well() {
    const VALUES: u64 = 2000;
    let server = Server::start();
    let nats = server.queue().await;
    let other = settings().message_id(|n| format!("other {n}"));
    let (one, other) = (
        publish(&nats, settings(), VALUES),
        publish(&nats, other, VALUES),
    );
    for out in [one, other] {
        assert_eq!(out.await.unwrap().unwrap().confirmed, VALUES);
    }
    // Each has its own order: both count from 0, and a number comes for the second time from the later of them.
    let (mut ahead, mut behind) = (0, 0);
    for n in stored(&nats).await {
        if n == ahead {
            ahead += 1;
        } else {
            assert_eq!(n, behind, "out of order");
            behind += 1;
        }
    }
    assert_eq!((ahead, behind), (VALUES, VALUES));
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn order_is_kept_though_some_are_there_already() {
    let server = Server::start();
    let nats = server.queue().await;
    let first = publish(&nats, settings(), 300).await.unwrap().unwrap();
    assert_eq!((first.confirmed, first.duplicates), (300, 0));
    let second = publish(&nats, settings(), 1000).await.unwrap().unwrap();
    assert_eq!((second.confirmed, second.duplicates), (1000, 300));
    assert_eq!(stored(&nats).await, (0..1000).collect::<Vec<_>>());
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn ids_that_are_none_are_told() {
    let server = Server::start();
    let nats = server.queue().await;
    for wrong in ["", "a\nb", " a"] {
        let (tx, rx) = hchan::bounded(3);
        for n in 0..3_u64 {
            tx.try_send(n).unwrap();
        }
        let id = move |n: &u64| if *n == 1 { wrong.into() } else { n.to_string() };
        let error = settings().message_id(id).run(&nats, &rx).await.unwrap_err();
        assert!(
            error.to_string().contains("`message_id`"),
            "{wrong:?}: {error}"
        );
        assert_eq!(rx.drain().collect::<Vec<_>>(), [1, 2]);
    }
    assert_eq!(waiting(&nats, "WORK").await, 1);
}

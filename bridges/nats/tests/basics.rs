//! One server, one process.

mod server;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use hchan::{Receiver, Sender};
use hchan_nats::{
    Bridge, Counts, Delivery, Error, FromStream, Nats, Postcard, Published, Queue, ToStream,
};
use server::{Server, eventually, pending, waiting};

fn values(from: std::ops::Range<u64>) -> Receiver<u64> {
    let (tx, rx) = hchan::unbounded();
    for value in from {
        tx.try_send(value).unwrap();
    }
    rx
}

/// Publishes them, named by themselves.
async fn publish(nats: &Nats, range: std::ops::Range<u64>) -> Published {
    ToStream::new("work.n")
        .message_id(u64::to_string)
        .run(nats, &values(range))
        .await
        .unwrap()
}

fn counter() -> FromStream {
    FromStream::new("WORK", "counter")
}

async fn start(
    nats: &Nats,
    settings: FromStream,
    capacity: usize,
) -> (Bridge, Receiver<Delivery<u64>>) {
    let (tx, rx) = hchan::bounded(capacity);
    (settings.start(nats, tx).await.unwrap(), rx)
}

async fn receive_each_once(rx: &Receiver<Delivery<u64>>, values: usize) {
    let mut seen = HashSet::new();
    for _ in 0..values {
        let value = rx.recv().await.unwrap();
        assert!(seen.insert(value.ack().await.unwrap()));
    }
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn values_go_in_and_out_in_order() {
    for capacity in [0, 1, 16] {
        let server = Server::start();
        let nats = server.queue().await;
        let published = publish(&nats, 0..500).await;
        assert_eq!((published.confirmed, published.duplicates), (500, 0));
        let (bridge, rx) = start(&nats, counter(), capacity).await;
        for n in 0..500 {
            let value = rx.recv().await.unwrap();
            assert_eq!(
                (*value, value.deliveries(), value.subject()),
                (n, 1, "work.n")
            );
            assert_eq!(value.id(), Some(n.to_string().as_str()));
            assert_eq!(value.ack().await.unwrap(), n);
        }
        assert_eq!(waiting(&nats, "WORK").await, 0);
        let counts = bridge.stop().await.unwrap();
        assert_eq!(
            (
                counts.taken,
                counts.again,
                counts.acknowledged,
                counts.returned
            ),
            (500, 0, 500, 0)
        );
        assert!(rx.recv().await.is_err(), "the bridge was the last sender");
    }
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn the_compact_format_goes_through() {
    let server = Server::start();
    let nats = server.queue().await;
    let (tx, rx) = hchan::bounded(4);
    tx.try_send((String::from("a word"), 3_u8)).unwrap();
    drop(tx);
    ToStream::new("work.w")
        .codec(Postcard)
        .run(&nats, &rx)
        .await
        .unwrap();
    let (tx, rx) = hchan::bounded(4);
    let _bridge = counter().codec(Postcard).start(&nats, tx).await.unwrap();
    let value: Delivery<(String, u8)> = rx.recv().await.unwrap();
    assert_eq!(*value, (String::from("a word"), 3));
    value.ack().await.unwrap();
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn no_more_is_taken_than_the_channel_holds_and_is_in_work() {
    let server = Server::start();
    let nats = server.queue().await;
    publish(&nats, 0..1000).await;
    let (bridge, rx) = start(&nats, counter().in_work(3), 10).await;
    let mut in_work = Vec::new();
    for _ in 0..3 {
        in_work.push(rx.recv().await.unwrap());
    }
    eventually("the channel is full", async || rx.is_full()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(pending(&nats, "WORK", "counter").await, 13);
    assert_eq!(bridge.counts().taken, 13);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn what_is_dropped_comes_again_at_once() {
    let server = Server::start();
    let nats = server.queue().await;
    publish(&nats, 0..1).await;
    let (bridge, rx) = start(&nats, counter(), 1).await;
    drop(rx.recv().await.unwrap());
    let again = tokio::time::timeout(Duration::from_secs(5), rx.recv())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((*again, again.deliveries()), (0, 2));

    let since = Instant::now();
    again.nak(Duration::from_millis(1500));
    let third = rx.recv().await.unwrap();
    assert!(
        since.elapsed() >= Duration::from_millis(1400),
        "{:?}",
        since.elapsed()
    );
    assert_eq!(third.deliveries(), 3);
    third.ack().await.unwrap();
    assert_eq!(bridge.stop().await.unwrap().returned, 2);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_bridge_that_stops_gives_back_at_once() {
    let server = Server::start();
    let nats = server.queue().await;
    publish(&nats, 0..100).await;
    let (bridge, rx) = start(&nats, counter().in_work(20), 5).await;
    let held = rx.recv().await.unwrap();
    eventually("25 are taken", async || bridge.counts().taken == 25).await;

    let since = Instant::now();
    bridge.stop().await.unwrap();
    assert!(since.elapsed() < Duration::from_secs(2));
    // One is worked on, five are in the channel, and can be received.
    held.ack().await.unwrap();
    for n in 1..=5 {
        let next = rx.recv().await.unwrap();
        assert_eq!(*next, n);
        if n == 1 {
            next.ack().await.unwrap();
        }
    }
    assert!(rx.recv().await.is_err());
    assert_eq!(waiting(&nats, "WORK").await, 98);

    let (bridge, rx) = start(&nats, counter(), 50).await;
    receive_each_once(&rx, 98).await;
    assert_eq!(bridge.counts().again, 23);
    assert!(
        since.elapsed() < Duration::from_secs(10),
        "not by the server's timeout of 30 s"
    );
    assert_eq!(waiting(&nats, "WORK").await, 0);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn bridges_that_come_and_go_leave_nothing_behind() {
    let server = Server::start();
    let nats = server.queue().await;
    let mut left: HashSet<u64> = (0..3000).collect();
    publish(&nats, 0..3000).await;
    let (mut bridges, since) = (0, Instant::now());
    while !left.is_empty() {
        bridges += 1;
        let (bridge, rx) = start(&nats, counter().in_work(16), 16).await;
        for _ in 0..fastrand::usize(0..300) {
            let Ok(Ok(value)) = tokio::time::timeout(Duration::from_secs(1), rx.recv()).await
            else {
                break;
            };
            // Some of it is dropped.
            if fastrand::u8(..) > 20 {
                assert!(left.remove(&value.ack().await.unwrap()));
            }
        }
        // At any moment.
        tokio::time::sleep(Duration::from_micros(fastrand::u64(..3000))).await;
        bridge.stop().await.unwrap();
    }
    assert!(
        since.elapsed() < Duration::from_secs(25),
        "{bridges} bridges: some waited for the server's timeout"
    );
    assert_eq!(waiting(&nats, "WORK").await, 0);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_bridge_ends_with_its_channel() {
    let server = Server::start();
    let nats = server.queue().await;
    publish(&nats, 0..10).await;
    let (bridge, rx) = start(&nats, counter(), 5).await;
    let value = rx.recv().await.unwrap();
    drop(rx);
    let counts = tokio::time::timeout(Duration::from_secs(5), bridge)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(counts.returned, counts.taken - 1);
    drop(value);
    let since = Instant::now();
    let (_bridge, rx) = start(&nats, counter(), 50).await;
    receive_each_once(&rx, 10).await;
    assert!(
        since.elapsed() < Duration::from_secs(10),
        "not by the server's timeout of 30 s"
    );
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn what_is_worked_on_for_long_is_not_delivered_again() {
    let server = Server::start();
    let nats = server.queue().await;
    publish(&nats, 0..1).await;
    let settings = counter().ack_wait(Duration::from_secs(5));
    let (bridge, rx) = start(&nats, settings.clone(), 5).await;
    let value = rx.recv().await.unwrap();
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(bridge.counts().taken, 1);
    // Also when the bridge has stopped.
    bridge.stop().await.unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    let (bridge, other) = start(&nats, settings.clone(), 5).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(other.is_empty());
    value.ack().await.unwrap();
    bridge.stop().await.unwrap();

    // Without being kept alive it is, once nobody tells the server.
    publish(&nats, 1..2).await;
    let (bridge, rx) = start(&nats, settings.keep_alive(false), 5).await;
    let value = rx.recv().await.unwrap();
    for _ in 0..7 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        value.progress();
    }
    assert_eq!(bridge.counts().taken, 1);
    let again = rx.recv().await.unwrap();
    assert_eq!(again.deliveries(), 2);
    again.ack().await.unwrap();
    value.ack().await.unwrap();
}

async fn dead(nats: &Nats) -> Receiver<Delivery<u64>> {
    let (tx, rx) = hchan::bounded(10);
    let bridge = FromStream::new("DEAD", "reader")
        .start(nats, tx)
        .await
        .unwrap();
    tokio::spawn(bridge);
    rx
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn poison_ends_among_the_dead_letters() {
    let server = Server::start();
    let nats = server.queue().await;
    nats.work_queue(Queue::new("DEAD", "dead.>")).await.unwrap();
    publish(&nats, 0..3).await;
    let settings = counter().max_deliveries(3).dead_letters("dead.work");
    let (bridge, rx) = start(&nats, settings, 3).await;
    let mut tries = 0;
    let mut rest = HashSet::from([0, 2]);
    while !rest.is_empty() || bridge.counts().ended == 0 {
        let Ok(Ok(value)) = tokio::time::timeout(Duration::from_secs(1), rx.recv()).await else {
            continue;
        };
        if *value == 1 {
            tries += 1;
            drop(value);
        } else {
            assert!(rest.remove(&value.ack().await.unwrap()));
        }
    }
    assert_eq!(tries, 3);
    eventually("it has left the stream", async || {
        waiting(&nats, "WORK").await == 0
    })
    .await;
    let letters = dead(&nats).await;
    let letter = letters.recv().await.unwrap();
    assert_eq!((*letter, letter.subject()), (1, "dead.work"));
    letter.ack().await.unwrap();

    // And by a word.
    publish(&nats, 3..4).await;
    rx.recv().await.unwrap().term("it is odd");
    let letter = letters.recv().await.unwrap();
    assert_eq!(*letter, 3);
    letter.ack().await.unwrap();
    eventually("it has left the stream", async || {
        waiting(&nats, "WORK").await == 0
    })
    .await;
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn what_cannot_be_read_stops_nothing() {
    let server = Server::start();
    let nats = server.queue().await;
    nats.work_queue(Queue::new("DEAD", "dead.>")).await.unwrap();
    let context = async_nats::jetstream::new(nats.client());
    for payload in ["1", "one", "", "2"] {
        context
            .publish("work.n", payload.into())
            .await
            .unwrap()
            .await
            .unwrap();
    }
    let (bridge, rx) = start(&nats, counter().dead_letters("dead.work"), 3).await;
    for n in [1, 2] {
        let value = rx.recv().await.unwrap();
        assert_eq!(*value, n);
        assert_eq!(value.id(), None);
        value.ack().await.unwrap();
    }
    eventually("all have left the stream", async || {
        waiting(&nats, "WORK").await == 0
    })
    .await;
    let Counts {
        unreadable, ended, ..
    } = bridge.stop().await.unwrap();
    assert_eq!((unreadable, ended), (2, 2));
    let dead = context.get_stream("DEAD").await.unwrap();
    let letter = dead.get_raw_message(1).await.unwrap();
    assert_eq!(&letter.payload[..], b"one");
    let said = letter.headers.get("Hchan-Reason").unwrap().as_str();
    assert!(said.contains("cannot be read as json"), "{said}");
    assert_eq!(letter.headers.get("Hchan-Sequence").unwrap().as_str(), "2");
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn another_codec_is_told_and_loses_nothing() {
    let server = Server::start();
    let nats = server.queue().await;
    publish(&nats, 0..3).await;
    let (tx, rx) = hchan::bounded::<Delivery<u64>>(3);
    let bridge = counter().codec(Postcard).start(&nats, tx).await.unwrap();
    let error = bridge.await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "value 1 of the stream \"WORK\" was written as \"json\", and the setting `codec` reads \"postcard\""
    );
    assert!(rx.recv().await.is_err());
    let (_bridge, rx) = start(&nats, counter(), 3).await;
    let since = Instant::now();
    let mut all = HashSet::new();
    while all.len() < 3 {
        all.insert(rx.recv().await.unwrap().ack().await.unwrap());
    }
    assert!(
        since.elapsed() < Duration::from_secs(10),
        "not by the server's timeout of 30 s"
    );
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn the_same_message_id_is_one_message() {
    let server = Server::start();
    let nats = server.queue().await;
    publish(&nats, 0..10).await;
    let published = publish(&nats, 5..15).await;
    assert_eq!((published.confirmed, published.duplicates), (10, 5));
    assert_eq!(waiting(&nats, "WORK").await, 15);
    // Without ids of their own they are different.
    ToStream::new("work.n")
        .run(&nats, &values(0..10))
        .await
        .unwrap();
    assert_eq!(waiting(&nats, "WORK").await, 25);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn what_is_too_large_is_back_in_its_place() {
    let server = Server::configured("max_payload: 1000");
    let nats = server.queue().await;
    let (tx, rx) = hchan::bounded(4);
    for size in [10, 2000, 20] {
        tx.try_send("x".repeat(size)).unwrap();
    }
    let error = ToStream::new("work.s").run(&nats, &rx).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooLarge {
                size: 2002,
                limit: 1000,
                ..
            }
        ),
        "{error}"
    );
    let error = ToStream::new("work.s")
        .max_payload(500)
        .run(&nats, &rx)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "a value takes 2002 bytes, and the setting `max_payload` allows 500"
    );
    assert_eq!(rx.recv().await.unwrap().len(), 2000);
    drop(tx);
    ToStream::new("work.s").run(&nats, &rx).await.unwrap();
    assert_eq!(waiting(&nats, "WORK").await, 2);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_full_stream_holds_the_sender_back() {
    let server = Server::start();
    let nats = server.connect().await;
    nats.work_queue(Queue::new("WORK", "work.>").max_values(20))
        .await
        .unwrap();
    let (tx, rx) = hchan::bounded::<u64>(5);
    let out = tokio::spawn({
        let nats = nats.clone();
        async move {
            ToStream::new("work.n")
                .window(4)
                .message_id(u64::to_string)
                .run(&nats, &rx)
                .await
        }
    });
    let sender = tokio::spawn(async move {
        for n in 0..100 {
            tx.send(n).await.unwrap();
        }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!sender.is_finished());
    assert_eq!(waiting(&nats, "WORK").await, 20);
    let (_bridge, rx) = start(&nats, counter(), 5).await;
    let mut seen = HashSet::new();
    while seen.len() < 100 {
        let value = rx.recv().await.unwrap();
        seen.insert(value.ack().await.unwrap());
    }
    assert_eq!(out.await.unwrap().unwrap().confirmed, 100);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn two_bridges_share_a_consumer() {
    let server = Server::start();
    let (a, b) = (server.queue().await, server.connect().await);
    publish(&a, 0..400).await;
    let settings = counter().sharers(2);
    let (mut bridges, mut tasks) = (Vec::new(), Vec::new());
    for nats in [a.clone(), b] {
        let (bridge, rx) = start(&nats, settings.clone(), 4).await;
        bridges.push(bridge);
        tasks.push(tokio::spawn(async move {
            let mut seen = Vec::new();
            while let Ok(Ok(value)) = tokio::time::timeout(Duration::from_secs(1), rx.recv()).await
            {
                seen.push(value.ack().await.unwrap());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            seen
        }));
    }
    let mut all = HashSet::new();
    for task in tasks {
        let seen = task.await.unwrap();
        assert!(seen.len() > 50, "{}", seen.len());
        for value in seen {
            assert!(all.insert(value), "{value} twice");
        }
    }
    assert_eq!(all.len(), 400);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_deleted_consumer_or_stream_is_told() {
    let server = Server::start();
    let nats = server.queue().await;
    let context = async_nats::jetstream::new(nats.client());
    let (bridge, _rx) = start(&nats, counter(), 4).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    context
        .delete_consumer_from_stream("counter", "WORK")
        .await
        .unwrap();
    let error = tokio::time::timeout(Duration::from_secs(10), bridge)
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(error, Error::ConsumerGone { .. }), "{error}");

    let (bridge, _rx) = start(&nats, counter(), 4).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    context.delete_stream("WORK").await.unwrap();
    let error = tokio::time::timeout(Duration::from_secs(10), bridge)
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(error, Error::StreamGone { .. }), "{error}");

    let rx = values(0..3);
    let error = ToStream::new("work.n").run(&nats, &rx).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::NoStream {
                setting: "subject",
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(rx.drain().collect::<Vec<_>>(), [0, 1, 2]);
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn a_server_that_stops_and_starts_loses_nothing() {
    let mut server = Server::start();
    let nats = server.queue().await;
    let (tx, rx) = hchan::bounded::<u64>(16);
    let out = tokio::spawn({
        let nats = nats.clone();
        async move {
            ToStream::new("work.n")
                .window(8)
                .message_id(u64::to_string)
                .run(&nats, &rx)
                .await
        }
    });
    let (_bridge, values) = start(&nats, counter().ack_wait(Duration::from_secs(3)), 16).await;
    let sender: tokio::task::JoinHandle<Sender<u64>> = tokio::spawn(async move {
        for n in 0..600 {
            tx.send(n).await.unwrap();
        }
        tx
    });
    let mut seen = HashSet::new();
    let mut killed = 0;
    while seen.len() < 600 {
        let value = values.recv().await.unwrap();
        if let Ok(n) = value.ack().await {
            seen.insert(n);
        }
        if seen.len() > 150 * (killed + 1) && killed < 3 {
            killed += 1;
            server.kill();
            tokio::time::sleep(Duration::from_millis(300)).await;
            server.start_again();
        }
    }
    assert_eq!(killed, 3);
    drop(sender.await.unwrap());
    assert_eq!(out.await.unwrap().unwrap().confirmed, 600);
}

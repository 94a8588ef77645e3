//! Settings that are wrong, and servers that refuse.

mod server;

use std::time::Duration;

use async_nats::jetstream::stream::RetentionPolicy;
use hchan_nats::{ConnectOptions, Delivery, Error, FromStream, Nats, Queue, ToStream};
use server::{Server, free_port, waiting};

fn values() -> hchan::Receiver<u64> {
    let (tx, rx) = hchan::bounded(3);
    for n in 0..3 {
        tx.try_send(n).unwrap();
    }
    rx
}

async fn start(nats: &Nats, settings: FromStream) -> Error {
    let (tx, _rx) = hchan::bounded::<Delivery<u64>>(3);
    settings.start(nats, tx).await.unwrap_err()
}

#[tokio::test]
async fn no_server() {
    let url = format!("nats://127.0.0.1:{}", free_port());
    let error = Nats::connect(&url, ConnectOptions::new())
        .await
        .unwrap_err();
    let said = error.to_string();
    assert!(
        said.starts_with(&format!("no NATS server at {url} (the setting `url`): ")),
        "{said}"
    );
    assert!(matches!(error, Error::NoServer { .. }));
    let error = Nats::connect("no such address", ConnectOptions::new())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("(the setting `url`)"), "{error}");
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn no_jetstream() {
    let server = Server::without_jetstream();
    let nats = server.connect().await;
    let error = nats
        .work_queue(Queue::new("WORK", "work.>"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NoJetStream { .. }), "{error}");
    let error = start(&nats, FromStream::new("WORK", "counter")).await;
    assert!(matches!(error, Error::NoJetStream { .. }), "{error}");
}

const USERS: &str = r#"authorization { users: [
    { user: counter, password: secret }
    { user: guest, password: guest, permissions: {
        publish: ["allowed.>", "$JS.ACK.>"], subscribe: ["_INBOX.>"] } }
] }"#;

fn user(name: &str, password: &str) -> ConnectOptions {
    ConnectOptions::new().user_and_password(name.into(), password.into())
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn users_are_refused_and_accepted() {
    let server = Server::configured(USERS);
    let url = server.url();
    for wrong in [
        ConnectOptions::new(),
        user("counter", "guess"),
        user("nobody", "secret"),
    ] {
        let error = Nats::connect(&url, wrong).await.unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, Error::Refused { .. }), "{said}");
        assert!(
            said.contains("refused the credentials (the setting `options`)"),
            "{said}"
        );
    }
    let nats = Nats::connect(&url, user("counter", "secret"))
        .await
        .unwrap();
    nats.work_queue(Queue::new("WORK", "work.>")).await.unwrap();
    ToStream::new("work.n").run(&nats, &values()).await.unwrap();
    assert_eq!(waiting(&nats, "WORK").await, 3);

    // Who may not publish there.
    let guest = Nats::connect(&url, user("guest", "guest")).await.unwrap();
    let rx = values();
    let error = ToStream::new("work.n").run(&guest, &rx).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::NotAllowed {
                setting: "subject",
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("\"work.n\" (the setting `subject`"),
        "{error}"
    );
    assert_eq!(rx.drain().collect::<Vec<_>>(), [0, 1, 2]);
    // And may not read either.
    let error = start(&guest, FromStream::new("WORK", "counter")).await;
    assert!(
        matches!(
            error,
            Error::NotAllowed {
                setting: "stream",
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn names_are_checked_before_the_server_sees_them() {
    let server = Server::start();
    let nats = server.queue().await;
    for wrong in [
        "my.work", "my*", "my work", "my>", "", "my/work", "my\nwork",
    ] {
        for (setting, error) in [
            (
                "stream",
                start(&nats, FromStream::new(wrong, "counter")).await,
            ),
            (
                "consumer",
                start(&nats, FromStream::new("WORK", wrong)).await,
            ),
            (
                "stream",
                nats.work_queue(Queue::new(wrong, "w.>")).await.unwrap_err(),
            ),
            (
                "stream",
                ToStream::new("work.n")
                    .stream(wrong)
                    .run(&nats, &values())
                    .await
                    .unwrap_err(),
            ),
        ] {
            assert!(
                matches!(&error, Error::Name { setting: named, .. } if *named == setting),
                "{error}"
            );
        }
    }
    for wrong in ["work.*", "work.>", "a b", "a..b", "", "."] {
        for (setting, error) in [
            (
                "subject",
                ToStream::new(wrong)
                    .run(&nats, &values())
                    .await
                    .unwrap_err(),
            ),
            (
                "dead_letters",
                start(
                    &nats,
                    FromStream::new("WORK", "counter").dead_letters(wrong),
                )
                .await,
            ),
        ] {
            assert!(
                matches!(&error, Error::Name { setting: named, .. } if *named == setting),
                "{error}"
            );
        }
    }
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn streams_that_are_not_there_or_others() {
    let server = Server::start();
    let nats = server.queue().await;
    let error = start(&nats, FromStream::new("NONE", "counter")).await;
    assert_eq!(
        error.to_string(),
        "there is no stream \"NONE\" (the setting `stream`)"
    );
    let error = start(
        &nats,
        FromStream::new("WORK", "counter").dead_letters("dead"),
    )
    .await;
    assert_eq!(
        error.to_string(),
        "no stream stores what is published on \"dead\" (the setting `dead_letters`)"
    );
    let error = ToStream::new("other")
        .run(&nats, &values())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "no stream stores what is published on \"other\" (the setting `subject`)"
    );
    let rx = values();
    let error = ToStream::new("work.n")
        .stream("OTHER")
        .run(&nats, &rx)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("expected stream does not match"),
        "{error}"
    );
    assert_eq!(rx.len(), 3);

    let context = async_nats::jetstream::new(nats.client());
    let limits = async_nats::jetstream::stream::Config {
        name: "LIMITS".into(),
        subjects: vec!["limits.>".into()],
        ..Default::default()
    };
    context.create_stream(limits).await.unwrap();
    let error = nats
        .work_queue(Queue::new("LIMITS", "limits.>"))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the stream \"LIMITS\" is there, and its setting `retention` is Limits, not WorkQueue"
    );
    let error = nats
        .work_queue(Queue::new("WORK", "other.>"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("`subjects`"), "{error}");
    // The same again is the same.
    nats.work_queue(Queue::new("WORK", "work.>")).await.unwrap();

    // A work queue has one consumer for each value.
    let (tx, _rx) = hchan::bounded::<Delivery<u64>>(3);
    let _bridge = FromStream::new("WORK", "counter")
        .start(&nats, tx)
        .await
        .unwrap();
    let error = start(&nats, FromStream::new("WORK", "other")).await;
    let said = error.to_string();
    assert!(
        said.contains("(the setting `consumer`)") && said.contains("WorkQueue"),
        "{said}"
    );
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn streams_of_another_retention_are_read_and_written() {
    let server = Server::start();
    let nats = server.connect().await;
    let context = async_nats::jetstream::new(nats.client());
    for retention in [RetentionPolicy::Limits, RetentionPolicy::Interest] {
        let (stream, subject) = (format!("{retention:?}"), format!("{retention:?}.n"));
        let config = async_nats::jetstream::stream::Config {
            name: stream.clone(),
            subjects: vec![format!("{retention:?}.>")],
            retention,
            ..Default::default()
        };
        context.create_stream(config).await.unwrap();
        // One of interest keeps what has a consumer.
        for consumer in ["one", "other"] {
            let (tx, _rx) = hchan::bounded::<Delivery<u64>>(3);
            let settings = FromStream::new(&stream, consumer);
            settings
                .start(&nats, tx)
                .await
                .unwrap()
                .stop()
                .await
                .unwrap();
        }
        let published = ToStream::new(&subject).run(&nats, &values()).await.unwrap();
        assert_eq!(published.confirmed, 3);
        // Each consumer gets all of it once, however often it starts.
        for consumer in ["one", "other"] {
            let (tx, rx) = hchan::bounded::<Delivery<u64>>(3);
            let settings = FromStream::new(&stream, consumer);
            let bridge = settings.clone().start(&nats, tx).await.unwrap();
            for n in 0..3 {
                assert_eq!(rx.recv().await.unwrap().ack().await.unwrap(), n);
            }
            bridge.stop().await.unwrap();
            let (tx, rx) = hchan::bounded::<Delivery<u64>>(3);
            let bridge = settings.start(&nats, tx).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert!(rx.is_empty());
            bridge.stop().await.unwrap();
        }
        let kept = if retention == RetentionPolicy::Limits {
            3
        } else {
            0
        };
        assert_eq!(waiting(&nats, &stream).await, kept);
    }
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn channels_without_a_limit() {
    let server = Server::start();
    let nats = server.queue().await;
    let (tx, _rx) = hchan::unbounded::<Delivery<u64>>();
    let error = FromStream::new("WORK", "counter")
        .start(&nats, tx)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unbounded), "{error}");
}

#[tokio::test]
#[ignore = "needs nats-server"]
async fn certificates_are_refused_and_accepted() {
    let folder = std::env::temp_dir().join(format!("hchan-nats-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let server = Server::configured(&format!(
        "tls {{ cert_file: {certificate:?}, key_file: {key:?} }}"
    ));
    let url = server.url().replace("nats:", "tls:");

    let error = Nats::connect(&url, ConnectOptions::new())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("(the setting `options`)"),
        "{error}"
    );
    let trusting = ConnectOptions::new().add_root_certificates(certificate);
    let nats = Nats::connect(&url, trusting).await.unwrap();
    nats.work_queue(Queue::new("WORK", "work.>")).await.unwrap();
    ToStream::new("work.n").run(&nats, &values()).await.unwrap();
    assert_eq!(waiting(&nats, "WORK").await, 3);
    std::fs::remove_dir_all(&folder).unwrap();
}

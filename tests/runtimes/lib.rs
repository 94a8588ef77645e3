//! Channels between actix, embassy, glommio, monoio and plain threads, any two of them.
#![cfg(test)]

use std::pin::Pin;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hchan::{Receiver, RecvError, Sender, bounded, unbounded};

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Where a task runs.
#[derive(Clone, Copy, Debug)]
enum Host {
    Actix,
    Embassy,
    #[cfg(feature = "glommio")]
    Glommio,
    /// On io_uring, where the system lets it.
    Monoio,
    Thread,
}

fn all() -> Vec<Host> {
    vec![
        Host::Actix,
        Host::Embassy,
        #[cfg(feature = "glommio")]
        Host::Glommio,
        Host::Monoio,
        Host::Thread,
    ]
}

#[embassy_executor::task(pool_size = 200)]
async fn embassy_task(task: Task) {
    task.await;
}

impl Host {
    /// Runs a task on a thread of its own, which says when it has ended.
    fn run<F: Future<Output = ()> + 'static>(
        self,
        task: impl FnOnce() -> F + Send + 'static,
    ) -> mpsc::Receiver<()> {
        let (done, end) = mpsc::channel();
        thread::spawn(move || {
            let task = Box::pin(async move {
                task().await;
                done.send(()).unwrap();
            });
            match self {
                Self::Actix => actix_rt::System::new().block_on(task),
                Self::Embassy => {
                    // It never ends.
                    let executor = Box::leak(Box::new(embassy_executor::Executor::new()));
                    executor.run(|spawner| spawner.spawn(embassy_task(task).unwrap()));
                }
                #[cfg(feature = "glommio")]
                Self::Glommio => glommio::LocalExecutorBuilder::default()
                    .make()
                    .unwrap()
                    .run(task),
                Self::Monoio => monoio::RuntimeBuilder::<monoio::FusionDriver>::new()
                    .build()
                    .unwrap()
                    .block_on(task),
                Self::Thread => futures::executor::block_on(task),
            }
        });
        end
    }
}

/// Runs two tasks to their end.
fn together<A, B>(
    hosts: [Host; 2],
    first: impl FnOnce() -> A + Send + 'static,
    second: impl FnOnce() -> B + Send + 'static,
) where
    A: Future<Output = ()> + 'static,
    B: Future<Output = ()> + 'static,
{
    for end in [hosts[0].run(first), hosts[1].run(second)] {
        let ended = end.recv_timeout(Duration::from_secs(30));
        assert_eq!(ended, Ok(()), "{hosts:?}");
    }
}

fn pairs() -> impl Iterator<Item = [Host; 2]> {
    all()
        .into_iter()
        .flat_map(|first| all().into_iter().map(move |second| [first, second]))
}

#[test]
fn any_two_keep_step() {
    println!("monoio has io_uring: {}", monoio::utils::detect_uring());
    for hosts in pairs() {
        let (ping, pings) = bounded(0);
        let (pong, pongs) = bounded(0);
        let serve = || async move {
            for n in 0..200 {
                ping.send(n).await.unwrap();
                assert_eq!(pongs.recv().await, Ok(n + 1));
            }
        };
        let answer = || async move {
            while let Ok(n) = pings.recv().await {
                pong.send(n + 1).await.unwrap();
            }
        };
        together(hosts, serve, answer);
    }
}

#[test]
fn any_two_pass_everything_on_and_close() {
    for hosts in pairs() {
        for (tx, rx) in [bounded(1), bounded(16), unbounded()] {
            let (tx, rx): (Sender<u32>, Receiver<u32>) = (tx, rx);
            let send = || async move {
                for n in 0..500 {
                    tx.send(n).await.unwrap();
                }
            };
            let receive = || async move {
                for n in 0..500 {
                    assert_eq!(rx.recv().await, Ok(n));
                }
                assert_eq!(rx.recv().await, Err(RecvError));
            };
            together(hosts, send, receive);
        }
    }
}

#[test]
fn a_select_on_one_waits_for_the_other() {
    for hosts in pairs() {
        let (tx, rx) = bounded(0);
        let (stop, stopped) = bounded::<()>(0);
        let send = || async move {
            for n in 0..100 {
                tx.send(n).await.unwrap();
            }
            drop(stop);
            tx.closed().await;
        };
        let receive = || async move {
            let mut received = 0;
            loop {
                hchan::select! {
                    recv(rx) -> value => {
                        assert_eq!(value, Ok(received));
                        received += 1;
                    }
                    recv(stopped) -> _ => break,
                }
            }
            assert_eq!(received, 100);
        };
        together(hosts, send, receive);
    }
}

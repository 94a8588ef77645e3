//! A server that waits at once for jobs, for a taker of its result, for its ticker and for its end.
//!
//! In Go: `for { select { case j := <-jobs: … case out <- r: … case <-ticker.C: … case <-quit: … } }`,
//! with `out` nil while there is no result, and `jobs` nil while there is one.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use hchan::{Receiver, RecvError, Sender, select};
use tokio::time::{Instant, interval};

/// Squares numbers until it is told to quit; returns the result that nobody took, if any.
async fn serve(
    jobs: Receiver<u32>,
    results: Sender<u32>,
    ticks: Sender<Instant>,
    quit: Receiver<Infallible>,
) -> Option<u32> {
    let mut ticker = interval(Duration::from_millis(5));
    let mut done = None;
    loop {
        select! {
            recv(jobs) -> job, if done.is_none() => match job {
                Ok(job) => done = Some(job * job),
                Err(RecvError) => return None,
            },
            // If another arm wins, the result is in `done` again.
            send_from(results, &mut done) -> sent, if done.is_some() => if sent.is_err() {
                return done;
            },
            // Any future may be an arm. Like Go's ticker, it skips a tick that nobody takes.
            future(ticker.tick()) -> at => _ = ticks.try_send(at),
            // Nothing is ever sent on `quit`: it is closed, and all who wait on it see that.
            recv(quit) -> Err(RecvError) => return done,
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (jobs, to_do) = hchan::bounded(0);
    let (results, outcome) = hchan::bounded(0);
    let (ticks, ticking) = hchan::bounded(1);
    let (stop, quit) = hchan::bounded(0);
    let server = tokio::spawn(serve(to_do, results, ticks, quit));

    for job in 1..=5 {
        jobs.send(job).await?;
        assert_eq!(outcome.recv().await?, job * job);
    }
    jobs.send(6).await?; // Nobody takes its result, and the ticker goes on.
    let tick = ticking.recv().await?;
    assert!(ticking.recv().await? > tick);

    stop.close();
    assert_eq!(server.await?, Some(36));
    println!("five squares taken, and the sixth came back at the end");
    Ok(())
}

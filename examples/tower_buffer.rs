//! A service for many callers before a worker that takes one request at a time: it is ready when it holds a slot of
//! the worker's channel, so that `tower` can shed load and bound the time of a request.
//!
//! Not in Go, where a full channel is found out with the request at hand: `select { case c <- r: default: … }`.

use std::error::Error;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::TryFutureExt;
use futures::future::{ErrInto, join_all};
use hchan::{OwnedPermit, RecvOwnedFuture, Sender, bounded};
use tower::load_shed::error::Overloaded;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

/// A request, and where its answer goes.
type Job = (u64, Sender<u64>);

struct Squares {
    jobs: Sender<Job>,
    /// The slot for the next request.
    permit: Option<OwnedPermit<Job>>,
}

impl Squares {
    /// Starts the worker, which ends with the last clone of the service.
    fn start(capacity: usize) -> Self {
        let (jobs, queue) = bounded::<Job>(capacity);
        tokio::spawn(async move {
            while let Ok((n, answer)) = queue.recv().await {
                tokio::task::yield_now().await;
                // Whoever asked may have given up.
                _ = answer.try_send(n * n);
            }
        });
        Self { jobs, permit: None }
    }
}

impl Clone for Squares {
    /// Each clone waits for a slot of its own.
    fn clone(&self) -> Self {
        Self {
            jobs: self.jobs.clone(),
            permit: None,
        }
    }
}

impl Service<u64> for Squares {
    type Response = u64;
    type Error = BoxError;
    type Future = ErrInto<RecvOwnedFuture<u64>, BoxError>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.permit.is_none() {
            self.permit = Some(ready!(self.jobs.poll_reserve(cx))?);
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, n: u64) -> Self::Future {
        let (answer, answered) = bounded(1);
        let permit = self.permit.take().expect("`poll_ready` was ready");
        // On a closed channel the job is dropped, and with it `answer`: the caller is told.
        drop(permit.send((n, answer)));
        answered.recv_owned().err_into()
    }
}

/// Asks `requests` times at once, each on a clone that is dropped as soon as it was called; counts the answers, and
/// those that were turned away.
async fn ask<S>(service: S, requests: u64) -> Result<(usize, usize), BoxError>
where
    S: Service<u64, Response = u64, Error = BoxError> + Clone,
{
    let (mut answered, mut shed) = (0, 0);
    let asked = (0..requests).map(|n| service.clone().oneshot(n));
    for (n, answer) in (0..).zip(join_all(asked).await) {
        match answer {
            Ok(square) => {
                assert_eq!(square, n * n);
                answered += 1;
            }
            Err(error) if error.is::<Overloaded>() => shed += 1,
            Err(error) => return Err(error),
        }
    }
    Ok((answered, shed))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    const REQUESTS: u64 = 200;

    let patient = ServiceBuilder::new()
        .timeout(Duration::from_secs(30))
        .service(Squares::start(1));
    let (answered, shed) = ask(patient, REQUESTS).await?;
    println!("with patience: {answered} answered");
    assert_eq!((answered, shed), (200, 0));

    let impatient = ServiceBuilder::new()
        .load_shed()
        .timeout(Duration::from_secs(30))
        .service(Squares::start(1));
    let (answered, shed) = ask(impatient, REQUESTS).await?;
    println!("without: {answered} answered, {shed} turned away");
    assert_eq!(answered + shed, 200);
    assert!(answered > 0 && shed > 0);
    Ok(())
}

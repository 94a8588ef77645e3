//! Three workers share the jobs of one channel and send their results on another.
//!
//! In Go: `for j := range jobs { results <- j * 2 }` in three goroutines, then `close(jobs)`.

use std::error::Error;

use futures::StreamExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (jobs, queue) = hchan::bounded(4);
    let (results, outcome) = hchan::bounded(4);
    for worker in 1..=3 {
        let (mut queue, results) = (queue.clone(), results.clone());
        tokio::spawn(async move {
            // A receiver is a stream: Go's `range`.
            while let Some(job) = queue.next().await {
                println!("worker {worker} does job {job}");
                let result = (job, job * 2);
                results.send(result).await.expect("main takes every result");
            }
        });
    }
    // Only the workers hold these now, so `outcome` ends with the last worker.
    drop((queue, results));

    let giver = tokio::spawn(async move {
        for job in 1..=9 {
            jobs.send(job).await?;
        }
        // Go needs a `close(jobs)` here; dropping the last sender does it.
        Ok::<_, hchan::SendError<i32>>(())
    });

    let mut done: Vec<(i32, i32)> = outcome.collect().await;
    giver.await??;
    done.sort_unstable();
    assert!(done.into_iter().eq((1..=9).map(|job| (job, job * 2))));
    Ok(())
}

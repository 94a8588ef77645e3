//! Two receivers on an unbuffered channel, and a wait group.
//!
//! In Go: `ch := make(chan int)`, two goroutines that do `v := <-ch; wg.Done()`, then `ch <- 3`,
//! `ch <- 4` and `wg.Wait()`.

use std::error::Error;

use futures::StreamExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (tx, rx) = hchan::bounded(0);
    // A wait group is a channel that ends when the last task drops its sender.
    let (wg, done) = hchan::unbounded();
    for name in ["G1", "G2"] {
        let (rx, wg) = (rx.clone(), wg.clone());
        tokio::spawn(async move {
            let val = rx.recv().await.expect("two receivers, two values");
            println!("{name} received data: {val}");
            wg.send(val).await.expect("main waits for everyone");
        });
    }
    drop(wg);

    // Each send waits for a receiver, and is ready when that receiver has the value.
    tx.send(3).await?;
    tx.send(4).await?;
    assert_eq!((tx.len(), tx.capacity()), (0, Some(0)));

    let mut received: Vec<i32> = done.collect().await;
    received.sort_unstable();
    assert_eq!(received, [3, 4]);
    Ok(())
}

//! A prime sieve: a chain of tasks, one for each prime, with a rendezvous between neighbours.
//!
//! In Go: the sieve of its tutorial, `go Generate(ch)` and for each prime
//! `go Filter(ch, ch1, prime)`. Go's goroutines are stuck forever when main is done; here the
//! chain takes itself down.

use std::error::Error;

use hchan::{Receiver, Sender};

/// Sends 2, 3, 4 and so on.
async fn generate(to: Sender<u32>) {
    for n in 2.. {
        if to.send(n).await.is_err() {
            return;
        }
    }
}

/// Passes on what `prime` does not divide.
async fn filter(from: Receiver<u32>, to: Sender<u32>, prime: u32) {
    while let Ok(n) = from.recv().await {
        if n % prime != 0 && to.send(n).await.is_err() {
            return;
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (tx, mut rx) = hchan::bounded(0);
    let generator = tokio::spawn(generate(tx));

    let mut primes = Vec::new();
    while primes.len() < 25 {
        let prime = rx.recv().await?;
        primes.push(prime);
        let (tx, filtered) = hchan::bounded(0);
        tokio::spawn(filter(rx, tx, prime));
        rx = filtered;
    }
    println!("{primes:?}");
    assert_eq!(primes[..5], [2, 3, 5, 7, 11]);
    assert_eq!(primes.last(), Some(&97));

    // The last receiver is gone, so the task that sends to it ends, which drops the receiver before it, and so on.
    drop(rx);
    generator.await?;
    Ok(())
}

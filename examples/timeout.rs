//! Four sends that time out, and none of them loses its value.
//!
//! In Go: `select { case ch <- v: case <-time.After(d): }`, after which `v` is still at hand.

use std::error::Error;
use std::pin::pin;
use std::time::Duration;

use futures::FutureExt;
use hchan::{RecvTimeoutError, SendTimeoutError};
use tokio::time::sleep;

const PATIENCE: Duration = Duration::from_millis(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (tx, rx) = hchan::bounded(0); // and nobody receives

    // The timer may be any future, of any runtime.
    let sent = tx.send_until("letter", sleep(PATIENCE)).await;
    assert_eq!(sent, Err(SendTimeoutError::Timeout("letter")));
    println!("send_until: the value is in the error");

    // An arm that loses a `tokio::select!` is dropped; `send_from` then puts the value back.
    let mut slot = Some("letter");
    tokio::select! {
        _ = tx.send_from(&mut slot) => unreachable!("nobody receives"),
        () = sleep(PATIENCE) => println!("tokio::select!: the value is in its slot"),
    }
    assert_eq!(slot, Some("letter"));

    // A future that is lent to `futures::select!` outlives it, and gives its value back.
    let mut send = tx.send("letter");
    futures::select! {
        _ = send => unreachable!("nobody receives"),
        () = pin!(sleep(PATIENCE).fuse()) => println!("futures::select!: the value is in `send`"),
    }
    assert_eq!(send.cancel(), Some("letter"));

    // A thread waits in the same way.
    let sent = tx.send_blocking_timeout("letter", PATIENCE);
    assert_eq!(sent, Err(SendTimeoutError::Timeout("letter")));

    // Nothing is left of the four. A receive can time out as well.
    assert_eq!(tx.snapshot().sendq, 0);
    let received = rx.recv_until(sleep(PATIENCE)).await;
    assert_eq!(received, Err(RecvTimeoutError::Timeout));
    Ok(())
}

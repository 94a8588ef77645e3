//! Merges two channels until both are closed; each is switched off when it ends.
//!
//! In Go: `case v, ok := <-a: if !ok { a = nil }`, because a nil channel is never chosen. A closed one is always
//! ready, and would be chosen again and again.

use futures::{executor::block_on, join};
use hchan::{Receiver, RecvError, Sender, select};

/// Switches an arm off with a precondition.
async fn merge_while_open(a: Receiver<u32>, b: Receiver<u32>) -> Vec<u32> {
    let (mut a_open, mut b_open) = (true, true);
    let mut merged = Vec::new();
    while a_open || b_open {
        select! {
            recv(a) -> msg, if a_open => a_open = msg.map(|n| merged.push(n)).is_ok(),
            recv(b) -> msg, if b_open => b_open = msg.map(|n| merged.push(n)).is_ok(),
        }
    }
    merged
}

/// Switches an arm off as Go does: with a channel on which nothing happens.
async fn merge_with_never(mut a: Receiver<u32>, mut b: Receiver<u32>) -> Vec<u32> {
    let (_, nil) = hchan::never();
    let mut merged = Vec::new();
    while !(a.same_channel(&nil) && b.same_channel(&nil)) {
        select! {
            recv(a) -> msg => match msg {
                Ok(n) => merged.push(n),
                Err(RecvError) => a = nil.clone(),
            },
            recv(b) -> msg => match msg {
                Ok(n) => merged.push(n),
                Err(RecvError) => b = nil.clone(),
            },
        }
    }
    merged
}

/// Sends the numbers; the channel closes when `tx` is dropped at the end.
async fn count(tx: Sender<u32>, numbers: impl Iterator<Item = u32>) {
    for n in numbers {
        tx.send(n).await.expect("all are received");
    }
}

fn check<F: Future<Output = Vec<u32>>>(merge: impl FnOnce(Receiver<u32>, Receiver<u32>) -> F) {
    let ((tx_a, a), (tx_b, b)) = (hchan::bounded(0), hchan::bounded(2));
    let (few, many) = (count(tx_a, 1..=3), count(tx_b, 11..=20));
    let ((), (), merged) = block_on(async { join!(few, many, merge(a, b)) });
    println!("{merged:?}");
    let (few, many): (Vec<_>, Vec<_>) = merged.into_iter().partition(|&n| n < 10);
    assert!(few.into_iter().eq(1..=3) && many.into_iter().eq(11..=20));
}

fn main() {
    check(merge_while_open);
    check(merge_with_never);
}

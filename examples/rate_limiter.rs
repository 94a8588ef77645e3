//! A channel with three tokens lets three tasks work at a time; a task that waits too long is turned away.
//!
//! In Go: `select { case t := <-tokens: … tokens <- t; case <-time.After(patience): … }` on a
//! `tokens := make(chan struct{}, 3)` that was filled at the start.

use std::cell::Cell;
use std::time::Duration;

use futures::future::join_all;
use hchan::{Receiver, Sender, select};
use tokio::sync::Barrier;
use tokio::time::sleep;

/// A token, which goes back into the channel when it is dropped.
struct Token<'a>(&'a Sender<()>);

impl Drop for Token<'_> {
    fn drop(&mut self) {
        self.0.try_send(()).expect("the token has its place");
    }
}

/// Waits for a token. If the future is dropped, a token that it was handed goes to the next in line.
async fn enter<'a>(
    (back, tokens): &'a (Sender<()>, Receiver<()>),
    patience: Duration,
) -> Option<Token<'a>> {
    select! {
        recv(tokens) -> token => token.ok().map(|()| Token(back)),
        // The second arm: a token that is there is never refused, even if the time is up.
        future(sleep(patience)) -> () => None,
    }
}

#[tokio::main]
async fn main() {
    let limit = hchan::bounded(3);
    (0..3).for_each(|_| limit.0.try_send(()).expect("there is room for three"));

    let (working, most) = (Cell::new(0), Cell::new(0));
    let three = Barrier::new(3);
    let done = join_all((1..=9).map(async |job| {
        let _token = enter(&limit, Duration::MAX).await?;
        working.set(working.get() + 1);
        most.set(most.get().max(working.get()));
        three.wait().await; // The work, which ends when three tasks are at it.
        working.set(working.get() - 1);
        Some(job)
    }));
    assert!(done.await.into_iter().eq((1..=9).map(Some)));
    assert_eq!(most.get(), 3);

    // A task without a token leaves, unless one comes back in time.
    let patience = Duration::from_millis(10);
    let mut tokens = join_all([0; 3].map(|_| enter(&limit, patience))).await;
    assert!(enter(&limit, patience).await.is_none());
    tokens.pop();
    assert!(enter(&limit, Duration::ZERO).await.is_some());
    println!("nine jobs, three at a time; and one was sent away");
}

//! When it hangs: from the symptom to the cause.
//!
//! A program that hangs on channels has operations that wait, and nobody to serve them. Make a
//! [`dump`](super::dump()): in a test by [`run`](super::run()), in a service by whatever still runs, such as a
//! timer, a thread or a debug endpoint. Then look at the operation that has waited longest:
//!
//! | it is | and the dump says | look at |
//! |---|---|---|
//! | `recv` | `still open: 1 sender`, which you took for dropped | [a clone that nobody drops](#a-clone-that-nobody-drops) |
//! | `send` | the only receiver's task waits to send, too | [two that send to each other](#two-that-send-to-each-other) |
//! | `send` | the channel is full, and its receiver's task waits elsewhere | [a ring of full channels](#a-ring-of-full-channels) |
//! | `recv` | another one `woken and not polled since` | [a value for a stream that nobody polls](#a-value-for-a-stream-that-nobody-polls) |
//! | `recv` | two of them, both of one task | [a receive that is kept](#a-receive-that-is-kept) |
//! | `send` | `1 permit`, and room | [a permit that nobody uses](#a-permit-that-nobody-uses) |
//!
//! The programs are run, and print these dumps.
//!
//! # A clone that nobody drops
//!
//! A channel closes when its last sender is dropped. The loop below waits for that, but the sender that was cloned
//! for each worker is still there: its owner is the task that waits.
//!
//! ```standalone_crate
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/hangs.rs"));
//! # fn main() { hangs("A clone that nobody drops", || {
//! hchan::inspect::run(async |tasks| {
//!     let (results, all) = hchan::bounded(4);
//!     results.set_name("results");
//!     for n in 0..3 {
//!         let results = results.clone();
//!         tasks.spawn(async move { results.send(n).await.unwrap() });
//!     }
//!     // `drop(results)` is missing.
//!     while let Ok(n) = all.recv().await {
//!         println!("{n}");
//!     }
//! });
//! # }) }
//! ```
//!
//! ```text
//! all tasks are asleep - deadlock!
//!
//! 1 channel, 1 operation waits
//!
//! channel 1 "results" of i32, capacity 4, made at src/main.rs:2:26
//!     0 inside, 2 at most, 3 sent, 3 received
//!     recv, 0 ms, at src/main.rs:9:31
//!     still open: 1 sender: made at src/main.rs:2:26
//!     1 receiver: made at src/main.rs:2:26
//! ```
//!
//! The line `still open` says where the sender that is left was made.
//!
//! # Two that send to each other
//!
//! On capacity 0 a send waits for a receive. If both sides send first, neither gets to its receive. A
//! [`select!`](crate::select!) of the send and the receive would let either go first.
//!
//! ```standalone_crate
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/hangs.rs"));
//! # fn main() { hangs("Two that send to each other", || {
//! hchan::inspect::run(async |tasks| {
//!     let (to_b, from_a) = hchan::bounded(0);
//!     let (to_a, from_b) = hchan::bounded(0);
//!     to_b.set_name("a to b");
//!     to_a.set_name("b to a");
//!     tasks.spawn(async move {
//!         to_a.send("hello").await.unwrap();
//!         from_a.recv().await.unwrap();
//!     });
//!     to_b.send("hello").await.unwrap();
//!     from_b.recv().await.unwrap();
//! });
//! # }) }
//! ```
//!
//! ```text
//! all tasks are asleep - deadlock!
//!
//! 2 channels, 2 operations wait
//!
//! channel 1 "a to b" of &str, capacity 0, made at src/main.rs:2:26
//!     0 inside, 0 at most, 0 sent, 0 received
//!     send, 0 ms, at src/main.rs:10:10
//!     still open: 1 sender: made at src/main.rs:2:26
//!     1 receiver: made at src/main.rs:2:26
//!
//! channel 2 "b to a" of &str, capacity 0, made at src/main.rs:3:26
//!     0 inside, 0 at most, 0 sent, 0 received
//!     send, 0 ms, at src/main.rs:7:14
//!     still open: 1 sender: made at src/main.rs:3:26
//!     1 receiver: made at src/main.rs:3:26
//! ```
//!
//! Both operations are sends, and the task that holds the receiver of the one waits in the other.
//!
//! # A ring of full channels
//!
//! The main task hands out all jobs before it takes the first result. The worker stops when the results are full,
//! and then the jobs fill up. Any capacity helps only up to some number of jobs: receive while you send, or
//! send from a task of its own.
//!
//! ```standalone_crate
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/hangs.rs"));
//! # fn main() { hangs("A ring of full channels", || {
//! hchan::inspect::run(async |tasks| {
//!     let (jobs, todo) = hchan::bounded(2);
//!     let (done, results) = hchan::bounded(2);
//!     jobs.set_name("jobs");
//!     done.set_name("results");
//!     tasks.spawn(async move {
//!         while let Ok(job) = todo.recv().await {
//!             done.send(2 * job).await.unwrap();
//!         }
//!     });
//!     for job in 0..10 {
//!         jobs.send(job).await.unwrap();
//!     }
//!     drop(jobs);
//!     while let Ok(result) = results.recv().await {
//!         println!("{result}");
//!     }
//! });
//! # }) }
//! ```
//!
//! ```text
//! all tasks are asleep - deadlock!
//!
//! 2 channels, 2 operations wait
//!
//! channel 2 "results" of i32, capacity 2, made at src/main.rs:3:27
//!     2 inside, 2 at most, 2 sent, 0 received
//!     send, 0 ms, at src/main.rs:8:18
//!     still open: 1 sender: made at src/main.rs:3:27
//!     1 receiver: made at src/main.rs:3:27
//!
//! channel 1 "jobs" of i32, capacity 2, made at src/main.rs:2:24
//!     2 inside, 2 at most, 5 sent, 3 received
//!     send, 0 ms, at src/main.rs:12:14
//!     still open: 1 sender: made at src/main.rs:2:24
//!     1 receiver: made at src/main.rs:2:24
//! ```
//!
//! Every channel is full, and every operation is a send. The one that has waited longest is where it began.
//!
//! # A value for a stream that nobody polls
//!
//! A stream that was pending keeps its place in line. The next value is handed to it, and nobody else can have
//! that value until the stream is polled, used in another way or dropped. [`next`](crate::Receiver::next) gives up
//! its place when it is dropped.
//!
//! ```standalone_crate
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/hangs.rs"));
//! # fn main() { hangs("A value for a stream that nobody polls", || {
//! use futures::{FutureExt, StreamExt};
//!
//! hchan::inspect::run(async |_| {
//!     let (tx, mut stream) = hchan::bounded(1);
//!     tx.set_name("values");
//!     let rx = stream.clone();
//!     assert!(StreamExt::next(&mut stream).now_or_never().is_none()); // it is in line now
//!     tx.send(1).await.unwrap();
//!     rx.recv().await.unwrap();
//! });
//! # }) }
//! ```
//!
//! ```text
//! all tasks are asleep - deadlock!
//!
//! 1 channel, 2 operations wait
//!
//! channel 1 "values" of i32, capacity 1, made at src/main.rs:4:28
//!     0 inside, 0 at most, 1 sent, 0 received, 1 handed to a receive that has not looked
//!     recv, 0 ms, at src/main.rs:9:8
//!     recv, 0 ms, woken and not polled since, at src/main.rs:4:28
//!     still open: 1 sender: made at src/main.rs:4:28
//!     2 receivers: made at src/main.rs:4:28, cloned at src/main.rs:6:21
//! ```
//!
//! The operation that was woken has the value. As it is a stream's, its place is where the handle was made.
//!
//! # A receive that is kept
//!
//! A receive that lost a race is still in line while it is kept, before all that come later. Drop it,
//! [`cancel`](crate::RecvFuture::cancel) it, or go on polling it instead of a new one.
//!
//! ```standalone_crate
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/hangs.rs"));
//! # fn main() { hangs("A receive that is kept", || {
//! use futures::future::{Either, ready, select};
//!
//! hchan::inspect::run(async |_| {
//!     let (tx, rx) = hchan::bounded(1);
//!     tx.set_name("messages");
//!     if let Either::Right(((), kept)) = select(rx.recv(), ready(())).await {
//!         tx.send("for the one that is kept").await.unwrap();
//!         rx.recv().await.unwrap();
//!         drop(kept);
//!     }
//! });
//! # }) }
//! ```
//!
//! ```text
//! all tasks are asleep - deadlock!
//!
//! 1 channel, 2 operations wait
//!
//! channel 1 "messages" of &str, capacity 1, made at src/main.rs:4:20
//!     0 inside, 0 at most, 1 sent, 0 received, 1 handed to a receive that has not looked
//!     recv, 0 ms, at src/main.rs:8:12
//!     recv, 0 ms, woken and not polled since, at src/main.rs:6:50
//!     still open: 1 sender: made at src/main.rs:4:20
//!     1 receiver: made at src/main.rs:4:20
//! ```
//!
//! Two receives and one receiver: the older one has been woken, and nobody polls it.
//!
//! # A permit that nobody uses
//!
//! A permit holds its slot until it is used or dropped, and all that come later wait for another.
//!
//! ```standalone_crate
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/hangs.rs"));
//! # fn main() { hangs("A permit that nobody uses", || {
//! hchan::inspect::run(async |_| {
//!     let (tx, _rx) = hchan::bounded(1);
//!     tx.set_name("slots");
//!     let permit = tx.reserve().await.unwrap();
//!     tx.send(1).await.unwrap();
//!     permit.send(2).unwrap();
//! });
//! # }) }
//! ```
//!
//! ```text
//! all tasks are asleep - deadlock!
//!
//! 1 channel, 1 operation waits
//!
//! channel 1 "slots" of i32, capacity 1, made at src/main.rs:2:21
//!     0 inside, 0 at most, 0 sent, 0 received, 1 permit
//!     send, 0 ms, at src/main.rs:5:8
//!     still open: 1 sender: made at src/main.rs:2:21
//!     1 receiver: made at src/main.rs:2:21
//! ```
//!
//! There would be room, if it were not for the permit.
//!
//! # What it is not
//!
//! If the dump shows no operation that waits, the program does not wait for a channel of this crate; but an
//! operation on a [`never`](fn@crate::never) channel stands in no line. If an operation waits `on a thread` that
//! runs an executor, all tasks of that executor stand still: use the async methods there. If an operation was
//! woken and is not polled, its executor is busy or has stopped, or its task polls only something else.

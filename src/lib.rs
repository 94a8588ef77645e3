//! Go's channels for async Rust, on any executor.
//!
//! Tasks and threads send values to each other through a channel: unbuffered, buffered or without a limit, with
//! many senders and many receivers. Each value that a channel accepts is received once, in order, no matter which
//! futures are dropped on the way.
//!
//! ```
//! #[tokio::main]
//! async fn main() {
//!     let (tx, rx) = hchan::bounded(0);
//!     tokio::spawn(async move {
//!         for n in 1..=3 {
//!             tx.send(n).await.unwrap();
//!         }
//!     });
//!     let mut sum = 0;
//!     while let Ok(n) = rx.recv().await {
//!         sum += n;
//!     }
//!     assert_eq!(sum, 6);
//! }
//! ```
//!
//! # What do you want to do?
//!
//! | to do | take |
//! |---|---|
//! | make a channel | [`bounded`], [`unbounded`]; [which capacity?](recipes#choosing-a-capacity) |
//! | send, and wait for room | [`send`](Sender::send), [`send_many`](Sender::send_many) |
//! | send without waiting | [`try_send`](Sender::try_send), [`force_send`](Sender::force_send) |
//! | give up a send and keep the value | [`send_from`](Sender::send_from), [`send_until`](Sender::send_until), [`SendFuture::cancel`] |
//! | ask for room first, make the value later | [`reserve`](Sender::reserve); [`poll_reserve`](Sender::poll_reserve) [for `tower`](recipes#a-service-for-tower) |
//! | receive | [`recv`](Receiver::recv), [`next`](Receiver::next), [`recv_many`](Receiver::recv_many) |
//! | receive without waiting | [`try_recv`](Receiver::try_recv), [`try_recv_many`](Receiver::try_recv_many), [`drain`](Receiver::drain) |
//! | lose no job when its worker dies | [`lease`](Receiver::lease), [in a pool](recipes#a-worker-pool-that-loses-no-job) |
//! | wait no longer than a timer | [`recv_until`](Receiver::recv_until), [`send_until`](Sender::send_until); `recv_timeout`, `send_timeout` [with the feature `time`](recipes#timeouts) |
//! | wait for several things at once | [`select!`], [`select_blocking!`], [`Select`] |
//! | receive from many channels | [`recv_any`], [`RecvSet`], [as a fan-in](recipes#fan-in-over-several-channels) |
//! | wait on a thread | [`send_blocking`](Sender::send_blocking), [`recv_blocking`](Receiver::recv_blocking), `for value in rx` |
//! | use streams and sinks | [`Receiver`] is a `Stream`, [`Sender`] is a `Sink` |
//! | poll by hand | [`poll_recv`](Receiver::poll_recv), [`poll_send`](Sender::poll_send) |
//! | keep an operation in a struct, or spawn it | [`recv_owned`](Receiver::recv_owned), [`send_owned`](Sender::send_owned), [in an actor](recipes#an-actor-that-is-a-struct) |
//! | end a channel, or learn that it ended | [`close`](Sender::close), [`closed`](Sender::closed), [`is_closed`](Sender::is_closed) |
//! | hold a handle that keeps nothing open | [`downgrade`](Sender::downgrade), [`WeakSender`], [`WeakReceiver`] |
//! | look inside | [`len`](Sender::len), [`snapshot`](Sender::snapshot) |
//! | see what hangs | `inspect::dump()`, [with the feature `inspect`](recipes#see-what-hangs) |
//! | a timer, without an executor | `after(d)`, `tick(d)`, with the feature `time` |
//! | see whole programs | [`recipes`] |
//! | come from another channel, or from Go | [`moving_over`], [`from_go`] |
//! | have more work than one machine can do | [`beyond_one_machine`] |
//! | see what happens inside | [`pictures`], [`design`] |
//! | know how it compares, and how all this is checked | [`comparison`], [`verification`] |
//!
//! # Capacity
//!
//! [`bounded(0)`](bounded) is Go's unbuffered channel: a send and a receive meet, and the value goes from one to the
//! other (*rendezvous*). [`bounded(n)`](bounded) is a ring of `n` slots; sends wait while it is full.
//! [`unbounded()`](unbounded) is never full. [`never()`](fn@never) is Go's nil channel, on which nothing ever happens.
//!
//! # What is promised
//!
//! | promise | what it says |
//! |---|---|
//! | order | Values are received in the order in which they were accepted. |
//! | turns | Senders, and receivers, are served in the order in which they began to wait (`sendq`, `recvq`). |
//! | no barging | A task that is woken already has what it waited for; nobody can overtake it in between. |
//! | nothing lost | An accepted value is received once, unless the last receiver goes: then it is dropped at once. |
//! | one wake | Each completed operation wakes one task, once. |
//! | closed is final | "Closed" is reported only when no value can ever come. |
//! | no code of yours under the lock | Wakers, destructors and subscribers may use the channel, and may panic. |
//! | memory | What a task did before a send is seen after the receive of the value; what it did before [`close`](Sender::close), after the receive that reports it; on capacity 0, what it did before it began to receive, after the send; on capacity `n`, what it did before the `k`-th receive, after the `k + n`-th send. |
//!
//! [`verification`] says how each of these is checked, and what is not.
//!
//! # Cancelling
//!
//! Any future may be dropped at any moment. Dropped before its first poll, it has done nothing. After that:
//!
//! | future | dropped while it waits | dropped after completion, before returning `Ready` |
//! |---|---|---|
//! | [`recv`](Receiver::recv), [`recv_owned`](Receiver::recv_owned), [`next`](Receiver::next), [`recv_many`](Receiver::recv_many), [`recv_until`](Receiver::recv_until), `recv_timeout`, [`lease`](Receiver::lease) | leaves its line | its value goes to the next in line, or back into its place; [`cancel`](RecvFuture::cancel) returns it |
//! | [`Lease`] | | its value goes to the next in line, or back into its place |
//! | streams, [`poll_recv`](Receiver::poll_recv) | nothing: the receiver stays in line until it receives, is used in another way or is dropped | the receiver keeps the value until then |
//! | [`send`](Sender::send), [`send_owned`](Sender::send_owned), [`send_until`](Sender::send_until), `send_timeout` | the value is dropped; [`cancel`](SendFuture::cancel) gives it back | the value is sent |
//! | [`send_from`](Sender::send_from) | the value is back in its slot | the value is sent |
//! | [`send_many`](Sender::send_many) | what is not sent is in `items`, in order | the same |
//! | [`reserve`](Sender::reserve), [`reserve_owned`](Sender::reserve_owned) | leaves its line | the permit is the next sender's |
//! | sinks with slots, [`poll_reserve`](Sender::poll_reserve) | nothing: the sender stays in line, until it sends or reserves in another way or is dropped | the sender keeps the slot, until then |
//! | [`closed`](Sender::closed) | leaves its line | nothing |
//! | [`poll_closed`](Sender::poll_closed) | nothing: the handle waits on, until it is dropped | nothing |
//! | [`select!`], [`Select`], [`recv_any`], [`RecvSet::next`] | leaves all lines | as the arm that was served |
//!
//! *Cancel safe* means that a drop loses only the place in line: no value, no wake, and no knowledge of what became
//! of the value.
//!
//! # Closing
//!
//! A channel is closed by [`close`](Sender::close) from either side, and when the last handle of a side is dropped.
//! From then on sends fail, parked sends too, each with its value. What is inside can still be received; after that,
//! receives fail.
//!
//! A value that was handed to a receive that has not returned it yet may still come back. So a pending stream that
//! nobody polls can keep other receivers of a closed channel waiting: poll it, use the handle in another way, or
//! drop it. So can a [`Lease`], until it is taken or dropped.
//!
//! # Selecting
//!
//! [`select!`] waits for several sends, receives and other futures, of which exactly one commits. A future commits
//! when it is ready, so no output is dropped. [`select_blocking!`] does the same on a thread, and [`Select`] takes
//! any number of arms. [`recv_any`] receives from any of several receivers of one type, and a [`RecvSet`] does so
//! again and again.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let (jobs_tx, jobs) = hchan::bounded(1);
//! # let (results, results_rx) = hchan::bounded(1);
//! # jobs_tx.try_send(1).unwrap();
//! # let mut done = Some(2);
//! hchan::select! {
//!     recv(jobs) -> job => println!("a job: {job:?}"),
//!     send_from(results, &mut done) -> sent => println!("delivered: {sent:?}"),
//!     future(tokio::time::sleep(std::time::Duration::from_secs(1))) -> () => println!("idle"),
//! }
//! # drop(results_rx) }
//! ```
//!
//! # Threads
//!
//! The methods that end in `_blocking`, and iterators over receivers, wait on a thread, in the same lines as tasks.
//! Never call them from async code: they block the thread, and with it its executor. A thread that waits spins
//! briefly, yields up to about 30 times, then sleeps. If spinning or yielding did not help, it does less of it the
//! next times. In WebAssembly with a single thread, as on a web page, nothing could end such a wait: there a call
//! that would have to wait panics. With several threads a worker may wait, and where the page may not, the browser
//! throws. Every call with a timeout or a deadline panics there, as there is no clock.
//!
//! The async methods block only for the channel's lock: a thread that finds it taken spins, then yields, and, in
//! case the holder was descheduled, sleeps for 50 µs at a time.
//!
//! # What is not promised
//!
//! - A receive that was handed a value, and is neither polled nor dropped, keeps the value from others, and on a
//!   closed channel keeps them waiting for it; one that waits keeps its turn. So do not keep a future that has
//!   been polled while you await something else, except in a select, or [`cancel`](RecvFuture::cancel) it. The
//!   same holds for a receiver that was polled as a stream and is not polled any more.
//! - [`len`](Sender::len), [`is_full`](Sender::is_full) and the like say what was true under the lock, and nothing
//!   about what is true now.
//! - A failed `try_send` or `try_recv` does not order memory. On a buffered channel a receive orders only the
//!   send that reuses its slot.
//! - A forgotten future ([`core::mem::forget`]) consumes one turn: a value handed to it is lost, and receivers on
//!   a closed channel keep waiting for it. The same goes for a forgotten lease. A forgotten permit keeps its slot
//!   for good, and so does a forgotten reservation that was granted one.
//! - If a waker panics while values are on their way to their receivers, they go back. But if the channel is
//!   closed and empty by then, they are dropped, since others may have been told that no value will come.
//! - The last receiver of a channel, if it is sent through that same channel, keeps itself alive: both leak.
//! - An operation that is ready never yields: the crate does not take part in tokio's budget. A task that always
//!   finds a value keeps its thread, unless it [yields by itself](recipes#a-task-that-never-runs-out-of-values).
//! - If every attempt times out before its turn comes, none succeeds: each new receive, or send, joins at the end.
//!   [Keep the future](recipes#impatient-senders) and poll it again to keep its place.
//! - The allocator runs under the channel's lock. One that reports through a channel of this crate may deadlock.
//! - A signal handler must not use a channel: the thread that it interrupts may hold the lock. After `fork` the child
//!   has no thread for the timers of the feature `time`, and a channel whose lock another thread held stays locked.
//! - An interrupt handler must not either, unless interrupts are masked wherever else the channel is used: the feature
//!   [`critical-section`](#features) does that.
//! - The crate schedules nothing. Work stealing and preemption belong to the executor, as do timers unless the
//!   feature `time` is on; all that a channel needs of an executor is that a waker wakes.
//!
//! # Cost
//!
//! Unless its docs say otherwise, a call takes the channel's lock once, for a few dozen instructions. Operations
//! on many values, such as [`recv_many`](Receiver::recv_many), [`drain`](Receiver::drain) and
//! [`send_many`](Sender::send_many), hold it for a step for each; others spin meanwhile. Operations that scan the
//! wait queues also hold the lock: a [`snapshot`](Sender::snapshot), and the `Debug` of a handle.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `std` | yes | blocking calls, the iterators that wait, and threads that yield under contention |
//! | `sink` | yes | `Sink` for [`Sender`] |
//! | `time` | no | `after` and `tick`, channels that the clock sends to, and `send_timeout` and `recv_timeout`, on any executor or none; brings in `std` and `futures-timer`; does not compile for `wasm32-unknown-unknown`, which has no clock |
//! | `inspect` | no | a registry of living channels, for finding what hangs: see the module `inspect`; brings in `std`, `futures-executor` and `futures-task` |
//! | `critical-section` | no | interrupts are masked while the lock is taken, so that an interrupt handler may use a channel: see below |
//! | `portable-atomic` | no | atomics for processors that cannot compare and swap, as thumbv6m and riscv32imc |
//! | `serde` | no | `Serialize` for the data of `inspect`, which it turns on; brings in `serde` with its derive |
//! | `tracing` | no | events for a subscriber of the crate `tracing`, and channels in tokio-console |
//!
//! Without `std` the crate is `no_std` and needs `alloc`. Then the lock only spins, and the order in which selects
//! try their arms comes from a fixed seed. The crate `portable-atomic` must be told how, by its feature
//! `critical-section` or the cfg `portable_atomic_unsafe_assume_single_core`; `tracing` does not work with it.
//!
//! With `critical-section`, each call, poll or drop that takes a channel's lock is a critical section of the crate of
//! that name, for which the program brings the implementation. An interrupt handler may then do with a channel what
//! does not wait, and poll. Wakers are cloned, woken and dropped in the critical section as well: those of embedded
//! executors are short. They may use channels, but must not wait for what another thread or processor does. On one
//! channel or many, the critical section is the only one there is, so on a machine with threads this costs much.
//! For interrupt handlers do not enable `inspect` and `tracing`: their own locks do not mask interrupts.
//!
//! # Events, and tokio-console
//!
//! The events of `tracing` have the target `hchan` and the level `trace`; they cost nothing when the feature is off,
//! and one load each when nobody listens. Since less is inlined then, a send and a receive that need not wait take
//! half as many instructions again, and a parked receive a quarter. They tell when an operation parks in a queue
//! (`park`), when a parked receive is handed a value or the value of a parked send is taken (`handoff`), when a value
//! that had left comes back (`put back`), and when a channel is closed (`close`). `queue` is `sendq`, `recvq`, or `closeq` for
//! [`closed`](Sender::closed); `channel` tells channels apart while they live. A subscriber runs outside the lock,
//! after the wakes; other threads may have gone on by then, so the order of events is certain only on one thread.
//!
//! With the feature `tracing` a channel is also a resource in tokio-console, by the contract of `console-subscriber` 0.5,
//! and each operation that parks is one of its async operations. The names that the console reads: a span
//! `runtime.resource` is open as long as the channel, with the type of its values and where it was made;
//! events with the target `runtime::resource::state_update` tell its capacity, `qcount`, `closed`, the counts of
//! handles, and the [name](Sender::set_name) it was given, when they change. A span `runtime.resource.async_op` is open
//! from the moment in which an operation parks until it has returned or is dropped, with what it is and
//! where it was called; in its child `runtime.resource.async_op.poll`, for each poll, is an event with the target
//! `runtime::resource::poll_op`. A channel that is made while nobody listens is not shown later. If the subscriber
//! panics in one of these, the panic goes no further: the operation may just have its value.
//!
//! In the console the view of resources (`r`) has a line for each channel, beside tokio's own: of the kind `channel` and
//! the type `Channel<u32>`, since when it exists, where it was made, and as attributes `capacity=4 closed=false name=jobs
//! qcount=4 receivers=2 senders=1`. So a full queue, a channel that is still open, and the number of handles that
//! keep it open are seen as they change, once a second. Enter on a channel lists its operations, those that wait
//! and those that waited recently: `Sender::send`, `Receiver::recv`, `Sender::reserve`, `closed`, or `select recv` for an
//! arm; with the number of the task that waits, for how long, and how often it was polled. What it does not
//! show is where in the code an operation waits: the feature `inspect` does. An operation of a thread that blocks has
//! no task.
//!
//! ```ignore
//! // Built with `RUSTFLAGS="--cfg tokio_unstable"`, for the tasks; then run `tokio-console`.
//! console_subscriber::init();
//! let (jobs, queue) = hchan::bounded::<u32>(4);
//! jobs.set_name("jobs");
//! ```
//!
//! A subscriber that uses channels of this crate should filter out the target `hchan`: otherwise each event causes
//! others.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(docsrs, doc(auto_cfg(hide(hchan_loom, hchan_shuttle))))]
#![forbid(unsafe_code)]
#![warn(clippy::print_stdout)]

#[cfg(all(feature = "time", target_family = "wasm", target_os = "unknown"))]
compile_error!("hchan's feature `time` needs a clock and a thread, and this target has neither");

extern crate alloc;

mod chan;
#[cfg(any(doc, doctest))]
mod docs;
mod error;
mod handles;
mod hchan;
mod id;
#[cfg(feature = "inspect")]
pub mod inspect;
#[cfg(not(any(hchan_loom, hchan_shuttle)))]
mod lock;
mod mask;
mod ops;
mod outside;
#[cfg(feature = "std")]
mod park;
mod select;
mod snapshot;
mod sync;
#[cfg(all(feature = "time", not(any(hchan_loom, hchan_shuttle))))]
mod time;
mod trace;
mod wakes;
mod watch;

pub use self::chan::{bounded, never, unbounded};
#[cfg(any(doc, doctest))]
pub use self::docs::{
    beyond_one_machine, comparison, design, from_go, moving_over, pictures, recipes, verification,
};
pub use self::error::{
    RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
};
pub use self::handles::iter::{Drain, TryIter};
#[cfg(feature = "std")]
pub use self::handles::iter::{IntoIter, Iter};
pub use self::handles::receiver::Receiver;
pub use self::handles::sender::Sender;
pub use self::handles::weak::{WeakReceiver, WeakSender};
pub use self::id::ChannelId;
pub use self::ops::closed::ClosedFuture;
pub use self::ops::lease::{Lease, LeaseFuture};
pub use self::ops::recv::{NextFuture, RecvFuture, RecvManyFuture, RecvOwnedFuture};
pub use self::ops::reserve::{OwnedPermit, Permit, ReserveFuture, ReserveOwnedFuture};
pub use self::ops::send::{SendFromFuture, SendFuture, SendManyFuture, SendOwnedFuture};
pub use self::ops::until::{RecvUntilFuture, SendUntilFuture};
#[cfg(feature = "std")]
pub use self::select::recv_any_blocking;
pub use self::select::{RecvAnyFuture, RecvSet, Select, SetNextFuture, recv_any, try_recv_any};
pub use self::snapshot::Snapshot;
#[cfg(all(feature = "time", not(any(hchan_loom, hchan_shuttle))))]
pub use self::time::{Timer, after, tick};

#[doc(hidden)]
pub use self::select::macros::support as __support;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! From a stream into a channel.

mod worker;

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use hchan::{Receiver, Sender};
use serde::de::DeserializeOwned;

use self::worker::Worker;
use crate::codec::{Codec, Json};
use crate::delivery::Delivery;
use crate::error::Error;
use crate::names;
use crate::nats::Nats;

/// More than a client's subscription can hold is not asked for.
const MOST: usize = 32_768;

/// The settings of a bridge from a stream into a channel.
///
/// # Examples
///
/// ```no_run
/// # async fn f(nats: hchan_nats::Nats) -> Result<(), hchan_nats::Error> {
/// use hchan_nats::FromStream;
///
/// let (tx, jobs) = hchan::bounded::<hchan_nats::Delivery<String>>(64);
/// let bridge = FromStream::new("WORK", "counter")
///     .dead_letters("dead.work")
///     .max_deliveries(5)
///     .start(&nats, tx)
///     .await?;
/// while let Ok(job) = jobs.recv().await {
///     println!("{}", *job);
///     job.ack().await.ok();
/// }
/// let counts = bridge.stop().await?;
/// println!("{counts:?}");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct FromStream<C = Json> {
    stream: String,
    consumer: String,
    filter: String,
    codec: C,
    in_work: usize,
    sharers: usize,
    ack_wait: Duration,
    ack_timeout: Duration,
    keep_alive: bool,
    max_deliveries: Option<u64>,
    dead_letters: Option<String>,
}

impl FromStream {
    /// Reads the stream of this name, as the durable consumer of this name.
    ///
    /// The consumer is made if it is not there. All bridges that name the same one share its values: each goes to
    /// one of them.
    pub fn new(stream: impl Into<String>, consumer: impl Into<String>) -> Self {
        Self {
            stream: stream.into(),
            consumer: consumer.into(),
            filter: String::new(),
            codec: Json,
            in_work: 0,
            sharers: 1,
            ack_wait: Duration::from_secs(30),
            ack_timeout: Duration::from_secs(30),
            keep_alive: true,
            max_deliveries: None,
            dead_letters: None,
        }
    }
}

impl<C: Codec> FromStream<C> {
    /// Reads only what was published on these subjects; `work.*` is all with one more token.
    #[must_use]
    pub fn filter(mut self, subjects: impl Into<String>) -> Self {
        self.filter = subjects.into();
        self
    }

    /// Reads values in another format than [`Json`].
    #[must_use]
    pub fn codec<D: Codec>(self, codec: D) -> FromStream<D> {
        FromStream {
            stream: self.stream,
            consumer: self.consumer,
            filter: self.filter,
            codec,
            in_work: self.in_work,
            sharers: self.sharers,
            ack_wait: self.ack_wait,
            ack_timeout: self.ack_timeout,
            keep_alive: self.keep_alive,
            max_deliveries: self.max_deliveries,
            dead_letters: self.dead_letters,
        }
    }

    /// How many values are worked on at a time, beside those that wait in the channel; as many as the channel
    /// holds if this is not set. At most this and the capacity are taken from the server and not acknowledged.
    #[must_use]
    pub fn in_work(mut self, values: usize) -> Self {
        self.in_work = values;
        self
    }

    /// How many processes share the consumer; one if this is not set. The server counts for all of them.
    #[must_use]
    pub fn sharers(mut self, processes: usize) -> Self {
        self.sharers = processes.max(1);
        self
    }

    /// After how long without a word the server takes a value for lost, and delivers it again; 30 seconds if this
    /// is not set.
    #[must_use]
    pub fn ack_wait(mut self, wait: Duration) -> Self {
        self.ack_wait = wait;
        self
    }

    /// How long [`Delivery::ack`] waits for the server; 30 seconds if this is not set.
    #[must_use]
    pub fn ack_timeout(mut self, timeout: Duration) -> Self {
        self.ack_timeout = timeout;
        self
    }

    /// Whether the bridge tells the server of each value that is held that it is still worked on; it does if this
    /// is not set. Without it a value that takes longer than `ack_wait`, with its time in the channel, is delivered
    /// again, and a task that hangs loses its value to another.
    #[must_use]
    pub fn keep_alive(mut self, on: bool) -> Self {
        self.keep_alive = on;
        self
    }

    /// How often a value is delivered at most; without end if this is not set. The next time it is ended: published
    /// to the dead letters, if there are any, and never delivered again.
    #[must_use]
    pub fn max_deliveries(mut self, deliveries: u64) -> Self {
        self.max_deliveries = Some(deliveries.max(1));
        self
    }

    /// Where values go that were ended, that were delivered too often, or that cannot be read. A stream must store
    /// this subject. The headers `Hchan-Reason`, `Hchan-Stream`, `Hchan-Sequence`, `Hchan-Subject` and
    /// `Hchan-Deliveries` say whence they come.
    #[must_use]
    pub fn dead_letters(mut self, subject: impl Into<String>) -> Self {
        self.dead_letters = Some(subject.into());
        self
    }

    /// Starts the bridge: values of the stream are sent to `tx`.
    ///
    /// It runs until it is stopped or dropped, the channel is closed, or the stream is gone. It must be called in a
    /// tokio runtime.
    ///
    /// # Errors
    ///
    /// What [`Error`] says of the setting that is wrong.
    pub async fn start<T>(self, nats: &Nats, tx: Sender<Delivery<T>>) -> Result<Bridge, Error>
    where
        T: DeserializeOwned + Send + 'static,
    {
        names::name("stream", &self.stream)?;
        names::name("consumer", &self.consumer)?;
        if !self.filter.is_empty() {
            names::filter("filter", &self.filter)?;
        }
        let capacity = tx.capacity().ok_or(Error::Unbounded)?;
        let in_work = if self.in_work == 0 {
            capacity.max(1)
        } else {
            self.in_work
        };
        let limit = capacity.saturating_add(in_work).min(MOST);
        if let Some(subject) = &self.dead_letters {
            names::subject("dead_letters", subject)?;
            nats.check_stored("dead_letters", subject).await?;
        }
        self.make_consumer(nats, limit).await?;

        let counters = Arc::new(Counters::default());
        // Closed when the bridge is dropped.
        let (stop, stopped) = hchan::bounded::<Infallible>(0);
        let (outcome, done) = hchan::bounded(1);
        let worker = Worker::subscribe(nats.clone(), self, limit, counters.clone()).await?;
        tokio::spawn(worker.run(tx, stopped, outcome));
        Ok(Bridge {
            stop: Some(stop),
            done,
            counters,
        })
    }

    async fn make_consumer(&self, nats: &Nats, limit: usize) -> Result<(), Error> {
        let stream = nats.context().get_stream(&self.stream).await;
        let stream = stream.map_err(|source| nats.no_stream_info(&self.stream, source))?;
        let config = pull::Config {
            durable_name: Some(self.consumer.clone()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.ack_wait,
            max_ack_pending: i64::try_from(limit.saturating_mul(self.sharers)).unwrap_or(i64::MAX),
            filter_subject: self.filter.clone(),
            ..pull::Config::default()
        };
        stream.create_consumer(config).await.map_err(|source| {
            nats.explain("consumer", &self.consumer, "$JS.API.CONSUMER.", || {
                Error::server(
                    format!(
                        "make the consumer {:?} (the setting `consumer`) of the stream {:?} (whose retention is \
                         {:?})",
                        self.consumer,
                        self.stream,
                        stream.cached_info().config.retention
                    ),
                    source,
                )
            })
        })?;
        Ok(())
    }
}

/// A bridge that runs.
///
/// It is a future that is ready when the bridge has ended. Dropped, it stops the bridge: what was taken from the
/// server and did not get into the channel goes back at once. What is in the channel can still be received and
/// acknowledged; it goes back when it is dropped, as it does with the last receiver.
#[must_use = "a bridge that is dropped stops"]
pub struct Bridge {
    stop: Option<Sender<Infallible>>,
    done: Receiver<Result<(), Error>>,
    counters: Arc<Counters>,
}

impl Bridge {
    /// Stops the bridge, and waits until what did not get into the channel is back in the stream.
    ///
    /// # Errors
    ///
    /// Why the bridge had ended before, if that was an error.
    pub async fn stop(mut self) -> Result<Counts, Error> {
        self.stop = None;
        self.await
    }

    /// What it did so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counters.read()
    }
}

impl Future for Bridge {
    type Output = Result<Counts, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let done = ready!(self.done.poll_recv(cx)).unwrap_or(Err(Error::Runtime));
        Poll::Ready(done.map(|()| self.counters.read()))
    }
}

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge")
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What a bridge from a stream did.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)*
        }

        #[derive(Default)]
        pub(crate) struct Counters {
            $($name: AtomicU64,)*
        }

        impl Counters {
            fn read(&self) -> Counts {
                Counts { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counts! {
    /// Values that were taken from the server.
    taken,
    /// Of these, how many it had delivered before.
    again,
    /// Values that were acknowledged.
    acknowledged,
    /// Values that went back.
    returned,
    /// Values that were ended, for whatever reason.
    ended,
    /// Of these, how many could not be read.
    unreadable,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

//! Values that are acknowledged by the task that finished with them.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::AckKind;
use async_nats::{Client, RequestErrorKind, Subject};
use hchan::Sender;
use tokio::time::{Instant, timeout};

use crate::error::{AckError, Source};

/// How long one attempt to acknowledge may take.
const ATTEMPT: Duration = Duration::from_secs(2);
/// How long the server may be there without the consumer. One that starts needs a moment.
const ALONE: Duration = Duration::from_secs(3);

/// A value from a stream, which goes back unless it is acknowledged.
///
/// It derefs to the value. [`ack`](Self::ack) ends it. Dropped before that, also by a panic or with its task, it
/// goes back to the stream, and is delivered again, here or elsewhere. While it lives, the bridge tells the server
/// that it is still worked on.
///
/// # Examples
///
/// ```no_run
/// # async fn f(jobs: hchan::Receiver<hchan_nats::Delivery<String>>) {
/// while let Ok(job) = jobs.recv().await {
///     println!("{} for the {}. time", *job, job.deliveries());
///     if let Err(error) = job.ack().await {
///         eprintln!("{error}: it may come again");
///     }
/// }
/// # }
/// ```
#[must_use = "a delivery that is dropped goes back to the stream"]
pub struct Delivery<T> {
    /// Until it is acknowledged.
    value: Option<T>,
    /// What the bridge knows it by, until it is settled.
    ticket: Option<u64>,
    pub(crate) about: About,
    desk: Arc<Desk>,
}

/// What a message says of itself.
pub(crate) struct About {
    pub(crate) sequence: u64,
    pub(crate) deliveries: u64,
    pub(crate) id: Option<Box<str>>,
    pub(crate) subject: Subject,
    pub(crate) reply: Subject,
}

/// How deliveries reach their bridge. The bridge ends when the last one is gone.
pub(crate) struct Desk {
    pub(crate) words: Sender<Word>,
    pub(crate) client: Client,
    pub(crate) patience: Duration,
}

/// What deliveries tell their bridge.
pub(crate) enum Word {
    /// It is acknowledged.
    Done(u64),
    /// It goes back, and is delivered again after a while.
    Return(u64, Option<Duration>),
    /// It is worked on.
    Progress(u64),
    /// It is never delivered again.
    Reject(u64, String),
}

impl<T> Delivery<T> {
    pub(crate) fn new(value: T, ticket: u64, about: About, desk: Arc<Desk>) -> Self {
        Self {
            value: Some(value),
            ticket: Some(ticket),
            about,
            desk,
        }
    }

    /// Acknowledges the value, and waits until the server has confirmed it. Then the value is never delivered again.
    ///
    /// While the server is away it waits for it, for as long as the setting `ack_timeout` allows.
    ///
    /// # Cancel safety
    ///
    /// If you drop the future, the value may be acknowledged or not. If it is not, it goes back to the stream.
    ///
    /// # Errors
    ///
    /// [`AckError`] with the value, if the server did not confirm it in time, or has no such consumer any more. It may
    /// be delivered again.
    pub async fn ack(mut self) -> Result<T, AckError<T>> {
        let done = self.acknowledge().await;
        let value = present(self.value.take());
        match done {
            Ok(()) => {
                if let Some(ticket) = self.ticket.take() {
                    self.desk.tell(Word::Done(ticket));
                }
                Ok(value)
            }
            Err(source) => Err(AckError { value, source }),
        }
    }

    async fn acknowledge(&self) -> Result<(), Source> {
        let until = Instant::now() + self.desk.patience;
        // Since when there is a server, and no consumer.
        let mut alone = None;
        loop {
            let asked = self
                .desk
                .client
                .request(self.about.reply.clone(), AckKind::Ack.into());
            let error: Source = match timeout(ATTEMPT, asked).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => {
                    alone = match error.kind() {
                        RequestErrorKind::NoResponders => alone.or(Some(Instant::now())),
                        _ => None,
                    };
                    error.into()
                }
                Err(error) => error.into(),
            };
            if Instant::now() >= until || alone.is_some_and(|since| since.elapsed() >= ALONE) {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Returns the value to the stream, to be delivered again after `delay`.
    ///
    /// It does not wait: the bridge tells the server.
    pub fn nak(mut self, delay: Duration) {
        if let Some(ticket) = self.ticket.take() {
            self.desk.tell(Word::Return(ticket, Some(delay)));
        }
    }

    /// Ends the value: it is never delivered again. With the setting `dead_letters` it is published there first,
    /// and stays in the stream until that is confirmed.
    ///
    /// It does not wait: the bridge tells the server.
    pub fn term(mut self, reason: impl Into<String>) {
        if let Some(ticket) = self.ticket.take() {
            self.desk.tell(Word::Reject(ticket, reason.into()));
        }
    }

    /// Tells the server that the value is worked on, so that it does not deliver it again.
    ///
    /// The bridge does so by itself, unless `keep_alive` is off.
    pub fn progress(&self) {
        if let Some(ticket) = self.ticket {
            self.desk.tell(Word::Progress(ticket));
        }
    }

    /// Its number in the stream.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.about.sequence
    }

    /// How often it was delivered, with this time.
    #[must_use]
    pub fn deliveries(&self) -> u64 {
        self.about.deliveries
    }

    /// The message id that it was published with. It is the same each time the value is delivered.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.about.id.as_deref()
    }

    /// The subject that it was published on.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.about.subject
    }
}

fn present<T>(value: Option<T>) -> T {
    match value {
        Some(value) => value,
        None => unreachable!("a delivery has its value until it is acknowledged"),
    }
}

impl Desk {
    fn tell(&self, word: Word) {
        // If the bridge is gone with its runtime, the server delivers it again after a while.
        self.words.try_send(word).ok();
    }
}

impl<T> Deref for Delivery<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.value {
            Some(value) => value,
            None => unreachable!("a delivery has its value until it is acknowledged"),
        }
    }
}

impl<T> DerefMut for Delivery<T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.value {
            Some(value) => value,
            None => unreachable!("a delivery has its value until it is acknowledged"),
        }
    }
}

impl<T> Drop for Delivery<T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.desk.tell(Word::Return(ticket, None));
        }
    }
}

impl<T> fmt::Debug for Delivery<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("sequence", &self.about.sequence)
            .field("deliveries", &self.about.deliveries)
            .field("id", &self.about.id)
            .finish_non_exhaustive()
    }
}

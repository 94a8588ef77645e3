//! From a channel into a stream.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, IntoFuture, pending};
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::{HeaderName, Subject};
use bytes::Bytes;
use hchan::{Lease, Receiver};
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval};

use crate::codec::{Codec, HEADER, Json};
use crate::error::Error;
use crate::names;
use crate::nats::Nats;

/// How often the connection is looked at.
const CHECK: Duration = Duration::from_millis(200);
/// How often a stream may be missing before it is taken for gone: a server that starts needs a moment.
const MISSING: u32 = 3;

/// The settings of a bridge from a channel into a stream.
///
/// # Examples
///
/// ```no_run
/// # async fn f(nats: hchan_nats::Nats) -> Result<(), hchan_nats::Error> {
/// use hchan_nats::ToStream;
///
/// let (tx, rx) = hchan::bounded::<(u64, String)>(64);
/// let out = tokio::spawn(async move {
///     ToStream::new("work.lines").message_id(|line: &(u64, String)| line.0.to_string()).run(&nats, &rx).await
/// });
/// tx.send((1, "a line".into())).await.unwrap();
/// drop(tx);
/// // All were confirmed.
/// out.await.unwrap()?;
/// # Ok(()) }
/// ```
pub struct ToStream<T, C = Json> {
    subject: String,
    stream: Option<String>,
    codec: C,
    window: usize,
    in_order: bool,
    max_payload: Option<usize>,
    message_id: Option<MessageId<T>>,
}

type MessageId<T> = Arc<dyn Fn(&T) -> String + Send + Sync>;

impl<T> ToStream<T> {
    /// Publishes on this subject, which a stream must store.
    pub fn new(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            stream: None,
            codec: Json,
            window: 256,
            in_order: false,
            max_payload: None,
            message_id: None,
        }
    }
}

impl<T, C> ToStream<T, C> {
    /// Publishes only if it is this stream that stores the subject.
    #[must_use]
    pub fn stream(mut self, name: impl Into<String>) -> Self {
        self.stream = Some(name.into());
        self
    }

    /// Writes values in another format than [`Json`].
    #[must_use]
    pub fn codec<D: Codec>(self, codec: D) -> ToStream<T, D> {
        ToStream {
            subject: self.subject,
            stream: self.stream,
            codec,
            window: self.window,
            in_order: self.in_order,
            max_payload: self.max_payload,
            message_id: self.message_id,
        }
    }

    /// How many values may be under way, published and not confirmed; 256 if this is not set. They are confirmed in
    /// order. With 1, values are in the stream in the order of the channel, whatever happens. With more, those under
    /// way can change places when the connection is lost or the stream is full, unless they are to keep their
    /// [order](Self::in_order).
    #[must_use]
    pub fn window(mut self, values: usize) -> Self {
        self.window = values.max(1);
        self
    }

    /// Keeps the order of the channel, whatever happens, with any [`window`](Self::window).
    ///
    /// Each value says which one comes before it (`Nats-Expected-Last-Msg-Id`), and the server refuses what would be
    /// out of order, which is then published again. So the stream has the values in order, each when it first comes:
    /// one that is stored twice, since the stream has forgotten its id, comes again later.
    ///
    /// It is at its best if nobody else publishes to the stream. What somebody else publishes in between, or what the
    /// stream has already, makes the server refuse the rest of the window: order is kept, and it takes a round trip
    /// more. The window is smaller for a while then.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.in_order = true;
        self
    }

    /// How many bytes a value may take. The server has a limit of its own, a mebibyte unless it says otherwise.
    #[must_use]
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = Some(bytes);
        self
    }

    /// Names each value. The stream takes a value whose id it has seen within its window of duplicates as the same.
    ///
    /// If this is not set each value gets an id when it is leased, which covers what this bridge publishes again
    /// after a lost connection. An id of the value's own also covers what another bridge publishes again, because
    /// the value went back into the channel, or its program began anew. An id is one line, without spaces at its ends.
    #[must_use]
    pub fn message_id(mut self, id: impl Fn(&T) -> String + Send + Sync + 'static) -> Self {
        self.message_id = Some(Arc::new(id));
        self
    }
}

impl<T: Serialize, C: Codec> ToStream<T, C> {
    /// Publishes what is sent to the channel, until it is closed and drained and all is confirmed.
    ///
    /// Each value is leased, and taken only once the server has confirmed that it is in the stream. While the
    /// server is away, or the stream is full, values wait.
    ///
    /// # Cancel safety
    ///
    /// If you drop the future, what was not confirmed is back in its place in the channel. Some of it may be in the
    /// stream as well: [`message_id`](Self::message_id) makes it one message when it is published again.
    ///
    /// # Errors
    ///
    /// What [`Error`] says of the setting or the value that is wrong. What was not confirmed is back in its place. A
    /// value that is too large, that the codec cannot write, or whose id is none, is the next to be received: those
    /// before it are confirmed.
    pub async fn run(&self, nats: &Nats, rx: &Receiver<T>) -> Result<Published, Error> {
        self.run_each(nats, rx, drop).await
    }

    /// As [`run`](Self::run), and gives each value to `confirmed` once it is in the stream.
    ///
    /// So a stage between two streams acknowledges what came from the one when what it made of it is in the other:
    /// the value that it sends holds the [`Delivery`](crate::Delivery), which is no part of what is written.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn run_each(
        &self,
        nats: &Nats,
        rx: &Receiver<T>,
        confirmed: impl FnMut(T),
    ) -> Result<Published, Error> {
        names::subject("subject", &self.subject)?;
        if let Some(stream) = &self.stream {
            names::name("stream", stream)?;
        }
        let out = Out {
            settings: self,
            nats,
            window: VecDeque::new(),
            subject: self.subject.as_str().into(),
            width: self.window,
            streak: 0,
            run: format!("{:016x}", fastrand::u64(..)),
            leased: 0,
            published: Published::default(),
            fault: None,
            troubles: 0,
            missing: 0,
        };
        out.run(rx, confirmed).await
    }
}

impl<T, C: Clone> Clone for ToStream<T, C> {
    fn clone(&self) -> Self {
        Self {
            subject: self.subject.clone(),
            stream: self.stream.clone(),
            codec: self.codec.clone(),
            window: self.window,
            in_order: self.in_order,
            max_payload: self.max_payload,
            message_id: self.message_id.clone(),
        }
    }
}

impl<T, C> fmt::Debug for ToStream<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToStream")
            .field("subject", &self.subject)
            .field("stream", &self.stream)
            .field("window", &self.window)
            .field("in_order", &self.in_order)
            .field("max_payload", &self.max_payload)
            .finish_non_exhaustive()
    }
}

/// What a bridge into a stream did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// Values that the server confirmed.
    pub confirmed: u64,
    /// Of these, how many the stream had already.
    pub duplicates: u64,
    /// How often a value was published again, since it was not confirmed.
    pub repeated: u64,
}

struct Out<'a, T, C> {
    settings: &'a ToStream<T, C>,
    nats: &'a Nats,
    /// What is under way, the oldest first.
    window: VecDeque<UnderWay<'a, T>>,
    subject: Subject,
    /// How many may be, for now.
    width: usize,
    /// How many were confirmed since that changed.
    streak: usize,
    /// The ids of values without one of their own begin so.
    run: String,
    leased: u64,
    published: Published,
    /// A value that cannot be published, and why. Those before it are confirmed first.
    fault: Option<(Error, Lease<'a, T>)>,
    /// How often in a row something went wrong.
    troubles: u32,
    /// How often in a row there was no stream.
    missing: u32,
}

struct UnderWay<'a, T> {
    lease: Lease<'a, T>,
    id: String,
    payload: Bytes,
    /// Unless it could not be published yet.
    confirmation: Option<Confirmation>,
}

type Confirmation = <PublishAckFuture as IntoFuture>::IntoFuture;

impl<'a, T: Serialize, C: Codec> Out<'a, T, C> {
    async fn run(
        mut self,
        rx: &'a Receiver<T>,
        mut done: impl FnMut(T),
    ) -> Result<Published, Error> {
        let mut closed = false;
        let mut check = interval(CHECK);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut connects = self.nats.connects();
        loop {
            let ends = closed || self.fault.is_some();
            if ends && self.window.is_empty() {
                // With the value, which goes back.
                return self
                    .fault
                    .map_or(Ok(self.published), |(error, _)| Err(error));
            }
            let room = !ends && self.has_room();
            let confirmed = async {
                match self.window.front_mut() {
                    Some(UnderWay {
                        confirmation: Some(confirmation),
                        ..
                    }) => Some(confirmation.await),
                    Some(_) => None,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                confirmed = confirmed => match confirmed {
                    Some(Ok(confirmed)) => self.confirm(&confirmed, &mut done),
                    Some(Err(error)) => self.again(Some(error)).await?,
                    None => self.again(None).await?,
                },
                // What was under way on the old connection is not waited for.
                _ = check.tick() => {
                    self.is_allowed()?;
                    if self.nats.is_connected() && self.nats.connects() != connects {
                        connects = self.nats.connects();
                        self.again(None).await?;
                    }
                },
                leased = rx.lease(), if room => match leased {
                    Ok(lease) => {
                        self.add(lease).await?;
                        // All that is there.
                        while self.has_room() && let Ok(lease) = rx.try_lease() {
                            self.add(lease).await?;
                        }
                    }
                    Err(_) => closed = true,
                },
            }
        }
    }

    /// Whether another value may be under way. None overtakes one that is to be published again.
    fn has_room(&self) -> bool {
        let last = self.window.back();
        self.fault.is_none()
            && self.window.len() < self.width
            && last.is_none_or(|last| last.confirmation.is_some())
    }

    /// The oldest is in the stream.
    fn confirm(&mut self, confirmed: &PublishAck, done: &mut impl FnMut(T)) {
        self.troubles = 0;
        self.missing = 0;
        self.widen();
        self.published.confirmed += 1;
        self.published.duplicates += u64::from(confirmed.duplicate);
        if let Some(first) = self.window.pop_front() {
            done(first.lease.take());
        }
    }

    async fn add(&mut self, lease: Lease<'a, T>) -> Result<(), Error> {
        let written = self.encode(&lease);
        let (payload, id) = match written.and_then(|payload| Ok((payload, self.id(&lease)?))) {
            Ok(written) => written,
            Err(error) => {
                self.fault = Some((error, lease));
                return Ok(());
            }
        };
        self.leased += 1;
        let mut value = UnderWay {
            lease,
            id,
            payload: payload.into(),
            confirmation: None,
        };
        let before = self.window.back().map(|last| &last.id);
        let published = self.publish(&value, before).await;
        match self.note(&mut value, published) {
            Err(error @ Error::TooLarge { .. }) => self.fault = Some((error, value.lease)),
            noted => {
                noted?;
                self.window.push_back(value);
            }
        }
        Ok(())
    }

    fn encode(&self, value: &T) -> Result<Vec<u8>, Error> {
        let ToStream {
            codec, max_payload, ..
        } = self.settings;
        let payload = codec.encode(value).map_err(|source| Error::Encode {
            codec: codec.name(),
            source,
        })?;
        match *max_payload {
            Some(limit) if payload.len() > limit => Err(Error::TooLarge {
                size: payload.len(),
                limit,
                setting: "max_payload",
            }),
            _ => Ok(payload),
        }
    }

    fn id(&self, value: &T) -> Result<String, Error> {
        match &self.settings.message_id {
            Some(message_id) => {
                let id = message_id(value);
                names::message_id("message_id", &id)?;
                Ok(id)
            }
            None => Ok(format!("{}.{}", self.run, self.leased)),
        }
    }

    /// As many as before may be under way again, after a while without refusals.
    fn widen(&mut self) {
        self.streak += 1;
        if self.streak >= self.width && self.width < self.settings.window {
            self.width = (2 * self.width).min(self.settings.window);
            self.streak = 0;
        }
    }

    /// Keeps the confirmation to come. If there is none to come, the value is published again.
    fn note(
        &self,
        value: &mut UnderWay<'a, T>,
        published: Result<PublishAckFuture, PublishError>,
    ) -> Result<(), Error> {
        match published {
            Ok(confirmation) => value.confirmation = Some(confirmation.into_future()),
            Err(error) => match error.kind() {
                PublishErrorKind::MaxPayloadExceeded => {
                    return Err(Error::TooLarge {
                        size: value.payload.len(),
                        limit: self.nats.client().max_payload(),
                        setting: "max_payload of the server",
                    });
                }
                PublishErrorKind::TimedOut | PublishErrorKind::MaxAckPending => {}
                _ => return Err(self.refused(error)),
            },
        }
        Ok(())
    }

    /// Publishes a value that follows the one with the id `before`, unless all before it are confirmed.
    ///
    /// The future does not hold the value, which need not be `Sync`.
    fn publish(
        &self,
        value: &UnderWay<'a, T>,
        before: Option<&String>,
    ) -> impl Future<Output = Result<PublishAckFuture, PublishError>> + Send + use<'a, T, C> {
        let mut message = PublishMessage::build()
            .payload(value.payload.clone())
            .header(HeaderName::from_static(HEADER), self.settings.codec.name())
            .message_id(&value.id);
        if let Some(stream) = &self.settings.stream {
            message = message.expected_stream(stream);
        }
        if self.settings.in_order
            && let Some(before) = before
        {
            message = message.expected_last_message_id(before);
        }
        let nats = self.nats;
        nats.context().send_publish(self.subject.clone(), message)
    }

    /// Publishes all that is under way again, after a while if something is wrong.
    async fn again(&mut self, error: Option<PublishError>) -> Result<(), Error> {
        for value in &mut self.window {
            value.confirmation = None;
        }
        let out_of_order = error
            .as_ref()
            .is_some_and(|error| error.kind() == PublishErrorKind::WrongLastMessageId);
        if out_of_order {
            // All before the first are confirmed, so it is refused only once.
            self.width = (self.width / 2).max(1);
            self.streak = 0;
        } else {
            if let Some(error) = error {
                self.judge(error)?;
            }
            let longest = 50_u64 << self.troubles.min(6);
            tokio::time::sleep(Duration::from_millis(fastrand::u64(longest / 2..=longest))).await;
            self.troubles += 1;
        }
        let mut window = std::mem::take(&mut self.window);
        let mut before = None;
        for value in &mut window {
            let published = self.publish(value, before).await;
            self.note(value, published)?;
            if value.confirmation.is_none() {
                break;
            }
            self.published.repeated += 1;
            before = Some(&value.id);
        }
        self.window = window;
        Ok(())
    }

    /// Whether it may be better the next time.
    fn judge(&mut self, error: PublishError) -> Result<(), Error> {
        match error.kind() {
            PublishErrorKind::StreamNotFound => {
                self.missing += 1;
                if self.missing == MISSING {
                    return Err(Error::NoStream {
                        setting: "subject",
                        value: self.settings.subject.clone(),
                    });
                }
            }
            PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => {
                self.is_allowed()?;
            }
            _ => match code(&error) {
                // Full, or about to be there.
                Some(
                    ErrorCode::STREAM_STORE_FAILED
                    | ErrorCode::INSUFFICIENT_RESOURCES
                    | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
                    | ErrorCode::CLUSTER_NOT_AVAILABLE,
                ) => {}
                Some(ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM) => {
                    let size = self.window.front().map_or(0, |value| value.payload.len());
                    let doing = format!(
                        "publish {size} bytes (the setting `max_message_size` of the stream)"
                    );
                    return Err(Error::server(doing, error));
                }
                _ => return Err(self.refused(error)),
            },
        }
        tracing::debug!("publishing again: {error}");
        Ok(())
    }

    /// A refusal is no answer, and comes by itself.
    fn is_allowed(&self) -> Result<(), Error> {
        let subject = &self.settings.subject;
        match self.nats.refusal(&format!("{subject}\"")) {
            Some(said) => Err(Error::NotAllowed {
                setting: "subject",
                value: subject.clone(),
                said,
            }),
            None => Ok(()),
        }
    }

    fn refused(&self, error: PublishError) -> Error {
        Error::server(
            format!(
                "publish on {:?} (the setting `subject`)",
                self.settings.subject
            ),
            error,
        )
    }
}

/// The server's number for what it refused.
fn code(error: &PublishError) -> Option<ErrorCode> {
    let source = std::error::Error::source(error)?;
    source
        .downcast_ref::<jetstream::Error>()
        .map(jetstream::Error::error_code)
}

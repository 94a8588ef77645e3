//! The connection, and streams that are work queues.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::context::{
    ContextBuilder, CreateStreamErrorKind, GetStreamByNameErrorKind, GetStreamError,
    GetStreamErrorKind, RequestError, RequestErrorKind,
};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{Context, ErrorCode};
use async_nats::{
    Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerError, rustls,
};

use crate::error::Error;
use crate::names;

/// How long the server has to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many refusals are remembered.
const REFUSALS: usize = 16;

/// A connection to a server, shared by its clones.
///
/// A connection that is lost is made again, for as long as it takes: at once, and then with pauses that double up to
/// four seconds, each of a random length, so that a thousand clients do not come back in the same instant. Each
/// change is an event of `tracing`.
///
/// # Examples
///
/// ```no_run
/// # async fn f() -> Result<(), hchan_nats::Error> {
/// use hchan_nats::{ConnectOptions, Nats};
///
/// let options = ConnectOptions::new().user_and_password("counter".into(), "secret".into());
/// let nats = Nats::connect("nats://localhost:4222", options).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Nats {
    context: Context,
    refusals: Refusals,
}

type Refusals = Arc<Mutex<VecDeque<String>>>;

impl Nats {
    /// Connects to the server at `url`.
    ///
    /// `options` say who you are, and which certificates you trust. Their event callback and reconnect delay are
    /// replaced.
    ///
    /// # Errors
    ///
    /// [`Error::NoServer`], [`Error::Refused`], [`Error::Server`].
    pub async fn connect(url: &str, options: ConnectOptions) -> Result<Self, Error> {
        let refusals = Refusals::default();
        let said = refusals.clone();
        let connected = options
            .event_callback(move |event| {
                note(&said, &event);
                std::future::ready(())
            })
            .reconnect_delay_callback(pause)
            .connect(url)
            .await;
        let client = connected.map_err(|source| {
            let url = url.to_owned();
            match source.kind() {
                ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                    Error::Refused {
                        url,
                        source: source.into(),
                    }
                }
                _ if is_about_tls(&source) => Error::server(
                    format!("agree on TLS with the server at {url} (the setting `options`)"),
                    source,
                ),
                _ => Error::NoServer {
                    url,
                    source: source.into(),
                },
            }
        })?;
        Ok(Self::over(client, refusals))
    }

    /// Uses a connection that is there.
    ///
    /// What is not allowed is then told from what does not answer only by the log.
    #[must_use]
    pub fn from_client(client: Client) -> Self {
        Self::over(client, Refusals::default())
    }

    fn over(client: Client, refusals: Refusals) -> Self {
        Self {
            context: ContextBuilder::new().timeout(PATIENCE).build(client),
            refusals,
        }
    }

    /// The client of `async-nats` inside.
    #[must_use]
    pub fn client(&self) -> Client {
        self.context.client()
    }

    /// Makes a stream that is a work queue, or finds the one that is there.
    ///
    /// A value leaves the stream when it is acknowledged. Once it is full, publishing waits.
    ///
    /// # Errors
    ///
    /// [`Error::Name`]; [`Error::OtherStream`], if the stream is there with another retention or discard policy;
    /// [`Error::NoJetStream`]; [`Error::NotAllowed`]; [`Error::Server`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn f(nats: hchan_nats::Nats) -> Result<(), hchan_nats::Error> {
    /// use hchan_nats::Queue;
    ///
    /// nats.work_queue(Queue::new("WORK", "work.>").max_values(1_000_000)).await?;
    /// # Ok(()) }
    /// ```
    pub async fn work_queue(&self, queue: Queue) -> Result<(), Error> {
        names::name("stream", &queue.name)?;
        names::filter("subjects", &queue.subjects)?;
        let wanted = Config {
            name: queue.name.clone(),
            subjects: vec![queue.subjects],
            retention: RetentionPolicy::WorkQueue,
            discard: DiscardPolicy::New,
            max_messages: queue
                .max_values
                .map_or(-1, |max| i64::try_from(max).unwrap_or(i64::MAX)),
            max_bytes: -1,
            max_messages_per_subject: -1,
            max_consumers: -1,
            max_message_size: -1,
            duplicate_window: queue.duplicates,
            storage: queue.storage,
            num_replicas: queue.replicas,
            ..Config::default()
        };
        let found = match self.context.get_stream(&queue.name).await {
            Ok(stream) => stream.cached_info().config.clone(),
            Err(error) if is_no_stream(&error.kind()) => {
                let stream = self.context.create_stream(wanted.clone()).await;
                let stream = stream.map_err(|source| match source.kind() {
                    CreateStreamErrorKind::JetStreamUnavailable => Error::NoJetStream {
                        source: source.into(),
                    },
                    _ => self.explain("stream", &queue.name, "$JS.API.STREAM.CREATE", || {
                        Error::server(format!("make the stream {:?}", queue.name), source)
                    }),
                })?;
                stream.cached_info().config.clone()
            }
            Err(source) => return Err(self.no_stream_info(&queue.name, source)),
        };
        let differs = |setting, wanted: String, found: String| {
            Err(Error::OtherStream {
                stream: queue.name.clone(),
                setting,
                wanted,
                found,
            })
        };
        if found.retention != wanted.retention {
            return differs(
                "retention",
                format!("{:?}", wanted.retention),
                format!("{:?}", found.retention),
            );
        }
        if found.discard != wanted.discard {
            return differs(
                "discard",
                format!("{:?}", wanted.discard),
                format!("{:?}", found.discard),
            );
        }
        if found.subjects != wanted.subjects {
            return differs(
                "subjects",
                format!("{:?}", wanted.subjects),
                format!("{:?}", found.subjects),
            );
        }
        Ok(())
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Whether a stream stores what is published on a subject. Who may not ask learns it from the first value.
    pub(crate) async fn check_stored(
        &self,
        setting: &'static str,
        subject: &str,
    ) -> Result<(), Error> {
        match self.context.stream_by_subject(subject).await {
            Err(error) if error.kind() == GetStreamByNameErrorKind::NotFound => {
                Err(Error::NoStream {
                    setting,
                    value: subject.to_owned(),
                })
            }
            Err(error) => {
                tracing::debug!("cannot look for the stream of {subject:?}: {error}");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.client().connection_state() == async_nats::connection::State::Connected
    }

    /// How often the connection was made.
    pub(crate) fn connects(&self) -> u64 {
        self.client().statistics().connects.load(Ordering::Relaxed)
    }

    /// The refusal of a subject that begins so, if the server said one, or else what `otherwise` says.
    pub(crate) fn explain(
        &self,
        setting: &'static str,
        value: &str,
        subject: &str,
        otherwise: impl FnOnce() -> Error,
    ) -> Error {
        match self.refusal(subject) {
            Some(said) => Error::NotAllowed {
                setting,
                value: value.to_owned(),
                said,
            },
            None => otherwise(),
        }
    }

    /// What the server said when it refused a subject that begins so.
    pub(crate) fn refusal(&self, subject: &str) -> Option<String> {
        let refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let quoted = format!("\"{subject}");
        refusals
            .iter()
            .rev()
            .find(|said| said.contains(&quoted))
            .cloned()
    }

    /// Why there is no information on a stream.
    pub(crate) fn no_stream_info(&self, stream: &str, source: GetStreamError) -> Error {
        match source.kind() {
            GetStreamErrorKind::JetStream(error)
                if error.error_code() == ErrorCode::JETSTREAM_NOT_ENABLED
                    || error.error_code() == ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT =>
            {
                Error::NoJetStream {
                    source: source.into(),
                }
            }
            kind if is_no_stream(&kind) => Error::NoStream {
                setting: "stream",
                value: stream.to_owned(),
            },
            _ if nobody_answers(&source) => Error::NoJetStream {
                source: source.into(),
            },
            _ => self.explain("stream", stream, "$JS.API.STREAM.INFO", || {
                Error::server(format!("look at the stream {stream:?}"), source)
            }),
        }
    }
}

pub(crate) fn is_no_stream(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// Whether certificates are not trusted, which comes as an I/O error.
fn is_about_tls(error: &ConnectError) -> bool {
    let source =
        std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    let inner = source.and_then(io::Error::get_ref);
    error.kind() == ConnectErrorKind::Tls
        || inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
}

/// Whether nothing at the server listens to what a client of JetStream asks.
fn nobody_answers(error: &GetStreamError) -> bool {
    let source =
        std::error::Error::source(error).and_then(|source| source.downcast_ref::<RequestError>());
    source.is_some_and(|error| error.kind() == RequestErrorKind::NoResponders)
}

fn note(refusals: &Refusals, event: &Event) {
    let mut refusals = refusals.lock().unwrap_or_else(PoisonError::into_inner);
    match event {
        Event::Connected => {
            tracing::info!("connected to the server");
            refusals.clear();
        }
        Event::Disconnected => tracing::warn!("the server is lost; values wait until it is back"),
        Event::ServerError(ServerError::Other(said))
            if said.to_lowercase().contains("permissions violation") =>
        {
            tracing::warn!("{said}");
            if refusals.len() == REFUSALS {
                refusals.pop_front();
            }
            refusals.push_back(said.clone());
        }
        event => tracing::warn!("{event}"),
    }
}

/// How long to wait before the next attempt to connect.
fn pause(attempts: usize) -> Duration {
    if attempts <= 1 {
        return Duration::ZERO;
    }
    let longest = 100_u64 << attempts.min(7).saturating_sub(2);
    Duration::from_millis(fastrand::u64(longest / 2..=longest.min(4000)))
}

/// The settings of a stream that is a work queue; see [`Nats::work_queue`].
#[derive(Clone, Debug)]
pub struct Queue {
    name: String,
    subjects: String,
    max_values: Option<u64>,
    duplicates: Duration,
    storage: StorageType,
    replicas: usize,
}

impl Queue {
    /// A stream of this name, which stores what is published on these subjects; `work.>` is all that begin so.
    pub fn new(name: impl Into<String>, subjects: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            subjects: subjects.into(),
            max_values: None,
            duplicates: Duration::from_secs(120),
            storage: StorageType::File,
            replicas: 1,
        }
    }

    /// How many values it holds before publishing waits. Without it, the server's disk is the limit.
    #[must_use]
    pub fn max_values(mut self, max: u64) -> Self {
        self.max_values = Some(max);
        self
    }

    /// For how long it remembers message ids, and takes a value that has come before as the same; two minutes
    /// if this is not set.
    #[must_use]
    pub fn duplicates(mut self, window: Duration) -> Self {
        self.duplicates = window;
        self
    }

    /// Keeps it in the server's memory. What is inside is lost when the server stops.
    #[must_use]
    pub fn in_memory(mut self) -> Self {
        self.storage = StorageType::Memory;
        self
    }

    /// On how many servers of a cluster it is kept; one if this is not set.
    #[must_use]
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::pause;

    #[test]
    fn pauses_grow_to_four_seconds() {
        assert!(pause(1).is_zero());
        for attempts in 2..100 {
            let pause = pause(attempts).as_millis();
            assert!((50..=4000).contains(&pause), "{attempts}: {pause} ms");
        }
        assert!(pause(50).as_millis() >= 1600);
    }
}

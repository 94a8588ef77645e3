//! What can go wrong, with the setting that mends it.

use std::error::Error as StdError;
use std::fmt;

use crate::codec::CodecError;

pub(crate) type Source = Box<dyn StdError + Send + Sync>;

/// Why something could not be set up, or a bridge ended.
///
/// The message names the setting that is wrong, where one is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is no server at the address.
    NoServer {
        /// The address.
        url: String,
        /// What the attempt to connect said.
        source: Source,
    },
    /// The server is there, and lets nobody in with these credentials.
    Refused {
        /// The address.
        url: String,
        /// What the server said.
        source: Source,
    },
    /// The server has no JetStream, or not for this account.
    NoJetStream {
        /// What the server said.
        source: Source,
    },
    /// A name that the server would not take.
    Name {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The credentials do not allow this subject.
    NotAllowed {
        /// The setting that holds the subject.
        setting: &'static str,
        /// The subject.
        value: String,
        /// What the server said.
        said: String,
    },
    /// No stream has this name, or stores this subject.
    NoStream {
        /// The setting: `stream`, `subject` or `dead_letters`.
        setting: &'static str,
        /// Its value.
        value: String,
    },
    /// The stream is there with other settings than it was to be made with.
    OtherStream {
        /// The stream.
        stream: String,
        /// Which setting differs.
        setting: &'static str,
        /// As it was asked for.
        wanted: String,
        /// As it is.
        found: String,
    },
    /// The stream was deleted while the bridge ran.
    StreamGone {
        /// The stream.
        stream: String,
    },
    /// The consumer was deleted while the bridge ran.
    ConsumerGone {
        /// Its stream.
        stream: String,
        /// The consumer.
        consumer: String,
    },
    /// The channel has no limit, so nothing would hold the server back.
    Unbounded,
    /// A value in the stream was written with another codec. It is back in the stream.
    OtherCodec {
        /// The stream.
        stream: String,
        /// The value's number in it.
        sequence: u64,
        /// The codec that wrote it.
        written: String,
        /// The codec that was to read it.
        codec: &'static str,
    },
    /// A value that its codec cannot write. It is back in its place in the channel.
    Encode {
        /// The codec.
        codec: &'static str,
        /// What the codec said.
        source: CodecError,
    },
    /// A value that is too large to be sent. It is back in its place in the channel.
    TooLarge {
        /// Its size with the headers, in bytes.
        size: usize,
        /// The limit.
        limit: usize,
        /// The setting that says so, of the bridge, the stream or the server.
        setting: &'static str,
    },
    /// Something that the server refused.
    Server {
        /// What it was asked to do.
        doing: String,
        /// What it said.
        source: Source,
    },
    /// The task of the bridge is gone: its runtime was shut down, or the codec panicked.
    Runtime,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoServer { url, source } => {
                write!(f, "no NATS server at {url} (the setting `url`): {source}")
            }
            Self::Refused { url, source } => write!(
                f,
                "the NATS server at {url} refused the credentials (the setting `options`): {source}"
            ),
            Self::NoJetStream { source } => write!(
                f,
                "the server has no JetStream for this account (the server's setting `jetstream`): {source}"
            ),
            Self::Name {
                setting,
                value,
                why,
            } => {
                write!(f, "the setting `{setting}` cannot be {value:?}: {why}")
            }
            Self::NotAllowed {
                setting,
                value,
                said,
            } => write!(
                f,
                "the server does not let this user use {value:?} (the setting `{setting}`, and the user's \
                 `permissions` at the server): {said}"
            ),
            Self::NoStream {
                setting: "stream",
                value,
            } => {
                write!(f, "there is no stream {value:?} (the setting `stream`)")
            }
            Self::NoStream { setting, value } => {
                write!(
                    f,
                    "no stream stores what is published on {value:?} (the setting `{setting}`)"
                )
            }
            Self::OtherStream {
                stream,
                setting,
                wanted,
                found,
            } => write!(
                f,
                "the stream {stream:?} is there, and its setting `{setting}` is {found}, not {wanted}"
            ),
            Self::StreamGone { stream } => {
                write!(
                    f,
                    "the stream {stream:?} (the setting `stream`) was deleted"
                )
            }
            Self::ConsumerGone { stream, consumer } => write!(
                f,
                "the consumer {consumer:?} (the setting `consumer`) of the stream {stream:?} was deleted"
            ),
            Self::Unbounded => f.write_str(
                "the channel has no limit, and would take the whole stream: use `hchan::bounded`",
            ),
            Self::OtherCodec {
                stream,
                sequence,
                written,
                codec,
            } => write!(
                f,
                "value {sequence} of the stream {stream:?} was written as {written:?}, and the setting `codec` \
                 reads {codec:?}"
            ),
            Self::Encode { codec, source } => {
                write!(
                    f,
                    "the codec {codec:?} (the setting `codec`) cannot write a value: {source}"
                )
            }
            Self::TooLarge {
                size,
                limit,
                setting,
            } => {
                write!(
                    f,
                    "a value takes {size} bytes, and the setting `{setting}` allows {limit}"
                )
            }
            Self::Server { doing, source } => write!(f, "cannot {doing}: {source}"),
            Self::Runtime => f.write_str(
                "the bridge ended early: its runtime was shut down, or its codec panicked",
            ),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::NoServer { source, .. }
            | Self::Refused { source, .. }
            | Self::NoJetStream { source }
            | Self::Server { source, .. } => Some(&**source),
            Self::Encode { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl Error {
    pub(crate) fn server(doing: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Server {
            doing: doing.into(),
            source: source.into(),
        }
    }
}

/// [`Delivery::ack`](crate::Delivery::ack) was not confirmed in time.
///
/// It may still have arrived. If it has not, the value will be delivered again.
pub struct AckError<T> {
    /// The value.
    pub value: T,
    pub(crate) source: Source,
}

impl<T> fmt::Debug for AckError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AckError")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for AckError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the server did not confirm the acknowledgement: {}",
            self.source
        )
    }
}

impl<T> StdError for AckError<T> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

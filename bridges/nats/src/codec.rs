//! How values become bytes.

use std::error::Error as StdError;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The header that names the codec of a value.
pub(crate) const HEADER: &str = "Hchan-Codec";

/// How values become bytes, and bytes values.
///
/// The name travels with each value, so that a reader with another codec says so and loses nothing. What other
/// programs published has no such header, and is read with the codec that the bridge has.
///
/// # Examples
///
/// ```
/// use hchan_nats::{Codec, Json, Postcard};
///
/// let word = (String::from("word"), 3);
/// assert_eq!(Json.encode(&word).unwrap(), br#"["word",3]"#);
/// assert_eq!(Postcard.encode(&word).unwrap(), b"\x04word\x06");
/// assert_eq!(Postcard.decode::<(String, i32)>(b"\x04word\x06").unwrap(), word);
/// ```
pub trait Codec: Send + Sync + 'static {
    /// Its name, the same in all programs and versions that understand each other.
    fn name(&self) -> &'static str;

    /// Makes bytes of a value.
    ///
    /// # Errors
    ///
    /// If the format has no place for it.
    fn encode<T: Serialize>(&self, value: &T) -> Result<Vec<u8>, CodecError>;

    /// Makes a value of bytes.
    ///
    /// # Errors
    ///
    /// If they are not what [`encode`](Self::encode) makes of a `T`.
    fn decode<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, CodecError>;
}

/// JSON, which other programs read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Codec for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn encode<T: Serialize>(&self, value: &T) -> Result<Vec<u8>, CodecError> {
        serde_json::to_vec(value).map_err(CodecError::new)
    }

    fn decode<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, CodecError> {
        serde_json::from_slice(bytes).map_err(CodecError::new)
    }
}

/// The format of the crate [`postcard`], which is compact. It says nothing of itself: both sides need the same type.
#[derive(Clone, Copy, Debug, Default)]
pub struct Postcard;

impl Codec for Postcard {
    fn name(&self) -> &'static str {
        "postcard"
    }

    fn encode<T: Serialize>(&self, value: &T) -> Result<Vec<u8>, CodecError> {
        postcard::to_stdvec(value).map_err(CodecError::new)
    }

    fn decode<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, CodecError> {
        match postcard::take_from_bytes(bytes) {
            Ok((value, [])) => Ok(value),
            Ok((_, rest)) => Err(CodecError::new(format!("{} bytes too many", rest.len()))),
            Err(error) => Err(CodecError::new(error)),
        }
    }
}

/// What a codec says of a value that it cannot write, or of bytes that are none.
#[derive(Debug)]
pub struct CodecError(Box<dyn StdError + Send + Sync>);

impl CodecError {
    /// Wraps what a format says.
    pub fn new(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for CodecError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod codec;
mod delivery;
mod error;
mod from_stream;
mod names;
mod nats;
mod to_stream;

pub use async_nats::{self, ConnectOptions};

pub use self::codec::{Codec, CodecError, Json, Postcard};
pub use self::delivery::Delivery;
pub use self::error::{AckError, Error};
pub use self::from_stream::{Bridge, Counts, FromStream};
pub use self::nats::{Nats, Queue};
pub use self::to_stream::{Published, ToStream};

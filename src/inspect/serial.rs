//! What has no form of its own in `serde`.

use alloc::sync::Arc;
use core::panic::Location;
use std::time::Instant;

use serde::{Serialize as _, Serializer};

#[expect(clippy::ref_option, reason = "so `serde` calls it")]
pub(super) fn name<S: Serializer>(name: &Option<Arc<str>>, to: S) -> Result<S::Ok, S::Error> {
    name.as_deref().serialize(to)
}

pub(super) fn place<S: Serializer>(at: &Location<'_>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(at)
}

pub(super) fn age<S: Serializer>(since: &Instant, to: S) -> Result<S::Ok, S::Error> {
    let age = since.elapsed().as_millis();
    to.serialize_u64(u64::try_from(age).unwrap_or(u64::MAX))
}

//! The random order in which a select tries its arms: Go's `pollorder`.

/// Puts the numbers into an order of which all are equally likely.
#[cfg(feature = "std")]
pub(super) fn shuffle(order: &mut [u32]) {
    fastrand::shuffle(order);
}

/// Puts the numbers into an order of which all are equally likely.
///
/// Without threads to keep a generator for, each select has one of its own, from the next seed.
#[cfg(not(feature = "std"))]
pub(super) fn shuffle(order: &mut [u32]) {
    use crate::sync::{AtomicU32, Ordering};

    static SEED: AtomicU32 = AtomicU32::new(0);

    let seed = SEED.fetch_add(1, Ordering::Relaxed);
    fastrand::Rng::with_seed(seed.into()).shuffle(order);
}

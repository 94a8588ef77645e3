//! The random order in which a select tries its arms: Go's `pollorder`.

/// Puts the numbers into an order of which all are equally likely.
#[cfg(all(feature = "std", not(any(hchan_loom, hchan_shuttle))))]
pub(super) fn shuffle(order: &mut [u32]) {
    fastrand::shuffle(order);
}

/// Puts the numbers into an order of which all are equally likely.
///
/// Without threads to keep a generator for, each select has one of its own, from the next seed.
#[cfg(all(not(feature = "std"), not(any(hchan_loom, hchan_shuttle))))]
pub(super) fn shuffle(order: &mut [u32]) {
    use crate::sync::{AtomicU32, Ordering};

    static SEED: AtomicU32 = AtomicU32::new(0);

    let seed = SEED.fetch_add(1, Ordering::Relaxed);
    fastrand::Rng::with_seed(seed.into()).shuffle(order);
}

/// Leaves the order as it is: a model checker has to see the same thing happen again.
#[cfg(any(hchan_loom, hchan_shuttle))]
pub(super) fn shuffle(_: &mut [u32]) {}

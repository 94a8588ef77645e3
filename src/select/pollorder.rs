//! The order in which a select tries its arms: Go's `pollorder`.

/// Numbers the arms in the order of the source.
pub(super) fn number(order: &mut [u32]) {
    for (place, index) in order.iter_mut().zip(0..) {
        *place = index;
    }
}

/// The source of random choices: one random number is enough for many.
pub(super) struct Lots {
    /// Random bits, the top ones used first.
    bits: u64,
    /// How many of them are still random.
    random: u32,
}

impl Lots {
    /// At least so many bits are left after each draw, which makes it fair to one part in four billion.
    const LEAST: u32 = 32;

    pub(super) const fn new() -> Self {
        Self { bits: 0, random: 0 }
    }

    /// Draws one of the numbers, each as likely as the others, and moves it to the front.
    ///
    /// Drawn one after the other, all orders are equally likely.
    #[inline]
    pub(super) fn draw(&mut self, left: &mut [u32]) -> u32 {
        if left.len() > 1 {
            left.swap(0, self.below(left.len()));
        }
        left[0]
    }

    /// Shuffles the numbers: all orders are equally likely.
    #[inline]
    pub(super) fn shuffle(&mut self, left: &mut [u32]) {
        for place in 0..left.len() {
            self.draw(&mut left[place..]);
        }
    }

    #[inline]
    fn below(&mut self, end: usize) -> usize {
        let used = usize::BITS - end.leading_zeros();
        if self.random < Self::LEAST + used {
            *self = Self {
                bits: random(),
                random: u64::BITS,
            };
        }
        // The bits are a fraction of one: the digit before the point is drawn, and those behind it stay.
        let wide = u128::from(self.bits) * end as u128;
        self.bits = wide as u64;
        self.random -= used;
        (wide >> u64::BITS) as usize
    }
}

/// A random number.
#[cfg(all(feature = "std", not(any(hchan_loom, hchan_shuttle))))]
fn random() -> u64 {
    fastrand::u64(..)
}

/// A random number.
///
/// Without threads to keep a generator for, each number comes from a generator of its own, with the next seed.
#[cfg(all(not(feature = "std"), not(any(hchan_loom, hchan_shuttle))))]
fn random() -> u64 {
    use crate::sync::{AtomicU32, Ordering};

    static SEED: AtomicU32 = AtomicU32::new(0);

    let seed = SEED.fetch_add(1, Ordering::Relaxed);
    fastrand::Rng::with_seed(seed.into()).u64(..)
}

/// No random number: a model checker must be able to repeat a run.
#[cfg(any(hchan_loom, hchan_shuttle))]
fn random() -> u64 {
    0
}

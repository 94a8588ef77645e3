//! What storage is kept, what is given up, and what order there is.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::{FEW, Ring};

/// The storage of a ring that held so many values, and of which so many are left.
fn kept<const BYTES: usize>(dataqsiz: usize, values: usize, left: usize) -> usize {
    let mut ring = Ring::new();
    (0..values).for_each(|_| ring.push([0_u8; BYTES], dataqsiz));
    while ring.0.len() > left {
        ring.take();
    }
    ring.take();
    ring.0.capacity()
}

#[test]
fn sixteen_kilobytes_are_kept_or_a_few_values() {
    let sixteen = 2048;
    for dataqsiz in [usize::MAX, sixteen, 4 * sixteen] {
        assert_eq!(kept::<8>(dataqsiz, sixteen, 0), sixteen);
        assert_eq!(kept::<8>(dataqsiz, 4, 0), 4);
    }
    assert_eq!(kept::<8>(usize::MAX, sixteen + 1, 0), sixteen);
    assert_eq!(kept::<8>(4 * sixteen, 4 * sixteen, 0), sixteen);
    assert_eq!(kept::<0x1_0000>(usize::MAX, 1, 0), 1);
    assert_eq!(kept::<0x1_0000>(usize::MAX, 40, 0), FEW);
}

#[test]
fn storage_follows_what_is_inside() {
    for left in [1, 5000, 100_000] {
        let kept = kept::<8>(2_000_000, 2_000_000, left);
        assert!(kept <= (4 * left).max(2048), "{kept} for {left}");
    }
}

#[test]
fn many_values_move_in_order() {
    let (mut ring, mut out) = (Ring::new(), Vec::new());
    let mut items = VecDeque::from([1, 2, 3, 4, 5, 6]);
    ring.push_many(4, &mut items, 4);
    assert_eq!((ring.0.len(), ring.0.capacity()), (4, 4));
    assert_eq!(items, [5, 6]);

    assert_eq!(ring.take(), Some(1));
    ring.take_many(2, &mut out);
    assert_eq!(out, [2, 3]);

    ring.push_many(2, &mut items, 4);
    ring.take_many(3, &mut out);
    assert_eq!(out, [2, 3, 4, 5, 6]);
}

//! Places that are used again, and a crowd's storage, which goes with it.

use alloc::vec::Vec;
use core::mem;

use super::{
    FIRST_BYTES, FIRST_PLACES, NIL, Place, SEGMENT_BYTES, Segments, Slab, first_places, places,
};

/// A place for a number, so large that a segment has few.
struct Spot {
    id: u32,
    next: u32,
    _rest: [u32; 62],
}

impl Default for Spot {
    fn default() -> Self {
        Self {
            id: NIL,
            next: NIL,
            _rest: [0; 62],
        }
    }
}

impl Place for Spot {
    fn next(&mut self) -> &mut u32 {
        &mut self.next
    }
}

const FIRST: u32 = Slab::<Spot>::FIRST;
const SEGMENT: u32 = Slab::<Spot>::SEGMENT;
const SPARE: u32 = Segments::<Spot>::SPARE as u32;
const GROUP: u32 = Segments::<Spot>::GROUP;

fn enter(slab: &mut Slab<Spot>, id: u32) -> u32 {
    let (number, spot) = slab.acquire();
    assert_eq!(mem::replace(&mut spot.id, id), NIL);
    number
}

fn leave(slab: &mut Slab<Spot>, number: u32) -> u32 {
    let left = slab.release_if(number, |spot| Ok::<_, ()>(mem::replace(&mut spot.id, NIL)));
    left.expect("emptied")
}

/// A slab, and the numbers of the places that a crowd has taken.
fn crowd(size: u32) -> (Slab<Spot>, Vec<u32>) {
    let mut slab = Slab::new();
    let numbers = (0..size).map(|id| enter(&mut slab, id)).collect();
    (slab, numbers)
}

/// For how many places there is storage beyond the first ones.
fn beyond(slab: &Slab<Spot>) -> u32 {
    let segments = slab.more.iter().flat_map(|more| &more.groups);
    segments
        .flat_map(|group| &group.segments)
        .map(|segment| segment.places.capacity() as u32)
        .sum()
}

/// How many segments are listed, allocated or not.
fn listed(slab: &Slab<Spot>) -> u32 {
    let groups = slab.more.iter().flat_map(|more| &more.groups);
    groups.map(|group| group.segments.len() as u32).sum()
}

/// The ways in which a crowd leaves: those who came first go first, or last, or all are mixed.
fn ways(numbers: &[u32]) -> [Vec<u32>; 3] {
    const STEP: usize = 7919;

    let len = numbers.len();
    assert!(len % STEP != 0);
    let last_first = numbers.iter().rev().copied().collect();
    let mixed = (0..len).map(|at| numbers[at * STEP % len]).collect();
    [numbers.to_vec(), last_first, mixed]
}

#[test]
fn a_place_is_used_again() {
    let mut slab = Slab::new();
    for id in 0..1000 {
        let number = enter(&mut slab, id);
        assert_eq!((number, leave(&mut slab, number)), (0, id));
    }
    assert_eq!((slab.first.len(), beyond(&slab)), (1, 0));

    let (mut slab, numbers) = crowd(FIRST + 3 * SEGMENT);
    let before = (listed(&slab), beyond(&slab));
    for at in (0..FIRST + 3 * SEGMENT).step_by(7) {
        let number = numbers[at as usize];
        assert_eq!(leave(&mut slab, number), at);
        assert_eq!(enter(&mut slab, at), number);
    }
    assert_eq!((listed(&slab), beyond(&slab)), before);
}

#[test]
fn a_number_stands_for_its_place_however_many_come_and_go() {
    let (mut slab, mut inside) = (Slab::new(), Vec::new());
    for id in 0..60 * SEGMENT {
        inside.push((enter(&mut slab, id), id));
        // Two come and one goes, from anywhere.
        if id % 2 == 1 {
            let at = id as usize * 7919 % inside.len();
            let (number, id) = inside.swap_remove(at);
            assert_eq!(leave(&mut slab, number), id);
        }
    }
    assert_eq!(inside.len() as u32, 30 * SEGMENT);
    for &(number, id) in &inside {
        assert_eq!((slab.get(number).id, slab.get_mut(number).id), (id, id));
    }
}

#[test]
fn a_crowds_storage_goes_with_it_whoever_stays() {
    let size = FIRST + 63 * SEGMENT;
    for stays in [0, FIRST, size / 2, size - 1] {
        for way in 0..3 {
            let (mut slab, numbers) = crowd(size);
            assert_eq!(beyond(&slab), size - FIRST);
            let straggler = numbers[stays as usize];
            let leavers = &ways(&numbers)[way];
            for &number in leavers.iter().filter(|number| **number != straggler) {
                assert_eq!(leave(&mut slab, number), number);
            }
            assert_eq!(slab.get(straggler).id, stays);
            // The spare segments, and its own, unless it has one of the first places.
            let own = u32::from(stays >= FIRST);
            assert_eq!(beyond(&slab), (SPARE + own) * SEGMENT);

            // What is listed is used before more is.
            let before = listed(&slab);
            let next: Vec<_> = (0..FIRST + before * SEGMENT - 1)
                .map(|id| enter(&mut slab, id))
                .collect();
            assert_eq!((listed(&slab), beyond(&slab)), (before, before * SEGMENT));
            assert_eq!(slab.get(straggler).id, stays);
            for number in next.into_iter().chain([straggler]) {
                leave(&mut slab, number);
            }
            assert_eq!(beyond(&slab), SPARE * SEGMENT);
        }
    }
}

#[test]
fn the_first_places_and_a_spare_segment_are_kept() {
    for size in [
        1,
        4,
        SEGMENT,
        FIRST,
        FIRST + SPARE * SEGMENT,
        FIRST + 20 * SEGMENT,
    ] {
        let (mut slab, numbers) = crowd(size);
        for number in numbers {
            leave(&mut slab, number);
        }
        let kept = slab.first.capacity() as u32 + beyond(&slab);
        assert_eq!(slab.first.len() as u32, size.min(FIRST));
        assert_eq!(kept, size.min(FIRST + SPARE * SEGMENT));

        // Who comes next needs no more storage.
        for id in 0..kept {
            enter(&mut slab, id);
        }
        assert_eq!(slab.first.capacity() as u32 + beyond(&slab), kept);
    }
    let bytes = |places: u32| size_of::<Spot>() * places as usize;
    assert_eq!(
        (bytes(FIRST), bytes(SPARE * SEGMENT)),
        (FIRST_BYTES, SEGMENT_BYTES)
    );
}

#[test]
fn the_first_places_are_moved_only_while_they_are_few() {
    let mut slab = Slab::new();
    let mut sizes: Vec<_> = (0..FIRST)
        .map(|id| {
            enter(&mut slab, id);
            slab.first.capacity() as u32
        })
        .collect();
    sizes.dedup();
    let powers = (0..).map(|power| 1 << power);
    let few: Vec<_> = powers.take_while(|size| *size <= SEGMENT).collect();
    assert_eq!(sizes, [few, [FIRST].into()].concat());
}

#[test]
fn a_full_segment_stays_open_only_in_front() {
    let (mut slab, numbers) = crowd(FIRST + 9 * SEGMENT);
    let at = |segment: u32| numbers[(FIRST + segment * SEGMENT) as usize];
    // One place of each is freed, and used again.
    for segment in 0..9 {
        leave(&mut slab, at(segment));
        assert_eq!(enter(&mut slab, 0), at(segment));
    }
    let more = slab.more.as_ref().unwrap();
    let mut open = Vec::new();
    let mut at = more.open;
    while at != NIL {
        let segment = &more.groups[0].segments[at as usize];
        assert!(segment.is_open);
        open.push((at, segment.taken));
        at = segment.next;
    }
    assert_eq!(open, [(8, SEGMENT)]);
}

#[test]
fn a_group_goes_with_its_last_segment() {
    for way in 0..3 {
        let (mut slab, numbers) = crowd(FIRST + (2 * GROUP + 9) * SEGMENT);
        assert_eq!(listed(&slab), 2 * GROUP + 9);
        // One stays in the middle group.
        let stays = FIRST + (GROUP + 4) * SEGMENT;
        let straggler = numbers[stays as usize];
        let leavers = &ways(&numbers)[way];
        for &number in leavers.iter().filter(|number| **number != straggler) {
            leave(&mut slab, number);
        }
        let groups = slab.more.as_ref().map(|more| &more.groups);
        let held = groups.into_iter().flatten().filter(|group| group.live > 0);
        assert!(held.count() as u32 <= 1 + SPARE);
        assert!(listed(&slab) <= (1 + SPARE) * GROUP);
        assert_eq!(beyond(&slab), (1 + SPARE) * SEGMENT);
        assert_eq!(leave(&mut slab, straggler), stays);
    }
}

#[test]
fn a_place_may_be_larger_than_a_segment() {
    struct Large([u8; 40_000], u32);

    impl Default for Large {
        fn default() -> Self {
            Self([0; 40_000], NIL)
        }
    }

    impl Place for Large {
        fn next(&mut self) -> &mut u32 {
            &mut self.1
        }
    }

    assert_eq!(
        (
            Slab::<Large>::FIRST,
            Slab::<Large>::SEGMENT,
            Segments::<Large>::SPARE
        ),
        (2, 1, 0)
    );
    let mut slab = Slab::<Large>::new();
    let numbers: [u32; 12] = core::array::from_fn(|byte| {
        let (number, place) = slab.acquire();
        place.0[0] = byte as u8;
        number
    });
    for (byte, &number) in numbers.iter().enumerate() {
        assert_eq!(slab.get(number).0[0], byte as u8);
    }
    for number in numbers {
        let _free = slab.release_if(number, |_| Ok::<_, ()>(()));
    }
    let groups = slab.more.map(|more| more.groups).unwrap_or_default();
    assert!(groups.iter().all(|group| group.segments.is_empty()));
}

#[test]
#[should_panic(expected = "a number is used between acquire and release")]
fn a_number_that_nobody_got_has_no_place() {
    let (slab, _) = crowd(1);
    slab.get(1);
}

#[test]
fn as_many_places_as_fit_are_a_power_of_two_and_the_first_are_not_too_many() {
    const BYTES: usize = 16 * 1024;

    for size in [1, 3, 16, 48, 63, 64, 4095, 4096, 4097, BYTES] {
        let many = places(BYTES, size);
        assert!(many.is_power_of_two());
        assert!(many as usize * size <= BYTES && 2 * many as usize * size > BYTES);
        assert_eq!(first_places(BYTES, size), many.min(FIRST_PLACES));
    }
    assert_eq!(
        (places(BYTES, BYTES + 1), places(BYTES, 0)),
        (1, FIRST_PLACES)
    );
    assert_eq!(
        (first_places(BYTES, BYTES + 1), first_places(BYTES, 0)),
        (1, FIRST_PLACES)
    );
}

//! What is measured: each cell is a shape, a capacity, a kind of value and a runtime.

use crate::rival::Capacity;
use crate::runtime::Runtime;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Each sender sends its share, and the receivers take what they get.
    Fan { senders: usize, receivers: usize },
    /// There and back again.
    PingPong,
    /// A send and a receive that never wait.
    Ready,
    /// A receive that parks, a send that serves it, and the poll that learns of it.
    ParkedRecv,
    /// A send that parks, a receive that admits it, and the poll that learns of it.
    ParkedSend,
    /// A select over two receivers, of which one has a value.
    SelectReady,
    /// A select over two receivers that parks, and a send that serves it.
    SelectParked,
    /// There, on one of two channels in turn, and back again on a third.
    SelectPing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Word,
    Bytes256,
    Boxed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub shape: Shape,
    pub runtime: Runtime,
    pub capacity: Capacity,
    pub kind: Kind,
    /// How many values are sent, and received, in one call.
    pub batch: usize,
}

pub const fn fan(senders: usize, receivers: usize) -> Shape {
    Shape::Fan { senders, receivers }
}

impl Shape {
    pub fn name(self) -> String {
        match self {
            Self::Fan { senders, receivers } => format!("{senders}→{receivers}"),
            Self::PingPong => "ping-pong".into(),
            Self::Ready => "ready pair".into(),
            Self::ParkedRecv => "parked recv".into(),
            Self::ParkedSend => "parked send".into(),
            Self::SelectReady => "ready".into(),
            Self::SelectParked => "parked".into(),
            Self::SelectPing => "ping".into(),
        }
    }

    /// What it is, for those who see it for the first time.
    pub fn in_words(self) -> String {
        let some = |n, who| match n {
            1 => format!("1 {who}"),
            n => format!("{n} {who}s"),
        };
        match self {
            Self::Fan { senders, receivers } => {
                format!(
                    "{}, {}",
                    some(senders, "sender"),
                    some(receivers, "receiver")
                )
            }
            Self::PingPong => "there and back".into(),
            Self::Ready => "neither waits".into(),
            Self::ParkedRecv => "the receive waits".into(),
            Self::ParkedSend => "the send waits".into(),
            Self::SelectReady => "a select, ready".into(),
            Self::SelectParked => "a select that waits".into(),
            Self::SelectPing => "selects, there and back".into(),
        }
    }
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Word => "u64",
            Self::Bytes256 => "256 bytes",
            Self::Boxed => "boxed",
        }
    }
}

impl Cell {
    const fn new(shape: Shape, runtime: Runtime, capacity: Capacity, kind: Kind) -> Self {
        Self {
            shape,
            runtime,
            capacity,
            kind,
            batch: 1,
        }
    }

    pub fn capacity_name(&self) -> String {
        self.capacity
            .map_or_else(|| "∞".into(), |capacity| capacity.to_string())
    }

    pub fn name(&self) -> String {
        let mut name = format!(
            "{}, {}, cap {}, {}",
            self.shape.name(),
            self.runtime.name(),
            self.capacity_name(),
            self.kind.name(),
        );
        if self.batch > 1 {
            name += &format!(", by {}", self.batch);
        }
        name
    }

    /// What a channel without limit would otherwise make of memory.
    pub fn most_messages(&self) -> u64 {
        match (self.capacity, self.kind) {
            (Some(_), _) => 10_000_000,
            (None, Kind::Bytes256) => 20_000,
            (None, _) => 100_000,
        }
    }
}

const CAPACITIES: [Capacity; 5] = [Some(0), Some(1), Some(16), Some(128), None];
const KINDS: [Kind; 3] = [Kind::Word, Kind::Bytes256, Kind::Boxed];
const TOKIO: [Runtime; 2] = [Runtime::Tokio2, Runtime::Tokio1];
const RUNTIMES: [Runtime; 4] = [
    Runtime::Tokio2,
    Runtime::Tokio1,
    Runtime::Smol2,
    Runtime::Threads,
];

/// The cells for channels.
pub fn channels() -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut add = |shape, runtimes: &[Runtime], capacities: &[Capacity], kinds: &[Kind]| {
        for &kind in kinds {
            for &runtime in runtimes {
                for &capacity in capacities {
                    cells.push(Cell::new(shape, runtime, capacity, kind));
                }
            }
        }
    };
    let word = &KINDS[..1];
    for shape in [fan(1, 1), fan(4, 1), fan(1, 4), fan(4, 4)] {
        add(shape, &RUNTIMES, &CAPACITIES, word);
    }
    add(Shape::PingPong, &RUNTIMES, &[Some(0), Some(1), None], word);
    add(fan(2000, 1), &TOKIO, &[Some(0), Some(1), Some(128)], word);
    let bare = &[Runtime::Bare];
    add(Shape::Ready, bare, &[Some(1), Some(128), None], &KINDS);
    add(Shape::ParkedRecv, bare, &[Some(0), Some(1), None], &KINDS);
    add(Shape::ParkedSend, bare, &[Some(0), Some(1)], &KINDS);
    for shape in [fan(1, 1), fan(4, 4)] {
        add(shape, &TOKIO, &CAPACITIES, &KINDS[1..]);
    }
    for shape in [fan(1, 1), fan(4, 4)] {
        for runtime in TOKIO {
            for batch in [1, 16, 256] {
                let one = Cell::new(shape, runtime, Some(256), Kind::Word);
                cells.push(Cell { batch, ..one });
            }
        }
    }
    let shapes = shapes(&cells);
    cells.sort_by_key(|cell| shapes.iter().position(|&shape| shape == cell.shape));
    cells
}

/// The cells for selects.
pub fn selects() -> Vec<Cell> {
    let cell = |shape, runtime, capacity| Cell::new(shape, runtime, Some(capacity), Kind::Word);
    vec![
        cell(Shape::SelectReady, Runtime::Bare, 1024),
        cell(Shape::SelectParked, Runtime::Bare, 1),
        cell(Shape::SelectPing, Runtime::Tokio1, 1),
        cell(Shape::SelectPing, Runtime::Tokio2, 1),
    ]
}

/// The shapes of the cells, each once, in order.
pub fn shapes(cells: &[Cell]) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for cell in cells {
        if !shapes.contains(&cell.shape) {
            shapes.push(cell.shape);
        }
    }
    shapes
}

/// The runtimes of the cells, each once.
pub fn runtimes(cells: &[Cell]) -> Vec<Runtime> {
    let mut runtimes: Vec<_> = cells.iter().map(|cell| cell.runtime).collect();
    runtimes.sort_unstable();
    runtimes.dedup();
    runtimes
}

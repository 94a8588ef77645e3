//! Time: the wall's, or that which the thread spent on a processor.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::runtime::Runtime;

/// Whether to leave out what other programs do to runs on one thread.
pub static BY_PROCESSOR: AtomicBool = AtomicBool::new(false);

pub struct Clock {
    id: ClockId,
    start: Duration,
}

impl Clock {
    pub fn start(runtime: Runtime) -> Self {
        let id = match runtime {
            Runtime::Tokio1 | Runtime::Bare if BY_PROCESSOR.load(Relaxed) => ClockId::ThreadCPUTime,
            _ => ClockId::Monotonic,
        };
        let start = read(id);
        Self { id, start }
    }

    pub fn nanos(&self) -> f64 {
        (read(self.id) - self.start).as_nanos() as f64
    }
}

fn read(id: ClockId) -> Duration {
    clock_gettime(id).try_into().unwrap()
}

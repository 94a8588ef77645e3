//! Who takes part.

use crate::cell::{self, Shape};
use crate::contest::{Contest, Entry, add};
use crate::scaling::Measure;
use crate::{blocking, rivals, select};

/// Entries that nobody has to beat in Rust.
const ASIDE: &[&str] = &["Go", "plain recv", "locked queue"];

/// All that can be compared, with Go's entry for each.
pub fn contests(go: impl Fn() -> Option<Entry>) -> Vec<Contest> {
    let mut contests = vec![
        Contest::new("channels", channels(), ASIDE, cell::channels()),
        Contest::new("selects", select::entries(), ASIDE, cell::selects()),
    ];
    for contest in &mut contests {
        contest.entries.extend(go());
    }
    contests
}

/// All channels, ours first.
pub fn channels() -> Vec<Entry> {
    let mut entries = Vec::new();
    macro_rules! add {
        ($module:ident, threads: $threads:literal; $($rival:ident),* $(,)?) => {
            $(add::<$module::$rival>(&mut entries, $threads);)*
        };
    }
    add!(rivals, threads: false;
        Hchan,
        Kanal,
        CrossfireMpsc,
        CrossfireMpscList,
        CrossfireMpmc,
        CrossfireMpmcList,
        Flume,
        Tokio,
        TokioUnbounded,
        AsyncChannel,
        Futures,
        FuturesUnbounded,
        Tachyonix,
        Thingbuf,
        Loole,
        PostageMpsc,
        PostageDispatch,
    );
    add!(blocking, threads: true;
        Hchan,
        Kanal,
        CrossfireMpsc,
        CrossfireMpscList,
        CrossfireMpmc,
        CrossfireMpmcList,
        Flume,
        Tokio,
        TokioUnbounded,
        AsyncChannel,
        Thingbuf,
        Loole,
    );
    entries.push(floor());
    entries
}

/// A queue behind a lock, and nothing else: what a channel with a lock cannot undercut where nobody
/// waits.
fn floor() -> Entry {
    let mut entries = Vec::new();
    add::<rivals::LockedQueue>(&mut entries, false);
    entries.remove(0).only(Shape::Ready)
}

/// All that have a capacity, for the scaling.
pub fn scaling() -> Vec<Measure> {
    vec![
        Measure::of::<rivals::Hchan>(),
        Measure::of::<rivals::Kanal>(),
        Measure::of::<rivals::CrossfireMpsc>(),
        Measure::of::<rivals::CrossfireMpmc>(),
        Measure::of::<rivals::Flume>(),
        Measure::of::<rivals::Tokio>(),
        Measure::of::<rivals::AsyncChannel>(),
        Measure::of::<rivals::Futures>(),
        Measure::of::<rivals::Tachyonix>(),
        Measure::of::<rivals::Thingbuf>(),
        Measure::of::<rivals::Loole>(),
        Measure::of::<rivals::PostageMpsc>(),
        Measure::of::<rivals::PostageDispatch>(),
    ]
}

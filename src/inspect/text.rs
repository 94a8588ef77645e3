//! The dump.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Display, Formatter};
use core::time::Duration;
use std::time::Instant;

use super::record::{Look, Record};
use super::{Channel, Handle, MOST, Oldest, Operation, Origin, Wait};
use crate::watch::cut;

/// Names of types and files are cut to so many bytes.
const NAME_BYTES: usize = 256;

/// The channels that are shown, and how many there are.
pub(super) struct Dump {
    /// Those with the oldest waits, and then the oldest without any, at most [`MOST`] of both.
    shown: Vec<((bool, Option<Instant>), Channel)>,
    channels: usize,
    waits: usize,
}

impl Dump {
    pub(super) const fn new() -> Self {
        Self {
            shown: Vec::new(),
            channels: 0,
            waits: 0,
        }
    }

    /// Adds a channel. They come in the order in which they were made.
    pub(super) fn add(&mut self, record: &Record, look: &Look) {
        self.channels += 1;
        self.waits += look.waits.len();
        let oldest = look.waits.iter().map(|waiting| waiting.visit.since).min();
        let rank = (oldest.is_none(), oldest);
        let place = self.shown.partition_point(|(other, _)| *other <= rank);
        if place < MOST {
            self.shown.truncate(MOST - 1);
            self.shown.insert(place, (rank, Channel::new(record, look)));
        }
    }

    pub(super) fn render(self, now: Instant) -> String {
        let mut out = Vec::from([format!(
            "{}, {} {}\n",
            Many(self.channels, "channel"),
            Many(self.waits, "operation"),
            if self.waits == 1 { "waits" } else { "wait" },
        )]);
        let shown = self.shown.iter();
        out.extend(shown.map(|(_, channel)| format!("\n{}", Shown { channel, now })));
        let more = self.channels - self.shown.len();
        if more > 0 {
            out.push(format!("\n{} more\n", Many(more, "channel")));
        }
        out.concat()
    }
}

/// A channel, as the dump shows it.
struct Shown<'a> {
    channel: &'a Channel,
    now: Instant,
}

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let channel = self.channel;
        write!(f, "channel {}", channel.number)?;
        if let Some(name) = &channel.name {
            write!(f, " {name:?}")?;
        }
        write!(f, " of {}", Name(channel.type_name))?;
        match channel.snapshot.dataqsiz {
            _ if channel.never => write!(f, ", never")?,
            Some(capacity) => write!(f, ", capacity {capacity}")?,
            None => write!(f, ", unbounded")?,
        }
        writeln!(f, ", made at {}", Place(channel.made_at))?;
        self.counts(f)?;
        for waits in [&channel.receives, &channel.sends, &channel.closes] {
            self.waits(f, waits, "")?;
        }
        self.waits(f, &channel.woken, ", woken and not polled since")?;
        let open = if channel.snapshot.closed {
            "closed"
        } else {
            "still open"
        };
        write!(f, "    {open}: ")?;
        handles(f, &channel.senders, "sender")?;
        write!(f, "    ")?;
        handles(f, &channel.receivers, "receiver")
    }
}

impl Shown<'_> {
    fn counts(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let seen = &self.channel.snapshot;
        let (inside, peak, sent, received) = (seen.qcount, seen.peak, seen.sent, seen.received);
        write!(
            f,
            "    {inside} inside, {peak} at most, {sent} sent, {received} received"
        )?;
        if seen.permits > 0 {
            write!(f, ", {}", Many(seen.permits, "permit"))?;
        }
        if seen.unclaimed > 0 {
            let unclaimed = seen.unclaimed;
            write!(f, ", {unclaimed} handed to a receive that has not looked")?;
        }
        writeln!(f)
    }

    fn waits(&self, f: &mut Formatter<'_>, waits: &Oldest<Wait>, state: &str) -> fmt::Result {
        for wait in &waits.first {
            write!(f, "    {}", wait.operation.name())?;
            if wait.select {
                write!(f, " in a select")?;
            }
            if wait.blocking {
                write!(f, " on a thread")?;
            }
            let age = Age(self.now.saturating_duration_since(wait.since));
            writeln!(f, ", {age}{state}, at {}", Place(wait.at))?;
        }
        let more = waits.count - waits.first.len();
        if more > 0 {
            writeln!(f, "    and {more} more{state}")?;
        }
        Ok(())
    }
}

fn handles(f: &mut Formatter<'_>, handles: &Oldest<Handle>, name: &str) -> fmt::Result {
    write!(f, "{}", Many(handles.count, name))?;
    for (number, handle) in handles.first.iter().enumerate() {
        let mark = if number == 0 { ':' } else { ',' };
        let origin = match handle.origin {
            Origin::Made => "made",
            Origin::Cloned => "cloned",
            Origin::Upgraded => "upgraded",
        };
        write!(f, "{mark} {origin} at {}", Place(handle.at))?;
    }
    let more = handles.count - handles.first.len();
    if more > 0 {
        write!(f, ", and {more} more")?;
    }
    writeln!(f)
}

impl Operation {
    const fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Recv => "recv",
            Self::Reserve => "reserve",
            Self::Closed => "closed",
        }
    }
}

/// So many of a thing.
struct Many<'a>(usize, &'a str);

impl Display for Many<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plural = if self.0 == 1 { "" } else { "s" };
        write!(f, "{} {}{plural}", self.0, self.1)
    }
}

/// A name that a program has made: cut, and on one line.
struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let shown = cut(self.0, NAME_BYTES);
        for part in shown.split_inclusive(|c: char| c.is_control() || is_line_end(c)) {
            let end = part.chars().next_back();
            match end.filter(|&c| c.is_control() || is_line_end(c)) {
                Some(c) => write!(
                    f,
                    "{}{}",
                    &part[..part.len() - c.len_utf8()],
                    c.escape_unicode()
                )?,
                None => f.write_str(part)?,
            }
        }
        f.write_str(if shown.len() < self.0.len() {
            "…"
        } else {
            ""
        })
    }
}

/// Characters that end a line, or change the direction of what follows, and are not control characters.
const fn is_line_end(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

struct Place(&'static core::panic::Location<'static>);

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(at) = self;
        write!(f, "{}:{}:{}", Name(at.file()), at.line(), at.column())
    }
}

/// How long ago, in the largest unit of which there are at least two.
struct Age(Duration);

impl Display for Age {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            0 => write!(f, "{} ms", self.0.as_millis()),
            s @ 1..120 => write!(f, "{s} s"),
            s @ 120..7200 => write!(f, "{} min", s / 60),
            s @ 7200..172_800 => write!(f, "{} h", s / 3600),
            s => write!(f, "{} days", s / 86400),
        }
    }
}

//! Draws the pictures of the docs from channels that are in the states they show.
//!
//! Without an argument it checks that `src/docs/pictures.md` is what it draws; `--write` writes that file.

use std::env;
use std::fmt::Write;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::process::ExitCode;
use std::task::{Context, Waker};

use hchan::Snapshot;

/// The text around the pictures, in which a line `{name}` stands for one.
const TEXT: &str = include_str!("pictures.txt");

/// Width and height of a slot.
const SLOT: usize = 44;

fn text(svg: &mut String, (x, y): (usize, usize), anchor: &str, words: &str) {
    let at = format!(r#"x="{x}" y="{y}" text-anchor="{anchor}" stroke="none" fill="currentColor""#);
    writeln!(svg, "<text {at}>{words}</text>").unwrap();
}

fn line(svg: &mut String, (x1, y1): (usize, usize), (x2, y2): (usize, usize), more: &str) {
    let ends = format!(r#"x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}""#);
    writeln!(svg, "<line {ends} {more}></line>").unwrap();
}

/// A line with a head, from left to right or from right to left.
fn arrow(svg: &mut String, from: (usize, usize), to: (usize, usize)) {
    line(svg, from, to, "");
    let back = if from.0 < to.0 { to.0 - 6 } else { to.0 + 6 };
    line(svg, (back, to.1 - 4), to, "");
    line(svg, (back, to.1 + 4), to, "");
}

/// Wraps what is drawn, for light and dark pages and for narrow ones. No empty line may be inside, since it would
/// end the HTML in a Markdown text.
fn picture(title: &str, (left, width, height): (usize, usize, usize), drawn: &str) -> String {
    format!(
        r#"<div><svg viewBox="{left} 0 {width} {height}" role="img" aria-label="{title}" style="width:100%;max-width:{}px" fill="none" stroke="currentColor" font-size="12" font-family="inherit">
{drawn}</svg></div>
"#,
        width * 4 / 3
    )
}

/// The parked operations of a line, the first of them next to the ring.
fn queue(svg: &mut String, name: &str, names: &[&str], edge: usize, to_left: bool) {
    let middle = if to_left { edge - 50 } else { edge + 50 };
    text(svg, (middle, 20), "middle", name);
    for (place, parked) in names.iter().enumerate() {
        let away = 24 + 44 * place;
        let x = if to_left { edge - away } else { edge + away };
        writeln!(svg, r#"<circle cx="{x}" cy="57" r="18"></circle>"#).unwrap();
        text(svg, (x, 61), "middle", parked);
    }
    if names.is_empty() {
        text(svg, (middle, 61), "middle", "empty");
    }
}

/// A channel: its ring in the middle, with these values inside, and those who wait at either side.
fn channel(
    title: &str,
    seen: &Snapshot,
    values: &[&str],
    sendq: &[&str],
    recvq: &[&str],
) -> String {
    assert_eq!(
        (seen.qcount, seen.sendq, seen.recvq),
        (values.len(), sendq.len(), recvq.len())
    );
    let slots = seen.dataqsiz.expect("a limit");
    let mut svg = String::new();
    let left = 210 - slots * SLOT / 2;
    queue(&mut svg, "sendq", sendq, left.min(180), true);
    queue(
        &mut svg,
        "recvq",
        recvq,
        (left + slots * SLOT).max(240),
        false,
    );
    if slots == 0 {
        text(&mut svg, (210, 20), "middle", "no slot");
        line(&mut svg, (210, 35), (210, 79), r#"stroke-dasharray="3 3""#);
    } else {
        text(
            &mut svg,
            (210, 20),
            "middle",
            &format!("qcount {}", seen.qcount),
        );
    }
    for slot in 0..slots {
        let x = left + slot * SLOT;
        let value = values.get((slot + slots - seen.recvx % slots) % slots);
        let opacity = if value.is_some() { 0.15 } else { 0.0 };
        let at = format!(r#"x="{x}" y="35" width="{SLOT}" height="{SLOT}""#);
        writeln!(
            svg,
            r#"<rect {at} fill="currentColor" fill-opacity="{opacity}"></rect>"#
        )
        .unwrap();
        if let Some(value) = value {
            text(&mut svg, (x + SLOT / 2, 61), "middle", value);
        }
        for (field, at, y) in [("recvx", seen.recvx, 96), ("sendx", seen.sendx, 111)] {
            if at == slot {
                text(&mut svg, (x + SLOT / 2, y), "middle", &format!("{field} ↑"));
            }
        }
    }
    let height = if slots == 0 { 90 } else { 118 };
    picture(title, (60, 300, height), &svg)
}

/// Who does what to whom, from top to bottom.
fn sequence(title: &str, actors: [&str; 3], steps: &[(usize, usize, &str)]) -> String {
    let mut svg = String::new();
    let at = |actor: usize| 70 + 140 * actor;
    let bottom = 45 + 32 * steps.len();
    for (actor, name) in actors.into_iter().enumerate() {
        text(&mut svg, (at(actor), 14), "middle", name);
        line(
            &mut svg,
            (at(actor), 22),
            (at(actor), bottom),
            r#"stroke-opacity="0.4""#,
        );
    }
    for (step, &(from, to, words)) in steps.iter().enumerate() {
        let y = 54 + 32 * step;
        text(&mut svg, ((at(from) + at(to)) / 2, y - 5), "middle", words);
        arrow(&mut svg, (at(from), y), (at(to), y));
    }
    picture(title, (0, 420, bottom + 5), &svg)
}

fn park(future: &mut (impl Future + Unpin)) {
    let polled = Pin::new(future).poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
}

fn draw(name: &str) -> String {
    let (tx, rx) = hchan::bounded(3);
    let (to_meet, meet) = hchan::bounded(0);
    let fill = || (1..=3).for_each(|n| tx.try_send(n).expect("there is room"));
    match name {
        "empty" => channel("an empty ring", &rx.snapshot(), &[], &[], &[]),
        "full" => {
            fill();
            channel("a full ring", &rx.snapshot(), &["1", "2", "3"], &[], &[])
        }
        "fourth" => {
            fill();
            let mut fourth = tx.send(4);
            park(&mut fourth);
            channel(
                "a parked send",
                &rx.snapshot(),
                &["1", "2", "3"],
                &["4"],
                &[],
            )
        }
        "admitted" => {
            fill();
            let mut fourth = tx.send(4);
            park(&mut fourth);
            assert_eq!(rx.try_recv(), Ok(1));
            channel(
                "the send is admitted",
                &rx.snapshot(),
                &["2", "3", "4"],
                &[],
                &[],
            )
        }
        "sender-waits" => {
            let mut send = to_meet.send(1);
            park(&mut send);
            channel(
                "a send waits for a receive",
                &meet.snapshot(),
                &[],
                &["1"],
                &[],
            )
        }
        "receiver-waits" => {
            let mut recv = meet.recv();
            park(&mut recv);
            channel(
                "a receive waits for a send",
                &meet.snapshot(),
                &[],
                &[],
                &["R"],
            )
        }
        "parked-receive" => {
            let mut recv = rx.recv();
            park(&mut recv);
            channel("a receive waits", &rx.snapshot(), &[], &[], &["R"])
        }
        "handed" => {
            let mut recv = rx.recv();
            park(&mut recv);
            tx.try_send(1).expect("a receive waits");
            tx.try_send(2).expect("there is room");
            channel(
                "the receive was handed its value",
                &rx.snapshot(),
                &["2"],
                &[],
                &[],
            )
        }
        "put-back" => {
            let mut recv = rx.recv();
            park(&mut recv);
            tx.try_send(1).expect("a receive waits");
            tx.try_send(2).expect("there is room");
            drop(recv);
            let drawn = channel(
                "the value is back in its place",
                &rx.snapshot(),
                &["1", "2"],
                &[],
                &[],
            );
            assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(1), Ok(2)));
            drawn
        }
        "sequence-handoff" => sequence(
            "a hand-off",
            ["receiver", "channel", "sender"],
            &[
                (0, 1, "recv: parks in recvq"),
                (2, 1, "send: completes it"),
                (1, 2, "sent"),
                (1, 0, "one wake"),
                (1, 0, "poll: the value"),
            ],
        ),
        "sequence-put-back" => sequence(
            "a hand-off that is put back",
            ["receiver", "channel", "next receiver"],
            &[
                (0, 1, "recv: parks in recvq"),
                (1, 0, "handoff, one wake"),
                (0, 1, "dropped: puts it back"),
                (1, 2, "handoff, one wake"),
            ],
        ),
        _ => panic!("no picture {name}"),
    }
}

fn main() -> ExitCode {
    let mut drawn = String::new();
    for line in TEXT.lines() {
        match line
            .strip_prefix('{')
            .and_then(|line| line.strip_suffix('}'))
        {
            Some(name) => drawn += &draw(name),
            None => writeln!(drawn, "{line}").unwrap(),
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/docs/pictures.md");
    if env::args().any(|arg| arg == "--write") {
        fs::write(&path, drawn).expect("the file can be written");
    } else if fs::read_to_string(&path).expect("the file is there") != drawn {
        eprintln!("{} is not what is drawn: --write writes it", path.display());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

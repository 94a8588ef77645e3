//! What README and COMPARE say of speed: a part of each, between two comments, is written from the results.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use crate::cell::{Cell, Kind, fan, runtimes, shapes};
use crate::chart;
use crate::contest::{Contest, Measured};
use crate::machine::Profile;
use crate::report::{Results, dash, line, short};
use crate::runtime::Runtime;
use crate::shapes::FOUND;
use crate::standing::{Standing, geometric_mean};

const BEGIN: &str =
    "<!-- figures: `cargo run --release --bin report` in benches/compare writes them -->";
const END: &str = "<!-- end of figures -->";

/// The results of one build.
pub struct Build {
    pub profile: Profile,
    pub results: Results,
}

impl Build {
    fn contest(&self, title: &str) -> Option<&Contest> {
        let mut contests = self.results.contests.iter();
        contests.find(|contest| contest.title == title)
    }

    /// How it stands with the channels, and in which contest.
    fn channels(&self) -> Option<(&Contest, Standing)> {
        let contest = self.contest("channels")?;
        Some((contest, Standing::of(contest, 0)))
    }

    fn fact(&self, what: &str) -> &str {
        let fact = self.results.machine.iter().find(|fact| fact.0 == what);
        fact.map_or("unknown", |(_, value)| value)
    }

    /// What it was measured on, for a picture.
    pub fn about(&self) -> String {
        format!(
            "Geometric mean over runtimes, capacities and kinds of values, for those who can do half of them. \
             {}, commit {}, {}.",
            self.fact("processor"),
            self.fact("hchan"),
            self.profile.name()
        )
    }
}

/// Draws the channels for wide pages and for narrow ones.
pub fn draw(build: &Build, folder: &Path) -> io::Result<()> {
    if let Some(contest) = build.contest("channels") {
        let about = build.about();
        for (name, layout) in [
            ("channels", chart::WIDE),
            ("channels-narrow", chart::NARROW),
        ] {
            let drawn = chart::draw(contest, layout, &about);
            fs::write(folder.join(format!("{name}.svg")), drawn)?;
        }
    }
    Ok(())
}

/// Replaces what stands between the comments of a page.
pub fn renew(page: &Path, figures: &str) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(page)?;
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = parts.ok_or_else(|| format!("{page:?} has no place for figures"))?;
    let figures = figures.trim();
    fs::write(
        page,
        format!("{before}{BEGIN}\n\n{figures}\n\n{END}{after}"),
    )?;
    Ok(())
}

/// For README: the picture of the worse build, the figures of both, and where hchan is behind.
pub fn readme(builds: &[Build]) -> String {
    let Some(worse) = worse(builds) else {
        return String::new();
    };
    let results = match worse.profile {
        Profile::Release => "benches/compare/results",
        Profile::Lto => "benches/compare/results/lto",
    };
    let mut out = format!(
        "<picture>\n<source media=\"(max-width: 600px)\" srcset=\"{results}/channels-narrow.svg\">\n\
         <img alt=\"time for a message: hchan, Go and the three best others, for each shape\" \
         src=\"{results}/channels.svg\">\n</picture>\n\n"
    );
    overall(
        &mut out,
        builds,
        &[
            "kanal",
            "Go",
            "crossfire mpmc",
            "flume",
            "tokio",
            "async-channel",
        ],
    );
    if let Some((contest, standing)) = worse.channels() {
        let mut text = format!(
            "Each figure is the time of others over hchan's, as geometric mean over the cells that both can do: above 1 \
             hchan is faster. The first is against the best of all others in each of {} cells.",
            standing.leads.len()
        );
        if builds.len() > 1 {
            let build = worse.profile.name();
            let _ = write!(
                text,
                " The picture, and what follows, is of the build {build}."
            );
        }
        furthest_behind(&mut text, contest, &standing);
        let lines = chart::wrap(&text, 118);
        let _ = write!(out, "\n{}\n", lines.join("\n"));
        behind(&mut out, contest, &standing);
    }
    out
}

/// The build in which hchan stands worse.
fn worse(builds: &[Build]) -> Option<&Build> {
    let mean = |build: &Build| {
        build
            .channels()
            .map_or(f64::NAN, |(_, standing)| standing.mean())
    };
    builds.iter().min_by(|a, b| mean(a).total_cmp(&mean(b)))
}

/// In which shapes hchan is behind.
fn behind(out: &mut String, contest: &Contest, standing: &Standing) {
    let mut shapes: Vec<_> = shapes(&contest.cells)
        .into_iter()
        .filter_map(|shape| Some((shape, standing.of_shape(contest, shape, None)?)))
        .filter(|&(_, mean)| mean < 0.995)
        .collect();
    shapes.sort_by(|a, b| a.1.total_cmp(&b.1));
    if shapes.is_empty() {
        return;
    }
    out.push_str("\n| hchan is behind in | best other |\n|--|--:|\n");
    for (shape, mean) in shapes {
        line(out, [shape.in_words().to_owned(), two(Some(mean))]);
    }
}

/// In which cell hchan is behind most.
fn furthest_behind(out: &mut String, contest: &Contest, standing: &Standing) {
    if let Some((cell, lead)) = standing.worst().filter(|worst| worst.1 < 1.0) {
        let other = contest
            .best_other(cell, 0)
            .map_or("", |(other, _)| contest.entries[other].name);
        let cell = contest.cells[cell].name();
        let _ = write!(
            out,
            " It is furthest behind in {cell}: {other} takes {lead:.2} of its time."
        );
    }
}

/// For COMPARE: both builds in short.
pub fn compare(builds: &[Build]) -> String {
    let mut out = String::new();
    for build in builds {
        let _ = writeln!(
            out,
            "- {}: commit {}, {}, {}, Go {}",
            build.profile.name(),
            build.fact("hchan"),
            build.fact("processor"),
            build
                .fact("compiler")
                .split(" (")
                .next()
                .unwrap_or_default(),
            build
                .fact("Go")
                .split_whitespace()
                .nth(2)
                .unwrap_or("left out"),
        );
    }
    out.push_str(
        "\nThe times of others over hchan's, as geometric mean over the cells that both can do. The first is against the \
         best of all others in each cell; above 1 hchan is ahead.\n\n",
    );
    overall(&mut out, builds, &[]);
    out.push_str("\nThe same first figure for each shape and runtime");
    by_shape(&mut out, builds);
    selects(&mut out, builds);
    tails(&mut out, builds);
    cancelling(&mut out, builds);
    out
}

/// A row for each build: the best of the others, and each of `names`, or each that does two fifths of the cells.
fn overall(out: &mut String, builds: &[Build], names: &[&str]) {
    let Some((first, _)) = builds.first().and_then(Build::channels) else {
        return;
    };
    let mut shown: Vec<_> = (1..first.entries.len())
        .map(|entry| {
            let ratios: Vec<_> = first.against_ours(entry).map(|(_, ratio)| ratio).collect();
            (entry, ratios.len(), geometric_mean(ratios.into_iter()))
        })
        .filter(|&(entry, cells, _)| match names {
            [] => cells * 5 >= first.cells.len() * 2,
            names => names.contains(&first.entries[entry].name),
        })
        .collect();
    shown.sort_by(|a, b| a.2.total_cmp(&b.2));
    let names = shown.iter().map(|&(entry, ..)| first.entries[entry].name);
    line(
        out,
        ["", "best other"].into_iter().chain(names).map(Into::into),
    );
    let _ = writeln!(out, "|--|{}", "--:|".repeat(shown.len() + 1));
    for build in builds {
        let Some((contest, standing)) = build.channels() else {
            continue;
        };
        let mut row = vec![build.profile.name().to_owned(), two(Some(standing.mean()))];
        for &(entry, ..) in &shown {
            let name = first.entries[entry].name;
            let entry = contest.entries.iter().position(|entry| entry.name == name);
            let ratios = entry
                .into_iter()
                .flat_map(|entry| contest.against_ours(entry));
            row.push(two(Some(geometric_mean(ratios.map(|(_, ratio)| ratio)))));
        }
        line(out, row);
    }
}

fn by_shape(out: &mut String, builds: &[Build]) {
    let Some((first, _)) = builds.first().and_then(Build::channels) else {
        return;
    };
    let of_both = if builds.len() > 1 {
        ", without and with LTO"
    } else {
        ""
    };
    let _ = writeln!(out, "{of_both}:\n");
    let runtimes = runtimes(&first.cells);
    line(
        out,
        [""].into_iter()
            .chain(runtimes.iter().map(|runtime| runtime.name()))
            .map(Into::into),
    );
    let _ = writeln!(out, "|--|{}", "--:|".repeat(runtimes.len()));
    for shape in shapes(&first.cells) {
        let mean = |runtime: Runtime| {
            let of_build = |build: &Build| {
                let (contest, standing) = build.channels()?;
                standing.of_shape(contest, shape, Some(runtime))
            };
            of_all(builds, of_build)
        };
        let means = runtimes.iter().map(|&runtime| mean(runtime));
        line(out, [shape.name()].into_iter().chain(means));
    }
}

fn selects(out: &mut String, builds: &[Build]) {
    let Some(first) = builds.first().and_then(|build| build.contest("selects")) else {
        return;
    };
    const SHOWN: [&str; 7] = [
        "hchan::select!",
        "plain recv",
        "tokio::select! on hchan",
        "tokio::select! on tokio",
        "tokio::select! on kanal",
        "futures::select! on tokio",
        "Go",
    ];
    out.push_str("\nA select over two receivers, in nanoseconds, beside a plain receive:\n\n");
    line(out, [""].into_iter().chain(SHOWN).map(Into::into));
    let _ = writeln!(out, "|--|{}", "--:|".repeat(SHOWN.len()));
    for cell in &first.cells {
        let median = |name: &str| {
            of_all(builds, |build| {
                let contest = build.contest("selects")?;
                let cell = contest.cells.iter().position(|other| other == cell)?;
                let entry = contest
                    .entries
                    .iter()
                    .position(|entry| entry.name == name)?;
                contest.median(cell, entry)
            })
        };
        let title = format!("{}, {}", cell.shape.name(), cell.runtime.name());
        line(out, [title].into_iter().chain(SHOWN.map(median)));
    }
}

/// The longest of a thousand polls, where four tasks send to four.
fn tails(out: &mut String, builds: &[Build]) {
    const SHOWN: [&str; 3] = ["hchan", "kanal", "crossfire mpmc"];
    let Some((first, _)) = builds.first().and_then(Build::channels) else {
        return;
    };
    let contended = |cell: &&Cell| {
        let two = matches!(cell.runtime, Runtime::Tokio2 | Runtime::Smol2);
        let plain = cell.kind == Kind::Word && cell.batch == 1 && cell.capacity != Some(256);
        cell.shape == fan(4, 4) && plain && two
    };
    out.push_str("\n99.9 % of the polls of 4→4 take no longer than so many nanoseconds:\n\n");
    line(
        out,
        ["runtime", "capacity"]
            .into_iter()
            .chain(SHOWN)
            .map(Into::into),
    );
    let _ = writeln!(out, "|--|--:|{}", "--:|".repeat(SHOWN.len()));
    for cell in first.cells.iter().filter(contended) {
        let tail = |name: &str| {
            of_all(builds, |build| {
                let (contest, _) = build.channels()?;
                let cell = contest.cells.iter().position(|other| other == cell)?;
                let entry = contest
                    .entries
                    .iter()
                    .position(|entry| entry.name == name)?;
                let found = contest.results[cell][entry]
                    .as_ref()
                    .and_then(Measured::found)?;
                Some(found[FOUND.iter().position(|&what| what == "p99.9")?])
            })
        };
        let key = [cell.runtime.name().to_owned(), cell.capacity_name()];
        line(out, key.into_iter().chain(SHOWN.map(tail)));
    }
}

fn cancelling(out: &mut String, builds: &[Build]) {
    const SHOWN: [&str; 6] = [
        "hchan",
        "async-channel",
        "crossfire mpmc",
        "loole",
        "kanal",
        "flume",
    ];
    out.push_str("\nTo cancel one of 40 000 parked receives and park another, in nanoseconds:\n\n");
    line(out, SHOWN.map(Into::into));
    let _ = writeln!(out, "|{}", "--:|".repeat(SHOWN.len()));
    line(
        out,
        SHOWN.map(|name| {
            of_all(builds, |build| {
                let row = build.results.scaling.iter().find(|row| row.name == name)?;
                row.recvs.last()?.median()
            })
        }),
    );
}

/// A figure of each build.
fn of_all(builds: &[Build], figure: impl Fn(&Build) -> Option<f64>) -> String {
    let figures: Vec<_> = builds.iter().map(figure).collect();
    if figures.iter().all(Option::is_none) {
        return "–".into();
    }
    figures.into_iter().map(dash).collect::<Vec<_>>().join(", ")
}

fn two(number: Option<f64>) -> String {
    number
        .filter(|number| number.is_finite())
        .map_or_else(|| "–".into(), short)
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, renew};

    #[test]
    fn figures_are_renewed_in_their_place() {
        let page = std::env::temp_dir().join(format!("hchan-page-{}", std::process::id()));
        std::fs::write(&page, format!("before\n{BEGIN}\nold\n{END}\nafter\n")).unwrap();
        for _ in 0..2 {
            renew(&page, "new\n").unwrap();
            let text = std::fs::read_to_string(&page).unwrap();
            assert_eq!(text, format!("before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"));
        }
        std::fs::write(&page, "no place\n").unwrap();
        assert!(renew(&page, "new").is_err());
        std::fs::remove_file(&page).unwrap();
    }
}

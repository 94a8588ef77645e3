//! What was found, as JSON, there and back.

use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::cell::Cell;
use crate::contest::{Contest, Entry, Measured};
use crate::entries;
use crate::report::Results;
use crate::scaling::{LINES, Scaling};
use crate::shapes::FOUND;
use crate::standing::Times;

impl Results {
    pub fn json(&self) -> Value {
        let machine: Vec<_> = self.machine.iter().collect();
        let contests: Vec<_> = self.contests.iter().map(contest_json).collect();
        let scaling: Vec<_> = self.scaling.iter().map(scaling_json).collect();
        json!({ "machine": machine, "contests": contests, "scaling": scaling })
    }

    /// Reads what a run has written into a folder.
    pub fn read(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let file = folder.join("results.json");
        let text = fs::read_to_string(&file).map_err(|error| format!("{file:?}: {error}"))?;
        let json: Value = serde_json::from_str(&text)?;
        let go = || {
            Some(Entry {
                name: "Go",
                runs: Vec::new(),
            })
        };
        let mut contests = entries::contests(go);
        for contest in &mut contests {
            read_contest(contest, &json["contests"]);
        }
        contests.retain(|contest| !contest.cells.is_empty());
        let rivals = entries::scaling();
        let scaling = rivals
            .iter()
            .filter_map(|rival| read_scaling(rival.name, &json["scaling"]));
        Ok(Self {
            machine: serde_json::from_value(json["machine"].clone())?,
            contests,
            scaling: scaling.collect(),
        })
    }
}

/// What tells a cell from others.
fn key(cell: &Cell) -> Map<String, Value> {
    let key = json!({
        "shape": cell.shape.name(),
        "runtime": cell.runtime.name(),
        "capacity": cell.capacity,
        "value": cell.kind.name(),
        "batch": cell.batch,
    });
    key.as_object().cloned().unwrap_or_default()
}

fn contest_json(contest: &Contest) -> Value {
    let mut cells = Vec::new();
    for (index, (cell, results)) in contest.cells.iter().zip(&contest.results).enumerate() {
        let mut entries = Map::new();
        for (entry, result) in contest.entries.iter().zip(results) {
            let Some(result) = result else { continue };
            let rounds: Vec<_> = result.times.0.iter().copied().map(round).collect();
            let mut found = json!({ "median": result.times.median().map(round), "rounds": rounds });
            for (what, number) in FOUND.iter().zip(result.found().into_iter().flatten()) {
                found[*what] = json!(round(number));
            }
            entries.insert(entry.name.into(), found);
        }
        let mut found = key(cell);
        found.insert("ahead".into(), json!(contest.lead(index, 0).map(round)));
        found.insert("nanoseconds".into(), entries.into());
        cells.push(Value::from(found));
    }
    json!({ "title": contest.title, "cells": cells })
}

/// Gives a contest its results; cells that were not measured are left out.
fn read_contest(contest: &mut Contest, contests: &Value) {
    let contests = contests.as_array().into_iter().flatten();
    let mut contests = contests.filter(|found| found["title"] == contest.title);
    let found = contests.next().and_then(|found| found["cells"].as_array());
    let found = found.map(Vec::as_slice).unwrap_or_default();
    contest.cells.retain(|cell| {
        let key = key(cell);
        let cell = found
            .iter()
            .find(|found| key.iter().all(|(name, value)| found[name] == *value));
        let Some(cell) = cell else { return false };
        let measured = |entry: &Entry| read_measured(&cell["nanoseconds"][entry.name]);
        contest
            .results
            .push(contest.entries.iter().map(measured).collect());
        true
    });
}

fn read_measured(found: &Value) -> Option<Measured> {
    let rounds = found.get("rounds")?.as_array()?;
    let look: Option<Vec<_>> = FOUND.iter().map(|&what| found[what].as_f64()).collect();
    Some(Measured {
        times: Times(rounds.iter().filter_map(Value::as_f64).collect()),
        looks: look
            .and_then(|look| look.try_into().ok())
            .into_iter()
            .collect(),
        ..Measured::default()
    })
}

fn scaling_json(row: &Scaling) -> Value {
    let median = |times: &Times| times.median().map(round);
    let medians = |times: &[Times]| times.iter().map(median).collect::<Vec<_>>();
    json!({
        "rival": row.name,
        "channel bytes": row.channel,
        "send bytes": row.send,
        "recv bytes": row.recv,
        "parked send bytes": row.parked_send,
        "parked recv bytes": row.parked_recv,
        "lines": LINES,
        "cancel send": medians(&row.sends),
        "cancel recv": medians(&row.recvs),
    })
}

fn read_scaling(name: &'static str, rows: &Value) -> Option<Scaling> {
    let row = rows.as_array()?.iter().find(|row| row["rival"] == name)?;
    let bytes = |what| {
        row[what]
            .as_u64()
            .and_then(|bytes| usize::try_from(bytes).ok())
    };
    let times =
        |what| std::array::from_fn(|line| Times(row[what][line].as_f64().into_iter().collect()));
    Some(Scaling {
        name,
        channel: row["channel bytes"].as_i64()?,
        send: bytes("send bytes")?,
        recv: bytes("recv bytes")?,
        parked_send: row["parked send bytes"].as_f64(),
        parked_recv: row["parked recv bytes"].as_f64(),
        sends: times("cancel send"),
        recvs: times("cancel recv"),
    })
}

/// To thousandths.
fn round(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use crate::machine::Profile;
    use crate::report::Results;

    #[test]
    fn what_is_read_is_what_was_written() {
        let folder = std::env::temp_dir().join(format!("hchan-results-{}", std::process::id()));
        let first = Results::read(&Profile::Release.results()).unwrap();
        assert!(
            first
                .contests
                .iter()
                .any(|contest| !contest.cells.is_empty())
        );
        first.write(&folder).unwrap();
        let second = Results::read(&folder).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(first.json(), second.json());
        assert_eq!(first.times(), second.times());
        assert_eq!(first.polls(), second.polls());
    }
}

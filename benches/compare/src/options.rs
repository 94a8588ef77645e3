//! The command line.

use std::path::PathBuf;
use std::process::exit;

use crate::cell::Cell;
use crate::contest::Effort;
use crate::machine;

const HELP: &str = "\
Measures hchan and its rivals side by side, and writes what it finds.

    cargo run --release -- [OPTIONS]

  --part LIST      of channels, selects, scaling       (all)
  --shape LIST     of 1-1, 4-1, 1-4, 4-4, 2000-1, ping-pong, ready pair, parked recv, parked send
  --runtime LIST   of tokio-2, tokio-1, smol-2, threads, bare
  --capacity LIST  of 0, 1, 16, 128, 256, none
  --value LIST     of u64, 256 bytes, boxed
  --rival LIST     of the names in the table; hchan always takes part
  --without NAME   a rival in a cell, as it is called where it hangs; may be said again
  --rounds N       how often each is run in each cell  (15)
  --millis N       how long a run takes, about         (10)
  --looks N        close looks at each                 (5)
  --quick          3 rounds of 3 milliseconds, one look
  --processor      on one thread, count the time on the processor only: for a machine with other work
  --out DIR        where to write                      (results, or results/lto with --profile lto)

A LIST is separated by commas.
";

pub struct Options {
    pub effort: Effort,
    pub processor: bool,
    pub out: PathBuf,
    pub without: Vec<String>,
    parts: Vec<String>,
    shapes: Vec<String>,
    runtimes: Vec<String>,
    capacities: Vec<String>,
    values: Vec<String>,
    rivals: Vec<String>,
}

impl Options {
    /// Reads the command line, or explains it and exits.
    pub fn read() -> Self {
        let mut options = Self {
            effort: Effort {
                rounds: 15,
                looks: 5,
                nanos: 10e6,
            },
            processor: false,
            out: machine::profile().results(),
            without: Vec::new(),
            parts: Vec::new(),
            shapes: Vec::new(),
            runtimes: Vec::new(),
            capacities: Vec::new(),
            values: Vec::new(),
            rivals: Vec::new(),
        };
        let mut args = std::env::args().skip(1);
        while let Some(option) = args.next() {
            if options.set(&option, &mut args).is_none() {
                print!("{HELP}");
                exit(2);
            }
        }
        options
    }

    fn set(&mut self, option: &str, args: &mut impl Iterator<Item = String>) -> Option<()> {
        let mut list = || Some(args.next()?.split(',').map(Into::into).collect());
        match option {
            "--part" => self.parts = list()?,
            "--shape" => self.shapes = list()?,
            "--runtime" => self.runtimes = list()?,
            "--capacity" => self.capacities = list()?,
            "--value" => self.values = list()?,
            "--rival" => self.rivals = list()?,
            "--without" => self.without.push(args.next()?),
            "--rounds" => self.effort.rounds = args.next()?.parse().ok()?,
            "--looks" => self.effort.looks = args.next()?.parse().ok()?,
            "--millis" => self.effort.nanos = args.next()?.parse::<f64>().ok()? * 1e6,
            "--out" => self.out = args.next()?.into(),
            "--processor" => self.processor = true,
            "--quick" => {
                self.effort = Effort {
                    rounds: 3,
                    looks: 1,
                    nanos: 3e6,
                }
            }
            _ => return None,
        }
        Some(())
    }

    pub fn part(&self, name: &str) -> bool {
        has(&self.parts, name)
    }

    pub fn rival(&self, name: &str) -> bool {
        has(&self.rivals, name)
    }

    pub fn cell(&self, cell: &Cell) -> bool {
        let capacity = cell.capacity.map_or("none".into(), |n| n.to_string());
        has(&self.shapes, &cell.shape.name().replace('→', "-"))
            && has(&self.runtimes, cell.runtime.name())
            && has(&self.capacities, &capacity)
            && has(&self.values, cell.kind.name())
    }
}

fn has(list: &[String], name: &str) -> bool {
    list.is_empty() || list.iter().any(|item| item == name)
}

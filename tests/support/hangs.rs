// Part of each program on the page `inspect::when_it_hangs`: it checks that what the program prints stands there.

/// Runs a program whose tasks fall asleep, and compares its dump with the one that the page shows.
fn hangs(heading: &str, program: impl FnOnce() + std::panic::UnwindSafe) {
    let payload = std::panic::catch_unwind(program).expect_err("it hangs");
    let message = payload.downcast::<String>().expect("a dump");
    let page = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/inspect/when_it_hangs.rs"
    ));
    let section = page.split(&format!("\n//! # {heading}\n")).nth(1);
    let shown = section.expect("a section").split("//! ```text\n").nth(1);
    let shown = shown.expect("a dump").split("//! ```\n").next().unwrap();
    let shown = shown.replace("//! ", "").replace("//!", "");
    assert_eq!(plain(&shown), plain(&message), "\n{message}");
}

/// The same, whatever numbers, places and times it has.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for line in text.trim_end().lines() {
        let words: Vec<_> = line.split(' ').collect();
        let mut last = "";
        for (n, word) in words.iter().enumerate() {
            let is_number = word.parse::<u64>().is_ok();
            let unit = words.get(n + 1).map_or("", |unit| unit.trim_end_matches(','));
            let is_age = is_number && ["ms", "s", "min", "h", "days"].contains(&unit);
            let is_unit = ["ms", "s", "min", "h", "days"].contains(&word.trim_end_matches(','));
            if last == "at" && word.contains(':') {
                out += if word.ends_with(',') { "PLACE," } else { "PLACE" };
            } else if last == "channel" && is_number || is_age {
                out += "N";
            } else if is_unit {
                out += "TIME,";
            } else {
                out += word;
            }
            out += " ";
            last = word;
        }
        out += "\n";
    }
    out
}

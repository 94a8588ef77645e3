//! What was found, as a picture: for each shape the time of the best, as a text in SVG, for light and dark pages.

use std::fmt::Write;

use crate::cell::Shape;
use crate::cell::shapes;
use crate::contest::Contest;
use crate::standing::geometric_mean;

/// How many of the others are shown, beside Go.
const OTHERS: usize = 3;

/// A picture for pages that are so wide.
#[derive(Clone, Copy)]
pub struct Layout {
    width: usize,
    columns: usize,
}

pub const WIDE: Layout = Layout {
    width: 830,
    columns: 3,
};

pub const NARROW: Layout = Layout {
    width: 380,
    columns: 1,
};

/// The bars of a shape: names and times, ours is 1.
struct Panel {
    title: String,
    bars: Vec<(&'static str, f64)>,
}

const GAP: usize = 22;
const NAME: usize = 106;
const ROW: usize = 17;

/// Draws ours, Go and the best of the others for each shape, the fastest first.
pub fn draw(contest: &Contest, layout: Layout, about: &str) -> String {
    let panels: Vec<_> = shapes(&contest.cells)
        .into_iter()
        .map(|shape| panel(contest, shape))
        .collect();
    let ours = contest.entries[0].name;
    let title = format!("Time for a message, {ours} = 1. Less time is better.");
    picture(&title, about, &panels, ours, layout)
}

fn panel(contest: &Contest, shape: Shape) -> Panel {
    let of_shape = |cell: usize| contest.cells[cell].shape == shape;
    let ours = contest.against_ours(0).filter(|&(cell, _)| of_shape(cell));
    let half = ours.count().div_ceil(2);
    let mut bars: Vec<_> = (0..contest.entries.len())
        .filter_map(|entry| {
            let ratios = contest.against_ours(entry);
            let ratios = ratios.filter(|&(cell, _)| of_shape(cell));
            let ratios: Vec<_> = ratios.map(|(_, ratio)| ratio).collect();
            // Who does a few of the cells only does not stand for the shape.
            let stands = ratios.len() >= half && !ratios.is_empty();
            stands.then(|| (entry, geometric_mean(ratios.into_iter())))
        })
        .collect();
    bars.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut others = 0;
    bars.retain(|&(entry, _)| match contest.entries[entry].name {
        "Go" => true,
        _ if entry == 0 => true,
        _ if contest.is_aside(entry) => false,
        _ => {
            others += 1;
            others <= OTHERS
        }
    });
    Panel {
        title: shape.in_words(),
        bars: bars
            .into_iter()
            .map(|(entry, time)| (contest.entries[entry].name, time))
            .collect(),
    }
}

fn picture(title: &str, about: &str, panels: &[Panel], ours: &str, layout: Layout) -> String {
    let Layout { width, columns } = layout;
    let column = (width - GAP * (columns + 1)) / columns;
    let longest = |panel: &Panel| panel.bars.iter().map(|bar| bar.1).fold(1.0, f64::max);
    let scale = (column - NAME - 34) as f64 / panels.iter().map(longest).fold(1.0, f64::max);
    let rows = panels.iter().map(|panel| panel.bars.len()).max();
    let height = 34 + ROW * rows.unwrap_or(0);
    // Lines of about as many letters as fit.
    let head = wrap(title, (width - 2 * GAP) / 9);
    let about = wrap(about, (width - 2 * GAP) / 7);
    let below = 8 + 20 * head.len();
    let top = below + 12 + 16 * about.len();
    let full = top + height * panels.len().div_ceil(columns) + 4;
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {full}" width="{width}" font-family="system-ui, sans-serif" font-size="13" role="img">
<title>{title}</title>
<style>
  .page {{ fill: #ffffff }} text {{ fill: #1f2328 }} .about {{ fill: #59636e; font-size: 12px }} .ours {{ fill: #0969da }}
  rect {{ fill: #afb8c1 }} .go {{ fill: #6e7781 }} .b {{ font-weight: 600 }}
  @media (prefers-color-scheme: dark) {{
    .page {{ fill: #0d1117 }} text {{ fill: #e6edf3 }} .about {{ fill: #9198a1 }} .ours {{ fill: #58a6ff }}
    rect {{ fill: #484f58 }} .go {{ fill: #8b949e }}
  }}
</style>
<rect class="page" width="{width}" height="{full}" rx="6"/>
"#
    );
    for (line, text) in head.iter().enumerate() {
        let y = 26 + 20 * line;
        let _ = writeln!(
            svg,
            r#"<text class="b" x="{GAP}" y="{y}" font-size="15">{text}</text>"#
        );
    }
    for (line, text) in about.iter().enumerate() {
        let y = below + 14 + 16 * line;
        let _ = writeln!(
            svg,
            r#"<text class="about" x="{GAP}" y="{y}">{text}</text>"#
        );
    }
    for (index, Panel { title, bars }) in panels.iter().enumerate() {
        let x = GAP + index % columns * (column + GAP);
        let y = top + index / columns * height;
        let _ = writeln!(
            svg,
            r#"<text class="b" x="{x}" y="{}">{title}</text>"#,
            y + 14
        );
        for (row, &(name, time)) in bars.iter().enumerate() {
            let (y, bar) = (y + 22 + ROW * row, x + NAME);
            let length = time * scale;
            let (class, weight) = match name {
                _ if name == ours => (r#" class="ours""#, r#" class="b""#),
                "Go" => (r#" class="go""#, ""),
                _ => ("", ""),
            };
            let _ = writeln!(
                svg,
                r#"<text{weight} x="{x}" y="{base}">{name}</text><rect{class} x="{bar}" y="{y}" width="{length:.1}" height="13" rx="2"/><text{weight} x="{end:.1}" y="{base}">{time:.2}</text>"#,
                base = y + 11,
                end = bar as f64 + length + 5.0,
            );
        }
    }
    svg + "</svg>\n"
}

/// Breaks a text into lines of at most so many letters.
pub fn wrap(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("one line at least");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= most {
            let _ = write!(line, " {word}");
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{NARROW, Panel, WIDE, picture, wrap};

    #[test]
    fn bars_are_as_long_as_their_numbers() {
        let bars = vec![("hchan", 1.0), ("Go", 2.0), ("other", 4.0)];
        let title = String::from("a shape");
        for layout in [WIDE, NARROW] {
            let panels = [Panel {
                title: title.clone(),
                bars: bars.clone(),
            }];
            let drawn = picture("title", "about", &panels, "hchan", layout);
            let lengths: Vec<f64> = drawn
                .lines()
                .filter_map(|line| {
                    line.split_once("<rect")
                        .filter(|_| line.starts_with("<text"))
                })
                .filter_map(|(_, rect)| {
                    rect.split_once("width=\"")?
                        .1
                        .split_once('"')?
                        .0
                        .parse()
                        .ok()
                })
                .collect();
            assert_eq!(lengths.len(), 3);
            assert!((lengths[1] / lengths[0] - 2.0).abs() < 0.02);
            assert!((lengths[2] / lengths[0] - 4.0).abs() < 0.02);
            assert!(drawn.contains(r#"<rect class="ours""#));
        }
    }

    #[test]
    fn lines_end_between_words() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("longer than most", 3), ["longer", "than", "most"]);
    }
}

//! What was found, as a picture: the throughput of everyone against ours, for each shape.

use std::error::Error;
use std::path::Path;

use plotters::prelude::{
    BLACK, ChartBuilder, Color, IntoDrawingArea, Palette, Palette99, PathElement, RGBColor,
    Rectangle, SVGBackend, Text, WHITE,
};

use crate::cell::{Shape, shapes};
use crate::contest::Contest;
use crate::standing::geometric_mean;

const HEIGHT: i32 = 480;
const LEGEND: i32 = 210;

/// Draws the contest into a file.
pub fn draw(contest: &Contest, path: &Path) -> Result<(), Box<dyn Error>> {
    let shapes = shapes(&contest.cells);
    let speeds: Vec<Vec<f64>> = (0..contest.entries.len())
        .map(|entry| {
            shapes
                .iter()
                .map(|&shape| speed(contest, entry, shape))
                .collect()
        })
        .collect();
    // A NaN is no maximum.
    let top = speeds
        .iter()
        .flatten()
        .fold(1.0, |top: f64, &speed| top.max(speed));

    let width = 60 + 140 * shapes.len() as i32;
    let size = ((width + LEGEND) as u32, HEIGHT as u32);
    let area = SVGBackend::new(path, size).into_drawing_area();
    area.fill(&WHITE)?;
    let (plot, legend) = area.split_horizontally(width);
    let caption = format!("messages in the same time, {} = 1", contest.entries[0].name);
    let mut chart = ChartBuilder::on(&plot)
        .caption(caption, ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(40)
        .build_cartesian_2d(0.0..shapes.len() as f64, 0.0..top * 1.05)?;
    let name = |at: &f64| match shapes.get(*at as usize) {
        Some(shape) if at.fract() == 0.5 => shape.name(),
        _ => String::new(),
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .max_light_lines(0)
        .x_labels(2 * shapes.len() + 1)
        .x_label_formatter(&name)
        .draw()?;

    let bar = 1.0 / (contest.entries.len() + 1) as f64;
    for (index, (entry, speeds)) in contest.entries.iter().zip(&speeds).enumerate() {
        let color = color(contest, index);
        let bars = speeds
            .iter()
            .enumerate()
            .filter(|(_, speed)| speed.is_finite());
        chart.draw_series(bars.map(|(shape, &speed)| {
            let left = shape as f64 + bar * (index as f64 + 0.5);
            Rectangle::new([(left, 0.0), (left + bar, speed)], color.filled())
        }))?;
        let y = 50 + 22 * index as i32;
        legend.draw(&Rectangle::new([(0, y), (14, y + 14)], color.filled()))?;
        legend.draw(&Text::new(entry.name, (22, y), ("sans-serif", 14)))?;
    }
    let line = [(0.0, 1.0), (shapes.len() as f64, 1.0)];
    chart.draw_series([PathElement::new(line, BLACK)])?;
    area.present()?;
    Ok(())
}

/// How many times as many messages as ours in the same time; the geometric mean of the cells.
fn speed(contest: &Contest, entry: usize, shape: Shape) -> f64 {
    let ratios = contest.against_ours(entry);
    let ratios = ratios.filter(|&(cell, _)| contest.cells[cell].shape == shape);
    1.0 / geometric_mean(ratios.map(|(_, ratio)| ratio))
}

fn color(contest: &Contest, entry: usize) -> RGBColor {
    match contest.entries[entry].name {
        "Go" => BLACK,
        _ if contest.is_aside(entry) => RGBColor(150, 150, 150),
        _ => {
            let (r, g, b) = Palette99::pick(entry).to_rgba().rgb();
            RGBColor(r, g, b)
        }
    }
}

/// Draws each entry's time over ours, the fastest first, as a text in SVG: for light and dark pages, and for a phone.
pub fn draw_overall(contest: &Contest) -> String {
    let mut times: Vec<_> = (0..contest.entries.len())
        .map(|entry| {
            let ratios = contest.against_ours(entry).map(|(_, ratio)| ratio);
            (contest.entries[entry].name, geometric_mean(ratios))
        })
        .filter(|&(name, time)| !time.is_nan() && name != "locked queue")
        .collect();
    times.sort_by(|a, b| a.1.total_cmp(&b.1));
    bars("time for a message, hchan = 1 (less is faster)", &times)
}

fn bars(title: &str, numbers: &[(&str, f64)]) -> String {
    use std::fmt::Write;

    const ROW: usize = 22;
    let top = numbers
        .iter()
        .map(|&(_, number)| number)
        .fold(1.0, f64::max);
    let height = 30 + ROW * numbers.len();
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 {height}" width="560" font-family="sans-serif" font-size="13">
<style>
  text {{ fill: #1f2328 }} rect {{ fill: #8c959f }} .ours {{ fill: #0969da }}
  @media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3 }} rect {{ fill: #6e7681 }} .ours {{ fill: #58a6ff }} }}
</style>
<text x="0" y="15">{title}</text>
"#
    );
    for (row, &(name, number)) in numbers.iter().enumerate() {
        let (y, width) = (28 + ROW * row, number / top * 220.0);
        let class = if name == "hchan" {
            r#" class="ours""#
        } else {
            ""
        };
        let _ = writeln!(svg, r#"<text x="0" y="{}">{name}</text>"#, y + 12);
        let _ = writeln!(
            svg,
            r#"<rect x="130" y="{y}" width="{width:.1}" height="16"{class}/>"#
        );
        let x = 136.0 + width;
        let _ = writeln!(svg, r#"<text x="{x:.1}" y="{}">{number:.2}</text>"#, y + 12);
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::bars;

    #[test]
    fn bars_are_as_long_as_their_numbers() {
        let drawn = bars("two", &[("hchan", 1.0), ("other", 2.0)]);
        assert!(drawn.contains(r#"width="110.0" height="16" class="ours""#));
        assert!(drawn.contains(r#"width="220.0" height="16"/>"#));
    }
}

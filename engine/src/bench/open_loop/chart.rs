//! A chart as SVG text: lines over two axes, the vertical one logarithmic.
//!
//! No script and no external resource. Bound: as many points as it is given.

use std::fmt::Write as _;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 40.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 46.0;

/// A line of a chart; `None` is a gap in it.
pub(super) struct Series {
    pub(super) name: &'static str,
    /// Colour of the page, 1 to 4.
    pub(super) colour: u8,
    pub(super) points: Vec<Option<(f64, f64)>>,
}

/// A chart over x from 0 to `end`.
pub(super) struct Chart {
    pub(super) title: &'static str,
    pub(super) height: f64,
    pub(super) end: f64,
    /// Marks of the x axis, with their labels.
    pub(super) marks: Vec<(f64, String)>,
    pub(super) x: &'static str,
    /// Label of a value on the y axis.
    pub(super) y: fn(f64) -> String,
    /// Shaded ranges.
    pub(super) shaded: Vec<(f64, f64)>,
    pub(super) series: Vec<Series>,
}

impl Chart {
    /// The range of powers of ten that holds every value.
    fn decades(&self) -> (f64, f64) {
        let values = self.series.iter().flat_map(|s| &s.points).flatten().map(|(_, y)| y.max(1.0));
        let (low, high) = values.fold((f64::INFINITY, 1.0f64), |(low, high), y| (low.min(y), high.max(y)));
        let low = if low.is_finite() { low.log10().floor() } else { 0.0 };
        (low, high.log10().ceil().max(low + 1.0))
    }

    fn at_x(&self, x: f64) -> f64 {
        LEFT + x / self.end.max(f64::MIN_POSITIVE) * (WIDTH - LEFT - RIGHT)
    }

    fn at_y(&self, y: f64) -> f64 {
        let (low, high) = self.decades();
        let share = (y.max(1.0).log10() - low) / (high - low);
        self.height - BOTTOM - share * (self.height - TOP - BOTTOM)
    }

    /// The chart as an `svg` element.
    pub(super) fn svg(&self) -> String {
        let Chart { title, height, .. } = self;
        let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\">\n");
        let _ = writeln!(svg, "<text class=\"title\" x=\"{LEFT}\" y=\"20\">{title}</text>");
        let foot = height - BOTTOM;
        for (from, to) in &self.shaded {
            let (x, width) = (self.at_x(*from), self.at_x(*to) - self.at_x(*from));
            let tall = foot - TOP;
            let _ = writeln!(
                svg,
                "<rect class=\"burst\" x=\"{x:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{tall}\"/>"
            );
        }
        self.axes(&mut svg, foot);
        for series in &self.series {
            let _ = writeln!(svg, "<path class=\"s{}\" d=\"{}\"/>", series.colour, self.path(series));
        }
        self.legend(&mut svg);
        svg + "</svg>\n"
    }

    fn axes(&self, svg: &mut String, foot: f64) {
        let (low, high) = self.decades();
        for decade in low as i32..=high as i32 {
            let y = self.at_y(10f64.powi(decade));
            let (end, label, text) = (WIDTH - RIGHT, (self.y)(10f64.powi(decade)), y + 4.0);
            let _ = writeln!(svg, "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{end}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
            let _ = writeln!(
                svg,
                "<text class=\"tick\" text-anchor=\"end\" x=\"{}\" y=\"{text:.1}\">{label}</text>",
                LEFT - 8.0
            );
        }
        for (at, label) in &self.marks {
            let x = self.at_x(*at);
            let _ = writeln!(svg, "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{foot}\"/>");
            let _ = writeln!(
                svg,
                "<text class=\"tick\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{}\">{label}</text>",
                foot + 16.0
            );
        }
        let (middle, under) = ((LEFT + WIDTH - RIGHT) / 2.0, foot + 36.0);
        let _ =
            writeln!(svg, "<text class=\"tick\" text-anchor=\"middle\" x=\"{middle}\" y=\"{under}\">{}</text>", self.x);
    }

    fn path(&self, series: &Series) -> String {
        let (mut path, mut pen) = (String::new(), 'M');
        for point in &series.points {
            match point {
                Some((x, y)) => {
                    let _ = write!(path, "{pen}{:.1} {:.1}", self.at_x(*x), self.at_y(*y));
                    pen = 'L';
                }
                None => pen = 'M',
            }
        }
        path
    }

    fn legend(&self, svg: &mut String) {
        let mut x = WIDTH - RIGHT;
        for series in self.series.iter().rev() {
            x -= 7.0 * series.name.len() as f64 + 30.0;
            let (colour, end, name) = (series.colour, x + 16.0, series.name);
            let _ = writeln!(svg, "<path class=\"s{colour}\" d=\"M{x} 16L{end} 16\"/>");
            let _ = writeln!(svg, "<text class=\"tick\" x=\"{}\" y=\"20\">{name}</text>", x + 21.0);
        }
    }
}

/// A time, for people.
pub(super) fn time(ns: f64) -> String {
    let (value, unit) = match ns {
        ns if ns < 1e3 => (ns, "ns"),
        ns if ns < 1e6 => (ns / 1e3, "µs"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    if value >= 100.0 || value.fract() == 0.0 { format!("{value:.0} {unit}") } else { format!("{value:.2} {unit}") }
}

/// A count, for people.
pub(super) fn amount(n: f64) -> String {
    match n {
        n if n < 1e3 => format!("{n:.0}"),
        n if n < 1e6 => format!("{:.0} k", n / 1e3),
        n => format!("{:.0} M", n / 1e6),
    }
}

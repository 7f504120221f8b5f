//! Tables of the screens: a heading and rows, each column as wide as its widest cell.
//!
//! Text is aligned left, whole numbers right, decimals at the point. A table wider than a screen drops its spare columns,
//! last first. Colour is sparing, on standard error alone, and only if that is a terminal and `NO_COLOR` is not set.

use super::screen::{INDENT, WIDTH};
use console::{Style, measure_text_width, truncate_str};

/// Alignment of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text: left.
    Left,
    /// Whole numbers: right.
    Right,
    /// Decimal numbers: at the decimal point.
    Point,
}

/// A column.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    name: String,
    align: Align,
    spare: bool,
}

/// A column that is always shown.
pub(crate) fn column(name: impl Into<String>, align: Align) -> Column {
    Column { name: name.into(), align, spare: false }
}

impl Column {
    /// Drops the column from a table that is too wide.
    pub(crate) fn spare(self) -> Column {
        Column { spare: true, ..self }
    }
}

/// Emphasis of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// None.
    #[default]
    Plain,
    /// Worth a look: a refusal, an anomaly.
    Notice,
    /// A loss, or something that failed.
    Bad,
}

impl Tone {
    /// The text, coloured if colour is on.
    pub(crate) fn paint(self, text: &str) -> String {
        let style = match self {
            Tone::Plain => return text.to_owned(),
            Tone::Notice => Style::new().yellow(),
            Tone::Bad => Style::new().red(),
        };
        style.for_stderr().apply_to(text).to_string()
    }

    /// `Bad` below zero.
    pub(crate) fn of_money(amount: &str) -> Tone {
        if amount.starts_with('-') { Tone::Bad } else { Tone::Plain }
    }
}

/// A cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell with this tone. Characters that steer a terminal are replaced: a symbol may come from a damaged file.
    pub(crate) fn new(text: impl Into<String>, tone: Tone) -> Cell {
        Cell { text: text.into().replace(char::is_control, "\u{fffd}"), tone }
    }

    /// Number of characters before the decimal point, and from it on.
    fn parts(&self) -> (usize, usize) {
        let all = measure_text_width(&self.text);
        let before = self.text.find('.').map_or(all, |at| measure_text_width(&self.text[..at]));
        (before, all - before)
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::new(text, Tone::Plain)
    }
}

/// Longest name in a table that is too wide.
const LONG: usize = 24;

/// Least width of the first column: that of the titles of other lines.
const TITLE: usize = INDENT.len() - 2;

/// The lines of a table: the heading, then the rows.
pub(crate) fn table(columns: &[Column], rows: &[Vec<Cell>]) -> String {
    let mut columns: Vec<(usize, Laid)> = columns.iter().enumerate().map(|(i, c)| (i, Laid::out(c, i, rows))).collect();
    let excess = |columns: &[(usize, Laid)]| {
        (columns.iter().map(|(_, c)| c.width() + 2).sum::<usize>() - 2).saturating_sub(WIDTH)
    };
    shorten(&mut columns, excess, LONG);
    while excess(&columns) > 0
        && let Some(spare) = columns.iter().rposition(|(_, c)| c.column.spare)
    {
        columns.remove(spare);
    }
    shorten(&mut columns, excess, TITLE);
    let line = |shown: &mut dyn FnMut(&Laid, usize) -> String| {
        let cells: Vec<_> = columns.iter().map(|(i, c)| shown(c, *i)).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    let mut text = line(&mut |c, _| c.heading());
    let none = Cell::default();
    for row in rows {
        text += &line(&mut |c, i| c.cell(row.get(i).unwrap_or(&none)));
    }
    text
}

/// The columns of tables that are no wider than a screen, each beginning with the first column: as many tables as that takes.
pub(crate) fn split(columns: &[Column], rows: &[Vec<Cell>]) -> Vec<Vec<usize>> {
    let width = |at: usize| Laid::out(&columns[at], at, rows).width();
    let (mut tables, mut wide): (Vec<Vec<usize>>, usize) = (vec![vec![0]], width(0));
    for at in 1..columns.len() {
        let last = tables.last_mut().expect("there is one from the beginning");
        if last.len() > 1 && wide + 2 + width(at) > WIDTH {
            tables.push(vec![0, at]);
            wide = width(0) + 2 + width(at);
        } else {
            last.push(at);
            wide += 2 + width(at);
        }
    }
    tables
}

/// The lines of a table of some of the columns.
pub(crate) fn part(columns: &[Column], rows: &[Vec<Cell>], shown: &[usize]) -> String {
    let columns: Vec<Column> = shown.iter().map(|at| columns[*at].clone()).collect();
    let cells = |row: &Vec<Cell>| shown.iter().map(|at| row.get(*at).cloned().unwrap_or_default()).collect();
    table(&columns, &rows.iter().map(cells).collect::<Vec<_>>())
}

/// Truncates the names in a table that is too wide, none below `least`.
fn shorten(columns: &mut [(usize, Laid)], excess: impl Fn(&[(usize, Laid)]) -> usize, least: usize) {
    let over = excess(columns);
    let names = columns.iter_mut().filter(|(_, c)| c.column.align == Align::Left);
    if let Some((_, widest)) = names.max_by_key(|(_, c)| c.width()) {
        let width = widest.width();
        widest.parts.0 = width.saturating_sub(over).max(least.min(width));
    }
}

/// A column with its widths.
struct Laid<'a> {
    column: &'a Column,
    /// Before the decimal point, and from it on.
    parts: (usize, usize),
}

impl<'a> Laid<'a> {
    fn out(column: &'a Column, index: usize, rows: &[Vec<Cell>]) -> Laid<'a> {
        let cells = rows.iter().filter_map(|row| row.get(index));
        let parts = match column.align {
            Align::Left => (cells.map(|c| c.parts()).map(|(a, b)| a + b).max().unwrap_or(0), 0),
            Align::Right => (cells.map(|c| c.parts()).map(|(a, b)| a + b).max().unwrap_or(0), 0),
            Align::Point => cells.map(Cell::parts).fold((0, 0), |(a, b), (c, d)| (a.max(c), b.max(d))),
        };
        let least = if index == 0 { TITLE } else { 0 };
        let heading = measure_text_width(&column.name).max(least);
        Laid { column, parts: (parts.0.max(heading.saturating_sub(parts.1)), parts.1) }
    }

    fn width(&self) -> usize {
        self.parts.0 + self.parts.1
    }

    fn heading(&self) -> String {
        let name = truncate_str(&self.column.name, self.width().max(1), "…");
        let pad = " ".repeat(self.width() - measure_text_width(&name));
        match self.column.align {
            Align::Left => format!("{name}{pad}"),
            Align::Right | Align::Point => format!("{pad}{name}"),
        }
    }

    fn cell(&self, cell: &Cell) -> String {
        let text = truncate_str(&cell.text, self.width().max(1), "…");
        let (before, after) = cell.parts();
        let left = match self.column.align {
            Align::Left => 0,
            Align::Right => self.width() - measure_text_width(&text),
            Align::Point => self.parts.0 - before,
        };
        let right = match self.column.align {
            Align::Left => self.width() - measure_text_width(&text),
            Align::Right => 0,
            Align::Point => self.parts.1 - after,
        };
        format!("{}{}{}", " ".repeat(left), cell.tone.paint(&text), " ".repeat(right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells<const N: usize>(texts: [&str; N]) -> Vec<Cell> {
        texts.map(Cell::from).to_vec()
    }

    #[test]
    fn text_stands_left_numbers_right_and_points_below_each_other() {
        let columns = [column("symbol", Align::Left), column("qty", Align::Right), column("bid", Align::Point)];
        let rows = [cells(["AAPL", "1,200", "343.42"]), cells(["B", "7", "–"]), cells(["CCCCCCCC", "–", "1,000.0001"])];
        let wanted = [
            "symbol      qty         bid",
            "AAPL      1,200    343.42",
            "B             7      –",
            "CCCCCCCC      –  1,000.0001",
        ];
        assert_eq!(table(&columns, &rows).lines().collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn what_steers_a_terminal_is_shown_and_not_sent() {
        let columns = [column("symbol", Align::Left), column("bid", Align::Point)];
        for odd in ["\u{1b}[31mRED", "A\u{1b}", "\0\0\u{9b}2J", "B\u{7f}.\u{1b}[0m", "\r\n"] {
            let text = table(&columns, &[cells([odd, odd]), cells(["AAPL", "1.5"])]);
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()) && text.lines().count() == 3, "{text:?}");
        }
    }

    #[test]
    fn many_columns_are_tables_that_fit_and_begin_alike() {
        let columns: Vec<_> = (0..12).map(|at| column(format!("column-number-{at}"), Align::Left)).collect();
        let rows = vec![(0..12).map(|at| Cell::from(format!("{at}"))).collect::<Vec<_>>()];
        let tables = split(&columns, &rows);
        assert_eq!(tables.iter().map(|table| table[0]).collect::<Vec<_>>(), vec![0; tables.len()]);
        let rest: Vec<usize> = tables.iter().flat_map(|table| &table[1..]).copied().collect();
        assert_eq!(rest, (1..12).collect::<Vec<_>>());
        for shown in &tables {
            let text = part(&columns, &rows, shown);
            assert!(text.lines().all(|line| measure_text_width(line) <= WIDTH), "{text}");
            assert!(shown.iter().all(|at| text.contains(&format!("column-number-{at}"))), "{text}");
        }
        assert_eq!(split(&columns[..3], &rows), [[0, 1, 2]], "what fits is one table");
        let long = vec![Cell::from("x".repeat(200)); 12];
        assert_eq!(split(&columns, &[long]).len(), 11, "each has a column at least");
    }

    #[test]
    fn a_table_too_wide_leaves_out_what_it_can_spare_and_cuts_long_names() {
        let name = "N".repeat(60);
        let wide = ["x".repeat(30), "y".repeat(30)];
        let row = vec![name.into(), wide[0].clone().into(), wide[1].clone().into()];
        let columns = [
            column("symbol", Align::Left),
            column("first", Align::Right).spare(),
            column("second", Align::Right).spare(),
        ];
        let text = table(&columns, &[row]);
        assert!(text.contains(&wide[0]) && !text.contains("second"), "{text}");
        assert!(text.contains(&format!("{}…  ", "N".repeat(LONG - 1))), "{text}");
        assert!(text.lines().all(|l| measure_text_width(l) <= WIDTH), "{text}");
    }
}

//! How the rows of a file are read: what its header and its first rows tell, and what the settings say.
//!
//! What can be told is told by the file: an offset in the times says the zone, two times say the order, the header of a known
//! vendor says that a time is the start of its bar, and a name such as `SPY_1min.csv` says how long a bar is. Nothing else is
//! guessed. The least step between the times is no length of a bar: the minutes of a stock that trades seldom are further apart.
//! Where zone, stamp, length or calendar are not known, the file is refused and the message asks for them by name. Bound: the
//! first [`HEAD`] bytes of a file.

use super::columns::{Columns, Mapped, Part, shown};
use super::parts;
use super::time::Stamp;
use crate::bar;
use crate::reader::HEAD;
use crate::text::Line;
use chrono_tz::Tz;
use flow::{Calendar, Window};

/// What the settings of an input say.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) columns: Vec<Mapped>,
    pub(super) zone: Option<Tz>,
    /// Whether a time is the end of its bar.
    pub(super) is_end: Option<bool>,
    pub(super) interval_s: Option<u32>,
    pub(super) is_newest_first: Option<bool>,
    pub(super) calendar: Option<Calendar>,
}

/// How the rows of a file are read.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) columns: Columns,
    /// The form of its times, as a place in [`FORMS`](super::time::FORMS).
    pub(super) form: usize,
    pub(super) zone: Option<Tz>,
    pub(super) is_end: bool,
    pub(super) interval_s: u32,
    pub(super) calendar: Calendar,
    pub(super) is_newest_first: bool,
}

/// Why a file cannot be read as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unsettled {
    pub(super) what: String,
    pub(super) next: String,
}

impl Plan {
    /// How a file is read whose first bytes these are: [`HEAD`] of them, or all.
    ///
    /// # Errors
    /// When the file and the settings do not tell enough.
    pub(super) fn of(head: &[u8], name: &str, path: &str, settings: &Settings) -> Result<Plan, Unsettled> {
        let lines = Lines::of(head);
        let [first, ..] = &lines.0[..] else {
            return Err(Unsettled { what: format!("{name} has no row"), next: "give a file with a header".to_owned() });
        };
        let columns = Columns::of(first, &settings.columns).map_err(|unmapped| Unsettled {
            what: format!("{name} {}", unmapped.what),
            next: format!(
                "name the column, or its number from 1 on: {}",
                command(path, &[("columns", format!("{}=NAME", unmapped.part.name()))])
            ),
        })?;
        let data = &lines.0[usize::from(columns.has_header)..];
        let stamps: Vec<Stamp> = data.iter().map_while(|row| parts::stamp(row, &columns).ok()).collect();
        let Some(stamp) = stamps.first() else {
            return Plan::unread(columns, data.first(), name);
        };
        let plan = Plan {
            form: stamp.form(),
            zone: settings.zone,
            is_end: settings.is_end.unwrap_or(false),
            interval_s: settings.interval_s.or_else(|| in_name(name)).unwrap_or(0),
            calendar: settings.calendar.unwrap_or_default(),
            is_newest_first: settings.is_newest_first.unwrap_or_else(|| descend(&stamps)),
            columns,
        };
        plan.settled(&stamps, settings).map_err(|(unknown, set)| {
            let row = shown(&data[0]);
            Unsettled {
                what: format!("{name} does not tell {unknown}; its first row is {row:?}"),
                next: format!("say so, for example: {}", command(path, &set)),
            }
        })
    }

    /// A file without rows is valid; one whose first row has no time is read as far as that row, which is then the error.
    fn unread(columns: Columns, row: Option<&Vec<u8>>, name: &str) -> Result<Plan, Unsettled> {
        match row.map(|row| parts::stamp(row, &columns)) {
            Some(Err(error)) => Err(Unsettled {
                what: format!("{name}, first row of data: {}", error.what),
                next: "write its times so, or name the column that has them with csv.columns=time=NAME".to_owned(),
            }),
            _ => Ok(Plan {
                columns,
                form: 0,
                zone: None,
                is_end: false,
                interval_s: bar::DAY_S,
                calendar: Calendar::default(),
                is_newest_first: false,
            }),
        }
    }

    /// The plan, or what is not known and the settings that say it.
    fn settled(mut self, stamps: &[Stamp], settings: &Settings) -> Result<Plan, (String, Vec<Set>)> {
        let is_date = matches!(stamps[0], Stamp::Date(_));
        if is_date {
            self.interval_s = bar::DAY_S;
        }
        let (mut unknown, mut set) = (Vec::new(), Vec::new());
        if matches!(stamps[0], Stamp::Clock(_)) && self.zone.is_none() {
            unknown.push("the zone of its times".to_owned());
            set.push(("zone", "America/New_York".to_owned()));
        }
        if !is_date && settings.is_end.is_none() && !self.columns.starts_told {
            unknown.push("whether a time is the start or the end of its bar".to_owned());
            set.push(("stamp", "start".to_owned()));
        }
        if self.interval_s == 0 {
            let step = least_step(stamps).map_or_else(String::new, |step| {
                format!(" (its first {} times are {step} s apart or more, which need not be it)", stamps.len())
            });
            unknown.push(format!("how long a bar is{step}"));
            set.push(("interval", "1m".to_owned()));
        }
        if self.interval_s == bar::DAY_S && settings.calendar.is_none() {
            unknown.push("of which calendar its days are".to_owned());
            set.push(("calendar", "XNYS".to_owned()));
        }
        if set.is_empty() { Ok(self) } else { Err((unknown.join(", nor "), set)) }
    }
}

/// A setting and an example of its value.
type Set = (&'static str, String);

/// Whether the times go back: the first two that differ decide.
fn descend(stamps: &[Stamp]) -> bool {
    let seconds: Vec<_> = stamps.iter().map(Stamp::shown_seconds).collect();
    seconds.windows(2).find(|two| two[0] != two[1]).is_some_and(|two| two[1] < two[0])
}

/// The least difference between neighbours, in seconds.
fn least_step(stamps: &[Stamp]) -> Option<u64> {
    let seconds: Vec<_> = stamps.iter().map(Stamp::shown_seconds).collect();
    seconds.windows(2).map(|two| two[0].abs_diff(two[1])).filter(|step| *step > 0).min()
}

/// A command that sets what is missing.
fn command(path: &str, set: &[Set]) -> String {
    let set: String = set.iter().map(|(name, value)| format!(" --set csv.{name}={value}")).collect();
    format!("tidegate replay --feed csv --input {path}{set}")
}

/// The length of a bar that a file's name tells: `1min` in `SPY_1min.csv`.
fn in_name(path: &str) -> Option<u32> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_ascii_lowercase();
    name.split(['_', '-', '.', ' ']).find_map(|word| {
        let unit = word.trim_start_matches(|c: char| c.is_ascii_digit());
        let letter = match unit {
            "s" | "sec" => "s",
            "m" | "min" => "m",
            "h" | "hour" => "h",
            "d" | "day" => "d",
            _ => return None,
        };
        bar::seconds(&format!("{}{letter}", &word[..word.len() - unit.len()]))
    })
}

/// The whole lines at the start of a file.
struct Lines(Vec<Vec<u8>>);

impl Lines {
    fn of(head: &[u8]) -> Lines {
        let (mut window, mut lines) = (Window::whole(head), Vec::new());
        while let Line::Whole { text, used } = Line::next(&mut window, 0) {
            // A line that reaches the end of a full head may go on.
            if used == window.bytes().len() && head.len() >= HEAD && !head.ends_with(b"\n") && !lines.is_empty() {
                break;
            }
            lines.push(window.bytes()[text].to_vec());
            window.consume(used);
        }
        Lines(lines)
    }
}

/// Whether these are the first bytes of a file of bars with names that are known.
pub(super) fn is_known(head: &[u8]) -> bool {
    let (row, is_whole) = crate::text::first(head);
    is_whole && Columns::of(row, &[]).is_ok_and(|columns| columns.has_header && columns.has(Part::Volume))
}

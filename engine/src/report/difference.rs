//! The first difference between a record and its repetition: both sides field by field, the input that both come from, and what
//! probably caused it.

use crate::rows::{Cell, Shown, fields};
use chrono::{DateTime, SecondsFormat};
use flow::{Event, Listings, Ns, kind_info};
use serde::Serialize;
use stages::Instances;

/// The input that a difference comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FromInput {
    /// Its number.
    pub seq: u64,
    /// Its kind; absent if it is not stored.
    pub kind: Option<&'static str>,
    /// Its time, ns since 1970, in digits.
    pub ts_ns: Option<String>,
    /// The same for people.
    pub time: Option<String>,
    /// Where it came from: a feed, or who answers, commands or ticks.
    pub source: Option<String>,
}

/// One side of a difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Kind.
    pub kind: &'static str,
    /// Symbol; absent if it is of no instrument.
    pub symbol: Option<String>,
    /// The stage that made it, by its place in the pipeline; absent if this pipeline has none there.
    pub stage: Option<String>,
    /// Its place among the outcomes of the input, from 1.
    pub place: usize,
    /// How many outcomes the input has on this side.
    pub of: usize,
    /// Its id: number of the input, position of the stage, ordinal.
    pub id: String,
}

/// A field on both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldOnBoth {
    /// Its name, that of its column.
    pub field: String,
    /// Its unit; empty if it has none.
    pub unit: String,
    /// Recorded; absent if that side has no such field.
    pub recorded: Option<Cell>,
    /// Repeated.
    pub repeated: Option<Cell>,
    /// Whether they differ.
    pub differs: bool,
}

/// What probably caused a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// Its class: `another-build`, `another-configuration`, `another-outcome-set`, `not-deterministic`, `a-cut`,
    /// `damaged-record`.
    pub class: &'static str,
    /// Why it is probable.
    pub reason: String,
    /// What to do next.
    pub next: String,
}

/// The first difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Outcomes before it that were equal.
    pub equal: u64,
    /// The input that both come from.
    pub input: FromInput,
    /// What is recorded; absent if nothing is where the repetition has an outcome.
    pub recorded: Option<Side>,
    /// What was repeated; absent if nothing was where the record has an outcome.
    pub repeated: Option<Side>,
    /// The fields of both.
    pub fields: Vec<FieldOnBoth>,
    /// What probably caused it, the most probable first.
    pub causes: Vec<Cause>,
}

/// An outcome, and where it stands among those of its input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    /// The outcome.
    pub(crate) event: Event,
    /// Its place, from 0, and how many there are.
    pub(crate) place: (usize, usize),
}

/// What an outcome is shown with.
pub(crate) struct Naming<'a> {
    /// The listings at that input.
    pub(crate) listings: &'a Listings,
    /// Names of the instances.
    pub(crate) names: &'a Instances,
    /// Names of the stages by their positions.
    pub(crate) stages: &'a [(u8, String)],
}

impl Naming<'_> {
    /// One side.
    pub(crate) fn side(&self, of: &Placed) -> Side {
        let (event, (place, all)) = (&of.event, of.place);
        let position = event.id.position();
        let listed = self.listings.get(event.instrument).map(|listed| listed.symbol.clone());
        let symbol = (event.instrument != 0).then(|| listed.unwrap_or_else(|| format!("#{}", event.instrument)));
        Side {
            kind: kind_info(event.kind).map_or("unknown", |info| info.name),
            symbol,
            stage: self.stages.iter().find(|(at, _)| *at == position).map(|(_, name)| name.clone()),
            place: place + 1,
            of: all,
            id: event.id.to_string(),
        }
    }

    /// The fields of both sides, those of the record in their order and then what only the repetition has.
    pub(crate) fn fields(&self, recorded: Option<&Event>, repeated: Option<&Event>) -> Vec<FieldOnBoth> {
        let [recorded, repeated] = [recorded, repeated].map(|event| event.map_or_else(Vec::new, |e| self.shown(e)));
        let of = |of: &[Shown], name: &str| of.iter().find(|field| field.name == name).map(|field| field.value.clone());
        let only = repeated.iter().filter(|field| of(&recorded, field.name).is_none());
        let both = |field: &Shown| {
            let [recorded, repeated] = [&recorded, &repeated].map(|side| of(side, field.name));
            let differs = recorded.as_ref().map(Cell::to_csv) != repeated.as_ref().map(Cell::to_csv);
            let (field, unit) = (field.name.to_owned(), field.unit.clone().into_owned());
            FieldOnBoth { field, unit, recorded, repeated, differs }
        };
        recorded.iter().chain(only).map(both).collect()
    }

    /// All that an event holds: what every row has, and the fields of its kind.
    fn shown(&self, event: &Event) -> Vec<Shown> {
        let plain = |name, unit: &'static str, value| Shown { name, unit: unit.into(), value };
        let listed = self.listings.get(event.instrument);
        let symbol = listed.map_or_else(|| Cell::Uint(event.instrument.into()), |l| Cell::text(l.symbol.clone()));
        let kind = kind_info(event.kind).map_or_else(|| event.kind.0.to_string(), |info| info.name.to_owned());
        let common = [
            plain("kind", "", Cell::text(kind)),
            plain("seq", "", Cell::Uint(event.id.seq())),
            plain("ts_ns", "ns since 1970-01-01 UTC", Cell::Long(event.ts.0)),
            plain(
                "exchange_ts_ns",
                "ns since 1970-01-01 UTC",
                event.exchange_ts().map_or(Cell::Null, |ts| Cell::Long(ts.0)),
            ),
            plain("symbol", "", symbol),
            plain("source", "", Cell::Uint(event.source.into())),
            plain("flags", "", Cell::Text(format!("{:#06x}", event.flags.0))),
        ];
        common.into_iter().chain(fields(event, listed, self.names)).collect()
    }
}

/// A time for people.
pub(crate) fn time(ts: Ns) -> String {
    DateTime::from_timestamp_nanos(ts.0.cast_signed()).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::records::BookTop;
    use flow::{Flags, Px, Qty};

    #[test]
    fn both_sides_are_shown_field_by_field_with_units() {
        let top = |qty| BookTop { bid_px: Px(1_500_000_000), bid_qty: Qty(qty), ..BookTop::default() };
        let [one, other] = [7, 8].map(|qty| Event::new(Ns(1), 1, Flags::NONE, &top(qty)));
        let (listings, names) = (Listings::default(), Instances::default());
        let naming = Naming { listings: &listings, names: &names, stages: &[] };
        let fields = naming.fields(Some(&one), Some(&other));
        let differ: Vec<_> = fields.iter().filter(|f| f.differs).map(|f| (f.field.as_str(), f.unit.as_str())).collect();
        assert_eq!(differ, [("bid_qty", "smallest unit or instrument")]);
        let px = fields.iter().find(|f| f.field == "bid_px").unwrap();
        assert_eq!((&px.recorded, px.unit.as_str()), (&Some(Cell::text("1.50")), "currency"));
        let alone = naming.fields(None, Some(&one));
        assert!(alone.iter().all(|f| f.differs && f.recorded.is_none()) && alone.len() == fields.len());
    }
}

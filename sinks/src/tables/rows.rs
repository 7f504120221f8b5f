//! Rows of the tables, made from the events of a run.
//!
//! **Idea.** A row is a view of its event and reads a value when it is asked for, so making one allocates nothing. Where a kind
//! completes another, the first waits for it; each source has its own, as what two venues send may lie between them. While a
//! first waits, the run must not be taken as written up to here: [`Rows::is_amid`].
//!
//! Bound: one waiting event a kind and source. Worst case: a first whose second never comes is written without it after
//! [`PATIENCE`] events or with [`Rows::close`]; should the second come then, the row is written again, whole and under the same key.

use super::column::{Column, ColumnType, From, Header};
use super::spec::{TABLES, completes, info};
use super::table::Table;
use super::value::Value;
use crate::tailer::Names;
use flow::{Event, Field, FieldType, FlagColumn, Interval, Kind, Kinds, Listings, Ns, OrderId, Side, name_of};
use std::borrow::Cow;
use std::sync::Arc;

/// How many events a first waits for what completes it.
pub const PATIENCE: u32 = 65_536;

/// Makes rows.
pub struct Rows {
    tables: Vec<Table>,
    /// By kind: its table, and its place among the kinds of the table.
    places: Vec<Option<(usize, usize)>>,
    /// By kind: the kind that it completes, and whether another completes it.
    completes: Vec<Option<Kind>>,
    is_completed: Vec<bool>,
    listings: Listings,
    names: Arc<dyn Names>,
    /// The journal that is read, and its id as rows show it.
    journal: (u64, String),
    waiting: Vec<Waiting>,
    reads: Kinds,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Taken {
    /// All of it is in a row, or will be; or no table shows it.
    Whole,
    /// It completes a row that was written before this process began, or whose journal is gone: no row shows it.
    WithoutItsFirst,
}

/// An event that another one completes.
#[derive(Clone, Copy)]
struct Waiting {
    journal: u64,
    first: Event,
    /// Events taken since.
    since: u32,
    /// Whether its row was written without the second.
    is_written: bool,
}

/// A row of a table.
pub struct Row<'a> {
    /// The table.
    pub table: &'a Table,
    /// Its number among the tables that are written.
    pub number: usize,
    /// The event that it shows, and the one that completes it.
    pub events: (&'a Event, Option<&'a Event>),
    /// Whether it was written before, without the event that completes it.
    pub is_again: bool,
    journal: Cow<'a, str>,
    place: usize,
    listings: &'a Listings,
    names: &'a dyn Names,
}

impl Rows {
    /// Rows of the tables with these names; of all, if none is named.
    pub fn new(tables: &[String], names: Arc<dyn Names>) -> Rows {
        let chosen = TABLES.iter().filter(|spec| tables.is_empty() || tables.iter().any(|name| name == spec.name));
        let tables: Vec<_> = chosen.map(Table::of).collect();
        let (mut places, mut pairs) = (vec![None; Kind::COUNT], vec![None; Kind::COUNT]);
        let mut is_completed = vec![false; Kind::COUNT];
        let mut reads = Kinds::of(&[Kind::Name, Kind::Listing]);
        for (number, table) in tables.iter().enumerate() {
            reads = reads.or(table.reads());
            for (place, kind) in table.spec.kinds.iter().enumerate() {
                places[usize::from(kind.0)] = Some((number, place));
                if let Some(second) = completes(*kind) {
                    pairs[usize::from(second.0)] = Some(*kind);
                    is_completed[usize::from(kind.0)] = true;
                }
            }
        }
        let (listings, journal, waiting) = Default::default();
        Rows { tables, places, completes: pairs, is_completed, listings, names, journal, waiting, reads }
    }

    /// The tables without a row, as the run records none of their outcomes.
    pub fn unrecorded(&self, recorded: Kinds) -> Vec<&'static str> {
        let lacks = |table: &&Table| {
            let mut outcomes = table.spec.kinds.iter().filter(|kind| kind.is_measure()).peekable();
            outcomes.peek().is_some() && outcomes.all(|kind| !recorded.has(*kind))
        };
        self.tables.iter().filter(lacks).map(|table| table.spec.name).collect()
    }

    /// The tables that it makes rows of.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The kinds of events that it needs.
    pub fn reads(&self) -> Kinds {
        self.reads
    }

    /// Forgets what waits: events come again from the last commit.
    pub fn restart(&mut self) {
        self.waiting.clear();
    }

    /// Takes in a name or a listing without making a row.
    pub fn learn(&mut self, event: &Event) {
        self.listings.observe(event);
    }

    /// Whether an event waits for the one that completes it.
    pub fn is_amid(&self) -> bool {
        self.waiting.iter().any(|waiting| !waiting.is_written)
    }

    /// Takes an event; `write` gets the rows that it makes or completes.
    ///
    /// # Errors
    /// That of `write`.
    pub fn take<E>(
        &mut self,
        journal: u64,
        event: &Event,
        write: &mut dyn FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<Taken, E> {
        if event.is_echo() {
            return Ok(Taken::Whole);
        }
        if matches!(event.kind, Kind::Name | Kind::Listing) {
            self.listings.observe(event);
        }
        if self.journal.0 != journal {
            self.journal = (journal, id_of(journal));
        }
        let mut late = Vec::new();
        for waiting in &mut self.waiting {
            waiting.since += 1;
            if waiting.since > PATIENCE && !waiting.is_written {
                waiting.is_written = true;
                late.push(*waiting);
            }
        }
        late.iter().try_for_each(|late| self.row(late.journal, (&late.first, None), false, write))?;
        if let Some(first) = self.completes[usize::from(event.kind.0)] {
            return self.complete(first, event, write);
        }
        if self.places[usize::from(event.kind.0)].is_some() {
            self.begin(journal, event, write)?;
        }
        Ok(Taken::Whole)
    }

    /// Writes the row of an event, or lets it wait.
    fn begin<E>(
        &mut self,
        journal: u64,
        event: &Event,
        write: &mut dyn FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.is_completed[usize::from(event.kind.0)] {
            return self.row(journal, (event, None), false, write);
        }
        let before = self.waits_for(event.kind, event.source).map(|at| self.waiting.swap_remove(at));
        self.waiting.push(Waiting { journal, first: *event, since: 0, is_written: false });
        match before {
            Some(before) if !before.is_written => self.row(before.journal, (&before.first, None), false, write),
            _ => Ok(()),
        }
    }

    /// The table that shows a kind.
    pub fn table_of(&self, kind: Kind) -> Option<&Table> {
        self.places[usize::from(kind.0)].map(|(number, _)| &self.tables[number])
    }

    /// The row of events that made one before, as it is now.
    ///
    /// # Errors
    /// That of `write`.
    pub fn again<E>(
        &self,
        journal: u64,
        first: &Event,
        second: Option<&Event>,
        write: &mut dyn FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.row(journal, (first, second), false, write)
    }

    /// Writes the rows that wait, without what completes them.
    ///
    /// # Errors
    /// That of `write`.
    pub fn close<E>(&mut self, write: &mut dyn FnMut(&Row<'_>) -> Result<(), E>) -> Result<(), E> {
        let waiting: Vec<_> = self.waiting.iter().copied().filter(|waiting| !waiting.is_written).collect();
        self.waiting.iter_mut().for_each(|waiting| waiting.is_written = true);
        waiting.iter().try_for_each(|waiting| self.row(waiting.journal, (&waiting.first, None), false, write))
    }

    /// Writes the row that `second` completes.
    fn complete<E>(
        &mut self,
        first: Kind,
        second: &Event,
        write: &mut dyn FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<Taken, E> {
        let waits = self.waits_for(first, second.source);
        let Some(at) = waits.filter(|at| self.waiting[*at].first.instrument == second.instrument) else {
            return Ok(Taken::WithoutItsFirst);
        };
        let waiting = self.waiting.swap_remove(at);
        self.row(waiting.journal, (&waiting.first, Some(second)), waiting.is_written, write)?;
        Ok(Taken::Whole)
    }

    fn waits_for(&self, kind: Kind, source: u8) -> Option<usize> {
        self.waiting.iter().position(|waiting| waiting.first.kind == kind && waiting.first.source == source)
    }

    fn row<E>(
        &self,
        journal: u64,
        events: (&Event, Option<&Event>),
        is_again: bool,
        write: &mut dyn FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some((number, place)) = self.places[usize::from(events.0.kind.0)] else { return Ok(()) };
        let (table, listings, names) = (&self.tables[number], &self.listings, &*self.names);
        let journal = if self.journal.0 == journal { Cow::from(&self.journal.1) } else { id_of(journal).into() };
        write(&Row { table, number, journal, events, is_again, place, listings, names })
    }
}

impl Row<'_> {
    /// The time of the row.
    pub fn ts(&self) -> Ns {
        self.events.0.ts
    }

    /// The id of its journal, as rows show it.
    pub fn journal(&self) -> &str {
        &self.journal
    }

    /// The value in a column of the table.
    pub fn value(&self, column: &Column) -> Value<'_> {
        let first = self.events.0;
        match column.from[self.place] {
            None => Value::Absent,
            Some(From::Header(header)) => self.header(header),
            Some(From::Flag(flag)) => flagged(flag, first, column.ty),
            Some(From::Account(id)) => Value::Long(OrderId(id.number(&first.body)).account().0.into()),
            Some(From::Strategy(id)) => {
                let number = OrderId(id.number(&first.body)).strategy().0.into();
                Value::named(number, self.names.name(FieldType::Strategy, first.kind, number))
            }
            Some(From::Field(field)) => self.field(field, first),
            Some(From::Follower(field)) => self.events.1.map_or(Value::Absent, |second| self.field(field, second)),
        }
    }

    fn header(&self, header: Header) -> Value<'_> {
        let event = self.events.0;
        match header {
            Header::Ts => Value::time(event.ts.0),
            Header::Journal => Value::Word(Cow::from(&*self.journal)),
            Header::Seq => Value::counted(event.id.seq()),
            Header::Position => Value::Long(event.id.position().into()),
            Header::Ordinal => Value::Long(event.id.ordinal().into()),
            Header::Kind => Value::Word(info(event.kind).name.into()),
            Header::Symbol => {
                let symbol = self.listings.get(event.instrument).map(|listed| listed.symbol.as_str());
                symbol.filter(|symbol| !symbol.is_empty()).map_or(Value::Absent, |symbol| Value::Word(symbol.into()))
            }
            Header::Instrument if event.instrument == 0 => Value::Absent,
            Header::Instrument => Value::Long(event.instrument.into()),
            Header::Source => Value::Long(event.source.into()),
        }
    }

    fn field(&self, field: &'static Field, event: &Event) -> Value<'_> {
        if field.ty == FieldType::Text {
            return text(field.bytes(&event.body));
        }
        let number = field.number(&event.body);
        match field.ty {
            FieldType::Price | FieldType::Average if number as i64 == i64::MAX => Value::Absent,
            FieldType::Step | FieldType::Factor | FieldType::Start | FieldType::Interval if number == 0 => {
                Value::Absent
            }
            FieldType::Nano | FieldType::Money if number as i64 == i64::MIN => Value::Absent,
            FieldType::Volume | FieldType::Sequence if number == u64::MAX => Value::Absent,
            FieldType::Uid | FieldType::Count if number == u64::from(u32::MAX) => Value::Absent,
            FieldType::TimeNs => Value::time(number),
            FieldType::Start => Value::time(number * Ns::SECOND),
            FieldType::OrderId | FieldType::Id => Value::id(number),
            // A reference, a price or a number of something, whatever the anomaly is: 0 is a value.
            FieldType::Detail => Value::signed(number as i64),
            FieldType::Interval => interval(number as u32),
            FieldType::Float => float(f64::from_bits(number)),
            FieldType::Kind => Value::named(number, flow::kind_info(Kind(number as u8)).map(|kind| kind.name)),
            FieldType::Enum(words) | FieldType::Code(words) => Value::named(number, name_of(words, number)),
            FieldType::Strategy | FieldType::Check | FieldType::Limit | FieldType::Instance => {
                Value::named(number, self.names.name(field.ty, event.kind, number))
            }
            ty if ty.is_signed() => Value::signed(number as i64),
            _ => Value::counted(number),
        }
    }
}

/// The id of a journal, as it is written everywhere: 16 hex digits.
pub fn id_of(journal: u64) -> String {
    format!("{journal:016x}")
}

fn flagged(flag: FlagColumn, event: &Event, ty: ColumnType) -> Value<'static> {
    match (flag.is_set(event.flags), event.side()) {
        (Some(is_set), _) if ty == ColumnType::Truth => Value::Truth(is_set),
        (Some(is_set), _) => Value::Word(if is_set { "true" } else { "false" }.into()),
        (None, Side::None) => Value::Absent,
        (None, side) => Value::Word(side.name().into()),
    }
}

fn text(bytes: &[u8]) -> Value<'static> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\0', ' ']);
    if text.is_empty() { Value::Absent } else { Value::Word(text.to_owned().into()) }
}

fn interval(seconds: u32) -> Value<'static> {
    Value::Word(Interval::from_seconds(seconds).map_or_else(|| format!("{seconds}s"), |i| i.to_string()).into())
}

fn float(number: f64) -> Value<'static> {
    if number.is_nan() { Value::Absent } else { Value::Float(number) }
}

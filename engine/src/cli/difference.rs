//! The screen of a repetition that differs from its record.

use super::numbers::{UNKNOWN, grouped};
use super::screen::{INDENT, wrapped};
use super::table::{Align, Cell, Tone, column, table};
use crate::report::{Difference, FieldOnBoth, Side};
use crate::rows::Cell as Value;

/// The first difference, with what probably caused it and what to do next.
pub(super) fn difference(of: &Difference) -> String {
    let input = &of.input;
    let stored = [input.kind.map(str::to_owned), input.time.clone(), input.source.clone()];
    let stored = match stored {
        [Some(kind), Some(time), Some(source)] => format!("{kind} at {time} from {source}"),
        _ => "not stored".to_owned(),
    };
    let mut text = line(Tone::Bad, &format!("DIFFERS   after {} equal outcomes", grouped(of.equal)));
    text += &line(Tone::Plain, &format!("input     {}, {stored}", grouped(input.seq)));
    text += &side("recorded", of.recorded.as_ref());
    text += &side("repeated", of.repeated.as_ref());
    text += &fields(&of.fields);
    for cause in &of.causes {
        text += &line(Tone::Notice, &format!("cause     {}: {}", cause.class.replace('-', " "), cause.reason));
        text += &line(Tone::Plain, &format!("next      {}", cause.next));
    }
    text
}

fn line(tone: Tone, text: &str) -> String {
    format!("{}\n", tone.paint(&wrapped(text, INDENT)))
}

fn side(which: &str, of: Option<&Side>) -> String {
    let Some(Side { kind, symbol, stage, place, of, id }) = of else {
        return line(Tone::Plain, &format!("{which:9} nothing where the other side has an outcome"));
    };
    let stage = stage.as_ref().map_or_else(String::new, |stage| format!(" by {stage}"));
    let symbol = symbol.as_ref().map_or_else(String::new, |symbol| format!(" of {symbol}"));
    line(Tone::Plain, &format!("{which:9} {kind}{symbol}{stage}, outcome {place} of {of} of the input, id {id}"))
}

/// Both sides; a field that differs is marked.
fn fields(fields: &[FieldOnBoth]) -> String {
    let columns = [
        column("field", Align::Left),
        column("", Align::Left),
        column("recorded", Align::Right),
        column("repeated", Align::Right),
        column("unit", Align::Left),
    ];
    let value = |value: &Option<Value>| match value {
        None | Some(Value::Null) => UNKNOWN.to_owned(),
        Some(value) => value.to_csv(),
    };
    let row = |field: &FieldOnBoth| {
        let (mark, tone) = if field.differs { ("≠", Tone::Notice) } else { ("", Tone::Plain) };
        let texts =
            [field.field.clone(), mark.to_owned(), value(&field.recorded), value(&field.repeated), field.unit.clone()];
        texts.map(|text| Cell::new(text, tone)).to_vec()
    };
    table(&columns, &fields.iter().map(row).collect::<Vec<_>>())
}

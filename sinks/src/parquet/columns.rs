//! Rows of one table in memory, column by column, and their way into a row group.
//!
//! **Idea.** A column keeps what is there and a level a row that says whether it is. Words are numbers into those that were seen
//! since the last row group. Integers of 1e-9 become decimals of nine places, exact over all 64 bits.
//!
//! Bound: the rows since the last row group, some 8 bytes a value. Worst case: a column of which every word is another.

use crate::tables::{Column, ColumnType, Row, SCALED, Table, Value};
use ::parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical};
use ::parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, Int32Type,
    Int64Type,
};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use ::parquet::schema::types::{ColumnPath, Type};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

/// Digits of a decimal: those of the largest integer of 64 bits.
const DIGITS: i32 = 19;
/// Of these behind the point.
const PLACES: i32 = 9;
/// Bytes of a decimal with as many digits.
const DECIMAL_BYTES: usize = 9;

/// How the files of a table are written.
pub(super) struct Shape {
    pub(super) schema: Arc<Type>,
    pub(super) properties: Arc<WriterProperties>,
}

impl Shape {
    pub(super) fn of(table: &Table, compression: Compression) -> Result<Shape, ParquetError> {
        let fields = table.columns.iter().map(|column| field(column).map(Arc::new));
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        let schema = Type::group_type_builder(table.spec.name).with_fields(fields).build()?;
        let created = concat!("tidegate ", env!("CARGO_PKG_VERSION")).to_owned();
        let mut properties = WriterProperties::builder().set_compression(compression).set_created_by(created);
        // What grows from row to row is small as differences.
        for column in table.columns.iter().filter(|column| is_rising(column)) {
            let path = ColumnPath::from(column.name.as_str());
            properties = properties.set_column_dictionary_enabled(path.clone(), false);
            properties = properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
        Ok(Shape { schema: Arc::new(schema), properties: Arc::new(properties.build()) })
    }
}

fn is_rising(column: &Column) -> bool {
    column.is_key && matches!(column.ty, ColumnType::Time | ColumnType::Long)
}

/// Whether every row has a value: what is part of its key, and what is true or false.
fn is_required(column: &Column) -> bool {
    column.is_key || column.ty == ColumnType::Truth
}

/// The column of a file, without the end of the name that says the unit of an integer.
fn field(column: &Column) -> Result<Type, ParquetError> {
    let (physical, logical) = match column.ty {
        _ if column.is_scaled() => (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::decimal(PLACES, DIGITS))),
        ColumnType::Word => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnType::Small => (Physical::INT32, None),
        ColumnType::Long => (Physical::INT64, None),
        ColumnType::Float => (Physical::DOUBLE, None),
        ColumnType::Truth => (Physical::BOOLEAN, None),
        ColumnType::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
    };
    let name = column.name.strip_suffix(SCALED).unwrap_or(&column.name);
    let repetition = if is_required(column) { Repetition::REQUIRED } else { Repetition::OPTIONAL };
    let builder = Type::primitive_type_builder(name, physical).with_logical_type(logical).with_repetition(repetition);
    let is_decimal = column.is_scaled();
    let builder = if is_decimal { builder.with_length(DECIMAL_BYTES as i32) } else { builder };
    if is_decimal { builder.with_precision(DIGITS).with_scale(PLACES).build() } else { builder.build() }
}

/// Rows of a table.
pub(super) struct Columns {
    columns: Vec<Cells>,
    rows: usize,
}

impl Columns {
    pub(super) fn of(table: &Table) -> Columns {
        Columns { columns: table.columns.iter().map(Cells::of).collect(), rows: 0 }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Takes a row in, as a whole or not at all.
    ///
    /// # Errors
    /// The column and the reason, if it cannot hold a value.
    pub(super) fn add<'a>(&mut self, row: &Row<'a>) -> Result<(), (&'a str, &'static str)> {
        for (at, column) in row.table.columns.iter().enumerate() {
            if let Err(why) = self.columns[at].push(&row.value(column)) {
                self.columns[..at].iter_mut().for_each(Cells::pop);
                return Err((&column.name, why));
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Writes the rows as a row group, and forgets them.
    pub(super) fn write<W: Write + Send>(&mut self, file: &mut SerializedFileWriter<W>) -> Result<(), ParquetError> {
        let mut group = file.next_row_group()?;
        for cells in &mut self.columns {
            let mut column =
                group.next_column()?.ok_or_else(|| ParquetError::General("a column too few".to_owned()))?;
            cells.write(&mut column)?;
            column.close()?;
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }
}

/// A column.
struct Cells {
    values: Values,
    /// By row, whether there is a value; absent where there always is.
    levels: Option<Vec<i16>>,
}

enum Values {
    Words { numbers: Vec<u32>, seen: BTreeMap<String, u32>, words: Vec<ByteArray> },
    Smalls(Vec<i32>),
    Longs(Vec<i64>),
    Decimals(Vec<i64>),
    Floats(Vec<f64>),
    Truths(Vec<bool>),
}

impl Cells {
    fn of(column: &Column) -> Cells {
        let values = match column.ty {
            _ if column.is_scaled() => Values::Decimals(Vec::new()),
            ColumnType::Word => Values::Words { numbers: Vec::new(), seen: BTreeMap::new(), words: Vec::new() },
            ColumnType::Small => Values::Smalls(Vec::new()),
            ColumnType::Long | ColumnType::Time => Values::Longs(Vec::new()),
            ColumnType::Float => Values::Floats(Vec::new()),
            ColumnType::Truth => Values::Truths(Vec::new()),
        };
        Cells { values, levels: (!is_required(column)).then(Vec::new) }
    }

    fn push(&mut self, value: &Value<'_>) -> Result<(), &'static str> {
        let level = match (&mut self.values, value) {
            (_, Value::Unfit(why)) => return Err(why),
            (_, Value::Absent) if self.levels.is_none() => return Err("it is absent, and no row may be without it"),
            (_, Value::Absent) => 0,
            (Values::Words { numbers, seen, words }, Value::Word(word)) => {
                numbers.push(number_of(word, numbers.last(), seen, words));
                1
            }
            (Values::Smalls(values), Value::Long(value)) => {
                values.push(i32::try_from(*value).map_err(|_| "it is above 2^31 - 1")?);
                1
            }
            (Values::Longs(values), Value::Long(value) | Value::Time(value))
            | (Values::Decimals(values), Value::Long(value)) => {
                values.push(*value);
                1
            }
            (Values::Floats(values), Value::Float(value)) => {
                values.push(*value);
                1
            }
            (Values::Truths(values), Value::Truth(value)) => {
                values.push(*value);
                1
            }
            _ => return Err("it is of another type than its column"),
        };
        if let Some(levels) = &mut self.levels {
            levels.push(level);
        }
        Ok(())
    }

    /// Drops the last row.
    fn pop(&mut self) {
        if self.levels.as_mut().is_some_and(|levels| levels.pop() == Some(0)) {
            return;
        }
        match &mut self.values {
            Values::Words { numbers, .. } => drop(numbers.pop()),
            Values::Smalls(values) => drop(values.pop()),
            Values::Longs(values) | Values::Decimals(values) => drop(values.pop()),
            Values::Floats(values) => drop(values.pop()),
            Values::Truths(values) => drop(values.pop()),
        }
    }

    fn write(&mut self, to: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = self.levels.as_mut();
        match &mut self.values {
            Values::Words { numbers, seen, words } => {
                let mut values = numbers.drain(..).map(|number| words[number as usize].clone()).collect();
                write::<ByteArrayType>(to, &mut values, levels)?;
                seen.clear();
                words.clear();
                Ok(())
            }
            Values::Decimals(values) => {
                let mut values = decimals(values);
                write::<FixedLenByteArrayType>(to, &mut values, levels)
            }
            Values::Smalls(values) => write::<Int32Type>(to, values, levels),
            Values::Longs(values) => write::<Int64Type>(to, values, levels),
            Values::Floats(values) => write::<DoubleType>(to, values, levels),
            Values::Truths(values) => write::<BoolType>(to, values, levels),
        }
    }
}

fn write<T: DataType>(
    to: &mut SerializedColumnWriter<'_>,
    values: &mut Vec<T::T>,
    levels: Option<&mut Vec<i16>>,
) -> Result<(), ParquetError> {
    to.typed::<T>().write_batch(values, levels.as_ref().map(|levels| levels.as_slice()), None)?;
    values.clear();
    levels.into_iter().for_each(Vec::clear);
    Ok(())
}

/// The number of a word, which is often the last one.
fn number_of(word: &str, last: Option<&u32>, seen: &mut BTreeMap<String, u32>, words: &mut Vec<ByteArray>) -> u32 {
    if let Some(last) = last.filter(|last| words[**last as usize].data() == word.as_bytes()) {
        return *last;
    }
    if let Some(number) = seen.get(word) {
        return *number;
    }
    let number = words.len() as u32;
    words.push(ByteArray::from(word));
    seen.insert(word.to_owned(), number);
    number
}

/// The decimals of integers, as slices of one block: big-endian, with the sign in the first byte.
fn decimals(values: &mut Vec<i64>) -> Vec<FixedLenByteArray> {
    let mut bytes = Vec::with_capacity(values.len() * DECIMAL_BYTES);
    for value in values.iter() {
        bytes.push(if *value < 0 { 0xff } else { 0 });
        bytes.extend(value.to_be_bytes());
    }
    let block = ByteArray::from(bytes);
    let slice = |at: usize| FixedLenByteArray::from(block.slice(at * DECIMAL_BYTES, DECIMAL_BYTES));
    let slices = (0..values.len()).map(slice).collect();
    values.clear();
    slices
}

//! Parameters: what a configuration can set.
//!
//! A registry entry lists its [`Param`]s with type, unit, range, default and when a change takes effect. Configuration,
//! `--set`, validation and help are derived from that list. Code reads a value through the constant that declares it
//! ([`TypedParam`](crate::TypedParam)), so no code reads a setting that is not in a registry. The value of a secret is never
//! here: a configuration says [where it is](crate::SecretPlace), and no message repeats what was written instead.

use crate::SecretPlace;
use std::collections::BTreeMap;
use std::fmt;

/// Type and range of a parameter.
#[derive(Clone, Copy, Debug)]
pub enum ParamType {
    /// `true` or `false`.
    Bool,
    /// An integer in a closed range.
    Int(u64, u64),
    /// An integer in a closed range, or none: then nothing is written there, or an empty text.
    OptionalInt(u64, u64),
    /// A number in a closed range.
    Float(f64, f64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Free text.
    Text,
    /// What a file holds. The configuration names the file, or has the lines themselves; whoever reads the configuration reads
    /// the file, so the value, the record of a run and its comparison at a restart never depend on the file again.
    File,
    /// A list of texts.
    List,
    /// Integers by name.
    Table(&'static [TableKey]),
    /// The place of a secret; empty = there is none.
    Secret,
}

/// A name in a [`ParamType::Table`], and the closed range of its integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableKey {
    /// The name.
    pub name: &'static str,
    /// The least value.
    pub low: u64,
    /// The largest value.
    pub high: u64,
}

/// When a change takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Effective {
    /// At the next event.
    Now = 1,
    /// When the running bar has closed.
    NextBar = 2,
    /// When the next session starts.
    NextSession = 3,
    /// After a restart.
    Restart = 4,
}

impl Effective {
    /// Every variant's number in records and its name.
    pub const WORDS: &'static [(u32, &'static str)] =
        &[(1, "now"), (2, "next bar"), (3, "next session"), (4, "restart")];

    /// Its number in records.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name that help prints.
    pub const fn name(self) -> &'static str {
        Self::WORDS[self as usize - 1].1
    }
}

/// A parameter of a stage, feed, sink or of the engine itself.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Name within its section.
    pub name: &'static str,
    /// Type and range.
    pub ty: ParamType,
    /// Unit, empty if it has none.
    pub unit: &'static str,
    /// Default, written as in `--set`: `a,b` is a list, `a=1,b=2` a table.
    pub default: &'static str,
    /// When a change takes effect.
    pub effective: Effective,
    /// Whether single symbols may have values of their own.
    pub per_symbol: bool,
    /// Description, in one sentence.
    pub about: &'static str,
}

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// See [`ParamType::Bool`].
    Bool(bool),
    /// See [`ParamType::Int`], and [`ParamType::OptionalInt`] with an integer.
    Int(u64),
    /// See [`ParamType::Float`].
    Float(f64),
    /// See [`ParamType::Choice`], [`ParamType::Text`], [`ParamType::File`] and [`ParamType::Secret`]; empty for a
    /// [`ParamType::OptionalInt`] without one.
    Text(String),
    /// See [`ParamType::List`].
    List(Vec<String>),
    /// See [`ParamType::Table`].
    Table(BTreeMap<&'static str, u64>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(v) => v.fmt(f),
            Value::Int(v) => v.fmt(f),
            Value::Float(v) => v.fmt(f),
            Value::Text(v) => v.fmt(f),
            Value::List(v) => v.join(",").fmt(f),
            Value::Table(v) => v.iter().map(|(k, n)| format!("{k}={n}")).collect::<Vec<_>>().join(",").fmt(f),
        }
    }
}

/// Why a value is not valid.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{key}: {found:?} is not valid; {valid}")]
pub struct ParamError {
    /// Full key.
    pub key: String,
    /// The given value.
    pub found: String,
    /// Values that are valid.
    pub valid: String,
}

impl ParamError {
    /// What is said of a secret that was written out: never the value.
    pub const WRITTEN_OUT: &'static str = "not the place of a secret";
}

impl Param {
    /// The valid values, in words.
    pub fn valid(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" ({})", self.unit) };
        match self.ty {
            ParamType::Bool => "valid: true or false".to_owned(),
            ParamType::Int(low, high) => format!("valid: an integer from {low} to {high}{unit}"),
            ParamType::OptionalInt(low, high) => format!("valid: an integer from {low} to {high}{unit}, or none"),
            ParamType::Float(low, high) => format!("valid: a number from {low} to {high}{unit}"),
            ParamType::Choice(words) => format!("valid: {}", words.join(", ")),
            ParamType::Text => format!("valid: a text{unit}"),
            ParamType::File => "valid: the path of a file of lines, or the lines themselves".to_owned(),
            ParamType::List => format!("valid: a list{unit}"),
            ParamType::Table(keys) => {
                let keys: Vec<_> = keys.iter().map(|k| format!("{} ({} to {})", k.name, k.low, k.high)).collect();
                format!("valid: a table of integers by name: {}", keys.join(", "))
            }
            ParamType::Secret => {
                "write where the secret is, not the secret; valid: file:PATH, env:NAME, credential:NAME".to_owned()
            }
        }
    }

    /// Reads a value written as text.
    ///
    /// # Errors
    /// When the value has the wrong type or is out of range; `key` names the parameter in the message.
    pub fn parse(&self, key: &str, text: &str) -> Result<Value, ParamError> {
        let fault = |found: &str| ParamError { key: key.to_owned(), found: found.to_owned(), valid: self.valid() };
        let value = match self.ty {
            ParamType::Bool => text.parse().ok().map(Value::Bool),
            ParamType::Int(low, high) => {
                text.replace('_', "").parse().ok().filter(|v| (low..=high).contains(v)).map(Value::Int)
            }
            ParamType::OptionalInt(..) if text.is_empty() => Some(Value::Text(String::new())),
            ParamType::OptionalInt(low, high) => {
                return Param { ty: ParamType::Int(low, high), ..*self }.parse(key, text).map_err(|_| fault(text));
            }
            ParamType::Float(low, high) => text.parse().ok().filter(|v| (low..=high).contains(v)).map(Value::Float),
            ParamType::Choice(words) => words.contains(&text).then(|| Value::Text(text.to_owned())),
            ParamType::Text => Some(Value::Text(text.to_owned())),
            // A path is not a value: it was not replaced by what the file holds.
            ParamType::File => (text.is_empty() || text.contains('\n')).then(|| Value::Text(text.to_owned())),
            ParamType::List => {
                Some(Value::List(text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()))
            }
            ParamType::Table(_) => {
                let entry = |entry: &str| {
                    let (name, number) = entry.split_once('=').ok_or_else(|| fault(entry))?;
                    self.parse_entry(key, name.trim(), number.trim())
                };
                let entries = text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(entry);
                return entries.collect::<Result<_, _>>().map(Value::Table);
            }
            ParamType::Secret if text.is_empty() || SecretPlace::parse(text).is_some() => {
                Some(Value::Text(text.to_owned()))
            }
            ParamType::Secret => return Err(fault(ParamError::WRITTEN_OUT)),
        };
        value.ok_or_else(|| fault(text))
    }

    /// Reads an entry of a table.
    ///
    /// # Errors
    /// When this is no table, it has no such name (the error's key is then `key` itself), or the number is not in its range.
    pub fn parse_entry(&self, key: &str, name: &str, number: &str) -> Result<(&'static str, u64), ParamError> {
        let keys = if let ParamType::Table(keys) = self.ty { keys } else { &[] };
        let Some(entry) = keys.iter().find(|k| k.name == name) else {
            return Err(ParamError { key: key.to_owned(), found: name.to_owned(), valid: self.valid() });
        };
        let TableKey { low, high, .. } = *entry;
        let number_in_range = number.replace('_', "").parse().ok().filter(|v| (low..=high).contains(v));
        number_in_range.map(|v| (entry.name, v)).ok_or_else(|| ParamError {
            key: format!("{key}.{name}"),
            found: number.to_owned(),
            valid: format!("valid: an integer from {low} to {high}"),
        })
    }
}

impl Param {
    /// A value as the bits of a command; texts, lists and tables have none.
    pub fn bits(&self, value: &Value) -> Option<i64> {
        match (self.ty, value) {
            (ParamType::Bool, Value::Bool(v)) => Some((*v).into()),
            (ParamType::Int(..), Value::Int(v)) => Some(v.cast_signed()),
            (ParamType::Float(..), Value::Float(v)) => Some(v.to_bits().cast_signed()),
            (ParamType::Choice(words), Value::Text(v)) => words.iter().position(|word| word == v).map(|at| at as i64),
            _ => None,
        }
    }

    /// The value of these bits, if it is one that the parameter may have.
    pub fn of_bits(&self, bits: i64) -> Option<Value> {
        match self.ty {
            ParamType::Bool => (0..=1).contains(&bits).then_some(Value::Bool(bits == 1)),
            ParamType::Int(low, high) => {
                Some(bits.cast_unsigned()).filter(|v| (low..=high).contains(v)).map(Value::Int)
            }
            ParamType::Float(low, high) => {
                Some(f64::from_bits(bits.cast_unsigned())).filter(|v| (low..=high).contains(v)).map(Value::Float)
            }
            ParamType::Choice(words) => {
                usize::try_from(bits).ok().and_then(|at| words.get(at)).map(|word| Value::Text((*word).to_owned()))
            }
            _ => None,
        }
    }

    /// Whether a command may set it while a run goes on.
    pub fn is_live(&self) -> bool {
        self.effective != Effective::Restart
    }
}

/// The values of one section, defaults filled in, what it sets for single symbols, and tables beside it that its entry reads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params {
    values: BTreeMap<&'static str, Value>,
    symbols: BTreeMap<String, BTreeMap<&'static str, Value>>,
    tables: BTreeMap<&'static str, Vec<Params>>,
}

impl Params {
    /// The defaults of a list of parameters.
    ///
    /// # Panics
    /// When a default is not valid for its own parameter, which a test of the registries rules out.
    pub fn defaults(params: &[Param]) -> Params {
        let default = |p: &Param| (p.name, p.parse(p.name, p.default).expect("a default is valid"));
        Params { values: params.iter().map(default).collect(), ..Params::default() }
    }

    /// Sets a value, which the caller made with [`Param::parse`].
    pub fn set(&mut self, param: &Param, value: Value) {
        self.values.insert(param.name, value);
    }

    /// All values by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.values.iter().map(|(k, v)| (*k, v))
    }

    /// Sets a value of one symbol, which the caller made with [`Param::parse`].
    pub fn set_for(&mut self, symbol: &str, param: &Param, value: Value) {
        self.symbols.entry(symbol.to_owned()).or_default().insert(param.name, value);
    }

    /// What is set for single symbols.
    pub fn symbols(&self) -> impl Iterator<Item = (&String, &BTreeMap<&'static str, Value>)> {
        self.symbols.iter()
    }

    /// The values of a symbol: its own, and those of all.
    #[must_use]
    pub fn of_symbol(&self, symbol: &str) -> Params {
        let mut of = self.without_symbols();
        let own = self.symbols.get(symbol).into_iter().flatten();
        of.values.extend(own.map(|(name, value)| (*name, value.clone())));
        of
    }

    /// The values of all symbols.
    #[must_use]
    pub fn without_symbols(&self) -> Params {
        Params { values: self.values.clone(), tables: self.tables.clone(), ..Params::default() }
    }

    /// Takes a value back that a symbol has of its own.
    pub fn forget_for(&mut self, symbol: &str, name: &str) {
        if let Some(own) = self.symbols.get_mut(symbol) {
            own.remove(name);
            if own.is_empty() {
                self.symbols.remove(symbol);
            }
        }
    }

    /// The value that a symbol has of its own.
    pub fn own_value(&self, symbol: &str, name: &str) -> Option<&Value> {
        self.symbols.get(symbol).and_then(|own| own.get(name))
    }

    /// Adds a table of that name, with the values that it sets alone.
    pub fn add_table(&mut self, name: &'static str, table: Params) {
        self.tables.entry(name).or_default().push(table);
    }

    /// The tables of that name, in the order of the configuration.
    pub fn tables(&self, name: &str) -> &[Params] {
        self.tables.get(name).map_or(&[], Vec::as_slice)
    }

    /// The value with this name, if there is one.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }
}

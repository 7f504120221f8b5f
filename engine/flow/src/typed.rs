//! Typed parameters: a constant that declares a parameter and knows the type of its value.
//!
//! `const WINDOW: IntParam = IntParam::new("window", (1, 400), "50", "…")` writes the name once: the registry entry lists
//! `WINDOW.param()`, the code reads `params.get(WINDOW)`. A misspelt parameter does not compile, and a value arrives in the
//! type that the code uses: an integer that fits, or the enum variant that a choice names.
//!
//! Bound: one constant each. Worst case of a read: one look-up by name, and for a choice one pass over its words.

use crate::SecretPlace;
use crate::param::{Effective, Param, ParamType, Params, TableKey, Value};
use std::collections::BTreeMap;
use std::marker::PhantomData;

/// A parameter and the way its value is read; see the aliases below.
#[derive(Clone, Copy, Debug)]
pub struct TypedParam<K> {
    param: Param,
    kind: K,
}

/// `true` or `false`.
pub type BoolParam = TypedParam<Bool>;
/// An integer in a closed range, as any unsigned type that holds the range.
pub type IntParam<T = u64> = TypedParam<Int<T>>;
/// An integer in a closed range or none, as an option of any unsigned type that holds the range.
pub type OptionalIntParam<T = u64> = TypedParam<OptionalInt<T>>;
/// A number in a closed range.
pub type FloatParam = TypedParam<Float>;
/// One of a few words, each with its value of type `T`.
pub type ChoiceParam<T> = TypedParam<Choice<T>>;
/// Free text.
pub type TextParam = TypedParam<Text>;
/// What a file holds.
pub type FileParam = TypedParam<File>;
/// A list of texts.
pub type ListParam = TypedParam<List>;
/// Integers by name.
pub type TableParam = TypedParam<Table>;
/// The place of a secret.
pub type SecretParam = TypedParam<Secret>;

/// How a parameter's value is read.
pub trait ParamKind: Copy {
    /// The type that the code reads.
    type Of<'a>;
    /// The stored value in that type; `None` if the parameter does not allow it.
    fn read<'a>(self, param: &Param, value: &'a Value) -> Option<Self::Of<'a>>;
}

impl<K: Copy> TypedParam<K> {
    const fn of(name: &'static str, ty: ParamType, default: &'static str, about: &'static str, kind: K) -> Self {
        let param = Param { name, ty, unit: "", default, effective: Effective::Restart, per_symbol: false, about };
        TypedParam { param, kind }
    }

    /// Sets the unit.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.param.unit = unit;
        self
    }

    /// Lets a change take effect at the next event instead of after a restart.
    #[must_use]
    pub const fn live(mut self) -> Self {
        self.param.effective = Effective::Now;
        self
    }

    /// Lets a change take effect when the running bar has closed.
    #[must_use]
    pub const fn next_bar(mut self) -> Self {
        self.param.effective = Effective::NextBar;
        self
    }

    /// Lets a change take effect when the next session starts, of each instrument its own.
    #[must_use]
    pub const fn next_session(mut self) -> Self {
        self.param.effective = Effective::NextSession;
        self
    }

    /// Lets single symbols have values of their own.
    #[must_use]
    pub const fn per_symbol(mut self) -> Self {
        self.param.per_symbol = true;
        self
    }

    /// The parameter's description, for the registry entry.
    pub const fn param(self) -> Param {
        self.param
    }

    /// The parameter's name.
    pub const fn name(self) -> &'static str {
        self.param.name
    }
}

impl Params {
    /// The value of a parameter.
    ///
    /// # Panics
    /// When the parameter is not in the registry entry of these values.
    pub fn get<K: ParamKind>(&self, typed: TypedParam<K>) -> K::Of<'_> {
        let (name, stored) = (typed.param.name, self.value(typed.param.name));
        let value = self.find(typed);
        value.unwrap_or_else(|| panic!("the parameter {name} is not in this registry entry; found {stored:?}"))
    }

    /// The value of a parameter, if it is set.
    pub fn find<K: ParamKind>(&self, typed: TypedParam<K>) -> Option<K::Of<'_>> {
        typed.kind.read(&typed.param, self.value(typed.param.name)?)
    }
}

/// Reads a [`BoolParam`].
#[derive(Clone, Copy, Debug)]
pub struct Bool;

impl BoolParam {
    /// A flag.
    pub const fn new(name: &'static str, default: bool, about: &'static str) -> Self {
        Self::of(name, ParamType::Bool, if default { "true" } else { "false" }, about, Bool)
    }
}

impl ParamKind for Bool {
    type Of<'a> = bool;

    fn read(self, _: &Param, value: &Value) -> Option<bool> {
        if let Value::Bool(v) = value { Some(*v) } else { None }
    }
}

/// Reads an [`IntParam`].
#[derive(Clone, Copy, Debug)]
pub struct Int<T>(PhantomData<T>);

/// An unsigned integer type in which a parameter can be read.
pub trait Unsigned: Copy + TryFrom<u64> {
    /// Its largest value.
    const MOST: u64;
}

macro_rules! unsigned {
    ($($ty:ty)*) => {
        $( impl Unsigned for $ty {
            const MOST: u64 = <$ty>::MAX as u64;
        } )*
    };
}

unsigned!(u8 u16 u32 u64 usize);

impl<T: Unsigned> IntParam<T> {
    /// An integer from the first to the second number of `range`, both included. A range that does not fit `T` does not
    /// compile.
    pub const fn new(name: &'static str, range: (u64, u64), default: &'static str, about: &'static str) -> Self {
        assert!(range.0 <= range.1 && range.1 <= T::MOST, "the type holds the range");
        Self::of(name, ParamType::Int(range.0, range.1), default, about, Int(PhantomData))
    }
}

impl<T: Unsigned> ParamKind for Int<T> {
    type Of<'a> = T;

    fn read(self, _: &Param, value: &Value) -> Option<T> {
        if let Value::Int(v) = value { T::try_from(*v).ok() } else { None }
    }
}

/// Reads an [`OptionalIntParam`].
#[derive(Clone, Copy, Debug)]
pub struct OptionalInt<T>(PhantomData<T>);

impl<T: Unsigned> OptionalIntParam<T> {
    /// An integer from the first to the second number of `range`, both included, or none; there is none unless it is set. A
    /// range that does not fit `T` does not compile.
    pub const fn new(name: &'static str, range: (u64, u64), about: &'static str) -> Self {
        assert!(range.0 <= range.1 && range.1 <= T::MOST, "the type holds the range");
        Self::of(name, ParamType::OptionalInt(range.0, range.1), "", about, OptionalInt(PhantomData))
    }
}

impl<T: Unsigned> ParamKind for OptionalInt<T> {
    type Of<'a> = Option<T>;

    fn read(self, _: &Param, value: &Value) -> Option<Option<T>> {
        match value {
            Value::Int(v) => T::try_from(*v).ok().map(Some),
            Value::Text(v) if v.is_empty() => Some(None),
            _ => None,
        }
    }
}

/// Reads a [`FloatParam`].
#[derive(Clone, Copy, Debug)]
pub struct Float;

impl FloatParam {
    /// A number from the first to the second number of `range`, both included.
    pub const fn new(name: &'static str, range: (f64, f64), default: &'static str, about: &'static str) -> Self {
        assert!(range.0 <= range.1, "a range");
        Self::of(name, ParamType::Float(range.0, range.1), default, about, Float)
    }
}

impl ParamKind for Float {
    type Of<'a> = f64;

    fn read(self, _: &Param, value: &Value) -> Option<f64> {
        if let Value::Float(v) = value { Some(*v) } else { None }
    }
}

/// The words of a choice and their values; written with [`choices!`](crate::choices).
#[derive(Clone, Copy, Debug)]
pub struct Choices<T: 'static> {
    /// The words.
    pub words: &'static [&'static str],
    /// Their values, in the same order.
    pub values: &'static [T],
}

/// The [`Choices`] of a [`ChoiceParam`]: `choices! { "exact" => Mode::Exact, "bulk" => Mode::Bulk }`.
#[macro_export]
macro_rules! choices {
    ($($word:expr => $value:expr),* $(,)?) => {
        $crate::Choices { words: &[$($word),*], values: &[$($value),*] }
    };
}

/// Reads a [`ChoiceParam`].
#[derive(Clone, Copy, Debug)]
pub struct Choice<T: 'static>(&'static [T]);

impl<T: Copy> ChoiceParam<T> {
    /// One of the words of `choices`.
    pub const fn new(name: &'static str, choices: Choices<T>, default: &'static str, about: &'static str) -> Self {
        assert!(choices.words.len() == choices.values.len(), "a value for each word");
        Self::of(name, ParamType::Choice(choices.words), default, about, Choice(choices.values))
    }
}

impl<T: Copy> ParamKind for Choice<T> {
    type Of<'a> = T;

    fn read(self, param: &Param, value: &Value) -> Option<T> {
        let (ParamType::Choice(words), Value::Text(word)) = (param.ty, value) else { return None };
        words.iter().zip(self.0).find(|(w, _)| *w == word).map(|(_, v)| *v)
    }
}

/// Reads a [`TextParam`].
#[derive(Clone, Copy, Debug)]
pub struct Text;

impl TextParam {
    /// A text.
    pub const fn new(name: &'static str, default: &'static str, about: &'static str) -> Self {
        Self::of(name, ParamType::Text, default, about, Text)
    }
}

impl ParamKind for Text {
    type Of<'a> = &'a str;

    fn read<'a>(self, _: &Param, value: &'a Value) -> Option<&'a str> {
        if let Value::Text(v) = value { Some(v) } else { None }
    }
}

/// Reads a [`FileParam`].
#[derive(Clone, Copy, Debug)]
pub struct File;

impl FileParam {
    /// What a file holds; empty unless it is set.
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        Self::of(name, ParamType::File, "", about, File)
    }
}

impl ParamKind for File {
    type Of<'a> = &'a str;

    fn read<'a>(self, _: &Param, value: &'a Value) -> Option<&'a str> {
        if let Value::Text(v) = value { Some(v) } else { None }
    }
}

/// Reads a [`ListParam`].
#[derive(Clone, Copy, Debug)]
pub struct List;

impl ListParam {
    /// A list; the default is comma-separated.
    pub const fn new(name: &'static str, default: &'static str, about: &'static str) -> Self {
        Self::of(name, ParamType::List, default, about, List)
    }
}

impl ParamKind for List {
    type Of<'a> = &'a [String];

    fn read<'a>(self, _: &Param, value: &'a Value) -> Option<&'a [String]> {
        if let Value::List(v) = value { Some(v) } else { None }
    }
}

/// Reads a [`TableParam`].
#[derive(Clone, Copy, Debug)]
pub struct Table;

impl TableParam {
    /// A table, empty unless it is set, of some of these names.
    pub const fn new(name: &'static str, keys: &'static [TableKey], about: &'static str) -> Self {
        Self::of(name, ParamType::Table(keys), "", about, Table)
    }
}

impl ParamKind for Table {
    type Of<'a> = &'a BTreeMap<&'static str, u64>;

    fn read<'a>(self, _: &Param, value: &'a Value) -> Option<Self::Of<'a>> {
        if let Value::Table(v) = value { Some(v) } else { None }
    }
}

/// Reads a [`SecretParam`].
#[derive(Clone, Copy, Debug)]
pub struct Secret;

impl SecretParam {
    /// The place of a secret; there is none unless it is set.
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        Self::of(name, ParamType::Secret, "", about, Secret)
    }
}

impl ParamKind for Secret {
    type Of<'a> = Option<SecretPlace>;

    fn read(self, _: &Param, value: &Value) -> Option<Option<SecretPlace>> {
        if let Value::Text(v) = value { Some(SecretPlace::parse(v)) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Mode {
        Exact,
        Bulk,
    }

    const WINDOW: IntParam<u16> = IntParam::new("window", (1, 400), "50", "a window").unit("bars").live();
    const RATIO: FloatParam = FloatParam::new("ratio", (-1.0, 1.0), "0.5", "a ratio");
    const MODE: ChoiceParam<Mode> =
        ChoiceParam::new("mode", crate::choices! { "exact" => Mode::Exact, "bulk" => Mode::Bulk }, "exact", "a mode");
    const SHORT: BoolParam = BoolParam::new("short", true, "a flag");
    const FILE: TextParam = TextParam::new("file", "a.csv", "a file");
    const SYMBOLS: ListParam = ListParam::new("symbols", "A, B", "symbols");
    const MOST: TableParam = TableParam::new(
        "most",
        &[TableKey { name: "a-b", low: 1, high: 9 }, TableKey { name: "c", low: 0, high: 5 }],
        "a table",
    );
    const KEY: SecretParam = SecretParam::new("key", "a secret");
    const CORE: OptionalIntParam<usize> = OptionalIntParam::new("core", (0, 63), "a core");
    const PARAMS: &[Param] = &[
        WINDOW.param(),
        RATIO.param(),
        MODE.param(),
        SHORT.param(),
        FILE.param(),
        SYMBOLS.param(),
        MOST.param(),
        KEY.param(),
        CORE.param(),
    ];

    #[test]
    fn each_is_read_in_its_own_type() {
        let mut params = Params::defaults(PARAMS);
        assert_eq!((params.get(WINDOW), params.get(RATIO), params.get(MODE)), (50_u16, 0.5, Mode::Exact));
        assert_eq!((params.get(SHORT), params.get(FILE), params.get(SYMBOLS).join("+")), (true, "a.csv", "A+B".into()));
        params.set(&MODE.param(), MODE.param().parse("mode", "bulk").unwrap());
        assert_eq!(params.get(MODE), Mode::Bulk);
        assert_eq!(
            (WINDOW.param().valid(), WINDOW.name()),
            ("valid: an integer from 1 to 400 (bars)".into(), "window")
        );
        assert_eq!((WINDOW.param().effective, RATIO.param().effective), (Effective::Now, Effective::Restart));
    }

    #[test]
    fn an_integer_that_is_not_set_is_none_and_not_zero() {
        let (core, mut params) = (CORE.param(), Params::defaults(PARAMS));
        assert_eq!(params.get(CORE), None);
        for (text, read) in [("0", Some(0)), ("63", Some(63)), ("", None)] {
            let value = core.parse("x.core", text).unwrap();
            assert_eq!(value.to_string(), text);
            params.set(&core, value);
            assert_eq!(params.get(CORE), read);
        }
        for wrong in ["64", "-1", "two"] {
            let fault = core.parse("x.core", wrong).unwrap_err().to_string();
            assert!(fault.contains("valid: an integer from 0 to 63, or none"), "{fault}");
        }
    }

    #[test]
    fn a_file_is_what_it_holds_and_never_a_path() {
        const ROWS: FileParam = FileParam::new("rows", "rows");
        let (rows, mut params) = (ROWS.param(), Params::defaults(&[ROWS.param()]));
        assert_eq!(params.get(ROWS), "");
        params.set(&rows, rows.parse("x.rows", "a,b\n1,2\n").unwrap());
        assert_eq!(params.get(ROWS), "a,b\n1,2\n");
        assert!(rows.parse("x.rows", "rows.csv").unwrap_err().to_string().contains("a file of lines"));
    }

    #[test]
    fn a_table_names_the_entry_at_fault() {
        let (most, mut params) = (MOST.param(), Params::defaults(PARAMS));
        assert!(params.get(MOST).is_empty());
        let value = most.parse("x.most", "a-b = 7, c=0_5").unwrap();
        assert_eq!(value.to_string(), "a-b=7,c=5");
        assert_eq!(most.parse("x.most", &value.to_string()), Ok(value.clone()));
        params.set(&most, value);
        assert_eq!(params.get(MOST).get("a-b"), Some(&7));
        let fault = |text| most.parse("x.most", text).map_err(|e| (e.key, e.found)).unwrap_err();
        assert_eq!(fault("a-b=7,d=1"), ("x.most".into(), "d".into()));
        assert_eq!(fault("a-b=10"), ("x.most.a-b".into(), "10".into()));
        assert_eq!(fault("a-b"), ("x.most".into(), "a-b".into()));
    }

    #[test]
    fn a_secret_is_a_place_and_what_is_written_instead_is_not_repeated() {
        let (key, mut params) = (KEY.param(), Params::defaults(PARAMS));
        assert_eq!(params.get(KEY), None);
        params.set(&key, key.parse("x.key", "env:VENUE_KEY").unwrap());
        assert_eq!(params.get(KEY), Some(SecretPlace::Env("VENUE_KEY".into())));
        let fault = key.parse("x.key", "hunter2").unwrap_err();
        assert!(!format!("{fault} {fault:?}").contains("hunter2"), "{fault:?}");
        assert!(fault.to_string().contains("write where the secret is, not the secret"), "{fault}");
    }

    #[test]
    #[should_panic(expected = "the parameter window is not in this registry entry")]
    fn one_of_another_entry_is_named() {
        Params::defaults(&PARAMS[1..]).get(WINDOW);
    }
}

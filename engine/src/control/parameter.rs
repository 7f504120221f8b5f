//! A parameter that a command may set: `mom-fast.qty`.
//!
//! Its instance and its place in the entry are the target of the command, its type says how a value is written as bits.
//! Bound: one look at each parameter of a strategy or measure.

use flow::Param;
use stages::Instances;
use stages::risk::CHECKS;

/// A parameter of an instance.
pub(super) struct Parameter {
    /// Its key.
    pub(super) key: String,
    /// The parameter.
    pub(super) param: &'static Param,
    /// The target of the command that sets it.
    pub(super) target: u32,
}

impl Parameter {
    /// The parameter of that key, if a command may set it.
    pub(super) fn named(instances: &Instances, key: &str) -> Option<Parameter> {
        let (name, param) = key.rsplit_once('.')?;
        let owner = instances.owner(name)?;
        let (at, param) = params_of(instances, name).iter().enumerate().find(|(_, p)| p.name == param)?;
        let target = u32::from(owner) << 16 | at as u32;
        param.is_live().then(|| Parameter { key: key.to_owned(), param, target })
    }

    /// The parameter that a command sets.
    pub(super) fn of_target(instances: &Instances, target: u32) -> Option<Parameter> {
        let name = instances.owned_by((target >> 16) as u16)?;
        let param = params_of(instances, name).get(usize::from(target as u16))?;
        Some(Parameter { key: format!("{name}.{}", param.name), param, target })
    }

    /// A value written as text, in bits.
    pub(super) fn bits(&self, text: &str) -> Option<i64> {
        self.param.parse(&self.key, text).ok().and_then(|value| self.param.bits(&value))
    }
}

/// Bits as a value is written.
pub(super) fn text(param: &Param, bits: i64) -> String {
    param.of_bits(bits).map_or_else(|| bits.to_string(), |value| value.to_string())
}

/// The keys of all parameters and limits that commands may set.
pub(super) fn keys(instances: &Instances) -> Vec<String> {
    let of = |name: &str| {
        let live = params_of(instances, name).iter().filter(|param| param.is_live());
        live.map(|param| format!("{name}.{}", param.name)).collect::<Vec<_>>()
    };
    let limits = CHECKS.iter().filter_map(|entry| Some(format!("risk.{}", entry.limit?.name())));
    limits.chain(instances.owner_names().flat_map(of)).collect()
}

fn params_of(instances: &Instances, name: &str) -> &'static [Param] {
    instances.entry(name).map_or(&[], |entry| entry.params())
}

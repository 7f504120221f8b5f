//! Which kinds the outcome log and the outcome hash include.

use crate::config::{Fault, Settings, keys, nearest};
use flow::{KINDS, Kinds, kind_named};

/// The configured kinds, whether or not a stage emits them. An unknown name is a fault.
pub(super) fn outcomes(settings: &Settings, faults: &mut Vec<Fault>) -> Kinds {
    let mut kinds = Kinds::NONE;
    for name in settings.outcomes.get(keys::KINDS) {
        let (without, plain) = name.strip_prefix('-').map_or((false, name.as_str()), |n| (true, n));
        let named = match plain {
            "all" => Some(Kinds::ALL),
            plain => kind_named(plain).map(|k| Kinds::of(&[k.kind])),
        };
        let Some(named) = named else {
            let known = ["all"].into_iter().chain(KINDS.iter().map(|k| k.name));
            let meant = nearest(plain, known).map_or_else(String::new, |n| format!("did you mean {n}? "));
            let valid = "valid: all, the kinds that `tidegate schema` lists, and -KIND to leave one out";
            faults.push(Fault::of_settings("outcomes.kinds", name, &format!("{meant}{valid}")));
            continue;
        };
        kinds = if without { kinds.without(named) } else { kinds.or(named) };
    }
    kinds
}

//! Instances: several of one strategy or one measure in a pipeline, each with its own name, number and values.
//!
//! An entry's own name is its plain instance, with the number of the entry. Every other instance is named by a table of the
//! configuration and has a number of its own, which stands in ids, positions and records. A number belongs to its name for
//! as long as anything of it is in a journal: the configuration that a journal records holds the numbers, those of names
//! that are gone as well, and a journal that carries it over begins with them. Bound: the ranges of [`Instanced::numbers`].

use crate::instance::{Instance, owner_of_measure};
use crate::measures::{MEASURES, MeasureEntry};
use crate::strategies::STRATEGIES;
use flow::{Kind, Registered, StrategyId};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// A registry whose entries may run several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Instanced {
    /// [`STRATEGIES`].
    Strategies,
    /// [`MEASURES`].
    Measures,
}

impl Instanced {
    /// Both.
    pub const ALL: [Instanced; 2] = [Instanced::Strategies, Instanced::Measures];

    /// The table of a configuration that names an instance: `[[strategy]]`, `[[measure]]`.
    pub const fn table(self) -> &'static str {
        match self {
            Instanced::Strategies => "strategy",
            Instanced::Measures => "measure",
        }
    }

    /// The entries.
    pub fn entries(self) -> Vec<&'static dyn Registered> {
        match self {
            Instanced::Strategies => STRATEGIES.iter().map(|entry| entry as &dyn Registered).collect(),
            Instanced::Measures => MEASURES.iter().map(|entry| entry as &dyn Registered).collect(),
        }
    }

    /// The numbers of instances; those below are the entries' own.
    pub const fn numbers(self) -> RangeInclusive<u16> {
        match self {
            Instanced::Strategies => 32..=32_767,
            Instanced::Measures => 128..=255,
        }
    }
}

/// The instances of a configuration, but for the plain ones, and the names of its tables of limits, which rows show too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instances {
    of: BTreeMap<Instanced, Vec<Instance>>,
    /// Numbers of names that are gone.
    retired: BTreeMap<Instanced, BTreeMap<String, u16>>,
    /// What each table of limits is for, in words.
    limits: Vec<String>,
}

impl Instances {
    /// None but the plain ones.
    pub const PLAIN: Instances = Instances { of: BTreeMap::new(), retired: BTreeMap::new(), limits: Vec::new() };

    /// Names the tables of limits, in their order.
    pub fn name_limits(&mut self, names: Vec<String>) {
        self.limits = names;
    }

    /// What the table of limits of that number is for, from 1: `account 2, mom-fast, AAPL`.
    pub fn limit(&self, number: u16) -> Option<&str> {
        self.limits.get(usize::from(number).checked_sub(1)?).map(String::as_str)
    }

    /// Adds an instance.
    pub fn add(&mut self, to: Instanced, instance: Instance) {
        self.of.entry(to).or_default().push(instance);
    }

    /// Keeps the number of a name that is gone.
    pub fn retire(&mut self, of: Instanced, name: &str, number: u16) {
        self.retired.entry(of).or_default().insert(name.to_owned(), number);
    }

    /// The instances of a registry; once they are numbered, in the order of their numbers.
    pub fn of(&self, registry: Instanced) -> &[Instance] {
        self.of.get(&registry).map_or(&[], Vec::as_slice)
    }

    /// The numbers of names that are gone.
    pub fn retired(&self, registry: Instanced) -> impl Iterator<Item = (&str, u16)> {
        self.retired.get(&registry).into_iter().flatten().map(|(name, number)| (name.as_str(), *number))
    }

    /// The instance of that name, and its registry.
    pub fn find(&self, name: &str) -> Option<(Instanced, &Instance)> {
        let all = self.of.iter().flat_map(|(registry, all)| all.iter().map(|instance| (*registry, instance)));
        all.into_iter().find(|(_, instance)| instance.name == name)
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.of.values().flatten().map(|instance| instance.name.as_str())
    }

    /// Gives every instance its number: the one that it had `before`, or that its table gives, or else the next
    /// that nobody had.
    ///
    /// # Errors
    /// The first name whose number is another's, or that finds none.
    pub fn number(&mut self, before: &Instances) -> Result<(), NoNumber> {
        for registry in Instanced::ALL {
            let mut held: BTreeMap<String, u16> = before.retired(registry).map(|(n, at)| (n.to_owned(), at)).collect();
            held.extend(before.of(registry).iter().map(|i| (i.name.clone(), i.number)));
            held.extend(self.retired(registry).map(|(name, number)| (name.to_owned(), number)));
            let all = self.of.entry(registry).or_default();
            let mut taken: BTreeMap<u16, String> = held.iter().map(|(name, number)| (*number, name.clone())).collect();
            for instance in all.iter_mut() {
                let asked = instance.given;
                instance.number = held.get(&instance.name).copied().unwrap_or(asked);
                let number = instance.number;
                if number == 0 {
                    continue;
                }
                let owner = taken.entry(number).or_insert_with(|| instance.name.clone());
                if *owner != instance.name || (asked > 0 && asked != number) {
                    let owner = if *owner == instance.name { number.to_string() } else { owner.clone() };
                    return Err(NoNumber { name: instance.name.clone(), number: asked, owner });
                }
            }
            let last = taken.last_key_value().map_or(registry.numbers().start() - 1, |(last, _)| *last);
            let mut free = last + 1..=*registry.numbers().end();
            for instance in all.iter_mut().filter(|instance| instance.number == 0) {
                let name = &instance.name;
                let none = || NoNumber { name: name.clone(), number: 0, owner: String::new() };
                instance.number = free.next().ok_or_else(none)?;
            }
            all.sort_by_key(|instance| instance.number);
            let gone = held.into_iter().filter(|(name, _)| !all.iter().any(|instance| instance.name == *name));
            self.retired.insert(registry, gone.collect());
        }
        Ok(())
    }

    /// The name of a strategy.
    pub fn strategy(&self, number: StrategyId) -> Option<&str> {
        let own = STRATEGIES.iter().find(|entry| entry.number == number).map(|entry| entry.name);
        own.or_else(|| self.named(Instanced::Strategies, number.0))
    }

    /// The name of a strategy, or its number if it has none.
    pub fn strategy_name(&self, strategy: StrategyId) -> String {
        self.strategy(strategy).map_or_else(|| strategy.0.to_string(), str::to_owned)
    }

    /// The number of the strategy of that name.
    pub fn strategy_number(&self, name: &str) -> Option<StrategyId> {
        let own = STRATEGIES.iter().find(|entry| entry.name == name).map(|entry| entry.number);
        let of = || self.of(Instanced::Strategies).iter().find(|instance| instance.name == name);
        own.or_else(|| of().map(|instance| StrategyId(instance.number)))
    }

    /// The names of all strategies.
    pub fn strategy_names(&self) -> impl Iterator<Item = &str> {
        let named = self.of(Instanced::Strategies).iter().map(|instance| instance.name.as_str());
        STRATEGIES.iter().map(|entry| entry.name).chain(named)
    }

    /// The entry of the strategy or measure that runs under that name.
    pub fn entry(&self, name: &str) -> Option<&'static dyn Registered> {
        let uses = self.find(name).map_or(name, |(_, instance)| instance.uses);
        Instanced::ALL.into_iter().flat_map(Instanced::entries).find(|entry| entry.name() == uses)
    }

    /// The number under which commands name the instance of a strategy or a measure with that name: a strategy's own, a
    /// measure's behind those of all strategies.
    pub fn owner(&self, name: &str) -> Option<u16> {
        let own = self.strategy_number(name).map(|number| number.0);
        own.or_else(|| self.measure_owners().find(|(measure, _)| *measure == name).map(|(_, owner)| owner))
    }

    /// The name of the strategy or measure whose values commands name by that number.
    pub fn owned_by(&self, owner: u16) -> Option<&str> {
        let measure = || self.measure_owners().find(|(_, number)| *number == owner).map(|(name, _)| name);
        self.strategy(StrategyId(owner)).or_else(measure)
    }

    /// The names of all strategies and measures.
    pub fn owner_names(&self) -> impl Iterator<Item = &str> {
        self.strategy_names().chain(self.measure_owners().map(|(name, _)| name))
    }

    fn measure_owners(&self) -> impl Iterator<Item = (&str, u16)> {
        let of = |entry: &'static MeasureEntry| {
            self.measures(entry).map(|(name, number)| (name, owner_of_measure(entry.build.emits, number)))
        };
        MEASURES.iter().flat_map(of)
    }

    /// The instances of a measure: name and number, the plain one first.
    pub fn measures(&self, entry: &MeasureEntry) -> impl Iterator<Item = (&str, u8)> {
        let of = self.of(Instanced::Measures).iter().filter(move |instance| instance.uses == entry.name);
        std::iter::once((entry.name, 0)).chain(of.map(|instance| (instance.name.as_str(), instance.number as u8)))
    }

    /// The name of the measure with that number of instance, which emits this kind.
    pub fn measure(&self, number: u8, kind: Kind) -> Option<&str> {
        let own = || MEASURES.iter().find(|entry| entry.build.emits.contains(&kind)).map(|entry| entry.name);
        if number == 0 { own() } else { self.named(Instanced::Measures, number.into()) }
    }

    fn named(&self, registry: Instanced, number: u16) -> Option<&str> {
        let running = self.of(registry).iter().map(|instance| (instance.name.as_str(), instance.number));
        running.chain(self.retired(registry)).find(|(_, n)| *n == number).map(|(name, _)| name)
    }
}

/// An instance that cannot have a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoNumber {
    /// Its name.
    pub name: String,
    /// The number that its table gives; 0 = none.
    pub number: u16,
    /// Who has that number, or the number that the name has; empty if there is none left.
    pub owner: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instances(names: &[(&str, u16)]) -> Instances {
        let mut instances = Instances::default();
        for (name, number) in names {
            let instance = Instance { name: (*name).to_owned(), uses: "momentum", given: *number, number: 0 };
            instances.add(Instanced::Strategies, instance);
        }
        instances
    }

    fn numbers(of: &Instances) -> Vec<(&str, u16)> {
        of.of(Instanced::Strategies).iter().map(|i| (i.name.as_str(), i.number)).collect()
    }

    #[test]
    fn a_number_belongs_to_its_name_for_ever() {
        let mut first = instances(&[("fast", 0), ("slow", 0), ("mid", 0)]);
        first.number(&Instances::default()).unwrap();
        assert_eq!(numbers(&first), [("fast", 32), ("slow", 33), ("mid", 34)]);
        let mut second = instances(&[("new", 0), ("mid", 0), ("fast", 0)]);
        second.number(&first).unwrap();
        assert_eq!(numbers(&second), [("fast", 32), ("mid", 34), ("new", 35)]);
        assert_eq!(second.strategy(StrategyId(33)), Some("slow"), "rows of what it left still name it");
        let mut third = instances(&[("newest", 0), ("slow", 0)]);
        third.number(&second).unwrap();
        assert_eq!(numbers(&third), [("slow", 33), ("newest", 36)], "it comes back as what it was");
        assert_eq!(third.retired(Instanced::Strategies).collect::<Vec<_>>(), [("fast", 32), ("mid", 34), ("new", 35)]);
    }

    #[test]
    fn a_number_that_another_has_is_refused() {
        let mut before = instances(&[("fast", 0)]);
        before.number(&Instances::default()).unwrap();
        let refused = |names: &[(&str, u16)]| instances(names).number(&before).unwrap_err().owner;
        assert_eq!(refused(&[("other", 32)]), "fast");
        assert_eq!(refused(&[("fast", 40)]), "32");
        assert_eq!(refused(&[("a", 50), ("b", 50)]), "a");
        assert!(instances(&[("other", 50), ("fast", 32)]).number(&before).is_ok());
        let all: Vec<String> = (0..200).map(|n| format!("m{n}")).collect();
        let mut measures = Instances::default();
        for name in all {
            measures.add(Instanced::Measures, Instance { name, uses: "vpin", given: 0, number: 0 });
        }
        assert_eq!(measures.number(&Instances::default()).unwrap_err().name, "m128");
    }

    #[test]
    fn entries_and_instances_never_share_a_number() {
        assert!(STRATEGIES.iter().all(|entry| entry.number.0 < *Instanced::Strategies.numbers().start()));
        let mut all = instances(&[("fast", 32), ("slow", 32_767)]);
        for (name, given) in [("small", 128), ("deep", 255)] {
            all.add(Instanced::Measures, Instance { name: name.to_owned(), uses: "vpin", given, number: 0 });
        }
        all.number(&Instances::default()).unwrap();
        let owners: BTreeMap<_, _> = all.owner_names().map(|name| (all.owner(name).unwrap(), name)).collect();
        assert_eq!(owners.len(), STRATEGIES.len() + MEASURES.len() + 4);
        assert!(owners.iter().all(|(owner, name)| all.owned_by(*owner) == Some(name)));
    }
}

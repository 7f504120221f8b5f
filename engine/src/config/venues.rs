//! Venues in a configuration: `[[venue]]`, and where each order goes.
//!
//! A table says which gateway it uses and under which name, and sets the parameters; the name is a section, as a gateway's own
//! name is. Orders go to the venue that their strategy names, those of paper accounts else to the simulated exchange, all
//! others to `router.venue`. Every venue that is named so is opened. Bound: one look at each strategy and each account.

use super::fault::Fault;
use super::instances::{NAME, USE};
use super::keys::VENUE;
use super::limits::account_of;
use super::nearest::one_of;
use super::read::{Found, Reading};
use super::settings::{NamedGateway, Settings, table};
use flow::{Account, Gateway, ParamError, Params, SIMULATED_EXCHANGE, StrategyId};
use sinks::threading::CORE;
use sinks::{GatewayEntry, Threading};
use stages::exchange_sim::VENUES;
use stages::risk;
use stages::router::{ROUTE, VENUE as OTHERS, route};
use stages::strategies::STRATEGY_VENUE;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A gateway that orders go to.
#[derive(Clone, Debug)]
pub struct UsedGateway {
    /// Its name, which is a section.
    pub name: String,
    /// What it is.
    pub entry: &'static GatewayEntry,
    /// How its thread is run.
    pub threading: Threading,
}

impl UsedGateway {
    /// A fault of its parameters, which its entry names by its own name.
    pub fn fault(&self, error: ParamError) -> Fault {
        let key = error.key.strip_prefix(self.entry.name).map(|rest| format!("{}{rest}", self.name));
        Fault::from(ParamError { key: key.unwrap_or(error.key), ..error })
    }
}

/// Where orders go.
#[derive(Clone, Debug, Default)]
pub struct OrderRouting {
    /// Whether some go to the simulated exchange.
    pub simulated: bool,
    /// The gateways, in the order of their numbers.
    pub gateways: Vec<UsedGateway>,
    /// Of a strategy, of an account, or of all others.
    routes: Vec<(StrategyId, Account, u16)>,
}

impl OrderRouting {
    /// The names of the gateways.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.gateways.iter().map(|gateway| gateway.name.as_str())
    }

    /// Adds the tables that the router and the gate read.
    fn add_to(&self, params: &mut Params) {
        for (strategy, account, venue) in &self.routes {
            params.add_table(ROUTE, route(*strategy, *account, *venue));
        }
    }
}

impl<'i> Reading<'i> {
    /// The tables of venues.
    pub(super) fn venues(&mut self, span: &Range<usize>, value: Found<'i>) {
        self.stands(VENUE, span);
        let DeValue::Array(entries) = value.into_inner() else {
            return self.fault(span, VENUE, "not an array of tables", "write [[venue]] with use and name");
        };
        for (i, entry) in entries.into_iter().enumerate() {
            let (span, key) = (entry.span(), format!("{VENUE}[{}]", i + 1));
            match entry.into_inner() {
                DeValue::Table(table) => self.venue(&key, &span, table),
                _ => self.fault(&span, &key, "not a table", "write use and name"),
            }
        }
    }

    fn venue(&mut self, key: &str, span: &Range<usize>, mut table: DeTable<'i>) {
        let uses = table.remove(USE);
        let text = uses.as_ref().and_then(|uses| uses.get_ref().as_str()).unwrap_or_default();
        let Some(entry) = self.draft.settings.registries.gateway(text) else {
            let at = uses.as_ref().map_or(span.clone(), Spanned::span);
            let shown = if uses.is_some() { self.shown(&at) } else { "missing" };
            let names = self.draft.settings.registries.gateways().iter().map(|entry| entry.name);
            let valid = one_of(shown, names.collect::<Vec<_>>());
            return self.fault(&at, &format!("{key}.{USE}"), shown, &valid);
        };
        let name = table.remove(NAME);
        let at = name.as_ref().map_or(span.clone(), Spanned::span);
        let name = name.as_ref().map_or(Some(entry.name), |name| name.get_ref().as_str()).unwrap_or_default();
        if let Err((found, valid)) = self.draft.settings.check_name(name, entry.name) {
            return self.fault(&at, &format!("{key}.{NAME}"), &found, &valid);
        }
        let name = name.to_owned();
        self.stands(&name, &at);
        let settings = &mut self.draft.settings;
        if name != entry.name {
            settings.venues.insert(name.clone(), Params::defaults(entry.params));
            settings.gateways.push(NamedGateway { name: name.clone(), uses: entry.name });
        }
        let values = settings.venues[&name].clone();
        let values = self.params(&name, table, entry.params, values);
        self.draft.settings.venues.insert(name, values);
    }
}

impl Settings {
    /// The gateway of that name.
    pub fn gateway(&self, name: &str) -> Option<&'static GatewayEntry> {
        let named = self.gateways.iter().find(|gateway| gateway.name == name);
        self.registries.gateway(named.map_or(name, |gateway| gateway.uses))
    }

    /// Where orders go: every venue that something names, `router.venue` first, then those of strategies by their numbers.
    ///
    /// # Errors
    /// Each name that is no venue's, and more gateways than there may be.
    pub fn order_routing(&self) -> Result<OrderRouting, Vec<Fault>> {
        let (mut routing, mut faults) = (OrderRouting::default(), Vec::new());
        let others = self.stages["router"].get(OTHERS);
        let mut named = vec![(StrategyId::NONE, "router.venue".to_owned(), others)];
        let own = self.instances.strategy_names().filter_map(|name| {
            let venue = self.stages[name].find(STRATEGY_VENUE).filter(|venue| !venue.is_empty())?;
            Some((self.instances.strategy_number(name)?, format!("{name}.venue"), venue))
        });
        named.extend(own);
        named.sort_by_key(|(strategy, ..)| *strategy);
        for (strategy, key, venue) in named {
            match self.number_in(&mut routing, venue) {
                Some(number) => routing.routes.push((strategy, Account::NONE, number)),
                None => faults.push(Fault::of_settings(&key, venue, &one_of(venue, self.venue_names()))),
            }
        }
        for table in self.risk_tables().tables(risk::ACCOUNT) {
            if let Some(account) = risk::paper(table) {
                routing.routes.push((StrategyId::NONE, Account(account), SIMULATED_EXCHANGE));
            }
        }
        routing.simulated = routing.routes.iter().any(|(.., venue)| *venue == SIMULATED_EXCHANGE);
        if routing.gateways.len() > Gateway::MOST {
            let (found, most) = (format!("{} gateways", routing.gateways.len()), Gateway::MOST);
            faults.push(Fault::of_settings(VENUE, &found, &format!("valid: up to {most} that orders go to")));
        }
        if faults.is_empty() { Ok(routing) } else { Err(faults) }
    }

    /// The same, but every order goes to the simulated exchange; and the names of the venues to which orders went outside the process.
    ///
    /// # Errors
    /// As [`Settings::order_routing`].
    pub fn simulated(mut self) -> Result<(Settings, Vec<String>), Vec<Fault>> {
        let outside = self.order_routing()?.gateways;
        if outside.is_empty() {
            return Ok((self, Vec::new()));
        }
        let named = |name: &&str| self.stages[*name].find(STRATEGY_VENUE).is_some_and(|venue| !venue.is_empty());
        let strategies: Vec<_> = self.instances.strategy_names().filter(named).map(str::to_owned).collect();
        let inside = VENUES[0].name;
        for section in strategies.iter().map(String::as_str).chain(["router"]) {
            self.set(&format!("{section}.venue={inside}")).map_err(|fault| vec![fault])?;
        }
        Ok((self, outside.into_iter().map(|gateway| gateway.name).collect()))
    }

    /// Takes the cores of all gateways back: where none of them runs, the machine need not have them.
    pub fn unpin_gateways(&mut self) {
        let none = CORE.param().parse(CORE.name(), "").expect("none is valid");
        let pinned = self.venues.values_mut().filter(|params| params.find(CORE).is_some());
        pinned.for_each(|params| params.set(&CORE.param(), none.clone()));
    }

    /// The number of a venue in routes, which gets one if it has none yet; `None` if there is no such venue.
    fn number_in(&self, routing: &mut OrderRouting, venue: &str) -> Option<u16> {
        if flow::find(VENUES, venue).is_some() {
            return Some(SIMULATED_EXCHANGE);
        }
        let entry = self.gateway(venue)?;
        let known = routing.gateways.iter().position(|gateway| gateway.name == venue);
        let number = known.unwrap_or(routing.gateways.len());
        if known.is_none() {
            let threading = Threading::of(&self.venues[venue]);
            routing.gateways.push(UsedGateway { name: venue.to_owned(), entry, threading });
        }
        // More than there may be are a fault of their own.
        Some(Gateway::new(number.min(Gateway::MOST - 1)).venue())
    }

    fn venue_names(&self) -> Vec<&str> {
        let known = VENUES.iter().map(|venue| venue.name).chain(self.registries.gateways().iter().map(|g| g.name));
        known.chain(self.gateways.iter().map(|gateway| gateway.name.as_str())).collect()
    }

    /// The parameters of a stage, with the tables that it reads beside its section.
    pub fn stage_params(&self, stage: &str) -> Params {
        let mut params = if stage == "risk" { self.risk_tables() } else { self.stages[stage].clone() };
        if (stage == "risk" || stage == "router")
            && let Ok(routing) = self.order_routing()
        {
            routing.add_to(&mut params);
        }
        params
    }

    /// The accounts that are paper and whose strategies name a venue outside the process, in words.
    pub(super) fn paper_warnings(&self, running: &[&str]) -> Vec<String> {
        let tables = self.risk_tables();
        let paper: Vec<u8> = tables.tables(risk::ACCOUNT).iter().filter_map(risk::paper).collect();
        let warning = |name: &&str| {
            let params = &self.stages[*name];
            let account = account_of(params).filter(|account| paper.contains(account))?;
            let venue = params.find(STRATEGY_VENUE).filter(|venue| self.gateway(venue).is_some())?;
            Some(format!("account {account} is paper, and the orders of {name} go to {venue}"))
        };
        running.iter().filter_map(warning).collect()
    }

    /// The venues that tables name and nothing else does, in words.
    pub(super) fn venue_warnings(&self) -> Vec<String> {
        let used = self.order_routing().unwrap_or_default().gateways;
        let idle = self.gateways.iter().filter(|gateway| !used.iter().any(|used| used.name == gateway.name));
        let say = |gateway: &NamedGateway| {
            let name = &gateway.name;
            format!(
                "no order goes to {name}: name it as venue of a strategy or in router.venue, or take its [[venue]] table out"
            )
        };
        idle.map(say).collect()
    }

    /// Writes the named gateways as tables.
    pub(super) fn venues_into(&self, root: &mut toml::Table) {
        let tables = self.gateways.iter().map(|gateway| {
            let mut entry = table(&self.venues[&gateway.name]);
            entry.insert(USE.into(), gateway.uses.into());
            entry.insert(NAME.into(), gateway.name.as_str().into());
            toml::Value::Table(entry)
        });
        let tables: Vec<_> = tables.collect();
        if !tables.is_empty() {
            root.insert(VENUE.into(), tables.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Draft;
    use std::path::Path;

    const DESK: &str = "[pipeline]\nstages = [\"book\", \"fast\", \"slow\", \"orders\", \"risk\", \"router\"]\nclock = \"wall\"\n\
                        [[venue]]\nuse = \"wire\"\nname = \"east\"\naddress = \"127.0.0.1:7001\"\n\
                        [[venue]]\nuse = \"wire\"\nname = \"west\"\n\
                        [west]\naddress = \"127.0.0.1:7002\"\n\
                        [[strategy]]\nuse = \"momentum\"\nname = \"fast\"\nvenue = \"west\"\n\
                        [[strategy]]\nuse = \"momentum\"\nname = \"slow\"\naccount = 2\n\
                        [account.2]\nmode = \"paper\"\n[router]\nvenue = \"east\"\n";

    #[test]
    fn every_order_has_a_venue_and_a_journal_repeats_them() {
        let draft = Draft::parse(DESK, Path::new("a.toml"));
        assert_eq!(draft.faults, []);
        let settings = draft.settings;
        let routing = settings.order_routing().unwrap();
        let names: Vec<_> = routing.gateways.iter().map(|gateway| gateway.name.as_str()).collect();
        assert_eq!((names, routing.simulated), (vec!["east", "west"], true));
        let routes: Vec<_> = routing.routes.iter().map(|(s, a, v)| (s.0, a.0, *v)).collect();
        assert_eq!(routes, [(0, 0, 2), (32, 0, 3), (0, 2, 1)]);
        assert!(settings.venues["west"].iter().any(|(_, value)| value.to_string() == "127.0.0.1:7002"));
        assert_eq!(settings.limit_warnings(), [""; 0]);
        let recorded = settings.to_toml();
        let again = Draft::recorded(&recorded, Path::new("journal.toml"), &settings.registries);
        assert_eq!((again.faults, again.settings.to_toml()), (Vec::new(), recorded));
    }

    #[test]
    fn every_fault_of_a_venue_has_its_place() {
        let text = DESK.to_owned()
            + "[[venue]]\nname = \"north\"\n[[venue]]\nuse = \"wyre\"\n[[venue]]\nuse = \"wire\"\nname = \"east\"\n\
               [[venue]]\nuse = \"wire\"\nname = \"south\"\nadress = 1\n";
        let found: Vec<_> = Draft::parse(&text, Path::new("a.toml")).faults.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 4, "{found:?}");
        for (fault, wanted) in found.iter().zip([
            "venue[3].use: missing",
            "venue[4].use: \"wyre\"; did you mean wire?",
            "venue[5].name: \"east\" twice",
            "south.adress: no such parameter",
        ]) {
            assert!(fault.contains(wanted), "{fault}");
        }
        let unknown = DESK.replace("venue = \"west\"\n[[strategy]]", "venue = \"wst\"\n[[strategy]]");
        let faults = Draft::parse(&unknown, Path::new("a.toml")).settings.order_routing().unwrap_err();
        assert!(faults[0].to_string().contains("fast.venue: wst"), "{}", faults[0]);
    }
}

//! Venue score: how toxic the venues of the last trades are, by a table of values.
//!
//! A feed of several venues says of every trade at which it was; of another feed the venue of the listing holds. Names come in many
//! spellings, so there is a table of aliases. A venue without a value is left out: it is not neutral, it is not known.
//!
//! Bound: the tables, and per instrument 16 bytes a trade of the window. Worst case: one search in the table for each trade.

use super::last_trades::{Beside, Every, Kept, Sums, Weighed, weight_of};
use super::{Context, Measure, Needs, counted, emit};
use crate::Space;
use flow::records::{Listing, TradeVenue, VenueScore};
use flow::{Event, Flags, IntParam, Kind, Kinds, ListParam, Out, Param, ParamError, Params, Real};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const VALUES: ListParam =
    ListParam::new("values", "IEX=0.20,EDGX=0.80", "how toxic a venue is, from 0 to 1, by its name: `EDGX=0.80`");
const ALIASES: ListParam = ListParam::new(
    "aliases",
    "A=AMEX,B=BX,C=NSX,D=FINRA,H=MIAX,I=ISE,J=EDGA,K=EDGX,L=LTSE,M=CHX,N=NYSE,P=ARCA,Q=NSDQ,T=NSDQ,U=MEMX,V=IEX,\
     W=CBSX,X=PSX,Y=BYX,Z=BATS,NASDAQ=NSDQ,ISLAND=NSDQ,BZX=BATS,XNAS=NSDQ,XNYS=NYSE,XASE=AMEX,ARCX=ARCA,XBOS=BX,\
     XPSX=PSX,BATY=BYX,IEXG=IEX,XCHI=CHX,XCIS=NSX,EPRL=MIAX",
    "other names of venues: `NASDAQ=NSDQ`",
);
const WINDOW: IntParam<u16> =
    IntParam::new("window", (1, 10_000), "500", "trades that the score is of; 16 bytes each per instrument")
        .unit("trades");
const EVERY: IntParam<u32> = IntParam::new(
    "every",
    (0, 86_400),
    "1",
    "the score is emitted at the first trade of every interval of this length; 0 = at every trade",
)
.unit("seconds");

/// Parameters.
pub const PARAMS: &[Param] = &[VALUES.param(), ALIASES.param(), WINDOW.param(), EVERY.param()];

/// A name of a venue, padded with zeros.
type Name = [u8; 16];

/// What is known of a venue: its value, if it has one.
type Value = Option<i16>;

/// The measure `venues`.
pub struct Venues {
    /// The names that have a value, sorted.
    values: Vec<(Name, i16)>,
    window: u16,
    every: Every,
}

/// What is kept of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Market {
    /// That of the listing's venue.
    listed: Value,
    /// What was said of the next trade.
    told: Option<Value>,
    /// Interval of the last score.
    said: u64,
}

impl Kept for Market {}

/// A name as records have it.
fn name(text: &[u8]) -> Option<Name> {
    let mut name = [0; 16];
    let end = text.iter().rposition(|byte| !matches!(byte, 0 | b' ')).map_or(0, |last| last + 1);
    name.get_mut(..end)?.copy_from_slice(&text[..end]);
    Some(name)
}

/// The two sides of an entry of a list, `NAME=what`.
fn pair(entry: &str) -> Option<(Name, &str)> {
    let (of, what) = entry.split_once('=')?;
    let of = name(of.trim().as_bytes()).filter(|of| of[0] != 0)?;
    Some((of, what.trim()))
}

/// Those of every entry.
fn pairs(params: &Params, list: ListParam) -> Result<Vec<(Name, &str)>, ParamError> {
    let valid = "a name of up to 16 letters, `=`, and what it stands for";
    params.get(list).iter().map(|entry| pair(entry).ok_or_else(|| fault(list, entry, valid))).collect()
}

fn fault(list: ListParam, found: &str, valid: &str) -> ParamError {
    ParamError { key: format!("venues.{}", list.name()), found: found.to_owned(), valid: valid.to_owned() }
}

/// The value of every name, aliases included.
fn values(params: &Params) -> Result<Vec<(Name, i16)>, ParamError> {
    let mut values = BTreeMap::new();
    for (of, text) in pairs(params, VALUES)? {
        let value = text.parse::<f64>().ok().filter(|value| (0.0..=1.0).contains(value));
        values.insert(of, weight_of(value.ok_or_else(|| fault(VALUES, text, "a number from 0 to 1"))?));
    }
    let own = values.clone();
    for (alias, of) in pairs(params, ALIASES)? {
        let of = name(of.as_bytes()).ok_or_else(|| fault(ALIASES, of, "a name of up to 16 letters"))?;
        if let Some(value) = own.get(&of) {
            values.entry(alias).or_insert(*value);
        }
    }
    Ok(values.into_iter().collect())
}

impl Measure for Venues {
    type Records = VenueScore;
    type State = Beside<Market>;

    fn new(params: &Params, space: Space) -> Result<(Venues, Beside<Market>), ParamError> {
        let window = params.get(WINDOW);
        let measure = Venues { values: values(params)?, window, every: Every { seconds: params.get(EVERY) } };
        Ok((measure, Beside::new(space, window)))
    }

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::Listing, Kind::TradeVenue, Kind::Trade]) }
    }

    fn needs(&self) -> Needs {
        Needs::NONE
    }

    fn terms(&self) -> Vec<u64> {
        let values = self.values.iter().flat_map(|(name, value)| {
            let [first, second] = [0, 8].map(|at| u64::from_le_bytes(name[at..at + 8].try_into().expect("8 bytes")));
            [first, second, u64::from(value.cast_unsigned())]
        });
        [self.window.into()].into_iter().chain(values).collect()
    }

    #[inline]
    fn run(&self, state: &mut Beside<Market>, _: &Context, event: &Event, out: &mut Out) {
        let Some(market) = state.kept.get_mut(event.instrument) else { return };
        match event.kind {
            Kind::Trade => {
                let value = market.told.take().unwrap_or(market.listed);
                let Some(trade) = counted(event) else { return };
                let of_value = Weighed { qty: trade.qty.0, weight: value.unwrap_or(0), marks: value.is_some().into() };
                let is_due = self.every.is_due(event.ts, &mut market.said);
                let Some(sums) = state.trades.push(event.instrument, of_value).filter(|_| is_due) else { return };
                emit(&self.score(sums), Flags::NONE, event, out);
            }
            Kind::TradeVenue => market.told = Some(self.value(&event.record::<TradeVenue>().venue)),
            Kind::Listing => market.listed = self.value(&event.record::<Listing>().venue),
            _ => {}
        }
    }
}

impl Venues {
    /// The value of a venue of this name.
    #[inline]
    fn value(&self, venue: &[u8]) -> Value {
        let name = name(venue)?;
        self.values.binary_search_by(|(of, _)| of.cmp(&name)).ok().map(|at| self.values[at].1)
    }

    fn score(&self, sums: &Sums) -> VenueScore {
        VenueScore {
            score: Real::of(sums.mean_of_marked()),
            valued_volume: sums.marked_volume(),
            volume: sums.volume(),
            valued: sums.marks[0],
            trades: sums.trades,
            window: self.window,
            ..VenueScore::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measures::last_trades::SCALE;

    fn named(text: &str) -> Name {
        name(text.as_bytes()).unwrap()
    }

    #[test]
    fn aliases_have_the_value_of_what_they_stand_for() {
        let values = values(&Params::defaults(PARAMS)).unwrap();
        let of =
            |text: &str| values.iter().find(|(of, _)| *of == named(text)).map(|(_, value)| f64::from(*value) / SCALE);
        assert_eq!(["IEX", "V", "IEXG"].map(of), [Some(0.2); 3]);
        assert_eq!(["EDGX", "K"].map(of), [Some(0.8); 2]);
        assert_eq!(["NSDQ", "Q", "XNAS", "nobody"].map(of), [None; 4]);
        assert!(values.is_sorted());
    }

    #[test]
    fn a_name_is_what_stands_before_the_padding() {
        assert_eq!(name(b"K   "), name(b"K\0"));
        assert_ne!(named("K"), named("KK"));
        assert_eq!(name(b"abcdefghijklmnopq"), None);
    }
}

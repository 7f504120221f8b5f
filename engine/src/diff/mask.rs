//! Which part of an event is compared, and what role its kind has.
//!
//! Numbers of orders, executions, groups and inputs say nothing by themselves, and differ as soon as there is one order more.
//! Bound: a table over all kinds.

use flow::{Event, Field, FieldType, KINDS, Kind, OrderId};

/// Where the order id stands in every record that has one first.
const ORDER_ID: std::ops::Range<usize> = 0..8;

/// What an event is in the life of an order, as far as causes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// What the market and the settings alone decide.
    Market,
    /// What a strategy decides.
    Decision,
    /// What risk decides.
    Verdict,
    /// What follows at the venue.
    Answer,
    /// What is held.
    Position,
    /// What became of a command, anomalies and the like.
    Other,
}

/// The role of a kind.
pub(super) fn role(kind: Kind) -> Role {
    match kind {
        Kind::Signal | Kind::Reason | Kind::Intent | Kind::Request | Kind::CancelRequest | Kind::ReplaceRequest => {
            Role::Decision
        }
        Kind::Order | Kind::Refused => Role::Verdict,
        Kind::Position | Kind::PositionMoney | Kind::Booked => Role::Position,
        kind if is_of_orders(kind) => Role::Answer,
        Kind::CommandOutcome | Kind::Anomaly | Kind::Halt => Role::Other,
        _ => Role::Market,
    }
}

/// Whether events of that kind belong to orders, strategies or positions.
#[inline]
pub(super) fn is_of_orders(kind: Kind) -> bool {
    (Kind::Signal.0..Kind::Signal.0 + 64).contains(&kind.0)
}

/// The order that an event is about by its own record; `None` if it is about no single one.
pub(super) fn order_of(event: &Event) -> Option<u64> {
    let field = match event.kind {
        Kind::ReplaceRequest => 8..16,
        Kind::Intent => 16..24,
        kind if has_order(kind) => ORDER_ID,
        _ => return None,
    };
    let id = u64::from_le_bytes(event.body[field].try_into().expect("eight bytes"));
    Some(id).filter(|id| *id != 0 && !OrderId(*id).is_unsolicited())
}

fn has_order(kind: Kind) -> bool {
    let first = flow::kind_info(kind).and_then(|info| info.fields.first());
    is_of_orders(kind) && first.is_some_and(|field| field.ty == FieldType::OrderId)
}

/// The bytes of a body that are compared, by kind.
pub(super) struct Masks {
    kept: Box<[[u64; 5]; Kind::COUNT]>,
    /// Where the instance of a measure stands, if a kind has one.
    instance: Box<[Option<u8>; Kind::COUNT]>,
}

impl Masks {
    /// Of all kinds. The number of the venue is left out if orders went elsewhere.
    pub(super) fn new(elsewhere: bool) -> Masks {
        let mut kept = Box::new([[u64::MAX; 5]; Kind::COUNT]);
        let mut instance = Box::new([None; Kind::COUNT]);
        for info in KINDS {
            let at = usize::from(info.kind.0);
            let mut bytes = [u8::MAX; 40];
            for field in info.fields {
                let from = field.offset - size_of::<[u64; 3]>();
                if is_of_orders(info.kind) && is_number(field, info.kind, elsewhere) {
                    bytes[from..from + field.size].fill(0);
                }
                if field.ty == FieldType::Instance {
                    instance[at] = Some(from as u8);
                }
            }
            kept[at] = bytemuck::cast(bytes);
        }
        Masks { kept, instance }
    }

    /// Whether a field is left out of the comparison.
    pub(super) fn leaves_out(kind: Kind, name: &str, elsewhere: bool) -> bool {
        let info = flow::kind_info(kind).filter(|_| is_of_orders(kind));
        let field = info.and_then(|info| info.fields.iter().find(|field| field.column == name));
        field.is_some_and(|field| is_number(field, kind, elsewhere))
    }

    /// Whether two events of one kind are the same but for numbers.
    #[inline]
    pub(super) fn same(&self, a: &Event, b: &Event) -> bool {
        let kept = &self.kept[usize::from(a.kind.0)];
        let [one, other]: [[u64; 5]; 2] = [bytemuck::cast(a.body), bytemuck::cast(b.body)];
        let body = kept.iter().zip(one).zip(other).fold(0, |all, ((kept, a), b)| all | (kept & (a ^ b)));
        body == 0 && a.ts == b.ts && a.flags == b.flags && a.instrument == b.instrument
    }

    /// Whether two events that are of no order are the same thing, whatever they say.
    #[inline]
    pub(super) fn pair(&self, a: &Event, b: &Event) -> bool {
        let kind = usize::from(a.kind.0);
        let instance = |event: &Event| self.instance[kind].map(|at| event.body[usize::from(at)]);
        (a.kind, a.instrument, a.id.position()) == (b.kind, b.instrument, b.id.position())
            && instance(a) == instance(b)
            && (!is_of_orders(a.kind) || (owner(a), a.side()) == (owner(b), b.side()))
    }
}

/// Account and strategy, 0 where the event does not say.
pub(super) fn owner(event: &Event) -> (u8, u16) {
    let mut found = match order_of(event) {
        Some(id) => (OrderId(id).account().0, OrderId(id).strategy().0),
        None => (0, 0),
    };
    for field in flow::kind_info(event.kind).map_or(&[][..], |info| info.fields) {
        match field.ty {
            FieldType::Account => found.0 = field.bytes(&event.body)[0],
            FieldType::Strategy => {
                let bytes = field.bytes(&event.body);
                found.1 = u16::from_le_bytes([bytes[0], bytes[1]]);
            }
            _ => {}
        }
    }
    found
}

fn is_number(field: &Field, kind: Kind, elsewhere: bool) -> bool {
    matches!(field.ty, FieldType::OrderId | FieldType::Id)
        || field.name == "group"
        || (elsewhere && kind == Kind::Route && field.name == "venue")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::records::{Cvd, Fill, Signal};
    use flow::{Account, Flags, Ns, Px, Qty, StrategyId};

    #[test]
    fn numbers_are_left_out_and_terms_are_not() {
        let fill = |order_id, px, match_id| {
            Event::new(Ns(1), 1, Flags::NONE, &Fill { order_id, px: Px(px), qty: Qty(1), match_id, cause: order_id })
        };
        let masks = Masks::new(false);
        assert!(masks.same(&fill(1, 5, 7), &fill(2, 5, 9)));
        assert!(!masks.same(&fill(1, 5, 7), &fill(1, 6, 7)));
        assert!(Masks::leaves_out(Kind::Fill, "match_id", false) && !Masks::leaves_out(Kind::Fill, "px", false));
        assert!(!Masks::leaves_out(Kind::Trade, "match_id", false), "the market's own numbers are data");
    }

    #[test]
    fn what_is_of_another_instance_or_strategy_is_another_thing() {
        let cvd = |instance| Event::new(Ns(1), 1, Flags::NONE, &Cvd { instance, ..Cvd::default() });
        let signal = |strategy| {
            Event::new(Ns(1), 1, Flags::NONE, &Signal { strategy: StrategyId(strategy), ..Signal::default() })
        };
        let masks = Masks::new(false);
        assert!(masks.pair(&cvd(1), &cvd(1)) && !masks.pair(&cvd(1), &cvd(2)));
        assert!(masks.pair(&signal(3), &signal(3)) && !masks.pair(&signal(3), &signal(4)));
        let id = OrderId::new(Account(2), StrategyId(5), 9).0;
        let fill = Event::new(Ns(1), 1, Flags::NONE, &Fill { order_id: id, ..Fill::default() });
        assert_eq!((owner(&fill), order_of(&fill)), ((2, 5), Some(id)));
    }
}

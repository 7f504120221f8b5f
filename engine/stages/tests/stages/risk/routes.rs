//! The router: every order and every cancel becomes the route of its table, and nothing else does.

use flow::records::{CancelRequest, Order, Route};
use flow::{Account, Action, Event, Flags, Kinds, Ns, OrderId, Out, Params, Px, Qty, Side, StrategyId};
use stages::{STAGES, Space};

#[test]
fn routes_are_those_of_the_table() {
    let entry = flow::find(STAGES, "router").unwrap();
    let mut router =
        (entry.build)(&Params::defaults(entry.params), Space { instruments: 4, fills: 64, positions: 64 }).unwrap();
    let mut out = Out::new(12, Kinds::ALL);
    let mut route = |event: Event| {
        out.begin(&event);
        router.on_event(&event, &mut out);
        assert_eq!((out.events().len(), out.events()[0].instrument), (1, 3));
        assert_eq!(out.events()[0].side(), Side::Sell);
        *out.events()[0].record::<Route>()
    };
    let flags = Flags::side_only(Side::Sell);
    let order = Order { order_id: 9, px: Px(5), qty: Qty(7), order_type: 1, tif: 3, ..Default::default() };
    let new =
        Route { order_id: 9, px: Px(5), qty: Qty(7), order_type: 1, tif: 3, venue: 1, action: 1, ..Default::default() };
    assert_eq!(route(Event::new(Ns(1), 3, flags, &order)), new);
    let replaced = route(Event::new(Ns(1), 3, flags, &Order { replaces: 8, ..order }));
    assert_eq!(replaced, Route { replaces: 8, action: Action::Replace.code(), ..new });
    let cancel = CancelRequest { order_id: 9, ..Default::default() };
    let cancelled = Route { order_id: 9, px: Px::NONE, venue: 1, action: Action::Cancel.code(), ..Default::default() };
    assert_eq!(route(Event::new(Ns(1), 3, flags, &cancel)), cancelled);
    let all = Route { order_id: 0, action: Action::CancelAll.code(), ..cancelled };
    assert_eq!(route(Event::new(Ns(1), 3, flags, &CancelRequest::default())), all);
    let of = CancelRequest { account: Account(2), strategy: StrategyId(3), ..Default::default() };
    assert_eq!(
        route(Event::new(Ns(1), 3, flags, &of)),
        Route { order_id: OrderId::new(Account(2), StrategyId(3), 0).0, ..all }
    );
}

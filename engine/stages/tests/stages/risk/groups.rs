//! Groups, kill state and commands.

use super::rig::{Rig, Verdict, id, passed, refusal};
use flow::records::{EndOfInput, Halt, Request};
use flow::{CommandResult, Params, Side};
use stages::Space;
use stages::risk::{CEILINGS, CHECKS, Flaw, PARAMS, RiskStage};

fn number(check: &str) -> u32 {
    CHECKS.iter().find(|entry| entry.name == check).unwrap().number.into()
}

/// A leg of the input that came last.
fn leg(rig: &mut Rig, group: u32, legs: u8, qty: u64) -> Vec<Verdict> {
    let request = Request { group, legs, ..rig.terms(qty, 10_000) };
    rig.feed(9, 1, Side::Buy, &request)
}

fn refused(counter: u64, check: &'static str, limit: i64, value: i64) -> Verdict {
    Verdict::Refused(id(counter), check, limit, value)
}

#[test]
fn legs_leave_together_or_not_at_all() {
    let mut rig = Rig::new(&[("max_position", 100)]);
    assert!(leg(&mut rig, 7, 2, 50).is_empty());
    assert_eq!(leg(&mut rig, 7, 2, 40), [Verdict::Passed(id(1)), Verdict::Passed(id(2))]);
    rig.seq += 1;
    assert!(leg(&mut rig, 7, 3, 5).is_empty() && leg(&mut rig, 7, 3, 6).is_empty());
    let words = leg(&mut rig, 7, 3, 1);
    let culprit = refused(4, "position", 100, 101);
    assert_eq!(words, [refused(3, "group", 3, 1), culprit, refused(5, "group", 3, 1)]);
    assert_eq!(leg(&mut rig, 7, 3, 1), [refused(6, "group", 3, 0)], "what still comes of it falls too");
    rig.seq += 1;
    let request = Request { order_id: id(3), ..rig.terms(10, 10_000) };
    assert!(passed(rig.ask(Side::Buy, &request)), "what fell counts nowhere, not even its id");
}

#[test]
fn a_group_that_is_not_whole_falls() {
    let mut rig = Rig::new(&[]);
    assert!(leg(&mut rig, 7, 3, 1).is_empty() && leg(&mut rig, 7, 3, 1).is_empty());
    let fallen = [refused(1, "group", 3, 2), refused(2, "group", 3, 2)];
    assert_eq!(rig.input(0, Side::None, &EndOfInput::default()), fallen);
    assert!(leg(&mut rig, 8, 2, 1).is_empty());
    assert_eq!(leg(&mut rig, 9, 2, 1), [refused(3, "group", 2, 1)], "one group at a time");
    assert_eq!(leg(&mut rig, 9, 2, 1).len(), 2);
    let flaw = refused(6, "sanity", 0, Flaw::Legs as i64);
    assert_eq!(leg(&mut rig, 5, 17, 1), [flaw]);
    for n in 1..16 {
        assert!(leg(&mut rig, 6, 16, n).is_empty());
    }
    assert_eq!(leg(&mut rig, 6, 16, 1).len(), 16);
}

#[test]
fn only_a_command_resumes() {
    let mut rig = Rig::new(&[]);
    for halt in [true, false] {
        if halt {
            rig.input(0, Side::None, &Halt::default());
        } else {
            rig.command(1, 0, 0, 0);
        }
        assert_eq!(refusal(rig.buy(1)), ("kill", 0, 1));
        rig.market(9_999, 10_001);
        assert!(!passed(rig.buy(1)));
        rig.command(2, 0, 0, 0);
        assert!(passed(rig.buy(1)));
    }
}

#[test]
fn a_command_says_what_became_of_it() {
    let mut rig = Rig::new(&[]);
    let said = |words: Vec<Verdict>| {
        let [Verdict::Commanded(result, old, new)] = words[..] else { panic!("{words:?}") };
        (result, old, new)
    };
    assert_eq!(said(rig.command(2, 0, 0, 0)), (CommandResult::NotHalted, 0, 0));
    assert_eq!(said(rig.command(1, 0, 0, 0)), (CommandResult::Applied, 0, 1));
    assert_eq!(said(rig.command(1, 0, 0, 0)), (CommandResult::Applied, 1, 1));
    assert_eq!(said(rig.command(3, 0, 0, 0)), (CommandResult::Applied, 0, 0));
    assert_eq!(said(rig.command(2, 0, 0, 0)), (CommandResult::Applied, 1, 0));
    assert!(rig.command(5, 0, 0, 1_000).is_empty(), "a command of the engine");
}

#[test]
fn without_a_ceiling_a_command_only_lowers_a_limit() {
    let mut rig = Rig::with_ceilings(&[("max_quantity", 10)], "position=60000");
    let (quantity, position) = (number("max-quantity"), number("position"));
    let mut set = |target, old, new| {
        let words = rig.command(4, target, old, new);
        let [Verdict::Commanded(result, was, is)] = words[..] else { panic!("{words:?}") };
        assert_eq!(was, old);
        (result, is)
    };
    assert_eq!(set(quantity, 10, 11), (CommandResult::AboveCeiling, 10));
    assert_eq!(set(quantity, 10, 3), (CommandResult::Applied, 3));
    assert_eq!(set(quantity, 3, 10), (CommandResult::Applied, 10), "back to what is configured");
    assert_eq!(set(position, 50_000, 60_001), (CommandResult::AboveCeiling, 50_000));
    assert_eq!(set(position, 50_000, 60_000), (CommandResult::Applied, 60_000));
}

#[test]
fn a_ceiling_below_the_configured_limit_is_a_fault() {
    let mut params = Params::defaults(PARAMS);
    let param = CEILINGS.param();
    let build =
        |params: &Params| RiskStage::build(params, Space { instruments: 1, fills: 1, positions: 64 }).map(|_| ());
    params.set(&param, param.parse("ceilings", "max-quantity=10000").unwrap());
    assert!(build(&params).is_ok());
    params.set(&param, param.parse("ceilings", "max-quantity=9999").unwrap());
    let fault = build(&params).unwrap_err();
    assert_eq!(fault.key, "risk.ceilings.max-quantity");
    assert_eq!(fault.found, "9999 is below the configured limit 10000");
}

#[test]
fn a_limit_changes_by_command_from_its_old_value() {
    let mut rig = Rig::with_ceilings(&[("max_quantity", 10)], "max-quantity=20");
    let number = number("max-quantity");
    for (target, old, new, result, in_force) in [
        (number, 9, 20, CommandResult::WrongOld, 10),
        (number, 10, -1, CommandResult::OutOfRange, 10),
        (number, 10, i64::MAX, CommandResult::OutOfRange, 10),
        (number, 10, 21, CommandResult::AboveCeiling, 10),
        (2, 0, 1, CommandResult::UnknownTarget, 0),
        (11, 0, 1, CommandResult::UnknownTarget, 0),
        (99, 0, 1, CommandResult::UnknownTarget, 0),
    ] {
        let wanted = Verdict::Commanded(result, in_force, in_force);
        assert_eq!(rig.command(4, target, old, new), [wanted], "{target} {old} {new}");
    }
    assert_eq!(refusal(rig.buy(11)), ("max-quantity", 10, 11));
    let mut set = |old, new| {
        assert_eq!(rig.command(4, number, old, new), [Verdict::Commanded(CommandResult::Applied, old, new)]);
        rig.buy(11)
    };
    assert!(passed(set(10, 20)));
    assert!(passed(set(20, 11)));
    assert_eq!(refusal(set(11, 0)), ("max-quantity", 0, 11), "not bound");
    let command = flow::records::Command { action: 4, target: number, old: 0, new: 10, ..Default::default() };
    rig.feed(9, 0, Side::None, &command);
    assert!(!passed(rig.buy(1)), "a stage commands nothing");
}

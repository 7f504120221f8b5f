//! An order is approved in three places: by risk, at the edge of a gateway, and where the ingress passes a route to the
//! simulated exchange.
//!
//! The type proves that an order was approved; this test holds who may approve. It looks for the call itself, so a
//! renamed type does not escape it.

use crate::tokens::{parse, words};
use crate::tree::{Text, rust};

/// Who may approve, and where approval is defined.
const MAY: &[&str] =
    &["engine/stages/src/risk/", "engine/src/gateway/", "engine/src/ingress/", "engine/flow/src/approved.rs"];

fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.starts_with("benches/") || path.contains("/tests/")
}

fn faults(file: &Text) -> Vec<String> {
    if file.is_in(MAY) || is_test(&file.path) {
        return Vec::new();
    }
    let granted = words(parse(file)).into_iter().filter(|w| w.word == "grant");
    granted.map(|w| format!("{}:{}: orders are not approved here", file.path, w.line)).collect()
}

#[test]
fn orders_are_approved_by_risk_and_at_the_edges() {
    let files = rust();
    crate::none(files.iter().flat_map(faults).collect());
    let risk = files.iter().filter(|f| f.is_in(&MAY[..1]));
    assert!(risk.flat_map(|f| words(parse(f))).any(|w| w.word == "grant"), "risk approves");
}

#[test]
fn approval_elsewhere_is_found() {
    let text = "use flow::Approved as A; fn f(o: Order) { g(A::grant(o)); m!(flow::Approved::grant); }";
    let count = |path: &str| faults(&Text::new(path, text)).len();
    assert_eq!(count("engine/stages/src/router/mod.rs"), 2);
    assert_eq!(count("engine/src/run/execute.rs"), 2);
    assert_eq!(count("engine/stages/src/risk/stage.rs"), 0);
    assert_eq!(count("engine/stages/tests/stages/venue.rs"), 0);
    assert_eq!(faults(&Text::new("feeds/src/a.rs", "// grant\nfn f() { let s = \"grant\"; }")), [""; 0]);
}

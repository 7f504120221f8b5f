//! Every query of the dashboard of trading is one that the server answers. There is no Grafana here: what it puts in place of its macros is
//! put there by the test.

use crate::rig::Rig;
use serde_json::Value;
use tidegate_tests::{Case, root};

/// Panels that the run of the test has nothing for: nobody commands it.
const EMPTY: &[&str] = &["Commands"];

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::new("every_query_of_the_dashboard_is_answered", &[], |_| answered()).with_questdb()]
}

fn answered() {
    let rig = Rig::synthetic(20_000);
    rig.sink(&["--once"]).expect(0);
    let text = std::fs::read_to_string(root().join("tuning/grafana/trading.json")).expect("the dashboard is there");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    assert!(panels.len() > 5);
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        for target in panel["targets"].as_array().expect("queries") {
            let sql = target["rawSql"].as_str().expect("a query");
            let sql = sql.replace("$__timeFilter(ts)", "ts BETWEEN '2020-01-30T00:00:00Z' AND '2020-01-31T00:00:00Z'");
            assert!(!sql.contains("$__"), "{title}: another macro");
            let rows = rig.query(&sql);
            assert_eq!(rows.is_empty(), EMPTY.contains(&title), "{title}: {} rows of {sql}", rows.len());
        }
    }
}

//! How the page looks: paper and ink, one colour for each part of an order's life, light and dark.

/// The style sheet.
pub(super) const STYLE: &str = "
:root { color-scheme: light dark; --ink: #17212b; --soft: #66758a; --line: #e3e8ee; --paper: #f6f8fa; --card: #ffffff;
  --good: #1b7f4b; --bad: #c0362c; --wait: #a86a00; --track: #e9eef4;
  --known: #7b8794; --decision: #8e44ad; --request: #2f6fd0; --check: #b7791f; --route: #0f8b8d; --answer: #1b7f4b;
  --position: #d1495b; --change: #a0522d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4eaf1; --soft: #93a1b3; --line: #29333f; --paper: #0e141a;
  --card: #161e27; --good: #58c78b; --bad: #f0786d; --wait: #e2b253; --track: #232d38;
  --known: #8b98a7; --decision: #c58be0; --request: #79aaf5; --check: #e2b253; --route: #56c6c8; --answer: #58c78b;
  --position: #f08a98; --change: #d9a27c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, sans-serif;
  font-variant-numeric: tabular-nums; }
main { max-width: 940px; margin: 0 auto; padding: 2.2em 1.2em 4em; }
header { margin-bottom: 1.6em; }
.eyebrow { color: var(--soft); font-size: .86em; letter-spacing: .04em; }
h1 { font-size: 1.75em; line-height: 1.25; margin: .15em 0 .35em; font-weight: 650; letter-spacing: -.01em; }
h2 { font-size: .82em; text-transform: uppercase; letter-spacing: .09em; color: var(--soft); margin: 2.4em 0 .7em;
  font-weight: 600; }
.badge { display: inline-block; padding: .12em .75em; border-radius: 2em; font-weight: 600; font-size: .93em;
  border: 1px solid currentColor; }
.good { color: var(--good); } .bad { color: var(--bad); } .wait { color: var(--wait); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1em 1.25em;
  overflow-x: auto; }
.soft { color: var(--soft); } p { margin: .25em 0; } code { font: .86em ui-monospace, monospace; color: var(--soft);
  white-space: nowrap; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; font-weight: 500; color: var(--soft);
  font-size: .86em; } td, th { padding: .42em 1em .42em 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; } td.n, th.n { text-align: right; white-space: nowrap; } td:last-child,
th:last-child { padding-right: 0; } td.name { font-weight: 600; white-space: nowrap; }
ol { list-style: none; margin: 0; padding: 0; } .time li { display: grid; grid-template-columns: 7.2em 1.5em 1fr;
  position: relative; } .time .at { text-align: right; padding: .5em .3em; white-space: nowrap; }
.time .rail { position: relative; } .time .rail::before { content: ''; position: absolute; left: 50%; top: 0; bottom: 0;
  width: 2px; margin-left: -1px; background: var(--line); } .time li:first-child .rail::before { top: 1.2em; }
.time li:last-child .rail::before { bottom: calc(100% - 1.2em); } .time .dot { position: absolute; left: 50%; top: .92em;
  width: 11px; height: 11px; margin-left: -5.5px; border-radius: 50%; background: var(--c); border: 2px solid var(--card);
  box-shadow: 0 0 0 2px var(--c); }
.time .said { padding: .5em 0 .5em .7em; min-width: 0; overflow-wrap: anywhere; } .time .said b { font-weight: 600;
  color: var(--c); margin-right: .5em; } .time .said code { margin-left: .5em; } .time .gap { color: var(--soft);
  font-size: .83em; padding: .1em 0 .1em .7em; } .time .gap span { background: var(--track); border-radius: 1em;
  padding: .1em .7em; } .first .said b { font-size: 1.05em; }
.known { --c: var(--known); } .decision { --c: var(--decision); } .request { --c: var(--request); }
.check { --c: var(--check); } .route { --c: var(--route); } .answer { --c: var(--answer); }
.position { --c: var(--position); } .change { --c: var(--change); } .cause { --c: var(--ink); }
.use { position: relative; height: 8px; min-width: 90px; border-radius: 4px; background: var(--track); margin-top: .5em;
  overflow: hidden; } .use i { position: absolute; inset: 0 auto 0 0; background: var(--good); border-radius: 4px; }
.use.over i { background: var(--bad); }
footer { margin-top: 3em; color: var(--soft); font-size: .85em; }
@media (max-width: 560px) { .time li { grid-template-columns: 5.4em 1.3em 1fr; } main { padding: 1.2em .7em; } }
@media print { body { background: none; } .card { break-inside: avoid; } }
";

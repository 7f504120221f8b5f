//! The page: styles, script and data in one file.
//!
//! It names no address, and its policy lets a browser load nothing.

use super::Imbalance;
use super::sink::Day;

const STYLE: &str = include_str!("page/page.css");
/// The parts of the script, each before those that use it.
const SCRIPT: [&str; 6] = [
    include_str!("page/model.js"),
    include_str!("page/view.js"),
    include_str!("page/price.js"),
    include_str!("page/footprint.js"),
    include_str!("page/marks.js"),
    include_str!("page/page.js"),
];
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl Day {
    /// The day as a page; `row_ticks` is the height of a row of its footprints.
    pub(crate) fn page(&self, imbalance: Imbalance, row_ticks: u64) -> String {
        // A text with `</script>` would end the element: in JSON a letter may be written by its number.
        let data = self.json(imbalance, row_ticks).replace('<', "\\u003c");
        let symbol = self.listed.as_ref().map_or("", |listed| listed.symbol.as_str());
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header></header>\n\
             <main><canvas></canvas><canvas></canvas><ol id=\"story\"></ol><p id=\"legend\"></p><div id=\"tip\"></div></main>\n\
             <script type=\"application/json\" id=\"day\">{data}</script>\n<script>\n{script}</script>\n</body>\n</html>\n",
            title = escaped(symbol),
            script = SCRIPT.concat(),
        )
    }
}

// What happened: breakouts, legs, pullbacks, alerts, halts and gaps. Every mark is a row as `--emit` prints it, without what is absent.
// A mark of a bar stands at that bar, any other at its own time.
"use strict";

const number = text => Number(text);
const inPrice = text => price(number(text));
const seconds = ns => Number(ns) / 1e9;
const signOf = { "up": 1, "down": -1, "buy": 1, "sell": -1, "imbalance-up": 1, "imbalance-down": -1 };

const stateOf = { T: "trading", H: "halted", P: "paused", Q: "quotes only" };

// How a mark is said in words, after its time; and whether the list of the day has it.
const said = {
  "breakout": m => [`breakout ${m.direction}: ${m.what}`, `close ${inPrice(m.close)}, range ${inPrice(m.val)} to ${inPrice(m.vah)} (${m.range_of})${m.gap === "yes" ? ", with a gap" : ""}`],
  "leg": m => [`${m.leg} leg ${m.direction}: ${m.what}${m.what === "ended" ? `, ${m.reason}` : ""}`, `${inPrice(m.start_px)} to ${inPrice(m.extreme_px)}, came back ${shown(m.retraced, 0)} %`],
  "pullback": m => [`pullback, leg ${m.direction}: ${m.what}`, `${inPrice(m.px)} at node ${inPrice(m.node_px)}, leg came back ${shown(m.retraced, 0)} %, flow ${m.score} ${m.flow_direction}`],
  "lvn-alert": m => [`low-volume node ahead, ${m.direction}`, `${inPrice(m.px)} is ${shown(m.distance, 2)} % from ${inPrice(m.node_px)} (${["previous", "composite", "impulse", "reclaim"].filter(of => m[of] === "yes").join(", ")})`],
  "state-alert": m => [`state: ${m.state}`, `before: ${m.state_before} for ${m.bars} bars; momentum ${shown(m.momentum, 2)} % of ${shown(m.threshold, 2)} %`],
  "flow-alert": m => [`aggressive flow: ${m.direction}, score ${m.score}`, `change ${signed(m.change)}, delta of the bar ${signed(m.delta)}`],
  "status": m => [m.what === 5 ? `circuit breaker, level ${m.code}` : stateOf[m.code] || `trading state ${m.code}`, m.reason ? `reason ${m.reason}` : ""],
  "gap": m => ["messages are missing", m.expected == null ? "" : `from ${m.expected} on`],
  "data-state": m => [`data ${m.state}`, m.cause ? `after ${m.cause}` : ""],
};

// Of the states that a venue reports those of trading (2), of operation (3) and circuit breakers (5) are marks: not the rule for short
// sales, and not the session of the market.
const isMark = m => said[m.kind] && (m.kind !== "status" || [2, 3, 5].includes(m.what));
const marks = day.marks.filter(isMark).map(m => {
  const at = seconds(m.ts_ns), ofBar = m.start_ns != null && m.kind !== "leg";
  return { ...m, at, place: ofBar ? placeAt(seconds(m.start_ns)) : placeOf(at), words: said[m.kind](m), sign: signOf[m.direction || m.state] || 0 };
});
const rules = () => layers.published ? "published" : "tidegate";
const isShown = m => (m.rules == null || m.rules === rules()) && (m.kind === "breakout" ? layers.breakouts
  : m.kind === "leg" || m.kind === "pullback" ? layers.legs : layers.alerts);
const marksIn = (from, to) => marks.filter(m => m.place >= from - 0.5 && m.place <= to + 0.5 && isShown(m));

// Legs as they ended, each with its low-volume nodes: a leg is known by the time it starts.
const legs = (() => {
  const found = new Map();
  let last = null;
  for (const m of day.marks) {
    if (m.kind === "leg") {
      const known = found.get(m.start_ns) || { nodes: [], closed: null, ended: null };
      last = Object.assign(known, { start: seconds(m.start_ns), extreme: seconds(m.extreme_ns), from: number(m.start_px), to: number(m.extreme_px), of: m.leg });
      if (m.what === "closed") Object.assign(last, { closed: seconds(m.ts_ns), nodes: [] });
      if (m.what === "ended") last.ended = seconds(m.ts_ns);
      found.set(m.start_ns, last);
    } else if (m.kind === "leg-node" && m.node === "low-volume" && last) last.nodes.push(number(m.px));
  }
  return [...found.values()];
})();

// Ranges that price has left, from the first bar outside to the end of the breakout.
const ranges = (() => {
  const found = [];
  for (const m of marks.filter(m => m.kind === "breakout")) {
    const open = found[found.length - 1];
    if (m.what === "out") {
      if (open && open.until == null) open.until = m.place;
      found.push({ since: m.place, until: null, edge: number(m.direction === "up" ? m.vah : m.val), sign: m.sign });
    } else if (open && m.what !== "accepted") open.until = m.place;
  }
  return found;
})();

// From when to when trading was not free, by the states of one kind that a venue reports, or the data were doubtful.
function spans(changes, isFree) {
  const found = [];
  for (const m of changes) {
    const open = found[found.length - 1];
    if (open && open.until == null) open.until = m.place;
    if (!isFree(m)) found.push({ since: m.place, until: null, words: m.words[0] });
  }
  return found;
}
const ofStatus = what => spans(marks.filter(m => m.kind === "status" && m.what === what), m => m.code === "T");
const halts = [...ofStatus(2), ...ofStatus(3), ...spans(marks.filter(m => m.kind === "data-state"), m => m.state === "trusted")];

function drawHalts(ctx, p) {
  font(ctx, 10);
  ctx.textBaseline = "top";
  for (const halt of halts) {
    const x1 = xOf(halt.since), x2 = xOf(halt.until == null ? count : halt.until);
    if (x2 < 0 || x1 > size.plot) continue;
    ctx.globalAlpha = 0.22;
    ctx.fillStyle = ink.balance;
    ctx.fillRect(x1, p.top, x2 - x1, p.bottom - p.top);
    ctx.globalAlpha = 1;
    line(ctx, x1, p.top, x1, p.bottom, ink.balance, [3, 3]);
    text(ctx, halt.words, x1 + 3, p.top + 24, ink.soft);
  }
}

function drawRanges(ctx, p) {
  for (const range of ranges) {
    const x1 = xOf(range.since - 0.5), x2 = xOf(range.until == null ? count : range.until + 0.5);
    if (x2 < 0 || x1 > size.plot) continue;
    line(ctx, x1, yOf(p, range.edge), x2, yOf(p, range.edge), range.sign > 0 ? ink.up : ink.down, [2, 3]);
  }
}

function drawLegs(ctx, p) {
  for (const leg of legs) {
    const x1 = xOf(placeOf(leg.start)), x2 = xOf(placeOf(leg.extreme));
    const end = leg.ended == null ? xOf(count) : xOf(placeOf(leg.ended));
    if (end < 0 || x1 > size.plot) continue;
    line(ctx, x1, yOf(p, leg.from), x2, yOf(p, leg.to), ink.line1, leg.of === "impulse" ? [8, 3] : [3, 3]);
    if (leg.closed == null) continue;
    for (const px of leg.nodes) line(ctx, xOf(placeOf(leg.closed)), yOf(p, px), end, yOf(p, px), ink.alert, [1, 3]);
  }
}

function triangle(ctx, x, y, sign, side, colour) {
  ctx.fillStyle = colour;
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x - side, y + sign * side * 1.6);
  ctx.lineTo(x + side, y + sign * side * 1.6);
  ctx.fill();
}

// How each kind is drawn: at its price, or above and below its bar.
const drawn = {
  "breakout": (ctx, p, m, x, place) => {
    const colour = m.sign > 0 ? ink.up : ink.down;
    const words = { out: m.sign > 0 ? "out ↑" : "out ↓", accepted: "accepted", failed: "failed", returned: "returned" }[m.what];
    if (!words) return;
    font(ctx, 11, 600);
    place.y = m.sign > 0 ? aboveBar(p, m.place) - 8 : belowBar(p, m.place) + (barWidth() < cellsFrom ? 8 : 34);
    if (place.before && Math.abs(place.before.x - x) < 50 && Math.abs(place.before.y - place.y) < 12) place.y = place.before.y - m.sign * 12;
    place.before = { x, y: place.y };
    text(ctx, words, Math.min(Math.max(x, 28), size.plot - 28), place.y, colour, "center");
  },
  "pullback": (ctx, p, m, x) => {
    if (m.what !== "touched" && m.what !== "with-flow") return;
    ctx.beginPath();
    ctx.arc(x, yOf(p, number(m.px)), 4, 0, 7);
    ctx.strokeStyle = ctx.fillStyle = ink.line1;
    if (m.what === "with-flow") ctx.fill(); else ctx.stroke();
  },
  "lvn-alert": (ctx, p, m, x) => {
    const y = yOf(p, number(m.px));
    ctx.fillStyle = ink.alert;
    ctx.beginPath();
    ctx.moveTo(x, y - 5);
    ctx.lineTo(x + 5, y);
    ctx.lineTo(x, y + 5);
    ctx.lineTo(x - 5, y);
    ctx.fill();
  },
  "flow-alert": (ctx, p, m, x) => {
    const up = m.sign > 0;
    const y = up ? belowBar(p, m.place) + (barWidth() < cellsFrom ? 2 : 26) : aboveBar(p, m.place);
    triangle(ctx, x, y, up ? 1 : -1, 5, up ? ink.up : ink.down);
  },
  "state-alert": (ctx, p, m, x) => triangle(ctx, x, p.bottom - 9, -1, 4, m.sign > 0 ? ink.up : m.sign < 0 ? ink.down : ink.balance),
  "gap": (ctx, p, m, x) => upright(ctx, p, x, ink.alert, "gap"),
};
function upright(ctx, p, x, colour, words) {
  line(ctx, x, p.top, x, p.bottom, colour, [3, 3]);
  font(ctx, 10);
  text(ctx, words, x + 3, p.top + 34, colour);
}

function drawMarks(ctx, p) {
  ctx.textBaseline = "middle";
  // Where the last label stands, so that the next does not lie on it.
  const place = { before: null };
  for (const m of marksIn(firstInView(), lastInView())) {
    if (m.place >= 0 && drawn[m.kind]) drawn[m.kind](ctx, p, m, xOf(m.place), place);
  }
}

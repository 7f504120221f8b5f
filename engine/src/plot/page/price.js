// The pane of prices: candles, or footprints where bars are wide enough; levels of the profile as they stood, and at the axis the
// profile itself, of the session at the right edge.
"use strict";

const candlesTo = 18, cellsFrom = 62;

// The session whose profile stands at the axis.
const profiled = () => sessionOf(lastSeen()) || day.sessions[day.sessions.length - 1];

function priceScale() {
  if (view.prices) return view.prices;
  const range = extent([day.low, day.high], firstInView(), lastInView()) || [0, 1];
  // A row of a footprint is no higher than a few lines of text.
  const rows = barWidth() < candlesTo ? 0 : (panes[0].bottom - panes[0].top) / 26 * day.row;
  const width = Math.max((range[1] - range[0]) * 1.16, rows, 2 * step), middle = (range[0] + range[1]) / 2;
  return [middle - width / 2, middle + width / 2];
}

// Prices lie on steps: a row reaches from half a step below its lowest to half a step above its highest, so a price is in the middle.
const step = Math.max(day.tick || 0, 10 ** -decimals);
const foot = px => px - Math.min(step, day.row) / 2;

function drawPrice(ctx, p) {
  if (layers.alerts) drawHalts(ctx, p);
  if (layers.levels) drawLevels(ctx, p);
  if (layers.breakouts) drawRanges(ctx, p);
  if (layers.legs) drawLegs(ctx, p);
  const width = barWidth();
  for (let i = firstInView(); i <= lastInView(); i++) {
    if (width < candlesTo || !day.foot[i].length) drawCandle(ctx, p, i, xOf(i), Math.max(1, width * 0.72));
    else drawFootprint(ctx, p, i, width >= cellsFrom);
  }
  drawStates(ctx, p);
  drawMarks(ctx, p);
}
function drawBeside(ctx, p) {
  drawProfile(ctx, p);
  drawTags(ctx, p);
}

function drawCandle(ctx, p, i, x, width) {
  const [open, close] = [day.open[i], day.close[i]];
  if (open == null) return;
  const colour = close > open ? ink.up : close < open ? ink.down : ink.none;
  const [high, low] = [yOf(p, day.high[i]), yOf(p, day.low[i])];
  const top = yOf(p, Math.max(open, close)), bottom = yOf(p, Math.min(open, close));
  ctx.fillStyle = colour;
  const wick = Math.round(x);
  ctx.fillRect(wick, high, 1, Math.max(1, low - high));
  ctx.fillRect(width < 3 ? wick - Math.floor(width / 2) : x - width / 2, top, Math.max(1, width), Math.max(1, bottom - top));
}

// Point of control and value area as they stood at the time, those of the session before, and low-volume nodes of past sessions.
function drawLevels(ctx, p) {
  curve(ctx, p, day.vah, ink.area, { steps: true, width: 1 });
  curve(ctx, p, day.val, ink.area, { steps: true, width: 1 });
  curve(ctx, p, day.poc, ink.poc, { steps: true, width: 1.4 });
  for (const session of day.sessions) {
    const before = session.previous || { nodes: [] }, past = session.composite || { nodes: [] };
    const [first, last] = placesOf(session);
    const [x1, x2] = [Math.max(0, xOf(first - 0.5)), Math.min(size.plot, xOf(last + 0.5))];
    if (x2 <= x1) continue;
    font(ctx, 10);
    ctx.textBaseline = "bottom";
    for (const [name, value] of [["POC before", before.poc], ["VAH before", before.vah], ["VAL before", before.val]]) {
      if (value == null || value < p.low || value > p.high) continue;
      const y = Math.round(yOf(p, value)) + 0.5;
      line(ctx, x1, y, x2, y, ink.before, [6, 4]);
      text(ctx, `${name} ${price(value)}`, x2 - 4, y - 1, ink.before, "right");
    }
    for (const [px, high] of [...before.nodes, ...past.nodes]) {
      if (!high && px >= p.low && px <= p.high) line(ctx, x1, yOf(p, px), x2, yOf(p, px), ink.alert, [1, 6]);
    }
  }
}

// Balance and imbalance, as a band at the foot.
function drawStates(ctx, p) {
  const colour = { "balance": ink.balance, "imbalance-up": ink.up, "imbalance-down": ink.down };
  const width = barWidth();
  for (let i = firstInView(); i <= lastInView(); i++) {
    if (!colour[day.state[i]]) continue;
    ctx.fillStyle = colour[day.state[i]];
    ctx.fillRect(xOf(i) - width / 2, p.bottom - 7, width + 0.5, 6);
  }
}

function drawProfile(ctx, p) {
  const session = profiled();
  if (!size.profile || !session || !session.rows.length) return;
  const right = size.plot + size.profile, most = Math.max(...session.rows.map(row => row[1]));
  const unit = (size.profile - 26) / most;
  line(ctx, size.plot + 0.5, p.top, size.plot + 0.5, p.bottom, ink.line);
  for (const [px, volume, bought, sold] of session.rows) {
    const top = yOf(p, foot(px + session.row)), height = Math.max(1, yOf(p, foot(px)) - top - 1);
    const inside = session.val != null && px + session.row > session.val && px <= session.vah;
    ctx.globalAlpha = inside ? 0.85 : 0.38;
    let x = right;
    for (const [part, colour] of [[sold, ink.down], [bought, ink.up], [volume - bought - sold, ink.none]]) {
      ctx.fillStyle = colour;
      ctx.fillRect(x - part * unit, top, part * unit, height);
      x -= part * unit;
    }
    ctx.globalAlpha = 1;
    if (session.poc != null && px <= session.poc && session.poc < px + session.row) {
      ctx.strokeStyle = ink.poc;
      ctx.lineWidth = 1.5;
      ctx.strokeRect(x - 1, top - 0.5, right - x + 0.5, height + 1);
      ctx.lineWidth = 1;
    }
  }
  drawNodes(ctx, p, session, right, unit);
  font(ctx, 11);
  ctx.textBaseline = "top";
  const words = `profile ${written(session.date)}`;
  ctx.fillStyle = ink.paper;
  ctx.fillRect(size.plot + 2, p.top + 2, ctx.measureText(words).width + 8, 16);
  text(ctx, words, size.plot + 6, p.top + 5, ink.soft);
}

// Nodes stand left of their row: H where more was traded than around it, L where less.
function drawNodes(ctx, p, session, right, unit) {
  font(ctx, 10, 600);
  ctx.textBaseline = "middle";
  for (const [px, high] of session.nodes) {
    const row = session.rows.find(([low]) => low <= px && px < low + session.row);
    const x = right - (row ? row[1] : 0) * unit - 6, y = yOf(p, px);
    text(ctx, high ? "H" : "L", x, y, high ? ink.ink : ink.alert, "right");
  }
}

// Levels of the session at the axis, the last price over all; what would lie on another moves down.
function drawTags(ctx, p) {
  const session = profiled(), last = lastSeen();
  const tags = [];
  if (session && layers.levels) {
    for (const [name, value, colour] of [["VAH", session.vah, ink.area], ["POC", session.poc, ink.poc], ["VAL", session.val, ink.area]]) {
      if (value != null) tags.push({ value, words: `${name} ${price(value)}`, colour });
    }
  }
  const close = day.close[last];
  if (close != null) tags.push({ value: close, words: price(close), colour: close >= day.open[last] ? ink.up : ink.down });
  const placed = tags.map(t => ({ ...t, y: yOf(p, t.value) })).filter(t => t.y > p.top && t.y < p.bottom).sort((a, b) => a.y - b.y);
  placed.forEach((t, i) => { if (i && t.y < placed[i - 1].y + 16) t.y = placed[i - 1].y + 16; });
  placed.forEach(t => tag(ctx, t.y, t.words, t.colour));
}

function readPrice(i) {
  const change = day.close[i] == null || day.open[i] == null ? null : day.close[i] - day.open[i];
  const parts = [["O", price(day.open[i])], ["H", price(day.high[i])], ["L", price(day.low[i])], ["C", price(day.close[i])],
    ["", change == null ? "" : (change > 0 ? "+" : "") + change.toFixed(decimals), change], ["POC", price(day.poc[i])],
    ["VAH", price(day.vah[i])], ["VAL", price(day.val[i])], ["state", day.state[i] || "–"]];
  if (barWidth() >= candlesTo && day.foot[i].length) parts.push(["rows of", price(day.row * rowsTogether(panes[0]))]);
  return parts;
}

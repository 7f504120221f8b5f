// Footprints: what was traded in a bar by price and side. In wide bars as numbers, sold × bought; in narrower ones as bars to the
// left and to the right. Rows too low for a number are put together, and then nothing is said of imbalances.
"use strict";

// Rows of a bar in groups of `of`, by the lowest price of the group: [price, bought, sold, unsigned].
function rowsOf(i, of) {
  const flat = day.foot[i], height = day.row * of, groups = new Map();
  for (let k = 0; k < flat.length; k += 4) {
    const key = Math.floor(flat[k] / height + 1e-6);
    const group = groups.get(key) || [key * height, 0, 0, 0];
    for (let n = 1; n < 4; n++) group[n] += flat[k + n];
    groups.set(key, group);
  }
  return groups;
}

// Whether a number outweighs the one across: at least `ratio` times it, and a part of the bar.
function outweighs(one, other, all) {
  const { ratio, least_part } = day.imbalance;
  return one > 0 && one >= ratio * other && one * 100 >= least_part * all;
}

// The rows in which buyers outweigh the sellers one row below, and those in which sellers outweigh the buyers one above.
function imbalances(rows) {
  const keys = [...rows.keys()], lowest = Math.min(...keys), highest = Math.max(...keys);
  let all = 0;
  rows.forEach(row => { all += row[1] + row[2] + row[3]; });
  const at = (key, n) => (rows.get(key) || [0, 0, 0, 0])[n];
  const buy = new Set(keys.filter(key => key > lowest && outweighs(at(key, 1), at(key - 1, 2), all)));
  const sell = new Set(keys.filter(key => key < highest && outweighs(at(key, 2), at(key + 1, 1), all)));
  return { buy, sell };
}

// How many rows are put together, so that a number has room, or a bar is seen.
function rowsTogether(p) {
  const high = yOf(p, p.low) - yOf(p, p.low + day.row), least = barWidth() < cellsFrom ? 3 : 11;
  return high < least ? Math.ceil(roundStep(least / high, 1)) : 1;
}

function drawFootprint(ctx, p, i, cells) {
  const width = barWidth(), left = xOf(i) - width / 2;
  const of = rowsTogether(p), high = (yOf(p, p.low) - yOf(p, p.low + day.row)) * of;
  const rows = rowsOf(i, of);
  drawCandle(ctx, p, i, left + 5, 4);
  const box = { left: left + 10, width: width - 14, of, high };
  if (cells) drawCells(ctx, p, i, rows, box);
  else drawBars(ctx, p, rows, box);
}

function drawBars(ctx, p, rows, box) {
  let most = 1;
  rows.forEach(([, bought, sold]) => { most = Math.max(most, bought, sold); });
  const middle = box.left + box.width / 2, unit = box.width / 2 / most;
  rows.forEach(([px, bought, sold]) => {
    const y = yOf(p, foot(px)) - box.high, high = Math.max(1, box.high - (box.high > 4 ? 1 : 0));
    ctx.fillStyle = ink.down;
    ctx.fillRect(middle - sold * unit, y, sold * unit, high);
    ctx.fillStyle = ink.up;
    ctx.fillRect(middle, y, bought * unit, high);
  });
}

function drawCells(ctx, p, i, rows, box) {
  let most = 1;
  rows.forEach(row => { most = Math.max(most, row[1] + row[2] + row[3]); });
  const found = box.of === 1 ? imbalances(rows) : { buy: new Set(), sell: new Set() };
  const px = Math.max(8, Math.min(12, box.high - 2, box.width / 9)), middle = box.left + box.width / 2;
  ctx.textBaseline = "middle";
  rows.forEach(([low, bought, sold, unsigned], key) => {
    const y = yOf(p, foot(low)) - box.high, all = bought + sold + unsigned, centre = y + box.high / 2 + 0.5;
    // Lines behind a number would strike it out.
    ctx.fillStyle = ink.paper;
    ctx.fillRect(box.left, y, box.width, box.high - 1);
    ctx.globalAlpha = 0.08 + 0.5 * all / most;
    ctx.fillStyle = bought > sold ? ink.up : bought < sold ? ink.down : ink.none;
    ctx.fillRect(box.left, y, box.width, box.high - 1);
    ctx.globalAlpha = 1;
    if (bought + sold === 0) {
      font(ctx, px);
      text(ctx, brief(unsigned), middle, centre, ink.soft, "center");
      return;
    }
    font(ctx, px, found.sell.has(key) ? 700 : 400);
    text(ctx, brief(sold), middle - 5, centre, found.sell.has(key) ? ink.down : ink.ink, "right");
    font(ctx, px);
    text(ctx, "×", middle, centre, ink.soft, "center");
    font(ctx, px, found.buy.has(key) ? 700 : 400);
    text(ctx, brief(bought), middle + 5, centre, found.buy.has(key) ? ink.up : ink.ink);
  });
  drawOfBar(ctx, p, i, box, px);
}

// Where the highest row of a bar ends.
function aboveBar(p, i) {
  const height = day.row * rowsTogether(p), flat = day.foot[i], highest = Math.max(day.high[i] ?? -Infinity, flat[flat.length - 4] ?? -Infinity);
  return yOf(p, barWidth() < candlesTo ? highest : foot((Math.floor(highest / height + 1e-6) + 1) * height)) - 4;
}
// Where the lowest ends; below it are the numbers of the bar.
function belowBar(p, i) {
  const height = day.row * rowsTogether(p), lowest = Math.min(day.low[i] ?? Infinity, day.foot[i][0] ?? Infinity);
  return yOf(p, foot(barWidth() < candlesTo ? lowest : Math.floor(lowest / height + 1e-6) * height)) + 4;
}

// What the rows come to: the busiest, stacks, and the numbers of the bar below it.
function drawOfBar(ctx, p, i, box, px) {
  if (day.foot_poc[i] != null) {
    const low = Math.floor(day.foot_poc[i] / (day.row * box.of) + 1e-6) * day.row * box.of;
    ctx.strokeStyle = ink.poc;
    ctx.strokeRect(box.left + 0.5, yOf(p, foot(low)) - box.high + 0.5, box.width - 1, box.high - 2);
  }
  for (const [stack, colour, x] of [[day.buy_stack[i], ink.up, box.left + box.width + 1], [day.sell_stack[i], ink.down, box.left - 3]]) {
    if (!stack) continue;
    ctx.fillStyle = colour;
    const top = yOf(p, foot(stack[0] + stack[1] * day.row)), bottom = yOf(p, foot(stack[0]));
    ctx.fillRect(x, top, 2, bottom - top);
  }
  const y = belowBar(p, i), middle = box.left + box.width / 2, delta = day.delta[i];
  ctx.textBaseline = "top";
  font(ctx, px, 600);
  text(ctx, delta == null ? "" : (delta > 0 ? "+" : "") + brief(delta), middle, y, delta < 0 ? ink.down : ink.up, "center");
  font(ctx, px);
  text(ctx, day.volume[i] == null ? "" : brief(day.volume[i]), middle, y + px + 2, ink.soft, "center");
}

// What of the day is in view, and where it lies on the canvas: columns of bars from left to right, panes from top to bottom.
// All lengths are CSS pixels. Drawing walks over the bars in view, so its cost follows the zoom and not the day.
"use strict";

const axisHeight = 22;
const axisWidth = 16 + 7 * Math.max(8, ...day.sessions.flatMap(s => [s.poc, s.vah, s.val]).map(x => `POC ${price(x)}`.length));
const hasProfile = day.sessions.some(session => session.rows.length);
const view = { from: -0.5, to: count - 0.5, prices: null };
const layers = { profile: true, levels: true, legs: true, breakouts: true, alerts: true, published: false };
const size = { width: 0, height: 0, plot: 0, profile: 0 };

// Panes in their order: `part` of the height, `scale` gives [low, high], `written` a value of the axis, `draw` draws between them, `beside`
// right of the bars, `read` says what is at a place.
const panes = [];
function pane(name, part, { scale, written, draw, read, beside = () => {} }) {
  panes.push({ name, part, scale, written, draw, read, beside, head: name ? 18 : 3, top: 0, bottom: 0, low: 0, high: 1 });
}

const styles = () => getComputedStyle(document.documentElement);
let ink = {};
function readColours() {
  const style = styles();
  for (const name of ["paper", "ink", "soft", "line", "edge", "closed", "up", "down", "none", "poc", "area", "before", "line1", "line2",
    "balance", "alert"]) ink[name] = style.getPropertyValue(`--${name}`).trim();
  ink.upSoft = `${ink.up}88`;
  ink.downSoft = `${ink.down}88`;
}

function layOut(width, height) {
  size.width = width;
  size.height = height;
  size.profile = layers.profile && hasProfile && width > 700 ? Math.min(190, Math.round(width * 0.13)) : 0;
  size.plot = width - axisWidth - size.profile;
  let top = 0;
  const space = height - axisHeight, parts = panes.reduce((sum, p) => sum + p.part, 0);
  for (const p of panes) {
    p.top = Math.round(top);
    top += space * p.part / parts;
    p.bottom = Math.round(top);
  }
}

const barWidth = () => size.plot / (view.to - view.from);
const xOf = place => (place - view.from) * barWidth();
const placeOfX = x => view.from + x / barWidth();
const yOf = (p, value) => p.bottom - 3 - (value - p.low) / (p.high - p.low) * (p.bottom - p.top - p.head - 3);
const valueOf = (p, y) => p.low + (p.bottom - 3 - y) / (p.bottom - p.top - p.head - 3) * (p.high - p.low);
const firstInView = () => Math.max(0, Math.ceil(view.from - 0.5));
const lastSeen = () => Math.max(0, Math.min(count - 1, Math.floor(view.to)));
const lastInView = () => Math.min(count - 1, Math.floor(view.to + 0.5));

// Keeps at least five bars in view and at most all, and some bar always.
function look(from, to) {
  const width = Math.max(5, Math.min(to - from, count + 20));
  const middle = (from + to) / 2;
  const left = Math.max(-width + 3, Math.min(middle - width / 2, count - 3));
  view.from = left;
  view.to = left + width;
}
function zoom(factor, around) { look(around - (around - view.from) * factor, around + (view.to - around) * factor); }
function lookAtSession(session) {
  const [first, last] = placesOf(session);
  const margin = Math.max(2, (last - first) * 0.01);
  view.prices = null;
  look(first - 0.5 - margin, last + 0.5 + margin);
}

function line(ctx, x1, y1, x2, y2, colour, dash) {
  ctx.strokeStyle = colour;
  ctx.setLineDash(dash || []);
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
  ctx.setLineDash([]);
}
function text(ctx, words, x, y, colour, align) {
  ctx.fillStyle = colour;
  ctx.textAlign = align || "left";
  ctx.fillText(words, x, y);
}
function font(ctx, px, weight) { ctx.font = `${weight || 400} ${px}px system-ui, sans-serif`; }

// A column as a line over the places in view; it breaks where nothing is known, and at a new session if it begins anew there.
function curve(ctx, p, column, colour, { steps = false, width = 1.4, dash = [], anew = false } = {}) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.beginPath();
  let pen = false, session = null;
  for (let i = Math.max(0, firstInView() - 1); i <= Math.min(count - 1, lastInView() + 1); i++) {
    const value = column[i];
    if (anew) {
      const now = sessionOf(i);
      if (now !== session) pen = false;
      session = now;
    }
    if (value == null) { pen = false; continue; }
    const y = yOf(p, value), x = xOf(i), half = barWidth() / 2;
    if (!steps) { if (pen) ctx.lineTo(x, y); else ctx.moveTo(x, y); }
    else { if (pen) ctx.lineTo(x - half, y); else ctx.moveTo(x - half, y); ctx.lineTo(x + half, y); }
    pen = true;
  }
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.lineWidth = 1;
}

// The marks of a pane's axis, with their lines.
function axis(ctx, p) {
  const step = roundStep(p.high - p.low, Math.max(2, (p.bottom - p.top) / 42));
  font(ctx, 11);
  ctx.textBaseline = "middle";
  for (let value = Math.ceil(p.low / step) * step; value <= p.high; value += step) {
    const y = Math.round(yOf(p, value)) + 0.5;
    if (y < p.top + 7 || y > p.bottom - 6) continue;
    line(ctx, 0, y, size.plot, y, ink.line);
    text(ctx, p.written(value), size.width - axisWidth + 6, y, ink.soft);
  }
}

// A value on the axis in a box of its colour.
function tag(ctx, y, words, colour) {
  font(ctx, 11, 600);
  ctx.fillStyle = colour;
  ctx.fillRect(size.width - axisWidth + 1, y - 8, axisWidth - 1, 16);
  ctx.textBaseline = "middle";
  text(ctx, words, size.width - axisWidth + 6, y + 0.5, ink.paper);
}

// Times below the panes, and lines through these; what lies outside market hours is shaded.
function timeAxis(ctx) {
  const from = firstInView(), to = lastInView(), foot = size.height - axisHeight;
  let shade = null;
  ctx.fillStyle = ink.closed;
  const close = end => {
    if (shade != null) ctx.fillRect(xOf(shade - 0.5), 0, xOf(end + 0.5) - xOf(shade - 0.5), foot);
    shade = null;
  };
  for (let i = from; i <= to; i++) {
    if (inHours(sessionOf(i), day.time[i])) close(i - 1);
    else if (shade == null) shade = i;
  }
  close(to);
  const minutes = [1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440].map(n => n * 60);
  const step = minutes.find(s => s >= day.interval_s && s / day.interval_s * barWidth() >= 64) || 86400;
  font(ctx, 11);
  ctx.textBaseline = "middle";
  let end = -Infinity;
  for (let i = from; i <= to; i++) {
    const now = local(day.time[i]), before = i > 0 ? local(day.time[i - 1]) : -Infinity;
    const isNewDay = i === 0 || sessionOf(i) !== sessionOf(i - 1);
    if (!isNewDay && Math.floor(now / step) === Math.floor(before / step)) continue;
    const x = Math.round(xOf(isNewDay ? i - 0.5 : i)) + 0.5;
    line(ctx, x, 0, x, foot, isNewDay ? ink.edge : ink.line);
    if (x - (isNewDay ? 0 : 18) < end) continue;
    const session = sessionOf(i);
    const words = isNewDay ? (session ? written(session.date) : dateOf(day.time[i])) : hourMinute(day.time[i]);
    font(ctx, 11, isNewDay ? 600 : 400);
    text(ctx, words, x + (isNewDay ? 4 : 0), foot + 11, isNewDay ? ink.ink : ink.soft, isNewDay ? "left" : "center");
    end = x + (isNewDay ? 84 : 24);
  }
}

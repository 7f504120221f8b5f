// The page: its panes below that of prices, what the pointer and keys do, and what it says of the data.
"use strict";

const main = document.querySelector("main"), [chart, over] = main.querySelectorAll("canvas"), tip = document.getElementById("tip");
const story = document.getElementById("story"), legend = document.getElementById("legend");
const shownAs = element => element.style.display === "block";
let pointer = null, due = false;

const has = column => column.some(x => x != null);

function columns(ctx, p, column, colour, from) {
  const width = Math.max(1, barWidth() * 0.72);
  for (let i = firstInView(); i <= lastInView(); i++) {
    if (column[i] == null) continue;
    const y = yOf(p, column[i]), base = yOf(p, from || 0);
    ctx.fillStyle = colour(i);
    ctx.fillRect(width < 3 ? Math.round(xOf(i)) : xOf(i) - width / 2, Math.min(y, base), width, Math.max(Math.abs(base - y), 0.5));
  }
}

const net = day.buy_pressure.map((x, i) => x == null ? null : x - day.sell_pressure[i]);

// The scale of a column: a few bars that stand far out, such as those of auctions, are cut off, or nothing else would be seen.
function most(column) {
  const all = column.slice(firstInView(), lastInView() + 1).filter(x => x != null).map(Math.abs).sort((a, b) => a - b);
  return all.length ? Math.max(1, Math.min(all[all.length - 1], 2 * all[Math.floor(all.length * 0.98)])) : 1;
}

// VPIN is as it was until another bucket closes.
let standing = null;
const vpin = day.vpin.map(x => { standing = x ?? standing; return standing; });
const mirrored = top => [-top, top];
const bySign = column => i => column[i] < 0 ? ink.down : ink.up;

pane("", 58, { scale: priceScale, written: x => x.toFixed(decimals), draw: drawPrice, beside: drawBeside, read: readPrice });
pane("volume", 9, {
  scale: () => [0, most(day.volume)],
  written: brief,
  draw: (ctx, p) => columns(ctx, p, day.volume, i => day.close[i] < day.open[i] ? ink.downSoft : day.close[i] > day.open[i] ? ink.upSoft : ink.edge),
  read: i => [["", whole(day.volume[i])], ["trades", whole(day.trades[i])], ["of the mean", day.volume_ratio[i] == null ? "–" : `${shown(day.volume_ratio[i], 1)} ×`]],
});
if (has(day.delta)) pane("delta", 9, {
  scale: () => mirrored(most(day.delta)),
  written: brief,
  draw: (ctx, p) => columns(ctx, p, day.delta, bySign(day.delta)),
  read: i => [["", signed(day.delta[i]), day.delta[i]], ["from", signed(day.delta_min[i])], ["to", signed(day.delta_max[i])]],
});
if (has(day.cvd)) pane("CVD", 10, {
  scale: () => extent([day.cvd], firstInView(), lastInView()) || [0, 1],
  written: brief,
  draw: (ctx, p) => {
    if (p.low < 0 && p.high > 0) line(ctx, 0, yOf(p, 0), size.plot, yOf(p, 0), ink.edge);
    curve(ctx, p, day.cvd, ink.line1, { anew: true });
  },
  read: i => [["", signed(day.cvd[i]), day.cvd[i]]],
});
if (has(net)) pane("pressure", 8, {
  scale: () => mirrored(Math.max(10, most(net))),
  written: x => `${x} %`,
  draw: (ctx, p) => columns(ctx, p, net, bySign(net)),
  read: i => [["buy", percent(day.buy_pressure[i]), 1], ["sell", percent(day.sell_pressure[i]), -1], ["flow score", day.score[i] == null ? "–" : `${day.score[i]} ${day.flow[i]}`]],
});
if (has(day.vpin)) pane("VPIN", 8, {
  scale: () => { const [low, high] = extent([vpin], firstInView(), lastInView()) || [0, 1]; return [Math.max(0, low - 0.05), Math.min(1, high + 0.05)]; },
  written: x => x.toFixed(2),
  draw: (ctx, p) => curve(ctx, p, vpin, ink.line2, { steps: true }),
  read: i => [["", shown(vpin[i], 3)], ["buckets of", whole(day.bucket)]],
});

function draw() {
  due = false;
  const ratio = window.devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = main;
  for (const canvas of [chart, over]) {
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
  }
  const ctx = chart.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.fillStyle = ink.paper;
  ctx.fillRect(0, 0, width, height);
  layOut(width, height);
  timeAxis(ctx);
  for (const p of panes) {
    [p.low, p.high] = p.scale();
    if (p.low === p.high) p.high = p.low + 1;
    within(ctx, 0, p.top, width, p.bottom - p.top, () => { axis(ctx, p); p.beside(ctx, p); });
    within(ctx, 0, p.top, size.plot, p.bottom - p.top, () => p.draw(ctx, p));
    line(ctx, 0, p.bottom + 0.5, width, p.bottom + 0.5, ink.edge);
  }
  drawPointer();
}
function within(ctx, x, y, width, height, act) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  act();
  ctx.restore();
}
function redraw() { if (!due) { due = true; requestAnimationFrame(draw); } }

// What is at the pointer, or at the last bar in view: values above each pane, lines through it, and the marks of its bar.
function drawPointer() {
  const ctx = over.getContext("2d"), ratio = window.devicePixelRatio || 1;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, size.width, size.height);
  const inside = pointer && pointer.x < size.plot && pointer.y < size.height - axisHeight;
  const i = Math.max(0, Math.min(count - 1, inside ? Math.round(placeOfX(pointer.x)) : lastSeen()));
  for (const p of panes) readout(ctx, p, i);
  tip.style.display = "none";
  if (!inside) return;
  const x = Math.round(xOf(i)) + 0.5, p = panes.find(p => pointer.y >= p.top && pointer.y < p.bottom);
  line(ctx, x, 0, x, size.height - axisHeight, ink.soft, [3, 3]);
  ctx.fillStyle = ink.ink;
  ctx.fillRect(x - 36, size.height - axisHeight + 2, 72, axisHeight - 3);
  font(ctx, 11, 600);
  ctx.textBaseline = "middle";
  text(ctx, day.interval_s < 60 ? hms(day.time[i]) : hourMinute(day.time[i]), x, size.height - axisHeight / 2, ink.paper, "center");
  if (p) {
    line(ctx, 0, pointer.y, size.width - axisWidth, pointer.y, ink.soft, [3, 3]);
    const value = valueOf(p, pointer.y);
    tag(ctx, pointer.y, p === panes[0] ? value.toFixed(decimals) : Math.abs(value) < 2 ? value.toFixed(3) : brief(Math.round(value)), ink.soft);
  }
  const near = Math.max(0, 6 / barWidth() - 0.5), here = marksIn(i - near, i + near);
  if (!here.length || p !== panes[0]) return;
  tip.textContent = here.slice(0, 12).map(m => `${hms(m.at)}  ${m.words[0]}\n    ${m.words[1]}`).join("\n");
  tip.style.display = "block";
  tip.style.left = `${Math.max(0, Math.min(x + 14, size.plot - tip.offsetWidth - 4))}px`;
  tip.style.top = `${Math.max(24, Math.min(pointer.y + 16, size.height - tip.offsetHeight - 30))}px`;
}

function readout(ctx, p, i) {
  font(ctx, 11.5);
  ctx.textBaseline = "top";
  let x = shownAs(story) ? story.offsetWidth + 8 : 8;
  const put = (words, colour) => {
    ctx.lineWidth = 3;
    ctx.strokeStyle = ink.paper;
    ctx.textAlign = "left";
    ctx.strokeText(words, x, p.top + 5);
    text(ctx, words, x, p.top + 5, colour);
    x += ctx.measureText(words).width + 5;
    ctx.lineWidth = 1;
  };
  if (p.name) put(p.name, ink.ink);
  else put(`${day.symbol} ${dateOf(day.time[i])} ${hourMinute(day.time[i])}`, ink.ink);
  for (const [name, words, sign] of p.read(i)) {
    if (name) put(name, ink.soft);
    if (words) put(words, sign > 0 ? ink.up : sign < 0 ? ink.down : ink.ink);
    x += 4;
  }
}

// What lies over the charts scrolls and is clicked by itself.
for (const element of [story, legend]) for (const event of ["pointerdown", "wheel"]) element.addEventListener(event, e => e.stopPropagation());

const held = new Map();
main.addEventListener("pointerdown", e => { main.setPointerCapture(e.pointerId); held.set(e.pointerId, at(e)); });
const at = e => { const box = main.getBoundingClientRect(); return { x: e.clientX - box.left, y: e.clientY - box.top }; };
main.addEventListener("pointerup", e => held.delete(e.pointerId));
main.addEventListener("pointercancel", e => held.delete(e.pointerId));
main.addEventListener("pointerleave", () => { pointer = null; drawPointer(); });
main.addEventListener("pointermove", e => {
  const now = at(e), before = held.get(e.pointerId);
  pointer = now;
  if (!before) { drawPointer(); return; }
  const other = [...held].find(([id]) => id !== e.pointerId);
  if (other) {
    const [wide, was] = [Math.abs(now.x - other[1].x), Math.abs(before.x - other[1].x)];
    if (wide > 8 && was > 8) zoom(was / wide, placeOfX((now.x + other[1].x) / 2));
  } else if (before.x > size.width - axisWidth) stretch((now.y - before.y) / 200);
  else {
    look(view.from - (now.x - before.x) / barWidth(), view.to - (now.x - before.x) / barWidth());
    const p = panes[0];
    if (view.prices) view.prices = view.prices.map(x => x + valueOf(p, before.y) - valueOf(p, now.y));
  }
  held.set(e.pointerId, now);
  redraw();
});
// Stretches the prices in view around their middle; from then on they stay until the view is reset.
function stretch(by) {
  const { low, high } = panes[0], middle = (low + high) / 2, half = (high - low) / 2 * Math.exp(by);
  view.prices = [middle - half, middle + half];
}
main.addEventListener("wheel", e => {
  e.preventDefault();
  const turn = Math.max(-1, Math.min(1, e.deltaY / 100));
  if (e.shiftKey || at(e).x > size.plot + size.profile) stretch(turn * 0.15);
  else if (Math.abs(e.deltaX) > Math.abs(e.deltaY)) look(view.from + e.deltaX / barWidth(), view.to + e.deltaX / barWidth());
  else zoom(Math.exp(turn * 0.18), placeOfX(Math.min(at(e).x, size.plot)));
  redraw();
}, { passive: false });
main.addEventListener("dblclick", () => { view.prices = null; redraw(); });

const shift = by => { const width = view.to - view.from; look(view.from + width * by, view.to + width * by); };
// So many bars that a footprint shows numbers, around a place.
const atFootprint = place => { const bars = size.plot / (cellsFrom + 34); view.prices = null; look(place - bars / 2, place + bars / 2); };
const middleOfView = () => pointer ? placeOfX(pointer.x) : (view.from + view.to) / 2;
const keys = {
  ArrowLeft: () => shift(-0.15), ArrowRight: () => shift(0.15), "+": () => zoom(0.75, middleOfView()), "-": () => zoom(1.33, middleOfView()),
  ArrowUp: () => stretch(-0.15), ArrowDown: () => stretch(0.15), f: () => atFootprint(middleOfView()),
  d: () => lookAtSession(profiled()), a: () => { view.prices = null; look(-0.5, count - 0.5); },
};
document.addEventListener("keydown", e => { if (keys[e.key] && !e.ctrlKey && !e.metaKey) { keys[e.key](); e.preventDefault(); redraw(); } });

function button(nav, words, title, act, pressed) {
  const made = document.createElement("button");
  made.textContent = words;
  made.title = title;
  const state = () => { if (pressed) made.setAttribute("aria-pressed", String(pressed())); };
  made.addEventListener("click", () => { act(); state(); made.blur(); redraw(); });
  state();
  nav.append(made);
}

function span(to, words, name, title) {
  const made = document.createElement("span");
  made.textContent = words;
  made.className = name || "";
  if (title) made.title = title;
  to.append(made);
}

function head() {
  const header = document.querySelector("header"), session = day.sessions[day.sessions.length - 1], [first, last] = session ? placesOf(session) : [0, count - 1];
  const title = document.createElement("h1"), small = document.createElement("small");
  title.textContent = `${day.symbol} `;
  small.textContent = `${day.venue} · ${session ? written(session.date) : dateOf(day.time[last])} · ${day.zone}`;
  title.append(small);
  header.append(title);
  const range = extent([day.low, day.high], first, last), open = day.open[first], close = day.close[last];
  if (range) {
    const move = close - open;
    span(header, `${price(close)}  ${move > 0 ? "+" : ""}${move.toFixed(decimals)} (${(move / open * 100).toFixed(2)} %)`, move < 0 ? "down" : "up", "last price of market hours; change from their open");
    span(header, `O ${price(open)}  H ${price(range[1])}  L ${price(range[0])}`, "soft");
    const volume = day.volume.slice(first, last + 1).reduce((sum, x) => sum + (x || 0), 0);
    span(header, `volume ${brief(volume)}`, "soft", whole(volume));
  }
  for (const { words, title: more, bad } of day.badges) span(header, words, bad ? "badge bad" : "badge", more);
  const nav = document.createElement("nav");
  button(nav, "day", "the session at the right edge (d)", keys.d);
  button(nav, "all", "all bars (a)", keys.a);
  button(nav, "footprint", "so near that footprints show numbers (f)", () => atFootprint((view.from + view.to) / 2));
  for (const [name, title] of [["profile", "volume by price"], ["levels", "POC, VAH, VAL as they stood"], ["legs", "legs, their nodes, pullbacks"], ["breakouts", "breakouts and their ranges"],
    ["alerts", "alerts of states, flow and nodes"], ["published", "the rules `published` in place of `tidegate`"]]) {
    button(nav, name, title, () => { layers[name] = !layers[name]; }, () => layers[name]);
  }
  button(nav, "?", "what is drawn, and the keys", () => { legend.style.display = shownAs(legend) ? "none" : "block"; }, () => shownAs(legend));
  button(nav, "story", "what happened, in order", () => { story.style.display = shownAs(story) ? "none" : "block"; list(); }, () => shownAs(story));
  header.append(nav);
}

// An address may end with times of the last session: #10:30 is a footprint there, #10:30-11:30 what lies between.
function lookAtAddress() {
  const found = decodeURIComponent(location.hash).match(/^#(\d\d:\d\d)(?:-(\d\d:\d\d))?$/), session = day.sessions[day.sessions.length - 1];
  if (!found || !session) return;
  const places = found.slice(1).filter(Boolean).map(words => day.time.findIndex((s, i) => sessionOf(i) === session && hourMinute(s) >= words));
  if (places.includes(-1)) return;
  view.prices = null;
  if (places.length > 1) look(places[0] - 0.5, places[1] + 0.5); else atFootprint(places[0]);
}

// The list of what happened in the session at the right edge; a click looks at it.
function list() {
  const session = profiled(), isListed = m => isShown(m) && m.what !== "expired" && (!session || (session.start <= m.at && m.at < session.end));
  story.replaceChildren(...marks.filter(isListed).map(m => {
    const item = document.createElement("li"), time = document.createElement("time");
    time.textContent = `${hms(m.at)}  `;
    item.append(time, m.words[0]);
    item.title = m.words[1];
    item.addEventListener("click", () => { atFootprint(m.place); redraw(); });
    return item;
  }));
}

// What is drawn, in words.
legend.textContent = `candles; from 18 pixels a bar on, volume by price and side; from 62 on, sold × bought
bold number: outweighs the one across; bar beside the cells: a stack of these; gold frame: most volume

gold line: point of control as it stood; blue: value area; violet: those of the session before; wide pink dots: low-volume nodes of past sessions
profile at the axis: bought and sold; bright inside the value area; H, L: nodes of high and of low volume
band at the foot: green and red imbalance, gold balance; triangles on it: the state has changed
triangles at bars: aggressive flow; diamonds: a low-volume node is near
dashed blue: a leg, short dashes a reclaim; dotted pink: its low-volume nodes; circles: pullbacks, full with flow
out, accepted, failed, returned: a breakout from the dotted range

drag, arrows: move · wheel, + and -: zoom · shift and wheel, wheel at the axis, up and down: prices · double click: prices fit
d: the session · a: all · f: footprint at the pointer`;

readColours();
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); redraw(); });
new ResizeObserver(draw).observe(main);
head();
if (day.sessions.length) lookAtSession(day.sessions[day.sessions.length - 1]);
layOut(main.clientWidth, main.clientHeight);
lookAtAddress();
window.addEventListener("hashchange", () => { lookAtAddress(); redraw(); });
draw();
// Whoever opens the page by a script sees by its title that it was drawn.
document.title = `${day.symbol} ${dateOf(day.time[lastSeen()])}`;

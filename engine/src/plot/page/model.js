// The day as the page has it, and what is looked up in it: bars by place, times in the exchange's zone, prices and counts as text.
// A bar is known by its place, 0 to count - 1. Minutes without a trade have no bar, so places are not times. What is not known is null.
"use strict";

const day = JSON.parse(document.getElementById("day").textContent);
const count = day.time.length;

// Seconds to add to a time for the clock of the exchange; a zone changes at a quarter of an hour at the earliest.
const offsets = new Map();
const clock = new Intl.DateTimeFormat("en-US", { timeZone: day.zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric",
  hour: "numeric", minute: "numeric", second: "numeric" });
function offset(s) {
  const quarter = Math.floor(s / 900);
  if (!offsets.has(quarter)) {
    const part = {};
    clock.formatToParts(new Date(quarter * 900000)).forEach(p => { part[p.type] = Number(p.value); });
    const local = Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) / 1000;
    offsets.set(quarter, local - quarter * 900);
  }
  return offsets.get(quarter);
}
const local = s => s + offset(s);
const two = n => String(n).padStart(2, "0");
const hourMinute = s => { const t = Math.floor(local(s)); return `${two(Math.floor(t / 3600) % 24)}:${two(Math.floor(t / 60) % 60)}`; };
const hms = s => `${hourMinute(s)}:${two(Math.floor(local(s)) % 60)}`;
const dateOf = s => new Date(local(s) * 1000).toISOString().slice(0, 10);
const written = date => String(date).replace(/(\d{4})(\d\d)(\d\d)/, "$1-$2-$3");

// Decimals that nine of ten closes have: a listing's step may be finer than what is traded.
const decimals = (() => {
  const closes = day.close.filter(x => x != null).map(decimalsOf).sort((a, b) => a - b);
  return Math.max(Math.min(2, day.decimals), closes.length ? closes[Math.floor((closes.length - 1) * 0.9)] : day.decimals);
})();
const shown = (x, digits) => x == null ? "–" : x.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const price = x => x == null ? "–" : x.toFixed(Math.max(decimals, decimalsOf(x)));
const whole = x => shown(x, 0);
const signed = x => x == null ? "–" : (x > 0 ? "+" : "") + whole(x);
const percent = x => x == null ? "–" : `${shown(x, 0)} %`;
// A price between two ticks, such as the middle of a row, has more decimals than the others.
function decimalsOf(x) {
  const text = String(Math.round(x * 1e9) / 1e9);
  const point = text.indexOf(".");
  return point < 0 ? 0 : Math.min(text.length - point - 1, 9);
}
// A count in few letters: three digits from 10,000 on.
function brief(n) {
  const size = Math.abs(n), unit = size < 1e4 ? 0 : size < 999500 ? 1 : size < 9995e5 ? 2 : 3;
  return unit ? `${Number((n / 10 ** (3 * unit)).toPrecision(3))}${" kMG"[unit]}` : String(Math.round(n * 100) / 100);
}

// The place of the last bar that began at or before a time; -1 before the first.
function placeAt(s) {
  let low = 0, high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (day.time[middle] <= s) low = middle + 1; else high = middle;
  }
  return low - 1;
}
// A time between places: inside its bar as far as it has gone.
function placeOf(s) {
  const i = placeAt(s);
  return i < 0 ? 0 : i + Math.min((s - day.time[i]) / day.interval_s, 1) - 0.5;
}

const sessionAt = s => day.sessions.find(session => session.start <= s && s < session.end);
const sessions = day.time.map(sessionAt);
const sessionOf = i => sessions[Math.max(0, Math.min(count - 1, i))];
const inHours = (session, s) => !session || session.open == null || (session.open <= s && s < session.close);
// First and last place of a session's market hours; of the whole trade date where they are not known, or hold no bar.
function placesOf(session) {
  const range = (from, to) => [placeAt(from - 1) + 1, placeAt(to - 1)];
  const hours = session.open == null ? [1, 0] : range(session.open, session.close);
  return hours[0] <= hours[1] ? hours : range(session.start, session.end);
}

// The least and the greatest of columns over places; null where nothing is known.
function extent(columns, from, to) {
  let low = Infinity, high = -Infinity;
  for (const column of columns) {
    for (let i = from; i <= to; i++) {
      const x = column[i];
      if (x == null) continue;
      if (x < low) low = x;
      if (x > high) high = x;
    }
  }
  return low <= high ? [low, high] : null;
}

// A round step of which about `most` fit into a range.
function roundStep(range, most) {
  const raw = range / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map(n => n * power).find(step => step >= raw);
}

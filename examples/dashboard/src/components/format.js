// How numbers and days are written. English, whatever the browser prefers: so are the words around them.
const whole = new Intl.NumberFormat("en", {maximumFractionDigits: 0});
const short = new Intl.NumberFormat("en", {maximumSignificantDigits: 3, notation: "compact"});
const longer = new Intl.NumberFormat("en", {maximumSignificantDigits: 4, notation: "compact"});

const known = (format) => (x) => (x === null || x === undefined || Number.isNaN(x) ? "–" : format(x));

export const count = known((x) => whole.format(x));
// Money has no sign: the orders do not say in which currency they are.
export const money = known((x) => (Math.abs(x) < 100 ? x.toFixed(2) : whole.format(x)));
// On a card, where there is room for eight digits.
export const large = known((x) => (Math.abs(x) < 1e8 ? money(x) : longer.format(x)));
export const axis = known((x) => (x !== 0 && Math.abs(x) < 0.01 ? x.toExponential(0) : short.format(x)));
export const percent = known((x) =>
  x > 0 && x < 0.0005 ? "< 0.1 %" : `${(100 * x).toFixed(Math.abs(x) < 0.0995 ? 1 : 0)} %`);
export const change = known((x) => `${x > 0 ? "+" : x < 0 ? "\u2212" : ""}${percent(Math.abs(x))}`);
export const digits = (n) => known((x) => x.toFixed(n).replace("-", "\u2212"));
export const significant = known((x) => Number(x.toPrecision(4)).toString());

// A date comes as 1998-06-30: midnight in UTC, as the charts reckon.
export const day = (text) => new Date(`${text}T00:00:00Z`);
export const nextDay = (text) => new Date(day(text).getTime() + 86400000);
export const written = known((text) =>
  day(text).toLocaleDateString("en-GB", {timeZone: "UTC", day: "numeric", month: "long", year: "numeric"}));
export const month = (text) => text.slice(0, 7);
export const namedMonth = (text) =>
  day(text).toLocaleDateString("en-GB", {timeZone: "UTC", month: "long", year: "numeric"});
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

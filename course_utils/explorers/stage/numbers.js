// Numbers for people: a true minus, never "-0.000", "0e+00" or "1.6499999999999986".

const MINUS = "\u2212";

export function fixed(value, digits = 2) {
  if (Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value < 0 ? `${MINUS}infinite` : "infinite";
  if (Math.abs(value) >= 1e4) return short(value);
  const rounded = Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value;
  return rounded.toFixed(digits).replace("-", MINUS);
}

// About four significant digits, as a person writes them: 0.0093, 2.146, 1,234, 3.2 million.
export function short(value) {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return fixed(value);
  if (size < 1e-9) return "0";
  if (size < 1e-4) return power(value);
  if (size < 1000) return Number(value.toPrecision(size < 1 ? 3 : 4)).toString().replace("-", MINUS);
  if (size < 1e6) return whole(value);
  return size < 1e9 ? `${fixed(value / 1e6, 1).replace(".0", "")} million` : power(value);
}

export function whole(value) {
  return Math.round(value).toLocaleString("en-US").replace("-", MINUS);
}

function power(value) {
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  return `${fixed(value / 10 ** exponent, 1)} \u00b7 ${tenTo(exponent)}`;
}

function tenTo(exponent) {
  const digits = [...String(Math.abs(exponent))].map((d) => "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[d]);
  return `10${exponent < 0 ? "\u207b" : ""}${digits.join("")}`;
}

// A power of ten as an axis has it: 0.01, 1, 1,000, 10\u2076.
export function decade(value) {
  const exponent = Math.round(Math.log10(value));
  return exponent < -3 || exponent > 5 ? tenTo(exponent) : short(value);
}

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// Digits after the point that tell apart what is size / parts from each other.
export const digits = (size, parts) => clamp(Math.ceil(-Math.log10(size / parts)), 0, 9);

// Pixels as a path has them, to a tenth; twice as fast as toFixed.
export function tenth(value) {
  const at = Math.round(10 * value);
  return at >= 0 && at < 1e9 ? `${(at / 10) | 0}.${at % 10}` : String(at / 10);
}

/** Values of the nats-server configuration format that are written without quotes (nats-server conf/lex.go). */

/** What ends a bare word. Not `[`, `{`, `#` or `"`: those belong to it. */
export const ENDS_WORD = /[\n\r;,\]}\t ]/;
/** What ends a number; a `]` does not, which makes `[1]` a mistake for nats-server. */
const ENDS_NUMBER = /[\n\r;,}\t ]/;

const SIZES: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4, p: 5, e: 6 };

/** What a bare number turns out to be. */
export type NumberToken =
  | { is: "number" | "text" | "date"; text: string }
  /** Ignored with its key: `10kbb`. */
  | { is: "nothing"; text: string }
  /** A word after all: `10.0.0.1/8`, `4222x`; `text` is what was read of it. */
  | { is: "word"; text: string }
  | { is: "mistake"; text: string; problem: string };

const DATE = /\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ/y;

const matched = (pattern: RegExp, text: string, at: number): string => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
};

/** Reads what begins with a digit, or with a minus sign, at `at`. */
export function readNumber(text: string, at: number): NumberToken {
  const mistake = (problem: string): NumberToken => ({ is: "mistake", text: "", problem });
  const whole = matched(/-?\d+/y, text, at);
  if (whole === "") return mistake("expected a digit after '-'");
  const negative = whole.startsWith("-");
  const next = text[at + whole.length] ?? "";
  if (next === ".") return readFloat(text, at, whole);
  if (/[kmgtpe]/i.test(next)) {
    const size = matched(/-?\d+[kmgtpe][bi]*/iy, text, at);
    const after = text[at + size.length] ?? "";
    if (after !== "" && !ENDS_NUMBER.test(after)) return { is: "word", text: size };
    return /[kmgtpe](b|i|ib)?$/i.test(size) && /\d.{1,3}$/.test(size)
      ? { is: "number", text: size }
      : { is: "nothing", text: size };
  }
  if (negative || next === "" || ENDS_NUMBER.test(next)) return { is: "number", text: whole };
  if (next !== "-") return { is: "word", text: whole + next };
  const date = matched(DATE, text, at);
  return date === "" ? mistake("expected a date or a text in quotes") : { is: "date", text: date };
}

function readFloat(text: string, at: number, whole: string): NumberToken {
  const float = matched(/-?\d+\.\d+/y, text, at);
  if (float === "") {
    return { is: "mistake", text: whole, problem: "expected a digit after '.'" };
  }
  return text[at + float.length] === "."
    ? { is: "text", text: matched(/-?\d+\.\d+\.[\d.:-]*/y, text, at) }
    : { is: "number", text: float };
}

/** The value of a number, its size suffix included; undefined when nats-server cannot hold it. */
export function numberValue(text: string): number | undefined {
  const [, digits = "", unit = "", binary = ""] = /^(-?[\d.]+)([a-z]?)([bi]*)$/i.exec(text) ?? [];
  if (!digits.includes(".") && BigInt.asIntN(64, BigInt(digits)) !== BigInt(digits)) return undefined;
  return Number(digits) * (binary === "" ? 1000 : 1024) ** (SIZES[unit.toLowerCase()] ?? 0);
}

/** The value of a bare word that is no number. */
export function wordValue(word: string): string | boolean {
  if (/^(true|yes|on)$/i.test(word)) return true;
  if (/^(false|no|off)$/i.test(word)) return false;
  return word;
}

/**
 * Reads the nats-server configuration format, however it is written: maps with `:`, `=` or a blank between key and
 * value, commas or line ends between entries, quoted or bare values, comments. Values stay text, numbers or booleans;
 * variables and includes are not followed. The inverse of `render`, and the eyes of the diagnosis on files that were
 * changed by hand.
 */
export type Parsed = string | number | boolean | Parsed[] | { [key: string]: Parsed };

/** Thrown with the line at which the text stops making sense. */
export class ConfigSyntaxError extends Error {
  constructor(
    readonly line: number,
    problem: string,
  ) {
    super(`line ${line}: ${problem}`);
    this.name = "ConfigSyntaxError";
  }
}

const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" };

class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  /** Entries up to `end`, or to the end of the text. */
  map(end?: "}"): Record<string, Parsed> {
    const entries: Record<string, Parsed> = {};
    for (;;) {
      this.skip(/[\s,;]/);
      if (this.at >= this.text.length) {
        if (end === undefined) return entries;
        throw this.error("a '}' is missing");
      }
      if (this.take(end)) return entries;
      const key = this.peek() === '"' || this.peek() === "'" ? this.quoted() : this.match(/[^\s:={}[\],"']+/y, "a key");
      this.skip(/[\s:=]/);
      entries[key] = this.value();
    }
  }

  private value(): Parsed {
    const char = this.peek();
    if (this.take("{")) return this.map("}");
    if (this.take("[")) return this.list();
    if (char === '"' || char === "'") return this.quoted();
    return bare(this.match(/[^\s{}[\],;"']+/y, "a value"));
  }

  private list(): Parsed[] {
    const items: Parsed[] = [];
    for (;;) {
      this.skip(/[\s,]/);
      if (this.take("]")) return items;
      if (this.at >= this.text.length) throw this.error("a ']' is missing");
      items.push(this.value());
    }
  }

  private quoted(): string {
    const quote = this.text[this.at++];
    let value = "";
    for (let char = this.text[this.at++]; char !== quote; char = this.text[this.at++]) {
      if (char === undefined) throw this.error("a string has no end");
      value += char === "\\" && quote === '"' ? this.escape() : char;
    }
    return value;
  }

  private escape(): string {
    const char = this.text[this.at++] ?? "";
    if (char !== "x") return ESCAPES[char] ?? `\\${char}`;
    this.at += 2;
    return String.fromCharCode(parseInt(this.text.slice(this.at - 2, this.at), 16));
  }

  /** Skips comments and what `pattern` matches. */
  private skip(pattern: RegExp): void {
    for (;;) {
      const rest = this.text.startsWith("//", this.at) || this.peek() === "#" ? this.text.indexOf("\n", this.at) : -2;
      if (rest !== -2) this.at = rest === -1 ? this.text.length : rest;
      else if (this.peek() !== "" && pattern.test(this.peek())) this.at++;
      else return;
    }
  }

  private match(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.at;
    const [found] = pattern.exec(this.text) ?? [];
    if (found === undefined) throw this.error(`${what} was expected`);
    this.at += found.length;
    return found;
  }

  private take(char: string | undefined): boolean {
    if (char === undefined || this.peek() !== char) return false;
    this.at++;
    return true;
  }

  private peek = (): string => this.text[this.at] ?? "";

  private error = (problem: string): ConfigSyntaxError =>
    new ConfigSyntaxError(this.text.slice(0, this.at).split("\n").length, problem);
}

function bare(word: string): Parsed {
  if (/^(true|yes|on)$/i.test(word)) return true;
  if (/^(false|no|off)$/i.test(word)) return false;
  return /^-?\d+(\.\d+)?$/.test(word) ? Number(word) : word;
}

/** Errors: ConfigSyntaxError. */
export const parse = (text: string): Record<string, Parsed> => new Parser(text).map();

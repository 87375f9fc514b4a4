/** The reading position in a nats-server configuration, and the parts of its texts. */

/** Where something stands. */
export interface Position {
  file: string;
  line: number;
}

/** Thrown with the place where the text cannot be read any further. The text itself is never repeated: it may hold a seed. */
export class ConfigSyntaxError extends Error {
  readonly line: number;

  constructor(
    readonly at: Position,
    readonly problem: string,
  ) {
    super(`${at.file === "" ? "line " : `${at.file}:`}${at.line}: ${problem}`);
    this.name = "ConfigSyntaxError";
    this.line = at.line;
  }
}

/** What Go calls a space (unicode.IsSpace). */
export const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
export const BLANK = /[\t ]/;
export const LINE_END = /[\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" };
const BLOCK_END = /(?<=\n)\)(?=\n|$(?![\s\S]))/;

export class Cursor {
  protected at = 0;
  private counted = { to: 0, line: 1 };

  constructor(
    protected readonly text: string,
    protected readonly file: string,
  ) {}

  /** What stands between two quotes, without escapes. */
  protected upTo(quote: string): string {
    const end = this.text.indexOf(quote, this.at + 1);
    if (end === -1) throw this.error("a string does not end");
    const found = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return found;
  }

  protected doubleQuoted(): string {
    const start = this.position();
    let value = "";
    this.at++;
    for (let char = this.text[this.at++]; char !== '"'; char = this.text[this.at++]) {
      if (char === undefined) throw new ConfigSyntaxError(start, "a string does not end");
      value += char === "\\" ? this.escape() : char;
    }
    return value;
  }

  /** What a backslash before this place stands for. */
  protected escape(): string {
    const char = this.text[this.at++] ?? "";
    const plain = ESCAPES[char];
    if (plain !== undefined) return plain;
    const hex = this.text.slice(this.at, this.at + 2);
    if (char !== "x" || !/^[0-9a-f]{2}$/i.test(hex)) {
      throw this.error('unknown escape; known are \\xXX, \\t, \\n, \\r, \\" and \\\\');
    }
    this.at += 2;
    return String.fromCharCode(parseInt(hex, 16));
  }

  /** `( … )` over lines; the closing bracket stands alone on its line. */
  protected block(): string {
    const start = this.at + 1;
    const length = this.text.slice(start).search(BLOCK_END);
    if (length === -1) throw this.error("the ')' that ends a block, alone on its line, is missing");
    this.at = start + length + 1;
    // At the end of a file the closing bracket counts as content.
    return this.text.slice(start, this.at < this.text.length ? start + length : this.at);
  }

  /** Skips comments and what `pattern` matches. */
  protected skip(pattern: RegExp): void {
    for (;;) {
      const isComment = this.peek() === "#" || this.text.startsWith("//", this.at);
      if (isComment) while (this.peek() !== "" && !LINE_END.test(this.peek())) this.at++;
      else if (pattern.test(this.peek())) this.at++;
      else return;
    }
  }

  /** Skips what `pattern` matches. */
  protected skipOnly(pattern: RegExp): void {
    while (pattern.test(this.peek())) this.at++;
  }

  /** What stands from here up to what `end` matches. */
  protected before(end: RegExp): string {
    const start = this.at;
    while (this.peek() !== "" && !end.test(this.peek())) this.at++;
    return this.text.slice(start, this.at);
  }

  /** The next character; empty at the end of the text. */
  protected peek = (): string => this.text[this.at] ?? "";

  protected position(): Position {
    for (; this.counted.to < this.at; this.counted.to++) if (this.text[this.counted.to] === "\n") this.counted.line++;
    return { file: this.file, line: this.counted.line };
  }

  protected error = (problem: string): ConfigSyntaxError => new ConfigSyntaxError(this.position(), problem);
}

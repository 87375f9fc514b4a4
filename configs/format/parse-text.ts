import { BLANK, ConfigSyntaxError, Cursor, LINE_END, Position, SPACE } from "./parse-cursor";
import { ENDS_WORD, NumberToken, numberValue, readNumber, wordValue } from "./parse-values";

/**
 * Reads the text of one nats-server configuration file as nats-server does (conf/lex.go and conf/parse.go), its
 * oddities included: what it takes is taken here, with the same meaning.
 */

export interface ConfigNode {
  /** The position of an entry's key, or of an item; for an included entry, in the included file. */
  at: Position;
  value: string | number | boolean | ConfigNode[] | ConfigMap;
  /** Whether something refers to it by `$NAME`: nats-server does not mind an unknown key then. */
  isVariable?: true;
  /** Whether the value stood in quotes, where nats-server replaces no `$NAME`. */
  isQuoted?: true;
  /** For an entry: the earlier one with the same name, which nats-server ignores. */
  replaces?: ConfigNode;
}

export type ConfigMap = Map<string, ConfigNode>;

/** What a file may refer to. Without it variables stay text unless the file defines them, and includes are left out. */
export interface ConfigWorld {
  /** The text of an included file; undefined when it cannot be read. */
  readFile(path: string): string | undefined;
  env(name: string): string | undefined;
}

const SEPARATOR = /[:=]/;
const ENDS_KEY = new RegExp(`${SPACE.source}|${SEPARATOR.source}`);
const MISSING_VALUE = "expected a value";

/** What may come after a value, by what it stands in, and the bracket that is left where it is. */
const AFTER_VALUE = {
  top: { skips: /[\t /]/, ends: /[,;}\n\r]/, closing: "" },
  braces: { skips: /[\t /]/, ends: /[,;}\n\r]/, closing: "}" },
  map: { skips: BLANK, ends: /[,;/}\n\r]/, closing: "}" },
  list: { skips: BLANK, ends: /[,/\]\n\r]/, closing: "]" },
} as const;

/** What the files and variables that are being read now are, for cycles. */
export interface Reading {
  world?: ConfigWorld;
  files: readonly string[];
  variables: readonly string[];
}

export class TextReader extends Cursor {
  /** Maps that are not complete yet, the innermost last: what variables are looked up in. */
  private readonly scopes: ConfigMap[] = [new Map<string, ConfigNode>()];
  /** Keys without a value yet, the innermost last. */
  private readonly keys: { name: string; at: Position }[] = [];

  constructor(
    text: string,
    file: string,
    private readonly reading: Reading,
  ) {
    super(text, file);
  }

  /** The whole text. Errors: ConfigSyntaxError. */
  read(): ConfigMap {
    const entries = this.scope;
    let braces = 0;
    for (;;) {
      this.skip(SPACE);
      const char = this.peek();
      if (char === "") return entries;
      // The whole text may be in braces, as in JSON.
      if (char === "{") {
        this.at++;
        braces++;
      } else if (char === "}" && braces > 0) {
        this.at++;
        if (--braces > 0) this.valueEnd("braces");
      } else if (this.entry("top")) this.valueEnd(braces > 0 ? "braces" : "top");
      else return entries;
    }
  }

  private get scope(): ConfigMap {
    return this.scopes.at(-1) ?? new Map<string, ConfigNode>();
  }

  /** One key with its value, or an include. False where the text, or the map, ends instead of a value. */
  private entry(within: "top" | "map"): boolean {
    const at = this.position();
    const first = this.peek();
    const isQuoted = first === '"' || first === "'";
    if (SEPARATOR.test(first) || (first === "/" && within === "top")) throw this.error("expected a key");
    const name = isQuoted ? this.upTo(first) : this.bareKey();
    if (!isQuoted && name.toLowerCase() === "include" && SPACE.test(this.peek())) {
      this.include();
      return true;
    }
    this.keys.push({ name, at });
    this.skipOnly(SPACE);
    if (this.peek() === "" && within === "top") {
      // One brace too many at the very end is fine for nats-server.
      if (name === "}") return false;
      throw this.error(MISSING_VALUE);
    }
    if (SEPARATOR.test(this.peek())) {
      this.at++;
      this.skipOnly(within === "map" ? SPACE : BLANK);
    }
    // The map ends without the value, and is then given the key that waits for one: so does nats-server.
    if (within === "map" && this.peek() === "}") return false;
    if (within === "map" && this.peek() === ",") throw this.error(MISSING_VALUE);
    this.put(this.value());
    return true;
  }

  private bareKey(): string {
    // In a map a slash is left out, and whatever comes next belongs to the key.
    if (this.peek() === "/") this.at++;
    const first = this.text[this.at++] ?? "";
    return first + this.before(ENDS_KEY);
  }

  /** Gives the value to the key that waits for one. */
  private put(node: ConfigNode | undefined): void {
    if (node === undefined) return;
    const key = this.keys.pop();
    if (key !== undefined) this.set(key.name, { ...node, at: key.at });
  }

  private set(name: string, node: ConfigNode): void {
    const before = this.scope.get(name);
    this.scope.set(name, before === undefined ? node : { ...node, replaces: before });
  }

  private value(): ConfigNode | undefined {
    this.skipOnly(BLANK);
    const at = this.position();
    const char = this.peek();
    if (char === "[") return { at, value: this.list() };
    if (char === "{") return { at, value: this.map() };
    if (char === "'") return { at, value: this.upTo("'"), isQuoted: true };
    if (char === '"') return { at, value: this.doubleQuoted(), isQuoted: true };
    if (char === "(") return { at, value: this.block() };
    if (char === "-" || /\d/.test(char)) return this.number(at, readNumber(this.text, this.at));
    if (char === ".") throw this.error("expected a digit before '.'");
    if (LINE_END.test(char)) throw this.error(MISSING_VALUE);
    return this.word(at, this.at);
  }

  private map(): ConfigMap {
    const entries: ConfigMap = new Map<string, ConfigNode>();
    this.at++;
    this.scopes.push(entries);
    for (;;) {
      this.skip(SPACE);
      if (this.peek() === "") throw this.error("a '}' is missing");
      if (this.peek() === "]") throw this.error("expected a '}', not a ']'");
      if (this.peek() === "}" || !this.entry("map") || this.valueEnd("map") === "}") break;
    }
    this.at++;
    this.scopes.pop();
    return entries;
  }

  private list(): ConfigNode[] {
    const items: ConfigNode[] = [];
    this.at++;
    for (;;) {
      this.skip(SPACE);
      if (this.peek() === "]") break;
      if (this.peek() === "") throw this.error("a ']' is missing");
      if (/[,/]/.test(this.peek())) throw this.error(MISSING_VALUE);
      const item = this.value();
      if (item !== undefined) items.push(item);
      if (this.valueEnd("list") === "]") break;
    }
    this.at++;
    return items;
  }

  /** Passes what separates a value from the next one; a closing bracket is left where it is. */
  private valueEnd(within: keyof typeof AFTER_VALUE): string {
    const { skips, ends, closing } = AFTER_VALUE[within];
    this.skip(skips);
    const char = this.peek();
    if (char === "" && within === "top") return char;
    if (char === "") throw this.error(`a '${closing}' is missing`);
    if (!ends.test(char)) throw this.error("expected the end of the line or a comma after the value");
    if (char !== closing) this.at++;
    return char;
  }

  private number(at: Position, token: NumberToken): ConfigNode | undefined {
    if (token.is === "mistake") throw this.error(token.problem);
    const start = this.at;
    this.at += token.text.length;
    if (token.is === "word") return this.word(at, start);
    if (token.is === "nothing") return undefined;
    if (token.is !== "number") return { at, value: token.text };
    const value = numberValue(token.text);
    if (value === undefined) throw this.error("the number is too large");
    return { at, value };
  }

  /** A bare word that began at `start`: a text, a boolean or a variable. */
  private word(at: Position, start: number): ConfigNode {
    let text = this.text.slice(start, this.at);
    let isPlain = true;
    while (this.peek() !== "" && !ENDS_WORD.test(this.peek()) && this.peek() !== "'") {
      const char = this.text[this.at++] ?? "";
      if (char === "\\") isPlain = false;
      text += char === "\\" ? this.escape() : char;
    }
    if (this.peek() === "'") {
      this.at++;
      isPlain = false;
    }
    if (!isPlain) return { at, value: text };
    return text.startsWith("$") ? this.variable(at, text.slice(1)) : { at, value: wordValue(text) };
  }

  /** What `$name` stands for: a key read before, of this map or one around it, else the environment's. */
  private variable(at: Position, name: string): ConfigNode {
    // A bcrypt hash need not be quoted.
    if (name.startsWith("2a$")) return { at, value: `$${name}` };
    for (const scope of [...this.scopes].reverse()) {
      const found = scope.get(name);
      if (found === undefined) continue;
      found.isVariable = true;
      return { at, value: found.value };
    }
    const { world, variables } = this.reading;
    if (world === undefined) return { at, value: `$${name}` };
    if (variables.includes(name)) throw this.error(`the variable $${name} refers to itself`);
    const text = world.env(name);
    if (text === undefined) {
      throw this.error(`the variable $${name} is neither a key above this line nor in the environment`);
    }
    try {
      const reader = new TextReader(`value=${text}`, "", { ...this.reading, variables: [...variables, name] });
      const value = reader.read().get("value");
      if (value !== undefined) return { at, value: value.value };
    } catch (error) {
      if (!(error instanceof ConfigSyntaxError)) throw error;
      throw this.error(`the environment variable ${name} cannot be read: ${error.problem}`);
    }
    throw this.error(`the environment variable ${name} has no value`);
  }

  private include(): void {
    this.skipOnly(BLANK);
    const start = this.position();
    const char = this.peek();
    if (/^[[{(\d\\\n\r-]?$/.test(char)) throw this.error("expected the path of a file after 'include'");
    const path = char === '"' || char === "'" ? this.upTo(char) : this.barePath();
    const { world, files } = this.reading;
    if (world === undefined) return;
    const file = pathBeside(this.file, path);
    const fail = (problem: string) => new ConfigSyntaxError(start, problem);
    if (files.includes(file)) throw fail(`${path} is included while it is being read`);
    const text = world.readFile(file);
    if (text === undefined) {
      const absolute = path.startsWith("/") ? " (nats-server reads even an absolute path from there)" : "";
      throw fail(`${file} is included but cannot be read; the path starts at the folder of this file${absolute}`);
    }
    for (const [key, node] of new TextReader(text, file, { ...this.reading, files: [...files, file] }).read()) {
      this.set(key, node);
    }
  }

  private barePath(): string {
    const path = this.before(/[\n\r;}\t ']/);
    if (this.peek() === "'") this.at++;
    return path;
  }
}

/** A path that a file names, from that file's folder, without `.` and `..`. */
export function pathBeside(file: string, path: string): string {
  const steps = [...file.split("/").slice(0, -1), ...path.split("/").filter((step) => step !== "")];
  const kept: string[] = [];
  for (const [index, step] of steps.entries()) {
    if (step === ".." && kept.length > 0 && kept.at(-1) !== ".." && kept.at(-1) !== "") kept.pop();
    else if (step !== "." && (step !== "" || index === 0)) kept.push(step);
  }
  return kept.join("/");
}

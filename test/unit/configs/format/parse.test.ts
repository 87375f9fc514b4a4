import assert from "node:assert/strict";
import { ConfigMap, ConfigSyntaxError, ConfigWorld, Parsed, parse, readConfig } from "../../../../configs/format/parse";

describe("a configuration written by hand", () => {
  const WRITTEN: Readonly<Record<string, { text: string; means: Parsed }>> = {
    "with colons": { text: "port: 4222", means: { port: 4222 } },
    "with equals signs": { text: "port = 4222", means: { port: 4222 } },
    "with blanks": { text: "port 4222", means: { port: 4222 } },
    "with no blanks at all": { text: 'a:{b:"c"}', means: { a: { b: "c" } } },
    "with groups without a colon": { text: "jetstream {\n domain hub\n}", means: { jetstream: { domain: "hub" } } },
    "with commas between entries": { text: "a: 1, b: {c: 2, d: 3}", means: { a: 1, b: { c: 2, d: 3 } } },
    "with semicolons after values": {
      text: "a: 1; b: x;\nc: {d: 2; e: on;}",
      means: { a: 1, b: "x", c: { d: 2, e: true } },
    },
    "with a list on one line": { text: "users: [{a: 1}, {a: 2}]", means: { users: [{ a: 1 }, { a: 2 }] } },
    "with a list over lines": { text: 'allow: [\n  "a.>"\n  b.*\n]', means: { allow: ["a.>", "b.*"] } },
    "with comments": {
      text: '# first\na: 1 # of a\n// between\nb: "x" // of b\nc: [\n 1 # one\n // two\n]',
      means: { a: 1, b: "x", c: [1] },
    },
    "with addresses and urls": {
      text: "listen: 127.0.0.1:4222\nurl: nats-leaf://hub:7422",
      means: { listen: "127.0.0.1:4222", url: "nats-leaf://hub:7422" },
    },
    "with single quotes, which know no escapes": { text: "path: 'C:\\nats \"x\"'", means: { path: 'C:\\nats "x"' } },
    "with quoted keys": { text: `"a b": 1, 'c': 2`, means: { "a b": 1, c: 2 } },
    "with escapes": { text: '"a": "\\"\\\\\\n\\r\\t\\x41"', means: { a: '"\\\n\r\tA' } },
    "with marks of comments in strings": { text: 'a: "# // ; }"', means: { a: "# // ; }" } },
    "with words for true and false": {
      text: "a: yes, b: on, c: TRUE, d: no, e: off, f: false",
      means: { a: true, b: true, c: true, d: false, e: false, f: false },
    },
    "with numbers": { text: "a: -1, b: 2.5, c: 0", means: { a: -1, b: 2.5, c: 0 } },
    "with sizes": { text: "a: 10GB, b: 16k", means: { a: 10 * 1024 ** 3, b: 16_000 } },
    "with variables that it defines": { text: "a: 1\nb: {c: $a}", means: { a: 1, b: { c: 1 } } },
    "with variables from elsewhere, which stay text": { text: "seed: $SEED", means: { seed: "$SEED" } },
    "with includes, which are left out": { text: "include x.conf\na: 1", means: { a: 1 } },
    "with a word in quotes, which is no boolean": { text: 'a: "true", b: "1"', means: { a: "true", b: "1" } },
    "with empty groups and lists": { text: "a: {}, b: []", means: { a: {}, b: [] } },
    "with the lines of another system": { text: "a: 1\r\nb: 2\r\n", means: { a: 1, b: 2 } },
    "with nothing in it": { text: "\n # nothing\n", means: {} },
    "with a key twice: the last one counts": { text: "a: 1\na: 2", means: { a: 2 } },
  };
  for (const [how, { text, means }] of Object.entries(WRITTEN)) {
    it(`${how} is read`, () => {
      assert.deepEqual(parse(text), means);
    });
  }
});

describe("a configuration that makes no sense", () => {
  const BROKEN: Readonly<Record<string, { text: string; says: string }>> = {
    "whose group does not end": { text: "a: {\n b: 1\n", says: "line 3: a '}' is missing" },
    "whose list does not end": { text: "a: [\n 1\n 2", says: "line 3: a ']' is missing" },
    "whose string does not end": { text: 'a: 1\nb: "x', says: "line 2: a string does not end" },
    "with a key and no value": { text: "a", says: "line 1: expected a value" },
    "with a value on the line after its separator": { text: "a:\n1", says: "line 1: expected a value" },
    "with two values": { text: "a: 1 2", says: "line 1: expected the end of the line or a comma after the value" },
    "with a value and no key": { text: ": 1", says: "line 1: expected a key" },
    "with a closing bracket for a value": {
      text: "a: ]",
      says: "line 1: expected the end of the line or a comma after the value",
    },
  };
  for (const [which, { text, says }] of Object.entries(BROKEN)) {
    it(`${which} is refused with its line`, () => {
      assert.throws(
        () => parse(text),
        (error) => error instanceof ConfigSyntaxError && error.message === says,
      );
    });
  }

  it("is refused with the line as a number too", () => {
    assert.throws(() => parse("a: 1\n\nb: [,]"), { name: "ConfigSyntaxError", line: 3 });
  });

  it("is refused without the text itself, which may hold a seed", () => {
    assert.throws(
      () => parse('nkey: "SECRET'),
      (error) => !String(error).includes("SECRET"),
    );
  });
});

describe("a configuration with the files and the environment that it refers to", () => {
  const FILES: Readonly<Record<string, string>> = {
    "etc/keys.conf": "\nnkey: SEED\n",
    "etc/sub/a.conf": "include ../b.conf",
    "etc/b.conf": "include sub/a.conf",
    "etc/broken.conf": "a: 1\nb: [,",
  };
  const world: ConfigWorld = {
    readFile: (path) => FILES[path],
    env: (name) => ({ PORT: "7422", BROKEN: "[" })[name],
  };
  const read = (text: string): ConfigMap => readConfig(text, "etc/leaf.conf", world);
  const placeOf = (text: string, ...keys: string[]): string => {
    let map = read(text);
    for (const key of keys.slice(0, -1)) map = map.get(key)!.value as ConfigMap;
    const { at } = map.get(keys.at(-1)!)!;
    return `${at.file}:${at.line}`;
  };

  it("knows the line of a key", () => {
    assert.equal(placeOf("a: 1\n\nb: {\n c: 2\n}", "b", "c"), "etc/leaf.conf:4");
  });

  it("knows the line of a list's item", () => {
    const [, second] = read("a: [\n {b: 1}\n {b: 2}\n]").get("a")!.value as { at: { line: number } }[];
    assert.equal(second?.at.line, 3);
  });

  it("knows the line of what comes after a block", () => {
    assert.equal(placeOf("a: (\nx\n)\nb: 1", "b"), "etc/leaf.conf:4");
  });

  it("knows the file and the line of what is included", () => {
    assert.equal(placeOf("a: {\n include keys.conf\n}", "a", "nkey"), "etc/keys.conf:2");
  });

  it("names the line that uses a variable, not the one that defines it", () => {
    assert.equal(placeOf("a: 1\nb: $a", "b"), "etc/leaf.conf:2");
  });

  it("takes a variable of the environment for what it is", () => {
    assert.equal(read("a: $PORT").get("a")?.value, 7422);
  });

  const BROKEN: Readonly<Record<string, [text: string, says: string]>> = {
    "an unknown variable": [
      "a: 1\nb: $NONE",
      "etc/leaf.conf:2: the variable $NONE is neither a key above this line nor in the environment",
    ],
    "a variable of the environment that makes no sense": [
      "a: $BROKEN",
      "etc/leaf.conf:1: the environment variable BROKEN cannot be read: a ']' is missing",
    ],
    "a missing file": [
      "\ninclude none.conf",
      "etc/leaf.conf:2: etc/none.conf is included but cannot be read; the path starts at the folder of this file",
    ],
    "files that include each other": [
      "include b.conf",
      "etc/sub/a.conf:1: ../b.conf is included while it is being read",
    ],
    "a mistake in an included file": ["include broken.conf", "etc/broken.conf:2: expected a value"],
  };
  for (const [which, [text, says]] of Object.entries(BROKEN)) {
    it(`refuses ${which} with its place`, () => {
      assert.throws(() => read(text), { name: "ConfigSyntaxError", message: says });
    });
  }
});

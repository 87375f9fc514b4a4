import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ConfigSyntaxError, Parsed, plain, readConfig } from "../../configs/format/parse";
import { findNatsServer } from "../../servers/nats-server-binary";

/**
 * The real server's own reading beside ours. `nats-server -t` prints a digest of what it understood, so that equal
 * digests are equal meanings, down to each number. What is looked at is the value of `x`: a key that nats-server does not know,
 * which it allows because it is used as a variable.
 */

const ENVIRONMENT: Readonly<Record<string, string>> = {
  TEXT: "from outside",
  WORD: "leaf",
  SIZE: "10MB",
  SWITCH: "on",
  LIST: "[a, b]",
  QUOTED: '"a b"',
  AGAIN: "$WORD",
  CIRCLE: "$CIRCLE",
  EMPTY: "",
};

const FILES: Readonly<Record<string, string>> = {
  "part.conf": "inner = 5\nother = in part\n".replace("in part", "part"),
  "below/two.conf": 'include "three.conf"\ntwo = 2\n',
  "below/three.conf": "three = 3",
  "below/up.conf": "include ../part.conf",
  "circle.conf": "a = 1\ninclude circle.conf",
  "broken.conf": "a = [",
  "uses-outer.conf": "b = $outer",
};

const asValue = (value: string): string => `x = ${value}\nport = $x\nport = 4222\n`;

const ACCEPTED: Readonly<Record<string, string>> = {
  "a number": asValue("7422"),
  "a negative number": asValue("-1"),
  "a number with a fraction": asValue("1.5"),
  "a negative number with a fraction": asValue("-2.25"),
  ...Object.fromEntries(
    ["1k", "1K", "2kb", "3KiB", "4ki", "5m", "6MB", "7mi", "8g", "9GiB", "1t", "1TB", "1p", "1PiB", "-1k"].map(
      (size) => [`the size ${size}`, asValue(size)],
    ),
  ),
  "a suffix that is none: the key is left out": "x = 1kbb\nport = 4222\n",
  "a word that begins with a size": asValue("1k2abc"),
  "a word that begins with a number": asValue("4222abc"),
  "an address": asValue("127.0.0.1:4222"),
  "an address without dots": asValue("localhost:4222"),
  "a date": asValue("2026-11-05T18:30:00Z"),
  ...Object.fromEntries(
    ["true", "yes", "on", "TRUE", "Off", "no", "false"].map((word) => [`the word ${word}`, asValue(word)]),
  ),
  "a word in quotes is no boolean": asValue('"yes"'),
  "a word in single quotes": asValue("'it is'"),
  "single quotes know no escapes": asValue("'a\\nb'"),
  escapes: asValue('"a\\tb\\n\\"\\\\ \\x41"'),
  "an escape in a bare word": asValue("a\\x41b"),
  "a quote ends a bare word": "x = abc'\nport = $x\nport = 4222\n",
  "a string over lines": asValue('"a\nb"'),
  "marks of comments in a word": asValue("nats://hub#x"),
  "a brace in a word": asValue("a{b"),
  "a comment in the place of a value is a value": asValue("#none"),
  "no value at the end of the file": "port = 4222\nlog_file =",
  "an empty value before a comma": "x = , port = $x\nport = 4222\n",
  "a block": "x = (\nfirst\n second (\n)\nport = $x\nport = 4222\n",
  "a block that the file ends with": "port = 4222\nlog_file = (\nfirst\n)",
  "a bracket inside a block that is not alone": "x = (\n) \n)x\n)\nport = $x\nport = 4222\n",
  "a bcrypt hash": asValue("$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy"),
  "a bcrypt hash in quotes": asValue('"$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy"'),
  "a list on one line": asValue("[a, b, 3 ]"),
  "a list over lines": asValue("[\n a\n b,\n 3\n]"),
  "a list with a comma at its end": asValue("[a, b,]"),
  "a list with comments": asValue("[ # of\n a // of a\n // between\n b # of b\n]"),
  "a number before a bracket becomes a word": "x = [1k]\nport = $x\nport = 4222\n",
  "a slash between items": asValue("[ a / b ]"),
  "a list of lists": asValue("[[a], [b, c], []]"),
  "a map": asValue("{ a: 1, b: two }"),
  "a map over lines": asValue("{\n a 1\n b = 2; c: 3,\n\n d {e: 5}\n}"),
  "a map with a value on the next line": asValue("{ a:\n 1\n b\n 2 }"),
  "a map with quoted keys": asValue('{ "a b": 1, \'c"\': 2 }'),
  "a map with comments": asValue("{ # of\n a: 1 # of a\n // between\n b: 2 }"),
  "a slash before a key": asValue("{ /a: 1 }"),
  "a slash between entries": asValue("{ a: x / b: 2 }"),
  "a slash after a value": "x = ab /\nport = $x /\nport = 4222 / \n",
  "an empty map": asValue("{}"),
  "a brace that belongs to a key": asValue('{ a{b:"c" }'),
  "a map that ends without a value is given its key": "x = { port: }\nport = 4222\n",
  "a key twice: the later counts": "x = 1\nx = 2\nport = $x\nport = 4222\n",
  "a key without a separator": "x 5\nport $x\nport 4222",
  "a value on the next line": "x\n5\nport = $x\nport = 4222",
  "lines of another system": "x = 5\r\nport = $x\r\nport = 4222\r\n",
  "commas and semicolons": "x = 5; port = $x, port = 4222;",
  "the whole in braces": "{ x: 5\n port: $x, port: 4222 }",
  "the whole in braces without the last": "{ x: 5\n port: $x, port: 4222\n",
  "a brace too many at the end": "x = 5\nport = $x\nport = 4222\n}",
  "a brace after a value": "x = 5 }\nport = $x\nport = 4222\n",
  "a variable of this level": "y = 5\nx = $y\nport = $x\nport = 4222",
  "a variable around the map": "y = 5\nx { a: $y, b: { c: $y } }\nport = $x\nport = 4222",
  "a variable in a map that is not complete": "x { y: 5, b: { c: $y } }\nport = $x\nport = 4222",
  "the innermost variable": "y = 5\nx { y: 6, a: $y }\nport = $x\nport = $y\nport = 4222",
  "a variable in a list": "y = 5\nx = [ $y, $y ]\nport = $x\nport = 4222",
  "a map as a variable": "y { a: 1 }\nx = $y\nport = $x\nport = 4222",
  "a variable of the environment": asValue("$WORD"),
  "a size of the environment": asValue("$SIZE"),
  "a switch of the environment": asValue("$SWITCH"),
  "a list of the environment": asValue("$LIST"),
  "a quoted text of the environment": asValue("$QUOTED"),
  "a variable of the environment for another": asValue("$AGAIN"),
  "an empty variable of the environment": asValue("$EMPTY"),
  "a key goes before the environment": "WORD = 5\nx = $WORD\nport = $x\nport = 4222",
  "a dollar in quotes is no variable": asValue('"$WORD"'),
  "an include": "x { include part.conf }\nport = $x\nport = 4222",
  "an include in quotes": 'x { include "part.conf" }\nport = $x\nport = 4222',
  "an include in single quotes": "x { include 'part.conf'\n a: 1 }\nport = $x\nport = 4222",
  "an include at the top": "include part.conf\nport = $inner\nport = $other\nport = 4222",
  "an include of an include": "x { INCLUDE ./below/two.conf }\nport = $x\nport = 4222",
  "an include of the folder above": "x { include below/up.conf }\nport = $x\nport = 4222",
  "an include with an absolute path, which is none": "x { include /below/three.conf }\nport = $x\nport = 4222",
  "an include, and a key of it again": "x { include part.conf\n inner: 6 }\nport = $x\nport = 4222",
  "a key called include": "x { include: part.conf }\nport = $x\nport = 4222",
  "a quoted key called include": 'x { "include" part.conf }\nport = $x\nport = 4222',
};

const REFUSED: Readonly<Record<string, string>> = {
  "a list with one number, which nats-server reads on over its end": asValue("[1]"),
  "a comma too many in a list": asValue("[a,,b]"),
  "a comma at the start of a list": asValue("[,a]"),
  "a comma on the next line of a list": asValue("[a\n,b]"),
  "items without a comma": asValue("[a b]"),
  "a slash in a list": asValue("[/a]"),
  "a list without an end": "x = [a, b\n",
  "a map without an end": "x = {a: 1\n",
  "a bracket in a map": asValue("{ ] }"),
  "a comma for a value": asValue("{ a:, b: 1}"),
  "a string without an end": 'x = "abc\n',
  "a string in single quotes without an end": "x = 'abc\n",
  "a quoted key without an end": '"abc',
  "an unknown escape": asValue('"\\q"'),
  "an escape cut short": asValue('"\\x4"'),
  "a minus sign alone": asValue("-"),
  "a minus sign before a word": asValue("-abc"),
  "a fraction without a digit": asValue(".5"),
  "a point without a digit after it": asValue("1.x"),
  "a word after a fraction": asValue("1.5k"),
  "a word after a negative number": asValue("-1abc"),
  "a part of a date": asValue("2026-11-05"),
  "a number with a minus sign in it": asValue("12-34"),
  "a month that is none": asValue("2026-13-05T18:30:00Z"),
  "a number that is too large": asValue("9223372036854775808"),
  "a value on the line after a separator": "x =\n5\n",
  "a key alone": "x",
  "a separator without a key": "= 5",
  "a slash without a second one": "/ x = 5\n",
  "two values": asValue("a b"),
  "a block without an end": "x = (\nabc\n) \n",
  "a block with lines of another system": "x = (\r\nabc\r\n)\r\n",
  "a variable that nobody defines": asValue("$NOBODY"),
  "a variable of a later line": "x = $y\ny = 5\n",
  "a variable with no name": asValue("$"),
  "a variable of the environment with blanks": asValue("$TEXT"),
  "a variable of the environment for itself": asValue("$CIRCLE"),
  "an include of nothing": "include\nport = 4222",
  "an include that is missing": "include missing.conf",
  "an include that makes no sense": "include broken.conf",
  "an include of a list": "include [part.conf]",
  "an include that uses what is outside of it": "outer = 5\ninclude uses-outer.conf\nport = $outer\nport = 4222",
};

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-parse-"));
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

/**
 * The digest of what the real server understood; undefined when the text makes no sense to it, "other" when it refuses
 * what it did understand.
 */
async function theServer(text: string): Promise<string | undefined> {
  const { path } = await findNatsServer();
  const file = join(folder, `${createHash("sha256").update(text).digest("hex")}.conf`);
  writeFileSync(file, text);
  return new Promise((resolve) =>
    execFile(path, ["-t", "-c", file], { env: { ...ENVIRONMENT } }, (_, stdout, stderr) => {
      const isSyntax = /Parse error|variable reference|include file|config is invalid|out of the range|expected Zulu/;
      resolve(/sha256:([0-9a-f]{64})/.exec(stdout + stderr)?.[1] ?? (isSyntax.test(stderr) ? undefined : "other"));
    }),
  );
}

/** The same of what we understood. */
function we(text: string): string | undefined {
  try {
    const map = readConfig(text, join(folder, "main.conf"), {
      readFile: readOrNothing,
      env: (name) => ENVIRONMENT[name],
    });
    return createHash("sha256")
      .update(`${goJson(plain(map))}\n`)
      .digest("hex");
  } catch (error) {
    assert.ok(error instanceof ConfigSyntaxError, String(error));
    return undefined;
  }
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** JSON as Go writes it: keys in order, and `<`, `>`, `&` escaped. */
function goJson(value: Parsed): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join(",")}]`;
  if (typeof value === "object") {
    const keys = Object.keys(value).sort();
    return `{${keys.map((key) => `${goJson(key)}:${goJson(value[key]!)}`).join(",")}}`;
  }
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

describe("reading a configuration as nats-server does", () => {
  for (const [what, text] of Object.entries(ACCEPTED)) {
    it(`${what}: the same meaning`, async () => {
      const server = await theServer(text);
      assert.match(server ?? "", /^[0-9a-f]{64}$/, "nats-server refuses it");
      assert.equal(we(text), server);
    });
  }
  for (const [what, text] of Object.entries(REFUSED)) {
    it(`${what}: refused by both`, async () => {
      assert.deepEqual([we(text), await theServer(text)], [undefined, undefined]);
    });
  }

  it("any text made of the language's pieces means the same, or is refused by both", async () => {
    const piece = fc.constantFrom(
      ...["a", "b", "x", "1", "-2", "3k", "1.5", "1.2.3.4", "on", '"q"', "'s'", "$x", "$WORD", "\\t", "(\nb\n)\n"],
      ...[" ", " ", "\n", "\n", ":", " = ", ",", ";", "{", "}", "[", "]", "#c\n", "//c\n", "/", "include part.conf"],
    );
    const pieces = fc.array(piece, { maxLength: 12 }).map((parts) => `x = 1\n${parts.join("")}\n`);
    await fc.assert(
      fc.asyncProperty(pieces, async (inner) => {
        const text = asValue(`{ ${inner} }`);
        const server = await theServer(text);
        fc.pre(server !== "other");
        assert.equal(we(text), server);
      }),
      { numRuns: 200 },
    );
  });
});

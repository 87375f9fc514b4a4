import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const MACHINE = path.resolve(__dirname, "../../../machine");

describe("TypeScript as Node.js reads it", () => {
  let root: string;
  const folder = (): string => path.join(root, "home", "nats-hub-leaf", "translated");

  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), "nhl-translated-"));
    fs.mkdirSync(path.join(root, "machine/typescript"), { recursive: true });
    fs.copyFileSync(path.join(MACHINE, "typescript/read.js"), path.join(root, "machine/typescript/read.js"));
    fs.mkdirSync(path.join(root, "home"));
    fs.symlinkSync(path.resolve(MACHINE, "../node_modules"), path.join(root, "node_modules"));
    write("one");
  });
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  const write = (word: string): void =>
    fs.writeFileSync(path.join(root, "own.ts"), `export const word: string = "${word}";\n`);

  /** What a fresh process reads, and whether it loaded the translator. */
  function read(env: NodeJS.ProcessEnv = {}): { word: string; isTranslated: boolean } {
    const program = `require("./machine/typescript/read.js");
      const { word } = require("./own.ts");
      const isTranslated = Object.keys(require.cache).some((file) => /@swc.core.index\\.js$/.test(file));
      console.log(JSON.stringify({ word, isTranslated }));`;
    // The tests' own cache of what is compiled would answer first.
    const alone = { ...process.env, NATS_HUB_LEAF_COMPILE_CACHE: "0" };
    const options = { cwd: root, env: { ...alone, PULUMI_HOME: path.join(root, "home"), ...env } };
    return JSON.parse(execFileSync(process.execPath, ["-e", program], options).toString()) as ReturnType<typeof read>;
  }

  it("is translated once, and kept for this user alone", () => {
    assert.deepEqual(read(), { word: "one", isTranslated: true });
    assert.deepEqual(read(), { word: "one", isTranslated: false });
    const [file = ""] = fs.readdirSync(folder());
    assert.equal(fs.statSync(folder()).mode & 0o777, 0o700);
    assert.equal(fs.statSync(path.join(folder(), file)).mode & 0o777, 0o600);
  });

  it("is what was edited", () => {
    read();
    write("two");
    assert.deepEqual(read(), { word: "two", isTranslated: true });
  });

  it("is translated again where half of it was kept", () => {
    read();
    const [name = ""] = fs.readdirSync(folder());
    const file = path.join(folder(), name);
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").slice(0, -5));
    assert.deepEqual(read(), { word: "one", isTranslated: true });
    assert.deepEqual(read(), { word: "one", isTranslated: false });
  });

  it("is read where nothing can be kept, and where the plain SDK is asked for", () => {
    fs.rmdirSync(path.join(root, "home"));
    assert.deepEqual(read(), { word: "one", isTranslated: true });
    assert.equal(fs.existsSync(path.join(root, "home")), false);
    fs.writeFileSync(path.join(root, "home"), "");
    assert.deepEqual(read(), { word: "one", isTranslated: true });
    fs.rmSync(path.join(root, "home"));
    fs.mkdirSync(path.join(root, "home"));
    assert.deepEqual(read({ NATS_HUB_LEAF_PLAIN_SDK: "1" }), { word: "one", isTranslated: true });
    assert.equal(fs.existsSync(folder()), false);
  });

  it("is dropped when it was kept for more than thirty days", () => {
    read();
    const [name = ""] = fs.readdirSync(folder());
    fs.utimesSync(path.join(folder(), name), 0, 0);
    write("two");
    read();
    assert.equal(fs.existsSync(path.join(folder(), name)), false);
  });
});

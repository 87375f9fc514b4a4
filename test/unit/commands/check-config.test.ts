import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { ConfigReport } from "../../../commands/check-config";
import { runHere } from "./run-here";
import { Edits, HUB, LEAF, SEED, edited } from "../../support/fleets/hand-written";

const ROOT = path.resolve(__dirname, "../../..");

describe("nats-hub-leaf check-config", () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-check-config-"))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  const write = (name: string, text: string): void => {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  };

  function pair(hub: Edits = [], leaf: Edits = []): void {
    write("hub.conf", edited(HUB, hub));
    write("leaf.conf", edited(LEAF, leaf));
  }

  /** Runs the command outside of the project, without anything that it could find there. */
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    runHere("check-config", args, { folder, env: { PATH: "", HOME: folder, ...env } });
  const check = (...args: string[]) => run(["--no-server", ...args, "hub.conf", "leaf.conf"]);

  it("ends with 0 and says so when all is right", async () => {
    pair();
    assert.deepEqual(await check(), { code: 0, stdout: "2 files, 0 findings\n", stderr: "" });
  });

  it("ends with 1 when there are only warnings", async () => {
    pair([], [["/data/leaf-a", "/tmp/leaf-a"]]);
    const { code, stdout } = await check();
    assert.deepEqual(
      [code, /\[(.+)\]\n.*\n\n(.*)\n$/.exec(stdout)?.slice(1)],
      [1, ["store-in-tmp", "2 files, 1 finding"]],
    );
  });

  it("ends with 2 when there is an error, and shows it with its place", async () => {
    pair([], [["nkey:", "credentials:"]]);
    const { code, stdout } = await check();
    assert.equal(code, 2);
    assert.match(stdout, /^leaf\.conf:20: error in the configuration of leaf-a\n {2}cause .*6723/);
  });

  it("shows no seed in any form of its output", async () => {
    pair([], [["nkey:", "credentials:"]]);
    write("bad.conf", `nkey: "${SEED}`);
    for (const args of [
      ["--no-server", "hub.conf", "leaf.conf"],
      ["--no-server", "--json", "hub.conf", "leaf.conf"],
      ["--no-server", "bad.conf"],
      [SEED],
    ]) {
      const said = await run(args);
      assert.ok(!`${said.stdout}${said.stderr}`.includes(SEED.slice(2, 30)), said.stdout);
    }
  });

  it("gives all of it as JSON", async () => {
    pair([], [["nkey:", "credentials:"]]);
    const { code, stdout } = await check("--json");
    const { files, findings, notes, problems } = JSON.parse(stdout) as ConfigReport;
    assert.deepEqual([code, files, notes, problems], [2, ["hub.conf", "leaf.conf"], [], []]);
    assert.deepEqual(
      findings.map(({ code: name, severity, where, server }) => ({ name, severity, where, server })),
      [{ name: "seed-in-credentials", severity: "error", where: "leaf.conf:20", server: "leaf-a" }],
    );
  });

  it("ends with 3 and names all files that make no sense, each with its line", async () => {
    write("hub.conf", "a: [,");
    write("leaf.conf", "\nb: $NOBODY\n");
    const { code, stdout } = await run(["--no-server", "hub.conf", "leaf.conf", "none.conf"]);
    assert.equal(code, 3);
    assert.deepEqual(stdout.trim().split("\n\n"), [
      "hub.conf:1: expected a value",
      "leaf.conf:2: the variable $NOBODY is neither a key above this line nor in the environment",
      "none.conf: there is no such file",
      "3 files, 3 of them unreadable: nothing was checked",
    ]);
  });

  it("ends with 3 and its usage without files", async () => {
    const { code, stderr } = await run([]);
    assert.deepEqual([code, stderr.split("\n")[0]], [3, "check-config: no file given"]);
  });

  it("ends with 3 for an option that there is not", async () => {
    assert.match((await run(["--jason", "hub.conf"])).stderr, /^check-config: Unknown option '--jason'[^\n]*\nusage: /);
  });

  it("takes variables from the environment", async () => {
    pair([], [[/nkey: SU.*/, "nkey: $LINK_SEED"]]);
    assert.equal((await run(["--no-server", "hub.conf", "leaf.conf"], { LINK_SEED: SEED })).code, 0);
  });

  it("follows includes from the folder of the file, and names the place in them", async () => {
    pair();
    write("etc/leaf.conf", edited(LEAF, [[/nkey: SU.*/, "include keys/link.conf"]]));
    write("etc/keys/link.conf", `\ncredentials: ${SEED}\n`);
    const { stdout } = await run(["--no-server", "hub.conf", "etc/leaf.conf"]);
    assert.match(stdout, /^etc\/keys\/link\.conf:2: error/);
  });

  const CREDENTIALS: Readonly<Record<string, string>> = {
    "a path from the home folder": "~/leaf.nk",
    "a path with a variable": '"$HOME/leaf.nk"',
    "a path from the working folder": "leaf.nk",
  };
  for (const [what, named] of Object.entries(CREDENTIALS)) {
    it(`reads a credentials file by ${what}`, async () => {
      pair([], [[/nkey: SU.*/, `credentials: ${named}`]]);
      write("leaf.nk", SEED);
      assert.match((await check()).stdout, /\[seed-file-in-credentials\]/);
    });
  }

  it("says when nats-server itself was not asked", async () => {
    pair();
    const { code, stdout } = await run(["hub.conf", "leaf.conf"]);
    assert.equal(code, 0);
    assert.match(stdout, /^note: nats-server was not asked: nats-server .* is needed, but none was found/);
  });

  it("is what `make check-config` runs", () => {
    pair([], [["nkey:", "credentials:"]]);
    const files = ["hub.conf", "leaf.conf"].map((name) => path.join(folder, name)).join(" ");
    const made = execFileSync("make", ["--dry-run", "check-config", `FILES=${files}`], {
      cwd: ROOT,
      env: { PATH: process.env.PATH },
      encoding: "utf8",
    });
    assert.match(made, new RegExp(`node commands/bin\\.js check-config +${files}`));
  });
});

describe("the command nats-hub-leaf", () => {
  it("is what package.json installs, and can be run", () => {
    const { bin } = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8")) as { bin: object };
    assert.deepEqual(bin, { "nats-hub-leaf": "commands/bin.js" });
    fs.accessSync(path.join(ROOT, "commands/bin.js"), fs.constants.X_OK);
  });

  it("names its commands when it is given another", () => {
    const { status, stderr } = spawnSync(path.join(ROOT, "commands/bin.js"), ["toString"], { encoding: "utf8" });
    assert.deepEqual(
      [status, /^nats-hub-leaf: 'toString' is no command; there are: up, preview/.test(stderr)],
      [3, true],
    );
  });
});

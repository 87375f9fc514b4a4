import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, extname, join, resolve } from "node:path";
import { ROOMS } from "../../support/rules/rooms";

const ROOT = resolve(__dirname, "../../..");

/** Files below a folder, from the checkout's root. */
const filesIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => [".ts", ".js", ".sh"].includes(extname(file)))
    .map((file) => join(folder, file));

const linesOf = (file: string): number => readFileSync(join(ROOT, file), "utf8").split("\n").length;

describe("the table of rooms (rooms.json)", () => {
  it("has at most ten", () => {
    assert.ok(ROOMS.length <= 10);
  });

  it("is the list in the README, in this order", () => {
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    const rows = ROOMS.map(({ room, does }) => [`\`${room}/\``, does]);
    const listed = [...readme.matchAll(/^\| (`[a-z]+\/`) +\| (.+?) +\|$/gm)].map(([, room, does]) => [room, does]);
    assert.deepEqual(listed, rows);
  });

  it("says of each in one sentence what it is for", () => {
    for (const { does } of ROOMS) assert.match(does, /^[A-Z][^;.]*\.$/);
  });

  it("has no room of more than a quarter of the program", () => {
    const lines = ROOMS.map(({ room }) => filesIn(room).reduce((sum, file) => sum + linesOf(file), 0));
    const all = lines.reduce((sum, one) => sum + one, 0);
    assert.deepEqual(
      ROOMS.filter((_, i) => (lines[i] ?? 0) > all / 4).map(({ room }) => room),
      [],
    );
  });

  it("has no folder of more than 15 files of its own", () => {
    const counts = new Map<string, number>();
    for (const file of ROOMS.flatMap(({ room }) => filesIn(room)))
      counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    assert.deepEqual(
      [...counts].filter(([, count]) => count > 15),
      [],
    );
  });
});

/** What the lint must refuse: the rule, and the files with it. */
const REFUSED: readonly { it: string; rule: string; files: Readonly<Record<string, string>> }[] = [
  {
    it: "a circle of files, through their types alone",
    rule: "no-circle-of-files",
    files: {
      "servers/circle-a.ts": `import type { B } from "./circle-b"; export type A = B;`,
      "servers/circle-b.ts": `import type { A } from "./circle-a"; export type B = A;`,
    },
  },
  {
    it: "a circle of folders in a room, whose files make none",
    rule: "no-circle-of-folders",
    files: {
      "fleet/one/a.ts": `import { b } from "../two/b"; export const a = b;`,
      "fleet/two/b.ts": `export const b = 1;`,
      "fleet/two/c.ts": `import { d } from "../one/d"; export const c = d;`,
      "fleet/one/d.ts": `export const d = 1;`,
    },
  },
  {
    it: "an import from a room above",
    rule: "only-down",
    files: {
      "machine/up.ts": `import type { Up } from "../commands/up"; export type Also = Up;`,
      "commands/up.ts": `export type Up = 1;`,
    },
  },
  ...Object.entries({
    Pulumi: `import * as pulumi from "@pulumi/pulumi"; export const stack = pulumi.getStack();`,
    "the file system": `import * as fs from "node:fs"; export const text = fs.readFileSync("x", "utf8");`,
    "the network": `import { connect } from "nats"; export const connection = connect();`,
    "processes of the system": `import { spawn } from "child_process"; export const child = spawn("true");`,
  }).map(([what, text]) => ({
    it: `${what} in a pure room`,
    rule: "pure",
    files: { [`configs/${what.replaceAll(" ", "-")}.ts`]: text },
  })),
  {
    it: "Pulumi where resources do their work",
    rule: "providers-without-pulumi",
    files: { "servers/pulumi.ts": `import * as pulumi from "@pulumi/pulumi"; export const stack = pulumi.getStack();` },
  },
  {
    it: "the code of a resource's body in a component",
    rule: "providers-by-name",
    files: {
      "components/body.ts": `import { body } from "../providers/body"; export const mine = body;`,
      "providers/body.ts": `export const body = 1;`,
    },
  },
];

const ALLOWED: Readonly<Record<string, string>> = {
  "configs/pure.ts": `import { z } from "zod"; import type { Stats } from "node:fs"; import { version } from "../machine/version"; export const schema = z.string(); export type Seen = Stats; export const v = version;`,
  "machine/version.ts": `export const version = 1;`,
  "components/types.ts": `import type { Inputs } from "../providers/inputs"; export type Mine = Inputs;`,
  "providers/inputs.ts": `export interface Inputs { name: string }`,
};

describe("the lint of what rooms import", function () {
  this.timeout(60_000);

  /** What it says of a checkout with these files alone. */
  function violations(files: Readonly<Record<string, string>>): { rule: string; from: string }[] {
    const folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-rooms-"));
    try {
      for (const file of ["rooms.json", ".dependency-cruiser.mjs", "tsconfig.json", "package.json"])
        cpSync(join(ROOT, file), join(folder, file));
      symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
      for (const [file, text] of Object.entries(files)) {
        mkdirSync(join(folder, dirname(file)), { recursive: true });
        writeFileSync(join(folder, file), text);
      }
      const bin = join(ROOT, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
      const args = ["--config", ".dependency-cruiser.mjs", "--output-type", "json", ...Object.keys(files)];
      const { stdout, stderr } = spawnSync(process.execPath, [bin, ...args], { cwd: folder, encoding: "utf8" });
      assert.equal(stderr, "");
      const { summary } = JSON.parse(stdout) as { summary: { violations: { rule: { name: string }; from: string }[] } };
      return summary.violations.map(({ rule, from }) => ({ rule: rule.name, from }));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  let found: { rule: string; from: string }[] = [];
  before(() => {
    found = violations(Object.assign({}, ...REFUSED.map(({ files }) => files)) as Record<string, string>);
  });

  for (const { it: what, rule, files } of REFUSED)
    it(`refuses ${what}`, () => {
      const mine = found.filter(({ from }) => Object.keys(files).some((file) => file.startsWith(from)));
      assert.ok(
        mine.some((one) => one.rule === rule),
        `${rule}: ${JSON.stringify(found)}`,
      );
    });

  it("lets in packages that compute, neighbours, pinned versions, and types from anywhere", () => {
    assert.deepEqual(violations(ALLOWED), []);
  });
});

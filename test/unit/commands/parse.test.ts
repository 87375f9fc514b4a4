import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";
import { COMMANDS, VARIABLES, parsed, usageOf } from "../../../commands/parse";
import { variablesTable } from "../../../commands/env";
import { ROOMS } from "../../support/rules/rooms";

const ROOT = resolve(__dirname, "../../..");
const BIN = join(ROOT, "commands/bin.js");

/** With this environment, and as it was afterwards. */
function within<T>(env: Record<string, string | undefined>, work: () => T): T {
  const before = { ...process.env };
  for (const [name, value] of Object.entries(env))
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  try {
    return work();
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

const IN_MAKE = { MAKELEVEL: "1" };
const IN_A_SHELL = { MAKELEVEL: undefined };

describe("the table of commands", () => {
  it("names for each a module that does it, and what its exit codes mean", () => {
    for (const { name, module, exits } of COMMANDS) {
      assert.ok(existsSync(join(ROOT, "commands", `${module}.ts`)), name);
      assert.ok("0" in exits && Object.keys(exits).length > 1, name);
    }
  });

  it("has for each the target of make, which is not described a second time", () => {
    const makefile = readFileSync(join(ROOT, "Makefile"), "utf8");
    const lists = [...makefile.matchAll(/^(?:PULUMI_)?COMMANDS := (.*)$/gm)].flatMap(([, names = ""]) =>
      names.split(" "),
    );
    const targets = [...makefile.matchAll(/^([a-z-]+):(.*)$/gm)].map(([, name = "", rest = ""]) => ({ name, rest }));
    for (const { name } of COMMANDS) {
      const own = targets.find((one) => one.name === name);
      assert.ok(lists.includes(name) || own !== undefined, name);
      assert.ok(own?.rest.includes("##") !== true, `${name} is described in the Makefile, too`);
    }
  });

  it("begins with the five that newcomers need", () => {
    const first = COMMANDS.filter(({ group }) => group === "First steps").map(({ name }) => name);
    assert.deepEqual(first, ["up", "preview", "doctor", "topology", "down"]);
    assert.deepEqual(
      COMMANDS.slice(0, 5).map(({ name }) => name),
      first,
    );
  });

  it("has every variable that the program reads, and no other", () => {
    const read = new Set(
      COMMANDS.flatMap(({ options = {} }) => Object.values(options).flatMap((one) => one.variable ?? [])),
    );
    const common = new Set(
      COMMANDS.flatMap(({ options = {} }) =>
        Object.values(options).flatMap(({ variable, fromMake }) =>
          fromMake === true && variable !== undefined ? [variable] : [],
        ),
      ),
    );
    for (const { room } of ROOMS)
      for (const file of readdirSync(join(ROOT, room), { recursive: true, encoding: "utf8" })) {
        if (![".ts", ".js", ".sh"].includes(extname(file))) continue;
        const text = readFileSync(join(ROOT, room, file), "utf8");
        for (const [, name = ""] of text.matchAll(/\benv\.([A-Z][A-Z0-9_]+)/g)) read.add(name);
        for (const [, names = ""] of text.matchAll(/\{([^{}]*)\}(?:: \w+)? = (?:process\.)?env\b/g))
          for (const [name] of names.matchAll(/\b[A-Z][A-Z0-9_]{2,}\b/g)) read.add(name);
      }
    read.delete("MAKELEVEL"); // Whether make runs.
    const told = new Set([...Object.keys(VARIABLES), ...common]);
    assert.deepEqual(
      [...read].filter((name) => !told.has(name)),
      [],
    );
    assert.deepEqual(
      Object.keys(VARIABLES).filter((name) => !read.has(name)),
      [],
    );
  });
});

describe("the arguments of a command", () => {
  it("are an option's, or its variable's; the option stands in for the variable then", () => {
    within({ ...IN_A_SHELL, DISCARD: "oslo" }, () => {
      assert.equal(parsed("up", []).values.discard, "oslo");
      assert.equal(parsed("up", ["--discard", "bergen"]).values.discard, "bergen");
      assert.equal(process.env.DISCARD, "bergen");
    });
  });

  it("take variables of common names from make alone", () => {
    within({ ...IN_A_SHELL, SITE: "oslo" }, () => assert.equal(parsed("repair", []).values.site, undefined));
    within({ ...IN_MAKE, SITE: "oslo" }, () => assert.equal(parsed("repair", []).values.site, "oslo"));
    within({ ...IN_MAKE, SITE: "oslo" }, () => assert.deepEqual(parsed("doctor", []).values.site, ["oslo"]));
  });

  it("give what follows -- to the Pulumi CLI", () => {
    const { stack, rest } = parsed("up", ["--stack", "prod", "--", "--target", "urn:x", "--json"]);
    assert.deepEqual([stack, rest], ["prod", ["--target", "urn:x", "--json"]]);
  });

  it("mean dev where no stack is named", () => {
    assert.equal(parsed("plan", []).stack, "dev");
  });

  for (const [name, args, problem] of [
    ["plan", ["--jsn"], /^plan: Unknown option '--jsn'/],
    ["plan", ["dev"], /^plan: Unexpected argument 'dev'/],
    ["topology", ["--out"], /^topology: Option '--out <value>' argument missing/],
    ["plan", ["--", "--json"], /^plan: Unexpected argument '--json'/],
  ] as const)
    it(`of ${name}: ${args.join(" ")} is refused, with the usage`, () => {
      assert.throws(
        () => parsed(name, args),
        (error: Error) => {
          assert.match(error.message, problem);
          const command = COMMANDS.find((one) => one.name === name);
          return command !== undefined && error.message.endsWith(`usage: ${usageOf(command)}`);
        },
      );
    });

  it("show no seed that stands among them", () => {
    const seed = `SU${"A".repeat(56)}`;
    assert.throws(
      () => parsed("plan", [seed]),
      (error: Error) => !error.message.includes(seed),
    );
  });
});

describe("nats-hub-leaf", () => {
  const tool = (args: readonly string[], env: NodeJS.ProcessEnv = process.env, cwd = ROOT) =>
    spawnSync(process.execPath, [BIN, ...args], { encoding: "utf8", cwd, env: { ...env, FORCE_COLOR: undefined } });

  it("lists all commands, also where nothing is installed", () => {
    const { stdout, status } = tool(["--help"], { PATH: "" });
    assert.equal(status, 0);
    for (const { name, does } of COMMANDS) assert.match(stdout, new RegExp(`^ {2}${name} +${does.slice(0, 20)}`, "m"));
  });

  it("shows the options of a command, their variables and its exit codes", () => {
    const { stdout } = tool(["up", "--help"]);
    assert.match(stdout, /--discard <sites> +may lose messages: 1, or names of sites \(DISCARD=\)/);
    assert.match(stdout, /--stack <name> +the stack \[dev\]/);
    assert.match(stdout, /exit code 0: done/);
  });

  it("ends with 3 for a command that there is not", () => {
    const { stderr, status } = tool(["upp"]);
    assert.deepEqual([status, /'upp' is no command; there are: up, preview/.test(stderr)], [3, true]);
  });

  it("ends with 1 for arguments that it does not have, and no stack trace", () => {
    const { stderr, status } = tool(["plan", "--jsn"]);
    assert.equal(status, 1);
    assert.match(stderr, /^plan: Unknown option '--jsn'.*\nusage: plan \[--stack <name>\] \[--json\]\n$/);
  });

  it("works from any folder, of this package's project", () => {
    const folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-elsewhere-"));
    try {
      const { stdout, status } = tool(["plan", "--json"], process.env, folder);
      assert.equal(status, 0);
      assert.ok((JSON.parse(stdout) as { sites: unknown[] }).sites.length === 2);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("env lists every variable, and never shows a passphrase", () => {
    const table = variablesTable({ PULUMI_CONFIG_PASSPHRASE: "very secret", DISCARD: "oslo" });
    for (const name of Object.keys(VARIABLES)) assert.ok(table.includes(name), name);
    assert.ok(!table.includes("very secret"));
    assert.ok(!variablesTable({ PULUMI_BACKEND_URL: "postgres://me:hidden@db.example/x" }).includes("hidden"));
    assert.match(table, /DISCARD +│ oslo/);
  });
});

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { checkConfigs } from "../../commands/check-config";
import { casesOf, environmentOf, writeCase } from "../support/cases/case-files";
import { LEAF, HUB, edited } from "../support/fleets/hand-written";
import { until } from "../support/until";

/** What a rehearsal of hand-written files leaves behind, dials and says, whatever comes in between. */

const ROOT = resolve(__dirname, "../..");

describe("the rehearsal of hand-written files", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-test-"));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (texts: Readonly<Record<string, string>>): string[] =>
    Object.entries(texts).map(([name, text]) => {
      const file = join(folder, name);
      writeFileSync(file, text, { mode: 0o600 });
      return file;
    });

  /** Folders of rehearsals, and processes in them. */
  const left = (): string[] => [
    ...readdirSync(tmpdir()).filter((name) => /^nats-hub-leaf-[0-9a-f]{18}$/.test(name)),
    ...readdirSync("/proc").flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return /nats-hub-leaf-[0-9a-f]{18}/.test(command) ? [command] : [];
      } catch {
        return [];
      }
    }),
  ];

  it("leaves no process and no file, and names a stream that came through", async () => {
    const before = left();
    const { findings, notes } = await checkConfigs(write({ "hub.conf": HUB, "leaf.conf": LEAF }));
    assert.deepEqual(findings, []);
    assert.match(notes.join("\n"), /the link is up, in account SITE of leaf-a and SITE_A of hub, and carries a stream/);
    // What watched over it ends a moment later.
    await until("nothing is left", () => left().every((one) => before.includes(one)));
  });

  it("leaves nothing when the command is killed in the middle", async () => {
    const before = new Set(left());
    const files = write({ "hub.conf": HUB, "leaf.conf": LEAF });
    const command = spawn(process.execPath, [join(ROOT, "commands/bin.js"), "check-config", ...files], {
      stdio: "ignore",
    });
    const isNew = (one: string): boolean => !before.has(one);
    const servers = (): string[] => left().filter((one) => isNew(one) && one.includes("nats-server.conf"));
    await until("a server of the rehearsal runs", () => servers().length > 0);
    command.kill("SIGKILL");
    await until("nothing is left", () => left().filter(isNew).length === 0);
  });

  it("blames no file for a server that someone killed in the middle", async () => {
    const before = new Set(readdirSync(tmpdir()));
    const checking = checkConfigs(write({ "hub.conf": HUB, "leaf.conf": LEAF }));
    const pid = await until("the hub of the rehearsal runs", () => {
      const [root] = readdirSync(tmpdir()).filter(
        (name) => /^nats-hub-leaf-[0-9a-f]{18}$/.test(name) && !before.has(name),
      );
      if (root === undefined) return undefined;
      const place = join(tmpdir(), root, "rehearsal");
      const [run = ""] = readdirSync(place);
      return (JSON.parse(readFileSync(join(place, run, "sites/0/process.json"), "utf8")) as { pid: number }).pid;
    });
    process.kill(pid, "SIGKILL");
    const { findings, notes } = await checking;
    assert.deepEqual(findings, []);
    assert.match(
      notes.join("\n"),
      /without a rehearsal: a server of .*hub\.conf ended during the rehearsal: it was killed/,
    );
  });

  it("neither dials nor writes what the files name", async () => {
    const elsewhere = join(folder, "elsewhere");
    const outside: Readonly<Record<string, string>> = {
      "hub.conf": edited(HUB, [
        ['store_dir: "/data/hub"', `store_dir: "${elsewhere}"`],
        [
          "server_name: hub",
          `server_name: hub\nlog_file: "${elsewhere}.log"\npid_file: "${elsewhere}.pid"\nports_file_dir: "${elsewhere}"\nremote_syslog: "udp://192.0.2.1:514"\nsyslog: true`,
        ],
        ['listen: "127.0.0.1:7422"', 'listen: "127.0.0.1:7422"\nadvertise: "192.0.2.2:7422"'],
      ]),
      "leaf.conf": LEAF,
    };
    const { findings } = await checkConfigs(write(outside));
    assert.deepEqual(
      findings.filter(({ severity }) => severity === "error"),
      [],
    );
    assert.deepEqual(readdirSync(folder).sort(), ["hub.conf", "leaf.conf"]);
  });

  it("finds by --map the file of a server whose name only its network knows", async () => {
    const files = write({
      "hub.conf": HUB,
      "other.conf": edited(HUB, [
        ["server_name: hub", "server_name: other"],
        ["4222", "4322"],
        ["8222", "8322"],
        ["7422", "7522"],
        ["/data/hub", "/data/other"],
      ]),
      "leaf.conf": edited(LEAF, [["127.0.0.1:7422", "hub.shop.svc:17422"]]),
    });
    const [hub = "", , leaf = ""] = files;
    const without = await checkConfigs(files);
    assert.match(without.notes.join("\n"), /is unclear.*--map hub\.shop\.svc=<file>/);
    const { notes } = await checkConfigs(files, { maps: [`hub.shop.svc=${hub}`] });
    assert.match(notes.join("\n"), new RegExp(`${leaf}:\\d+: the link is up`));
  });

  it("says what it does not run, and why", async () => {
    const one = casesOf("good").find(({ kind }) => kind === "account-server")!;
    const { findings, notes } = await checkConfigs(await writeCase(one, folder));
    assert.deepEqual(
      findings.filter(({ severity }) => severity === "error"),
      [],
    );
    assert.match(notes.join("\n"), /hub\.conf: it was not run: its resolver asks another server for the accounts/);
  });

  it("refuses a map to a file that is not given", async () => {
    const { problems } = await checkConfigs(write({ "hub.conf": HUB }), { maps: ["hub=none.conf"] });
    assert.match(problems.join("\n"), /--map hub=none\.conf: none\.conf is not one of the files/);
  });

  it("judges by the rules alone with --no-server, and claims nothing that it did not try", async () => {
    const wrong = casesOf("mistakes").find(({ kind }) => kind === "wrong-password")!;
    const files = await writeCase(wrong, folder);
    const { findings, notes } = await checkConfigs(files, { asksServer: false });
    assert.deepEqual(
      findings.map(({ code }) => code),
      ["wrong-password"],
    );
    assert.doesNotMatch(notes.join("\n"), /the link is up/);
    assert.deepEqual(await environmentOf(wrong), {});
  });
});

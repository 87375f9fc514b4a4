import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { contextsOf } from "../../../../views/outputs/contexts";
import { DeployedFleet } from "../../../../views/outputs/deployed";
import { prefixesOf, removeContexts, writeContexts } from "../../../../commands/state/context-files";
import { FLEET, MERGED, OSLO } from "../../views/outputs/a-fleet";
import { newSeed } from "../../../support/rules/settings";
import { inTempFolder } from "../../providers/temp-folder";

const ROLES = ["system", "link", "application", "operator", "reader"];
const SEEDS = Object.fromEntries(
  ["hub", "oslo", "tromso", "bergen", "rome"].map((owner) => [
    owner,
    Object.fromEntries(ROLES.map((role) => [role, newSeed()])),
  ]),
);

describe("the files of contexts", () => {
  const temp = inTempFolder();
  const env = () => ({ XDG_CONFIG_HOME: temp.path() });
  const nats = (...parts: string[]) => temp.path("nats", ...parts);
  const project = () => temp.path("project");
  const writer = (stack = "dev") => ({ project: project(), stack });
  const files = () =>
    fs
      .readdirSync(temp.path(), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(temp.path(), path.join(entry.parentPath, entry.name)))
      .sort();
  const write = (fleet: DeployedFleet = FLEET, prefix = "dev", from = project()) => {
    fs.mkdirSync(project(), { recursive: true });
    return writeContexts({ fleet, seeds: SEEDS }, contextsOf(fleet, prefix), prefix, from, env());
  };

  it("name a key file with the seed of the one who logs in", () => {
    write();
    const { nkey, url } = JSON.parse(fs.readFileSync(nats("context", "dev-oslo.json"), "utf8")) as Record<
      string,
      string
    >;
    assert.equal(url, OSLO.url);
    assert.equal(fs.readFileSync(nkey!, "utf8").trim(), SEEDS.oslo!.application);
  });

  it("are for their owner only, whatever lay there before", () => {
    const umask = process.umask(0);
    try {
      fs.mkdirSync(nats("nats-hub-leaf"), { recursive: true, mode: 0o755 });
      write();
      fs.chmodSync(nats("context", "dev-oslo.json"), 0o644);
      fs.chmodSync(nats("nats-hub-leaf", "dev"), 0o755);
      // What an interrupted run, or somebody else, left.
      fs.writeFileSync(nats("nats-hub-leaf", "dev", "oslo.reader.nk.unfinished"), "", { mode: 0o644 });
      write();
    } finally {
      process.umask(umask);
    }
    const mode = (file: string) => (fs.statSync(temp.path(file)).mode & 0o777).toString(8);
    for (const file of files()) assert.equal(mode(file), "600", file);
    assert.equal(mode("nats/nats-hub-leaf/dev"), "700");
  });

  it("hold no seed but those of contexts: never one of a link", () => {
    write();
    const text = files().map((file) => fs.readFileSync(temp.path(file), "utf8"));
    for (const owner of ["hub", "oslo", "tromso"]) assert.equal(text.join().includes(SEEDS[owner]!.link!), false);
    for (const file of files().filter((name) => !name.endsWith(".nk")))
      assert.doesNotMatch(fs.readFileSync(temp.path(file), "utf8"), /SU[A-Z0-9]{50}/, file);
  });

  it("stay as they are when somebody else wrote a context of that name, and nothing is written", () => {
    fs.mkdirSync(nats("context"), { recursive: true });
    fs.writeFileSync(nats("context", "dev-oslo.json"), `{"url":"nats://mine"}`);
    fs.writeFileSync(nats("context", "dev-oslo.hub.json"), `not even JSON`);
    assert.throws(() => write(), {
      message: new RegExp(
        `dev-oslo\\.json: this program did not write that context; .*PREFIX=…\\n.*dev-oslo\\.hub\\.json: `,
      ),
    });
    assert.deepEqual(files(), ["nats/context/dev-oslo.hub.json", "nats/context/dev-oslo.json"]);
    assert.equal(fs.readFileSync(nats("context", "dev-oslo.json"), "utf8"), `{"url":"nats://mine"}`);
  });

  it("can have another prefix", () => {
    fs.mkdirSync(nats("context"), { recursive: true });
    fs.writeFileSync(nats("context", "dev-oslo.json"), `{}`);
    write(FLEET, "edge");
    assert.ok(fs.existsSync(nats("context", "edge-oslo.json")));
    assert.deepEqual(prefixesOf(writer(), env()), ["edge"]);
  });

  it("are taken away with their site", () => {
    write();
    const removed = write({ ...FLEET, sites: [OSLO] });
    assert.deepEqual(removed, [
      "dev-bergen.hub-operator",
      "dev-bergen.hub",
      "dev-tromso.hub-operator",
      "dev-tromso.hub",
      "dev-tromso.operator",
    ]);
    assert.deepEqual(files(), [
      "nats/context/dev-hub.system.json",
      "nats/context/dev-oslo.hub-operator.json",
      "nats/context/dev-oslo.hub.json",
      "nats/context/dev-oslo.json",
      "nats/context/dev-oslo.operator.json",
      "nats/nats-hub-leaf/dev/hub.system.nk",
      "nats/nats-hub-leaf/dev/oslo.application.nk",
      "nats/nats-hub-leaf/dev/oslo.operator.nk",
      "nats/nats-hub-leaf/dev/oslo.reader.nk",
      "nats/nats-hub-leaf/dev/written-by.json",
    ]);
  });

  it("leave nothing when they are removed, and others' contexts alone", () => {
    write();
    write(MERGED, "all");
    fs.writeFileSync(nats("context", "mine.json"), `{"nkey":"${nats("nats-hub-leaf", "development", "x.nk")}"}`);
    assert.ok(removeContexts(writer(), env()).includes("all-hub"));
    assert.deepEqual(files(), ["nats/context/mine.json"]);
    assert.equal(fs.existsSync(nats("nats-hub-leaf")), false);
  });

  it("of another stack stay when one stack's are removed", () => {
    write();
    write({ ...FLEET, stack: "prod" }, "prod");
    removeContexts(writer("prod"), env());
    assert.deepEqual(prefixesOf(writer(), env()), ["dev"]);
    assert.ok(fs.existsSync(nats("context", "dev-oslo.json")));
    assert.equal(fs.existsSync(nats("context", "prod-oslo.json")), false);
  });

  it("of another project with the same stack are refused, with their place", () => {
    write();
    assert.throws(() => write(FLEET, "dev", "/elsewhere"), {
      message: new RegExp(`belongs to stack 'dev' of the project in ${project()}; remove them there \\('make down'`),
    });
    assert.deepEqual(removeContexts({ project: "/elsewhere", stack: "dev" }, env()), []);
  });

  it("of a project that is no more can be made free", () => {
    write(FLEET, "dev", "/gone");
    assert.throws(() => write(), /belongs to stack 'dev' of the project in \/gone; remove that folder, or/);
    fs.rmSync(nats("nats-hub-leaf", "dev"), { recursive: true });
    write();
  });

  it("are not selected any more when they are removed, for every nats command would fail", () => {
    write();
    fs.writeFileSync(nats("context.txt"), "dev-oslo\n");
    removeContexts(writer(), env());
    assert.equal(fs.existsSync(nats("context.txt")), false);
  });

  it("leave the selection of another context", () => {
    write();
    fs.writeFileSync(nats("context.txt"), "mine");
    removeContexts(writer(), env());
    assert.equal(fs.readFileSync(nats("context.txt"), "utf8"), "mine");
  });

  it("leave what else somebody put beside the keys", () => {
    write();
    fs.writeFileSync(nats("nats-hub-leaf", "dev", "notes.txt"), "");
    removeContexts(writer(), env());
    assert.deepEqual(files(), ["nats/nats-hub-leaf/dev/notes.txt"]);
  });
});

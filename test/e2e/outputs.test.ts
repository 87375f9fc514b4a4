import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Stack } from "../support/stacks/cli";
import { succeeded } from "../support/stacks/commands";
import { filesBelow } from "../support/stacks/scratch-project";

describe("the outputs of a stack", () => {
  let stack: Stack;
  let home: string;
  const contexts = () =>
    existsSync(join(home, "nats/context"))
      ? readdirSync(join(home, "nats/context"))
          .map((name) => name.replace(/\.json$/, ""))
          .sort()
      : [];
  const SETTINGS = {
    sites: [{ name: "oslo" }, { name: "bergen" }],
    streams: [{ name: "EVENTS", subjects: ["events.>"] }],
    probes: { burst: "0B" },
  };

  before(async () => {
    home = mkdtempSync(join(tmpdir(), "nats-hub-leaf-outputs-"));
    stack = await Stack.create("outputs", SETTINGS, { env: { XDG_CONFIG_HOME: home } });
    await stack.up();
  });
  after(async () => {
    await stack?.remove();
    rmSync(home, { recursive: true, force: true });
  });

  it("are contexts of the nats CLI, which make contexts writes and lists", async () => {
    const { stdout } = succeeded(await stack.makeWith("contexts", {}));
    assert.match(stdout, /^ {2}outputs-oslo +applications at oslo$/m);
    assert.match(stdout, /^ {2}nats --context outputs-oslo pub events\.hello hello$/m);
    assert.deepEqual(contexts(), [
      "outputs-bergen",
      "outputs-bergen.hub",
      "outputs-bergen.hub-operator",
      "outputs-bergen.operator",
      "outputs-hub.system",
      "outputs-oslo",
      "outputs-oslo.hub",
      "outputs-oslo.hub-operator",
      "outputs-oslo.operator",
    ]);
  });

  it("have the addresses and keys that are deployed", async () => {
    const { sites, seeds } = await stack.outputs();
    const { url, nkey } = JSON.parse(readFileSync(join(home, "nats/context/outputs-oslo.json"), "utf8")) as {
      url: string;
      nkey: string;
    };
    assert.equal(url, sites.oslo!.client);
    assert.equal(readFileSync(nkey, "utf8").trim(), seeds.oslo!.application);
  });

  it("are snippets of one site, too", async () => {
    const { sites } = await stack.outputs();
    const { stdout } = succeeded(await stack.makeWith("snippets", { SITE: "bergen" }));
    assert.match(stdout, /```go\n/);
    assert.ok(stdout.includes(sites.bergen!.client));
    const refused = await stack.makeWith("snippets", { SITE: "rome" });
    assert.match(refused.output, /applications cannot log in at rome from here; .* oslo, bergen/);
  });

  it("are a configuration of Prometheus with its alert rules, in the folder that is named", async () => {
    const { hub } = await stack.outputs();
    succeeded(await stack.makeWith("prometheus", { TO: join(home, "prometheus") }));
    const config = readFileSync(join(home, "prometheus/prometheus.yml"), "utf8");
    assert.ok(config.includes(`-jsz all ${hub.monitor}`));
    assert.match(readFileSync(join(home, "prometheus/alerts.yml"), "utf8"), /alert: NatsLeafLinkDown/);
  });

  it("are the doctor's metrics, in a file for a collector", async () => {
    const file = join(home, "nats.prom");
    succeeded(await stack.makeWith("doctor", { ARGS: `--prometheus --output ${file}` }));
    assert.match(readFileSync(file, "utf8"), /^nats_hub_leaf_link_up\{stack="outputs",site="oslo"\} 1$/m);
  });

  it("follow the fleet: make up takes away the contexts of a removed site", async () => {
    stack.configure({ ...SETTINGS, sites: [{ name: "oslo" }] });
    const { output } = succeeded(
      await stack.startMake("up", { DISCARD_COLLECTED: "bergen" }, ["--skip-preview"]).ended,
    );
    assert.match(output, /removed the context outputs-bergen:/);
    assert.deepEqual(
      contexts().filter((name) => name.includes("bergen")),
      [],
    );
    assert.ok(contexts().includes("outputs-oslo"));
  });

  it("have shown no seed, in whatever they printed", async () => {
    const seeds = Object.values(await stack.seedsInState()).flatMap((roles) => Object.values(roles));
    assert.ok(seeds.length >= 7);
    for (const { command, output } of stack.printed)
      for (const seed of seeds) assert.equal(output.includes(seed), false, command);
  });

  it("are gone with the stack: make down leaves no context and no key", async () => {
    const { output } = succeeded(await stack.make("down", { DISCARD: "1" }));
    assert.match(output, /removed 5 NATS CLI contexts: /);
    assert.deepEqual(filesBelow(join(home, "nats")), []);
    assert.equal(existsSync(join(home, "nats/nats-hub-leaf")), false);
  });
});

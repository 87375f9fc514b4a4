import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { RawSettings } from "../../configs/settings";
import { open } from "../../servers/nats/connection";
import { JetStream } from "../../servers/nats/jetstream";
import { type Varz, varz } from "../../servers/nats/system";
import type { FleetChanges, LinkFate, ServerFate } from "../../views/report/model";
import { Stack } from "../support/stacks/cli";
import { type Ran, succeeded } from "../support/stacks/commands";
import { killHard, pidOf } from "../support/stacks/servers";
import { linkIds } from "../support/stacks/traffic";
import { until } from "../support/until";

// What the report says of a change, and what then happens to real servers, links and streams.

const EVENTS = { name: "EVENTS", subjects: ["events.>"] };
const BASE = {
  sites: [{ name: "oslo" }, { name: "bergen" }],
  streams: [EVENTS],
  probes: { burst: "0B" },
} satisfies RawSettings;
const LAST = {
  ...BASE,
  sites: [
    { name: "oslo", rotation: 1, maxPayload: "512KiB" },
    { name: "bergen", quota: "1GiB" },
  ],
  streams: [
    { name: "EVENTS", subjects: ["events.>", "alarms.>"], maxBytes: "256MiB", collect: { maxBytes: "512MiB" } },
  ],
} satisfies RawSettings;

/** What tells one start of a server from the next, and one reload. */
interface Seen {
  start: string;
  loaded: string;
}

interface SeenFleet {
  servers: Record<string, Seen | undefined>;
  links: Record<string, number | undefined>;
}

function serverSeen(before: Seen | undefined, after: Seen | undefined): ServerFate {
  if (before === undefined || after === undefined) return after === undefined ? "stops" : "starts";
  if (before.start !== after.start) return "restarts";
  return before.loaded === after.loaded ? "untouched" : "reloads";
}

function linkSeen(before: number | undefined, after: number | undefined): LinkFate {
  if (before === undefined || after === undefined) return after === undefined ? "goes" : "comes up";
  return before === after ? "stays" : "drops and comes back";
}

describe("the preview report", () => {
  let stack: Stack;
  const reports: Ran[] = [];

  before(async () => {
    stack = await Stack.create("report", BASE);
  });
  after(() => stack.remove());

  async function reported(variables: Record<string, string>): Promise<Ran> {
    const ran = await stack.makeWith("preview-report", variables);
    reports.push(ran);
    return ran;
  }

  const changes = async (): Promise<FleetChanges> =>
    JSON.parse(succeeded(await reported({ ARGS: "--json" })).stdout) as FleetChanges;

  async function seenAt(url: string): Promise<Seen | undefined> {
    const { seeds } = await stack.outputs();
    const connection = await open({ url, seed: seeds.hub!.system! }).catch(() => undefined);
    if (connection === undefined) return undefined;
    const { server_id: start, config_load_time: loaded } = (await varz(connection)) as Varz & {
      config_load_time: string;
    };
    await connection.close();
    return { start, loaded };
  }

  async function seen(): Promise<SeenFleet> {
    const { hub, sites } = await stack.outputs({ again: true });
    const servers = Object.entries({ hub, ...sites });
    return {
      servers: Object.fromEntries(
        await Promise.all(servers.map(async ([name, { client }]) => [name, await seenAt(client)] as const)),
      ),
      links: await linkIds(stack),
    };
  }

  /** Makes the change, and compares what happened to every server and every link with what the report had said. */
  async function isTrueOf(settings: RawSettings): Promise<FleetChanges> {
    stack.configure(settings);
    const said = await changes();
    const before = await seen();
    await stack.up();
    const after = await seen();

    const names = [...said.sites.map(({ name }) => name), ...said.untouched];
    const stay = Object.fromEntries(said.untouched.map((name) => [name, "untouched"]));
    assert.deepEqual(
      Object.fromEntries(
        ["hub", ...names].map((name) => [name, serverSeen(before.servers[name], after.servers[name])]),
      ),
      {
        hub: said.hub.server,
        ...Object.fromEntries(said.sites.map(({ name, server }) => [name, server])),
        ...stay,
      },
    );
    assert.deepEqual(Object.fromEntries(names.map((name) => [name, linkSeen(before.links[name], after.links[name])])), {
      ...Object.fromEntries(said.sites.map(({ name, link }) => [name, link])),
      ...Object.fromEntries(said.untouched.map((name) => [name, "stays"])),
    });
    return said;
  }

  it("of a new stack is written to a file, and nothing else is", async () => {
    const { output } = succeeded(await reported({ OUT: "report.md" }));
    const text = fs.readFileSync(path.join(stack.folder, "report.md"), "utf8");
    assert.match(text, /^### Preview of `report`: 2 sites added, the hub starts\n/);
    assert.match(text, /\| `oslo` \| \*\*added\*\* \| starts \| comes up \|/);
    assert.match(text, /```mermaid\nflowchart LR\n/);
    assert.doesNotMatch(output, /###/);
    await stack.up();
  });

  it("is true of a site that is added and a key that is rotated", async () => {
    const said = await isTrueOf({
      ...BASE,
      sites: [{ name: "oslo", rotation: 1 }, { name: "bergen" }, { name: "tromso" }],
    });
    assert.deepEqual(
      said.sites.map(({ name, site, server, link }) => [name, site, server, link]),
      [
        ["oslo", "changed", "reloads", "drops and comes back"],
        ["tromso", "added", "starts", "comes up"],
      ],
    );
    assert.equal(said.hub.server, "reloads");
    assert.deepEqual(said.keys, [{ owner: "oslo", role: "link", rotation: { from: 0, to: 1 } }]);
  });

  it("is true of a site that is removed, of servers that reload and restart, and of a stream that changes", async () => {
    const said = await isTrueOf(LAST);
    assert.deepEqual(
      said.sites.map(({ name, server, link }) => [name, server, link]),
      [
        ["oslo", "reloads", "stays"],
        ["bergen", "restarts", "drops and comes back"],
        ["tromso", "stops", "goes"],
      ],
    );
    assert.deepEqual(
      said.streams.map(({ where, field, to, how }) => [where, field, to, how]),
      [
        ["site", "subjects", "events.>, alarms.>", "in place"],
        ["site", "max_bytes", "256 MiB", "in place"],
        ["hub", "max_bytes", "512 MiB", "in place"],
      ],
    );
    const configOf = async (at: string) =>
      (await new JetStream(await stack.client("oslo", "operator", { at })).stream("EVENTS"))!.config;
    assert.equal((await configOf("oslo")).max_bytes, 256 * 2 ** 20);
    assert.equal((await configOf("hub")).max_bytes, 512 * 2 ** 20);
  });

  it("is true of a hub that restarts while a site is dead", async () => {
    await killHard(pidOf(stack.fleet, "bergen"));
    await until("the hub has seen it go", async () => (await linkIds(stack)).bergen === undefined);
    const said = await isTrueOf({ ...LAST, links: { tls: "generated" } });
    assert.deepEqual(
      [said.hub, ...said.sites].map(({ name, server }) => [name, server]),
      [
        ["hub", "restarts"],
        ["oslo", "reloads"],
        ["bergen", "starts"],
      ],
    );
  });

  it("is there for a refused change too, with an exit code of its own, and nothing was touched", async () => {
    const before = await seen();
    stack.configure({
      ...LAST,
      links: { tls: "generated" },
      sites: [LAST.sites[0]!, { ...LAST.sites[1]!, name: "bodo" }],
    });
    const { stdout, output } = await reported({});
    assert.match(stdout, /^### Preview of `report`: refused, 1 reason\n/);
    assert.match(stdout, /^- bergen seems to become bodo: /m);
    assert.match(output, /Error 2$/m);
    assert.deepEqual(await seen(), before);
  });

  it("is not there when the preview could not run, and the exit code says so", async () => {
    const { stdout, output } = await reported({ PULUMI_CONFIG_PASSPHRASE: "another" });
    assert.equal(stdout, "");
    assert.match(output, /incorrect passphrase[^]*ARGS=--plan shows the intent[^]*Error 1$/m);
  });

  it("never has a seed", async () => {
    const seeds = Object.values(await stack.seedsInState()).flatMap((roles) => Object.values(roles));
    assert.ok(seeds.length >= 11 && reports.length >= 6);
    for (const { command, output } of reports) {
      assert.doesNotMatch(output, /S[UAO][A-Z2-7]{40}/, command);
      for (const seed of seeds) assert.ok(!output.includes(seed), command);
    }
  });
});

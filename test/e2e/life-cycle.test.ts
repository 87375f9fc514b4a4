import assert from "node:assert/strict";
import type { RawSettings } from "../../configs/settings";
import { type ServerInfo, converse, endpointOf } from "../../servers/nats/connection";
import { JetStream } from "../../servers/nats/jetstream";
import { Stack } from "../support/stacks/cli";
import { type Ran } from "../support/stacks/commands";
import {
  MOST_SILENCE_MS,
  Traffic,
  Watch,
  arrived,
  collectedFrom,
  endAll,
  hubStart,
  linkIds,
  publish,
} from "../support/stacks/traffic";
import { type Ground, onEveryGround } from "../support/stacks/grounds";
import { until } from "../support/until";

// The topology of nats-server issue 6723, a hub and two isolated sites, through all that an operator does with it.

type Site = NonNullable<RawSettings["sites"]>[number];

const oslo: Site = { name: "oslo" };
const bergen: Site = { name: "bergen" };
const tromso: Site = { name: "tromso" };

/** What a server says of itself to a new client. */
const hello = async (url: string) =>
  (await converse(endpointOf(url), { timeoutMs: 2_000 })).info as ServerInfo & { max_payload: number };

onEveryGround("the life of a fleet", (start) => {
  let ground: Ground;
  let stack: Stack;
  const settings = (sites: readonly Site[], rest: Partial<RawSettings> = {}): RawSettings => ({
    ...ground.settings,
    sites: [...sites],
    streams: [{ name: "EVENTS", subjects: ["events.>"] }],
    ...rest,
  });
  /** All that the applications of each site published and the site acknowledged. */
  const published: Record<string, string[]> = { oslo: [], bergen: [], tromso: [] };

  const publishAt = async (site: string, count = 20): Promise<void> => {
    const client = await stack.applicationOf(site);
    published[site]!.push(...(await publish(client, site, { first: published[site]!.length, count })));
  };

  const assertArrived = async (...sites: string[]): Promise<void> => {
    for (const site of sites)
      assert.deepEqual(await arrived(stack, site, published[site]!), published[site]!.toSorted());
  };

  before(async () => {
    ground = await start();
    stack = await Stack.create("life", settings([oslo, bergen]), ground.options);
  });
  after(async () => {
    await stack.remove();
    await ground.stop();
  });

  describe("up", () => {
    let first: Ran;
    before(async () => {
      first = await stack.up();
    });

    it("proves every stream of every site", async () => {
      const { proof } = await stack.outputs();
      assert.deepEqual(
        proof.map(({ site, link, account, collected, messages, status }) => [
          site,
          link,
          account,
          collected,
          messages,
          status,
        ]),
        [
          ["oslo", "up", "OSLO", "OSLO/EVENTS", 28, "proven"],
          ["bergen", "up", "BERGEN", "BERGEN/EVENTS", 28, "proven"],
        ],
      );
    });

    it("says what it sends over each link, and what arrived", () => {
      assert.match(first.output, /smoke test: .*2\.5 MB over the link of .*oslo, bergen/);
      assert.match(first.output, /site oslo: 28 of 28 probes of EVENTS reached OSLO\/EVENTS/);
    });

    it("brings what the applications publish at the sites to the hub, and nothing else", async () => {
      await Promise.all([publishAt("oslo"), publishAt("bergen")]);
      await assertArrived("oslo", "bergen");
    });

    it("lets nothing cross from one site to another", async () => {
      const [heard, client] = [[] as string[], await stack.applicationOf("bergen")];
      const subscription = client.subscribe(">", {
        callback: (_, message) => heard.push(message.string()),
      });
      await client.flush();
      await publishAt("oslo");
      await publishAt("bergen", 1);
      await until("bergen hears its own message", () => heard.includes(published.bergen!.at(-1)!));
      await assertArrived("oslo", "bergen");
      subscription.unsubscribe();
      assert.deepEqual(
        heard.filter((text) => text.startsWith("oslo")),
        [],
      );
    });

    it("changes nothing the second time", async () => {
      const { output } = await stack.up();
      assert.match(output, /Resources:\n +\d+ unchanged/);
      assert.doesNotMatch(output, /probes/);
    });

    it("is followed by a clean preview", () => stack.isClean());
  });

  describe("a change of the fleet while the other sites publish", () => {
    let untouched: { links: Record<string, number>; hub: object };
    let watch: Watch;
    let traffic: Record<string, Traffic> = {};

    before(async () => {
      untouched = { links: await linkIds(stack), hub: await hubStart(stack) };
      watch = await Watch.start(stack, ["oslo", "bergen"]);
      traffic = {
        oslo: Traffic.start(await stack.applicationOf("oslo"), "oslo"),
        bergen: Traffic.start(await stack.applicationOf("bergen"), "bergen"),
      };
    });
    after(() => endAll(traffic));

    it("adds a site", async () => {
      stack.configure(settings([oslo, bergen, tromso]));
      const { output } = await stack.up();
      assert.match(output, /site tromso: 28 of 28 probes/);
      assert.match(output, /site oslo: 1 of 1 probes/);
      await stack.outputs({ again: true });
      await publishAt("tromso");
      await assertArrived("tromso");
    });

    it("refuses in a preview to remove a site whose messages have not reached the hub", async () => {
      const hub = new JetStream(await stack.client("tromso", "operator", { at: "hub" }));
      const info = await hub.stream("EVENTS");
      await hub.setSources(info!, []);
      await publishAt("tromso", 7);
      stack.configure(settings([oslo, bergen]));
      const { output } = await stack.fails("preview");
      assert.match(output, /tromso cannot be removed: \d+ messages of stream EVENTS have not reached the hub/);
      assert.match(output, /DISCARD=tromso/);
    });

    it("repairs a hub stream that was changed by hand, and loses and doubles nothing by it", async () => {
      stack.configure(settings([oslo, bergen, tromso]));
      const { output } = await stack.up();
      assert.match(output, /site tromso: hub stream TROMSO\/EVENTS does not source EVENTS; up repairs it/);
      await assertArrived("tromso");
    });

    it("removes the site once all has reached the hub", async () => {
      stack.configure(settings([oslo, bergen]));
      await stack.up();
      await ground.hasLeft(stack, "tromso");
      assert.equal((await linkIds(stack)).tromso, undefined);
    });

    it("keeps what the hub collected from the removed site", async () => {
      assert.deepEqual(
        (await collectedFrom(stack, "tromso")).map(({ text }) => text).sort(),
        published.tromso!.toSorted(),
      );
    });

    it("never touched the links of the other sites, nor restarted the hub", async () => {
      assert.deepEqual(await linkIds(stack), untouched.links);
      assert.deepEqual(await hubStart(stack), untouched.hub);
    });

    it("never interrupted the sourcing of the other sites for 5 s", async () => {
      const { longestMs, looks } = await watch.stop();
      assert.ok(looks > 20, `looked only ${looks} times`);
      for (const site of ["oslo", "bergen"]) {
        const longest = longestMs[site]!;
        assert.ok(longest >= 0 && longest < MOST_SILENCE_MS, `the source of ${site} was silent for ${longest} ms`);
      }
    });

    it("lost nothing that was published meanwhile", async () => {
      for (const [site, publishing] of Object.entries(traffic)) {
        const texts = await publishing.stop();
        assert.ok(texts.length > 100, `only ${texts.length} messages were published at ${site}`);
        published[site]!.push(...texts);
      }
      await assertArrived("oslo", "bergen");
    });
  });

  describe("kill -9 of a site's server", () => {
    before(async () => {
      await publishAt("oslo");
      await ground.kill(stack, "oslo");
    });

    it("shows in a preview", async () => {
      const { output } = await stack.fails("preview", "--expect-no-changes");
      assert.match(output, /site oslo: its server is not running; up repairs it/);
      assert.match(output, /oslo-server +update/);
    });

    it("shows in a refresh, which drops nothing", async () => {
      const there = await stack.resources();
      const { output } = await stack.succeeds("refresh", "--yes", "--skip-preview");
      assert.match(output, /oslo-server .*updated/);
      assert.deepEqual(await stack.resources(), there);
    });

    it("is repaired by up, which proves the fleet again", async () => {
      const { output } = await stack.up();
      assert.match(output, /site oslo: 3 of 3 probes/);
      await publishAt("oslo");
      await assertArrived("oslo");
    });
  });

  describe("kill -9 of the hub", () => {
    before(() => ground.kill(stack, "hub"));

    it("lets the sites go on", () => Promise.all([publishAt("oslo"), publishAt("bergen")]).then(() => undefined));

    it("shows in a preview", async () => {
      const { output } = await stack.fails("preview", "--expect-no-changes");
      assert.match(output, /hub: the hub is not running; up repairs it/);
    });

    it("is repaired by up, which proves the fleet again", async () => {
      const { output } = await stack.up();
      assert.match(output, /site oslo: 3 of 3 probes/);
      assert.match(output, /site bergen: 3 of 3 probes/);
    });

    it("lost nothing", () => assertArrived("oslo", "bergen"));
    it("is followed by a clean preview", () => stack.isClean());
  });

  describe("a change of settings", () => {
    let servers: Record<string, number>;
    const pids = async () => ({
      hub: await ground.pid(stack, "hub"),
      oslo: await ground.pid(stack, "oslo"),
      bergen: await ground.pid(stack, "bergen"),
    });

    before(async () => {
      servers = await pids();
      stack.configure(
        settings(
          [
            { name: "oslo", maxPayload: "512KiB" },
            { name: "bergen", reconnect: "200ms" },
          ],
          {
            hub: { maxPayload: "2MiB" },
          },
        ),
      );
    });

    it("says in a preview which server it restarts, and which it reloads", async () => {
      const { output } = await stack.succeeds("preview");
      assert.match(output, /hub: up reloads the hub; links stay/);
      assert.match(output, /site oslo: up reloads its server/);
      assert.match(output, /site bergen: up restarts its server/);
      assert.deepEqual(await pids(), servers);
    });

    it("restarts only that one", async () => {
      await stack.up();
      const { bergen: after, ...others } = await pids();
      const { bergen: before, ...unchanged } = servers;
      assert.deepEqual(others, unchanged);
      assert.notEqual(after, before);
    });

    it("is in effect, and nothing is lost", async () => {
      const { hub, sites } = await stack.outputs();
      assert.equal((await hello(sites.oslo!.client)).max_payload, 512 * 1024);
      assert.equal((await hello(hub.client)).max_payload, 2 * 1024 * 1024);
      await Promise.all([publishAt("oslo"), publishAt("bergen")]);
      await assertArrived("oslo", "bergen");
    });
  });

  describe("destroy", () => {
    it("is refused while the hub holds what it collected, and touches nothing", async () => {
      const { output } = await stack.fails("destroy", "--yes", "--skip-preview");
      assert.match(output, /destroy would lose messages/);
      assert.match(output, new RegExp(`hub: stream OSLO/EVENTS holds ${published.oslo!.length} collected messages`));
      assert.match(
        output,
        new RegExp(`hub: stream TROMSO/EVENTS holds ${published.tromso!.length} collected messages`),
      );
      await assertArrived("oslo", "bergen");
    });

    it("leaves no process, no port, no file and no resource when the loss is allowed", async () => {
      const { code, output } = await stack.run(["destroy", "--yes", "--skip-preview"], { DISCARD: "1" });
      assert.equal(code, 0, output);
      await stack.leftNothing();
      for (const server of ["hub", "oslo", "bergen", ""]) await ground.hasLeft(stack, server);
    });
  });
});

import assert from "node:assert/strict";
import type { RawSettings } from "../../configs/settings";
import { JetStream } from "../../servers/nats/jetstream";
import { Stack } from "../support/stacks/cli";
import { type Ran } from "../support/stacks/commands";
import { exampleSettings } from "../support/stacks/examples";
import { MOST_SILENCE_MS, Traffic, endAll, publish, sourceOf, stored } from "../support/stacks/traffic";
import { until } from "../support/until";

// One hub stream for all sites, every subject prefixed by the site's name: examples/merged.

const EXAMPLE = exampleSettings("merged");
const settings = (...sites: string[]): RawSettings => ({ ...EXAMPLE, sites: sites.map((name) => ({ name })) });

describe("a merged stream", () => {
  let stack: Stack;
  let first: Ran;
  const published: Record<string, string[]> = { oslo: [], bergen: [], tromso: [] };

  const publishAt = async (site: string): Promise<void> => {
    const client = await stack.applicationOf(site);
    published[site]!.push(...(await publish(client, site, { first: published[site]!.length })));
  };
  const hub = async () => new JetStream(await stack.client("hub", "operator"));
  const sourcedSites = async () => {
    const sources = (await (await hub()).stream("EVENTS"))?.config.sources ?? [];
    return sources.map((source) => source.external.api.split(".")[1]).sort();
  };

  /** Everything of every site is there, once and under the site's own prefix. */
  const assertArrived = async (): Promise<void> => {
    const js = await hub();
    for (const [site, texts] of Object.entries(published)) {
      await until(`the hub has ${texts.length} messages of ${site}`, async () => {
        const subjects = await js.subjects("EVENTS", `${site}.events.>`);
        return Object.values(subjects).reduce((sum, count) => sum + count, 0) >= texts.length;
      });
      const found = await stored(await stack.client("hub", "reader"), "EVENTS", `${site}.events.>`);
      assert.deepEqual(found.map(({ text }) => text).sort(), texts.toSorted());
    }
    const all = Object.values(published).flat().length;
    assert.equal((await js.stream("EVENTS"))?.state.messages, all, "the hub's stream holds something else");
  };

  before(async () => {
    stack = await Stack.create("merged", EXAMPLE);
    first = await stack.up();
  });
  after(() => stack.remove());

  it("is proven for every site", async () => {
    const { proof } = await stack.outputs();
    assert.deepEqual(
      proof.map(({ site, stream, collected, messages, status }) => [site, stream, collected, messages, status]),
      [
        ["oslo", "EVENTS_OSLO", "HUB/EVENTS", 28, "proven"],
        ["bergen", "EVENTS_BERGEN", "HUB/EVENTS", 28, "proven"],
      ],
    );
    assert.match(first.output, /site bergen: 28 of 28 probes of EVENTS reached HUB\/EVENTS/);
  });

  it("stores each message under the name of its site", async () => {
    await Promise.all([publishAt("oslo"), publishAt("bergen")]);
    await assertArrived();
  });

  it("is followed by a clean preview", () => stack.isClean());

  describe("when a third site is added while the others publish", () => {
    let traffic: Record<string, Traffic> = {};
    let silence = 0;

    before(async () => {
      const js = await hub();
      traffic = {
        oslo: Traffic.start(await stack.applicationOf("oslo"), "oslo"),
        bergen: Traffic.start(await stack.applicationOf("bergen"), "bergen"),
      };
      stack.configure(settings("oslo", "bergen", "tromso"));
      let done = false;
      const added = stack.up().finally(() => (done = true));
      while (!done) {
        const info = await js.stream("EVENTS");
        for (const site of ["oslo", "bergen"]) silence = Math.max(silence, sourceOf(info, site)?.active ?? Infinity);
        await Promise.race([added.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 100))]);
      }
      await added;
      await stack.outputs({ again: true });
    });
    after(() => endAll(traffic));

    it("goes on sourcing the others", () => {
      assert.ok(silence / 1e6 < MOST_SILENCE_MS, `a source was silent for ${Math.round(silence / 1e6)} ms`);
    });

    it("sources all three, and loses and doubles nothing", async () => {
      for (const [site, publishing] of Object.entries(traffic)) {
        const texts = await publishing.stop();
        assert.ok(texts.length > 50, `only ${texts.length} messages were published at ${site}`);
        published[site]!.push(...texts);
      }
      await publishAt("tromso");
      assert.deepEqual(await sourcedSites(), ["bergen", "oslo", "tromso"]);
      await assertArrived();
    });
  });

  describe("when a site is removed", () => {
    before(async () => {
      stack.configure(settings("bergen", "tromso"));
      await stack.up();
    });

    it("loses the site's source only", async () => assert.deepEqual(await sourcedSites(), ["bergen", "tromso"]));

    it("keeps what the site had sent, and goes on with the others", async () => {
      await Promise.all([publishAt("bergen"), publishAt("tromso")]);
      await assertArrived();
    });

    it("is followed by a clean preview", () => stack.isClean());
  });
});

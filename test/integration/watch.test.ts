import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Watched, withKeysOfState } from "../../doctor/watch/watched";
import { Watcher } from "../../doctor/watch/watcher";
import { rearm } from "../../fleet/sourcing/source";
import type { RawSettings } from "../../configs/settings";
import { throughProxy } from "../support/catalogue/mistakes";
import { STACK, TestFleet } from "../support/fleets/fleet";
import { publishAll, textsFrom } from "../support/fleets/messages";
import { killServer, startServer } from "../support/fleets/servers";
import { observedAt } from "../support/fleets/watched";
import { until } from "../support/until";

/** The watcher beside a fleet whose links go and come, while an application publishes; every message is counted by its text. */

const MERGED: RawSettings = {
  streams: [
    { name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect: { mode: "merged", maxBytes: "32MiB" } },
  ],
};

/** Longer than the server's own source survives: it then waits for 30 s and more. */
const CUT_MS = 12_000;
/** Well below the 30 s for which a source waits without the watcher, on a busy machine too. */
const SOON_MS = 10_000;

describe("the watcher", function () {
  this.timeout(120_000);

  const watched = (fleet: TestFleet, site: string): Watched => {
    const { access, system, streams } = observedAt(fleet, site);
    return { access, system, streams, stack: STACK };
  };

  /** Lets a watcher, or several, watch the fleet until the test ends. */
  function watch(fleet: TestFleet, count = 1): { said: string[] } {
    const end = new AbortController();
    const said: string[] = [];
    const sites = fleet.settings.sites.map(({ name }) => watched(fleet, name));
    const running = Array.from({ length: count }, () =>
      new Watcher(withKeysOfState(sites), (line) => said.push(line)).run(end.signal),
    );
    fleet.whenStopped(async () => {
      end.abort();
      await Promise.all(running);
    });
    return { said };
  }

  const textsOnHub = async (fleet: TestFleet): Promise<string[]> => {
    const js = await fleet.atHub("oslo");
    const { state } = await fleet.collected("oslo");
    const texts: string[] = [];
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await js.messageAt("EVENTS", seq);
      if (message !== undefined) texts.push(Buffer.from(message.payload).toString());
    }
    return texts;
  };

  /** Waits until the hub has these, each once, and says how long that took. */
  async function comesOnce(fleet: TestFleet, texts: readonly string[]): Promise<number> {
    const started = Date.now();
    await until(`the hub has ${texts.length}`, async () => (await textsOnHub(fleet)).length >= texts.length);
    const took = Date.now() - started;
    assert.deepEqual((await textsOnHub(fleet)).sort(), [...texts].sort());
    return took;
  }

  for (const [mode, raw] of [
    ["perSite", {}],
    ["merged", MERGED],
  ] as const) {
    it(`brings everything soon after a long cut, once, also beside a second watcher (${mode})`, async () => {
      await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }, { name: "bergen" }], ...raw });
      const proxy = await throughProxy(fleet);
      const { said } = watch(fleet, 2);
      const publish = async (from: number, to: number): Promise<void> =>
        publishAll(await fleet.application("oslo"), "events.a", textsFrom(from, to));
      await publish(1, 20);
      await comesOnce(fleet, textsFrom(1, 20));
      proxy.cut(true);
      await until("the link is gone", async () => (await fleet.links("oslo")).length === 0);
      await publish(21, 60);
      // How long the link is away is what is tested.
      await sleep(CUT_MS);
      proxy.cut(false);
      await until("the link is back", async () => (await fleet.links("oslo")).length > 0);
      const took = await comesOnce(fleet, textsFrom(1, 60));
      assert.ok(took < SOON_MS, `it took ${took} ms after the link`);
      await publish(61, 80);
      await comesOnce(fleet, textsFrom(1, 80));
      assert.ok(said.includes("oslo: its link is gone"), said.join("\n"));
      assert.match(said.join("\n"), /oslo\/EVENTS: its source was waiting; it was restarted, and was heard/);
      assert.doesNotMatch(said.join("\n"), /bergen/);
    });
  }

  it("goes on when the hub was killed, and leaves sources alone that come back by themselves", async () => {
    await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }] });
    const { said } = watch(fleet);
    const publish = async (from: number, to: number): Promise<void> =>
      publishAll(await fleet.application("oslo"), "events.a", textsFrom(from, to));
    await publish(1, 20);
    await comesOnce(fleet, textsFrom(1, 20));
    await killServer(fleet.hub.folder);
    await until("it says that the hub is away", () => said.some((line) => /the hub does not answer/.test(line)));
    await publish(21, 40);
    await startServer(fleet.hub.folder);
    const took = await comesOnce(fleet, textsFrom(1, 40));
    assert.ok(took < SOON_MS, `it took ${took} ms`);
    // Its source may be back before the watcher asks the hub again.
    await until("it says that the hub is back", () => said.includes("the hub answers again"));
  });

  it("leaves a source as it is that a person started anew at the same time", async () => {
    await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }] });
    watch(fleet);
    await publishAll(await fleet.application("oslo"), "events.a", textsFrom(1, 30));
    const [stream] = fleet.settings.streams;
    for (let i = 0; i < 5; i++) await rearm(fleet.accessAt("oslo"), stream!, STACK);
    await comesOnce(fleet, textsFrom(1, 30));
  });
});

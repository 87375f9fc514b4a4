import assert from "node:assert/strict";
import { Watched, withKeysOfState } from "../../doctor/watch/watched";
import { Watcher } from "../../doctor/watch/watcher";
import { rearm } from "../../fleet/sourcing/source";
import { throughProxy } from "../support/catalogue/mistakes";
import { STACK, TestFleet } from "../support/fleets/fleet";
import { COLLECTED, SOON_MS, comesOnce, outlastsLongCut, publish } from "../support/fleets/long-cut";
import { publishAll, textsFrom } from "../support/fleets/messages";
import { killServer, startServer } from "../support/fleets/servers";
import { observedAt } from "../support/fleets/watched";
import { until } from "../support/until";

/** The watcher beside a fleet whose links go and come, while an application publishes; every message is counted by its text. */

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

  for (const [mode, raw] of COLLECTED) {
    it(`brings everything soon after a long cut, once, also beside a second watcher (${mode})`, async () => {
      await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }, { name: "bergen" }], ...raw });
      const proxy = await throughProxy(fleet);
      const { said } = watch(fleet, 2);
      await outlastsLongCut(fleet, proxy, () => said.join("\n"));
      assert.ok(said.includes("oslo: its link is gone"), said.join("\n"));
      assert.doesNotMatch(said.join("\n"), /bergen/);
    });
  }

  it("goes on when the hub was killed, and leaves sources alone that come back by themselves", async () => {
    await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }] });
    const { said } = watch(fleet);
    await publish(fleet, 1, 20);
    await comesOnce(fleet, textsFrom(1, 20));
    await killServer(fleet.hub.folder);
    await until("it says that the hub is away", () => said.some((line) => /the hub does not answer/.test(line)));
    await publish(fleet, 21, 40);
    await startServer(fleet.hub.folder);
    const took = await comesOnce(fleet, textsFrom(1, 40));
    assert.ok(took < SOON_MS, `it took ${took} ms`);
    // Its source may be back before the watcher asks the hub again.
    await until("it says that the hub is back", () => said.includes("the hub answers again"));
  });

  it("leaves a source as it is that a person restarted at the same time", async () => {
    await using fleet = await TestFleet.deploy({ sites: [{ name: "oslo" }] });
    watch(fleet);
    await publishAll(await fleet.application("oslo"), "events.a", textsFrom(1, 30));
    const [stream] = fleet.settings.streams;
    for (let i = 0; i < 5; i++) await rearm(fleet.accessAt("oslo"), stream!, STACK);
    await comesOnce(fleet, textsFrom(1, 30));
  });
});

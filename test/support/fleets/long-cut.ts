import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { RawSettings } from "../../../configs/settings";
import { until } from "../until";
import type { TestFleet } from "./fleet";
import { publishAll, textsFrom } from "./messages";
import { textsOnHub } from "./outage";
import type { Proxy } from "./proxy";

/** A link that is away for long while an application of oslo publishes; every message is counted by its text. */

/** Longer than the server's own source survives: it then waits for 30 s and more. */
const CUT_MS = 12_000;
/** Well below the 30 s for which a source waits without a watcher, on a busy machine too. */
export const SOON_MS = 10_000;

/** A stream with both ways to collect it, by their names. */
export const COLLECTED: readonly (readonly ["perSite" | "merged", RawSettings])[] = [
  ["perSite", {}],
  [
    "merged",
    {
      streams: [
        { name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect: { mode: "merged", maxBytes: "32MiB" } },
      ],
    },
  ],
];

/** Publishes at oslo: `m1`, `m2` … */
export const publish = async (fleet: TestFleet, from: number, to: number): Promise<void> =>
  publishAll(await fleet.application("oslo"), "events.a", textsFrom(from, to));

/** Waits until the hub has these, each once, and resolves with the milliseconds that it took. */
export async function comesOnce(fleet: TestFleet, texts: readonly string[]): Promise<number> {
  const started = Date.now();
  await until(`the hub has ${texts.length}`, async () => (await textsOnHub(fleet)).length >= texts.length);
  const took = Date.now() - started;
  assert.deepEqual((await textsOnHub(fleet)).sort(), [...texts].sort());
  return took;
}

/** Cuts oslo's link, which leads through the proxy, for long: everything must be on the hub soon afterwards, once. */
export async function outlastsLongCut(fleet: TestFleet, proxy: Pick<Proxy, "cut">, log: () => string): Promise<void> {
  await publish(fleet, 1, 20);
  await comesOnce(fleet, textsFrom(1, 20));
  proxy.cut(true);
  await until("the link is gone", async () => (await fleet.links("oslo")).length === 0);
  await publish(fleet, 21, 60);
  // How long the link is away is what is tested.
  await sleep(CUT_MS);
  proxy.cut(false);
  await until("the link is back", async () => (await fleet.links("oslo")).length > 0);
  const took = await comesOnce(fleet, textsFrom(1, 60));
  assert.ok(took < SOON_MS, `it took ${took} ms after the link: ${log()}`);
  await publish(fleet, 61, 80);
  await comesOnce(fleet, textsFrom(1, 80));
  assert.match(log(), /oslo\/EVENTS: its source was waiting; it was restarted, and was heard/);
}

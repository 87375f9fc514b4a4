import { splitUrls } from "../../../configs/text/address";
import { clusterTroubles } from "../../../servers/nats/cluster";
import { JetStream } from "../../../servers/nats/jetstream";
import type { Collecting } from "../fleets/three";
import type { Stack } from "./cli";

/** A hub of three of a stack, as applications and its system account see it. */

export const collectingOf = (stack: Stack): Collecting => ({
  application: (site) => stack.applicationOf(site),
  atHub: async (site) => new JetStream(await stack.client(site, "operator", { at: "hub" })),
});

/** The server that leads the hub's stream of the site. */
export const leaderOf = async (stack: Stack, site: string): Promise<string> =>
  (await (await collectingOf(stack).atHub(site)).stream("EVENTS"))?.cluster?.leader ?? "";

/** Whether every server is there, and has every copy. */
export async function isWholeHub(stack: Stack): Promise<boolean> {
  const { hub, seeds } = await stack.outputs();
  const seed = seeds.hub?.system ?? "";
  return (await clusterTroubles(splitUrls(hub.client).map((url) => ({ url, seed })))).length === 0;
}

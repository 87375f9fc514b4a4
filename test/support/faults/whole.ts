import { clusterTroubles } from "../../../servers/nats/cluster";
import { shared } from "../../../servers/nats/connection";
import { ask } from "../../../servers/nats/asking";
import type { TestFleet } from "../fleets/fleet";
import { until } from "../until";

/** A hub of several servers as it should be: every server has every stream, and every site is linked once. */

interface Stored {
  account_details?: { name: string; stream_detail?: { name: string; state: { last_seq: number } }[] }[];
}

/** By stream: the last sequence that one server has stored. */
async function lastSequences(url: string, seed: string): Promise<Map<string, number>> {
  const options = { accounts: true, streams: true, limit: 10_000 };
  const { account_details: accounts = [] } = await ask<Stored>(await shared({ url, seed }), "JSZ", options);
  return new Map(
    accounts.flatMap(({ name: account, stream_detail: streams = [] }) =>
      streams.map(({ name, state }) => [`${account}/${name}`, state.last_seq] as const),
    ),
  );
}

/**
 * Waits until the hub is whole. A leader may believe for some seconds that a copy is complete that is gone, so each server is
 * asked what it has: at least what any of them had at the first look.
 */
export async function becomesWhole(fleet: TestFleet): Promise<void> {
  const seed = fleet.hub.seeds.system;
  const members = fleet.members.map(({ url }) => ({ url, seed }));
  const held = () => Promise.all(members.map(({ url }) => lastSequences(url, seed)));
  const goal = await until("every server of the hub answers", held);
  await until("the hub is whole", async () => {
    const [troubles, copies] = await Promise.all([clusterTroubles(members), held()]);
    const links = await Promise.all(fleet.settings.sites.map(({ name }) => fleet.links(name)));
    const short = copies.flatMap((copy, i) =>
      goal.flatMap((one) =>
        [...one].flatMap(([stream, last]) =>
          (copy.get(stream) ?? -1) >= last
            ? []
            : [`${members[i]?.url} has ${copy.get(stream)} of ${stream}, another had ${last}`],
        ),
      ),
    );
    const unlinked = links.flatMap(({ length }, i) => (length === 1 ? [] : [`site ${i} has ${length} links`]));
    const all = [...troubles, ...short, ...unlinked];
    if (all.length > 0) throw new Error(all.join("; "));
    return true;
  });
}

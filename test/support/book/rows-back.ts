import { keepStore, rollBack } from "../fleets/stores";
import { until } from "../until";
import { Played } from "./played";
import { BOTH, BookRow, streamOf } from "./row";

/** A hub's store that goes back in time, and whose older copy holds messages that had left the newer one. */

/** Keeps the newest messages of the hub's stream. */
async function purgeHub(played: Played, keep = 0, subject = ">"): Promise<void> {
  const hub = await played.fleet.atHub("oslo");
  const { state } = (await hub.stream("EVENTS"))!;
  await hub.purge("EVENTS", subject, state.last_seq + 1 - keep);
}

/** Keeps the newest messages of the site, and publishes more. */
async function purgeSite(played: Played, keep = 0): Promise<void> {
  const js = await played.fleet.atSite("oslo");
  const stream = played.streamAt("oslo");
  const { state } = (await js.stream(stream))!;
  await js.purge(stream, ">", state.last_seq + 1 - keep);
  await played.publish("oslo", 5);
  await hasNewest(played);
}

export const hasNewest = (played: Played): Promise<unknown> =>
  until(
    "the hub has the newest",
    async () => {
      const held = await played.idsIn(await played.fleet.atSite("oslo"), played.streamAt("oslo"));
      return (await played.idsIn(await played.fleet.atHub("oslo"), "EVENTS")).includes(held.at(-1)!);
    },
    60_000,
  );

interface Turn {
  /** Of oslo: before the last look that the copy of the store knows, and behind it. */
  looked: number;
  kept: number;
  lost: number;
  /** The newest messages that hub and site keep. */
  onHub: number;
  atSite: number;
  /** Whether the purge takes nothing of bergen, whose messages are the oldest of a merged stream. */
  isOfOslo?: true;
}

/** A copy of the hub's store, more messages, a purge of the hub and of the site, and then the copy again. */
async function turnBack(played: Played, { looked, kept, lost, onHub, atSite, isOfOslo }: Turn): Promise<void> {
  if (isOfOslo === true) {
    await played.publish("bergen", 3);
    await played.taken("bergen");
  }
  await played.publish("oslo", looked);
  await played.publish("bergen", 10);
  await played.taken("oslo", "bergen");
  await played.look();
  await played.publish("oslo", kept);
  await played.taken("oslo");
  await keepStore(played.fleet.hub);
  await played.publish("oslo", lost);
  await played.taken("oslo");
  await played.look();
  await purgeHub(played, onHub, isOfOslo === true ? "oslo.>" : ">");
  await played.look();
  await purgeSite(played, atSite);
  await played.look();
  await rollBack(played.fleet.hub);
  await played.taken("oslo", "bergen");
}

/** Of a merged stream, what left it is told with its first site, bergen; the purge takes its 10 messages too. */
const rowsOf = (name: string, turn: Turn, missing: number): BookRow[] =>
  BOTH.map((mode): BookRow => {
    const dropped = turn.looked + turn.kept + turn.lost - turn.onHub;
    const again = turn.looked + turn.kept + Math.max(0, turn.atSite - turn.onHub);
    const isMerged = mode === "merged";
    return {
      name,
      modes: [mode],
      make: (played) => turnBack(played, turn),
      tells: isMerged ? { oslo: { missing }, bergen: { dropped: dropped + 10 } } : { oslo: { missing, dropped } },
      again: isMerged ? again + 10 : again,
    };
  });

export const BACK_BOOK_ROWS: BookRow[] = [
  {
    name: "a site's store that went back in time twice, with looks between",
    modes: BOTH,
    make: async (played) => {
      await played.publish("oslo", 20);
      await played.taken("oslo");
      for (const [lost, more] of [
        [20, 35],
        [10, 25],
      ] as const) {
        await keepStore(played.fleet.site("oslo"));
        await played.publish("oslo", lost);
        await hasNewest(played);
        await played.look();
        await rollBack(played.fleet.site("oslo"));
        await played.publish("oslo", more);
        await hasNewest(played);
        await played.look();
        await played.publish("oslo", 2);
        await hasNewest(played);
        await played.look();
      }
    },
    tells: { oslo: { missing: 30 } },
    cause: /went back in time/,
  },
  ...rowsOf(
    "a hub's stream purged, whose store goes back to before that, and a site that no longer holds them",
    { looked: 30, kept: 0, lost: 20, onHub: 0, atSite: 0 },
    0,
  ),
  ...rowsOf(
    "a hub's stream purged but for its newest, whose store goes back to before that",
    { looked: 30, kept: 0, lost: 20, onHub: 5, atSite: 0 },
    5,
  ),
  ...rowsOf(
    "a hub's stream purged, whose store goes back to behind a look, and a site that holds some of them",
    { looked: 30, kept: 10, lost: 20, onHub: 4, atSite: 8 },
    0,
  ),
  {
    name: "a merged stream purged of one site, whose store goes back to before that",
    modes: ["merged"],
    make: (played) => turnBack(played, { looked: 30, kept: 0, lost: 20, onHub: 4, atSite: 0, isOfOslo: true }),
    tells: { oslo: { missing: 4 }, bergen: { dropped: 46 } },
    again: 30,
  },
  {
    name: "a hub whose declared limit had taken the oldest, and whose store goes back to before that",
    modes: BOTH,
    settings: streamOf({}, { maxBytes: "4MiB" }),
    make: async (played) => {
      await played.publish("oslo", 10, { bytes: 100_000 });
      await played.taken("oslo");
      await played.look();
      await keepStore(played.fleet.hub);
      await played.publish("oslo", 60, { bytes: 100_000 });
      await until("the hub holds the newest", async () =>
        (await played.idsIn(await played.fleet.atHub("oslo"), "EVENTS")).includes("oslo-70"),
      );
      await played.look();
      await purgeSite(played);
      await played.look();
      await rollBack(played.fleet.hub);
      await played.taken("oslo");
    },
    // It held 41 of 100 kB before the 5 small ones, and the copy the first 10.
    tells: { oslo: { missing: 41 } },
    leftBefore: 19,
  },
];

import { killServer, startServer } from "../fleets/servers";
import { keepStore, loseStore, rollBack } from "../fleets/stores";
import { leaveProbe } from "../fleets/probes";
import { until } from "../until";

import { rearm } from "../../../fleet/sourcing/source";
import { STACK } from "../fleets/fleet";

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

const hasNewest = (played: Played): Promise<unknown> =>
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

async function kill(played: Played, { folder }: { folder: string }): Promise<void> {
  await killServer(folder);
  await startServer(folder);
  await until("the site is linked", async () => (await played.fleet.links("oslo")).length === 1, 60_000);
}

/** The hub's store has blocks of 32 kB, and four messages fill one (nats-server filestore.go, dynBlkSize). */
const SMALL_BLOCKS = streamOf({}, { maxBytes: "120kB" });
const [QUARTER, OF_B] = [7_000, { bytes: 7_000, subject: "events.b" }];

/**
 * Fills two blocks of the hub's store: the second one has the mark of a message that was deleted in the first one. Such a
 * block stays when it is emptied, without marks of what was in it (nats-server filestore.go, removeMsgBlock).
 */
async function fillBlocks(played: Played, between: () => Promise<unknown>): Promise<void> {
  await played.publish("oslo", 4, { bytes: QUARTER });
  await played.publish("oslo", 2, OF_B);
  await played.taken("oslo");
  const hub = await played.fleet.atHub("oslo");
  const { state } = (await hub.stream("EVENTS"))!;
  await hub.deleteMessage("EVENTS", state.first_seq + 1);
  await between();
  await played.publish("oslo", 2, OF_B);
  await played.publish("oslo", 1, { bytes: QUARTER, subject: "events.c" });
  await hasNewest(played);
}

const purgeB = async (played: Played): Promise<void> =>
  void (await (
    await played.fleet.atHub("oslo")
  ).purge("EVENTS", played.mode === "merged" ? "oslo.events.b" : "events.b"));

/** What left a merged stream is told with its first site, bergen. */
const inModes = (row: Omit<BookRow, "modes" | "tells">, missing: number, dropped: number): BookRow[] =>
  BOTH.map((mode) => ({
    ...row,
    modes: [mode],
    tells: mode === "merged" ? { oslo: { missing }, bergen: { dropped } } : { oslo: { missing, dropped } },
  }));

const UNDONE_ROWS: BookRow[] = [
  ...inModes(
    {
      name: "a purge that a killed hub undoes, and that somebody repeats before the hub loses its store",
      settings: SMALL_BLOCKS,
      make: async (played) => {
        await fillBlocks(played, () => Promise.resolve());
        await purgeB(played);
        await played.look();
        await kill(played, played.fleet.hub);
        await played.look();
        await purgeB(played);
        await played.look();
        await (await played.fleet.atSite("oslo")).purge(played.streamAt("oslo"), "events.>");
        await loseStore(played.fleet.hub);
        await played.fleet.up();
      },
      // The four of events.b were there again.
      again: 4,
    },
    4,
    9,
  ),
  ...inModes(
    {
      name: "probes of a killed run that a killed hub holds again, which had lost its store before",
      settings: SMALL_BLOCKS,
      make: async (played) => {
        const { fleet } = played;
        const operator = await fleet.connect(fleet.site("oslo"), "operator");
        const leaveProbes = async (): Promise<void> => {
          for (let i = 0; i < 3; i++)
            await leaveProbe(fleet, operator, { site: "oslo", stream: "EVENTS", runId: "killed" });
        };
        await leaveProbes();
        await fleet.prove();
        await loseStore(fleet.hub);
        await fleet.up();
        await fillBlocks(played, leaveProbes);
        await purgeB(played);
        await fleet.prove();
        await kill(played, fleet.hub);
        await fleet.prove();
      },
    },
    0,
    5,
  ),
  ...inModes(
    {
      name: "what a site has in place of messages that it lost, and delivers to a hub that loses its store",
      make: async (played) => {
        const { fleet } = played;
        await played.publish("oslo", 20);
        await played.taken("oslo");
        await keepStore(fleet.site("oslo"));
        await played.publish("oslo", 5);
        await played.taken("oslo");
        await played.look();
        await rollBack(fleet.site("oslo"));
        await played.publish("oslo", 9);
        await hasNewest(played);
        await played.look();
        await played.editOnHub({ max_msgs_per_subject: 3 });
        await played.editOnHub({ max_msgs_per_subject: -1 });
        await played.look();
        await loseStore(fleet.hub);
        await fleet.up();
        await played.taken("oslo");
      },
      // The five that the site lost had left the hub, too.
      again: 21,
    },
    0,
    26,
  ),
  {
    name: "what a limit set by hand had taken at a site, and the killed site holds again before the hub takes it",
    modes: BOTH,
    make: async (played) => {
      const { state } = await played.fleet.collected("oslo");
      await played.editOnHub({ max_msgs: Math.max(1, state.messages), discard: "new" });
      await played.publish("oslo", 12);
      await played.editAtSite({ max_msgs_per_subject: 2 });
      await played.editAtSite({ max_msgs_per_subject: -1 });
      await played.look();
      await kill(played, played.fleet.site("oslo"));
      await played.editOnHub({ max_msgs: -1, discard: "old" });
      await rearm(played.fleet.accessAt("oslo"), played.fleet.stream("EVENTS"), STACK);
      await played.taken("oslo");
    },
    tells: {},
  },
];

export const BACK_BOOK_ROWS: BookRow[] = [
  ...UNDONE_ROWS,
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

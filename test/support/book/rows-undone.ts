import { probeSubjects } from "../../../configs/permissions";
import { collectedSubject } from "../../../configs/streams";
import { rearm } from "../../../fleet/sourcing/source";
import { STACK } from "../fleets/fleet";
import { leaveProbe } from "../fleets/probes";
import { killServer, startServer } from "../fleets/servers";
import { keepStore, loseStore, rollBack } from "../fleets/stores";
import { until } from "../until";
import { Played } from "./played";
import { BOTH, BookRow, streamOf } from "./row";
import { hasNewest } from "./rows-back";

/** What a killed server holds again: messages that a limit or a purge had removed. */

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

export const UNDONE_BOOK_ROWS: BookRow[] = [
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
  ...inModes(
    {
      name: "what a limit had taken at a site before the hub took it, and the killed site delivers to a new store",
      make: async (played) => {
        const { fleet } = played;
        await played.publish("oslo", 10);
        await played.taken("oslo");
        const site = await fleet.atSite("oslo");
        const { state } = (await site.stream(played.streamAt("oslo")))!;
        // Of a message that is deleted, the store keeps a mark.
        for (let seq = state.last_seq - 9; seq <= state.last_seq; seq++)
          await site.deleteMessage(played.streamAt("oslo"), seq);
        await played.withoutHub(async () => {
          await played.publish("oslo", 12);
          await played.editAtSite({ max_msgs_per_subject: 2 });
          await played.editAtSite({ max_msgs_per_subject: -1 });
        });
        await hasNewest(played);
        await played.look();
        await played.publish("oslo", 5);
        await hasNewest(played);
        await played.editOnHub({ max_msgs_per_subject: 1 });
        await played.editOnHub({ max_msgs_per_subject: -1 });
        await played.look();
        await kill(played, fleet.site("oslo"));
        await loseStore(fleet.hub);
        await fleet.up();
        await played.taken("oslo");
      },
      again: 6,
    },
    0,
    16,
  ),
  ...inModes(
    {
      name: "probes that a killed hub holds again, and that somebody else takes off",
      settings: SMALL_BLOCKS,
      make: async (played) => {
        const { fleet } = played;
        await played.withoutHub(async () => {
          await played.publish("oslo", 7);
          await (await fleet.atSite("oslo")).purge(played.streamAt("oslo"), "events.>");
        });
        await played.publish("oslo", 1);
        await hasNewest(played);
        await played.look();
        const operator = await fleet.connect(fleet.site("oslo"), "operator");
        const leaveProbes = async (): Promise<void> => {
          for (let i = 0; i < 3; i++)
            await leaveProbe(fleet, operator, { site: "oslo", stream: "EVENTS", runId: "killed" });
        };
        await fillBlocks(played, leaveProbes);
        await purgeB(played);
        await fleet.prove();
        await kill(played, fleet.hub);
        await played.look();
        const probes = collectedSubject(fleet.stream("EVENTS"), "oslo", probeSubjects(played.streamAt("oslo")));
        await (await fleet.atHub("oslo")).purge("EVENTS", probes);
      },
    },
    7,
    5,
  ),
];

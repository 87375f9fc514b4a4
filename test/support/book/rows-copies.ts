import { loseStore, rollBack, keepStore } from "../fleets/stores";
import { rearm } from "../../../fleet/sourcing/source";
import { STACK } from "../fleets/fleet";
import { until } from "../until";

import { Played } from "./played";
import { BOTH, BookRow, known } from "./row";

/** Second copies of an earlier stream of the site, some of which somebody deletes. */

const TWICE = 10;

/** What the hub holds of oslo's first messages: by id, its first copy and its second one. */
async function copiesOf({ fleet }: Played): Promise<Map<string, number[]>> {
  const js = await fleet.atHub("oslo");
  const { state } = (await js.stream("EVENTS"))!;
  const copies = new Map<string, number[]>();
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const id = (await js.messageAt("EVENTS", seq))?.headers.Id;
    if (id !== undefined) copies.set(id, [...(copies.get(id) ?? []), seq]);
  }
  return copies;
}

async function secondSource(played: Played): Promise<void> {
  const { config } = await played.fleet.collected("oslo");
  const own = config.sources!.find(({ external }) => external.api === "$JS.oslo.API")!;
  const second = { ...own, subject_transforms: [{ src: "events.>", dest: "oslo.again.>" }] };
  await played.editOnHub({ sources: [...config.sources!, second] });
  await until("everything is there twice", async () => (await copiesOf(played)).get("oslo-10")?.length === 2);
}

/** All that oslo has stored stands on the hub twice, and is acknowledged. */
async function doubled(played: Played): Promise<void> {
  const { fleet } = played;
  await played.publish("oslo", TWICE);
  await played.publish("bergen", 4);
  await played.taken("oslo", "bergen");
  await secondSource(played);
  await fleet.up();
  await played.look();
  await known(played);
}

/** Deletes the first copies of some messages of oslo on the hub, and the second copies of others. */
async function deleteCopies(played: Played, { first, second }: { first: number[]; second: number[] }): Promise<void> {
  const js = await played.fleet.atHub("oslo");
  const copies = await copiesOf(played);
  for (const [i, numbers] of [first, second].entries())
    for (const number of numbers) await js.deleteMessage("EVENTS", copies.get(`oslo-${number}`)![i]!);
}

const recreate = async (played: Played): Promise<void> => {
  await loseStore(played.fleet.site("oslo"));
  await played.fleet.up();
  await played.publish("oslo", 5);
  // The source that the hub is left with starts behind the last copy that it stored itself.
  await rearm(played.fleet.accessAt("oslo"), played.fleet.stream("EVENTS"), STACK);
  await played.taken("oslo");
  await played.look();
};

/** What left a merged stream is told with its first site, bergen. */
const inBoth = (row: Omit<BookRow, "modes" | "tells">, missing: number, dropped: number): BookRow[] =>
  BOTH.map((mode) => ({
    ...row,
    modes: [mode],
    tells: mode === "merged" ? { oslo: { missing }, bergen: { dropped } } : { oslo: { missing, dropped } },
  }));

interface Deleted {
  first: number[];
  second: number[];
}

// Of messages 1 and 2 the second copies are left, of 3 and 4 nothing, of 5 and 6 the first copies.
const OLDEST: Deleted = { first: [1, 2, 3, 4], second: [3, 4, 5, 6] };
const MIDDLE: Deleted = { first: [6, 7, 8, 9], second: [1, 2, 6, 7] };

const rowsOf = (deleted: Deleted, when: "before" | "after", how: "is lost" | "goes back to before that"): BookRow[] =>
  inBoth(
    {
      name: `${deleted === OLDEST ? "the oldest " : ""}copies deleted on the hub, where everything stood twice, ${when} the site's stream is recreated, and a store of the hub that ${how}`,
      make: async (played) => {
        const { fleet } = played;
        if (how !== "is lost") await keepStore(fleet.hub);
        await doubled(played);
        if (when === "after") await recreate(played);
        await deleteCopies(played, deleted);
        await played.look();
        if (when === "before") await recreate(played);
        if (how === "is lost") {
          await loseStore(fleet.hub);
          await fleet.up();
        } else await rollBack(fleet.hub);
        await played.taken("oslo", "bergen");
      },
      // Dropped copies of messages that had another one, or that have none twice.
      again: 6,
    },
    8,
    8,
  );

/** Second copies that no look had seen yet when the copy of the store was made. */
const UNSEEN: BookRow = {
  name: "second copies that stand in a hub's store that goes back, behind its last look",
  modes: BOTH,
  make: async (played) => {
    const { fleet } = played;
    await played.publish("oslo", TWICE);
    await played.publish("bergen", 4);
    await played.taken("oslo", "bergen");
    await played.look();
    const { sources } = (await fleet.collected("oslo")).config;
    await secondSource(played);
    await played.editOnHub({ sources });
    await keepStore(fleet.hub);
    await played.publish("oslo", 3);
    await played.taken("oslo");
    await played.look();
    await rollBack(fleet.hub);
    await played.taken("oslo", "bergen");
    await played.look();
    await played.withoutHub(async () => {
      await played.publish("oslo", 5);
      await (await fleet.atSite("oslo")).purge(played.streamAt("oslo"), "events.>");
      await played.publish("oslo", 1);
    });
    await played.taken("oslo");
  },
  tells: { oslo: { missing: 5, doubled: TWICE } },
};

export const COPY_BOOK_ROWS: BookRow[] = [
  UNSEEN,
  ...[OLDEST, MIDDLE].flatMap((deleted) => [
    ...rowsOf(deleted, "before", "is lost"),
    ...rowsOf(deleted, "after", "is lost"),
    ...(deleted === OLDEST ? rowsOf(deleted, "after", "goes back to before that") : []),
  ]),
];

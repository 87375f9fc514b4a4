import { rmSync } from "node:fs";
import { join } from "node:path";
import { bookName } from "../../../fleet/book/record";
import { keepStore, loseStore, rollBack } from "../fleets/stores";

import { until } from "../until";

import { Played } from "./played";
import { BOTH, BookRow, Told, known } from "./row";

/** Messages that somebody deletes in the middle of the hub's stream, whose store is lost or goes back afterwards. */

/** Deletes messages of oslo on the hub, by their ids. */
async function deleteOnHub({ fleet }: Played, ...ids: string[]): Promise<void> {
  const js = await fleet.atHub("oslo");
  const { state } = (await js.stream("EVENTS"))!;
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const id = (await js.messageAt("EVENTS", seq))?.headers.Id;
    if (id !== undefined && ids.includes(id)) await js.deleteMessage("EVENTS", seq);
  }
}

const idsOf = (site: string, ...numbers: number[]): string[] => numbers.map((number) => `${site}-${number}`);

/** Publishes at both sites, in turns; oslo's ids are the odd tens. */
async function publishInTurns(played: Played): Promise<void> {
  for (let i = 0; i < 4; i++) {
    await played.publish("oslo", 5);
    await played.publish("oslo", 5, { subject: "events.b" });
    await played.publish("bergen", 10);
    await played.taken("oslo", "bergen");
  }
}

async function loseHub(played: Played): Promise<void> {
  await loseStore(played.fleet.hub);
  await played.fleet.up();
  await played.taken("oslo", "bergen");
}

const purgeSite = async (played: Played): Promise<void> => {
  await (await played.fleet.atSite("oslo")).purge(played.streamAt("oslo"), "events.>");
  await played.publish("oslo", 2);
  await played.taken("oslo");
};

/** What left a merged stream is told with its first site, bergen. */
const inBoth = (row: Omit<BookRow, "modes" | "tells">, { missing = 0, dropped = 0 }: Told): BookRow[] =>
  BOTH.map((mode) => ({
    ...row,
    modes: [mode],
    tells: mode === "merged" ? { oslo: { missing }, bergen: { dropped } } : { oslo: { missing, dropped } },
  }));

export const HOLE_BOOK_ROWS: BookRow[] = [
  ...[true, false].flatMap((isKnown) =>
    inBoth(
      {
        name: `single messages deleted on the hub${isKnown ? " and acknowledged" : ""}, whose store is lost then, and that the site no longer holds`,
        make: async (played) => {
          await publishInTurns(played);
          await played.look();
          await deleteOnHub(played, ...idsOf("oslo", 3, 26, 27, 45));
          await played.look();
          if (isKnown) await known(played);
          await purgeSite(played);
          await played.look();
          await loseHub(played);
        },
        ...(isKnown ? { leftBefore: 4 } : {}),
      },
      { missing: 36, dropped: isKnown ? 0 : 4 },
    ),
  ),
  ...inBoth(
    {
      name: "single messages deleted on the hub, whose store is lost then, and that the site delivers again",
      make: async (played) => {
        await publishInTurns(played);
        await played.look();
        await deleteOnHub(played, ...idsOf("oslo", 3, 26, 27, 45));
        await played.look();
        await loseHub(played);
      },
      again: 4,
    },
    { dropped: 4 },
  ),
  ...inBoth(
    {
      name: "single messages deleted on the hub, whose store is lost then, some of which the site delivers again",
      make: async (played) => {
        await publishInTurns(played);
        await played.look();
        await deleteOnHub(played, ...idsOf("oslo", 3, 26, 27, 45));
        await played.look();
        // Oslo's ids are 1 to 10, 21 to 30, and so on.
        const js = await played.fleet.atSite("oslo");
        const { state } = (await js.stream(played.streamAt("oslo")))!;
        await js.purge(played.streamAt("oslo"), ">", state.last_seq - 23);
        await loseHub(played);
      },
      again: 2,
    },
    { missing: 14, dropped: 4 },
  ),
  ...inBoth(
    {
      name: "a subject purged on the hub, whose store is lost then, and that the site no longer holds",
      make: async (played) => {
        await publishInTurns(played);
        await played.look();
        const subject = played.mode === "merged" ? "oslo.events.b" : "events.b";
        await (await played.fleet.atHub("oslo")).purge("EVENTS", subject);
        await played.look();
        await purgeSite(played);
        await loseHub(played);
      },
    },
    { missing: 20, dropped: 20 },
  ),
  ...inBoth(
    {
      name: "single messages deleted on the hub, whose store is lost twice, and that the site delivers the second time",
      make: async (played) => {
        await publishInTurns(played);
        await deleteOnHub(played, ...idsOf("oslo", 3, 26));
        await played.look();
        await played.fleet.prove();
        await purgeSite(played);
        await deleteOnHub(played, ...idsOf("oslo", 45));
        await played.look();
        await loseHub(played);
        await played.look();
        await loseHub(played);
      },
    },
    { missing: 37, dropped: 3 },
  ),
  ...inBoth(
    {
      name: "single messages deleted on the hub before the book begins, whose store is lost then",
      make: async (played) => {
        await publishInTurns(played);
        await deleteOnHub(played, ...idsOf("oslo", 3, 26, 27, 45));
        for (const site of ["oslo", "bergen"])
          rmSync(join(played.fleet.root, "book", bookName(played.fleet.stream("EVENTS"), site)), {
            recursive: true,
            force: true,
          });
        await played.look();
        await purgeSite(played);
        await played.look();
        await loseHub(played);
      },
      leftBefore: 4,
    },
    { missing: 36 },
  ),
  ...inBoth(
    {
      name: "single messages deleted on the hub and a loss at the site between two looks, and a store of the hub that is lost then",
      make: async (played) => {
        await publishInTurns(played);
        await played.look();
        await played.withoutHub(async () => {
          await played.publish("oslo", 10);
          await (await played.fleet.atSite("oslo")).purge(played.streamAt("oslo"), "events.>");
          await played.publish("oslo", 3);
        });
        await played.taken("oslo");
        await deleteOnHub(played, "oslo-70", "oslo-91");
        await played.look();
        await loseHub(played);
      },
      again: 1,
    },
    { missing: 49, dropped: 2 },
  ),
  ...inBoth(
    {
      name: "single messages deleted on the hub, and a store of the hub that goes back to when it held them",
      make: async (played) => {
        await publishInTurns(played);
        await played.look();
        await keepStore(played.fleet.hub);
        await played.publish("oslo", 5);
        await played.taken("oslo");
        await deleteOnHub(played, ...idsOf("oslo", 3, 26, 83));
        await played.look();
        await rollBack(played.fleet.hub);
        await played.taken("oslo", "bergen");
        await played.look();
        await purgeSite(played);
        // Then the messages are lost that came back.
        await loseHub(played);
      },
      again: 3,
    },
    { missing: 45, dropped: 3 },
  ),
  ...inBoth(
    {
      name: "a hub's stream purged, of a site whose stream is recreated before the hub loses its store",
      make: async (played) => {
        await publishInTurns(played);
        await played.look();
        const hub = await played.fleet.atHub("oslo");
        await hub.purge(
          "EVENTS",
          played.mode === "merged" ? "oslo.>" : ">",
          (await hub.stream("EVENTS"))!.state.last_seq - (played.mode === "merged" ? 14 : 4),
        );
        await played.look();
        await loseStore(played.fleet.site("oslo"));
        await played.fleet.up();
        await played.publish("oslo", 4);
        await played.taken("oslo");
        await played.look();
        await loseHub(played);
      },
    },
    { missing: 5, dropped: 35 },
  ),
  {
    name: "a merged stream of which the oldest were purged, that passed messages since, and that the hub loses then",
    modes: ["merged"],
    make: async (played) => {
      await publishInTurns(played);
      await played.look();
      const hub = await played.fleet.atHub("oslo");
      await hub.purge("EVENTS", "oslo.>", (await hub.stream("EVENTS"))!.state.last_seq - 14);
      await played.look();
      await played.withoutHub(async () => {
        await played.publish("oslo", 6);
        const js = await played.fleet.atSite("oslo");
        const { state } = (await js.stream(played.streamAt("oslo")))!;
        for (const back of [1, 3]) await js.deleteMessage(played.streamAt("oslo"), state.last_seq - back);
      });
      await until("the hub has the newest", async () =>
        (await played.idsIn(await played.fleet.atHub("oslo"), "EVENTS")).includes("oslo-86"),
      );
      await played.look();
      await purgeSite(played);
      await played.look();
      await loseHub(played);
    },
    // Two were deleted at the site; the hub held 5 and 4 more when it lost its store.
    tells: { oslo: { missing: 11 }, bergen: { dropped: 35 } },
  },
  {
    name: "single messages deleted on the hub, of a site whose stream is recreated before the hub loses its store",
    modes: ["perSite"],
    make: async (played) => {
      await publishInTurns(played);
      await deleteOnHub(played, ...idsOf("oslo", 3, 26));
      await played.look();
      await loseStore(played.fleet.site("oslo"));
      await played.fleet.up();
      await played.publish("oslo", 4);
      await played.taken("oslo");
      await deleteOnHub(played, ...idsOf("oslo", 45, 82));
      await played.look();
      await loseHub(played);
    },
    again: 1,
    tells: { oslo: { missing: 37, dropped: 4 } },
  },
];

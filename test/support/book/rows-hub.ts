import { keepStore, loseStore, rollBack } from "../fleets/stores";
import { until } from "../until";

import { Played } from "./played";
import { BOTH, BookRow, damage, known, streamOf } from "./row";

/** Ways to lose, to double and to drop messages on the hub, made on real servers. */

/** Ids of all that the hub holds. */
const held = async (played: Played): Promise<string[]> => played.idsIn(await played.fleet.atHub("oslo"), "EVENTS");

/** Adds a source of oslo's stream by hand: the declared one, with a change. */
async function secondSource(played: Played, change: object): Promise<void> {
  const { config } = await played.fleet.collected("oslo");
  const [own] = config.sources!.filter(({ external }) => external.api === "$JS.oslo.API");
  await played.editOnHub({ sources: [...config.sources!, { ...own!, ...change }] });
}

export const HUB_BOOK_ROWS: BookRow[] = [
  {
    name: "a hub's store that went back in time, and a site that no longer holds what it lost",
    modes: BOTH,
    make: async (played) => {
      await played.publish("oslo", 30);
      await played.publish("bergen", 10);
      await played.taken("oslo", "bergen");
      await keepStore(played.fleet.hub);
      await played.publish("oslo", 50);
      await played.publish("bergen", 20);
      await played.taken("oslo", "bergen");
      await (await played.fleet.atSite("oslo")).purge(played.streamAt("oslo"), "events.>");
      await played.publish("oslo", 5);
      await played.taken("oslo");
      await played.look();
      await rollBack(played.fleet.hub);
      await played.taken("oslo", "bergen");
    },
    tells: { oslo: { missing: 50 } },
    cause: /the hub's store went back in time/,
  },
  {
    name: "a hub's store that went back to before the first message of a site",
    modes: ["merged"],
    make: async (played) => {
      await played.publish("oslo", 5);
      await played.taken("oslo");
      await played.look();
      await keepStore(played.fleet.hub);
      await played.publish("bergen", 10);
      await played.publish("oslo", 3);
      await played.taken("oslo", "bergen");
      await played.look();
      await rollBack(played.fleet.hub);
      await played.taken("oslo", "bergen");
    },
    tells: {},
  },
  {
    name: "a hub that lost its store, and sites that hold only their newest messages",
    modes: BOTH,
    make: async (played) => {
      await played.publish("oslo", 30);
      await played.publish("bergen", 12);
      await played.taken("oslo", "bergen");
      await played.look();
      for (const site of ["oslo", "bergen"])
        await (await played.fleet.atSite(site)).purge(played.streamAt(site), "events.>");
      await played.publish("oslo", 5);
      await played.publish("bergen", 5);
      await played.taken("oslo", "bergen");
      await loseStore(played.fleet.hub);
      await played.fleet.up();
      await played.taken("oslo", "bergen");
    },
    tells: { oslo: { missing: 30 }, bergen: { missing: 12 } },
    cause: /the hub's stream was recreated/,
  },
  {
    name: "somebody purges the hub's stream",
    modes: ["perSite"],
    make: async (played) => {
      await played.publish("oslo", 30);
      await played.taken("oslo");
      await (await played.fleet.atHub("oslo")).purge("EVENTS", "events.>");
      await played.publish("oslo", 4);
      await until("the hub has the new ones", async () => (await played.fleet.collected("oslo")).state.messages === 4);
    },
    tells: { oslo: { dropped: 30 } },
    cause: /someone purged or deleted them/,
  },
  {
    name: "single messages deleted on the hub",
    modes: ["perSite"],
    make: async (played) => {
      await played.publish("oslo", 30);
      await played.taken("oslo");
      const js = await played.fleet.atHub("oslo");
      const { state } = (await js.stream("EVENTS"))!;
      for (const back of [2, 3, 9]) await js.deleteMessage("EVENTS", state.last_seq - back);
    },
    tells: { oslo: { dropped: 3 } },
  },
  {
    name: "a limit per subject, set by hand on the hub",
    modes: ["perSite"],
    make: async (played) => {
      await played.publish("oslo", 12);
      await played.taken("oslo");
      await played.editOnHub({ max_msgs_per_subject: 1 });
    },
    tells: { oslo: { dropped: 11 } },
    cause: /max_msgs_per_subject/,
  },
  {
    name: "a limit of age, set by hand on the hub",
    modes: ["perSite"],
    make: async (played) => {
      await played.publish("oslo", 12);
      await played.taken("oslo");
      await played.editOnHub({ max_age: 1_000_000_000, duplicate_window: 0 });
      await until("they expired", async () => (await played.fleet.collected("oslo")).state.messages === 0);
    },
    tells: { oslo: { dropped: 12 } },
  },
  {
    name: "equal message ids within the hub's window of duplicates",
    modes: ["merged"],
    make: async (played) => {
      await played.editOnHub({ duplicate_window: 120_000_000_000 });
      await played.publish("oslo", 10, { messageId: "same" });
      await until("oslo's are there", async () => (await played.fleet.collected("oslo")).state.messages >= 10);
      await played.publish("bergen", 10, { messageId: "same" });
      await played.publish("bergen", 3);
      await until("bergen's are there", async () => (await played.fleet.collected("oslo")).state.messages >= 13);
    },
    tells: { bergen: { missing: 10 } },
  },
  {
    name: "a second source of the site's stream, made by hand",
    modes: BOTH,
    make: async (played) => {
      await played.publish("oslo", 10);
      await played.taken("oslo");
      await secondSource(played, { subject_transforms: [{ src: "events.>", dest: "oslo.again.>" }] });
      await played.publish("oslo", 12);
      await until("everything is there twice", async () => {
        const ids = await played.idsIn(await played.fleet.atHub("oslo"), "EVENTS");
        return ids.filter((id) => id === "oslo-22").length === 2;
      });
    },
    tells: { oslo: { doubled: 22 } },
    cause: /sources the site's stream 2 times/,
  },
  {
    name: "a hub's store that is lost, and copies of purged messages with it, that a second source had brought",
    modes: BOTH,
    make: async (played) => {
      const { fleet } = played;
      await played.publish("oslo", 20);
      await played.publish("bergen", 4);
      await played.taken("oslo", "bergen");
      await (await fleet.atHub("oslo")).purge("EVENTS", played.mode === "merged" ? "oslo.events.>" : "events.>");
      await played.publish("oslo", 3);
      await until("the hub has the new ones", async () => (await held(played)).includes("oslo-27"));
      await played.look();
      await secondSource(played, { subject_transforms: [{ src: "events.>", dest: "oslo.again.>" }] });
      await until("the hub has the purged ones", async () => {
        const ids = await held(played);
        return ids.includes("oslo-1") && ids.filter((id) => id === "oslo-27").length === 2;
      });
      await fleet.up();
      await played.look();
      await known(played);
      await (await fleet.atSite("oslo")).purge(played.streamAt("oslo"), "events.>");
      await loseStore(fleet.hub);
      await fleet.up();
      await played.taken("bergen");
    },
    tells: { oslo: { missing: 23 } },
    cause: /the hub's stream was recreated/,
  },
  {
    name: "a hub's store that went back and is lost then, after somebody had purged everything, which was there twice",
    modes: ["perSite"],
    make: async (played) => {
      const { fleet } = played;
      await played.publish("oslo", 10);
      await played.taken("oslo");
      await secondSource(played, { subject_transforms: [{ src: "events.>", dest: "oslo.again.>" }] });
      await until("everything is there twice", async () => (await held(played)).length === 20);
      await fleet.up();
      await played.look();
      await (await fleet.atHub("oslo")).purge("EVENTS", "events.>");
      await (await fleet.atHub("oslo")).purge("EVENTS", "oslo.again.>");
      await (await fleet.atSite("oslo")).purge("EVENTS", "events.>");
      await played.publish("oslo", 12);
      await played.taken("oslo");
      await played.look();
      await keepStore(fleet.hub);
      await played.publish("oslo", 3);
      await played.taken("oslo");
      await played.look();
      await rollBack(fleet.hub);
      await played.taken("oslo");
      await played.look();
      await known(played);
      await (await fleet.atSite("oslo")).purge("EVENTS", "events.>");
      await loseStore(fleet.hub);
      await fleet.up();
    },
    tells: { oslo: { missing: 15 } },
    leftBefore: 10,
  },
  {
    name: "a hub that lost its store after somebody had purged some of its copies of an earlier stream of the site",
    modes: ["perSite"],
    make: async (played) => {
      await played.publish("oslo", 10, { subject: "events.b" });
      await played.publish("oslo", 10);
      await played.taken("oslo");
      await played.look();
      await loseStore(played.fleet.site("oslo"));
      await played.fleet.up();
      await played.publish("oslo", 5);
      await played.taken("oslo");
      await (await played.fleet.atHub("oslo")).purge("EVENTS", "events.b");
      await played.look();
      await loseStore(played.fleet.hub);
      await played.fleet.up();
      await played.taken("oslo");
    },
    tells: { oslo: { missing: 10, dropped: 10 } },
  },
  {
    name: "a hub and a site that lost their stores at once, after somebody had purged some messages on the hub",
    modes: ["perSite"],
    make: async (played) => {
      await played.publish("oslo", 10, { subject: "events.b" });
      await played.publish("oslo", 10);
      await played.taken("oslo");
      await (await played.fleet.atHub("oslo")).purge("EVENTS", "events.b");
      await played.look();
      await loseStore(played.fleet.hub);
      await loseStore(played.fleet.site("oslo"));
      await played.fleet.up();
      await played.publish("oslo", 5);
      await played.taken("oslo");
    },
    tells: { oslo: { missing: 10, dropped: 10 } },
  },
  {
    name: "a hub that lost its store after somebody had purged its stream, and a site that holds nothing",
    modes: ["perSite"],
    make: async (played) => {
      await played.publish("oslo", 20);
      await played.taken("oslo");
      await (await played.fleet.atHub("oslo")).purge("EVENTS", "events.>");
      await (await played.fleet.atSite("oslo")).purge(played.streamAt("oslo"), "events.>");
      await played.look();
      await loseStore(played.fleet.hub);
      await played.fleet.up();
    },
    tells: { oslo: { dropped: 20 } },
  },
  {
    name: "a second source that was taken off, and that brought the hub's last message",
    modes: ["perSite"],
    make: async (played) => {
      await played.look();
      await played.publish("oslo", 5);
      await played.publish("oslo", 6, { subject: "events.b" });
      await played.taken("oslo");
      await secondSource(played, { filter_subject: "events.a" });
      await until("the hub has the second copies", async () => (await held(played)).length === 16);
      await played.fleet.up();
      await played.publish("oslo", 1);
      await played.taken("oslo");
    },
    tells: { oslo: { doubled: 5 } },
  },
  ...["goes back to before that", "is lost"].map((how): BookRow => ({
    name: `a hub's store that ${how}, of a stream that had everything twice`,
    modes: BOTH,
    make: async (played) => {
      const { fleet } = played;
      await played.publish("oslo", 10);
      await played.publish("bergen", 4);
      await played.taken("oslo", "bergen");
      await played.look();
      if (how !== "is lost") await keepStore(fleet.hub);
      await secondSource(played, { subject_transforms: [{ src: "events.>", dest: "oslo.again.>" }] });
      await until("everything is there twice", async () => {
        const ids = await played.idsIn(await fleet.atHub("oslo"), "EVENTS");
        return ids.filter((id) => id === "oslo-10").length === 2;
      });
      await fleet.up();
      await played.look();
      await known(played);
      if (how === "is lost") await loseStore(fleet.hub);
      else await rollBack(fleet.hub);
      await fleet.up();
      await played.taken("oslo", "bergen");
    },
    tells: {},
  })),
  {
    name: "a damaged block of the hub's stream",
    modes: ["perSite"],
    make: async (played) => {
      await played.publish("oslo", 40, { bytes: 500 });
      await played.taken("oslo");
      await played.look();
      await (await played.fleet.atSite("oslo")).purge(played.streamAt("oslo"), "events.>");
      await damage(played.fleet.hub, "OSLO", "EVENTS");
      await played.publish("oslo", 5);
      await played.taken("oslo");
    },
    tells: { oslo: { missing: NaN, dropped: NaN } },
  },
  {
    name: "a hub that lost its store after its declared limit had taken the oldest, and a site that holds only its newest",
    modes: ["perSite"],
    settings: streamOf({}, { maxBytes: "4MiB" }),
    make: async (played) => {
      await played.publish("oslo", 60, { bytes: 100_000 });
      await until("the hub holds the newest", async () => {
        const ids = await played.idsIn(await played.fleet.atHub("oslo"), "EVENTS");
        return ids.at(-1) === "oslo-60";
      });
      await played.look();
      await (await played.fleet.atSite("oslo")).purge(played.streamAt("oslo"), "events.>");
      await played.publish("oslo", 5);
      await played.taken("oslo");
      await played.look();
      await loseStore(played.fleet.hub);
      await played.fleet.up();
      await played.taken("oslo");
    },
    // It held 41 of 100 kB before the 5 small ones.
    tells: { oslo: { missing: 41 } },
    leftBefore: 19,
    cause: /the hub's stream was recreated/,
  },
  {
    name: "losses at both sites at once",
    modes: ["merged"],
    settings: streamOf({ maxBytes: "4MiB" }),
    make: async (played) => {
      await played.publish("oslo", 5);
      await played.publish("bergen", 9);
      await played.taken("oslo", "bergen");
      await played.look();
      await played.withoutHub(async () => {
        await played.publish("oslo", 50, { bytes: 100_000 });
        await played.publish("bergen", 60, { bytes: 100_000 });
      });
      await played.taken("oslo", "bergen");
      await played.publish("bergen", 4);
      await played.taken("bergen");
    },
    tells: { oslo: { missing: 9 }, bergen: { missing: 19 } },
  },
  {
    name: "the hub's stream deleted by hand, and the site's older messages gone",
    modes: BOTH,
    make: async (played) => {
      await played.publish("oslo", 20);
      await played.taken("oslo");
      await played.look();
      await (await played.fleet.atSite("oslo")).purge(played.streamAt("oslo"), "events.>");
      await played.publish("oslo", 4);
      await played.taken("oslo");
      await (await played.fleet.atHub("oslo")).deleteStream("EVENTS");
      await played.fleet.up();
      await played.taken("oslo");
    },
    tells: { oslo: { missing: 20 } },
  },
];

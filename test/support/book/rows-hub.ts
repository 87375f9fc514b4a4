import { repairSite } from "../../../fleet/repair/repair";
import { keepStore, loseStore, rollBack } from "../fleets/stores";
import { until } from "../until";
import { observedAt } from "../fleets/watched";

import { BOTH, BookRow, damage, streamOf } from "./row";

/** Ways to lose, to double and to drop messages on the hub, made on real servers. */

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
      const { config } = await played.fleet.collected("oslo");
      const [own] = config.sources!.filter(({ external }) => external.api === "$JS.oslo.API");
      const second = { ...own!, subject_transforms: [{ src: "events.>", dest: "oslo.again.>" }] };
      await played.editOnHub({ sources: [...config.sources!, second] });
      await played.publish("oslo", 12);
      await until("everything is there twice", async () => {
        const ids = await played.idsIn(await played.fleet.atHub("oslo"), "EVENTS");
        return ids.filter((id) => id === "oslo-22").length === 2;
      });
    },
    tells: { oslo: { doubled: 22 } },
    cause: /sources the site's stream 2 times/,
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
      const { config } = await fleet.collected("oslo");
      const [own] = config.sources!.filter(({ external }) => external.api === "$JS.oslo.API");
      const second = { ...own!, subject_transforms: [{ src: "events.>", dest: "oslo.again.>" }] };
      await played.editOnHub({ sources: [...config.sources!, second] });
      await until("everything is there twice", async () => {
        const ids = await played.idsIn(await fleet.atHub("oslo"), "EVENTS");
        return ids.filter((id) => id === "oslo-10").length === 2;
      });
      await fleet.up();
      await played.look();
      const observed = observedAt(fleet, "oslo");
      const known = { accept: "known", note: "a test", say: () => undefined } as const;
      await repairSite({ observed, streams: observed.streams, ...known });
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

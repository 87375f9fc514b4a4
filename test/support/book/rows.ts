import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { lookAtBook } from "../../../fleet/book/look";
import { oslo } from "../catalogue/mistakes";
import { whileStopped } from "../fleets/servers";
import { keepStore, loseStore, rollBack } from "../fleets/stores";
import { until } from "../until";

import { BOTH, BookRow, streamOf } from "./row";
import { BACK_BOOK_ROWS } from "./rows-back";
import { UNDONE_BOOK_ROWS } from "./rows-undone";
import { COPY_BOOK_ROWS } from "./rows-copies";
import { HOLE_BOOK_ROWS } from "./rows-holes";
import { HUB_BOOK_ROWS } from "./rows-hub";

/** Ways to lose messages at a site, made on real servers; and those on the hub. */

const THREE_SITES = ["oslo", "bergen", "tromso"];

export const BOOK_ROWS: BookRow[] = [
  {
    name: "nothing: ordinary traffic, looks in between, probes, restarts of both servers",
    modes: BOTH,
    make: async (played) => {
      await played.publish("oslo", 40);
      await played.look();
      await played.fleet.prove();
      await played.publish("bergen", 25, { bytes: 20_000 });
      await whileStopped(oslo(played.fleet).folder, () => undefined);
      await played.withoutHub(() => played.publish("oslo", 10));
      await played.taken("oslo", "bergen");
    },
    tells: {},
  },
  {
    name: "nothing: three sites publish all the time, and not one of 120 looks tells anything",
    modes: BOTH,
    settings: (mode) => ({ ...streamOf({})(mode), sites: THREE_SITES.map((name) => ({ name })) }),
    make: async (played) => {
      const { fleet } = played;
      let isOver = false;
      const busy = THREE_SITES.map(async (site) => {
        for (let count = 0; !isOver && count < 2_000; count += 3) {
          await played.publish(site, 3);
          await sleep(5);
        }
      });
      const told: string[] = [];
      for (let looks = 0; looks < 40; looks++)
        for (const site of THREE_SITES) {
          const facts = await lookAtBook({
            root: fleet.root,
            access: fleet.accessAt(site),
            stream: fleet.stream("EVENTS"),
          });
          if (facts === undefined || facts.open.length > 0) told.push(`${site}: ${JSON.stringify(facts)}`);
        }
      isOver = true;
      await Promise.all(busy);
      assert.deepEqual(told, []);
      await played.taken(...THREE_SITES);
    },
    tells: {},
  },
  {
    name: "the hub's declared limit of bytes takes the oldest",
    modes: BOTH,
    settings: streamOf({}, { maxBytes: "4MiB" }),
    make: async (played) => {
      await played.publish("oslo", 60, { bytes: 100_000 });
      await until("the hub holds the newest", async () => {
        const ids = await played.idsIn(await played.fleet.atHub("oslo"), "EVENTS");
        const held = await played.idsIn(await played.fleet.atSite("oslo"), played.streamAt("oslo"));
        return ids.at(-1) === held.at(-1);
      });
    },
    // 60 were stored there; what the declared limit took is no difference.
    tells: {},
  },
  {
    name: "a site's limit of bytes pushes out what the hub has not taken",
    modes: BOTH,
    settings: streamOf({ maxBytes: "4MiB" }),
    make: async (played) => {
      await played.publish("oslo", 5);
      await played.taken("oslo");
      await played.withoutHub(() => played.publish("oslo", 80, { bytes: 100_000 }));
      await played.taken("oslo");
    },
    tells: { oslo: { missing: 39 } },
    cause: /dropped them before the hub took them: newer ones pushed them out \(max_bytes/,
  },
  {
    name: "messages expire at the site before the hub takes them",
    modes: BOTH,
    settings: streamOf({ maxAge: "2s" }),
    make: async (played) => {
      await played.publish("oslo", 5);
      await played.taken("oslo");
      await played.look();
      await played.withoutHub(async () => {
        await played.publish("oslo", 30);
        await until("they expired", async () => {
          const info = await (await played.fleet.atSite("oslo")).stream(played.streamAt("oslo"));
          return info!.state.messages === 0;
        });
      });
      await until("the hub is linked", async () => (await played.fleet.links("oslo")).length > 0);
    },
    tells: { oslo: { missing: 30 } },
    cause: /they expired/,
  },
  {
    name: "a limit per subject, set by hand at the site, while the hub is away",
    modes: BOTH,
    make: async (played) => {
      await played.publish("oslo", 3);
      await played.taken("oslo");
      await played.withoutHub(async () => {
        await played.publish("oslo", 20);
        await played.editAtSite({ max_msgs_per_subject: 4 });
      });
      await played.taken("oslo");
    },
    tells: { oslo: { missing: 16 } },
    cause: /max_msgs_per_subject/,
  },
  {
    name: "somebody purges the site's stream while the hub is away",
    modes: BOTH,
    make: async (played) => {
      await played.publish("oslo", 12);
      await played.taken("oslo");
      await played.withoutHub(async () => {
        await played.publish("oslo", 20);
        await (await played.fleet.atSite("oslo")).purge(played.streamAt("oslo"), "events.>");
        await played.publish("oslo", 7);
      });
      await played.taken("oslo");
    },
    tells: { oslo: { missing: 20 } },
    cause: /someone purged or deleted them/,
  },
  {
    name: "single messages deleted at the site before the hub takes them",
    modes: BOTH,
    make: async (played) => {
      await played.withoutHub(async () => {
        await played.publish("oslo", 20);
        const js = await played.fleet.atSite("oslo");
        const { state } = (await js.stream(played.streamAt("oslo")))!;
        for (const back of [3, 7, 8]) await js.deleteMessage(played.streamAt("oslo"), state.last_seq - back);
      });
      await played.taken("oslo");
    },
    tells: { oslo: { missing: 3 } },
  },
  {
    name: "a site's stream that keeps only what consumers wait for (retention interest)",
    modes: ["perSite"],
    make: async (played) => {
      await played.editAtSite({ retention: "interest" });
      await played.publish("oslo", 5);
      await played.look();
      await played.withoutHub(async () => {
        await played.publish("oslo", 20);
        await until("no consumer waits for them any more", async () => {
          const info = await (await played.fleet.atSite("oslo")).stream("EVENTS");
          return info!.state.messages === 0;
        });
      });
      await until("the hub is linked", async () => (await played.fleet.links("oslo")).length > 0);
    },
    tells: { oslo: { missing: 20 } },
    cause: /retention 'interest'/,
  },
  {
    name: "a site's stream made anew while it held what the hub had not taken",
    modes: BOTH,
    make: async (played) => {
      await played.publish("oslo", 30);
      await played.taken("oslo");
      await played.withoutHub(async () => {
        await played.publish("oslo", 15);
        await played.look();
        const js = await played.fleet.atSite("oslo");
        const { config } = (await js.stream(played.streamAt("oslo")))!;
        await js.deleteStream(config.name);
        await js.createStream(config);
        await played.publish("oslo", 6);
      });
      await played.taken("oslo");
    },
    tells: { oslo: { missing: 15 } },
    cause: /was recreated/,
  },
  {
    name: "a site that lost its store, and all of it was on the hub",
    modes: BOTH,
    make: async (played) => {
      await played.publish("oslo", 30);
      await played.taken("oslo");
      await played.look();
      await loseStore(oslo(played.fleet));
      await played.fleet.up();
      await played.publish("oslo", 8);
      await played.taken("oslo");
    },
    tells: {},
  },
  {
    name: "a site that lost its store twice, the second time behind the last look",
    modes: BOTH,
    make: async (played) => {
      await played.publish("oslo", 30);
      await played.taken("oslo");
      await loseStore(oslo(played.fleet));
      await played.fleet.up();
      await played.publish("oslo", 8);
      await played.taken("oslo");
      await played.look();
      await played.publish("oslo", 5);
      await played.taken("oslo");
      await loseStore(oslo(played.fleet));
      await played.fleet.up();
      await played.publish("oslo", 3);
      await played.taken("oslo");
    },
    tells: {},
  },
  {
    name: "a site's store that went back in time, and stored as much again",
    modes: BOTH,
    make: async (played) => {
      await played.publish("oslo", 20);
      await played.taken("oslo");
      await keepStore(oslo(played.fleet));
      await played.publish("oslo", 20);
      await played.taken("oslo");
      await played.look();
      await rollBack(oslo(played.fleet));
      await played.publish("oslo", 35);
      await until("the hub goes on", async () => {
        const ids = await played.idsIn(await played.fleet.atHub("oslo"), "EVENTS");
        return ids.at(-1) === "oslo-75";
      });
    },
    tells: { oslo: { missing: 20 } },
    cause: /went back in time/,
  },
  {
    name: "a site's stream made anew, whose store went back in time afterwards",
    modes: BOTH,
    make: async (played) => {
      await played.publish("oslo", 60);
      await played.taken("oslo");
      await loseStore(oslo(played.fleet));
      await played.fleet.up();
      await played.publish("oslo", 10);
      await played.taken("oslo");
      await keepStore(oslo(played.fleet));
      await played.publish("oslo", 12);
      await played.taken("oslo");
      await played.look();
      await rollBack(oslo(played.fleet));
      await played.publish("oslo", 30);
      await until("the hub goes on", async () => {
        const ids = await played.idsIn(await played.fleet.atHub("oslo"), "EVENTS");
        return ids.at(-1) === "oslo-112";
      });
    },
    tells: { oslo: { missing: 12 } },
    cause: /went back in time/,
  },
  {
    name: "a site's store that went back to nothing, and stored much more since",
    modes: BOTH,
    make: async (played) => {
      await keepStore(oslo(played.fleet));
      await played.publish("oslo", 9);
      await played.taken("oslo");
      await played.look();
      await rollBack(oslo(played.fleet));
      await played.publish("oslo", 22);
      await until("the hub goes on", async () => {
        const ids = await played.idsIn(await played.fleet.atHub("oslo"), "EVENTS");
        return ids.at(-1) === "oslo-31";
      });
    },
    tells: { oslo: { missing: 9 } },
    cause: /went back in time/,
  },
  ...HUB_BOOK_ROWS,
  ...HOLE_BOOK_ROWS,
  ...BACK_BOOK_ROWS,
  ...UNDONE_BOOK_ROWS,
  ...COPY_BOOK_ROWS,
];

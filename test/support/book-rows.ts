import assert from "node:assert/strict";
import { readdirSync, truncateSync, statSync, writeFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RawSettings } from "../../configs/settings";
import { serverFiles } from "../../providers/folders";
import { Mode } from "./catalogue";
import { repairSite } from "../../providers/repair";
import { Played } from "./book-played";
import { oslo } from "./catalogue-mistakes";
import { whileStopped } from "./servers";
import { keepStore, loseStore, rollBack } from "./stores";
import { until } from "./until";
import { observedAt } from "./watched";

/** Ways to lose, to double and to drop messages, made on real servers; every message has an id, and all are counted. */

/** What the book must tell of a site; nothing when absent. */
export interface Told {
  missing?: number;
  doubled?: number;
  dropped?: number;
}

export interface BookRow {
  name: string;
  modes: readonly Mode[];
  settings?: (mode: Mode) => RawSettings;
  make(played: Played): Promise<unknown>;
  /** By site; of sites that are not named the book must tell nothing. */
  tells: Record<string, Told>;
  /** What a declared limit had taken from a hub's stream that is gone: the balance of the new one does not show it. */
  leftBefore?: number;
  /** What the first difference of oslo says of the cause. */
  cause?: RegExp;
}

const BOTH = ["perSite", "merged"] as const;

const streamOf =
  (more: object, collect: object = {}) =>
  (mode: Mode): RawSettings => ({
    streams: [
      {
        name: "EVENTS",
        subjects: ["events.>"],
        maxBytes: "32MiB",
        ...more,
        collect: { mode, maxBytes: "32MiB", ...collect },
      },
    ],
  });

/** Damages a message block of a stream's store, as a bad disk does. */
async function damage({ folder }: { folder: string }, account: string, stream: string): Promise<void> {
  await whileStopped(folder, () => {
    const blocks = join(serverFiles(folder).store, "jetstream", account, "streams", stream, "msgs");
    const [block] = readdirSync(blocks)
      .filter((name) => name.endsWith(".blk"))
      .sort();
    const file = join(blocks, block!);
    const text = readFileSync(file);
    // In the middle of the block: what stands behind a record that cannot be read is gone with it.
    text.fill(0xff, Math.floor(text.length / 2), Math.floor(text.length / 2) + 64);
    writeFileSync(file, text);
    truncateSync(join(blocks, "index.db"), Math.min(10, statSync(join(blocks, "index.db")).size));
  });
}

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
    cause: /let go of them before the hub took them: newer ones pushed them out \(max_bytes/,
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
    cause: /somebody purged or deleted them/,
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
    cause: /was made anew/,
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
    cause: /the hub's stream was made anew/,
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
    cause: /somebody purged or deleted them/,
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
    cause: /the hub's stream was made anew/,
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

/** The difference that the book tells must be the one that the ids tell. */
export async function judgeBook(row: BookRow, played: Played): Promise<string[]> {
  const wrong: string[] = [];
  const { sites } = await played.look();
  for (const site of ["oslo", "bergen"]) {
    const report = sites.find((one) => one.site === site)!;
    const { book } = report.streams[0]!;
    const { gone, doubled } = await played.truth(site);
    const finding = (kind: string) => report.findings.find(({ code }) => code === `messages-${kind}`);
    const count = (kind: string) => Number(/^(\d+) message/.exec(finding(kind)?.cause ?? "0 messages")?.[1]);
    const told = { missing: count("missing"), doubled: count("doubled"), dropped: count("dropped") };
    if (book === undefined) wrong.push(`${site}: no book`);
    for (const kind of ["missing", "doubled", "dropped"] as const) {
      const expected = row.tells[site]?.[kind] ?? 0;
      if (!Number.isNaN(expected) && told[kind] !== expected)
        wrong.push(`${site}: tells ${told[kind]} ${kind}, expected ${expected}`);
    }
    const { byLimits = 0, waiting = 0 } = book ?? {};
    const { leftBefore = 0 } = site === "oslo" ? row : {};
    if (byLimits === 0 && told.missing + told.dropped + waiting + leftBefore !== gone)
      wrong.push(
        `${site}: tells ${told.missing} missing, ${told.dropped} dropped and ${waiting} waiting, by ids ${gone} are gone`,
      );
    if (told.doubled !== doubled) wrong.push(`${site}: tells ${told.doubled} doubled, by ids ${doubled}`);
    if (row.cause !== undefined && site === "oslo" && row.tells.oslo !== undefined) {
      const evidence = ["missing", "doubled", "dropped"].map((kind) => finding(kind)?.evidence ?? "").join("\n");
      if (!row.cause.test(evidence)) wrong.push(`${site}: says ${evidence}`);
    }
  }
  assert.ok(sites.length > 0);
  return wrong;
}

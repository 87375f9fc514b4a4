import { headers } from "nats";
import { siteStreamName } from "../../../configs/names";
import { RawSettings } from "../../../configs/settings";
import { JetStream } from "../../../servers/nats/jetstream";
import { Refusal } from "../../../machine/refusal";
import { repairSite } from "../../../doctor/repair/repair";
import { TestFleet } from "../fleets/fleet";
import { idsHeld } from "./held";
import { Random } from "../soak/random";
import { until } from "../until";
import { examined, observedAt } from "../fleets/watched";

/** Random fleets whose streams are nearly full, and all that the program does with them: no message of an application goes. */

type Stream = NonNullable<RawSettings["streams"]>[number];

const MIB = 1024 * 1024;
const NAMES = ["oslo", "bergen", "tromso"];

/** In whole MiB: what a stream is to keep at each site and on the hub. */
interface Declared {
  name: string;
  mode: "perSite" | "merged";
  atSite: number;
  onHub: number;
  discard: [site: "old" | "new", hub: "old" | "new"];
}

interface Limits {
  sites: string[];
  streams: Declared[];
  /** Beside what the streams may hold, in MiB. */
  spare: number;
  probes: { count: number; burst: string; burstMessage: string };
}

function drawn(random: Random): Limits {
  const sites = NAMES.slice(0, random.between(1, 3));
  const discard = () => random.pick(["old", "new"] as const);
  return {
    sites,
    streams: ["EVENTS", "ALARMS"].slice(0, random.between(1, 2)).map((name) => {
      const mode = random.pick(["perSite", "merged"] as const);
      const atSite = random.between(1, 8);
      const least = mode === "merged" ? atSite * sites.length : atSite;
      return { name, mode, atSite, onHub: Math.max(1, least + random.between(-1, 4)), discard: [discard(), discard()] };
    }),
    spare: random.pick([0, 0, 1, 4, 40]),
    probes: random.pick([
      { count: 3, burst: "2500kB", burstMessage: "100kB" },
      { count: 1, burst: "0B", burstMessage: "100kB" },
      { count: 40, burst: "5MB", burstMessage: "500kB" },
    ]),
  };
}

function settingsOf({ sites, streams, spare, probes }: Limits): RawSettings {
  const atSite = streams.reduce((sum, stream) => sum + stream.atSite, 0);
  return {
    sites: sites.map((name) => ({ name, quota: `${Math.max(1, atSite + spare)}MiB` })),
    streams: streams.map(({ name, mode, atSite: maxBytes, onHub, discard: [discard, ofHub] }): Stream => ({
      name,
      subjects: [`${name.toLowerCase()}.>`],
      maxBytes: `${maxBytes}MiB`,
      discard,
      collect: { mode, maxBytes: `${onHub}MiB`, discard: ofHub },
    })),
    probes: { ...probes, timeout: "10s" },
  };
}

/** The same fleet with other limits, some of them less than its streams hold. */
const changed = (limits: Limits, random: Random): Limits => ({
  ...limits,
  spare: random.pick([0, 1, 4, 40]),
  streams: limits.streams.map((stream) => ({
    ...stream,
    atSite: Math.max(1, stream.atSite + random.between(-2, 3)),
    onHub: Math.max(1, stream.onHub + random.between(-2, 3)),
  })),
});

/** By stream and end: the ids that it holds. */
type Held = Map<string, Set<string>>;

async function held(fleet: TestFleet, { sites, streams }: Limits): Promise<Held> {
  const all: Held = new Map();
  const note = async (where: string, js: JetStream, stream: string) =>
    all.set(where, new Set(await idsHeld(js, stream)));
  for (const { name } of streams)
    for (const site of sites) {
      const local = siteStreamName(fleet.stream(name), site);
      await note(`${site}/${local}`, await fleet.atSite(site), local);
      await note(`hub/${site}/${name}`, await fleet.atHub(site, name), name);
    }
  return all;
}

/** Publishes until a share of the stream's limits at both ends is used, and waits until the hub has it. */
async function fill(fleet: TestFleet, limits: Limits, random: Random): Promise<void> {
  let next = 1;
  for (const { name, mode, atSite, onHub } of limits.streams) {
    const forEach = mode === "merged" ? onHub / limits.sites.length : onHub;
    const bytes = Math.min(atSite, forEach) * MIB * random.pick([0.6, 0.9, 0.97]);
    for (const site of limits.sites) {
      const client = await fleet.application(site);
      const size = random.pick([2_000, 30_000, 200_000]);
      for (let sent = 0; sent + size + 400 < bytes; sent += size + 400) {
        const head = headers();
        head.set("Id", `${site}-${next++}`);
        await client.jetstream().publish(`${name.toLowerCase()}.a`, new Uint8Array(size), { headers: head });
      }
      const hub = await fleet.atHub(site, name);
      const wanted = await idsHeld(await fleet.atSite(site), siteStreamName(fleet.stream(name), site));
      await until(`the hub has what ${site} holds of ${name}`, async () => {
        const there = new Set(await idsHeld(hub, name));
        return wanted.every((id) => there.has(id));
      });
    }
  }
}

/** What is done by hand to a stream, and takes nothing out of it. */
async function meddle(fleet: TestFleet, limits: Limits, random: Random): Promise<string> {
  const { name } = random.pick(limits.streams);
  const site = random.pick(limits.sites);
  const isAtSite = random.chance(0.5);
  const js = isAtSite ? await fleet.atSite(site) : await fleet.atHub(site, name);
  const info = await js.stream(isAtSite ? siteStreamName(fleet.stream(name), site) : name);
  if (info === undefined) throw new Error(`${name} is missing`);
  const { messages } = info.state;
  const change = random.pick([
    { max_msgs: messages + random.between(0, 5) },
    { max_bytes: info.state.bytes + random.between(0, 200_000) },
    { max_msgs_per_subject: messages + 2 },
    { max_age: 3_600e9, duplicate_window: 0 },
    { discard: info.config.discard === "new" ? "old" : "new" },
  ] as object[]);
  await js.updateStream({ ...info.config, ...change });
  return `${isAtSite ? site : "hub"}/${name}: by hand ${JSON.stringify(change)}`;
}

/** What the program may say: that it will not. */
async function unlessRefused(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof Refusal)) throw error;
  });
}

/** All that the program does with a fleet that stands. */
const STEPS: Record<string, (fleet: TestFleet, limits: Limits, random: Random) => Promise<unknown>> = {
  "smoke test": (fleet) => unlessRefused(fleet.prove()),
  "smoke test of all that changed": async (fleet) => {
    await unlessRefused(fleet.repair());
    await unlessRefused(fleet.prove());
  },
  up: (fleet) => unlessRefused(fleet.up()),
  preview: (fleet) => fleet.preview(),
  doctor: (fleet) => examined(fleet),
  repair: async (fleet, { sites }, random) => {
    const observed = observedAt(fleet, random.pick(sites));
    await unlessRefused(repairSite({ observed, streams: observed.streams, say: () => undefined }));
  },
  "another limit": async (fleet, limits, random) => {
    const settings = { ...settingsOf(changed(limits, random)), rehearsal: "onChange" as const };
    if ((await fleet.check(settings)).length > 0) return;
    await unlessRefused(fleet.up(settings));
    await unlessRefused(fleet.prove());
  },
  "by hand": meddle,
  "by hand, and up": async (fleet, limits, random) => {
    const done = await meddle(fleet, limits, random);
    await unlessRefused(fleet.up());
    await unlessRefused(fleet.prove());
    return done;
  },
};

/** Resolves with what was done. Errors: an application's message that is not where it was. */
export async function workNearLimits(seed: number, steps: number): Promise<string[]> {
  const random = new Random(seed);
  const limits = drawn(random);
  const done = [JSON.stringify(limits)];
  await using fleet = TestFleet.declare({ ...settingsOf(limits), rehearsal: "off" });
  const refused = await fleet.checkNew();
  if (refused.length > 0) throw new Error(`seed ${seed}: ${[...done, ...refused].join("\n  ")}`);
  await fleet.up();
  await fill(fleet, limits, random);
  let before = await held(fleet, limits);
  for (let i = 0; i < steps; i++) {
    const [name, step] = random.pick(Object.entries(STEPS));
    const said = await step(fleet, limits, random).catch((error: unknown) => {
      throw new Error(`seed ${seed}: ${[...done, name].join("\n  ")}\n${String(error)}`, { cause: error });
    });
    done.push(typeof said === "string" ? said : name);
    const now = await held(fleet, limits);
    const gone = [...before].flatMap(([where, ids]) => {
      const left = [...ids].filter((id) => now.get(where)?.has(id) !== true);
      return left.length === 0 ? [] : [`${where}: ${left.length} of ${ids.size} are gone, such as ${left[0]}`];
    });
    if (gone.length > 0) throw new Error(`seed ${seed}: ${done.join("\n  ")}\n${gone.join("\n")}`);
    before = now;
  }
  return done;
}

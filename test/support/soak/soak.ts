import { readBook } from "../../../fleet/book/record";
import { countOf } from "../../../diagnosis/book/ledger";
import { repairSite } from "../../../doctor/repair/repair";
import { Mode } from "../catalogue/catalogue";
import { TestFleet } from "../fleets/fleet";
import { examined, observedAt } from "../fleets/watched";
import { OPERATIONS, Operation, repaired } from "./operations";
import { Random } from "./random";
import { Copies, SITES, World, sitesWith } from "./world";

/** Random operations, and after each look the book against the count by ids. */

export interface Soaked {
  mode: Mode;
  seed: number;
  operations: number;
  looks: number;
  acknowledged: number;
  missing: number;
  doubled: number;
  dropped: number;
  pairs: number;
}

const pickOperation = (random: Random): Operation => {
  const all = OPERATIONS.reduce((sum, { weight }) => sum + weight, 0);
  let left = random.next() * all;
  return OPERATIONS.find(({ weight }) => (left -= weight) < 0) ?? OPERATIONS[0]!;
};

/** What the ids tell, ever. */
class Count {
  private before: Copies = new Map();
  readonly missing = new Set<string>();
  private readonly dropped = new Set<string>();
  readonly doubled = new Map<string, number>(SITES.map((site) => [site, 0]));
  droppedCopies = 0;
  /** Whether the hub's store became another one since the book was looked at. */
  isTurned = false;
  /** Messages that the book tells as missing and as doubled, because of second sources. */
  pairs = 0;
  private readonly twice = new Map<string, number>();
  /** Copies that a limit set by hand took from the hub, by id: a server that is killed later may hold them again. */
  private readonly taken = new Map<string, number>();
  /** After which operation an id was missed first. */
  readonly since = new Map<string, string>();

  take(world: World, copies: Copies, operation: Operation): void {
    this.isTurned ||= operation.turnsHub === true;
    for (const site of SITES)
      for (const id of world.idsOf(site)) {
        const [was, now] = [this.before.get(id) ?? 0, copies.get(id) ?? 0];
        if (operation.drops === true && now < was) {
          this.droppedCopies += was - now;
          this.taken.set(id, (this.taken.get(id) ?? 0) + was - now);
          if (now === 0) this.dropped.add(id);
        }
        // What somebody had deleted there, and a second source brings, is told as doubled.
        if (operation.brings === true && now > 0 && this.dropped.has(id)) this.doubledAlso(site, 1);
        // What was missing, and a second source brings: no position shows that, and the book tells it as doubled besides.
        if (operation.brings === true && now > 0 && this.missing.has(id)) this.broughtAlso(site);
        if (now > 0) this.dropped.delete(id);
        if (now > 0 || this.dropped.has(id)) this.missing.delete(id);
        else {
          if (!this.missing.has(id)) this.since.set(id, operation.name);
          this.missing.add(id);
        }
        const isBack = operation.brings === true ? 0 : Math.min(Math.max(0, now - was), this.taken.get(id) ?? 0);
        if (isBack > 0) this.taken.set(id, (this.taken.get(id) ?? 0) - isBack);
        const again = Math.max(0, now - 1) - Math.max(0, was - 1) - isBack;
        if (again > 0) this.doubledAlso(site, again);
      }
    // Probes that a killed hub holds again are the program's, whoever takes them off.
    if (operation.drops === true)
      for (const [id, was] of this.before)
        if (id.startsWith("narvik-")) this.droppedCopies += was - (copies.get(id) ?? 0);
    this.before = copies;
  }

  /** Which operations the missing ones are missing since. */
  reasons(): string[] {
    const counts = new Map<string, number>();
    for (const id of this.missing) {
      const reason = `${id.split("-")[0] ?? ""}, since ${this.since.get(id) ?? "ever"}`;
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    return [...counts].map(([reason, number]) => `missing by ids: ${number} of ${reason}`);
  }

  /** What the book should tell as missing. */
  missingOf = (site: string): number => ofSite(this.missing, site) + (this.twice.get(site) ?? 0);

  /** When the hub's store is another one, copies of second sources are gone: the book tells such a message as missing alone. */
  turned(site: string, toldMissing: number): void {
    const again = toldMissing - this.missingOf(site);
    const isBack = this.isTurned && again < 0 && -again <= (this.twice.get(site) ?? 0);
    if (isBack) this.twice.set(site, (this.twice.get(site) ?? 0) + again);
  }

  private broughtAlso(site: string): void {
    this.twice.set(site, (this.twice.get(site) ?? 0) + 1);
    this.doubledAlso(site, 1);
    this.pairs++;
  }

  private doubledAlso = (site: string, more: number): void =>
    void this.doubled.set(site, (this.doubled.get(site) ?? 0) + more);
}

const ofSite = (ids: ReadonlySet<string>, site: string): number =>
  [...ids].filter((id) => id.startsWith(`${site}-`)).length;

/** An operation as a failed run lists it: its name, and the site in brackets. */
function listed(line: string): { operation: Operation; site: string } | undefined {
  const [, name, site] = /^\s*(.+) \((\w+)\)$/.exec(line) ?? [];
  const operation = OPERATIONS.find((one) => one.name === name);
  return operation === undefined || site === undefined ? undefined : { operation, site };
}

/**
 * Errors: the first difference between the book and the ids, with the seed and all that was done until then. `script`: what
 * to do instead of random operations, as a failed run lists it.
 */
export async function soak(mode: Mode, seed: number, most: number, script: readonly string[] = []): Promise<Soaked> {
  const random = new Random(seed);
  await using fleet = await TestFleet.deploy({
    hub: { maxFile: "2GiB" },
    sites: sitesWith(),
    streams: [{ name: "EVENTS", subjects: ["events.>"], maxBytes: "48MiB", collect: { mode, maxBytes: "64MiB" } }],
  });
  const world = new World(fleet, mode, random);
  await fleet.prove();
  const done: string[] = [];
  const count = new Count();
  let looks = 1;
  let isHarmed = false;
  const fail = (error: unknown): never => {
    throw new Error(
      `${mode}, seed ${seed}, after ${done.length} operations:\n  ${done.join("\n  ")}\n${String(error)}`,
      {
        cause: error,
      },
    );
  };
  const listedOnes = script.flatMap((line) => listed(line) ?? []);
  const operations = listedOnes.length === 0 ? most : listedOnes.length;
  for (let i = 0; i < operations; i++) {
    const { operation, site } = listedOnes[i] ?? { operation: pickOperation(random), site: random.pick(SITES) };
    try {
      if (operation.harms === true && isHarmed) {
        await world.look();
        looks++;
      }
      isHarmed ||= operation.harms === true;
      done.push(`${operation.name} (${site})`);
      if (process.env.SOAK_VERBOSE === "1") process.stderr.write(`${mode} ${i} ${operation.name} (${site})\n`);
      await operation.make(world, site);
      await world.settle();
      count.take(world, await world.copies(), operation);
      if (!random.chance(0.5) && i < operations - 1) continue;
      await compare(world, count);
      looks++;
      isHarmed = false;
    } catch (error) {
      fail(error);
    }
  }
  if (process.env.SOAK_VERBOSE === "1") process.stderr.write(`${count.reasons().join("\n")}\n`);
  await acknowledged(world).catch(fail);
  const book = SITES.map((site) => count.doubled.get(site) ?? 0);
  return {
    mode,
    seed,
    operations,
    looks,
    acknowledged: world.count,
    missing: count.missing.size,
    doubled: book.reduce((sum, one) => sum + one, 0),
    dropped: count.droppedCopies,
    pairs: count.pairs,
  };
}

/** Errors: where the book and the ids differ. */
async function compare(world: World, count: Count): Promise<void> {
  const { fleet, mode } = world;
  await world.look();
  const stream = fleet.stream("EVENTS");
  const wrong: string[] = [];
  let dropped = 0;
  for (const site of SITES) {
    const book = readBook(fleet.root, stream, site);
    const record = book?.sites[site];
    if (book === undefined || record === undefined) {
      wrong.push(`${site}: no book`);
      continue;
    }
    if (process.env.SOAK_BOOK === site) process.stderr.write(`${JSON.stringify({ record, hub: book.hub })}\n`);
    if (mode === "perSite" || site === SITES[0]) dropped += countOf(book.hub.differences, "dropped");
    const told = { missing: countOf(record.differences, "missing"), doubled: countOf(record.differences, "doubled") };
    count.turned(site, told.missing);
    const real = { missing: count.missingOf(site), doubled: count.doubled.get(site) ?? 0 };
    for (const kind of ["missing", "doubled"] as const)
      if (told[kind] !== real[kind]) wrong.push(`${site}: the book tells ${told[kind]} ${kind}, the ids ${real[kind]}`);
  }
  count.isTurned = false;
  if (dropped !== count.droppedCopies) wrong.push(`the book tells ${dropped} dropped, the ids ${count.droppedCopies}`);
  if (wrong.length > 0) throw new Error([...wrong, ...count.reasons(), ...(await statesOf(world))].join("\n"));
}

/** What the servers say of the streams, for whoever looks for the reason. */
const statesOf = ({ fleet, streamAt }: World): Promise<string[]> =>
  Promise.all(
    SITES.map(async (site) => {
      const { state, created } = await fleet.collected(site);
      const local = await (await fleet.atSite(site)).stream(streamAt(site));
      return `${site}: on the hub ${JSON.stringify(state)} since ${created}; at the site ${JSON.stringify(local?.state)} since ${local?.created}`;
    }),
  );

/** Writes all of it down as known. Errors: what is told still. */
async function acknowledged(world: World): Promise<void> {
  const { fleet } = world;
  for (const site of SITES) {
    await repaired(world, site, "leave");
    const observed = observedAt(fleet, site);
    await repairSite({ observed, streams: observed.streams, accept: "known", note: "a test", say: () => undefined });
  }
  const left = (await examined(fleet)).sites.flatMap(({ site, findings }) =>
    findings.filter(({ code }) => code.startsWith("messages-")).map(({ code }) => `${site}: ${code}`),
  );
  if (left.length > 0) throw new Error(`told after it was acknowledged: ${left.join(", ")}`);
}

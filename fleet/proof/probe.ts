import { NatsConnection } from "nats";
import { setTimeout as sleep } from "node:timers/promises";
import { siteStreamName } from "../../configs/names";
import { probeSubject, probeSubjects } from "../../configs/permissions";
import { ProbeSettings } from "../../configs/settings";
import { collectedSubject } from "../../configs/streams";
import { SiteAccess, atHub, atSite, sourceInfoOf } from "../sourcing/collected";
import { SOURCE_HEADER, StreamInfo } from "../../servers/nats/jetstream";
import { messageOf } from "../../machine/refusal";
import { SILENT_AFTER_MS, isHeardSince, rearm } from "../sourcing/source";
import { ProbeFacts } from "../../diagnosis/facts/facts";
import { Prober, probeHeaders, probeNumber, probePayload } from "./probe-message";
import type { RemovalBook } from "../book/own";
import { Known, Place, removeProbes, removeRun } from "./removal";
import { Decision, End, StandInRoom, burstCount, demandOf, standInBytes, stillFits } from "./room";
import { Ends, makeStandIn, removeStandIn, standInName } from "./stand-in";
import { present } from "../../configs/values";
import { lookUntil } from "../../machine/until";

/** Sends probes through one stream of a site and reads them back from the content of the hub's stream. */

export interface ProbeJob extends Prober {
  access: SiteAccess;
  /** The site's operator, at the site or through the hub: applications cannot publish probes. */
  publisher: NatsConnection;
  settings: ProbeSettings;
  runId: string;
  /** Whether the burst follows: only after a change of the site's own declaration. */
  burst: boolean;
  /** The decision for the whole run; undefined when a stream is missing. */
  room?: { decision: Decision; ends: readonly End[]; standIns: StandInRoom };
  /** Called for every removal of probes from a real stream. */
  book?: RemovalBook;
}

/** Where probes go in and come out. */
interface Route {
  /** Names of the streams. */
  site: string;
  hub: string;
  /** Subject of this run. */
  subject: string;
  arrivesAs: string;
}

function routeOf({ stream, access, runId }: ProbeJob, name: string, hub: string): Route {
  const subject = probeSubject(name, runId);
  return { site: name, hub, subject, arrivesAs: collectedSubject(stream, access.site, subject) };
}

/** What is known to be this run's, at each end. */
type KnownEnds = Record<keyof Ends, Known>;

/** Publishes probes, and counts those that the site acknowledged. */
async function publish(job: ProbeJob, route: Route, known: Known, numbers: number[], size: number): Promise<void> {
  const js = job.publisher.jetstream({ timeout: job.settings.timeout });
  const payload = probePayload(size);
  await Promise.all(
    numbers.map(async (number) => {
      const options = { headers: probeHeaders(job, route.subject, job.runId, number) };
      const { seq } = await js.publish(route.subject, payload, options).catch((error: unknown) => {
        throw new Error(`the site's stream ${route.site} did not acknowledge ${route.subject}: ${messageOf(error)}`);
      });
      known.count++;
      known.last = Math.max(known.last, seq);
    }),
  );
}

const arrivedCount = async ({ hub }: Ends, route: Route): Promise<number> =>
  (await hub.subjects(route.hub, route.arrivesAs))[route.arrivesAs] ?? 0;

/** Waits until the hub's stream holds so many probes of this run; resolves with what it holds when the time is over. */
async function arrival(ends: Ends, route: Route, wanted: number, deadline: number, pauseMs: number): Promise<number> {
  for (;;) {
    const count = await arrivedCount(ends, route);
    if (count >= wanted || Date.now() >= deadline) return count;
    await sleep(pauseMs);
  }
}

/** Last sequence that the hub's source took of the site. */
const positionOf = async ({ access }: ProbeJob, { hub }: Ends, stream: string): Promise<number> =>
  sourceInfoOf(await hub.stream(stream), access.site)?.seq ?? 0;

/** Time in which a source that has something to take takes some of it. */
const REAL_MOVES_MS = 3_000;

/**
 * Waits until the source took so much of the site's stream: until then the probes that are there may have come by another
 * way, and the source's own be still on theirs.
 */
async function waitUntilTaken(job: ProbeJob, ends: Ends, route: Route, upTo: number, deadline: number): Promise<void> {
  for (;;) {
    if ((await positionOf(job, ends, route.hub)) >= upTo || Date.now() >= deadline) return;
    await sleep(10);
  }
}

/** Waits for the first probe; a source that lost its site meanwhile (a server was restarted) is restarted. */
async function firstArrival(
  { access, stream, stack }: ProbeJob,
  ends: Ends,
  route: Route,
  deadline: number,
): Promise<number> {
  const start = Date.now();
  const count = await arrival(ends, route, 1, Math.min(deadline, start + SILENT_AFTER_MS), 1);
  if (count > 0) return count;
  const isReal = route.hub === stream.name;
  if (isReal && !(await isHeardSince(ends.hub, route.hub, access.site, start))) await rearm(access, stream, stack);
  return arrival(ends, route, 1, deadline, 5);
}

/** A probe of this run as the hub's stream holds it. */
interface StoredProbe {
  number: number;
  isSourced: boolean;
}

/** This run's probes, read from the stored messages themselves; those before the first message of others are known. */
async function storedProbes(job: ProbeJob, { hub }: Ends, route: Route, known: Known): Promise<StoredProbe[]> {
  const probes: StoredProbe[] = [];
  let isAlone = true;
  for (let seq = 1; ;) {
    const message = await hub.nextMessage(route.hub, route.arrivesAs, seq);
    if (message === undefined) return probes;
    const number = probeNumber(job, route.site, message);
    isAlone &&= number !== undefined;
    if (number !== undefined) probes.push({ number, isSourced: message.headers[SOURCE_HEADER] !== undefined });
    if (isAlone) Object.assign(known, { count: probes.length, last: message.seq } satisfies Known);
    seq = message.seq + 1;
  }
}

const countOf = (probes: readonly StoredProbe[]): number => new Set(probes.map(({ number }) => number)).size;

async function send(job: ProbeJob, ends: Ends, route: Route, facts: ProbeFacts, known: KnownEnds): Promise<void> {
  const { settings } = job;
  const burst = burstCount(settings, job.burst);
  const deadline = Date.now() + settings.timeout;
  const started = performance.now();
  facts.sent = 1;
  await publish(job, route, known.site, [1], 64);
  facts.arrived = await firstArrival(job, ends, route, deadline);
  if (facts.arrived === 0) return;
  facts.latencyMs = Math.round((performance.now() - started) * 10) / 10;
  const rest = Array.from({ length: settings.count - 1 + burst }, (_, i) => i + 2);
  const [small, large] = [rest.slice(0, settings.count - 1), rest.slice(settings.count - 1)];
  facts.sent += rest.length;
  facts.burst = burst;
  await publish(job, route, known.site, small, 64);
  await publish(job, route, known.site, large, settings.burstMessage);
  if (rest.length > 0) facts.arrived = await arrival(ends, route, facts.sent, deadline, 10);
  if (facts.arrived >= facts.sent) await waitUntilTaken(job, ends, route, known.site.last, deadline);
  const probes = await storedProbes(job, ends, route, known.hub);
  facts.arrived = countOf(probes.filter(({ isSourced }) => isSourced));
  facts.doubled = probes.length - countOf(probes);
}

const nothingKnown = (): KnownEnds => ({ site: { count: 0, last: 0 }, hub: { count: 0, last: 0 } });

/** A real stream at one end, as probes are taken out of it. */
function placeAt(job: ProbeJob, ends: Ends, end: keyof Ends): Place {
  const { access, stream, book } = job;
  const name = siteStreamName(stream, access.site);
  return {
    js: ends[end],
    name: end === "site" ? name : stream.name,
    isOwn: (message) => probeNumber(job, name, message) !== undefined,
    site: access.site,
    stream: name,
    end,
    ...present({ book }),
  };
}

/** Takes out what killed runs left behind in the real streams. */
async function clearLeftovers(job: ProbeJob, ends: Ends, facts: ProbeFacts): Promise<void> {
  const { access, stream } = job;
  const pattern = probeSubjects(siteStreamName(stream, access.site));
  const site = await removeProbes(placeAt(job, ends, "site"), pattern);
  const hub = await removeProbes(placeAt(job, ends, "hub"), collectedSubject(stream, access.site, pattern));
  if (site.others + hub.others > 0) facts.foreign = { site: site.others, hub: hub.others };
  facts.removed = { site: site.removed, hub: hub.removed };
}

async function throughReal(job: ProbeJob, ends: Ends, facts: ProbeFacts): Promise<void> {
  const known = nothingKnown();
  const route = routeOf(job, siteStreamName(job.stream, job.access.site), job.stream.name);
  try {
    await send(job, ends, route, facts, known);
  } finally {
    const site = await removeRun(placeAt(job, ends, "site"), route.subject, known.site);
    const hub = await removeRun(placeAt(job, ends, "hub"), route.arrivesAs, known.hub);
    const before = facts.removed ?? { site: 0, hub: 0 };
    facts.removed = { site: before.site + site.removed, hub: before.hub + hub.removed };
  }
}

/** The stand-in proves the way; that the real source goes it too is shown by its position, which moves or is the site's. */
async function throughStandIn(job: ProbeJob, ends: Ends, facts: ProbeFacts, bytes: number): Promise<void> {
  const name = standInName(job);
  const known = nothingKnown();
  const before = await positionOf(job, ends, job.stream.name);
  try {
    await makeStandIn(job, ends, bytes);
    await send(job, ends, routeOf(job, name, name), facts, known);
  } finally {
    await removeStandIn(job, ends, known);
  }
  const look = async (): Promise<ProbeFacts["real"]> => {
    const after = await positionOf(job, ends, job.stream.name);
    // A source that was restarted and took nothing since says no position.
    if (after === 0) return undefined;
    const real = siteStreamName(job.stream, job.access.site);
    return { before, after, waits: (await ends.site.nextMessage(real, ">", after + 1)) !== undefined };
  };
  const real = await lookUntil(look, (seen) => seen === undefined || !seen.waits || seen.after > before, {
    within: REAL_MOVES_MS,
    every: 50,
  });
  if (real !== undefined) facts.real = real;
}

/** Proves one stream of one site. Never throws: what went wrong is a fact. Probes are removed at both ends, always. */
export async function proveStream(job: ProbeJob): Promise<ProbeFacts> {
  const { access, stream, room } = job;
  const facts: ProbeFacts = { through: "real", sent: 0, arrived: 0, doubled: 0, burst: 0 };
  try {
    const ends: Ends = { site: await atSite(access), hub: await atHub(access, stream) };
    const [atTheSite, onTheHub] = await Promise.all([
      ends.site.stream(siteStreamName(stream, access.site)),
      ends.hub.stream(stream.name),
    ]);
    if (atTheSite === undefined || onTheHub === undefined || room === undefined)
      return { ...facts, error: "the stream is missing" };
    await clearLeftovers(job, ends, facts);
    const { total } = room.decision;
    const filled = (info: StreamInfo, where: End["where"]) =>
      stillFits(info, total[where]) ? undefined : `the stream ${where} is filling up`;
    const why = room.decision.why ?? filled(atTheSite, "at the site") ?? filled(onTheHub, "on the hub");
    if (why === undefined) await throughReal(job, ends, facts);
    else {
      Object.assign(facts, { through: "stand-in", why } satisfies Partial<ProbeFacts>);
      const bytes = standInBytes(demandOf(job.settings, job.burst));
      await room.standIns.during(room.ends, bytes, () => throughStandIn(job, ends, facts, bytes));
    }
  } catch (error) {
    facts.error = messageOf(error);
  }
  return facts;
}

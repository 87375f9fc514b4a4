import { NatsConnection, headers } from "nats";
import { setTimeout as sleep } from "node:timers/promises";
import { siteStreamName, probeStreamName } from "../../configs/names";
import { probeSubject, probeSubjects } from "../../configs/permissions";
import { ProbeSettings, StreamSettings } from "../../configs/settings";
import { OWNER, collectedSubject, siteStreamConfig, sourceOf, hubStreamConfig } from "../../configs/streams";
import { NANOSECONDS_PER_MS } from "../../configs/units";
import { SiteAccess, atHub, atSite, sourceInfoOf } from "../collected";
import { JetStream, SOURCE_HEADER, StreamInfo } from "../nats/jetstream";
import { Refusal, messageOf } from "../refusal";
import { SILENT_AFTER_MS, isHeardSince, rearm } from "../source";
import { ProbeFacts } from "../../diagnosis/facts";

/** Sends probes through one stream of a site and reads them back from the content of the hub's stream. */

/** Headers of a probe. */
export const RUN_HEADER = "Probe-Run";
export const SITE_HEADER = "Probe-Site";
const NUMBER_HEADER = "Probe-Number";

export interface ProbeJob {
  access: SiteAccess;
  stack: string;
  stream: StreamSettings;
  /** Of the site's application: probes take the way that the site's data takes. */
  application: NatsConnection;
  settings: ProbeSettings;
  runId: string;
  /** Whether the burst follows: only after a change of the site's own declaration. */
  burst: boolean;
}

/** Where probes go in and come out. */
interface Route {
  /** Names of the streams. */
  site: string;
  hub: string;
  /** Subjects of this run, and of any run. */
  subject: string;
  arrivesAs: string;
  leftovers: string;
  arrivedLeftovers: string;
}

function routeOf({ stream, access, runId }: ProbeJob, name: string, hub: string): Route {
  const subject = probeSubject(name, runId);
  const leftovers = probeSubjects(name);
  return {
    site: name,
    hub,
    subject,
    arrivesAs: collectedSubject(stream, access.site, subject),
    leftovers,
    arrivedLeftovers: collectedSubject(stream, access.site, leftovers),
  };
}

const bytesOf = ({ settings, burst }: ProbeJob): number =>
  burstCount(settings, burst) * (settings.burstMessage + 512) + settings.count * 512;

const burstCount = (settings: ProbeSettings, burst: boolean): number =>
  burst && settings.burst > 0 ? Math.ceil(settings.burst / settings.burstMessage) : 0;

/** Limits that this program never sets; an adopted stream may have them. */
interface ForeignLimits {
  retention: string;
  max_msgs?: number;
  max_msgs_per_subject?: number;
}

/** Why the real stream must not carry probes; undefined when it may. */
async function reasonForStandIn(
  js: JetStream,
  info: StreamInfo,
  where: string,
  { bytes, timeout }: { bytes: number; timeout: number },
): Promise<string | undefined> {
  const { retention, max_msgs = -1, max_msgs_per_subject = -1 } = info.config as unknown as ForeignLimits;
  if (retention !== "limits") return `the stream ${where} has retention ${retention}`;
  if (max_msgs > 0 || max_msgs_per_subject > 0) return `the stream ${where} limits the number of messages`;
  if (info.config.max_age > 0 && info.config.max_age < timeout * NANOSECONDS_PER_MS)
    return `messages of the stream ${where} expire sooner than probes.timeout`;
  if (info.config.max_bytes > 0 && info.state.bytes + bytes > info.config.max_bytes)
    return `the stream ${where} is full, and probes would push out messages`;
  const others = (await js.consumers(info.config.name)).filter(({ config }) => config.direct !== true);
  const reads = others.find(
    ({ config }) => config.filter_subject === undefined && (config.filter_subjects ?? []).length === 0,
  );
  return reads === undefined ? undefined : `consumer ${reads.name} ${where} reads all subjects`;
}

/** Whether the account has room for so many bytes. */
async function hasRoom(js: JetStream, bytes: number): Promise<boolean> {
  const { storage, limits } = await js.account();
  return limits.max_storage < 0 || storage + bytes <= limits.max_storage;
}

interface Ends {
  site: JetStream;
  hub: JetStream;
}

/** Makes a pair of streams beside the real ones, in the same accounts and domains, for the time of the test. */
async function makeStandIn(job: ProbeJob, ends: Ends, bytes: number): Promise<Route> {
  const { stream, access, stack } = job;
  const name = probeStreamName(siteStreamName(stream, access.site));
  const route = routeOf(job, name, name);
  // What a killed run left behind.
  await removeStandIn(ends, route, stack);
  const limits = { max_bytes: 2 * bytes, max_age: 0, storage: "file" as const, num_replicas: 1 };
  await ends.site.createStream({
    ...siteStreamConfig(stream, access.site, stack),
    ...limits,
    name,
    subjects: [route.leftovers],
  });
  const source = sourceOf(stream, access.site);
  const transforms =
    stream.collect.mode === "merged"
      ? { subject_transforms: [{ src: route.leftovers, dest: route.arrivedLeftovers }] }
      : {};
  await ends.hub.createStream({
    ...hubStreamConfig(stream, stack),
    ...limits,
    name,
    sources: [{ ...source, ...transforms, name }],
  });
  return route;
}

/** Errors: a Refusal when a stream of the stand-in's name is not this stack's; neither end is touched then. */
async function removeStandIn({ site, hub }: Ends, route: Route, stack: string): Promise<void> {
  const ours: (() => Promise<void>)[] = [];
  for (const [js, name, where] of [
    [hub, route.hub, "on the hub"],
    [site, route.site, "at the site"],
  ] as const) {
    const info = await js.stream(name);
    if (info === undefined) continue;
    if (info.config.metadata?.[OWNER] !== stack)
      throw new Refusal(
        `stream ${name} ${where} was not made by this stack, and its name is needed for the probes; rename it`,
      );
    ours.push(() => js.deleteStream(name));
  }
  for (const remove of ours) await remove();
}

/** Resolves with the highest sequence that a probe has at the site; 0 without probes. */
async function publish(
  { application, access, runId, settings }: ProbeJob,
  route: Route,
  numbers: number[],
  size: number,
): Promise<number> {
  const js = application.jetstream({ timeout: settings.timeout });
  const payload = new Uint8Array(size).fill(0x2e);
  const acknowledged = await Promise.all(
    numbers.map((number) => {
      const head = headers();
      head.set(RUN_HEADER, runId);
      head.set(SITE_HEADER, access.site);
      head.set(NUMBER_HEADER, String(number));
      return js.publish(route.subject, payload, { headers: head }).catch((error: unknown) => {
        throw new Error(`the site's stream ${route.site} did not acknowledge ${route.subject}: ${messageOf(error)}`);
      });
    }),
  );
  return Math.max(0, ...acknowledged.map(({ seq }) => seq));
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

/**
 * Waits until the source took so much of the site's stream: until then the probes that are there may have come by another
 * way, and the source's own be still on theirs.
 */
async function taken({ access }: ProbeJob, ends: Ends, route: Route, upTo: number, deadline: number): Promise<void> {
  for (;;) {
    const position = sourceInfoOf(await ends.hub.stream(route.hub), access.site)?.seq ?? 0;
    if (position >= upTo || Date.now() >= deadline) return;
    await sleep(10);
  }
}

/** Waits for the first probe; a source that lost its site meanwhile (a server was restarted) is started anew. */
async function firstArrival({ access, stream }: ProbeJob, ends: Ends, route: Route, deadline: number): Promise<number> {
  const start = Date.now();
  const count = await arrival(ends, route, 1, Math.min(deadline, start + SILENT_AFTER_MS), 1);
  if (count > 0) return count;
  const isReal = route.hub === stream.name;
  if (isReal && !(await isHeardSince(ends.hub, route.hub, access.site, start))) await rearm(access, stream);
  return arrival(ends, route, 1, deadline, 5);
}

/** A probe of this run as the hub's stream holds it. */
interface StoredProbe {
  number: number;
  isSourced: boolean;
}

/** This run's probes, read from the stored messages themselves. */
async function storedProbes({ hub }: Ends, route: Route, runId: string): Promise<StoredProbe[]> {
  const probes: StoredProbe[] = [];
  for (let seq = 1; ;) {
    const message = await hub.nextMessage(route.hub, route.arrivesAs, seq);
    if (message === undefined) return probes;
    const { [RUN_HEADER]: run, [NUMBER_HEADER]: number, [SOURCE_HEADER]: source } = message.headers;
    if (run === runId) probes.push({ number: Number(number), isSourced: source !== undefined });
    seq = message.seq + 1;
  }
}

const countOf = (probes: readonly StoredProbe[]): number => new Set(probes.map(({ number }) => number)).size;

async function purge(ends: Ends, route: Route, exact: boolean): Promise<void> {
  await ends.site.purge(route.site, exact ? route.subject : route.leftovers);
  await ends.hub.purge(route.hub, exact ? route.arrivesAs : route.arrivedLeftovers);
}

async function send(job: ProbeJob, ends: Ends, route: Route, facts: ProbeFacts): Promise<void> {
  const { settings, runId } = job;
  const burst = burstCount(settings, job.burst);
  const deadline = Date.now() + settings.timeout;
  const started = performance.now();
  facts.sent = 1;
  let last = await publish(job, route, [1], 64);
  facts.arrived = await firstArrival(job, ends, route, deadline);
  if (facts.arrived === 0) return;
  facts.latencyMs = Math.round((performance.now() - started) * 10) / 10;
  const rest = Array.from({ length: settings.count - 1 + burst }, (_, i) => i + 2);
  const [small, large] = [rest.slice(0, settings.count - 1), rest.slice(settings.count - 1)];
  facts.sent += rest.length;
  facts.burst = burst;
  last = Math.max(last, await publish(job, route, small, 64));
  last = Math.max(last, await publish(job, route, large, settings.burstMessage));
  if (rest.length > 0) facts.arrived = await arrival(ends, route, facts.sent, deadline, 10);
  if (facts.arrived >= facts.sent) await taken(job, ends, route, last, deadline);
  const probes = await storedProbes(ends, route, runId);
  facts.arrived = countOf(probes.filter(({ isSourced }) => isSourced));
  facts.doubled = probes.length - countOf(probes);
}

/** Proves one stream of one site. Never throws: what went wrong is a fact. Probes are purged at both ends, always. */
export async function proveStream(job: ProbeJob): Promise<ProbeFacts> {
  const { access, stream } = job;
  const facts: ProbeFacts = { through: "real", sent: 0, arrived: 0, doubled: 0, burst: 0 };
  try {
    const ends: Ends = { site: await atSite(access), hub: await atHub(access, stream) };
    const real = routeOf(job, siteStreamName(stream, access.site), stream.name);
    const [siteInfo, hubInfo] = [await ends.site.stream(real.site), await ends.hub.stream(real.hub)];
    if (siteInfo === undefined || hubInfo === undefined) return { ...facts, error: "the stream is missing" };
    const bytes = bytesOf(job);
    for (const [js, where] of [
      [ends.site, "at the site"],
      [ends.hub, "on the hub"],
    ] as const) {
      if (!(await hasRoom(js, bytes)))
        return { ...facts, error: `the account ${where} has no room for ${bytes} bytes of probes; raise its quota` };
    }
    const needs = { bytes, timeout: job.settings.timeout };
    const why =
      (await reasonForStandIn(ends.site, siteInfo, "at the site", needs)) ??
      (await reasonForStandIn(ends.hub, hubInfo, "on the hub", needs));
    const route = why === undefined ? real : await makeStandIn(job, ends, bytes);
    if (why !== undefined) Object.assign(facts, { through: "stand-in", why } satisfies Partial<ProbeFacts>);
    try {
      // What a killed run left behind.
      await purge(ends, route, false);
      await send(job, ends, route, facts);
    } finally {
      if (why === undefined) await purge(ends, route, true);
      else await removeStandIn(ends, route, job.stack);
    }
  } catch (error) {
    facts.error = messageOf(error);
  }
  return facts;
}

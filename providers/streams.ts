import { setTimeout as sleep } from "node:timers/promises";
import { siteStreamName } from "../configs/names";
import { StreamSettings } from "../configs/settings";
import { changeWords, harmOf } from "../configs/stream-words";
import { collectedName, isSourceOfSite, sameSource, sourceOf, undeclaredStreams } from "../configs/streams";
import { isAway } from "./away";
import { bringStream, createStream } from "./bring-stream";
import { lookAtBook } from "./book/look";
import { forgetBook, readBook } from "./book/record";
import { lossesOf } from "./at-stake";
import { SiteAccess, atHub, atSite } from "./collected";
import { JetStream, StreamInfo, isNoStorage } from "./nats/jetstream";
import { Refusal, passUnlessRefusal } from "./refusal";
import { refusalOf, refuseChange } from "./refuse-change";
import { behindHub } from "./repair-condition";
import { report } from "./report";
import { SILENT_AFTER_MS, becomesHeard, isActive, onHubStream, rearm } from "./source";
import { End, changesAt, hubEnd, isRefused, siteEnd } from "./stream-ends";
import { Removal, refuseLosses, removeStreams } from "./stream-removal";
import { siteStep } from "./unproven";
import { changed, inputsOnly, settled } from "./values";

/** The streams of one site: its own, then the hub's that source them. */

export interface StreamsInputs {
  site: string;
  expect: "online" | "offline";
  stack: string;
  root: string;
  streams: StreamSettings[];
  /** How site and hub are reached; the seeds are secret. */
  access: Omit<SiteAccess, "site" | "expect">;
}

export interface StreamsOutputs extends StreamsInputs {
  /** The declared ones, and those that could not be taken away yet. */
  streams: StreamSettings[];
  /** Whether the site's own streams were ever made. */
  made: boolean;
  /** Why the last attempt failed, or what `refresh` found on the servers; empty when there is nothing. */
  problem: string;
}

const accessOf = ({ site, expect, access }: StreamsInputs): SiteAccess => ({ site, expect, ...access });

/** The stream is this stack's, or becomes so. */
const ANYBODYS = { stack: undefined, made: true, withServer: false };

const removalOf = ({ stack, made, root }: StreamsOutputs, withServer: boolean): Removal => ({
  stack,
  made,
  root,
  withServer,
});

async function ensureAtSite(js: JetStream, inputs: StreamsInputs, stream: StreamSettings): Promise<void> {
  const end = siteEnd(stream, inputs);
  const info = await js.stream(end.wanted.name);
  if (info === undefined) await createStream(js, end);
  else await bringStream(js, end, info, { beforeRemake: () => refuseLosses(accessOf(inputs), [stream], ANYBODYS) });
}

/** Makes the hub's stream source the site; other sites' sources in a merged stream stay as they are. */
async function ensureSource(js: JetStream, inputs: StreamsInputs, stream: StreamSettings): Promise<void> {
  const source = sourceOf(stream, inputs.site);
  const end = hubEnd(stream, inputs);
  const info = await js.stream(stream.name);
  if (info === undefined) {
    await createStream(js, end, [source]);
    return;
  }
  const { declares = () => true } = end.comparison(info);
  const declared = (info.config.sources ?? []).filter(declares);
  const others = declared.filter((other) => !isSourceOfSite(other, inputs.site));
  const there = declared.find((other) => sameSource(other, source));
  await bringStream(js, end, info, {
    sources: [...others, there ?? source],
    isSourced: there !== undefined,
    beforeRemake: () => Promise.resolve(),
  });
}

/** A source looks for a lost site every 10 s. */
const STUCK_AFTER_MS = 12_000;

function refuseWithoutRoom(error: unknown, { site }: StreamsInputs, stream: StreamSettings): never {
  if (!isNoStorage(error)) throw error;
  throw new Refusal(
    `hub stream ${collectedName(stream, site)}: its account has no room for it beside the streams that it keeps of earlier ` +
      `settings; save and delete those ('nats stream rm', as operator of ${site} on the hub), or raise hub.maxFile when the ` +
      "whole hub is too small; then run 'pulumi up'",
  );
}

/** Resolves with what no `up` may repair by itself, for something would be lost or doubled; undefined for nothing. */
const collect = (inputs: StreamsInputs, stream: StreamSettings): Promise<string | undefined> =>
  bringToHub(inputs, stream).catch((error: unknown) => refuseWithoutRoom(error, inputs, stream));

async function bringToHub(inputs: StreamsInputs, stream: StreamSettings): Promise<string | undefined> {
  const access = accessOf(inputs);
  const js = await atHub(access, stream);
  await onHubStream(access, stream, () => ensureSource(js, inputs, stream));
  if (inputs.expect === "offline") return undefined;
  const isHeard = await becomesHeard(js, stream.name, inputs.site, SILENT_AFTER_MS);
  // A source that starts anew sees a stream that was made anew at the site, and begins with it.
  if (isHeard && (await behindHub(access, stream)) === undefined) return undefined;
  await rearm(access, stream, inputs.stack);
  // Whether it flows is for the smoke test to prove; it also says why when it does not.
  await becomesHeard(js, stream.name, inputs.site, 3_000);
  return behindHub(access, stream);
}

const undeclared = (olds: StreamsOutputs, inputs: StreamsInputs): StreamSettings[] =>
  undeclaredStreams(olds.streams, inputs.streams);

async function apply(inputs: StreamsInputs, olds?: StreamsOutputs): Promise<StreamsOutputs> {
  let made = olds?.made ?? false;
  const looked = { root: inputs.root, access: accessOf(inputs) };
  let leaving = olds === undefined ? [] : undeclared(olds, inputs);
  const behind: string[] = [];
  const failed = await siteStep(inputs.root, inputs.site, "streams", async () => {
    // First: the next stream may take over the subjects.
    if (olds !== undefined) await takeAway(olds, leaving, false);
    leaving = [];
    // What one stream cannot become keeps no other from it.
    const refused: string[] = [];
    const unlessRefused = (error: unknown): undefined => {
      if (!(error instanceof Refusal)) throw error;
      refused.push(error.message);
    };
    if (inputs.expect === "online") {
      const js = await atSite(accessOf(inputs));
      for (const stream of inputs.streams) {
        await ensureAtSite(js, inputs, stream).then(() => (made = true), unlessRefused);
      }
    }
    const left = await Promise.all(inputs.streams.map((stream) => collect(inputs, stream).catch(unlessRefused)));
    behind.push(...left.filter((words) => words !== undefined));
    if (refused.length > 0) throw new Refusal(refused.join("; "));
  });
  const isNew = ({ name }: StreamSettings) => olds?.streams.some((old) => old.name === name) !== true;
  const isBooked = (stream: StreamSettings) =>
    isNew(stream) || readBook(inputs.root, stream, inputs.site) !== undefined;
  if (inputs.expect === "online")
    await Promise.all(inputs.streams.filter(isBooked).map((stream) => lookAtBook({ ...looked, stream })));
  // The smoke test fails the update with it.
  for (const words of behind) report(`site ${inputs.site}: ${words}`);
  return { ...inputs, streams: [...inputs.streams, ...leaving], made, problem: failed ?? behind.join("; ") };
}

export async function create(inputs: StreamsInputs) {
  return { id: inputs.site, outs: await apply(inputs) };
}

const UP_REPAIRS = "up repairs it";

/** What differs on the live servers, each with what becomes of it, in words. */
async function drift(inputs: StreamsInputs): Promise<string[]> {
  const look = (stream: StreamSettings) => behindHub(accessOf(inputs), stream);
  const found = await liveDifferences(inputs);
  const behind = inputs.expect === "offline" ? [] : await Promise.all(inputs.streams.map(look));
  return [...found, ...behind.filter((one) => one !== undefined)];
}

/** How one end differs, in words; with what an update is refused, and why. */
function differencesAt(end: End, info: StreamInfo): string[] {
  const changes = changesAt(end, info);
  if (changes.length === 0) return [];
  const refusal = refusalOf(end, info);
  const inPlace = changes.filter(
    (change) => refusal === undefined || (!isRefused(change) && change.field !== "metadata"),
  );
  const shown = inPlace.map((change) => `${changeWords(change)}${asHarm(harmOf(change))}`).join(", ");
  return [
    ...(shown === "" ? [] : [`${end.where}: ${shown}; ${refusal === undefined ? UP_REPAIRS : "see what follows"}`]),
    ...(refusal === undefined ? [] : [refusal]),
  ];
}

const asHarm = (harm: string | undefined): string => (harm === undefined ? "" : ` (${harm})`);

/** What differs on the live servers: what an update writes as it should be, and what it cannot. */
async function liveDifferences(inputs: StreamsInputs): Promise<string[]> {
  const access = accessOf(inputs);
  const found: string[] = [];
  for (const stream of inputs.streams) {
    const name = siteStreamName(stream, inputs.site);
    if (inputs.expect === "online") {
      const info = await (await atSite(access)).stream(name);
      if (info === undefined) found.push(`stream ${name} is missing at the site; ${UP_REPAIRS}`);
      else found.push(...differencesAt(siteEnd(stream, inputs), info));
    }
    const where = collectedName(stream, inputs.site);
    const onHub = await (await atHub(access, stream)).stream(stream.name);
    if (onHub === undefined) {
      found.push(`hub stream ${where} is missing; ${UP_REPAIRS}`);
      continue;
    }
    found.push(...differencesAt(hubEnd(stream, inputs), onHub));
    const source = sourceOf(stream, inputs.site);
    if (!(onHub.config.sources ?? []).some((other) => sameSource(other, source)))
      found.push(`hub stream ${where} does not source ${name}; ${UP_REPAIRS}`);
    else if (inputs.expect === "online" && !isActive(onHub, inputs.site, STUCK_AFTER_MS))
      found.push(`hub stream ${where} does not hear from the site; ${UP_REPAIRS}`);
  }
  return found;
}

/** Errors: a Refusal of the first change that must not be made. */
async function refuseChanges(inputs: StreamsInputs): Promise<void> {
  const access = accessOf(inputs);
  for (const stream of inputs.streams) {
    if (inputs.expect === "online") {
      const info = await (await atSite(access)).stream(siteStreamName(stream, inputs.site));
      if (info !== undefined) refuseChange(siteEnd(stream, inputs), info);
    }
    const onHub = await (await atHub(access, stream)).stream(stream.name);
    if (onHub !== undefined) refuseChange(hubEnd(stream, inputs), onHub);
  }
}

const LOOK_TIMEOUT_MS = 2_000;

export async function diff(_id: string, olds: StreamsOutputs, inputs: StreamsInputs) {
  const news = inputsOnly(inputs);
  const wanted = settled(news, olds);
  // Never a replacement: it would delete streams. Nothing unknown counts as a change.
  if (changed(news, pick(olds, news))) {
    await refuseLoss(wanted, olds).catch(passUnlessRefusal);
    return { changes: true };
  }
  const found = await driftInTime(wanted);
  for (const difference of found) report(`site ${wanted.site}: ${difference}`);
  if (found.length === 0 && olds.problem !== "")
    report(`site ${wanted.site}: up looks again at its streams: ${olds.problem}`);
  return { changes: found.length > 0 || olds.problem !== "" };
}

async function driftInTime(inputs: StreamsInputs): Promise<string[]> {
  const silence = [`its servers do not answer; ${UP_REPAIRS}`];
  const late = sleep(LOOK_TIMEOUT_MS, silence, { ref: false });
  return Promise.race([drift(inputs), late]).catch(() => silence);
}

/** What `refresh` finds stands in the state, so that the next preview shows it; keys and data stay known. */
export async function read(id: string, props: StreamsOutputs) {
  if (isAway(props.site)) return { id, props };
  const found = await driftInTime(inputsOnly(props));
  return { id, props: { ...props, problem: found.length === 0 ? props.problem : found.join("; ") } };
}

/** Looks at the live servers for refusals only; what cannot be read now may be after the servers' own repair. */
async function refuseLoss(inputs: StreamsInputs, olds: StreamsOutputs): Promise<void> {
  const gone = undeclared(olds, inputs);
  const removal = removalOf(olds, false);
  const look = lossesOf(accessOf(olds), gone, removal)
    .then(() => refuseLosses(accessOf(olds), gone, removal))
    .then(() => refuseChanges(inputs));
  await Promise.race([look, sleep(LOOK_TIMEOUT_MS, undefined, { ref: false })]);
}

const pick = (olds: StreamsOutputs, news: StreamsInputs): Partial<StreamsInputs> =>
  Object.fromEntries(Object.keys(news).map((key) => [key, olds[key as keyof StreamsInputs]]));

export async function update(_id: string, olds: StreamsOutputs, news: StreamsInputs) {
  return { outs: await apply(news, olds) };
}

/** Takes streams of the site away, and ends their books. */
async function takeAway(outs: StreamsOutputs, streams: readonly StreamSettings[], withServer: boolean): Promise<void> {
  const purged = await removeStreams(accessOf(outs), streams, removalOf(outs, withServer));
  for (const stream of streams) await forgetBook(outs.root, stream, outs.site, purged[stream.name]);
}

const remove = (_id: string, outs: StreamsOutputs): Promise<void> => takeAway(outs, outs.streams, true);

export { remove as delete };

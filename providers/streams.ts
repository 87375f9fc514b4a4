import { setTimeout as sleep } from "node:timers/promises";
import { siteStreamName } from "../configs/names";
import { StreamSettings } from "../configs/settings";
import {
  StreamConfig,
  collectedName,
  hubStreamConfig,
  isSourceOfSite,
  sameSource,
  siteStreamConfig,
  sourceOf,
  streamChanges,
  undeclaredStreams,
} from "../configs/streams";
import { isAway } from "./away";
import { SiteAccess, atHub, atSite, undelivered } from "./collected";
import { JetStream, StreamInfo, isNoStorage } from "./nats/jetstream";
import { Refusal, messageOf, passUnlessRefusal } from "./refusal";
import { refuseChange } from "./refuse-change";
import { behindHub } from "./repair-condition";
import { report } from "./report";
import { SILENT_AFTER_MS, becomesHeard, isActive, onHubStream, rearm } from "./source";
import { refuseUndelivered, removeStreams } from "./stream-removal";
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

async function ensureStream(
  js: JetStream,
  where: string,
  wanted: StreamConfig,
  options: { adopt: boolean; site: string },
): Promise<StreamInfo> {
  const info = await js.stream(wanted.name);
  if (info === undefined) return js.createStream(wanted);
  refuseChange(where, info, wanted, options);
  if (streamChanges(info.config, wanted).length === 0) return info;
  return js.updateStream({ ...info.config, ...wanted, metadata: { ...info.config.metadata, ...wanted.metadata } });
}

/** Makes the hub's stream source the site; other sites' sources in a merged stream stay as they are. */
async function ensureSource(js: JetStream, inputs: StreamsInputs, stream: StreamSettings): Promise<void> {
  const source = sourceOf(stream, inputs.site);
  const config = hubStreamConfig(stream, inputs.stack);
  const where = `hub stream ${collectedName(stream, inputs.site)}`;
  const info = await js.stream(stream.name);
  if (info === undefined) {
    await js.createStream({ ...config, sources: [source] });
    return;
  }
  refuseChange(where, info, config, { adopt: stream.adopt, site: inputs.site });
  const sources = info.config.sources ?? [];
  const others = sources.filter((other) => !isSourceOfSite(other, inputs.site));
  const there = sources.some((other) => sameSource(other, source));
  if (there && streamChanges(info.config, config).length === 0) return;
  const metadata = { ...info.config.metadata, ...config.metadata };
  // A stream that lost its last source took its own name as subject (nats-server stream.go).
  await js.updateStream({
    ...info.config,
    ...config,
    metadata,
    subjects: [],
    sources: there ? sources : [...others, source],
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
  await rearm(access, stream);
  // Whether it flows is for the smoke test to prove; it also says why when it does not.
  await becomesHeard(js, stream.name, inputs.site, 3_000);
  return behindHub(access, stream);
}

const undeclared = (olds: StreamsOutputs, inputs: StreamsInputs): StreamSettings[] =>
  undeclaredStreams(olds.streams, inputs.streams);

async function apply(inputs: StreamsInputs, olds?: StreamsOutputs): Promise<StreamsOutputs> {
  let made = olds?.made ?? false;
  let leaving = olds === undefined ? [] : undeclared(olds, inputs);
  const behind: string[] = [];
  const failed = await siteStep(inputs.root, inputs.site, "streams", async () => {
    // First: the next stream may take over the subjects.
    if (olds !== undefined) await removeStreams(accessOf(olds), leaving, { made: olds.made, withServer: false });
    leaving = [];
    if (inputs.expect === "online") {
      const js = await atSite(accessOf(inputs));
      for (const stream of inputs.streams) {
        const where = `stream ${siteStreamName(stream, inputs.site)} at site ${inputs.site}`;
        await ensureStream(js, where, siteStreamConfig(stream, inputs.site, inputs.stack), {
          adopt: stream.adopt,
          site: inputs.site,
        });
        made = true;
      }
    }
    const left = await Promise.all(inputs.streams.map((stream) => collect(inputs, stream)));
    behind.push(...left.filter((words) => words !== undefined));
  });
  // The smoke test fails the update with it.
  for (const words of behind) report(`site ${inputs.site}: ${words}`);
  return { ...inputs, streams: [...inputs.streams, ...leaving], made, problem: failed ?? behind.join("; ") };
}

export async function create(inputs: StreamsInputs) {
  return { id: inputs.site, outs: await apply(inputs) };
}

const UP_REPAIRS = "up repairs it";

/**
 * What differs on the live servers, with what is to be done, in words; undefined when nothing does. Throws what a change
 * must not do.
 */
async function drift(inputs: StreamsInputs): Promise<string | undefined> {
  const difference = await liveDifference(inputs);
  const look = (stream: StreamSettings) => behindHub(accessOf(inputs), stream);
  const behind = inputs.expect === "offline" ? [] : await Promise.all(inputs.streams.map(look));
  const all = [difference === undefined ? undefined : `${difference}; ${UP_REPAIRS}`, ...behind];
  const words = all.filter((one) => one !== undefined).join("; ");
  return words === "" ? undefined : words;
}

/** What differs on the live servers, and an update writes as it should be. */
async function liveDifference(inputs: StreamsInputs): Promise<string | undefined> {
  const access = accessOf(inputs);
  for (const stream of inputs.streams) {
    const options = { adopt: stream.adopt, site: inputs.site };
    const name = siteStreamName(stream, inputs.site);
    if (inputs.expect === "online") {
      const wanted = siteStreamConfig(stream, inputs.site, inputs.stack);
      const info = await (await atSite(access)).stream(name);
      if (info === undefined) return `stream ${name} is missing at the site`;
      refuseChange(`stream ${name} at site ${inputs.site}`, info, wanted, options);
      const [change] = streamChanges(info.config, wanted);
      if (change !== undefined) return `stream ${name} has another ${change.field} than declared`;
    }
    const where = collectedName(stream, inputs.site);
    const onHub = await (await atHub(access, stream)).stream(stream.name);
    if (onHub === undefined) return `hub stream ${where} is missing`;
    const config = hubStreamConfig(stream, inputs.stack);
    refuseChange(`hub stream ${where}`, onHub, config, options);
    const [change] = streamChanges(onHub.config, config);
    if (change !== undefined) return `hub stream ${where} has another ${change.field} than declared`;
    const source = sourceOf(stream, inputs.site);
    if (!(onHub.config.sources ?? []).some((other) => sameSource(other, source)))
      return `hub stream ${where} does not source ${name}`;
    if (inputs.expect === "online" && !isActive(onHub, inputs.site, STUCK_AFTER_MS))
      return `hub stream ${where} does not hear from the site`;
  }
  return undefined;
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
  const difference = await driftInTime(wanted).catch((error: unknown) => {
    // What the last attempt refused, the next one judges anew.
    if (olds.problem === "") throw error;
    return undefined;
  });
  if (difference !== undefined) report(`site ${wanted.site}: ${difference}`);
  else if (olds.problem !== "") report(`site ${wanted.site}: up looks again at its streams: ${olds.problem}`);
  return { changes: difference !== undefined || olds.problem !== "" };
}

/** Errors: a Refusal of a change that must not be made. */
async function driftInTime(inputs: StreamsInputs): Promise<string | undefined> {
  const silence = `its servers do not answer; ${UP_REPAIRS}`;
  const late = sleep(LOOK_TIMEOUT_MS, silence, { ref: false });
  return Promise.race([drift(inputs), late]).catch((error: unknown) => {
    passUnlessRefusal(error);
    return silence;
  });
}

/** What `refresh` finds stands in the state, so that the next preview shows it; keys and data stay known. */
export async function read(id: string, props: StreamsOutputs) {
  if (isAway(props.site)) return { id, props };
  const found = await driftInTime(inputsOnly(props)).catch((error: unknown) => messageOf(error));
  return { id, props: { ...props, problem: found ?? props.problem } };
}

/** Looks at the live servers for refusals only; what cannot be read now may be after the servers' own repair. */
async function refuseLoss(inputs: StreamsInputs, olds: StreamsOutputs): Promise<void> {
  const gone = undeclared(olds, inputs);
  const look = undelivered(accessOf(olds), gone)
    .then(() => refuseUndelivered(accessOf(olds), gone, olds.made))
    .then(() => liveDifference(inputs));
  await Promise.race([look, sleep(LOOK_TIMEOUT_MS, undefined, { ref: false })]);
}

const pick = (olds: StreamsOutputs, news: StreamsInputs): Partial<StreamsInputs> =>
  Object.fromEntries(Object.keys(news).map((key) => [key, olds[key as keyof StreamsInputs]]));

export async function update(_id: string, olds: StreamsOutputs, news: StreamsInputs) {
  return { outs: await apply(news, olds) };
}

async function remove(_id: string, outs: StreamsOutputs): Promise<void> {
  await removeStreams(accessOf(outs), outs.streams, { made: outs.made, withServer: true });
}

export { remove as delete };

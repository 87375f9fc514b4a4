import { setTimeout as sleep } from "node:timers/promises";
import { StreamSettings } from "../configs/settings";
import { collectedName, undeclaredStreams } from "../configs/streams";
import { isAway } from "../servers/away";
import { bringSource } from "../fleet/streams/bring-source";
import { bringStream, createStream } from "../fleet/streams/bring-stream";
import { lookAtBook } from "../fleet/book/look";
import { forgetBook, readBook } from "../fleet/book/record";
import { atHub, atSite, isOfSeveral } from "../fleet/sourcing/collected";
import { JetStream, isNoStorage } from "../servers/nats/jetstream";
import { Refusal, passUnlessRefusal } from "../machine/refusal";
import { behindHub } from "../fleet/observation/condition";
import { report } from "../machine/report";
import { SILENT_AFTER_MS, becomesHeard, onHubStream, rearm } from "../fleet/sourcing/source";
import { UP_REPAIRS, drift, refuseChanges } from "../fleet/streams/stream-differences";
import { siteEnd } from "../fleet/sourcing/stream-ends";
import { Removal, refuseLosses, removeStreams } from "../fleet/streams/stream-removal";
import { StreamsInputs, accessOf } from "../fleet/streams/streams-inputs";
import { siteStep } from "../fleet/observation/unproven";
import { changed, inputsOnly, settled } from "../configs/values";

/** The streams of one site: its own, then the hub's that source them. */

export type { StreamsInputs };

export interface StreamsOutputs extends StreamsInputs {
  /** The declared ones, and those that could not be taken away yet. */
  streams: StreamSettings[];
  /** Whether the site's own streams were ever made. */
  made: boolean;
  /** Why the last attempt failed, or what `refresh` found on the servers; empty when there is nothing. */
  problem: string;
}

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

function refuseWithoutRoom(error: unknown, { site }: StreamsInputs, stream: StreamSettings): never {
  if (!isNoStorage(error)) throw error;
  throw new Refusal(
    `hub stream ${collectedName(stream, site)}: its account has no room for it beside the streams that remain from earlier ` +
      `settings; save and delete those ('nats stream rm', as operator of ${site} on the hub), or raise hub.maxFile if the ` +
      "whole hub is too small; then run 'pulumi up'",
  );
}

/** Resolves with what no `up` may repair by itself, for something would be lost or doubled; undefined for nothing. */
const collect = (inputs: StreamsInputs, stream: StreamSettings): Promise<string | undefined> =>
  bringToHub(inputs, stream).catch((error: unknown) => refuseWithoutRoom(error, inputs, stream));

async function bringToHub(inputs: StreamsInputs, stream: StreamSettings): Promise<string | undefined> {
  const access = accessOf(inputs);
  const js = await atHub(access, stream);
  await onHubStream(access, stream, () => bringSource(js, inputs, stream));
  if (inputs.expect === "offline") return undefined;
  const isHeard = await becomesHeard(js, stream.name, inputs.site, SILENT_AFTER_MS);
  // A source that restarts sees a stream that was recreated at the site, and begins with it.
  if (isHeard && (await behindHub(access, stream)) === undefined) return undefined;
  await rearm(access, stream, inputs.stack);
  // Whether it flows is for the smoke test to prove; it also says why when it does not.
  await becomesHeard(js, stream.name, inputs.site, 3_000);
  return behindHub(access, stream);
}

const removedStreams = (olds: StreamsOutputs, inputs: StreamsInputs): StreamSettings[] =>
  undeclaredStreams(olds.streams, inputs.streams);

async function apply(inputs: StreamsInputs, olds?: StreamsOutputs): Promise<StreamsOutputs> {
  let made = olds?.made ?? false;
  const looked = { root: inputs.root, access: accessOf(inputs) };
  let leaving = olds === undefined ? [] : removedStreams(olds, inputs);
  const behind: string[] = [];
  const failed = await siteStep(inputs.root, inputs.site, "streams", async () => {
    // First: the next stream may take over the subjects.
    if (olds !== undefined) await removeOwned(olds, leaving, false);
    leaving = [];
    // A stream that cannot be changed does not stop the others.
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
  for (const words of behind) report(`site ${inputs.site}: ${words}`, { kind: "found", server: inputs.site });
  return { ...inputs, streams: [...inputs.streams, ...leaving], made, problem: failed ?? behind.join("; ") };
}

export async function create(inputs: StreamsInputs) {
  return { id: inputs.site, outs: await apply(inputs) };
}

/** Longer than a busy machine takes to answer. */
const LOOK_TIMEOUT_MS = 4_000;
/** A stream on several servers has no leader for 4 to 8 s when its leader is killed. */
const ELECTION_MS = 15_000;

export async function diff(_id: string, olds: StreamsOutputs, inputs: StreamsInputs) {
  const news = inputsOnly(inputs);
  const wanted = settled(news, olds);
  // Never a replacement: it would delete streams. Nothing unknown counts as a change.
  if (changed(news, pick(olds, news))) {
    await refuseImpossible(wanted).catch(passUnlessRefusal);
    return { changes: true };
  }
  const found = await driftInTime(wanted);
  const about = { kind: "found" as const, server: wanted.site };
  for (const difference of found) report(`site ${wanted.site}: ${difference}`, about);
  if (found.length === 0 && olds.problem !== "")
    report(`site ${wanted.site}: up looks again at its streams: ${olds.problem}`, about);
  return { changes: found.length > 0 || olds.problem !== "" };
}

async function driftInTime(inputs: StreamsInputs): Promise<string[]> {
  const silence = [`its servers do not answer; ${UP_REPAIRS}`];
  const late = sleep(isOfSeveral(inputs.access) ? ELECTION_MS : LOOK_TIMEOUT_MS, silence, { ref: false });
  return Promise.race([drift(inputs), late]).catch(() => silence);
}

/** What `refresh` finds is stored in the state, so that the next preview shows it; keys and data stay known. */
export async function read(id: string, props: StreamsOutputs) {
  if (isAway(props.site)) return { id, props };
  const found = await driftInTime(inputsOnly(props));
  return { id, props: { ...props, problem: found.length === 0 ? props.problem : found.join("; ") } };
}

/**
 * What the live servers refuse of the change; what cannot be read now may be after the servers' own repair. Messages that
 * wait are no reason here: in an update the servers may have been restarted a moment ago. The fleet's check looks at them
 * before anything is touched, and nothing is taken away before the hub has them.
 */
const refuseImpossible = (wanted: StreamsInputs): Promise<void> =>
  Promise.race([refuseChanges(wanted), sleep(LOOK_TIMEOUT_MS, undefined, { ref: false })]);

const pick = (olds: StreamsOutputs, news: StreamsInputs): Partial<StreamsInputs> =>
  Object.fromEntries(Object.keys(news).map((key) => [key, olds[key as keyof StreamsInputs]]));

export async function update(_id: string, olds: StreamsOutputs, news: StreamsInputs) {
  return { outs: await apply(news, olds) };
}

/** Takes streams of the site away, and ends their books. */
async function removeOwned(
  outs: StreamsOutputs,
  streams: readonly StreamSettings[],
  withServer: boolean,
): Promise<void> {
  const purged = await removeStreams(accessOf(outs), streams, removalOf(outs, withServer));
  for (const stream of streams) await forgetBook(outs.root, stream, outs.site, purged[stream.name]);
}

const remove = (_id: string, outs: StreamsOutputs): Promise<void> => removeOwned(outs, outs.streams, true);

export { remove as delete };

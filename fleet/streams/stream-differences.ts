import { siteStreamName } from "../../configs/names";
import { isLabel } from "../../configs/plan/stream-changes";
import { StreamSettings } from "../../configs/settings";
import { changeWords, harmOf, labelWords } from "../../configs/plan/stream-words";
import { collectedName, sameSource, sourceOf } from "../../configs/streams";
import { SiteAccess, atHub, atSite, isOfSeveral } from "../sourcing/collected";
import { mayDouble } from "../sourcing/discard";
import { doublingOf, doublingRefusal } from "../book/doubling";
import { StreamInfo } from "../../servers/nats/jetstream";
import { Refusal } from "../../machine/refusal";
import { refusalOf, refuseChange } from "./refuse-change";
import { behindHub } from "../observation/condition";
import { becomesHeard, isActive } from "../sourcing/source";
import { End, changesAt, hubEnd, isRefused, siteEnd } from "../sourcing/stream-ends";
import { StreamsInputs, accessOf } from "./streams-inputs";

/** How the live streams of a site differ from the declared ones, for a preview. */

/** How long the hub's stream is read for what would be stored twice. */
const COUNTED_WITHIN_MS = 800;

/** A source looks for a lost site every 10 s. */
const STUCK_AFTER_MS = 12_000;

/** In which a source of a stream with a new leader is heard of. */
const ELECTED_MS = 5_000;

export const UP_REPAIRS = "up repairs it";

/** What differs on the live servers, each with what becomes of it, in words. */
export async function drift(inputs: StreamsInputs): Promise<string[]> {
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
  const labels = inPlace.filter(({ field }) => isLabel(field));
  const shown = [
    ...inPlace
      .filter(({ field }) => !isLabel(field))
      .map((change) => `${changeWords(change)}${asHarm(harmOf(change))}`),
    ...(labels.length === 0 ? [] : [labelWords(labels)]),
  ].join(", ");
  return [
    ...(shown === "" ? [] : [`${end.where}: ${shown}; ${refusal === undefined ? UP_REPAIRS : "see below"}`]),
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
    if (!(onHub.config.sources ?? []).some((other) => sameSource(other, source))) {
      const doubling = await doublingOf({ access, root: inputs.root }, stream, onHub, COUNTED_WITHIN_MS);
      if (doubling !== undefined) found.push(doublingRefusal(stream, inputs.site, doubling));
      else found.push(`hub stream ${where} does not source ${name}; ${UP_REPAIRS}`);
    } else if (inputs.expect === "online" && !(await isAlive(access, stream, onHub)))
      found.push(`hub stream ${where} does not hear from the site; ${UP_REPAIRS}`);
  }
  return found;
}

/** Of several servers a new leader has heard of no source yet, for a second or two. */
async function isAlive(access: SiteAccess, stream: StreamSettings, onHub: StreamInfo): Promise<boolean> {
  if (isActive(onHub, access.site, STUCK_AFTER_MS)) return true;
  return isOfSeveral(access) && becomesHeard(await atHub(access, stream), stream.name, access.site, ELECTED_MS);
}

/** Errors: a Refusal of the first change that must not be made. */
export async function refuseChanges(inputs: StreamsInputs): Promise<void> {
  const access = accessOf(inputs);
  for (const stream of inputs.streams) {
    if (inputs.expect === "online") {
      const info = await (await atSite(access)).stream(siteStreamName(stream, inputs.site));
      if (info !== undefined) refuseChange(siteEnd(stream, inputs), info);
    }
    const onHub = await (await atHub(access, stream)).stream(stream.name);
    if (onHub === undefined) continue;
    refuseChange(hubEnd(stream, inputs), onHub);
    const doubling = mayDouble(inputs.site)
      ? undefined
      : await doublingOf({ access, root: inputs.root }, stream, onHub, COUNTED_WITHIN_MS);
    if (doubling !== undefined) throw new Refusal(doublingRefusal(stream, inputs.site, doubling));
  }
}

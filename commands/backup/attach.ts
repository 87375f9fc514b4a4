import {
  type StreamConfig,
  type StreamSource,
  collectedSubject,
  isSourceOfSite,
  sourceOf,
} from "../../configs/streams";
import { relabelled } from "../../configs/monitor/metadata";
import { siteStreamName } from "../../configs/names";
import { atSite } from "../../fleet/sourcing/collected";
import { becomesHeard, settleSource } from "../../fleet/sourcing/source";
import { originIn, sourceIdentity } from "../../fleet/sourcing/source-identity";
import { type JetStream, SOURCE_HEADER } from "../../servers/nats/jetstream";
import type { HubStream } from "./hub-streams";
import type { SourcePosition } from "./manifest";

/** A source that reaches its site is heard of within 0.5 s. */
const HEARD_WITHIN_MS = 3_000;
const MOST_ATTEMPTS = 3;

/**
 * Lets a restored stream source its sites, each from where the backup ends. The server itself goes on behind the newest
 * message that the stream holds of a source; where it holds none, the positions say where.
 */
export async function attachSources(
  js: JetStream,
  hub: HubStream,
  positions: readonly SourcePosition[],
  saved: StreamConfig,
): Promise<void> {
  const { stream, sites } = hub;
  const sources: StreamSource[] = [];
  const told: string[] = [];
  for (const { access } of sites) {
    const source = sourceOf(stream, access.site);
    const newest = await js.lastMessage(stream.name, collectedSubject(stream, access.site, ">"));
    const isStored = originIn(newest?.headers[SOURCE_HEADER])?.identity === sourceIdentity(source);
    const position = isStored ? 0 : await positionFor(hub, positions, access);
    if (position > 0) told.push(access.site);
    sources.push({ ...source, opt_start_seq: position + 1 });
  }
  const offline = sites.flatMap(({ access: { site, expect } }) => (expect === "offline" ? [site] : []));
  const monitored = { sources: sources.length, offline, replicas: stream.collect.replicas };
  const config = { ...saved, metadata: relabelled(saved.metadata, monitored) };
  for (let attempt = 1; ; attempt++) {
    // A stream without a source took its own name as subject (nats-server stream.go).
    await js.updateStream({ ...config, subjects: [], sources });
    const online = sites.filter(({ access }) => access.expect === "online");
    const heard = await Promise.all(
      online.map(({ access }) => becomesHeard(js, stream.name, access.site, HEARD_WITHIN_MS)),
    );
    const silent = online.filter((_, i) => heard[i] !== true).map(({ access }) => access.site);
    if (silent.length === 0 || attempt === MOST_ATTEMPTS) break;
    // A source that missed its site waits for 10 s and more; one that is added anew asks at once.
    const others = sources.filter((source) => !silent.some((site) => isSourceOfSite(source, site)));
    await js.updateStream({ ...config, subjects: [], sources: others });
  }
  for (const site of told) await settleSource(js, stream.name, site);
}

/** 0 when the site's stream was recreated since the backup: the hub has nothing of the new one. */
async function positionFor(
  { stream }: HubStream,
  positions: readonly SourcePosition[],
  access: HubStream["sites"][number]["access"],
): Promise<number> {
  const { position = 0, created } = positions.find(({ site }) => site === access.site) ?? {};
  if (position === 0 || created === undefined || access.expect === "offline") return position;
  const info = await atSite(access)
    .then((js) => js.stream(siteStreamName(stream, access.site)))
    .catch(() => undefined);
  return info === undefined || info.created === created ? position : 0;
}

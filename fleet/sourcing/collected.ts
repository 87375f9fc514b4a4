import { HubAccess, SiteEnd } from "./access";
import { siteStreamName } from "../../configs/names";
import { StreamSettings } from "../../configs/settings";
import { isSourceOfSite } from "../../configs/streams";
import { splitUrls } from "../../configs/text/address";
import { Access, shared } from "../../servers/nats/connection";
import { JetStream, SourceInfo, StreamInfo } from "../../servers/nats/jetstream";
import { lookUntil } from "../../machine/until";

/** How the sites and the hub's streams of them are reached, as it crosses Pulumi's boundary. */
export interface FleetAccess extends HubAccess {
  sites: Record<string, SiteEnd>;
}

/** The part of one site; undefined when it is none of the fleet's. */
export function accessOf(
  { sites, ...hub }: FleetAccess,
  site: string,
  expect: SiteAccess["expect"],
): SiteAccess | undefined {
  const found = sites[site];
  return found === undefined ? undefined : { site, expect, ...hub, ...found };
}

/** How a site and the hub's streams of it are reached. */
export interface SiteAccess extends HubAccess, SiteEnd {
  site: string;
  expect: "online" | "offline";
}

/** Whether the hub has several servers. */
export const isOfSeveral = ({ hubUrl }: Pick<HubAccess, "hubUrl">): boolean => splitUrls(hubUrl).length > 1;

/** How the system account is reached: the hub's, and the site's or, through the hub, what the site imports of it. */
export const systemAccess = (
  { site, url, hubUrl, operator, throughHub }: SiteAccess,
  system: string,
): { hub: Access; leaf: Access } => ({
  hub: { url: hubUrl, seed: system },
  leaf: throughHub === true ? { url: hubUrl, seed: operator, site } : { url, seed: system },
});

export const atSite = async ({ site, url, hubUrl, operator, throughHub }: SiteAccess): Promise<JetStream> =>
  throughHub === true
    ? new JetStream(await shared({ url: hubUrl, seed: operator }), site)
    : new JetStream(await shared({ url, seed: operator }));

/** The JetStream of the account that collects the stream. */
export const atHub = async (
  { hubUrl, operator, hubOperator }: SiteAccess,
  stream: StreamSettings,
): Promise<JetStream> =>
  new JetStream(await shared({ url: hubUrl, seed: stream.collect.mode === "merged" ? (hubOperator ?? "") : operator }));

export const sourceInfoOf = (info: StreamInfo | undefined, site: string): SourceInfo | undefined =>
  info?.sources?.find((source) =>
    isSourceOfSite({ name: source.name, external: { deliver: "", api: "", ...source.external } }, site),
  );

/**
 * Messages that the site holds and the hub has not; at most this many, because some in between may be deleted, or be
 * none of the subjects that the source takes. The hub's position is the sequence that its source reports; absent (it
 * never reached the site) counts as nothing collected. What stands behind that position is looked up: purged probes
 * leave a gap that is no loss.
 *
 * @param subjects that the source takes. Default: all.
 */
export async function waiting(
  js: { nextMessage(name: string, subject: string, seq: number): Promise<{ seq: number } | undefined> },
  info: StreamInfo,
  source: Pick<SourceInfo, "seq"> | undefined,
  subjects: readonly string[] = [">"],
): Promise<number> {
  const next = (source?.seq ?? 0) + 1;
  if (info.state.messages === 0 || info.state.last_seq < next) return 0;
  const found = await Promise.all(subjects.map((subject) => js.nextMessage(info.config.name, subject, next)));
  const firsts = found.flatMap((message) => message?.seq ?? []);
  return firsts.length === 0 ? 0 : info.state.last_seq - Math.min(...firsts) + 1;
}

/** A message on its way is on the hub within milliseconds; a source that restarts takes two seconds at most. */
const PATIENCE_MS = 1_500;
const BETWEEN_LOOKS_MS = 50;

/**
 * Messages of the site's stream that the hub lacks. What is on its way while applications publish is no loss: the hub has
 * some time to take what the site held when it was looked at first.
 */
export async function undeliveredOf(
  access: SiteAccess,
  stream: StreamSettings,
  patienceMs = PATIENCE_MS,
): Promise<number> {
  const js = await atSite(access);
  const info = await js.stream(siteStreamName(stream, access.site));
  if (info === undefined) return 0;
  const look = async (): Promise<number> => {
    const onHub = await (await atHub(access, stream)).stream(stream.name);
    return await waiting(js, info, sourceInfoOf(onHub, access.site));
  };
  return await lookUntil(look, (count) => count === 0, { within: patienceMs, every: BETWEEN_LOOKS_MS });
}

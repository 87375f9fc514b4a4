import { present } from "../../configs/values";
import { HUB_ACCOUNT, accountOf, collectingAccount, probeStreamName, siteStreamName } from "../../configs/names";
import { deliverPrefix } from "../../configs/permissions";
import { StreamSettings } from "../../configs/settings";
import { StreamSource, collectedName, collectedSubject, siteApi, sourceOf } from "../../configs/streams";
import { flowControlSubjects } from "../../configs/subjects";
import { NANOSECONDS_PER_MS } from "../../configs/text/units";
import { HubStreamFacts, SiteStreamFacts, StreamFacts } from "../../diagnosis/facts/facts";
import { SiteAccess, atHub, atSite, sourceInfoOf } from "../sourcing/collected";
import { doublingOf, doublingWords } from "../book/doubling";
import { isRemade } from "../sourcing/lost-tail";
import { Access, shared } from "../../servers/nats/connection";
import { End, Owner, driftAt, hubEnd, siteEnd } from "../sourcing/stream-ends";
import { AccountInfo, JetStream, StreamInfo } from "../../servers/nats/jetstream";
import { SAME_LOOK_MS } from "../../servers/nats/asking";
import { accountStatus, flowControlForm, sourceConsumers, varz } from "../../servers/nats/system";
import { fullForNext, fullness } from "./fullness";
import { askOverLink } from "./observe-link";
import { readable } from "./observe-server";

/** What can be seen of one stream of a site: at the site, on its way, and on the hub. */

/** Where a source has messages delivered when nothing else is said. */
const DELIVER_PREFIX = "$JS.S";

/** How a source differs from the declared one in what it takes and where it puts it; undefined when it does not. */
function alteration(source: StreamSource, wanted: StreamSource): string | undefined {
  const { filter_subject: filter } = source;
  const shown = ({ subject_transforms: transforms = [] }: StreamSource) =>
    transforms.map(({ src, dest }) => `${src} -> ${dest}`).join(", ") || "none";
  const differences = [
    ...(filter === undefined || filter === "" ? [] : [`it takes only ${filter}`]),
    ...(shown(source) === shown(wanted) ? [] : [`transforms ${shown(source)}, declared ${shown(wanted)}`]),
    ...((source.external?.deliver ?? "") === wanted.external.deliver
      ? []
      : [`deliver prefix '${source.external?.deliver ?? ""}', declared '${wanted.external.deliver}'`]),
  ];
  return differences.length === 0 ? undefined : differences.join("; ");
}

/** The end without the source that has rules of its own, when it is the only one that may be the site's. */
const withoutJudged = (judged: StreamSource | undefined, end: End): End => ({
  ...end,
  comparison: (info) => {
    const { declares = () => false, ...rest } = end.comparison(info);
    const isAlone = (info.config.sources ?? []).length === 1;
    return { ...rest, declares: (source) => (isAlone && source === judged) || declares(source) };
  },
});

function hubFacts(
  info: StreamInfo,
  account: AccountInfo | undefined,
  stream: StreamSettings,
  site: string,
  owner: Owner | undefined,
): HubStreamFacts {
  const { messages, last_seq } = info.state;
  const facts: HubStreamFacts = { messages, lastSeq: last_seq, created: info.created };
  const full = fullness(info, account);
  const { sources = [] } = info.config;
  if (info.ts !== undefined) facts.ageMs = Date.parse(info.ts) - Date.parse(info.created);
  if (full !== undefined) facts.full = full;
  if (info.cluster?.name !== undefined) facts.leader = info.cluster.leader ?? "";
  const seen = sourceInfoOf(info, site);
  const [only] = info.sources ?? [];
  // A source with another api than the site's is still the one of this site where each has a stream of its own.
  const source = seen ?? (stream.collect.mode === "perSite" ? only : undefined);
  const configured = sources.find((one) => one.name === source?.name && one.external?.api === source.external?.api);
  const drift = owner === undefined ? undefined : driftAt(withoutJudged(configured, hubEnd(stream, owner)), info);
  if (drift !== undefined) facts.drift = drift;
  if (source === undefined) return facts;
  const { name, lag, active, seq, external, error } = source;
  const declared = sourceOf(stream, site);
  const altered = configured === undefined ? undefined : alteration(configured, declared);
  facts.source = {
    name,
    // Without `external` it asks the hub's own JetStream.
    api: external?.api ?? "$JS.API",
    lag,
    activeMs: active < 0 ? -1 : Math.round(active / NANOSECONDS_PER_MS),
  };
  if (seq !== undefined) facts.source.seq = seq;
  if (error !== undefined) facts.source.error = { code: error.err_code ?? 0, text: error.description ?? "" };
  if (altered !== undefined) facts.source.altered = altered;
  return facts;
}

function siteFacts(info: StreamInfo, account: AccountInfo | undefined, end: End | undefined): SiteStreamFacts {
  const { messages, last_seq } = info.state;
  const full = fullness(info, account);
  const drift = end === undefined ? undefined : driftAt(end, info);
  return {
    messages,
    lastSeq: last_seq,
    created: info.created,
    ...present({ full, drift }),
  };
}

/** The stream and its account; undefined for what cannot be read, `info: undefined` for a stream that is not there. */
const lookAt = (js: Promise<JetStream>, name: string) =>
  readable(
    js.then(async (one) => {
      const [info, account] = await Promise.all([one.stream(name), readable(one.account())]);
      return { info, account };
    }),
  );

/**
 * What the accounts of a merged stream should pass on between them, and do not. Of flow control only the form that the
 * site's server uses: what an earlier version of this program deployed works without the other one.
 */
async function notPassedOn(system: SystemAccess, name: string, site: string): Promise<string[] | undefined> {
  const connection = await shared(system.hub);
  const [owner, collector, form = "v1"] = await Promise.all([
    accountStatus(connection, accountOf(site), SAME_LOOK_MS),
    accountStatus(connection, HUB_ACCOUNT, SAME_LOOK_MS),
    readable(
      shared(system.leaf)
        .then((leaf) => varz(leaf, SAME_LOOK_MS))
        .then(flowControlForm),
      READ_WITHIN_MS,
    ),
  ]);
  if (owner === undefined || collector === undefined) return undefined;
  const wanted = [
    { type: "service", subject: `${siteApi(site)}.CONSUMER.>` },
    ...[name, probeStreamName(name)].map((one) => ({ type: "service", subject: flowControlSubjects(site, one)[form] })),
    { type: "stream", subject: `${deliverPrefix(site)}.>` },
  ];
  return wanted.flatMap(({ type, subject }) => {
    const given = owner.exports?.some((one) => one.type === type && one.subject === subject) === true;
    const taken =
      collector.imports?.some(
        (one) => one.type === type && one.subject === subject && one.account === accountOf(site) && !one.invalid,
      ) === true;
    return [
      ...(given ? [] : [`${accountOf(site)} does not export the ${type} ${subject}`]),
      ...(taken ? [] : [`${HUB_ACCOUNT} does not import the ${type} ${subject}`]),
    ];
  });
}

async function remadeAt(
  access: SiteAccess,
  stream: StreamSettings,
  { onHub, atSite: local }: { onHub: StreamInfo | undefined; atSite: StreamInfo | undefined },
): Promise<boolean | undefined> {
  const source = sourceInfoOf(onHub, access.site);
  if (onHub === undefined || local === undefined || source === undefined) return undefined;
  const subjects = [collectedSubject(stream, access.site, ">")];
  return isRemade(await atHub(access, stream), { onHub, atSite: local }, source.seq, subjects);
}

/** Why the hub does not take the next message of the site; its place is unknown while the source was never heard of. */
async function nextOf(
  access: SiteAccess,
  hub: { info: StreamInfo | undefined; account: AccountInfo | undefined },
  local: StreamInfo,
): Promise<string | undefined> {
  const position = sourceInfoOf(hub.info, access.site)?.seq;
  if (hub.info === undefined || position === undefined) return undefined;
  const js = await atSite(access);
  const maxPayload = js.connection.info?.max_payload ?? Infinity;
  return fullForNext(hub.info, hub.account, { js, local, position, maxPayload });
}

/** How the servers of a stream are reached as the system account. */
export interface SystemAccess {
  hub: Access;
  leaf: Access;
}

/** How long the hub's stream is read for what it would store twice. */
const READ_WITHIN_MS = 800;

/** Everything that can be seen of the stream now; what differs from what `owner` declares, when that is given. Never throws. */
export async function streamFacts(
  access: SiteAccess,
  stream: StreamSettings,
  system: SystemAccess,
  owner?: Owner,
): Promise<StreamFacts> {
  const { site } = access;
  const name = siteStreamName(stream, site);
  const isMerged = collectingAccount(stream, site) === HUB_ACCOUNT;
  const facts: StreamFacts = { name, collectedAs: collectedName(stream, site), api: siteApi(site) };
  facts.deliver = sourceOf(stream, site).external.deliver || DELIVER_PREFIX;
  const asking = readable(atHub(access, stream).then(({ connection }) => askOverLink(connection, facts.api, name)));
  const passing = isMerged ? readable(notPassedOn(system, name, site)) : undefined;
  // The hub first: what it took is never more than what the site shows afterwards, however fast data flows.
  const hub = await lookAt(atHub(access, stream), stream.name);
  const [local, consumers, asked, missing] = await Promise.all([
    lookAt(atSite(access), name),
    readable(shared(system.leaf).then((connection) => sourceConsumers(connection, accountOf(site), name))),
    asking,
    passing,
  ]);
  if (local !== undefined)
    facts.atSite =
      local.info === undefined
        ? "missing"
        : siteFacts(local.info, local.account, owner === undefined ? undefined : siteEnd(stream, owner));
  if (hub !== undefined)
    facts.onHub = hub.info === undefined ? "missing" : hubFacts(hub.info, hub.account, stream, site, owner);
  if (hub !== undefined && local?.info !== undefined && typeof facts.onHub === "object") {
    const full = facts.onHub.full ?? (await readable(nextOf(access, hub, local.info)));
    if (full !== undefined) facts.onHub.full = full;
  }
  if (owner !== undefined && hub?.info !== undefined && typeof facts.onHub === "object") {
    const doubling = await readable(doublingOf({ access, root: owner.root }, stream, hub.info, READ_WITHIN_MS));
    if (doubling !== undefined) facts.onHub.doubles = doublingWords(doubling);
  }
  const remade = await readable(remadeAt(access, stream, { onHub: hub?.info, atSite: local?.info }));
  if (remade !== undefined) facts.remade = remade;
  if (asked !== undefined) facts.asked = asked;
  if (missing !== undefined) facts.notPassedOn = missing;
  if (consumers !== undefined) {
    const [newest] = [...consumers].sort((a, b) => (a.created < b.created ? 1 : -1));
    facts.consumer =
      newest === undefined
        ? "missing"
        : {
            sent: newest.delivered.consumer_seq,
            upTo: newest.delivered.stream_seq,
            pending: newest.num_pending,
            bound: newest.push_bound === true,
            count: consumers?.length ?? 0,
            ...(newest.paused === true
              ? { pausedMs: Math.round((newest.pause_remaining ?? 0) / NANOSECONDS_PER_MS) }
              : {}),
          };
  }
  return facts;
}

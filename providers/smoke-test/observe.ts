import { setTimeout as sleep } from "node:timers/promises";
import { publicKeyOf } from "../../configs/keys";
import { accountOf, siteStreamName } from "../../configs/names";
import { Parsed, parse } from "../../configs/parse";
import { StreamSettings } from "../../configs/settings";
import { collectedName, siteApi } from "../../configs/streams";
import { SiteAccess, atHub, atSite, sourceInfoOf } from "../collected";
import { readText } from "../folders";
import { maskSeeds } from "../../configs/seeds";
import { maskOutput } from "../nats-server-binary";
import { Access, shared } from "../nats/connection";
import { StreamInfo } from "../nats/jetstream";
import { jetStreamConfig, leafLinks } from "../nats/system";
import { messageOf } from "../refusal";
import { CONFIG_FILE } from "../server-files";
import { Place, hostOf } from "../server-host";
import { failedSteps } from "../unproven";
import { blockingFinding } from "../../diagnosis/diagnose";
import { HubStreamFacts, ProbeFacts, RemoteFacts, SiteFacts, StreamFacts } from "../../diagnosis/facts";

/** Gathers what can be seen of a site from both ends, without changing anything. */

export interface Observed {
  access: SiteAccess;
  /** The stack's folder, for what failed before. */
  root: string;
  /** Where the site's server runs, for its configuration and log. */
  place?: Place;
  system: string;
  hubDomain: string;
  /** Seed of the site's link, for its public key. */
  linkSeed: string;
  streams: readonly StreamSettings[];
  before: Record<string, StreamFacts["before"]>;
  probes: Record<string, ProbeFacts>;
}

async function server(
  access: Access,
): Promise<{ unreachable?: string; domain?: string; links: { name: string; account: string }[] }> {
  try {
    const connection = await shared(access);
    const [links, jetstream] = await Promise.all([leafLinks(connection), jetStreamConfig(connection)]);
    return { links, domain: jetstream?.domain ?? "" };
  } catch (error) {
    const where = access.site === undefined ? access.url : `site ${access.site} through the hub at ${access.url}`;
    return { unreachable: `${where}: ${messageOf(error)}`, links: [] };
  }
}

type Entries = Record<string, Parsed>;

const textAt = (map: Entries, ...names: string[]): string | undefined =>
  names.map((name) => map[name]).find((value) => typeof value === "string");

/** A map with its keys in lower case, as nats-server takes them; undefined when the value is no map. */
const mapOf = (value: Parsed | undefined): Entries | undefined =>
  typeof value !== "object" || Array.isArray(value)
    ? undefined
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item]));

const isText = (value: Parsed): value is string => typeof value === "string";

/** An address as it may be shown: without the login that it may carry. */
const shownUrl = (url: string): string => maskSeeds(url.replace(/\/\/[^@/]*@/, "//"));

/** The first leaf remote of a configuration file, however it is written; undefined when there is none. */
export function readRemote(
  text: string,
  readFile: (path: string) => string | undefined = readText,
): RemoteFacts | undefined {
  const { leafnodes, leaf = leafnodes } = mapOf(parse(text)) ?? {};
  const remotes = mapOf(leaf)?.remotes;
  const remote = Array.isArray(remotes) ? mapOf(remotes[0]) : undefined;
  if (remote === undefined) return undefined;
  const [credentials, seed, account] = [
    textAt(remote, "credentials", "creds"),
    textAt(remote, "nkey", "seed"),
    textAt(remote, "account", "local"),
  ];
  const facts: RemoteFacts = { urls: [remote.urls ?? remote.url ?? []].flat().filter(isText).map(shownUrl) };
  if (account !== undefined) facts.account = maskSeeds(account);
  if (credentials !== undefined) facts.credentials = kindOfCredentials(credentials, readFile);
  try {
    if (seed !== undefined) facts.key = publicKeyOf(seed);
  } catch {
    // Not a seed: the server refuses such a file itself.
  }
  return facts;
}

/** `readRemote` of the site's file; undefined when it is missing or makes no sense. */
async function remoteOf(place: Place): Promise<RemoteFacts | undefined> {
  try {
    return readRemote((await hostOf(place).files()).read(CONFIG_FILE) ?? "");
  } catch {
    return undefined;
  }
}

function kindOfCredentials(
  value: string,
  readFile: (path: string) => string | undefined,
): NonNullable<RemoteFacts["credentials"]> {
  if (/^S[UA][A-Z2-7]{20,}/.test(value)) return "a seed";
  const text = readFile(value);
  if (text === undefined) return "a missing file";
  return /BEGIN NATS USER JWT/.test(text) || !/\bSU[A-Z2-7]{20,}/.test(text)
    ? "another file"
    : "a file that holds a bare seed";
}

const LOG_LINES = 400;
/** What clients do wrong says nothing of the link; the smoke test's own attacks are among it. */
const OF_A_CLIENT = / - cid:\d+ - /;

/** The errors of the server's log since its last start, newest last, without repetition. */
async function recentErrors(place: Place): Promise<string[]> {
  const log = await hostOf(place)
    .log()
    .catch(() => "");
  const lines = log.split("\n").slice(-LOG_LINES);
  const start = lines.findLastIndex((line) => line.includes("Starting nats-server"));
  const errors = lines.slice(start + 1).filter((line) => line.includes("[ERR]") && !OF_A_CLIENT.test(line));
  const words = errors.map((line) => line.replace(/^.*\[ERR\] /, "").replace(/^[\d.:]+ - lid:\d+ - /, ""));
  return words
    .filter((line, i) => words.lastIndexOf(line) === i)
    .slice(-5)
    .map(maskOutput);
}

const NANOSECONDS_PER_MS = 1e6;

function hubFacts(info: StreamInfo, site: string): HubStreamFacts {
  const { messages, last_seq } = info.state;
  const facts: HubStreamFacts = { messages, lastSeq: last_seq, created: info.created };
  const seen = sourceInfoOf(info, site);
  const [only] = info.sources ?? [];
  // A source with another api than the site's is still the one of this site when it is alone.
  const source = seen ?? (info.sources?.length === 1 ? only : undefined);
  if (source === undefined) return facts;
  const { name, lag, active, seq, external, error } = source;
  facts.source = { name, lag, activeMs: active < 0 ? -1 : Math.round(active / NANOSECONDS_PER_MS) };
  if (seq !== undefined) facts.source.seq = seq;
  if (external !== undefined) facts.source.api = external.api;
  if (error !== undefined) facts.source.error = { code: error.err_code ?? 0, text: error.description ?? "" };
  return facts;
}

async function streamFacts({ access, before, probes }: Observed, stream: StreamSettings): Promise<StreamFacts> {
  const { site } = access;
  const name = siteStreamName(stream, site);
  const facts: StreamFacts = { name, collectedAs: collectedName(stream, site), api: siteApi(site) };
  const probe = probes[name];
  const seenBefore = before[name];
  if (probe !== undefined) facts.probe = probe;
  if (seenBefore !== undefined) facts.before = seenBefore;
  // The hub first: what it took is never more than what the site shows afterwards, however fast data flows.
  const hub = await atHub(access, stream)
    .then((js) => js.stream(stream.name))
    .catch(() => null);
  const local = await atSite(access)
    .then((js) => js.stream(name))
    .catch(() => null);
  if (local === undefined) facts.atSite = "missing";
  else if (local !== null)
    facts.atSite = { messages: local.state.messages, lastSeq: local.state.last_seq, created: local.created };
  if (hub === undefined) facts.onHub = "missing";
  else if (hub !== null) facts.onHub = hubFacts(hub, site);
  return facts;
}

/** Everything that can be seen of the site now. Never throws: what cannot be read is a fact too. */
export async function observe(observed: Observed): Promise<SiteFacts> {
  const { access, root, place, system, hubDomain, linkSeed } = observed;
  const { site } = access;
  const [hub, leaf, streams, errors, remote] = await Promise.all([
    server({ url: access.hubUrl, seed: system }),
    server(
      access.throughHub === true
        ? { url: access.hubUrl, seed: access.operator, site: access.site }
        : { url: access.url, seed: system },
    ),
    Promise.all(observed.streams.map((stream) => streamFacts(observed, stream))),
    place === undefined ? [] : recentErrors(place),
    place === undefined ? undefined : remoteOf(place),
  ]);
  const facts: SiteFacts = {
    site,
    declared: { account: accountOf(site), domain: site, hubDomain, linkKey: publicKeyOf(linkSeed) },
    failedSteps: failedSteps(root, site),
    hub: { ...hub, links: hub.links.filter((link) => link.name === site) },
    leaf: { ...leaf, errors },
    streams,
  };
  if (remote !== undefined) facts.leaf.remote = remote;
  return facts;
}

const LINK_GRACE_MS = 5_000;

/** Looks again while the link may still come back by itself, as it does within a second after a restart of the hub. */
export async function observeSettled(observed: Observed, timeoutMs: number): Promise<SiteFacts> {
  for (const deadline = Date.now() + Math.min(LINK_GRACE_MS, timeoutMs); ; await sleep(100)) {
    const facts = await observe(observed);
    const isAway = blockingFinding(facts)?.code === "link-down" && facts.failedSteps.length === 0;
    if (!isAway || Date.now() >= deadline) return facts;
  }
}

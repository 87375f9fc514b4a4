import { duration } from "../configs/plan/plan-facts";
import { overlaps } from "../configs/subjects";
import { NANOSECONDS_PER_MS } from "../configs/text/units";
import { present } from "../configs/values";
import { DoctorFinding } from "../diagnosis/facts/doctor-report";
import { ConsumerFacts, HubStreamFacts, StreamFacts } from "../diagnosis/facts/facts";
import { findingOf } from "../diagnosis/facts/finding";
import { hasLeader } from "../servers/nats/cluster";
import { SourceInfo, StreamInfo } from "../servers/nats/jetstream";
import { sourceConsumers } from "../servers/nats/system";
import { fullness } from "../fleet/observation/fullness";
import { waiting } from "../fleet/sourcing/collected";
import { isRemade } from "../fleet/sourcing/lost-tail";
import { FleetFile, ForeignSite, ForeignStream, Login, hubUrls, siteOf } from "../configs/reading/fleet-file";
import { areOfSeveral, configOf, feedsOf, foremost, isFedBy, isImported, storedUnder, takenBy } from "./feeds";
import { Asking, Place, ServerSeen, StreamSeen } from "./foreign-asking";
import { Found, inspect, isOf, lostQuorum, newest, startOf } from "./foreign-inspect";

/** What is seen of one stream of a site that this program did not deploy, at both ends. */

export interface StreamLook {
  facts: StreamFacts;
  /** Messages that are still to be taken; absent when they could not be counted. */
  count?: number;
  /** What no rule of the diagnosis knows of. */
  found: DoctorFinding[];
  /** The server that leads the site's stream, in a site of several servers. */
  leader?: string;
  /** Whether the site takes it from the hub. */
  isDownward: boolean;
  /** The site's stream, where it was seen and the hub sources it. */
  atSite?: StreamSeen;
  /** Whether its source hears of the other end, from that moment on; false when nobody can say. */
  isHeardSince(moment: number): Promise<boolean>;
}

type Seen = StreamSeen | "missing" | undefined;

const infoOf = (seen: Seen): StreamInfo | undefined =>
  seen === undefined || seen === "missing" ? undefined : seen.info;

export class ForeignStreamLook {
  private readonly found: DoctorFinding[] = [];
  private readonly account: string;
  private readonly onHub: string;
  private readonly collectedAs: string;

  constructor(
    private readonly file: FleetFile,
    private readonly site: ForeignSite,
    private readonly stream: ForeignStream,
    private readonly asking: Asking,
    private readonly servers: { hub: ServerSeen; leaf: ServerSeen },
  ) {
    this.account = stream.hubAccount ?? site.account ?? "";
    this.onHub = stream.hub ?? stream.name;
    this.collectedAs = `${stream.at ?? (this.account === "" ? "?" : this.account)}/${this.onHub}`;
  }

  async seen(): Promise<StreamLook> {
    const { stream, asking } = this;
    // The hub first: what it took is never more than what the site shows afterwards, however fast data flows.
    const hub = await this.atHub();
    const local = await this.atSite();
    const [onHub, atSite] = [infoOf(hub), infoOf(local)];
    const isFed = onHub !== undefined && isFedBy(onHub, stream.name);
    if (!isFed && atSite !== undefined && isFedBy(atSite, this.onHub)) return this.downward(hub, local as StreamSeen);
    const api = this.api(onHub);
    const facts: StreamFacts = { name: stream.name, collectedAs: this.collectedAs, api: api ?? "" };
    if (onHub !== undefined && !isFed && this.isFedOtherwise(onHub, local)) {
      asking.lacks(`how messages get to ${this.collectedAs}, which has subjects of its own and no source of the site`);
      return this.look(facts, hub);
    }
    const feeds = onHub === undefined ? [] : feedsOf(onHub, stream.name, api);
    if (areOfSeveral(feeds)) {
      asking.lacks(`which source of ${this.collectedAs} is the site's (domain)`);
      return this.look(facts, undefined);
    }
    const ends = await this.ends(facts, { to: hub, from: local }, feeds, api);
    if (hub !== undefined && hub !== "missing" && local !== undefined && local !== "missing") {
      const inspected = { onHub: hub, atSite: local, feeds, collectedAs: this.collectedAs };
      for (const finding of await inspect(inspected)) this.finds(finding);
      const consumer = await this.consumer(onHub?.config.name ?? "").catch(() => undefined);
      if (consumer !== undefined) ends.facts.consumer = consumer;
    }
    const leader = atSite?.cluster?.leader;
    const seenAtSite = local === "missing" ? undefined : local;
    return { ...this.look(ends.facts, hub, ends.count), ...present({ leader, atSite: seenAtSite }) };
  }

  /** What brings messages from one stream to the other, and how many it has still to take. */
  private async ends(
    facts: StreamFacts,
    { to, from }: { to: Seen; from: Seen },
    feeds: readonly SourceInfo[],
    api: string | undefined,
  ): Promise<{ facts: StreamFacts; count?: number }> {
    const info = infoOf(to);
    const counts = await Promise.all(feeds.map((feed) => waitingFor(feed, info, from)));
    const feed = foremost(feeds, counts, infoOf(from)?.state.last_seq ?? Infinity);
    const known = counts.filter((count) => count !== undefined);
    const count = known.length < counts.length ? undefined : known.reduce((sum, one) => sum + one, 0);
    if (to === "missing") facts.onHub = "missing";
    else if (info !== undefined) facts.onHub = hubFacts(info, feed, count);
    // A prefix of its own that the account imports is as good as the domain's, whether it is heard or not.
    if (feed !== undefined && (api === undefined || isImported(feed))) facts.api = feed.external?.api ?? "";
    if (from === undefined) return { facts };
    if (from === "missing") return { facts: { ...facts, atSite: "missing" } };
    const { messages, last_seq } = from.info.state;
    facts.atSite = { messages, lastSeq: last_seq, created: from.info.created };
    if (feed === undefined) return { facts };
    if (to !== undefined && to !== "missing") {
      const both = { onHub: to.info, atSite: from.info };
      const remade = await isRemade(to.js, both, feed.seq, storedUnder(feed)).catch(() => undefined);
      if (remade !== undefined) facts.remade = remade;
    }
    return count === undefined ? { facts } : { facts, count };
  }

  /** The site takes the stream from the hub: the diagnosis sees the two ends the other way round. */
  private async downward(hub: Seen, local: StreamSeen): Promise<StreamLook> {
    const { stream, file, servers } = this;
    const domain = file.hub.domain ?? servers.hub.domain;
    const api = domain === undefined || domain === "" ? undefined : `$JS.${domain}.API`;
    const facts: StreamFacts = { name: stream.name, collectedAs: this.collectedAs, api: api ?? "" };
    const feeds = feedsOf(local.info, this.onHub, api);
    const ends = await this.ends(facts, { to: local, from: hub }, feeds, api);
    // The source has the name of the hub's stream, and that is right.
    const { onHub } = ends.facts;
    if (onHub !== undefined && onHub !== "missing" && onHub.source?.name === this.onHub)
      onHub.source.name = stream.name;
    return { ...this.look(ends.facts, local, ends.count), isDownward: true };
  }

  private look(facts: StreamFacts, to: Seen, count?: number): StreamLook {
    const isHeardSince = async (moment: number): Promise<boolean> => {
      if (to === undefined || to === "missing") return false;
      const info = await to.js.stream(to.info.config.name);
      const feeds = [...(info?.sources ?? []), ...(info?.mirror === undefined ? [] : [info.mirror])];
      const sinceMs = Date.now() - moment;
      return feeds.some(
        ({ name, active }) =>
          (name === this.stream.name || name === this.onHub) && active >= 0 && active / NANOSECONDS_PER_MS < sinceMs,
      );
    };
    const look = { facts, found: this.found, isDownward: false, isHeardSince };
    return count === undefined ? look : { ...look, count };
  }

  /** The API that the hub's source should ask: the site's domain, or what its server really has where the source asks that. */
  private api(onHub: StreamInfo | undefined): string | undefined {
    const { site, servers } = this;
    const [said, real] = [site.domain, servers.leaf.domain].map((domain) =>
      domain === undefined || domain === "" ? undefined : `$JS.${domain}.API`,
    );
    const asked = [...(onHub?.sources ?? []), ...(onHub?.mirror === undefined ? [] : [onHub.mirror])];
    return real !== undefined && asked.some(({ external }) => external?.api === real) ? real : said;
  }

  /** Whether messages may come as they are published at the site, over the link, and not from the site's stream. */
  private isFedOtherwise({ config, sources = [], mirror }: StreamInfo, local: Seen): boolean {
    const { subjects = [] } = config;
    if (sources.length > 0 || mirror !== undefined || subjects.length === 0) return false;
    const atSite = infoOf(local)?.config.subjects;
    return atSite === undefined
      ? local === undefined
      : subjects.some((subject) => atSite.some((other) => overlaps(subject, other)));
  }

  private async atHub(): Promise<Seen> {
    const { file, stream, account, asking, onHub } = this;
    const what = `hub stream ${this.collectedAs}`;
    if (stream.at !== undefined) {
      const region = siteOf(file, stream.at);
      if (region?.url === undefined || region.login === undefined)
        return asking.lacks(`${what} (url and login of ${stream.at})`);
      return asking.stream(what, placeOf(region, region.url, region.login), onHub);
    }
    const login = file.accounts[account];
    if (login === undefined)
      return asking.lacks(`${what} (accounts.${account === "" ? "…, and the site's account" : account})`);
    const place: Place = { endpoint: { ...file.hub, urls: hubUrls(file) }, login };
    const seen = await asking.stream(what, place, onHub, () => this.isLeaderless());
    const info = infoOf(seen);
    const lost = info === undefined ? undefined : lostQuorum(info);
    if (lost !== undefined) this.findsLeaderless(lost);
    return lost === undefined ? seen : undefined;
  }

  /** At its own port, or else over the hub and the link, as the site's account there. */
  private async atSite(): Promise<Seen> {
    const { site, file, stream, asking } = this;
    const what = `stream ${stream.name} at the site`;
    const login = stream.login ?? site.login;
    if (site.url !== undefined && login !== undefined)
      return asking.stream(what, placeOf(site, site.url, login), stream.name);
    const hub = { ...file.hub, urls: hubUrls(file) };
    const logins = [site.account ?? "", stream.hubAccount ?? ""].flatMap((account) => file.accounts[account] ?? []);
    if (site.domain === undefined || logins.length === 0)
      return asking.lacks(`${what} (url and login, or domain and accounts.${site.account ?? "…"})`);
    let seen: Seen;
    for (const account of new Set(logins)) {
      seen = await asking.stream(what, { endpoint: hub, login: account, domain: site.domain }, stream.name);
      if (seen !== "missing") return seen;
    }
    return seen;
  }

  /** What the hub's source has at the site; asked as the site's system account. */
  private async consumer(onHub: string): Promise<ConsumerFacts | undefined> {
    const { site, stream, asking, account } = this;
    if (site.url === undefined || site.system === undefined || site.localAccount === undefined) return undefined;
    const connection = await asking.connection({ urls: [site.url], tls: site.tls }, site.system);
    const all = await sourceConsumers(connection, site.localAccount, stream.name);
    return newest(all.filter((consumer) => isOf(consumer, onHub, account)));
  }

  private async isLeaderless(): Promise<boolean> {
    const { file, account, asking, onHub } = this;
    if (file.hub.system === undefined) return false;
    const connection = await asking.connection({ ...file.hub, urls: hubUrls(file) }, file.hub.system);
    if ((await hasLeader(connection, account, onHub)) !== false) return false;
    this.findsLeaderless(
      "its JetStream does not answer, and /jsz of a server of the hub knows no leader of the stream",
    );
    return true;
  }

  private findsLeaderless(evidence: string): void {
    this.finds({
      code: "hub-stream-leaderless",
      cause: `the hub's stream ${this.collectedAs} has no leader: too many servers of the hub are down, or do not reach each other`,
      evidence,
      next: "start the servers of the hub that are down: more than half of them must be there; sources go on by themselves",
    });
  }

  private finds({ code, ...draft }: Found): void {
    const { site, stream } = this;
    const symptom = `stream ${stream.name} does not reach the hub`;
    this.found.push(findingOf(code, draft, { site: site.name, stream: stream.name, symptom }));
  }
}

const placeOf = ({ tls }: ForeignSite, url: string, login: Login): Place => ({ endpoint: { urls: [url], tls }, login });

async function waitingFor(feed: SourceInfo, to: StreamInfo | undefined, from: Seen): Promise<number | undefined> {
  if (to === undefined || from === undefined || from === "missing") return undefined;
  const start = await startOf(configOf(to, feed), from).catch(() => 0);
  const position = { seq: Math.max(feed.seq ?? 0, start) };
  return waiting(from.js, from.info, position, takenBy(feed)).catch(() => undefined);
}

function hubFacts(info: StreamInfo, source: SourceInfo | undefined, waits: number | undefined): HubStreamFacts {
  const { created, state, config } = info;
  const facts: HubStreamFacts = { messages: state.messages, lastSeq: state.last_seq, created };
  if (info.ts !== undefined) facts.ageMs = Date.parse(info.ts) - Date.parse(created);
  const { duplicate_window: window = 0, sources = [] } = config;
  if (window > 0 && sources.length > 0) facts.window = duration(window / NANOSECONDS_PER_MS);
  // A stream that is full harms when something waits for it.
  const full = (waits ?? 0) > 0 ? fullness(info, undefined) : undefined;
  if (full !== undefined) facts.full = full;
  if (source === undefined) return facts;
  const { name, lag, active, seq, external, error } = source;
  facts.source = { name, lag, activeMs: active < 0 ? -1 : Math.round(active / NANOSECONDS_PER_MS) };
  if (seq !== undefined) facts.source.seq = seq;
  if (external !== undefined) facts.source.api = external.api;
  if (error !== undefined) facts.source.error = { code: error.err_code ?? 0, text: error.description ?? "" };
  return facts;
}

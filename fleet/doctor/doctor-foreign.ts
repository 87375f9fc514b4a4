import { NatsConnection } from "nats";
import { HubStreamFacts, SiteFacts, StreamFacts } from "../../diagnosis/facts/facts";
import { FindingCode } from "../../diagnosis/reference/reference";
import { duration } from "../../configs/plan/plan-facts";
import { NANOSECONDS_PER_MS } from "../../configs/text/units";
import { waiting } from "../sourcing/collected";
import type { WatchedSite } from "./doctor";
import { FleetFile, ForeignSite, Login } from "./doctor-file";
import { Logins } from "./doctor-logins";
import { areOfSeveral, feedsOf, foremost, isImported, storedUnder, takenBy } from "./feeds";
import { Seen } from "./doctor-looks";
import { DoctorFinding, Unseen } from "../../diagnosis/facts/doctor-report";
import { isRemade } from "../sourcing/lost-tail";
import { isAuthorizationError, isNoResponders, serverInfo } from "../../servers/nats/connection";
import { JetStream, SourceInfo, StreamInfo } from "../../servers/nats/jetstream";
import { jetStreamConfig, leafLinks, leafLinksOfCluster } from "../../servers/nats/system";
import { messageOf } from "../../machine/refusal";
import { present } from "../../configs/values";

/** Looks at a fleet that this program did not deploy, as far as the given logins reach. Read-only. */

interface Notes {
  unseen: Unseen[];
  notGiven: string[];
}

/** Errors: a Refusal when a login is not available. */
export function foreignSites(file: FleetFile, logins: Logins): WatchedSite[] {
  const given = (where: string, login: Login | undefined) => (login === undefined ? [] : [[where, login] as const]);
  logins.check([
    ...given("hub.system", file.hub.system),
    ...Object.entries(file.accounts).map(([account, login]) => [`accounts.${account}`, login] as const),
    ...file.sites.flatMap(({ system, login }, i) => [
      ...given(`sites[${i}].system`, system),
      ...given(`sites[${i}].login`, login),
    ]),
  ]);
  return file.sites.map((site) => ({
    site: site.name,
    expect: site.expect,
    look: () => new ForeignLook(file, site, logins).seen(),
    cure: (finding) => cureOf(finding, site),
  }));
}

/** What one server says of itself; `links` absent when its system account was not asked. */
interface ServerSeen {
  unreachable?: string;
  domain?: string;
  links?: { name: string; account: string }[];
}

class ForeignLook {
  private readonly notes: Notes = { unseen: [], notGiven: [] };

  constructor(
    private readonly file: FleetFile,
    private readonly site: ForeignSite,
    private readonly logins: Logins,
  ) {}

  async seen(): Promise<Seen> {
    const { file, site, notes } = this;
    const [hub, leaf] = await Promise.all([
      this.server("the hub", "links and their accounts (hub.system)", file.hub, file.hub.system, leafLinksOfCluster),
      site.url === undefined
        ? this.notGiven<ServerSeen>("the site's own server (url)", {})
        : this.server(
            "the site",
            "the site's own links (system)",
            { url: site.url, tls: site.tls },
            site.system,
            leafLinks,
          ),
    ]);
    const pairs = await Promise.all(site.streams.map((stream) => this.stream(stream)));
    if (site.streams.length === 0) this.notGiven("any stream (streams)", undefined);
    const links = hub.links?.filter(({ name }) => name === site.name);
    const facts = this.facts(
      hub,
      leaf,
      links,
      pairs.map(({ facts: one }) => one),
    );
    // What a finding explains is not unseen as well.
    const isDown = facts.hub.unreachable !== undefined || facts.leaf.unreachable !== undefined;
    return {
      facts,
      ...(links === undefined ? {} : { links: links.map(({ account }) => account) }),
      waiting: Object.fromEntries(pairs.map(({ facts: { name }, count }) => [name, count])),
      unseen: isDown || links?.length === 0 ? [] : notes.unseen,
      notGiven: notes.notGiven,
    };
  }

  /** The facts in the words of the diagnosis; what nobody can know is put so that no rule fits it. */
  private facts(hub: ServerSeen, leaf: ServerSeen, links: ServerSeen["links"], streams: StreamFacts[]): SiteFacts {
    const { site, file } = this;
    const account = site.account ?? links?.[0]?.account ?? "";
    const isRightOnHub = links === undefined || links.every((link) => link.account === account);
    // Each end has its own name for the account; the site's end is judged once the hub's is right.
    const byLocalName = isRightOnHub && site.localAccount !== undefined;
    const declared = byLocalName ? (site.localAccount ?? account) : account;
    const linked = links ?? [{ account }];
    return {
      site: site.name,
      declared: {
        account: declared,
        domain: site.domain ?? leaf.domain ?? "",
        hubDomain: file.hub.domain ?? hub.domain ?? "",
        linkKey: "",
      },
      failedSteps: [],
      hub: {
        ...present({ unreachable: hub.unreachable, domain: hub.domain }),
        links: byLocalName ? linked.map(() => ({ account: declared })) : linked,
      },
      leaf: {
        ...present({ unreachable: leaf.unreachable, domain: leaf.domain }),
        links: byLocalName ? (leaf.links ?? []).map(({ account: local }) => ({ account: local })) : [],
        errors: [],
      },
      streams,
    };
  }

  private notGiven<T>(what: string, otherwise: T): T {
    this.notes.notGiven.push(what);
    return otherwise;
  }

  private unseen(what: string, error: unknown): undefined {
    const why = isAuthorizationError(error) ? "the login is refused" : messageOf(error);
    this.notes.unseen.push({ what, why });
    return undefined;
  }

  private async server(
    who: string,
    what: string,
    endpoint: { url: string; tls?: ForeignSite["tls"] },
    system: Login | undefined,
    linksOf: typeof leafLinks,
  ): Promise<ServerSeen> {
    const unreachable = { unreachable: `${endpoint.url}: nothing answers as a NATS server` };
    if (system === undefined) {
      this.notGiven(what, undefined);
      return (await serverInfo(endpoint.url, 2_000)) === undefined ? unreachable : {};
    }
    try {
      const connection = await this.logins.connection(endpoint, system);
      const [links, jetStream] = await Promise.all([linksOf(connection), jetStreamConfig(connection)]);
      return { links, domain: jetStream?.domain ?? "" };
    } catch (error) {
      if ((await serverInfo(endpoint.url, 2_000)) === undefined) return unreachable;
      this.unseen(`the system account of ${who}`, error);
      return {};
    }
  }

  private async stream(stream: ForeignSite["streams"][number]): Promise<{ facts: StreamFacts; count?: number }> {
    const { site, file } = this;
    const account = stream.hubAccount ?? site.account ?? "";
    const onHub = stream.hub ?? stream.name;
    const collectedAs = `${account === "" ? "?" : account}/${onHub}`;
    const api = site.domain === undefined ? undefined : `$JS.${site.domain}.API`;
    const facts: StreamFacts = { name: stream.name, collectedAs, api: api ?? "" };
    const login = file.accounts[account];
    // The hub first: what it took is never more than what the site shows afterwards, however fast data flows.
    const hub =
      login === undefined
        ? this.notGiven(
            `hub stream ${collectedAs} (accounts.${account === "" ? "…, and the site's account" : account})`,
            undefined,
          )
        : await this.info(`hub stream ${collectedAs}`, file.hub, login, onHub);
    const feeds = hub === undefined || hub === "missing" ? [] : feedsOf(hub.info, stream.name, api);
    if (areOfSeveral(feeds)) {
      this.notGiven(`which source of ${collectedAs} is the site's (domain)`, undefined);
      return { facts };
    }
    const local = await this.atSite(stream.name);
    const counts = await Promise.all(feeds.map((feed) => this.waitingFor(feed, local)));
    const feed = foremost(feeds, counts, lastOf(local));
    if (hub !== undefined) facts.onHub = hub === "missing" ? "missing" : hubFacts(hub.info, feed);
    // A prefix of its own that the hub's account imports is as good as the site's, where it is answered.
    if (feed !== undefined && (api === undefined || isImported(feed))) facts.api = feed.external?.api ?? "";
    if (local === undefined) return { facts };
    if (local === "missing") return { facts: { ...facts, atSite: "missing" } };
    const { messages, last_seq } = local.info.state;
    facts.atSite = { messages, lastSeq: last_seq, created: local.info.created };
    if (feed === undefined) return { facts };
    if (hub !== undefined && hub !== "missing") {
      const ends = { onHub: hub.info, atSite: local.info };
      const remade = await isRemade(hub.js, ends, feed.seq, storedUnder(feed)).catch(() => undefined);
      if (remade !== undefined) facts.remade = remade;
    }
    const known = counts.filter((count) => count !== undefined);
    if (known.length < counts.length) return { facts };
    return { facts, count: known.reduce((sum, count) => sum + count, 0) };
  }

  private async waitingFor(feed: SourceInfo, local: StreamSeen | "missing" | undefined): Promise<number | undefined> {
    if (local === undefined || local === "missing") return undefined;
    return waiting(local.js, local.info, feed, takenBy(feed)).catch(() => undefined);
  }

  /** At its own port, or else over the hub and the link, as the site's account there. */
  private async atSite(name: string): Promise<StreamSeen | "missing" | undefined> {
    const { site, file } = this;
    if (site.url !== undefined && site.login !== undefined)
      return this.info(`stream ${name} at the site`, { url: site.url, tls: site.tls }, site.login, name);
    const login = file.accounts[site.account ?? ""];
    if (site.domain === undefined || login === undefined)
      return this.notGiven(
        `stream ${name} at the site (url and login, or domain and accounts.${site.account ?? "…"})`,
        undefined,
      );
    return this.info(`stream ${name} at the site`, file.hub, login, name, site.domain);
  }

  private async info(
    what: string,
    endpoint: { url: string; tls?: ForeignSite["tls"] },
    login: Login,
    name: string,
    domain?: string,
  ): Promise<StreamSeen | "missing" | undefined> {
    let connection: NatsConnection;
    try {
      connection = await this.logins.connection(endpoint, login);
      const js = new JetStream(connection, domain);
      const info = await js.stream(name);
      return info === undefined ? "missing" : { js, info };
    } catch (error) {
      // The rights of a link need not let it through: that is no mistake.
      if (domain !== undefined && isNoResponders(error))
        return this.notGiven(`${what} (nobody answers $JS.${domain}.API over the hub; give url and login)`, undefined);
      return this.unseen(what, error);
    }
  }
}

interface StreamSeen {
  js: JetStream;
  info: StreamInfo;
}

const lastOf = (local: StreamSeen | "missing" | undefined): number =>
  local === undefined || local === "missing" ? Infinity : local.info.state.last_seq;

function hubFacts({ created, state, config }: StreamInfo, source: SourceInfo | undefined): HubStreamFacts {
  const facts: HubStreamFacts = { messages: state.messages, lastSeq: state.last_seq, created };
  const { duplicate_window: window = 0, sources = [] } = config;
  if (window > 0 && sources.length > 0) facts.window = duration(window / NANOSECONDS_PER_MS);
  if (source === undefined) return facts;
  const { name, lag, active, seq, external, error } = source;
  facts.source = { name, lag, activeMs: active < 0 ? -1 : Math.round(active / NANOSECONDS_PER_MS) };
  if (seq !== undefined) facts.source.seq = seq;
  if (external !== undefined) facts.source.api = external.api;
  if (error !== undefined) facts.source.error = { code: error.err_code ?? 0, text: error.description ?? "" };
  return facts;
}

/** Without the commands of this program, which has no say over the fleet. */
const CURES: Partial<Record<DoctorFinding["code"], string>> = {
  "hub-down": "start the hub, or correct hub.url; its log says why it went",
  "site-down": "start the site's server, or say expect: offline; its log says why it went",
  "link-down":
    "read the site's log: with 'Authorization Violation' the hub does not know the key; check that the remote has the seed in 'nkey' (not in 'credentials'), and the hub's leafnode port in 'urls'",
  "stream-missing-at-site": "create it at the site, or correct its name in the file",
  "stream-missing-on-hub":
    "create it on the hub with the site as its source, or correct 'hub' and 'hubAccount' in the file",
  "source-missing": "add the site's stream to the sources of the hub's stream",
  "source-wrong-api":
    "set external.api of the source to '$JS.<domain of the site>.API', or correct 'domain' in the file",
  "site-store-rolled-back":
    "publish nothing important there yet: store as many empty messages in the site's stream as it is behind, on a subject that nobody reads, and purge those; what it stored since the loss has to be stored anew after them; set sync_interval: always at the site",
};

const REARM: readonly (FindingCode | DoctorFinding["code"])[] = ["source-silent", "source-waiting", "backlog-stuck"];

function cureOf({ code, next, stream = "" }: DoctorFinding, { streams }: ForeignSite): string {
  const known = CURES[code];
  if (known !== undefined) return known;
  if (REARM.includes(code)) {
    const onHub = streams.find(({ name }) => name === stream)?.hub ?? stream;
    return `after a restart wait 40 s; then update the hub's stream ${onHub} without this source, and again with it: its position is kept (a mirror starts anew with its server)`;
  }
  return next.replace(/ \(run 'pulumi up'\)/g, "").replace(/^run 'pulumi up'.*$/, "correct it there");
}

import { DoctorFinding } from "../diagnosis/facts/doctor-report";
import { SiteFacts } from "../diagnosis/facts/facts";
import { findingOf } from "../diagnosis/facts/finding";
import { present } from "../configs/values";
import { lookUntil } from "../machine/until";
import type { WatchedSite } from "./doctor";
import { FleetFile, ForeignSite, Login, hubUrls, siteOf } from "../configs/reading/fleet-file";
import { Logins } from "./doctor-logins";
import { Seen } from "./doctor-looks";
import { Asking, ServerSeen } from "./foreign-asking";
import { inForeignWords } from "../diagnosis/foreign/cures";
import {
  SiteLinks,
  closedWords,
  isPushedOut,
  judgedLinks,
  linkAccount,
  siteLinks,
  unlinkedLeader,
} from "../diagnosis/foreign/links";
import { sharedMessages } from "./foreign-sharing";
import { ForeignStreamLook, StreamLook } from "./foreign-streams";

/** Looks at a fleet that this program did not deploy, as far as the given logins reach. Read-only. */

/** Errors: a Refusal when a login is not available. */
export function foreignSites(file: FleetFile, logins: Logins): WatchedSite[] {
  const given = (where: string, login: Login | undefined) => (login === undefined ? [] : [[where, login] as const]);
  logins.check([
    ...given("hub.system", file.hub.system),
    ...Object.entries(file.accounts).map(([account, login]) => [`accounts.${account}`, login] as const),
    ...file.sites.flatMap(({ system, login, streams = [] }, i) => [
      ...given(`sites[${i}].system`, system),
      ...given(`sites[${i}].login`, login),
      ...streams.flatMap((stream, j) => given(`sites[${i}].streams[${j}].login`, stream.login)),
    ]),
  ]);
  return file.sites.map((site) => {
    let downward: ReadonlySet<string> = new Set();
    return {
      site: site.name,
      expect: site.expect,
      look: async () => {
        const look = new ForeignLook(file, site, logins);
        const seen = await look.seen();
        downward = look.downward;
        return seen;
      },
      reworded: (finding: DoctorFinding) => inForeignWords(finding, site, downward),
    };
  });
}

/** A source is heard each second. */
const HEARD_WITHIN_MS = 2_500;
const BETWEEN_LOOKS_MS = 200;

class ForeignLook {
  private readonly asking: Asking;
  /** Streams that the site takes from the hub. */
  readonly downward = new Set<string>();

  constructor(
    private readonly file: FleetFile,
    private readonly site: ForeignSite,
    logins: Logins,
  ) {
    this.asking = new Asking(logins);
  }

  async seen(): Promise<Seen> {
    const { file, site, asking } = this;
    const askedAt = Date.now();
    const [hub, upstream, leaf] = await this.servers();
    const servers = { hub, leaf };
    const streams = await Promise.all(
      (site.streams ?? []).map((stream) => new ForeignStreamLook(file, site, stream, asking, servers).seen()),
    );
    if (site.streams === undefined) asking.lacks("any stream (streams)");
    for (const { facts, isDownward } of streams) if (isDownward) this.downward.add(facts.name);
    const all = siteLinks(site, file.sites, upstream, leaf);
    const links = await this.links(all, upstream, streams, askedAt);
    const facts = this.facts({ hub, upstream, leaf }, all, links, streams);
    const atSite = streams.flatMap((stream) => stream.atSite ?? []);
    const shared = await sharedMessages(file, site, atSite, asking).catch(() => []);
    // What a finding explains is not unseen as well.
    const isDown = facts.hub.unreachable !== undefined || facts.leaf.unreachable !== undefined;
    return {
      facts,
      ...(links === undefined ? {} : { links: links.map(({ account }) => account) }),
      waiting: Object.fromEntries(streams.map(({ facts: { name }, count }) => [name, count])),
      found: [...streams.flatMap((stream) => [...this.unlinked(all, stream), ...stream.found]), ...shared],
      unseen: isDown || links?.length === 0 ? [] : asking.unseen,
      notGiven: asking.notGiven,
    };
  }

  /** The hub, where the site's link ends, and the site. */
  private async servers(): Promise<[hub: ServerSeen, upstream: ServerSeen, leaf: ServerSeen]> {
    const { file, site, asking } = this;
    const what = "links and their accounts (hub.system)";
    const hub = asking.server("the hub", what, { ...file.hub, urls: hubUrls(file) }, file.hub.system);
    const leaf = this.serverOf(site, "the site", "the site's own links (system)", "the site's own server (url)");
    const region = siteOf(file, site.via);
    const ofRegion = `links at ${site.via} (its url and system)`;
    const upstream = region === undefined ? hub : this.serverOf(region, `site ${region.name}`, ofRegion, ofRegion);
    return Promise.all([hub, upstream, leaf]);
  }

  private async serverOf(
    { url, tls, system }: ForeignSite,
    who: string,
    what: string,
    whole: string,
  ): Promise<ServerSeen> {
    if (url !== undefined) return this.asking.server(who, what, { urls: [url], tls }, system);
    this.asking.lacks(whole);
    return { names: [], hasAllNames: false };
  }

  /** The site's links; undefined when nobody can tell. A site whose messages come in has one, whatever its name. */
  private async links(
    { own, unclaimed, isSure }: SiteLinks,
    upstream: ServerSeen,
    streams: readonly StreamLook[],
    askedAt: number,
  ): Promise<{ account: string }[] | undefined> {
    if (own !== undefined && own.length > 0) return own;
    if (own === undefined && upstream.unreachable === undefined) return undefined;
    const isHeard = () =>
      Promise.all(streams.map((stream) => stream.isHeardSince(askedAt).catch(() => false))).then((heard) =>
        heard.some(Boolean),
      );
    const look = { within: HEARD_WITHIN_MS, every: BETWEEN_LOOKS_MS };
    if (streams.length > 0 && (await lookUntil(isHeard, Boolean, look))) {
      if (unclaimed.length !== 1) this.asking.lacks("which of the links is the site's (servers, or via)");
      const account = linkAccount(this.site);
      return account === undefined ? undefined : [{ account }];
    }
    if (isSure || unclaimed.length === 0 || streams.length > 0) return [];
    return this.asking.lacks("which of the links is the site's (servers)");
  }

  private unlinked({ own }: SiteLinks, { facts: { name, onHub }, leader }: StreamLook): DoctorFinding[] {
    const activeMs = onHub === undefined || onHub === "missing" ? 0 : (onHub.source?.activeMs ?? 0);
    const finding = unlinkedLeader(own, leader, activeMs >= 0 && activeMs <= HEARD_WITHIN_MS);
    const symptom = `stream ${name} does not reach the hub`;
    if (finding === undefined) return [];
    const { code, ...draft } = finding;
    return [findingOf(code, draft, { site: this.site.name, stream: name, symptom })];
  }

  /** The facts in the words of the diagnosis; what nobody can know is put so that no rule fits it. */
  private facts(
    { hub, upstream, leaf }: { hub: ServerSeen; upstream: ServerSeen; leaf: ServerSeen },
    { unclaimed }: SiteLinks,
    links: readonly { account: string }[] | undefined,
    streams: readonly StreamLook[],
  ): SiteFacts {
    const { site, file } = this;
    const account = linkAccount(site) ?? links?.[0]?.account ?? "";
    const opened = leaf.links?.filter(({ is_spoke: isOpenedHere }) => isOpenedHere !== false);
    const named = (links ?? []).map((link) => ({ name: "", ...link }));
    const judged = links === undefined ? undefined : judgedLinks(named, account, opened?.length);
    const isRightOnHub = judged === undefined || judged.every((link) => link.account === account);
    // Each end has its own name for the account; the site's end is judged once the hub's is right.
    const byLocalName = isRightOnHub && site.localAccount !== undefined;
    const declared = byLocalName ? (site.localAccount ?? account) : account;
    const local = (opened ?? []).map((link) => ({ account: link.account }));
    const right = local.filter((link) => link.account === site.localAccount);
    const linked = (judged ?? [{ account }]).map((link) => ({ account: byLocalName ? declared : link.account }));
    const notLinked = links?.length === 0 ? this.notLinked(upstream, leaf, unclaimed) : undefined;
    return {
      site: site.name,
      declared: {
        account: declared,
        domain: this.domain(leaf, streams),
        hubDomain: file.hub.domain ?? hub.domain ?? "",
        linkKey: "",
      },
      failedSteps: [],
      hub: {
        ...present({ unreachable: hub.unreachable, domain: hub.domain, upMs: hub.upMs, notLinked }),
        ...(isPushedOut(upstream.closed ?? [], this.names(leaf)) ? { replaced: true } : {}),
        links: linked,
      },
      leaf: {
        ...present({ unreachable: leaf.unreachable, domain: leaf.domain }),
        links: byLocalName ? (right.length > 0 ? right.slice(0, 1) : local) : [],
        errors: [],
      },
      streams: streams.map(({ facts }) => facts),
    };
  }

  /** Where the hub's source asks the domain that the site has, that is the right one, whatever the file says. */
  private domain({ domain }: ServerSeen, streams: readonly StreamLook[]): string {
    const asked = streams.some(({ facts }) => facts.api === `$JS.${domain}.API` && facts.onHub !== undefined);
    return (asked ? domain : undefined) ?? this.site.domain ?? domain ?? "";
  }

  private names = ({ names }: ServerSeen): string[] => [
    ...new Set([...(this.site.servers ?? [this.site.name]), ...names]),
  ];

  /** What is seen of a link that is not there. */
  private notLinked(upstream: ServerSeen, leaf: ServerSeen, unclaimed: readonly string[]): string {
    const { site } = this;
    const where = site.via === undefined ? "hub" : `region ${site.via}`;
    if (upstream.unreachable !== undefined) return `the region's server does not answer: ${upstream.unreachable}`;
    const names = this.names(leaf);
    const closed = closedWords(upstream.closed ?? [], names);
    const others = `; links there under names that the file does not have: ${unclaimed.join(", ")} (say servers where one is the site's)`;
    return [
      `${where} /leafz has no ${names.join(", ")}`,
      closed === undefined ? "" : `; ${where} ${closed}`,
      unclaimed.length === 0 ? "" : others,
    ].join("");
  }
}

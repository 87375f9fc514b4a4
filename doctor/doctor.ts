import { setTimeout as sleep } from "node:timers/promises";
import { siteStreamName } from "../configs/names";
import { blockingFinding } from "../diagnosis/diagnose";
import { SiteFacts } from "../diagnosis/facts/facts";
import { atHub, atSite, sourceInfoOf, waiting } from "../fleet/sourcing/collected";
import { Seen, SiteLooks } from "./doctor-looks";
import { DoctorFinding, DoctorReport, SiteReport, Unseen, statusOf } from "../diagnosis/facts/doctor-report";
import { sideBySide } from "../machine/side-by-side";
import { observe } from "../fleet/observation/observe";
import type { Observed } from "../fleet/observation/observed";

/** Looks at a running fleet and says how it is. Strictly read-only: it publishes no message and changes nothing. */

/** A site, and how it is looked at. */
export interface WatchedSite {
  site: string;
  expect: "online" | "offline";
  /** Never throws: what cannot be read is a fact too. */
  look(): Promise<Seen>;
  /** The finding in the words of its fleet, where the program's own commands do not help. */
  reworded?(finding: DoctorFinding): DoctorFinding;
}

const PAUSE_MS = 1_000;
/** What has been wrong for so long does not pass by itself: a link comes back within a second, its sources soon after. */
const STANDS_MS = 4_000;

/** Looks until all is good, or has been wrong for a while; never ends by itself when what is seen keeps changing. */
async function examine({ look }: WatchedSite, looks: SiteLooks, isOver: () => boolean): Promise<void> {
  for (;;) {
    const seen = await look();
    if (isOver()) return;
    looks.add(seen, Date.now());
    if (looks.isSettled(Date.now(), STANDS_MS)) return;
    await sleep(PAUSE_MS, undefined, { ref: false });
  }
}

async function reportOn(site: WatchedSite, timeoutMs: number): Promise<SiteReport> {
  const looks = new SiteLooks(site.site, site.expect === "offline");
  let over = false;
  const timer = new AbortController();
  const timeout = sleep(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([examine(site, looks, () => over), timeout]);
  over = true;
  timer.abort();
  const report = looks.report(`no answer within ${timeoutMs / 1000} s`);
  const { reworded } = site;
  return reworded === undefined ? report : { ...report, findings: report.findings.map(reworded) };
}

/** So many sites at a time: each costs a few connections, and one that hangs costs the whole time. */
const AT_ONCE = 200;

/** Resolves within the time, whatever hangs. */
export async function examineFleet(sites: readonly WatchedSite[], timeoutMs: number): Promise<DoctorReport> {
  const reports = await sideBySide(sites, (site) => reportOn(site, timeoutMs), AT_ONCE);
  return { status: statusOf(reports), sites: reports };
}

/** A site of a fleet that this program deployed. */
export const deployedSite = (observed: Observed): WatchedSite => ({
  site: observed.access.site,
  expect: observed.access.expect,
  look: async () => {
    const facts = await observe(observed);
    return {
      facts,
      links: facts.hub.links.map(({ account }) => account),
      waiting: await waitingOf(observed, facts),
      unseen: unansweredOf(facts),
      notGiven: [],
    };
  },
});

/** What did not answer and no finding explains. */
export function unansweredOf(facts: SiteFacts): Unseen[] {
  if (blockingFinding(facts) !== undefined) return [];
  return facts.streams.flatMap(({ name, collectedAs, atSite: local, onHub }) => [
    ...(local === undefined ? [{ what: `stream ${name} at the site`, why: "its JetStream does not answer" }] : []),
    ...(onHub === undefined ? [{ what: `hub stream ${collectedAs}`, why: "the hub's JetStream does not answer" }] : []),
  ]);
}

async function waitingOf({ access, streams }: Observed, facts: SiteFacts): Promise<Seen["waiting"]> {
  const counts = facts.streams.map(async (seen, i) => {
    const { name, atSite: local, onHub } = seen;
    const stream = streams[i];
    if (stream === undefined || local === undefined || local === "missing") return [name, undefined] as const;
    if (onHub === undefined || onHub === "missing" || onHub.source === undefined) return [name, undefined] as const;
    if ((onHub.source.seq ?? 0) >= local.lastSeq) return [name, 0] as const;
    // Purged probes leave a gap behind the hub's position that is no backlog.
    const count = async () => {
      const [hub, js] = await Promise.all([atHub(access, stream), atSite(access)]);
      const source = sourceInfoOf(await hub.stream(stream.name), access.site);
      const info = await js.stream(siteStreamName(stream, access.site));
      return info === undefined ? undefined : waiting(js, info, source);
    };
    return [name, await count().catch(() => undefined)] as const;
  });
  return Object.fromEntries(await Promise.all(counts));
}

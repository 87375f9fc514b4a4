import { unpacked } from "./packed";
import { present } from "../../configs/values";
import { siteStreamName } from "../../configs/names";
import { ProbeSettings, StreamSettings } from "../../configs/settings";
import { SiteAccess } from "../sourcing/collected";
import { blockingFinding, diagnose } from "../../diagnosis/diagnose";
import { AccountLooks, endsOf } from "./ends";
import { cannotTest } from "./isolation";
import { Proved, SmokeTestInputs, SmokeTestOutputs, SmokeTestSite } from "./job";
import { observeSettled } from "../observation/observe";
import type { Observed } from "../observation/observed";
import { sinceRestore } from "./restored";
import { recordOf } from "./record";
import { Decision, Job, StandInRoom, decide, demandOf } from "./room";

/** What a run of the test looks at before its first probe: every site, and the room that all of them have together. */

export const accessOf = (
  { hub, secrets }: SmokeTestInputs,
  { site, expect, url, throughHub }: SmokeTestSite,
): SiteAccess => ({
  ...(throughHub === true ? { throughHub } : {}),
  site,
  expect,
  url,
  hubUrl: hub.url,
  operator: secrets.sites[site]?.operator ?? "",
  hubOperator: secrets.hubOperator,
});

export const keyOf = ({ site }: SmokeTestSite, stream: StreamSettings): string => `${site}/${stream.name}`;

/** One run of the test. */
export interface Run {
  runId: string;
  olds: SmokeTestOutputs | undefined;
  /** Sites that changed since they were proven: they are tested in full, the others by one probe. */
  touched: ReadonlySet<string>;
  looks: AccountLooks;
}

/** A site before its probes are sent. */
export interface Candidate {
  site: SmokeTestSite;
  observed: Observed;
  isTouched: boolean;
  /** Its result, if already known: none of its data can reach the hub. */
  blocked?: Proved;
  /** By name of the stream at the site; absent where a stream is missing. */
  jobs: Record<string, Job>;
}

export const cannotProve = (site: SmokeTestSite, error: unknown): Proved => ({
  site,
  probes: {},
  findings: [cannotTest(site.site, "sourcing", error)],
  isReachable: false,
});

/** A site as it is observed. */
export const observedOf = (
  inputs: SmokeTestInputs,
  site: SmokeTestSite,
  olds: SmokeTestOutputs | undefined,
): Observed => ({
  access: accessOf(inputs, site),
  stack: inputs.stack,
  root: inputs.root,
  place: site.place,
  ...present({ hubPlace: inputs.hub.place, hubServers: inputs.hub.servers }),
  application: inputs.secrets.sites[site.site]?.application ?? "",
  ...present({ maxPayload: site.maxPayload }),
  system: inputs.secrets.system,
  hubDomain: inputs.hub.name,
  linkSeed: inputs.secrets.sites[site.site]?.link ?? "",
  streams: inputs.streams,
  before: Object.fromEntries(
    inputs.streams.map((stream) => [
      siteStreamName(stream, site.site),
      sinceRestore(recordOf(olds, site.site, stream), { root: inputs.root, stream, site: site.site }),
    ]),
  ),
  probes: {},
  ...present({ booked: unpacked(olds?.proven.book) }),
  ...(inputs.sites.find(({ expect }) => expect === "online") === site ? present({ watcher: inputs.watcher }) : {}),
});

/** Looks at a site before its probes are sent; one that nothing happened to since its last proof only afterwards. */
export async function lookAt(inputs: SmokeTestInputs, site: SmokeTestSite, run: Run): Promise<Candidate> {
  const { olds, touched } = run;
  const observed = observedOf(inputs, site, olds);
  const { access } = observed;
  const candidate: Candidate = { site, observed, isTouched: touched.has(site.site), jobs: {} };
  try {
    if (candidate.isTouched) {
      const facts = await observeSettled(observed, inputs.probes.timeout);
      const { unreachable, application: granted } = facts.leaf;
      const isReachable =
        facts.hub.unreachable === undefined && unreachable === undefined && granted?.refused === undefined;
      if (blockingFinding(facts) !== undefined)
        return { ...candidate, blocked: { site, probes: {}, findings: diagnose(facts), isReachable } };
    }
    for (const stream of inputs.streams) {
      const ends = await endsOf(access, stream, observed, run.looks);
      const [key, demand] = [keyOf(site, stream), demandOf(settingsFor(inputs, candidate), hasBurst(site, run))];
      if (ends !== undefined) candidate.jobs[siteStreamName(stream, site.site)] = { key, demand, ends };
    }
    return candidate;
  } catch (error) {
    return { ...candidate, blocked: cannotProve(site, error) };
  }
}

export const settingsFor = ({ probes }: SmokeTestInputs, { isTouched }: Pick<Candidate, "isTouched">): ProbeSettings =>
  isTouched ? probes : { ...probes, count: 1 };

/** The burst follows only after a change of the site's own declaration. */
export const hasBurst = ({ site, declared }: SmokeTestSite, { olds }: Run): boolean =>
  olds?.declared[site] !== declared;

/** What the whole run may store, and where. */
export interface RunRoom {
  decisions: ReadonlyMap<string, Decision>;
  standIns: StandInRoom;
}

export function roomOf(candidates: readonly Candidate[], timeout: number): RunRoom {
  const jobs = candidates.flatMap((candidate) => Object.values(candidate.jobs));
  return { decisions: decide(jobs, timeout), standIns: new StandInRoom(jobs) };
}

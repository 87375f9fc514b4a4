import { siteStreamName } from "../../../configs/names";
import { isWatched } from "../../../configs/watch/watch";
import { Finding, diagnose } from "../../../diagnosis/diagnose";
import { deployedSite, examineFleet } from "../../../doctor/doctor";
import { DoctorReport, SiteReport } from "../../../diagnosis/facts/doctor-report";
import { observeSettled } from "../../../fleet/observation/observe";
import type { Observed } from "../../../fleet/observation/observed";
import { TestFleet } from "./fleet";
import { recordOf } from "../../../fleet/proof/record";

/** A fleet as the doctor and the repair get it from the state of its stack. */

export function observedOf(fleet: TestFleet): Observed[] {
  const { hub, settings, root, lastProof } = fleet;
  return settings.sites.map(({ name: site, maxPayload }, i): Observed => {
    const { seeds, folder } = fleet.site(site);
    const before = settings.streams.map((stream) => [siteStreamName(stream, site), recordOf(lastProof, site, stream)]);
    return {
      access: fleet.accessAt(site),
      stack: fleet.stack,
      root,
      place: { kind: "process", folder },
      hubPlace: { kind: "process", folder: hub.folder },
      application: seeds.application,
      maxPayload,
      system: hub.seeds.system,
      hubDomain: settings.hub.name,
      linkSeed: seeds.link,
      streams: settings.streams,
      before: Object.fromEntries(before) as Observed["before"],
      probes: {},
      ...(i === 0 && isWatched(settings) ? { watcher: fleet.watcherPlace } : {}),
    };
  });
}

/** One site as it is observed. */
export function observedAt(fleet: TestFleet, site: string): Observed {
  const found = observedOf(fleet).find(({ access }) => access.site === site);
  if (found === undefined) throw new Error(`${site} is not a site of this fleet`);
  return found;
}

/** What a look finds that sends nothing, and knows of no earlier one. */
export const lookAt = async (fleet: TestFleet, site: string): Promise<Finding[]> =>
  diagnose(await observeSettled({ ...observedAt(fleet, site), before: {} }, 5_000));

export const examined = (fleet: TestFleet, timeoutMs = 15_000): Promise<DoctorReport> =>
  examineFleet(observedOf(fleet).map(deployedSite), timeoutMs);

/** `oslo: link-down`, one line a finding, sorted. */
export const codesIn = ({ sites }: DoctorReport): string[] =>
  sites.flatMap(({ site, findings }) => findings.map(({ code }) => `${site}: ${code}`)).sort();

export function siteIn({ sites }: DoctorReport, site: string): SiteReport {
  const found = sites.find((one) => one.site === site);
  if (found === undefined) throw new Error(`the report has no ${site}`);
  return found;
}

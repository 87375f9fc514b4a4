import { isNamed } from "../configs/names";
import { maskSeeds } from "../configs/seeds";
import type { WatchedSite } from "../doctor/doctor";
import { deployedSite, examineFleet } from "../doctor/doctor";
import type { DoctorReport } from "../diagnosis/facts/doctor-report";
import { closeShared } from "../servers/nats/connection";
import { ACCEPTS, Accept, repairSite } from "../doctor/repair/repair";
import type { Deployment } from "./stack/pending";
import { doctorWords } from "./words/doctor-words";
import { fleetOf } from "./state/fleet-state";
import type { Say } from "../machine/progress";
import { Refusal } from "../machine/refusal";
import { lookUntil } from "../machine/until";

// What `make repair SITE=… [STREAM=…] [ACCEPT=…]` does with the state of a stack.

export interface RepairRequest {
  site: string;
  /** Absent for all streams of the site. */
  stream?: string;
  accept: string;
  /** The note to record with the acknowledgement; may be empty. */
  note: string;
}

const SETTLES_WITHIN_MS = 30_000;

/** Errors: a Refusal when something has to be accepted first, or cannot be repaired here. */
export async function repair(
  state: Deployment,
  { stack, projectFolder }: { stack: string; projectFolder: string },
  { site, stream, accept, note }: RepairRequest,
  say: Say,
): Promise<number> {
  const fleet = fleetOf(state, stack, projectFolder);
  const observed = fleet.find(({ access }) => access.site === site);
  if (observed === undefined) {
    const there = fleet.map(({ access }) => access.site).join(", ");
    throw new Refusal(
      `make repair: ${site === "" ? "name a site" : `there is no site ${site}`}: SITE=…, one of ${there}`,
    );
  }
  if (observed.access.expect === "offline")
    throw new Refusal(`site ${site}: declared offline; there is nothing to repair until it is deployed`);
  const streams = observed.streams.filter((one) => stream === undefined || isNamed(one, site, stream));
  if (streams.length === 0) {
    const there = observed.streams.map(({ name }) => name).join(", ");
    throw new Refusal(`make repair: there is no stream ${stream ?? ""}: STREAM=…, one of ${there}`);
  }
  if (accept !== "" && !isAccept(accept))
    throw new Refusal(`make repair: ACCEPT=${accept} is not known; use one of ${ACCEPTS.join(", ")}`);
  try {
    await repairSite({ observed, streams, note, say, ...(accept === "" ? {} : { accept }) });
    const report = await untilGood(deployedSite(observed));
    console.log(doctorWords(report));
    return report.status === "error" || report.status === "unknown" ? 1 : 0;
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(maskSeeds(error.message)) : error;
  } finally {
    void closeShared();
  }
}

const isAccept = (word: string): word is Accept => (ACCEPTS as readonly string[]).includes(word);

/** Looks until the site is good and has delivered everything, or the time is over. */
async function untilGood(site: WatchedSite): Promise<DoctorReport> {
  const deadline = Date.now() + SETTLES_WITHIN_MS;
  return await lookUntil(
    () => examineFleet([site], Math.max(1_000, Math.min(15_000, deadline - Date.now()))),
    ({ sites }) => !sites.some(({ verdict }) => verdict === "catching up" || verdict === "error"),
    { within: SETTLES_WITHIN_MS, every: 500 },
  );
}

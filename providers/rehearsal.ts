import { setTimeout as sleep } from "node:timers/promises";
import { placementOf } from "../configs/placement";
import { Settings } from "../configs/settings";
import { digest } from "../machine/digest";
import { Failure, failure } from "../fleet/streams/moves";
import { NatsServer } from "../servers/nats-server-binary";
import { closeShared } from "../servers/nats/connection";
import { Refusal, messageOf } from "../machine/refusal";
import { clearLeftBehind, inRehearsalFolder } from "./rehearsal/rehearsal-folder";
import { hasPassed, notePassed } from "./rehearsal/rehearsal-memory";
import { RehearsalPlan, deployedBefore, planRehearsal } from "./rehearsal/rehearsal-plan";
import { captureReports, report } from "../machine/report";
import { ScratchFleet } from "./rehearsal/scratch-fleet";
import { unproven } from "../fleet/observation/unproven";

/**
 * The rehearsal: before anything is touched, the hub and the changed sites as planned run on loopback with throwaway
 * keys, ports and stores; they are brought up as the real ones will be, from what is deployed to what is planned, and
 * the smoke test runs against them. What the rules cannot know, the real server says here first.
 */

export interface Rehearsal {
  /** The stack's folder. */
  root: string;
  /** What is deployed; undefined where nothing is. */
  olds: Settings | undefined;
  news: Settings;
  binary: NatsServer;
}

/** The outcome: how many probes arrived, or what was found, or why it could not be tried. */
type Outcome = { probes: number } | { finding: string } | { unable: string };

const STACK = "rehearsal";

const GRACE_MS = 15_000;
const LONGEST_MS = 60_000;

/** What servers say when the machine is at fault, not the plan. */
const OF_THE_MACHINE = /is taken by a process|address already in use|does not serve after|no space left/i;

async function outcomeOf(work: Promise<number>): Promise<Outcome> {
  try {
    return { probes: await work };
  } catch (error) {
    const said = messageOf(error);
    return error instanceof Refusal && !OF_THE_MACHINE.test(said) ? { finding: said } : { unable: said };
  }
}

/** Brings the fleet to each of the settings, one after the other, and proves it. Resolves with the probes that arrived. */
async function perform(folder: string, stages: readonly Settings[], chosen: readonly string[]): Promise<Outcome> {
  const [first] = stages;
  if (first === undefined) return { probes: 0 };
  const fleet = new ScratchFleet(first, folder, STACK, (site) => chosen.includes(site));
  const unable = await fleet.identify().then(
    () => undefined,
    (error: unknown) => ({ unable: messageOf(error) }),
  );
  if (unable !== undefined) return unable;
  let isLate = false;
  const work = async () => {
    for (const settings of stages) if (!isLate) await fleet.bring(settings);
    if (isLate) return 0;
    const { proof } = await fleet.runSmokeTest();
    return proof.reduce((sum, { messages }) => sum + messages, 0);
  };
  const late = sleep(LONGEST_MS, { unable: `it did not finish within ${LONGEST_MS / 1000} s` }, { ref: false });
  const outcome = outcomeOf(work());
  try {
    return await Promise.race([outcome, late]);
  } finally {
    isLate = true;
    // What still starts a server cannot be taken down.
    await Promise.race([outcome, sleep(GRACE_MS, undefined, { ref: false })]);
    await closeShared(fleet.urls);
  }
}

/** Bytes that the probes of a rehearsal store at both ends. */
const bytesOf = ({ settings: { probes, streams }, chosen }: RehearsalPlan): number =>
  2 * chosen.length * streams.length * (probes.burst + probes.burstMessage + probes.count * 512);

async function tryOut(root: string, plan: RehearsalPlan): Promise<Outcome> {
  const attempt = (stages: readonly Settings[]): Promise<Outcome> =>
    inRehearsalFolder(root, bytesOf(plan), (folder) => captureReports([], () => perform(folder, stages, plan.chosen)));
  // After a failed update the deployed fleet is unknown: only a proven fleet is as its settings say.
  const before = unproven(root).length > 0 ? undefined : deployedBefore(plan);
  if (before === undefined) return attempt([plan.settings]);
  const changed = await attempt([before, plan.settings]);
  if (!("finding" in changed)) return changed;
  const fromNothing = await attempt([plan.settings]);
  if (!("probes" in fromNothing)) return fromNothing;
  const cure =
    "the settings are good for a new fleet, but the deployed one cannot change to them in one update; make two";
  return {
    finding: `${changed.finding}\n  ${cure}: first the change that frees room or subjects, then the one that uses them`,
  };
}

/** The servers in containers run the nats-server of their image. */
function otherVersion(settings: Settings, { version }: NatsServer): string {
  const inDocker = [settings.hub, ...settings.sites].some((server) => placementOf(settings, server).kind === "docker");
  if (!inDocker || settings.docker.image.includes(version)) return "";
  return `; with nats-server ${version}, and the containers run ${settings.docker.image}`;
}

const sitesWords = ({ settings, chosen, concerned }: RehearsalPlan): string => {
  const others = concerned === chosen.length ? "" : `, ${chosen.length} of ${concerned} sites that change,`;
  return `${[settings.hub.name, ...chosen].join(", ")}${others}`;
};

const WAY_OUT = "nothing of the fleet was touched; 'rehearsal: off' would go on without a rehearsal";

/** Why the change is refused; empty when it passed, or cannot be rehearsed. */
export async function rehearse({ root, olds, news, binary }: Rehearsal): Promise<Failure[]> {
  await clearLeftBehind(root);
  const plan = news.rehearsal === "off" ? undefined : planRehearsal(olds, news);
  if (plan === undefined) return [];
  const key = digest([plan, binary]);
  if (hasPassed(root, key)) return [];
  const started = performance.now();
  const outcome = await tryOut(root, plan).catch((error: unknown): Outcome => ({ unable: messageOf(error) }));
  if ("probes" in outcome) {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    report(
      `rehearsal: ${sitesWords(plan)} on loopback: ${outcome.probes} probes arrived in ${seconds} s${otherVersion(news, binary)}`,
      { kind: "rehearsed" },
    );
    notePassed(root, key);
    return [];
  }
  if ("finding" in outcome) {
    const where = `${sitesWords(plan)} on loopback, as planned${otherVersion(news, binary)}`;
    return [failure("rehearsal", `rehearsal: ${where}: ${outcome.finding}\n  ${WAY_OUT}`)];
  }
  const reason = `rehearsal: this change could not be rehearsed: ${outcome.unable}`;
  if (news.rehearsal === "required") return [failure("rehearsal", `${reason}; 'rehearsal: required' refuses it`)];
  report(`${reason}; going on without a rehearsal`);
  return [];
}

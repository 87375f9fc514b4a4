import { setTimeout as sleep } from "node:timers/promises";
import { Access, shared } from "./nats/connection";
import { Varz, varz } from "./nats/system";
import { whyTooOld } from "./nats-server-binary";
import { writtenCertificates } from "./files/link-tls";
import { Refusal, messageOf } from "../machine/refusal";
import { NOT_RUNNING, Fault, report } from "../machine/report";
import { Applied, fileChanges, noteCertificates, reloadTo, writtenDigest } from "./server-config";
import { lastErrors, whyItEnded } from "./server-end";
import { CONFIG_FILE, ServerFiles } from "./files/server-files";
import { hostOf } from "./hosts";
import type { Listeners, Place, ProcessState, ServerHost } from "./server-host";
import { storeState } from "./store-state";
import { failedStoreCure, shownRoom, takesNothing } from "../diagnosis/store-rules";
import { lookUntil, tryAgain } from "../machine/until";

/** The life of a nats-server, wherever it runs: changed by reload where the server can, by restart where it must. */

/** Whether the server there runs, as far as that can be seen now. */
export const isRunning = (place: Place): Promise<boolean> =>
  hostOf(place)
    .isRunning()
    .catch(() => true);

export interface Server {
  name: string;
  host: ServerHost;
  listeners: Listeners;
  /** Its system account. */
  access: Access;
}

/** What was done to bring the server to its configuration. */
export type Outcome = "started" | "restarted" | "reloaded" | "unchanged";

const START_TIMEOUT_MS = 10_000;

/** An image brings a nats-server of its own, whose version is unknown until it runs. */
function refuseOlder({ name, host }: Server, { version }: Varz): void {
  const why = whyTooOld(version);
  if (why !== undefined) throw new Refusal(`${name}: its nats-server ${why}; ${host.versionCure}`);
}

async function start(server: Server, digest: string): Promise<void> {
  const { name, host, listeners, access } = server;
  await host.refuseUnstartable(name, listeners, false);
  const { exitCode } = await host.start();
  const look = async (): Promise<Varz | string> => {
    const exit = await exitCode();
    if (exit !== undefined)
      throw new Refusal(`${name}: nats-server exited at start (exit code ${exit})${await lastErrors(host)}`);
    const running = await shared(access).then(varz).catch(messageOf);
    if (typeof running !== "string") refuseOlder(server, running);
    return running;
  };
  const serves = (seen: Varz | string): boolean => typeof seen !== "string" && seen.config_digest === digest;
  const seen = await lookUntil(look, serves, { within: START_TIMEOUT_MS, every: 10 });
  if (serves(seen)) return await noteCertificates(await host.files());
  const last = typeof seen === "string" ? seen : `it runs another configuration (${seen.config_digest})`;
  throw new Refusal(
    `${name}: nats-server does not serve after ${START_TIMEOUT_MS / 1000} s: ${last}${await lastErrors(host)}`,
  );
}

/** Resumes a server that was stopped (frozen): otherwise it does not answer. */
export async function resumeFrozen(name: string, host: ServerHost): Promise<void> {
  if ((await host.state()) !== "frozen") return;
  report(`${name}: its process was stopped (frozen); resumed it`);
  await host.thaw();
}

/**
 * Brings the server to the configuration in its file, whose digest is `digest`: starts it when it is not running (an
 * interrupted start is adopted), reloads it otherwise, and restarts it when `mustRestart` or the server says so.
 */
export async function bringUp(server: Server, digest: string, mustRestart: boolean): Promise<Outcome> {
  const { name, host, listeners } = server;
  if (!(await host.isRunning())) {
    await start(server, digest);
    return "started";
  }
  await resumeFrozen(name, host);
  if (!mustRestart && (await hasFailedStore(server))) mustRestart = true;
  if (!mustRestart) {
    const applied = await reloaded(server, digest).catch((error: unknown) => {
      if (error instanceof Refusal) throw error;
      return "restart needed" as const; // It runs but does not answer: only a restart is left.
    });
    if (applied !== "restart needed") return applied;
  }
  await host.refuseUnstartable(name, listeners, true);
  await host.stop();
  await start(server, digest);
  return "restarted";
}

/** What a failed store reports, with its cure; undefined when it did not fail, or that is unknown. */
async function failedStore({
  host,
  access,
}: Pick<Server, "host" | "access">): Promise<{ words: string; cure: string; isHopeless: boolean } | undefined> {
  const state = await shared(access)
    .then((connection) => storeState(connection, host))
    .catch(() => undefined);
  if (state?.storeFailure === undefined) return undefined;
  const { storeFailure, room } = state;
  const words = `has a store that failed (${storeFailure}${takesNothing(room) ? `; ${shownRoom(room)}` : ""})`;
  return { words, cure: failedStoreCure(room), isHopeless: takesNothing(room) };
}

/** Whether only a restart repairs the store. Errors: a Refusal while its disk is not writable: the store would fail again. */
async function hasFailedStore(server: Server): Promise<boolean> {
  const failed = await failedStore(server);
  if (failed?.isHopeless === true) throw new Refusal(`${server.name}: it ${failed.words}; ${failed.cure}`);
  if (failed !== undefined) report(`${server.name}: it ${failed.words}; restarting it`);
  return failed !== undefined;
}

/** Time in which a link comes back after the hub was restarted. */
const LINK_BACK_MS = 2_000;

/** What the server says of itself. One that is reached through the hub gets time: its link may be on its way back. */
const answerOf = (access: Access, patienceMs: number): Promise<Varz> =>
  tryAgain(
    async () => varz(await shared(access)),
    () => access.site !== undefined,
    { within: patienceMs, every: 50 },
  );

async function reloaded(server: Server, digest: string): Promise<Applied> {
  const { host, access } = server;
  refuseOlder(server, await answerOf(access, LINK_BACK_MS));
  return await reloadTo(digest, await host.files(), access);
}

/** Longer than a busy machine takes to answer. */
const LOOK_TIMEOUT_MS = 3_000;

/** Why a server that is gone exited on its own, in brackets. */
async function ended(host: ServerHost): Promise<string> {
  const end = await whyItEnded(host).catch(() => undefined);
  return end === undefined ? "" : ` (${end.said})`;
}

const inBrackets = (words: readonly string[]): string => (words.length === 0 ? "" : ` (${words.join("; ")})`);

/**
 * Why the server is not as it was left, for a preview: dead, without answer, changed by hand, running another
 * configuration, with a store that failed. undefined when it is as it should be. Bounded to some seconds.
 */
export async function whatIsWrong(
  { host, access }: Pick<Server, "host" | "access">,
  isExpected: (config: string, files: ServerFiles) => boolean,
  certificates = "",
): Promise<Fault | undefined> {
  const state = await host.state();
  if (state === "gone") return { ...NOT_RUNNING, what: `${NOT_RUNNING.what}${await ended(host)}` };
  const what = await whatIsOther({ host, access }, state, isExpected, certificates);
  return what === undefined ? undefined : { what, isDead: false };
}

async function whatIsOther(
  { host, access }: Pick<Server, "host" | "access">,
  state: ProcessState,
  isExpected: (config: string, files: ServerFiles) => boolean,
  certificates: string,
): Promise<string | undefined> {
  if (state === "frozen") return "is stopped (frozen) and does not answer";
  const files = await host.files();
  const text = files.read(CONFIG_FILE);
  if (text === undefined) return "has lost its configuration file";
  if (!isExpected(text, files))
    return `has a configuration file that was changed by hand${inBrackets(fileChanges(files))}`;
  if (writtenCertificates(files) !== certificates) return "has certificates that were changed by hand";
  const late = sleep(LOOK_TIMEOUT_MS, undefined, { ref: false }).then(() => undefined);
  const running = await Promise.race([answerOf(access, LOOK_TIMEOUT_MS), late]).catch(() => undefined);
  if (running === undefined) return "runs but does not answer";
  if (running.config_digest !== writtenDigest(files)) return "does not run the configuration in its file";
  const failed = await Promise.race([failedStore({ host, access }), late]);
  return failed === undefined ? undefined : `${failed.words}${failed.isHopeless ? `: ${failed.cure}` : ""}`;
}

import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { makeFolder, readText, serverFiles } from "./folders";
import { NatsServer, findNatsServer, maskOutput } from "./nats-server-binary";
import { Access, shared } from "./nats/connection";
import { Varz, varz } from "./nats/system";
import { listenProblem } from "./ports";
import { findProcess, listeningPorts, recordedProcess, startProcess, stopProcess } from "./processes";
import { Refusal, messageOf } from "./refusal";
import { reloadTo, writtenDigest } from "./server-config";

/** A nats-server process: started detached, changed by reload where the server can, by restart where it must. */

export interface ProcessServer {
  name: string;
  /** The folder of its files. */
  folder: string;
  /** Addresses that it listens on, `host:port` by listener. */
  listeners: Record<string, { host: string; port: number }>;
  /** Its system account. */
  access: Access;
  natsServer?: string;
}

/** What was done to bring the server to its configuration. */
export type Outcome = "started" | "restarted" | "reloaded" | "unchanged";

const START_TIMEOUT_MS = 10_000;

/** The last lines of the server's log and output that tell of an error, seeds masked. */
function lastErrors(folder: string): string {
  const { log, output } = serverFiles(folder);
  const lines = [output, log].flatMap((file) => (readText(file) ?? "").split("\n"));
  const errors = lines.filter((line) => /\[(ERR|FTL)\]|nats-server: /.test(line)).slice(-3);
  return maskOutput(errors.map((line) => line.replace(/^\[\d+\] [\d/]+ [\d:.]+ /, "")).join("\n  "));
}

/** Refuses addresses that cannot be listened on. `own`: ports of the running server, which it gives back. */
async function refuseTakenPorts({ name, listeners }: ProcessServer, own: readonly number[] = []): Promise<void> {
  for (const [listener, { host, port }] of Object.entries(listeners)) {
    const problem = own.includes(port) ? undefined : await listenProblem(port, host);
    if (problem === undefined) continue;
    if (problem !== "EADDRINUSE") {
      throw new Refusal(
        `${name}: it cannot listen on ${host}:${port} (${listener}): ${problem}; use an address of this machine, and a port that this user may use`,
      );
    }
    throw new Refusal(
      `${name}: port ${port} (${listener}) is taken by a process that this program did not start; ` +
        `stop it, or give ${name} another ports.${listener} in the settings`,
    );
  }
}

async function start(server: ProcessServer, binary: NatsServer, digest: string): Promise<Varz> {
  await refuseTakenPorts(server);
  const files = serverFiles(server.folder);
  makeFolder(files.store);
  const { ended } = startProcess(binary.path, files.config, files);
  let exit: number | undefined;
  void ended.then((code) => (exit = code));
  let last = "";
  for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline; await sleep(10)) {
    if (exit !== undefined) {
      throw new Refusal(
        `${server.name}: nats-server ended at start (exit code ${exit})\n  ${lastErrors(server.folder)}`,
      );
    }
    try {
      const running = await varz(await shared(server.access));
      if (running.config_digest === digest) return running;
      last = `it runs another configuration (${running.config_digest})`;
    } catch (error) {
      last = messageOf(error);
    }
  }
  throw new Refusal(
    `${server.name}: nats-server does not serve after ${START_TIMEOUT_MS / 1000} s: ${last}\n  ${lastErrors(server.folder)}`,
  );
}

/**
 * Brings the server to the configuration in its file, whose digest is `digest`: starts it when it is not running (an
 * interrupted start is adopted), reloads it otherwise, and restarts it when `mustRestart` or the server says so.
 */
export async function bringUp(
  server: ProcessServer,
  digest: string,
  mustRestart: boolean,
): Promise<{ outcome: Outcome; running: Varz }> {
  const binary = await findNatsServer(server.natsServer);
  const { record, config } = serverFiles(server.folder);
  const pid = findProcess(record, config);
  if (pid === undefined) return { outcome: "started", running: await start(server, binary, digest) };
  if (!mustRestart) {
    const applied = await reloadTo(digest, server.access).catch((error: unknown) => {
      if (error instanceof Refusal) throw error;
      return "restart needed" as const; // It runs but does not answer: only a restart is left.
    });
    if (applied !== "restart needed") return { outcome: applied, running: await varz(await shared(server.access)) };
  }
  await refuseTakenPorts(server, listeningPorts(pid));
  await stopProcess(record, config);
  return { outcome: "restarted", running: await start(server, binary, digest) };
}

/** Stops the server; its files stay. */
export async function takeDown(folder: string): Promise<void> {
  const { record, config } = serverFiles(folder);
  if (existsSync(config) || existsSync(record)) await stopProcess(record, config);
}

const LOOK_TIMEOUT_MS = 1_000;

/**
 * Why the server is not as it was left, for a preview: dead, without answer, changed by hand, running another
 * configuration. undefined when it is as it should be. Bounded to about a second.
 */
export async function whatIsWrong(
  server: ProcessServer,
  isExpected: (config: string) => boolean,
): Promise<string | undefined> {
  const files = serverFiles(server.folder);
  if (recordedProcess(files.record) === undefined) return "is not running";
  const text = readText(files.config);
  if (text === undefined) return "has lost its configuration file";
  if (!isExpected(text)) return "has a configuration file that was changed by hand";
  const late = sleep(LOOK_TIMEOUT_MS, undefined, { ref: false }).then(() => undefined);
  const running = await Promise.race([shared(server.access).then(varz), late]).catch(() => undefined);
  if (running === undefined) return "runs but does not answer";
  return running.config_digest === writtenDigest(server.folder)
    ? undefined
    : "runs another configuration than its file";
}

/** Whether the server of this folder runs here. */
export const isOurServerRunning = (folder: string): boolean =>
  recordedProcess(serverFiles(folder).record) !== undefined;

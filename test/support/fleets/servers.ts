import { readFileSync, writeFileSync } from "node:fs";
import { readTail, serverFiles } from "../../../machine/folders";
import { findNatsServer } from "../../../servers/nats-server-binary";
import { serverInfo } from "../../../servers/nats/connection";
import { findProcess, startProcess, stopProcess } from "../../../machine/processes";
import { until } from "../until";

/** What people and accidents do to a server process, by its pid only. All by the server's folder. */

/** The pid of the folder's running server. Errors: when none runs. */
export function pidOf(folder: string): number {
  const { record, config } = serverFiles(folder);
  const pid = findProcess(record, config);
  if (pid === undefined) throw new Error(`${folder}: no server runs`);
  return pid;
}

export const isRunning = (folder: string): boolean => {
  const { record, config } = serverFiles(folder);
  return findProcess(record, config) !== undefined;
};

export async function stopServer(folder: string): Promise<void> {
  const { record, config } = serverFiles(folder);
  await stopProcess(record, config);
}

/** Starts the folder's server with the configuration that lies there; resolves once it serves. */
export async function startServer(folder: string, binary?: string): Promise<void> {
  const files = serverFiles(folder);
  const { ended } = startProcess(binary ?? (await findNatsServer()).path, files.config, files);
  const [, address] = /^listen: "(.+)"$/m.exec(configOf(folder)) ?? [];
  const serves = until(`the server of ${folder} serves`, () => serverInfo(`nats://${address}`));
  const end = ended.then((code) => {
    throw new Error(
      `the server of ${folder} ended (${code}): ${readTail(files.log, 2_000)} ${readTail(files.output, 500)}`,
    );
  });
  await Promise.race([serves, end]);
  end.catch(() => undefined);
  serves.catch(() => undefined);
}

/** Ends the server with SIGKILL, as a crash does. */
export async function killServer(folder: string): Promise<void> {
  process.kill(pidOf(folder), "SIGKILL");
  await until(`the server of ${folder} is gone`, () => !isRunning(folder));
}

export const configOf = (folder: string): string => readFileSync(serverFiles(folder).config, "utf8");

/** Changes the configuration file by hand. Errors: when the edit changes nothing, for then the test proves nothing. */
export function editConfig(folder: string, edit: (text: string) => string): void {
  const before = configOf(folder);
  const after = edit(before);
  if (after === before) throw new Error(`${folder}: the edit changes nothing in\n${before}`);
  writeFileSync(serverFiles(folder).config, after, { mode: 0o600 });
}

/** Stops the server, does something to what lies there, and starts it again. */
export async function whileStopped(folder: string, work: () => void | Promise<void>): Promise<void> {
  await stopServer(folder);
  await work();
  await startServer(folder);
}

/** Makes a mistake in the configuration file, and has the server run with it. */
export const restartWith = (folder: string, edit: (text: string) => string): Promise<void> =>
  whileStopped(folder, () => editConfig(folder, edit));

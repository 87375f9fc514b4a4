import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { makeWritable } from "../diagnosis/store-rules";
import { makeFolder, readTail, removeFolder, serverFiles } from "../machine/folders";
import { findNatsServer } from "./nats-server-binary";
import { listenProblem } from "../machine/ports";
import { findProcess, isFrozen, listeningPorts, startProcess, stopProcess } from "../machine/processes";
import { Refusal } from "../machine/refusal";
import { FOREIGN_FILES } from "./server-end";
import { LocalFiles } from "./files/server-files";
import type { Listeners, ProcessPlace, ProcessState, Room, ServerHost } from "./server-host";

/** Of a log that is read at every look. */
const LOG_BYTES = 256 * 1024;

function isReadOnly(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EROFS";
  }
}

/** A nats-server process, started detached. */
export class ProcessHost implements ServerHost {
  readonly natsServer: string | undefined;

  constructor(private readonly place: ProcessPlace) {
    this.natsServer = place.natsServer;
  }

  files = (): Promise<LocalFiles> => Promise.resolve(new LocalFiles(this.place.folder));

  isRunning = (): Promise<boolean> => Promise.resolve(this.pid() !== undefined);

  async refuseUnstartable(server: string, listeners: Listeners, isRestart: boolean): Promise<void> {
    const pid = isRestart ? this.pid() : undefined;
    const own = pid === undefined ? [] : listeningPorts(pid);
    for (const [listener, { host, port }] of Object.entries(listeners)) {
      const problem = own.includes(port) ? undefined : await listenProblem(port, host);
      if (problem === undefined) continue;
      if (problem !== "EADDRINUSE") {
        throw new Refusal(
          `${server}: it cannot listen on ${host}:${port} (${listener}): ${problem}; use an address of this machine, and a port that this user may use`,
        );
      }
      throw new Refusal(
        `${server}: port ${port} (${listener}) is taken by a process that this program did not start; ` +
          `stop it, or give ${server} another ports.${listener} in the settings`,
      );
    }
  }

  state(): Promise<ProcessState> {
    const pid = this.pid();
    return Promise.resolve(pid === undefined ? "gone" : isFrozen(pid) ? "frozen" : "running");
  }

  thaw(): Promise<void> {
    const pid = this.pid();
    if (pid !== undefined) process.kill(pid, "SIGCONT");
    return Promise.resolve();
  }

  room(): Room | undefined {
    const { store } = serverFiles(this.place.folder);
    try {
      const { bavail, bsize } = statfsSync(store);
      return { path: store, bytes: bavail * bsize, ...(isReadOnly(store) ? { isReadOnly: true } : {}) };
    } catch {
      return undefined; // It is not there yet, or nobody may look.
    }
  }

  get storeCure(): string {
    const { store } = serverFiles(this.place.folder);
    return isReadOnly(store) ? makeWritable(store) : `${FOREIGN_FILES} chown -R ${process.getuid?.() ?? ""} ${store}`;
  }

  readonly versionCure = "stop this process: 'pulumi up' starts it again, with the nats-server of this machine";

  async start(): Promise<{ exitCode: () => Promise<number | undefined> }> {
    const { path } = await findNatsServer(this.natsServer);
    const files = serverFiles(this.place.folder);
    makeFolder(files.store);
    const { ended } = startProcess(path, files.config, files);
    let exit: number | undefined;
    void ended.then((code) => (exit = code));
    return { exitCode: () => Promise.resolve(exit) };
  }

  async stop(): Promise<void> {
    const { record, config } = serverFiles(this.place.folder);
    if (existsSync(config) || existsSync(record)) await stopProcess(record, config);
  }

  log(): Promise<string> {
    const { log, output } = serverFiles(this.place.folder);
    return Promise.resolve([log, output].map((file) => readTail(file, LOG_BYTES) ?? "").join("\n"));
  }

  clear = (root: string): void => removeFolder(this.place.folder, root);

  private pid(): number | undefined {
    const { record, config } = serverFiles(this.place.folder);
    return findProcess(record, config);
  }
}

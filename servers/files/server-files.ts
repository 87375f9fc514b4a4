import { readdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { lock } from "proper-lockfile";
import { ServerPaths } from "../../configs/plan/plan-server";
import { makeFolder, readText, serverFiles, writePrivate } from "../../machine/folders";

/** The small files of one server, wherever it runs: its configuration, and the declarations that it is rendered from. */
export interface ServerFiles {
  /** Names the place, in messages and for what must not happen twice at a time. */
  readonly where: string;
  /** Where the server itself finds its store and its log. */
  readonly paths: ServerPaths;
  /** The text of a file, by its name such as "hub.json" or "links/oslo.UA….json"; undefined when there is none. */
  read(name: string): string | undefined;
  write(name: string, text: string): void;
  remove(name: string): void;
  /** The names of the files in a folder, such as "links". */
  list(folder: string): string[];
  /** Brings what was written to where the server reads it. */
  publish(): Promise<void>;
  /** Serialises changes, also against a provider that outlived an interrupted run. */
  locked<T>(work: () => Promise<T>): Promise<T>;
}

export const CONFIG_FILE = "nats-server.conf";

/** Errors: those of the work, and when the lock was lost meanwhile, for example because its folder was removed. */
export async function withLock<T>(folder: string, work: () => Promise<T>, staleMs = 10_000): Promise<T> {
  const lost: Error[] = [];
  const release = await lock(makeFolder(folder), {
    stale: staleMs,
    retries: { retries: 120, minTimeout: 50, maxTimeout: 250 },
    // By default it is thrown where it cannot be caught, and ends the process.
    onCompromised: (error) => lost.push(error),
  });
  const result = await work().finally(() => (lost.length === 0 ? release() : undefined));
  for (const error of lost) throw error;
  return result;
}

/** Files in a folder of this machine. */
export class LocalFiles implements ServerFiles {
  readonly where: string;
  readonly paths: ServerPaths;

  constructor(folder: string) {
    this.where = resolve(folder);
    const { store, log } = serverFiles(folder);
    this.paths = { store, log };
  }

  read = (name: string): string | undefined => readText(join(this.where, name));

  write(name: string, text: string): void {
    const file = join(this.where, name);
    makeFolder(dirname(file));
    writePrivate(file, text);
  }

  remove = (name: string): void => rmSync(join(this.where, name), { force: true });

  list(folder: string): string[] {
    try {
      return readdirSync(join(this.where, folder)).sort();
    } catch {
      return [];
    }
  }

  publish = (): Promise<void> => Promise.resolve();

  locked = <T>(work: () => Promise<T>): Promise<T> => withLock(this.where, work);
}

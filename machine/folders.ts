import { createHash } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Refusal } from "./refusal";

/** Folders 0700 and files 0600, relative to the project's folder, which is every provider's working directory. */

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "";

function explain(path: string, error: unknown): Refusal {
  const causes: Record<string, string> = {
    ENOSPC: "the disk is full; free some room or choose another dataFolder",
    EDQUOT: "the disk quota is used up; free some room or choose another dataFolder",
    EACCES: "this user may not write it; give this user that right, or choose another dataFolder",
    EPERM: "this user may not write it; give this user that right, or choose another dataFolder",
    EROFS: "its file system is read-only; choose another dataFolder",
    ENOTDIR: "a part of the path is a file; remove it or choose another dataFolder",
    EEXIST: "a part of the path is a file; remove it or choose another dataFolder",
  };
  return new Refusal(`${path}: ${causes[codeOf(error)] ?? (error as Error).message}`);
}

/** Makes the folder and its parents. Errors: a Refusal with the cause and its cure. */
export function makeFolder(folder: string): string {
  const path = resolve(folder);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw explain(path, error);
  }
  return path;
}

/** Why `makeFolder` would fail, without making anything; undefined when nothing speaks against it. */
export function folderProblem(folder: string): string | undefined {
  let nearest = resolve(folder);
  while (!existsSync(nearest)) nearest = dirname(nearest);
  try {
    accessSync(nearest, constants.W_OK);
    if (statSync(nearest).isDirectory()) return undefined;
    return `${nearest}: a part of the path is a file; remove it or choose another dataFolder`;
  } catch (error) {
    return explain(nearest, error).message;
  }
}

/** Replaces the file in one step: a reader sees the old text or the new one. */
export function writePrivate(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw explain(file, error);
  }
}

/** The file's text; undefined when there is none. */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw explain(file, error);
  }
}

/** The last whole lines of the file, of so many bytes at most; undefined when there is none. */
export function readTail(file: string, bytes: number): string | undefined {
  try {
    const descriptor = openSync(file, "r");
    try {
      const { size } = fstatSync(descriptor);
      const tail = Buffer.alloc(Math.min(size, bytes));
      const text = tail.toString("utf8", 0, readSync(descriptor, tail, 0, tail.length, size - tail.length));
      // A partial line may begin inside a seed, which would not be masked.
      return tail.length < size ? text.slice(text.indexOf("\n") + 1) : text;
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw explain(file, error);
  }
}

/** The file's JSON; undefined when there is none. */
export function readJson<T>(file: string): T | undefined {
  const text = readText(file);
  try {
    return text === undefined ? undefined : (JSON.parse(text) as T);
  } catch {
    throw new Refusal(`${file}: is damaged (not JSON); remove it and run 'pulumi up'`);
  }
}

/** Removes the folder with all in it, then those parents below `root` that became empty. */
export function removeFolder(folder: string, root: string): void {
  rmSync(resolve(folder), { recursive: true, force: true });
  for (let parent = dirname(resolve(folder)); parent.startsWith(`${resolve(root)}/`); parent = dirname(parent)) {
    try {
      rmdirSync(parent);
    } catch {
      return;
    }
  }
}

/**
 * Removes a folder of the stack, and those above it that became empty: in the project's folder up to that, so that nothing
 * is left of the last stack. A data folder elsewhere is the user's, and stays.
 */
export function removeOfStack(folder: string, root: string): void {
  const project = resolve(".");
  removeFolder(folder, resolve(root).startsWith(`${project}/`) ? project : dirname(root));
}

/** The files of one server. */
export const serverFiles = (folder: string) => {
  const path = resolve(folder);
  return {
    config: join(path, "nats-server.conf"),
    log: join(path, "nats-server.log"),
    output: join(path, "nats-server.out"),
    store: join(path, "jetstream"),
    record: join(path, "process.json"),
  };
};

/** The files of a stack's watcher. */
export const watcherFiles = (folder: string) => {
  const path = resolve(folder);
  return {
    config: join(path, "watcher.json"),
    log: join(path, "watcher.log"),
    output: join(path, "watcher.out"),
    restarting: join(path, "restarting.json"),
    program: join(path, "program"),
    record: join(path, "process.json"),
  };
};

/** A name of this machine that says nothing about it: processes and folders of a stack belong to one machine. */
export function machineId(): string {
  const id = existsSync("/etc/machine-id") ? readFileSync("/etc/machine-id", "utf8").trim() : "";
  return createHash("sha256").update(`${id} ${hostname()}`).digest("hex").slice(0, 16);
}

/**
 * Errors: a Refusal when the stack's processes belong to another folder of this machine, such as another checkout: here
 * they would not be found, so `up` would start them a second time and `destroy` would forget them. A folder that is
 * gone was moved.
 */
export function refuseOtherFolder(before: string | undefined, root: string): void {
  if (before === undefined || before === resolve(root) || !existsSync(before)) return;
  throw new Refusal(
    `this stack's servers run from ${before}, but this is another folder; run Pulumi in that project, or give both the ` +
      "same dataFolder as an absolute path",
  );
}

/** Errors: a Refusal when the state was made on another machine, where its processes, ports and files are. */
export function refuseOtherMachine(machine: string): void {
  if (machine === machineId()) return;
  throw new Refusal(
    "this stack's servers run on another machine, where its state was made; run Pulumi there, or destroy it there first " +
      "(if that machine is gone for good: 'pulumi stack rm --force')",
  );
}

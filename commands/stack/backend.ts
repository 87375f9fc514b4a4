import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";

/** The Pulumi CLI in one project and stack, as the commands of commands/stack.ts use it. */
export interface PulumiStack {
  readonly binary: string;
  readonly projectFolder: string;
  readonly stack: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The URL of the backend that the environment names, else the project; undefined where only a login could name one. */
export function namedBackend(env: NodeJS.ProcessEnv, project: string): string | undefined {
  if (env.PULUMI_BACKEND_URL !== undefined && env.PULUMI_BACKEND_URL !== "") return env.PULUMI_BACKEND_URL;
  const { backend } = parse(project) as { backend?: { url?: string } };
  return backend?.url;
}

/** The folder of a "file://" backend; undefined for other backends (a bucket, a service). */
export function backendFolder(url: string, projectFolder: string): string | undefined {
  const match = /^file:\/\/([^?]*)/.exec(url);
  if (match === null) return undefined;
  const place = decodeURIComponent(match[1] ?? "");
  if (place === "~" || place.startsWith("~/")) return path.join(os.homedir(), place.slice(1));
  return path.resolve(projectFolder, place);
}

/** Where the file backend keeps the lock files of one stack: one JSON file for each run that holds the stack. */
export function lockFolder(backend: string, project: string, stack: string): string {
  return path.join(backend, ".pulumi", "locks", "organization", project, stack);
}

/**
 * Takes away what makes the stack's state unreadable ("failed to load checkpoint: EOF"): a file backend keeps attributes
 * in a file of their own, which it empties before it writes, so a run killed between the two leaves it empty. The state
 * itself is written at one stroke and reads as well without. With `metadata=skip` in the backend's URL there are none.
 */
export function clearEmptyAttributes(backend: string, project: string, stack: string): void {
  const folders = [
    path.join(backend, ".pulumi", "stacks", project),
    path.join(backend, ".pulumi", "history", project, stack),
    lockFolder(backend, project, stack),
  ];
  for (const folder of folders.filter((one) => fs.existsSync(one))) {
    const attributes = fs.readdirSync(folder).filter((name) => name.endsWith(".attrs"));
    const empty = attributes.map((name) => path.join(folder, name)).filter((file) => sizeOf(file) === 0);
    for (const file of empty) fs.rmSync(file, { force: true });
  }
}

/** In bytes; undefined when the file has just gone. */
const sizeOf = (file: string): number | undefined => fs.statSync(file, { throwIfNoEntry: false })?.size;

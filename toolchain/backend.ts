import * as os from "node:os";
import * as path from "node:path";

/** The Pulumi CLI in one project and stack, as the commands of toolchain/stack.ts use it. */
export interface PulumiStack {
  readonly binary: string;
  readonly projectFolder: string;
  readonly stack: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The folder behind a "file://" backend, or undefined for one that lies elsewhere (a bucket, a service). */
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

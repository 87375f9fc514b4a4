import * as fs from "node:fs";
import * as path from "node:path";
import { backendFolder, clearEmptyAttributes, lockFolder, namedBackend, type PulumiStack } from "./backend";
import { ask } from "./cli";
import { endLeftBehind, livingOwners, readLocks } from "./dead-run";
import { say } from "../../machine/progress";
import { Refusal } from "../../machine/refusal";
import { run } from "../../machine/run";

// The lock that a killed run left in a file backend. Only there can this machine tell whether a lock's owner lives.

/** The folder of the file backend, or undefined: only there can this machine tell whether a lock's owner lives. */
async function localBackend({ binary, projectFolder, env }: PulumiStack): Promise<string | undefined> {
  // As the CLI does: the variable first, then the project. It is asked only where it knows more, such as a login.
  const named = namedBackend(env, fs.readFileSync(path.join(projectFolder, "Pulumi.yaml"), "utf8"));
  if (named?.startsWith("file://") === true) return backendFolder(named, projectFolder);
  const printed = await run(binary, ["whoami", "--json", "--non-interactive"], { cwd: projectFolder, env });
  return backendFolder((JSON.parse(printed) as { url: string }).url, projectFolder);
}

/**
 * Takes away the lock of a run that is dead. Returns whether there was one. Errors: a Refusal while a run lives.
 *
 * @param wasKilled whether there was a run, with or without a lock.
 */
export async function clearLock(target: PulumiStack, wasKilled: boolean): Promise<boolean> {
  const backend = await localBackend(target);
  if (backend === undefined) return false;
  const project = projectName(target.projectFolder);
  clearEmptyAttributes(backend, project, target.stack);
  const locks = locksIn(backend, target);
  if (locks.length === 0) {
    if (wasKilled) await endLeftBehind(target.projectFolder, say);
    return false;
  }

  const reasons = await livingOwners(locks);
  if (reasons.length > 0) throw new Refusal(reasons.map((why) => `stack '${target.stack}': ${why}`).join("\n"));

  say(
    `stack '${target.stack}': process ${locks.map(({ pid }) => pid).join(", ")} was killed and left its lock; clearing the lock`,
  );
  await endLeftBehind(target.projectFolder, say);
  // The processes that it left may have been killed while they wrote, too.
  clearEmptyAttributes(backend, project, target.stack);
  await run(target.binary, ["cancel", "--yes", "--non-interactive", "--stack", target.stack], {
    cwd: target.projectFolder,
    env: target.env,
  });
  return true;
}

/** Whether a run holds the stack, or was killed while it did. */
export async function isLocked(target: PulumiStack): Promise<boolean> {
  const backend = await localBackend(target);
  return backend !== undefined && locksIn(backend, target).length > 0;
}

const locksIn = (backend: string, { projectFolder, stack }: PulumiStack) =>
  readLocks(lockFolder(backend, projectName(projectFolder), stack));

export const isLocal = async (target: PulumiStack): Promise<boolean> => (await localBackend(target)) !== undefined;

export async function isEmpty(target: PulumiStack): Promise<boolean> {
  const listed = JSON.parse(await ask(target, ["stack", "export"])) as {
    deployment?: { resources?: unknown[] | null };
  };
  return (listed.deployment?.resources ?? []).length === 0;
}

export function projectName(projectFolder: string): string {
  const file = path.join(projectFolder, "Pulumi.yaml");
  const name = /^name:\s*["']?([A-Za-z0-9_.-]+)/m.exec(fs.readFileSync(file, "utf8"))?.[1];
  if (name === undefined) throw new Refusal(`${file}: it has no line 'name: …'`);
  return name;
}

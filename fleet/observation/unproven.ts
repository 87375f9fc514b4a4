import { readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { makeFolder, readJson, removeOfStack, writePrivate } from "../../machine/folders";
import { report } from "../../machine/report";
import { messageOf } from "../../machine/refusal";

/**
 * Marks of what changed since the last proof, one small file a server. A step that touches a server sets its mark
 * before the first change, and the smoke test removes it after a proof; so the next run proves an interrupted one.
 */

interface Mark {
  /** Why a step at the site failed, by step. */
  failed: Record<string, string>;
}

const folderOf = (root: string): string => join(resolve(root), "unproven");
const fileOf = (root: string, server: string): string => join(folderOf(root), server);

export function markUnproven(root: string, server: string, failed: Record<string, string> = {}): void {
  makeFolder(folderOf(root));
  const before = readJson<Mark>(fileOf(root, server))?.failed;
  writePrivate(fileOf(root, server), JSON.stringify({ failed: { ...before, ...failed } } satisfies Mark));
}

/** The servers that changed since the last proof. */
export function unproven(root: string): string[] {
  try {
    return readdirSync(folderOf(root)).sort();
  } catch {
    return [];
  }
}

/** What failed at the server since the last proof. */
export const failedSteps = (root: string, server: string): string[] =>
  Object.values(readJson<Mark>(fileOf(root, server))?.failed ?? {}).filter((problem) => problem !== "");

export const markProven = (root: string, server: string): void => rmSync(fileOf(root, server), { force: true });

export const removeMarks = (root: string): void => removeOfStack(folderOf(root), root);

/**
 * Runs one step of one site. A failure does not stop the other sites' steps (a thrown error would make Pulumi start
 * none of them): it is shown, kept for the smoke test, which fails the update with it, and returned.
 */
export async function siteStep(
  root: string,
  site: string,
  step: string,
  work: () => Promise<void>,
): Promise<string | undefined> {
  markUnproven(root, site);
  try {
    await work();
    markUnproven(root, site, { [step]: "" });
    return undefined;
  } catch (error) {
    // A server's own messages begin with its name.
    const problem = messageOf(error).replace(new RegExp(`^${site}: `), "");
    markUnproven(root, site, { [step]: problem });
    report(`site ${site}: ${problem}`, { kind: "found", server: site, values: { step } });
    return problem;
  }
}

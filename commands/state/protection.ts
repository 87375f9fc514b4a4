import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pulumi } from "../stack/cli";
import { settingsOf } from "./away";
import type { PulumiStack } from "../stack/backend";
import type { Deployment, StateResource } from "../stack/pending";
import { Refusal } from "../../machine/refusal";
import { readStackConfig } from "../stack/stack-config";
import { type Part, isPartOf, serverOf } from "../../configs/resources";
import { isOf, nameOf } from "../../configs/text/urn";

// Stacks with `protect: true`: what holds data or keys carries Pulumi's protection, and every command that changes the
// stack asks for its name. The state keeps the protection: a run that may delete is told to bypass it
// (--ignore-protect), so that nothing is left unprotected when it is refused or interrupted.

export const IGNORE_PROTECTION = "--ignore-protect";

const resourcesOf = (state: Deployment | undefined): readonly StateResource[] => state?.deployment?.resources ?? [];

/** Whether the state protects anything: that counts until an `up` without `protect` has lifted it. */
export const holdsProtected = (state: Deployment | undefined): boolean =>
  resourcesOf(state).some(({ protect }) => protect === true);

/** By the settings alone: before the first `up` the state protects nothing. */
function isDeclaredProtected({ projectFolder, stack }: PulumiStack): boolean {
  try {
    return String(readStackConfig(projectFolder, stack).raw.protect) === "true";
  } catch {
    return false; // What is wrong with the file the program says.
  }
}

/** Errors: a Refusal when the stack is protected and CONFIRM is not its name. */
export function refuseUnconfirmed(target: PulumiStack, command: string, state: Deployment | undefined): void {
  const { stack } = target;
  const confirmed = process.env.CONFIRM ?? "";
  if (confirmed === stack || !(holdsProtected(state) || isDeclaredProtected(target))) return;
  const given = confirmed === "" ? "" : ` (CONFIRM=${confirmed} names another)`;
  throw new Refusal(
    `stack '${stack}': it is protected, and 'make ${command}' changes it only with its name in CONFIRM${given}: ` +
      `make ${command} STACK=${stack} CONFIRM=${stack} (make preview STACK=${stack} shows what would happen)`,
  );
}

const isOfSite = (resource: StateResource): boolean =>
  isOf("Identity")(resource) && ((resource.inputs?.roles ?? []) as unknown[]).includes("link");

/** Sites that the settings no longer have, and whose keys the state protects. A site's identity is removed last. */
export function leavingSites(target: PulumiStack, state: Deployment | undefined): string[] {
  const settings = settingsOf(target.projectFolder, target.stack);
  if (settings === undefined) return [];
  const declared = new Set(settings.sites.map(({ name }) => name));
  return resourcesOf(state)
    .filter((resource) => resource.protect === true && isOfSite(resource))
    .flatMap((resource) => serverOf(nameOf(resource), "identity") ?? [])
    .filter((site) => !declared.has(site));
}

export const namedInRemove = (): string[] =>
  (process.env.REMOVE ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

/** Errors: a Refusal when a protected site leaves without being named, or a named site stays. */
export function refuseUnnamedRemoval(
  leaving: readonly string[],
  named: readonly string[],
  { stack, projectFolder }: PulumiStack,
): void {
  const unnamed = leaving.filter((site) => !named.includes(site));
  if (unnamed.length > 0) {
    throw new Refusal(
      `stack '${stack}': the settings no longer have site ${unnamed.join(", ")}, but its keys and data are protected; ` +
        `put it back, or lift its protection: make up STACK=${stack} CONFIRM=${stack} ` +
        `REMOVE=${leaving.join(",")} (while the hub lacks some of its messages, the guard still refuses)`,
    );
  }
  const declared = settingsOf(projectFolder, stack)?.sites.map(({ name }) => name) ?? [];
  const staying = named.filter((site) => declared.includes(site));
  if (staying.length > 0) {
    throw new Refusal(`REMOVE=${staying.join(",")}: the settings still have it; take it out of them first`);
  }
}

/** What this program reads of the plan that `pulumi preview` saves. */
export interface SavedPlan {
  readonly resourcePlans?: Readonly<Record<string, { readonly steps?: readonly string[] | null }>>;
}

/**
 * Previews the removal of these sites on the terminal, where the guard judges it, and checks that nothing else that is
 * protected would be removed with them. Resolves with the CLI's exit code. Errors: a Refusal when something else would
 * go.
 */
export async function previewRemoval(
  target: PulumiStack,
  sites: readonly string[],
  state: Deployment | undefined,
  options: readonly string[],
): Promise<number> {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-plan-"));
  try {
    const file = path.join(scratch, "plan.json");
    const exitCode = await pulumi(target, ["preview", IGNORE_PROTECTION, "--save-plan", file, ...options]);
    if (exitCode !== 0) return exitCode;
    const others = otherLosses(JSON.parse(fs.readFileSync(file, "utf8")) as SavedPlan, state, sites);
    if (others.length === 0) return 0;
    throw new Refusal(
      `stack '${target.stack}': apart from ${sites.join(", ")}, ${others.join(", ")} would be deleted or replaced, and is ` +
        "protected; make these changes one after the other",
    );
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** What is protected, belongs to none of the sites, and would not outlive the planned run. */
export function otherLosses(
  { resourcePlans = {} }: SavedPlan,
  state: Deployment | undefined,
  sites: readonly string[],
): string[] {
  const isEnded = (urn: string) => (resourcePlans[urn]?.steps ?? []).some((step) => /delete|replace/.test(step));
  return resourcesOf(state)
    .filter(({ urn, protect }) => protect === true && isEnded(urn))
    .map(nameOf)
    .filter((name) => !sites.some((site) => isPartOf(name, site, PROTECTED)));
}

/** What is protected of a server. */
const PROTECTED: readonly Part[] = ["identity", "server", "streams", "data"];

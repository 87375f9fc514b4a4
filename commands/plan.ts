import type { FleetPlan } from "../configs/plan/fleet-plan";
import { planFleet } from "../configs/plan/plan-fleet";
import { planWords } from "../configs/plan/plan-words";
import { Problem, describeProblems } from "../configs/problem";
import { judgedSettings } from "../configs/reading/read-settings";
import { maskSeeds } from "../configs/seeds";
import { Settings } from "../configs/settings";
import { Refusal } from "../machine/refusal";
import { parsed, projectFolder } from "./parse";
import { readStackConfig } from "./stack/stack-config";

// What `make plan` does: the intent of one stack, from its files alone, where neither the Pulumi CLI nor a server, a
// container engine, a state or a passphrase can be reached.

/** A stack's settings and their plan, or all mistakes. Errors: a Refusal when the files cannot be read. */
export function judgeStack(
  projectFolder: string,
  stack: string,
): { settings: Settings; planned: FleetPlan } | { problems: Problem[] } {
  const { raw, table, problems: ofFile, ...context } = readStackConfig(projectFolder, stack);
  const { settings, problems: found } = judgedSettings(raw, table, { emptyPassphrase: context.passphrase === "empty" });
  const known = new Set(ofFile.map(({ where }) => where));
  // What is left out because it is encrypted is not missing.
  const problems = [...ofFile, ...found.filter(({ where }) => !known.has(where))];
  if (settings === undefined || problems.length > 0) return { problems };
  return { settings, planned: planFleet(settings, { stack, ...context }) };
}

/** Errors: a Refusal with all mistakes, in the words of the program itself. */
export function soundStack(projectFolder: string, stack: string): { settings: Settings; planned: FleetPlan } {
  const judged = judgeStack(projectFolder, stack);
  if ("problems" in judged) throw new Refusal(describeProblems(judged.problems));
  return judged;
}

/** Errors: a Refusal with all mistakes. */
export function planStack(projectFolder: string, stack: string): FleetPlan {
  return soundStack(projectFolder, stack).planned;
}

/** What the command prints. Errors: a Refusal. */
export function plan(folder: string, stack: string, { json = false } = {}): string {
  const planned = planStack(folder, stack);
  return json ? maskSeeds(JSON.stringify(planned, null, 2)) : planWords(planned);
}

export async function run(args: readonly string[]): Promise<number> {
  const { stack, values } = parsed("plan", args);
  console.log(plan(projectFolder(), stack, { json: values.json === true }));
  return await Promise.resolve(0);
}

import * as fs from "node:fs";
import * as path from "node:path";
import type { PulumiStack } from "./backend";
import { ensureToolchain } from "./install";
import { Refusal } from "./refusal";
import { additions, missingPassphrase } from "./stack-environment";

/** The Pulumi CLI, ready for one stack of a project. Errors: a Refusal when the stack's secrets cannot be opened. */
export async function pulumiStack(projectFolder: string, stack: string): Promise<PulumiStack> {
  const stackFile = path.join(projectFolder, `Pulumi.${stack}.yaml`);
  const text = fs.existsSync(stackFile) ? fs.readFileSync(stackFile, "utf8") : "";
  const problem = missingPassphrase(stack, text, process.env);
  if (problem !== undefined) throw new Refusal(problem);
  const { pulumi: binary } = await ensureToolchain();
  return { binary, projectFolder, stack, env: { ...process.env, ...additions(stack, process.env) } };
}

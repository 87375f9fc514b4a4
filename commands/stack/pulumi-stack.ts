import type { PulumiStack } from "./backend";
import { ensureToolchain } from "../toolchain/install";
import { Refusal } from "../../machine/refusal";
import { environmentOf, missingPassphrase, otherBackend } from "./stack-environment";
import { lightened } from "./light-cli";
import { readStackFile } from "./stack-file";

/** The Pulumi CLI, ready for one stack of a project. Errors: a Refusal when the stack's secrets cannot be opened. */
export async function pulumiStack(projectFolder: string, stack: string): Promise<PulumiStack> {
  const file = readStackFile(projectFolder, stack);
  const problem = otherBackend(stack, file, process.env) ?? missingPassphrase(stack, file, process.env);
  if (problem !== undefined) throw new Refusal(problem);
  const { pulumi: binary } = await ensureToolchain();
  return { binary, projectFolder, stack, env: lightened(environmentOf(stack, process.env, file)) };
}

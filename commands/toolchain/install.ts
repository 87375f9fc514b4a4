import { pulumiHome } from "../../machine/locate";
import { natsServer } from "./nats-server";
import { ensureParts } from "./part";
import { sayOnTerminal, type Say } from "../../machine/progress";
import { pulumiCli } from "./pulumi-cli";
import { report } from "../../machine/refusal";

/** The programs that the project needs and npm does not bring. */
export interface Toolchain {
  readonly pulumi: string;
  readonly natsServer: string;
}

/** Looks for the programs and gets what is missing. Quick and silent when nothing is missing. */
export async function ensureToolchain(
  env: NodeJS.ProcessEnv = process.env,
  say: Say = sayOnTerminal,
): Promise<Toolchain> {
  const [pulumi, server] = await ensureParts(pulumiHome(env), [pulumiCli(env), natsServer(env)], say);
  if (pulumi === undefined || server === undefined) throw new Error("toolchain: a part has no place");
  return { pulumi, natsServer: server };
}

async function main(): Promise<void> {
  const toolchain = await ensureToolchain();
  sayOnTerminal(`pulumi       ${toolchain.pulumi}`);
  sayOnTerminal(`nats-server  ${toolchain.natsServer}`);
}

if (require.main === module) {
  main().catch((error: unknown) => {
    report(error);
    process.exitCode = 1;
  });
}

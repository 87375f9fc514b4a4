import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import versions from "./versions.json";

// Where each part of the toolchain lies. Nothing is started or changed here; commands/toolchain/install.ts puts the parts there.

type Environment = Readonly<Record<string, string | undefined>>;

/** Names Pulumi's real home where the CLI is given another one (commands/stack/light-cli.ts). */
export const HOME_VARIABLE = "NATS_HUB_LEAF_PULUMI_HOME";

/** The folder that the Pulumi CLI, `npx pulumi` and this project share: $PULUMI_HOME, else ~/.pulumi. */
export function pulumiHome(env: Environment = process.env): string {
  const configured = env[HOME_VARIABLE] ?? env.PULUMI_HOME;
  return configured ? path.resolve(configured) : path.join(os.homedir(), ".pulumi");
}

/** The folder in which `npx pulumi` and the Automation API look for the pinned CLI. */
export function pulumiBinFolder(env: Environment = process.env): string {
  return path.join(pulumiHome(env), "versions", versions.pulumiCli, "bin");
}

/**
 * What has to lie in one folder for a TypeScript program with dynamic providers to run; the CLI warns about a language
 * host or provider that it finds elsewhere.
 */
export const PULUMI_EXECUTABLES = ["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"] as const;

/** The Pulumi CLI in the Pulumi home, whether or not it is there yet. */
export function pulumiBinary(env: Environment = process.env): string {
  return path.join(pulumiBinFolder(env), "pulumi");
}

/** The folder of the pinned nats-server in the Pulumi home. */
export function natsServerHome(env: Environment = process.env): string {
  return path.join(pulumiHome(env), "nats-server", versions.natsServer.version);
}

/** The pinned nats-server in the Pulumi home, whether or not it is there yet. */
export function natsServerBinary(env: Environment = process.env): string {
  return path.join(natsServerHome(env), "nats-server");
}

/** Every executable of this name on PATH, in PATH's order. */
export function onPath(name: string, env: Environment = process.env): string[] {
  return (env.PATH ?? "")
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder))
    .map((folder) => path.join(folder, name))
    .filter(isExecutable);
}

/** An executable file with something in it: an empty one is what an interrupted copy leaves behind. */
export function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    const stat = fs.statSync(file);
    return stat.isFile() && stat.size > 0;
  } catch {
    return false;
  }
}

import { userInfo } from "node:os";
import { join } from "node:path";
import { pulumiHome } from "../machine/locate";
import { watchUnit } from "../views/outputs/watch-unit";
import { closeShared } from "../servers/nats/connection";
import { report } from "../machine/refusal";
import { withKeysOfState } from "../doctor/watch/watched";
import { Watcher } from "../doctor/watch/watcher";
import { deployedState } from "./stack/cli";
import { parsed, projectFolder } from "./parse";
import { pulumiStack } from "./stack/pulumi-stack";
import { fleetOf } from "./state/fleet-state";

// What `nats-hub-leaf watch` does: it stays, says when links come and go, and restarts sources that wait for nothing.

/** Runs until it gets SIGINT or SIGTERM, and returns the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const { stack, values } = parsed("watch", args);
  return values.unit === true ? printUnit(stack) : watch(stack);
}

function printUnit(stack: string): number {
  const command = [process.execPath, join(__dirname, "bin.js")] as const;
  const [project, home] = [projectFolder(), pulumiHome()];
  process.stdout.write(watchUnit({ stack, command, project, home, user: userInfo().username }));
  return 0;
}

async function watch(stack: string): Promise<number> {
  const end = new AbortController();
  const stop = (): void => end.abort();
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    const folder = projectFolder();
    const state = await deployedState(await pulumiStack(folder, stack));
    const sites = fleetOf(state, stack, folder).filter(({ access }) => access.expect === "online");
    const say = (line: string): void => console.log(`${new Date().toISOString()} ${line}`);
    say(`watching the links of ${sites.map(({ access }) => access.site).join(", ") || "no site"}`);
    await new Watcher(withKeysOfState(sites.map((one) => ({ ...one, stack }))), say).run(end.signal);
    return 0;
  } catch (error) {
    report(error);
    return 1;
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
    await closeShared();
  }
}

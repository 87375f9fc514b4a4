import * as fs from "node:fs";
import * as path from "node:path";
import { HOME_VARIABLE, pulumiHome } from "../../machine/locate";
import { isPlain } from "../../machine/plain";
import type { Environment } from "./stack-environment";

/**
 * The environment in which the CLI writes no log of its own. Only for the commands of this project: `make env` exports none
 * of it.
 */
export function lightened(env: Environment): Environment {
  if (isPlain(env)) return env;
  const home = pulumiHome(env);
  const quiet = homeWithoutLog(home);
  return quiet === undefined ? env : { ...env, PULUMI_HOME: quiet, [HOME_VARIABLE]: home };
}

/** What the CLI may make in its home; made before it, so that it lies in the real one. */
const FOLDERS = ["plugins", "workspaces"];
const LOGS = "logs";
const OWN = "nats-hub-leaf";

/**
 * A folder with all that is in Pulumi's home but the folder of logs: the CLI writes every step there at debug level and
 * encrypts it, three fifths of its time when nothing changes at 200 sites. It goes on without a log where it cannot write one.
 * Undefined when the folder cannot be made: the CLI then uses its home as it is.
 */
function homeWithoutLog(home: string): string | undefined {
  const quiet = path.join(home, OWN, "home");
  try {
    fs.mkdirSync(quiet, { recursive: true, mode: 0o700 });
    for (const folder of FOLDERS) fs.mkdirSync(path.join(home, folder), { recursive: true, mode: 0o700 });
    for (const name of fs.readdirSync(quiet)) giveBack(path.join(quiet, name), path.join(home, name));
    for (const name of fs.readdirSync(home))
      if (name !== LOGS && name !== OWN) link(path.join(home, name), path.join(quiet, name));
    link("/dev/null", path.join(quiet, LOGS));
    return quiet;
  } catch {
    return undefined;
  }
}

/** Drops a link to what is gone, and moves what the CLI itself made into the real home. */
function giveBack(own: string, real: string): void {
  const isLink = fs.lstatSync(own, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  if (isLink && !fs.existsSync(own)) fs.rmSync(own, { force: true });
  if (!isLink && !fs.existsSync(real)) fs.renameSync(own, real);
}

function link(to: string, at: string): void {
  try {
    fs.symlinkSync(to, at);
  } catch (error) {
    // From an earlier run, or from one beside this one.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !fs.lstatSync(at).isSymbolicLink()) throw error;
  }
}

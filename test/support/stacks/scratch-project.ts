import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pulumiHome } from "../../../machine/locate";

/** Copies of the project, and what lies in them. */

const CHECKOUT = path.resolve(__dirname, "../../..");
const COMPILE_CACHE = {
  NODE_OPTIONS: `--require ${JSON.stringify(path.join(CHECKOUT, "test/support/compile-cache.js"))}`,
};

/** A copy of the checkout's files as they are now, in a folder of its own; the packages are shared. */
export function copyProject(name: string): string {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), `nhl-${name}-`)));
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: CHECKOUT });
  const isPartOfIt = (file: string) => file !== "" && !/^(test|docs|bench)\/|^Pulumi\.[^/]+\.yaml$/.test(file);
  for (const file of listed.toString("utf8").split("\0").filter(isPartOfIt)) {
    if (!fs.existsSync(path.join(CHECKOUT, file))) continue;
    fs.mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
    fs.copyFileSync(path.join(CHECKOUT, file), path.join(folder, file));
  }
  fs.symlinkSync(path.join(CHECKOUT, "node_modules"), path.join(folder, "node_modules"));
  return folder;
}

/** The caller's environment without anything that would steer the CLI or this program. NODE_OPTIONS has the compile cache only. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const steering =
    /^(PULUMI_|DISCARD|DOCKER_|MOCHA_|TS_NODE|MAKE)|^(NODE_OPTIONS|STACK|ARGS|CONFIRM|REMOVE|REMAKE|DOUBLE|NOTE|SITE|STREAM|OUT|TO|PREFIX|FLEET|EXPORTER_PORT|ACCEPT|FROM|STATE|SECRETS_PROVIDER)$/;
  const kept = Object.entries(process.env).filter(([name]) => !steering.test(name));
  return { ...Object.fromEntries(kept), ...COMPILE_CACHE, PULUMI_HOME: pulumiHome() };
}

/** All files below the folder; none when it is not there. */
export function filesBelow(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const name = path.join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(name) : entry.isFile() ? [name] : [];
  });
}

/** None of a folder that goes while others are read. */
function entriesOf(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

import * as fs from "node:fs";
import { run } from "../../machine/run";

/** Whether a Pulumi CLI with this process id runs on this machine. Any doubt counts as "it runs". */
export async function isPulumiRunning(pid: number): Promise<boolean> {
  if (!exists(pid)) return false;
  const seen = await run("ps", ["-o", "stat=", "-o", "comm=", "-p", String(pid)]).catch(() => undefined);
  if (seen === undefined) return exists(pid);
  const [state = "", ...command] = seen.trim().split(/\s+/);
  // A zombie is dead; another program got the number after Pulumi was gone.
  return !state.startsWith("Z") && command.join(" ").includes("pulumi");
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** One process as /proc shows it. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly folder: string;
  readonly commandLine: string;
}

/** What the Pulumi CLI starts for a program with dynamic providers, as it shows in a command line. */
const PULUMI_CHILDREN =
  /pulumi-resource-pulumi-nodejs|pulumi-language-nodejs|@pulumi\/pulumi\/cmd\/(dynamic-provider|run)/;
const PULUMI_CLI = /(^|\/)pulumi(\0|$)/;

/**
 * The processes that a Pulumi CLI of this project left behind when it was killed: they work in the project's folder,
 * and no process above them is a CLI any more. They would go on creating what the next run creates as well.
 */
export function leftBehind(processes: readonly ProcessRow[], projectFolder: string): ProcessRow[] {
  const byPid = new Map(processes.map((row) => [row.pid, row]));
  const hasCli = (row: ProcessRow): boolean => {
    for (let above = byPid.get(row.parent); above !== undefined; above = byPid.get(above.parent)) {
      if (PULUMI_CLI.test(above.commandLine.split("\0")[0] ?? "")) return true;
    }
    return false;
  };
  return processes.filter(
    (row) => row.folder === projectFolder && PULUMI_CHILDREN.test(row.commandLine) && !hasCli(row),
  );
}

/** All processes; none where there is no /proc. */
export function readProcesses(proc = "/proc"): ProcessRow[] {
  if (!fs.existsSync(`${proc}/self/stat`)) return [];
  return fs
    .readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // The command's name, in brackets, may itself hold blanks and brackets: the fields begin after the last one.
        const stat = fs.readFileSync(`${proc}/${name}/stat`, "utf8");
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        const commandLine = fs.readFileSync(`${proc}/${name}/cmdline`, "utf8");
        return [{ pid: Number(name), parent, folder: workingFolder(`${proc}/${name}`), commandLine }];
      } catch {
        return [];
      }
    });
}

/** Empty for another user's process: it may still be the parent of one of ours. */
function workingFolder(processFolder: string): string {
  try {
    return fs.readlinkSync(`${processFolder}/cwd`);
  } catch {
    return "";
  }
}

import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { copyProject } from "./scratch-project";

/** The project as an earlier commit has it, and its update to the checkout. */

const ROOT = path.resolve(__dirname, "../../..");

/** A clone without its history has nothing to deploy. */
export const hasCommit = (commit: string): boolean =>
  spawnSync("git", ["cat-file", "-e", `${commit}^{commit}`], { cwd: ROOT }).status === 0;

/** The files of that commit in a folder of their own, with the packages of this one. */
export function projectOf(commit: string): string {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "nhl-earlier-")));
  const archive = execFileSync("git", ["archive", commit], { cwd: ROOT, maxBuffer: 1 << 30 });
  execFileSync("tar", ["-x", "-C", folder], { input: archive });
  fs.copyFileSync(path.join(ROOT, "package-lock.json"), path.join(folder, "package-lock.json"));
  fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
  return folder;
}

/** Puts the files of the checkout in their place; state, servers and the stack's file stay. */
export function updateProject(folder: string, stack: string): void {
  const kept = [".state", ".fleet", "node_modules", `Pulumi.${stack}.yaml`];
  for (const name of fs.readdirSync(folder).filter((one) => !kept.includes(one)))
    fs.rmSync(path.join(folder, name), { recursive: true });
  const now = copyProject("now");
  fs.rmSync(path.join(now, "node_modules"));
  fs.cpSync(now, folder, { recursive: true });
  fs.rmSync(now, { recursive: true });
}

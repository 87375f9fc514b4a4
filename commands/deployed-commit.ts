import { pulumiStack } from "./stack/pulumi-stack";
import { Refusal } from "../machine/refusal";
import { run as runProgram } from "../machine/run";
import { parsed, projectFolder } from "./parse";

// What `make deployed-commit` does: prints the commit from which the stack was last updated.

/** The part of an entry of `pulumi stack history --json` that is used; the newest stands first. */
interface Update {
  kind?: string;
  environment?: Record<string, string | undefined>;
}

/** Errors: a Refusal when the commit is unknown. */
export function deployedCommit(history: readonly Update[], stack: string): string {
  const last = history.find(({ kind }) => kind === "update");
  if (last === undefined) throw new Refusal(`stack '${stack}': it was never deployed`);
  const { "git.head": commit, "git.dirty": isDirty } = last.environment ?? {};
  if (commit === undefined)
    throw new Refusal(`stack '${stack}': it was last deployed from a folder without git; take it down from there`);
  if (isDirty === "true")
    throw new Refusal(
      `stack '${stack}': it was last deployed from ${commit} with changes that were not committed; deploy a commit first, or take it down from that folder`,
    );
  return commit;
}

export async function run(argv: readonly string[]): Promise<number> {
  const { stack } = parsed("deployed-commit", argv);
  const { binary, projectFolder: folder, env } = await pulumiStack(projectFolder(), stack);
  const args = ["stack", "history", "--json", "--page-size", "50", "--stack", stack, "--non-interactive"];
  const history = JSON.parse(await runProgram(binary, args, { cwd: folder, env })) as Update[];
  console.log(deployedCommit(history, stack));
  return 0;
}

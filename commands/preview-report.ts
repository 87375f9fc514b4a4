import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { TOLD_FILE, type Report } from "../machine/report";
import { maskSeeds } from "../configs/seeds";
import { mayDiscard, mayDiscardCollected } from "../fleet/sourcing/discard";
import type { Previewed } from "../views/report/changes";
import { pictureOf } from "../views/report/picture";
import { planMarkdown, refusedPlanMarkdown } from "../views/report/plan";
import type { PreviewJson } from "../views/report/preview";
import { reportOf } from "../views/report/report";
import type { FleetSettings } from "../views/report/settings";
import { answer } from "./stack/cli";
import { type Deployment, perhapsCreated } from "./stack/pending";
import { pendingOf } from "./state/killed-run";
import { judgeStack } from "./plan";
import { sayOnTerminal, step } from "../machine/progress";
import { parsed, projectFolder } from "./parse";
import { pulumiStack } from "./stack/pulumi-stack";
import { Refusal } from "../machine/refusal";
import { readyToPreview } from "./stack";
import { readStackConfig } from "./stack/stack-config";
import { present } from "../configs/values";
import { isOf } from "../configs/text/urn";

// What `make preview-report` does: the preview of a stack as Markdown, for a comment on a pull request. Standard output
// has the report and nothing else; progress is on standard error.

/** A report of a refusal is a report too: only "none" means that there is no report. */
export const EXIT_CODES = { reported: 0, none: 1, refused: 2 } as const;

interface Options {
  stack: string;
  out?: string;
  json: boolean;
  plan: boolean;
}

function optionsOf(args: readonly string[]): Options {
  const { stack, values } = parsed("preview-report", args);
  const [json, plan] = [values.json === true, values.plan === true];
  if (json && plan) throw new Refusal("preview-report: --plan has no --json; use `plan --json`");
  return { stack, json, plan, ...(values.out === undefined ? {} : { out: String(values.out) }) };
}

interface Printed {
  text: string;
  refused: boolean;
}

/** Where the fleet's check keeps the settings that are deployed; nothing in them is secret. */
function deployedSettings({ deployment }: Deployment): FleetSettings | undefined {
  const check = (deployment?.resources ?? []).find(isOf("FleetCheck"));
  return check?.inputs?.settings as FleetSettings | undefined;
}

/** Runs the preview. Errors: a Refusal when it does not finish. */
export async function previewed(folder: string, stack: string): Promise<Previewed> {
  const target = await pulumiStack(folder, stack);
  const { knowing, command, pending, leaving, state } = await readyToPreview(target);
  const { told, exitCode, stdout } = await step(sayOnTerminal, `preview of stack '${stack}'`, () =>
    withTold((env) => answer({ ...knowing, env: { ...knowing.env, ...env } }, [...command, "--json"])),
  );
  const before = deployedSettings(state);
  const { table } = readStackConfig(folder, stack);
  return {
    stack,
    ...present({ before, table }),
    preview: jsonOf(stdout, exitCode),
    told,
    failed: exitCode !== 0,
    pending,
    leaving,
    discard: { site: mayDiscard, collected: mayDiscardCollected },
    interrupted: perhapsCreated(pendingOf(target, state)),
  };
}

/** Runs the work with a file into which the program and its providers also write their reports. */
async function withTold<T extends object>(
  work: (env: NodeJS.ProcessEnv) => Promise<T>,
): Promise<T & { told: Report[] }> {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-told-"));
  try {
    const file = path.join(scratch, "told");
    const result = await work({ [TOLD_FILE]: file });
    const lines = fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
    return { ...result, told: lines.map((line) => JSON.parse(line) as Report) };
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

function jsonOf(stdout: string, exitCode: number): PreviewJson {
  try {
    return JSON.parse(stdout) as PreviewJson;
  } catch {
    throw new Refusal(`the preview ended with exit code ${exitCode} and no result`);
  }
}

async function previewReport(folder: string, { stack, json }: Options): Promise<Printed> {
  const found = await previewed(folder, stack);
  const { changes, failures, markdown } = reportOf(found);
  const refused = changes.verdict === "refused";
  if (found.failed && !refused) throw new Refusal(["the preview failed:", ...failures].join("\n  "));
  return { text: json ? maskSeeds(`${JSON.stringify(changes, null, 2)}\n`) : markdown, refused };
}

function planReport(folder: string, { stack }: Options): Printed {
  const judged = judgeStack(folder, stack);
  if ("problems" in judged) return { text: refusedPlanMarkdown(stack, judged.problems), refused: true };
  return { text: planMarkdown(judged.planned, pictureOf(judged.settings)), refused: false };
}

/** Prints or writes the report; resolves with the exit code. Never throws. */
export async function run(args: readonly string[], _name = "", folder = projectFolder()): Promise<number> {
  try {
    const options = optionsOf(args);
    // A file that is there afterwards is this run's.
    if (options.out !== undefined) fs.rmSync(options.out, { force: true });
    const { text, refused } = options.plan ? planReport(folder, options) : await previewReport(folder, options);
    if (options.out === undefined) process.stdout.write(text);
    else fs.writeFileSync(options.out, text);
    return refused ? EXIT_CODES.refused : EXIT_CODES.reported;
  } catch (error) {
    // A program's own mistake keeps its stack, which holds no values.
    const problem = error instanceof Refusal ? error.message : ((error as Error).stack ?? String(error));
    console.error(maskSeeds(problem));
    console.error(
      "preview-report: there is no report; if no server or engine can be reached, ARGS=--plan shows the intent",
    );
    return EXIT_CODES.none;
  }
}

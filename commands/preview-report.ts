import * as fs from "node:fs";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { maskSeeds } from "../configs/seeds";
import { mayDiscard, mayDiscardCollected } from "../fleet/sourcing/discard";
import type { Previewed } from "../views/report/changes";
import { pictureOf } from "../views/report/picture";
import { planMarkdown, refusedPlanMarkdown } from "../views/report/plan";
import type { PreviewJson } from "../views/report/preview";
import { reportOf } from "../views/report/report";
import type { FleetSettings } from "../views/report/settings";
import { answer } from "./stack/cli";
import { type Deployment, pendingOperations, perhapsCreated } from "./stack/pending";
import { judgeStack } from "./plan";
import { sayOnTerminal, step } from "../machine/progress";
import { pulumiStack } from "./stack/pulumi-stack";
import { Refusal } from "../machine/refusal";
import { readyToPreview } from "./stack";
import { readStackConfig } from "./stack/stack-config";
import { DEV_STACK } from "./stack/stack-environment";

// What `make preview-report` does: the preview of a stack as Markdown, for a comment on a pull request:
//   nats-hub-leaf preview-report [--stack dev] [--out report.md] [--json | --plan]
// Standard output has the report and nothing else; what goes on meanwhile is on standard error.

/** A report of a refusal is a report too: only "none" means that there is none. */
export const EXIT_CODES = { reported: 0, none: 1, refused: 2 } as const;

const USAGE = "preview-report [--stack <name>] [--out <file>] [--json | --plan]";

interface Options {
  stack: string;
  out?: string;
  json: boolean;
  plan: boolean;
}

function optionsOf(args: readonly string[]): Options {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        stack: { type: "string", default: DEV_STACK },
        out: { type: "string" },
        json: { type: "boolean", default: false },
        plan: { type: "boolean", default: false },
      },
    });
    if (values.json && values.plan) throw new Error("--plan has no --json; use make plan ARGS=--json");
    const { out, ...rest } = values;
    return out === undefined ? rest : { ...rest, out };
  } catch (error) {
    throw new Refusal(`preview-report: ${maskSeeds((error as Error).message)}\nusage: ${USAGE}`);
  }
}

interface Printed {
  text: string;
  refused: boolean;
}

/** Where the fleet's check keeps the settings that are deployed; nothing in them is secret. */
function deployedSettings({ deployment }: Deployment): FleetSettings | undefined {
  const check = (deployment?.resources ?? []).find(({ urn }) => /nats:FleetCheck::/.test(urn));
  return check?.inputs?.settings as FleetSettings | undefined;
}

/** Runs the preview. Errors: a Refusal when it does not come to an end. */
export async function previewed(projectFolder: string, stack: string): Promise<Previewed> {
  const target = await pulumiStack(projectFolder, stack);
  const { knowing, command, pending, leaving, state } = await readyToPreview(target);
  const { exitCode, stdout } = await step(sayOnTerminal, `preview of stack '${stack}'`, () =>
    answer(knowing, [...command, "--json"]),
  );
  const before = deployedSettings(state);
  const { table } = readStackConfig(projectFolder, stack);
  return {
    stack,
    ...(before === undefined ? {} : { before }),
    ...(table === undefined ? {} : { table }),
    preview: jsonOf(stdout, exitCode),
    failed: exitCode !== 0,
    pending,
    leaving,
    discard: { site: mayDiscard, collected: mayDiscardCollected },
    interrupted: perhapsCreated(pendingOperations(state)),
  };
}

function jsonOf(stdout: string, exitCode: number): PreviewJson {
  try {
    return JSON.parse(stdout) as PreviewJson;
  } catch {
    throw new Refusal(`the preview ended with exit code ${exitCode} and without a result`);
  }
}

async function previewReport(projectFolder: string, { stack, json }: Options): Promise<Printed> {
  const found = await previewed(projectFolder, stack);
  const { changes, failures, markdown } = reportOf(found);
  const refused = changes.verdict === "refused";
  if (found.failed && !refused) throw new Refusal(["the preview failed:", ...failures].join("\n  "));
  return { text: json ? maskSeeds(`${JSON.stringify(changes, null, 2)}\n`) : markdown, refused };
}

function planReport(projectFolder: string, { stack }: Options): Printed {
  const judged = judgeStack(projectFolder, stack);
  if ("problems" in judged) return { text: refusedPlanMarkdown(stack, judged.problems), refused: true };
  return { text: planMarkdown(judged.planned, pictureOf(judged.settings)), refused: false };
}

/** Prints or writes the report; resolves with the exit code. Never throws. */
export async function run(args: readonly string[], projectFolder = path.resolve(__dirname, "..")): Promise<number> {
  try {
    const options = optionsOf(args);
    // A file that is there afterwards is this run's.
    if (options.out !== undefined) fs.rmSync(options.out, { force: true });
    const { text, refused } = options.plan
      ? planReport(projectFolder, options)
      : await previewReport(projectFolder, options);
    if (options.out === undefined) process.stdout.write(text);
    else fs.writeFileSync(options.out, text);
    return refused ? EXIT_CODES.refused : EXIT_CODES.reported;
  } catch (error) {
    // A program's own mistake keeps its stack, which holds no values.
    const problem = error instanceof Refusal ? error.message : ((error as Error).stack ?? String(error));
    console.error(maskSeeds(problem));
    console.error(
      "preview-report: there is no report; where no server or engine can be reached, ARGS=--plan tells the intent",
    );
    return EXIT_CODES.none;
  }
}

import * as fs from "node:fs";
import * as path from "node:path";
import { parseDuration } from "../configs/text/units";
import { describeProblem } from "../configs/problem";
import { maskSeeds } from "../configs/seeds";
import { doctorMetrics } from "../views/outputs/metrics";
import { WatchedSite, deployedSite, examineFleet } from "../doctor/doctor";
import { parseFleetFile } from "../configs/reading/fleet-file";
import { foreignSites } from "../doctor/doctor-foreign";
import { Logins } from "../doctor/doctor-logins";
import { DoctorReport, EXIT_CODES } from "../diagnosis/facts/doctor-report";
import { say } from "../machine/progress";
import { closeShared } from "../servers/nats/connection";
import { deployedState } from "./stack/cli";
import { unfinishedWords } from "./resize/resize";
import { doctorJson, doctorWords, failureJson } from "./words/doctor-words";
import { fleetOf } from "./state/fleet-state";
import { parsed, projectFolder, textOf } from "./parse";
import { pulumiStack } from "./stack/pulumi-stack";
import { Refusal } from "../machine/refusal";
import { present } from "../configs/values";

// What `nats-hub-leaf doctor` does, with a stack of this program or a fleet that others deployed.

type Form = "words" | "json" | "prometheus";

interface Options {
  stack: string;
  fleet?: string;
  sites: string[];
  form: Form;
  /** Absent: to standard output. */
  output?: string;
  timeoutMs: number;
}

function optionsOf(args: readonly string[]): Options {
  const call = parsed("doctor", args);
  const { values } = call;
  const timeout = textOf(call, "timeout") ?? "";
  const timeoutMs = parseDuration(timeout);
  if (timeoutMs === undefined || timeoutMs < 1_000)
    throw new Refusal(`doctor: --timeout '${maskSeeds(timeout)}' is not a duration of 1 s or more; write it like 15s`);
  const { stack } = call;
  const [fleet, output] = [textOf(call, "fleet"), textOf(call, "output")];
  const { site, json = false, prometheus = false } = values;
  const sites = site === undefined ? [] : [site].flat().map(String);
  if (fleet !== undefined && values.stack !== undefined)
    throw new Refusal("doctor: --stack and --fleet name two fleets; give only one");
  if (json && prometheus) throw new Refusal("doctor: --json and --prometheus exclude each other; give only one");
  const form = json ? "json" : prometheus ? "prometheus" : "words";
  return {
    stack,
    sites,
    form,
    timeoutMs,
    ...present({ fleet, output }),
  };
}

async function deployedSites(stack: string): Promise<WatchedSite[]> {
  const folder = projectFolder();
  const target = await pulumiStack(folder, stack);
  const state = await deployedState(target);
  const unfinished = unfinishedWords(target, state);
  if (unfinished !== undefined) say(unfinished);
  return fleetOf(state, stack, folder).map(deployedSite);
}

function sitesOfFile(path: string, logins: Logins): WatchedSite[] {
  let text: string;
  try {
    text = fs.readFileSync(path, "utf8");
  } catch (error) {
    throw new Refusal(
      `${path}: cannot be read (${(error as NodeJS.ErrnoException).code}); name the file that describes the fleet`,
    );
  }
  const { file, problems } = parseFleetFile(text);
  if (file === undefined)
    throw new Refusal([`${path} cannot be used:`, ...problems.map((one) => `  - ${describeProblem(one)}`)].join("\n"));
  return foreignSites(file, logins);
}

function selectedSites(sites: readonly WatchedSite[], names: readonly string[]): WatchedSite[] {
  const missing = names.filter((name) => !sites.some(({ site }) => site === name));
  if (missing.length > 0) {
    const there = sites.map(({ site }) => site).join(", ");
    throw new Refusal(`doctor: there is no site ${missing.join(", ")}; there are ${there}`);
  }
  return sites.filter(({ site }) => names.length === 0 || names.includes(site));
}

/** In one step: a reader of the file (a collector, a mailer) sees either the last look or this one. */
function writeOut(text: string, { output }: Pick<Options, "output">): void {
  if (output === undefined) return console.log(text.trimEnd());
  const unfinished = `${output}.${process.pid}.unfinished`;
  try {
    fs.writeFileSync(unfinished, `${text.trimEnd()}\n`);
    fs.renameSync(unfinished, output);
  } catch (error) {
    fs.rmSync(unfinished, { force: true });
    throw new Refusal(`doctor: --output ${output}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** The stack's name, or that of the file which describes the fleet. */
const labelOf = ({ stack, fleet }: Options): string => (fleet === undefined ? stack : path.parse(fleet).name);

function render(report: DoctorReport, options: Options): string {
  switch (options.form) {
    case "words":
      return doctorWords(report);
    case "json":
      return doctorJson(report);
    case "prometheus":
      return metrics(options, EXIT_CODES[report.status], report);
  }
}

const metrics = (options: Options, exitCode: number, report?: DoctorReport): string =>
  maskSeeds(
    doctorMetrics({
      stack: labelOf(options),
      exitCode,
      timestamp: Math.round(Date.now() / 1000),
      ...present({ report }),
    }),
  );

/** Prints what it found; resolves with the exit code. Never throws. */
export async function run(args: readonly string[]): Promise<number> {
  const isJson = args.includes("--json");
  let logins: Logins | undefined;
  let options: Options | undefined;
  try {
    options = optionsOf(args);
    const { fleet, stack } = options;
    logins = new Logins(path.dirname(fleet ?? ""));
    const all = fleet === undefined ? await deployedSites(stack) : sitesOfFile(fleet, logins);
    const sites = selectedSites(all, options.sites);
    const report = await examineFleet(sites, options.timeoutMs);
    writeOut(render(report, options), options);
    return EXIT_CODES[report.status];
  } catch (error) {
    // A program's own mistake keeps its stack, which holds no values.
    const problem =
      error instanceof Refusal ? error.message : error instanceof Error ? (error.stack ?? "") : String(error);
    if (!isJson) console.error(maskSeeds(problem));
    // Old metrics would look as if the doctor still looked.
    if (options?.form === "prometheus") writeFailure(metrics(options, EXIT_CODES.unknown), options);
    else if (isJson) writeFailure(failureJson(problem), options ?? {});
    return EXIT_CODES.unknown;
  } finally {
    void closeShared();
    void logins?.close();
  }
}

function writeFailure(text: string, options: Pick<Options, "output">): void {
  try {
    writeOut(text, options);
  } catch {
    // The file itself is what failed.
    console.log(text.trimEnd());
  }
}

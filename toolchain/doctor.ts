import * as fs from "node:fs";
import * as path from "node:path";
import { parseArgs } from "node:util";
import { parseDuration } from "../configs/units";
import { maskSeeds } from "../configs/seeds";
import { WatchedSite, deployedSite, examineFleet } from "../providers/doctor";
import { EXIT_CODES } from "../providers/doctor-report";
import { closeShared } from "../providers/nats/connection";
import { exportSecrets } from "./cli";
import { doctorJson, doctorWords, failureJson } from "./doctor-words";
import { fleetOf } from "./fleet-state";
import { pulumiStack } from "./pulumi-stack";
import { Refusal } from "./refusal";
import { DEV_STACK } from "./stack-environment";

// What `make doctor` does, and the npm bin:
//   ts-node toolchain/doctor.ts [--stack dev] [--site oslo] [--json] [--timeout 15s]

interface Options {
  stack: string;
  sites: string[];
  json: boolean;
  timeoutMs: number;
}

const DEFAULT_TIMEOUT = "15s";

const USAGE = "doctor [--stack <name>] [--site <name>]… [--json] [--timeout 15s]";

function optionsOf(args: readonly string[]): Options {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        stack: { type: "string", default: DEV_STACK },
        site: { type: "string", multiple: true, default: [] },
        json: { type: "boolean", default: false },
        timeout: { type: "string", default: DEFAULT_TIMEOUT },
      },
    }));
  } catch (error) {
    throw new Refusal(`doctor: ${maskSeeds((error as Error).message)}\nusage: ${USAGE}`);
  }
  const timeoutMs = parseDuration(values.timeout);
  if (timeoutMs === undefined || timeoutMs < 1_000)
    throw new Refusal(
      `doctor: --timeout '${maskSeeds(values.timeout)}' is no duration of 1 s or more; write it like 15s`,
    );
  return { stack: values.stack, sites: values.site, json: values.json, timeoutMs };
}

/** The project whose stack is meant: the folder that the command runs in, or else this checkout. */
const projectFolder = (): string =>
  fs.existsSync(path.resolve("Pulumi.yaml")) ? path.resolve() : path.resolve(__dirname, "..");

async function sitesOf({ stack }: Options): Promise<WatchedSite[]> {
  const folder = projectFolder();
  const state = await exportSecrets(await pulumiStack(folder, stack));
  if (state === undefined)
    throw new Refusal(`stack '${stack}': there is none; name one with STACK=…, or run 'make up'`);
  return fleetOf(state, stack, folder).map(deployedSite);
}

function chosen(sites: readonly WatchedSite[], names: readonly string[]): WatchedSite[] {
  const missing = names.filter((name) => !sites.some(({ site }) => site === name));
  if (missing.length > 0) {
    const there = sites.map(({ site }) => site).join(", ");
    throw new Refusal(`doctor: there is no site ${missing.join(", ")}; there are ${there}`);
  }
  return sites.filter(({ site }) => names.length === 0 || names.includes(site));
}

const isRefusal = (error: unknown): error is Error => error instanceof Error && error.name === "Refusal";

/** Prints what it found; resolves with the exit code. Never throws. */
export async function main(args: readonly string[]): Promise<number> {
  const isJson = args.includes("--json");
  try {
    const options = optionsOf(args);
    const sites = chosen(await sitesOf(options), options.sites);
    const report = await examineFleet(sites, options.timeoutMs);
    console.log(options.json ? doctorJson(report) : doctorWords(report));
    return EXIT_CODES[report.status];
  } catch (error) {
    // A program's own mistake keeps its stack, which holds no values.
    const problem = isRefusal(error) ? error.message : error instanceof Error ? (error.stack ?? "") : String(error);
    if (isJson) console.log(failureJson(problem));
    else console.error(maskSeeds(problem));
    return EXIT_CODES.unknown;
  } finally {
    void closeShared();
  }
}

if (require.main === module) {
  void main(process.argv.slice(2)).then((exitCode) => {
    process.exitCode = exitCode;
    // A server that hangs keeps its connection open.
    setTimeout(() => process.exit(), 500).unref();
  });
}

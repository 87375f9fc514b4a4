import * as fs from "node:fs";
import * as path from "node:path";
import { count } from "../configs/plan/plan-facts";
import { present } from "../configs/values";
import { leadsIn } from "../fleet/observation/leads";
import { unproven } from "../fleet/observation/unproven";
import { mermaidOf } from "../views/topology/mermaid";
import { pageOf } from "../views/topology/page";
import { Known, ProofOfStream, SiteStanding, STATES, STATE_WORDS, standingOf } from "../views/topology/standing";
import { svgFile } from "../views/topology/svg";
import { Topology, topologyOf } from "../views/topology/topology";
import type { PulumiStack } from "./stack/backend";
import { ask } from "./stack/cli";
import { parsed, projectFolder } from "./parse";
import { soundStack } from "./plan";
import { pulumiStack } from "./stack/pulumi-stack";
import { Refusal } from "../machine/refusal";
import { RunError } from "../machine/run";
import { readStackConfig } from "./stack/stack-config";

// What `make topology` does: draws a stack's fleet as a page, a picture and Mermaid text.

export interface Fleet extends Known {
  readonly topology: Topology;
}

/** The fleet that the settings intend: no Pulumi CLI, state or server is needed, and proofs are not shown. */
export const plannedFleet = (projectFolder: string, stack: string): Fleet => ({
  topology: topologyOf(soundStack(projectFolder, stack).settings),
  unproven: [],
});

/** The fleet that was deployed last, with its last proof. Errors: a Refusal when there is none. */
async function deployedFleet(target: PulumiStack): Promise<Fleet> {
  const { projectFolder, stack } = target;
  const root = path.resolve(projectFolder, rootOf(target));
  const fleet = fleetOfOutputs(await outputsOf(target), unproven(root), { stack, now: Date.now() });
  return { ...fleet, leads: leadsIn(root) };
}

async function outputsOf(target: PulumiStack): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await ask(target, ["stack", "output", "--json"])) as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof RunError) || !/no stack named/.test(error.said)) throw error;
    throw new Refusal(`stack '${target.stack}': does not exist; ${CURE}`);
  }
}

const CURE = "run 'make up' first, or draw what its settings intend: make topology ARGS=--plan";

export function fleetOfOutputs(
  { topology, proof }: Record<string, unknown>,
  changed: readonly string[],
  { stack, now }: { stack: string; now: number },
): Fleet {
  if (!isTopology(topology)) throw new Refusal(`stack '${stack}': it has no output 'topology'; ${CURE}`);
  const rows = Array.isArray(proof) ? (proof as readonly ProofOfStream[]) : [];
  return { topology, unproven: changed, proof: rows.map((row) => withoutOldProof(row, now)) };
}

const isTopology = (value: unknown): value is Topology =>
  typeof value === "object" && value !== null && "hub" in value && "sites" in value && Array.isArray(value.sites);

function withoutOldProof(row: ProofOfStream, now: number): ProofOfStream {
  const { provenAt } = row;
  return provenAt === undefined ? row : { ...row, ageMs: Math.max(0, now - Date.parse(provenAt)) };
}

/** The folder of the stack's files, where what changed since the last proof is marked. */
function rootOf({ projectFolder, stack }: PulumiStack): string {
  const { dataFolder } = readStackConfig(projectFolder, stack).raw;
  return path.join(typeof dataFolder === "string" ? dataFolder : ".fleet", stack);
}

/** The files' texts, by their endings. */
export function drawings(stack: string, fleet: Fleet, madeAt: string): Record<"html" | "svg" | "mmd", string> {
  const { topology, ...known } = fleet;
  const standings = standingOf(topology, known);
  return {
    html: pageOf({ stack, madeAt, ...fleet }),
    svg: svgFile({ topology, standings, title: `Fleet ${stack}`, ...present({ leads: known.leads }) }),
    mmd: mermaidOf(topology, new Map(), known.leads),
  };
}

/** `the hub and 3 sites: 1 unproven, 2 proven` */
export function summaryOf({ topology, ...known }: Fleet): string {
  const sites = `the hub and ${count(topology.sites.length, "site")}`;
  if (known.proof === undefined) return `${sites}, from the settings alone`;
  const standings: readonly SiteStanding[] = standingOf(topology, known);
  const counts = STATES.map((state) => ({ state, n: standings.filter((one) => one.state === state).length }));
  const words = counts.filter(({ n }) => n > 0).map(({ state, n }) => `${n} ${STATE_WORDS[state]}`);
  return `${sites}${words.length === 0 ? "" : `: ${words.join(", ")}`}`;
}

export async function run(args: readonly string[]): Promise<number> {
  const { stack, values } = parsed("topology", args);
  const [folder, out] = [projectFolder(), String(values.out)];
  const fleet =
    values.plan === true ? plannedFleet(folder, stack) : await deployedFleet(await pulumiStack(folder, stack));
  const madeAt = `${new Date().toISOString().slice(0, 19)}Z`;
  const files = Object.entries(drawings(stack, fleet, madeAt)).map(([ending, text]) => {
    const file = path.join(out, `topology.${stack}.${ending}`);
    write(file, text);
    return file;
  });
  console.log([summaryOf(fleet), ...files].join("\n  "));
  return 0;
}

function write(file: string, text: string): void {
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
  } catch (error) {
    throw new Refusal(
      `${file}: cannot be written (${(error as NodeJS.ErrnoException).code}); name a folder with OUT=…`,
    );
  }
}

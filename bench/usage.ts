import * as fs from "node:fs";
import * as path from "node:path";
import type { Ran, Running } from "../test/support/stacks/commands";
import { succeeded } from "../test/support/stacks/commands";
import { commandOf } from "../test/support/stacks/servers";

/** What a run of the CLI uses: time, and the memory and processor time of the CLI, the program and the provider. */

export interface Usage {
  /** In ms. */
  wall: number;
  /** Processor time in s, by part, up to the last look. */
  cpu: Readonly<Record<Part, number>>;
  /** Most that they held at one time together, in bytes. */
  memory: number;
}

export const PARTS = ["cli", "program", "provider"] as const;
type Part = (typeof PARTS)[number];

const LOOK_EVERY_MS = 50;
/** Of /proc, on every Linux machine. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

function partOf(pid: number): Part | undefined {
  const [program = "", script = ""] = commandOf(pid);
  if (path.basename(program) === "pulumi") return "cli";
  if (/pulumi-resource-pulumi-nodejs/.test(script)) return "provider";
  return commandOf(pid).some((word) => /@pulumi\/pulumi\/cmd\/run(\/|$)/.test(word)) ? "program" : undefined;
}

/** The processes below one, itself first. */
function below(pid: number): number[] {
  try {
    const threads = fs.readdirSync(`/proc/${pid}/task`);
    const children = threads.flatMap((thread) =>
      fs.readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
    );
    return [pid, ...children.flatMap(below)];
  } catch {
    return [];
  }
}

/** Processor time in s and memory in bytes; undefined when the process is gone. */
function statOf(pid: number): { cpu: number; memory: number } | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [user, system, pages] = [fields[11], fields[12], fields[21]].map(Number);
    return { cpu: ((user ?? 0) + (system ?? 0)) / TICKS_PER_SECOND, memory: (pages ?? 0) * PAGE_BYTES };
  } catch {
    return undefined;
  }
}

/** Looks at a run, which must succeed, until it ends. */
export async function usageOf({ child, ended }: Running): Promise<Usage> {
  const started = performance.now();
  const seen = new Map<number, { part: Part; cpu: number }>();
  let memory = 0;
  let ran: Ran | undefined;
  const noted = ended.then((one) => (ran = one));
  while (ran === undefined && child.pid !== undefined) {
    let now = 0;
    for (const pid of below(child.pid)) {
      const [part, stat] = [partOf(pid), statOf(pid)];
      if (part === undefined || stat === undefined) continue;
      seen.set(pid, { part, cpu: stat.cpu });
      now += stat.memory;
    }
    memory = Math.max(memory, now);
    await Promise.race([noted, new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))]);
  }
  succeeded(await noted);
  const wall = performance.now() - started;
  const cpu = { cli: 0, program: 0, provider: 0 };
  for (const one of seen.values()) cpu[one.part] += one.cpu;
  return { wall, cpu, memory };
}

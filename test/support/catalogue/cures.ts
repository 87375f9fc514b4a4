import { isNamed } from "../../../configs/names";
import { Accept, repairSite } from "../../../doctor/repair/repair";
import { Refusal } from "../../../machine/refusal";
import type { Expected, Row } from "./catalogue";
import { ShownFinding } from "../rules/findings";
import { TestFleet } from "../fleets/fleet";
import { observedAt } from "../fleets/watched";

/** Runs exactly what findings say is next: the commands that they name, after what a person is told to do. */

export interface Commands {
  up: boolean;
  /** Sites of which messages may be stored a second time by it. */
  doubles: string[];
  repairs: { site: string; stream: string }[];
  /** What is to be written down as known. */
  known: { site: string; stream: string }[];
}

export function commandsIn(next: string): Commands {
  const named = [...next.matchAll(/make repair SITE=([a-z0-9-]+) STREAM=(\w+)( ACCEPT=known)?/g)];
  const of = (isKnown: boolean) =>
    named
      .filter(([, , , known]) => (known !== undefined) === isKnown)
      .map(([, site = "", stream = ""]) => ({ site, stream }));
  const doubles = [...next.matchAll(/'DOUBLE=([a-z0-9-]+) make up'/g)].map(([, site = ""]) => site);
  return {
    up: doubles.length > 0 || /'(pulumi|make) up'/.test(next),
    doubles,
    repairs: of(false),
    known: of(true),
  };
}

/** What a finding leaves to people alone, and nothing is to be run: only looked for, or compared. */
const NOTHING_TO_RUN = /^compare with a backup|^the site delivers again what it still holds|^nothing to repair/;

/** Whether something can be run of it, here or by a person. */
export const isRunnable = ({ next }: ShownFinding): boolean => !NOTHING_TO_RUN.test(next);

/** What is wrong with the row's cure as such: it is not what the findings say. */
export function cureProblems(row: Expected, findings: readonly ShownFinding[]): string[] {
  const { cure, says, change, accept } = row;
  const problems: string[] = [];
  const isSaid = (words: string) => findings.some(({ next }) => next.includes(words));
  if (cure !== undefined && says === undefined) problems.push("its cure has no words of a finding (says)");
  if (says !== undefined && !isSaid(says)) problems.push(`no finding says '${says}' as what is next`);
  if (change !== undefined && !isSaid("in the settings")) problems.push("no finding names a change of the settings");
  const repairs = findings.some(({ next }) => commandsIn(next).repairs.length > 0);
  if (repairs !== (accept !== undefined)) problems.push("'make repair' is named, or accepted, without the other");
  for (const finding of findings.filter(isRunnable)) {
    const { up, repairs: named, known } = commandsIn(finding.next);
    const isOfRow = says !== undefined && finding.next.includes(says);
    if (!up && named.length + known.length === 0 && !isOfRow)
      problems.push(`${finding.site}: ${finding.code}: nothing of it can be run: ${finding.next}`);
  }
  return problems;
}

/** `make repair`: refused first with the words that it wants, then with the row's, where it wants any. */
async function repair(fleet: TestFleet, site: string, name: string, accept: Accept | "nothing"): Promise<void> {
  const observed = observedAt(fleet, site);
  const streams = observed.streams.filter((stream) => isNamed(stream, site, name));
  const said = await repairSite({ observed, streams, say: () => undefined }).then(
    () => "",
    (error: unknown) => (error instanceof Refusal ? error.message : Promise.reject(error as Error)),
  );
  if (accept === "nothing") {
    if (said !== "") throw new Error(`make repair was to ask for nothing: ${said}`);
    return;
  }
  if (!said.includes(`ACCEPT=${accept}`)) throw new Error(`make repair names no ACCEPT=${accept}: ${said}`);
  await repairSite({ observed, streams, accept, say: () => undefined });
}

/** `make repair … ACCEPT=known`, as the finding says it. */
async function writeDown(fleet: TestFleet, site: string, name: string): Promise<void> {
  const observed = observedAt(fleet, site);
  const streams = observed.streams.filter((stream) => isNamed(stream, site, name));
  await repairSite({ observed, streams, accept: "known", note: "a test", say: () => undefined });
}

/** Fleets that are cured side by side share the environment. */
let doubling = 0;

async function up(fleet: TestFleet, row: Row, doubles: readonly string[]): Promise<void> {
  if (doubles.length === 0) return fleet.up(row.change);
  process.env.DOUBLE = doubles.join(",");
  doubling++;
  try {
    await fleet.up(row.change);
  } finally {
    if (--doubling === 0) delete process.env.DOUBLE;
  }
}

/** What a person does of it first, then each command once. */
export async function runCure(fleet: TestFleet, row: Row, findings: readonly ShownFinding[]): Promise<void> {
  await row.cure?.(fleet);
  const all = findings.map(({ next }) => commandsIn(next));
  const repairs = new Map(all.flatMap((one) => one.repairs.map((each) => [`${each.site} ${each.stream}`, each])));
  for (const { site, stream } of repairs.values()) await repair(fleet, site, stream, row.accept ?? "leave");
  if (all.some((one) => one.up))
    await up(
      fleet,
      row,
      all.flatMap(({ doubles }) => doubles),
    );
  const known = new Map(all.flatMap((one) => one.known.map((each) => [`${each.site} ${each.stream}`, each])));
  for (const { site, stream } of known.values()) await writeDown(fleet, site, stream);
}

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { RawSettings } from "../../../configs/settings";
import { Finding, describeFinding } from "../../../diagnosis/diagnose";
import { SiteFacts } from "../../../diagnosis/facts/facts";
import { OBSERVED } from "../../../fleet/observation/observe";
import { messageOf } from "../../../machine/refusal";
import type { Accept } from "../../../doctor/repair/repair";
import { cureProblems, isRunnable, runCure } from "./cures";
import { ShownFinding, codesOf, refuseSeeds, shownFindings } from "../rules/findings";
import { TestFleet } from "../fleets/fleet";
import { lookAt } from "../fleets/watched";

/** The catalogue of mistakes: how one row is made on real servers, found, and cured. */

export interface Row {
  /** The mistake. */
  name: string;
  /** The collection modes in which it is made; "perSite" alone when absent. */
  modes?: readonly Mode[];
  settings?: RawSettings;
  /** Why it cannot be made on this machine; undefined when it can. */
  whyNot?(): string | undefined;
  /** Makes the mistake on a good fleet of the sites oslo and bergen, or brings it about while it is deployed. */
  make(fleet: TestFleet): PromiseLike<unknown>;
  /** All findings, `site: code`, sorted; those of warnings end in "(warning)". Empty for a good fleet under stress. */
  finds: readonly string[];
  /** What is true of the evidence, by code; every code of `finds` about oslo has one. */
  evidence: Readonly<Record<string, RegExp>>;
  /** What is true of causes, by code. */
  cause?: Readonly<Record<string, RegExp>>;
  /** What a person does of the cure, before the commands that the findings name are run; and words of `next` that say so. */
  cure?(fleet: TestFleet): PromiseLike<unknown>;
  says?: string;
  /** The settings that a finding has changed for `pulumi up`. */
  change?: RawSettings;
  /** The word with which `make repair` is run; "nothing" where it asks for none. */
  accept?: Accept | "nothing";
  /** What must be true once it is cured and proven. */
  after?(fleet: TestFleet): PromiseLike<unknown>;
}

export type Mode = "perSite" | "merged";

const SITES = ["oslo", "bergen"];

/** One row in one mode. */
export interface Case {
  row: Row;
  mode: Mode;
  title: string;
}

export const casesOf = (rows: readonly Row[]): Case[] =>
  rows.flatMap((row) => {
    const { modes = ["perSite"] } = row;
    return modes.map((mode) => ({ row, mode, title: modes.length > 1 ? `${row.name} (${mode})` : row.name }));
  });

export const MERGED: RawSettings = {
  streams: [
    { name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect: { mode: "merged", maxBytes: "32MiB" } },
  ],
};

/** What became of one case. */
export interface Outcome {
  findings: ShownFinding[];
  /** Errors that a look without probes finds in a good fleet. */
  looked: Finding[];
  /** The last facts of each site that the findings come from. */
  facts: SiteFacts[];
  /** From the last change of the servers to the findings. */
  answerMs: number;
  /** Sites that no finding is about, and that are proven in the same run. */
  proven: string[];
  /** Errors that a look still finds after the cure. */
  left: Finding[];
  /** What the second proof said: nothing but "site status" of each row when the cure works. */
  cured: string[];
}

/** Errors and warnings, `site: code`, sorted. */
export const found = (findings: readonly ShownFinding[]): string[] => codesOf(findings).sort();

/** Collects what is observed in a fleet: the last of each site, and the site of each look. */
export function recording(fleet: TestFleet): { facts: Map<string, SiteFacts>; looks: string[]; stop: () => void } {
  const facts = new Map<string, SiteFacts>();
  const looks: string[] = [];
  const record = (message: unknown) => {
    const seen = message as { root: string; facts: SiteFacts };
    if (seen.root !== fleet.root) return;
    facts.set(seen.facts.site, structuredClone(seen.facts));
    looks.push(seen.facts.site);
  };
  subscribe(OBSERVED, record);
  return { facts, looks, stop: () => unsubscribe(OBSERVED, record) };
}

/** Whether it is found as an error, for which a proof need not wait long. */
const isMistake = ({ finds }: Row): boolean => finds.some((one) => !one.endsWith("(warning)"));

export async function runCase({ row, mode }: Case): Promise<Outcome> {
  await using fleet = await TestFleet.deploy({ ...(mode === "merged" ? MERGED : {}), ...row.settings });
  await row.make(fleet);
  const { facts, stop } = recording(fleet);
  const reported = fleet.reports.length;
  const start = performance.now();
  const looked =
    row.finds.length === 0 ? (await lookAt(fleet, "oslo")).filter(({ severity }) => severity === "error") : [];
  const proof = isMistake(row) ? fleet.proveImpatiently() : fleet.prove();
  const said = await proof.then(
    () => "",
    (error: unknown) => messageOf(error),
  );
  const answerMs = Math.round(performance.now() - start);
  stop();
  refuseSeeds(fleet, said);
  const errors = shownFindings(said);
  if (said !== "" && errors.length === 0) throw new Error(`the smoke test failed without a finding: ${said}`);
  const warnings = shownFindings(fleet.reports.slice(reported).join("\n"));
  const findings = [...errors, ...warnings.map((one) => ({ ...one, code: `${one.code} (warning)` }))];
  const healthy = SITES.filter((site) => !errors.some((finding) => finding.site === site));
  const proven = healthy.filter((site) =>
    fleet.reports.slice(reported).some((line) => line.startsWith(`site ${site}: `) && /(\d+) of \1 probes/.test(line)),
  );
  await runCure(fleet, row, findings);
  const cured = await fleet.prove().then(
    (rows) => rows.map(({ site, status }) => `${site} ${status}`),
    (error: unknown) => [messageOf(error)],
  );
  const left = (await Promise.all(SITES.map((site) => lookAt(fleet, site)))).flat();
  await row.after?.(fleet);
  return {
    left: left.filter(({ severity }) => severity === "error"),
    findings,
    looked,
    facts: [...facts.values()],
    answerMs,
    proven,
    cured,
  };
}

/** Of each finding whose cure can be run: whether it is what the finding says, and the fleet was well after it. */
export function healedOf({ row }: Case, outcome: Outcome): boolean[] {
  const isWell = isProven(outcome) && outcome.left.length === 0;
  const findings = outcome.findings.filter(isRunnable);
  return findings.map((finding) => isWell && cureProblems(row, [finding, ...outcome.findings]).length === 0);
}

const isProven = ({ cured }: Outcome): boolean => cured.join() === SITES.map((site) => `${site} proven`).join();

/** What a row says of its findings. */
export type Expected = Omit<Row, "name" | "make">;

/** What of the findings is not as the row says, in words. */
export function misread(row: Expected, findings: readonly ShownFinding[]): string[] {
  const wrong: string[] = [];
  const codes = found(findings);
  if (JSON.stringify(codes) !== JSON.stringify([...row.finds].sort()))
    wrong.push(`found ${codes.join(", ") || "nothing"}, expected ${row.finds.join(", ") || "nothing"}`);
  for (const { code, evidence, cause, site } of findings.filter(({ site: name }) => name === "oslo")) {
    const bare = code.replace(" (warning)", "");
    const [wantedEvidence, wantedCause] = [row.evidence[bare], row.cause?.[bare]];
    if (wantedEvidence === undefined) wrong.push(`${site}: ${code}: no expectation of its evidence: ${evidence}`);
    else if (!wantedEvidence.test(evidence)) wrong.push(`${site}: ${code}: evidence ${evidence}`);
    if (wantedCause !== undefined && !wantedCause.test(cause)) wrong.push(`${site}: ${code}: cause ${cause}`);
  }
  return [...wrong, ...cureProblems(row, findings)];
}

/** Everything that is wrong with an outcome, in words; empty when it is right. */
export function judge({ row }: Case, outcome: Outcome): string[] {
  const { findings, proven, cured } = outcome;
  const wrong = misread(row, findings);
  const healthy = SITES.filter((site) => !row.finds.some((one) => one.startsWith(`${site}: `) && !one.endsWith(")")));
  if (proven.join() !== healthy.join()) wrong.push(`proven in the same run: ${proven.join(", ") || "none"}`);
  if (!isProven(outcome)) wrong.push(`after the cure: ${cured.join("; ")}`);
  for (const finding of outcome.left) wrong.push(`after the cure a look finds ${describeFinding(finding)}`);
  for (const finding of outcome.looked) wrong.push(`a look finds ${describeFinding(finding)}`);
  return wrong;
}

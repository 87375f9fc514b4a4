import { messageOf } from "../../../machine/refusal";
import { TestFleet } from "../fleets/fleet";

/** A finding as the person reads it. */
export interface ShownFinding {
  site: string;
  symptom: string;
  cause: string;
  evidence: string;
  next: string;
  code: string;
}

const FINDING =
  /^site (?<site>\S+): (?<symptom>.+)\n {2}cause {5}(?<cause>[^]+?)\n {2}evidence {2}(?<evidence>[^]+?)\n {2}next {6}(?<next>.+?) {2}\[(?<code>[a-z-]+)\]$/gm;

/** The findings in a text, in its order. */
export const shownFindings = (text: string): ShownFinding[] =>
  [...text.matchAll(FINDING)].map(({ groups }) => ({ ...groups }) as unknown as ShownFinding);

/** What the proof says when it fails, sorted by site and code. Errors: when it passes, or shows a seed. */
export async function findingsOf(fleet: TestFleet): Promise<ShownFinding[]> {
  const said = await fleet.proveImpatiently().then(
    () => {
      throw new Error("the smoke test passed");
    },
    (error: unknown) => messageOf(error),
  );
  refuseSeeds(fleet, said);
  const findings = shownFindings(said);
  if (findings.length === 0) throw new Error(`the smoke test failed without a finding: ${said}`);
  return findings.sort((a, b) => `${a.site} ${a.code}`.localeCompare(`${b.site} ${b.code}`));
}

/** `oslo: site-down`, one line a finding. */
export const codesOf = (findings: readonly ShownFinding[]): string[] =>
  findings.map(({ site, code }) => `${site}: ${code}`);

/** Errors: when a seed of the fleet stands in the text, or in what was reported. */
export function refuseSeeds(fleet: TestFleet, text: string): void {
  const shown = [text, ...fleet.reports].join("\n");
  if (/\bSU[A-Z2-7]{30}/.test(shown) || fleet.seeds.some((seed) => shown.includes(seed)))
    throw new Error("a seed is shown");
}

/** Probes of the site that the last runs of the proof reported, by stream. */
export const provenOf = (fleet: TestFleet, site: string): string[] =>
  fleet.reports.filter((line) => line.startsWith(`site ${site}: `) && /(\d+) of \1 probes of /.test(line));

import type { Diagnostic, PreviewJson } from "./preview";

/** What the program and its providers said during a preview, as it arrives in Pulumi's diagnostics. */

export interface Said {
  /** Why the update is refused, each with its cure. */
  refusals: string[];
  /** Errors that are no refusal: something broke. */
  failures: string[];
  /** What is not as it was left, by server. */
  wrong: Map<string, string>;
  /** Anything else that a person should know, in the providers' words. */
  found: string[];
}

const textOf = ({ message }: Diagnostic): string =>
  message
    .replace(/^(error|warning): /, "")
    .replace(/: $/gm, "")
    .trim();

/** The fleet check's, for one property each. */
const CHECKED = /^pulumi-nodejs:dynamic\/nats:\w+ resource '[^']*': property (\S+) value [^]*? has a problem: ([^]*)$/;
/** The program's own, all at once. */
const JUDGED = /^the settings have \d+ problems?:\n/;
/** A provider's: the stack of its error is printed beside the error. */
const REFUSED = /^Refusal: ([^]*)$/;

/** What the steps show by themselves, and what differs between two previews of the same change. */
const KNOWN_OTHERWISE = [
  /^(site )?[a-z0-9-]+: up (replaces|restarts|reloads|deploys|gives) /,
  /^rehearsal: .* probes arrived in /,
  /^smoke test: /,
];

const WRONG = /^(?:site ([a-z0-9-]+): its server|([a-z0-9-]+): the hub) ([^]*); up repairs it$/;

/**
 * The diagnostics. What providers say arrives as they work, side by side: it is put in the order of the sites.
 * @param sites their names, in the order of the settings.
 */
export function saidIn({ diagnostics = [] }: PreviewJson, sites: readonly string[]): Said {
  const ofProviders = new Set<string>();
  const refusals = new Set<string>();
  const errors = new Set<string>();
  const wrong = new Map<string, string>();
  const found = new Set<string>();
  for (const diagnostic of diagnostics) {
    const text = textOf(diagnostic);
    const refused = REFUSED.exec(text)?.[1];
    if (refused !== undefined) ofProviders.add(withoutStack(refused));
    else if (diagnostic.severity === "error") errors.add(text);
    else if (diagnostic.severity === "info" && text !== "") {
      const [, site, hub, what] = WRONG.exec(text) ?? [];
      if (what !== undefined) wrong.set(site ?? hub ?? "", what);
      else if (!KNOWN_OTHERWISE.some((pattern) => pattern.test(text))) found.add(text);
    }
  }
  const failures: string[] = [];
  for (const error of errors) {
    const [, property, reason] = CHECKED.exec(error) ?? [];
    if (property !== undefined && reason !== undefined) refusals.add(checkedWords(property, reason));
    else if (JUDGED.test(error)) for (const problem of judgedProblems(error)) refusals.add(problem);
    else if (!ofProviders.has(withoutStack(error))) failures.push(error);
  }
  const rank = (text: string): number => sites.indexOf(/\bsite ([a-z0-9-]+)/.exec(text)?.[1] ?? "");
  const sorted = (texts: Iterable<string>): string[] => [...texts].sort().sort((a, b) => rank(a) - rank(b));
  return { refusals: [...refusals, ...sorted(ofProviders)], failures: failures.sort(), wrong, found: sorted(found) };
}

const judgedProblems = (text: string): string[] =>
  text
    .split(/\n {2}- /)
    .slice(1)
    .map((problem) => problem.trim());

/** The reason names what it is about, but where it goes on from its property. */
const checkedWords = (property: string, reason: string): string =>
  /^(changes|moves) /.test(reason) ? `${property}: ${reason}` : reason;

/** An error's own lines, without the calls that led to it. */
const withoutStack = (text: string): string => text.replace(/\n +at [^]*$/, "").trim();

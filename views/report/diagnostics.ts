import type { Report, Fault } from "../../machine/report";
import type { PreviewJson } from "./preview";

/** What the program and its providers reported during a preview. Their words are for people: nothing here parses them. */

export interface PreviewReports {
  /** Why the update is refused, each with its cure. */
  refusals: string[];
  /** Errors that are not refusals: something broke. */
  failures: string[];
  /** What the update does to a server, as its provider decides it. */
  fates: Map<string, string>;
  /** What is not as it was left, by server. */
  wrong: Map<string, Fault>;
  /** Servers whose certificates the time asks to renew; all where the CA is. */
  due: Set<string> | "all";
  /** What the smoke test says of itself: the bytes that go over which link, or why it runs again. */
  proof: string[];
  /** Anything else that a person should know, in the providers' words. */
  found: string[];
}

/** Reports of providers arrive in any order: they are sorted by server, then by their words. */
const inOrder = (told: readonly Report[], servers: readonly string[]): string[] => {
  const rank = ({ server = "" }: Report): number => servers.indexOf(server);
  return [
    ...new Set(told.toSorted((a, b) => rank(a) - rank(b) || compare(a.words, b.words)).map(({ words }) => words)),
  ];
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What shows in other parts of the report, and differs between two previews of the same change. */
const SHOWN_OTHERWISE: readonly Report["kind"][] = ["fate", "wrong", "rehearsed", "proof", "refused"];

/**
 * @param told in order of arrival.
 * @param servers the names of the sites, in the order of the settings.
 */
export function reportsIn(
  { diagnostics = [] }: PreviewJson,
  told: readonly Report[],
  servers: readonly string[],
): PreviewReports {
  const of = (kind: Report["kind"]) => told.filter((one) => one.kind === kind);
  const isOfProperty = ({ values }: Report): boolean => values?.property !== undefined;
  const [judged, thrown] = [of("refused").filter(isOfProperty), of("refused").filter((one) => !isOfProperty(one))];
  const refusals = [...new Set(judged.map(({ words }) => words)), ...inOrder(thrown, servers)];
  const errors = new Set(
    diagnostics.flatMap(({ severity, message }) =>
      severity === "error" ? [message.replace(/^error: /, "").trim()] : [],
    ),
  );
  return {
    refusals,
    failures: [...errors].filter((error) => !of("refused").some((one) => isReported(error, one))).sort(),
    fates: new Map(of("fate").map(({ server = "", values }) => [server, String(values?.fate)])),
    wrong: new Map(of("wrong").map(({ server = "", values = {} }) => [server, faultIn(values)])),
    due: of("due").some(({ server }) => server === undefined)
      ? "all"
      : new Set(of("due").flatMap(({ server }) => server ?? [])),
    proof: of("proof").map(({ values = {}, words }) => String(values.what ?? words)),
    found: inOrder(
      told.filter(({ kind }) => !SHOWN_OTHERWISE.includes(kind)),
      servers,
    ),
  };
}

const faultIn = ({ what = "", isDead = false }: NonNullable<Report["values"]>): Fault => ({
  what: String(what),
  isDead: isDead === true,
});

/** Whether an error of the CLI was already reported: it contains the words, among its own and in its own lines. */
function isReported(error: string, { words, values }: Report): boolean {
  const packed = (text: string): string => text.replace(/\s+/g, "");
  const property = typeof values?.property === "string" ? `${values.property}:` : "";
  return packed(error).includes(packed(words.startsWith(property) ? words.slice(property.length) : words));
}

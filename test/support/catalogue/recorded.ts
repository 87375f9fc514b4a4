import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { maskSeeds } from "../../../configs/seeds";
import { SiteFacts } from "../../../diagnosis/facts/facts";
import { LEAST_ROOM } from "../../../diagnosis/store-rules";
import { HEARD_MS } from "../../../diagnosis/stream-rules";

/** What was observed in each row of the catalogue, kept as a file: facts of real servers, for the tests of the rules. */

const FILE = join(__dirname, "../../unit/diagnosis/recorded/catalogue.jsonl");

export interface Recorded {
  title: string;
  /** Of each site, when its findings were made. */
  facts: SiteFacts[];
}

export const readRecorded = (): Recorded[] =>
  (existsSync(FILE) ? readFileSync(FILE, "utf8") : "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Recorded);

/** Writes the rows of these titles, a line each; those that were not made this time stay as they are. */
export function writeRecorded(made: readonly Recorded[], titles: readonly string[]): void {
  const facts = new Map(readRecorded().map((row) => [row.title, row.facts]));
  for (const row of made) facts.set(row.title, inOrder(row.facts.map(steady)));
  const lines = titles
    .filter((title) => facts.has(title))
    .map((title) => `${JSON.stringify({ title, facts: facts.get(title) })}\n`);
  mkdirSync(dirname(FILE), { recursive: true });
  writeFileSync(FILE, lines.join(""));
}

const inOrder = (facts: readonly SiteFacts[]): SiteFacts[] =>
  facts.toSorted((one, other) => (one.site < other.site ? -1 : 1));

/** Keys, ports, and names that servers make up. */
const MADE_UP: readonly [RegExp, string][] = [
  [/\bU[A-Z2-7]{55}\b/g, `U${"0".repeat(54)}`],
  [/(?<=JS_SRC_)[\w-]{17}/g, "C"],
  [/(?<=\$LDS\.)\w{22}/g, "L"],
  [/(?<=\$JS\.S\.|_source\.[\w-]+\.)\w{8}(?!\w)/g, "D"],
  [/(?<=_probe\.\w+\.)\w{14}/g, "P"],
  [/(?<=\$JS\.FC\.[\w-]+\.)\w{8}(?=\.)/g, "H"],
  [/(?<=127\.0\.0\.1:|port )\d{4,5}/g, "420"],
];

const ANSWERS = /^(_INBOX|\$JSC\.R)\.\w/;

/** Each of the matches by a name of its own, the same wherever it stands. */
function withNames(text: string, pattern: RegExp, prefix: string): string {
  const names = new Map<string, string>();
  return text.replace(pattern, (found) => {
    const name = names.get(found) ?? `${prefix}${names.size + 1}`;
    names.set(found, name);
    return name;
  });
}

/** The times of a text in their order, a second between each two. */
function withSteadyTimes(text: string): string {
  const pattern = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
  const times = [...new Set(text.match(pattern))].sort();
  return text.replace(pattern, (time) => new Date(Date.UTC(2026, 0, 1, 0, 0, times.indexOf(time))).toISOString());
}

const MIB = 1024 * 1024;

/** Durations and sizes, on the side of the rules' limits on which they are. */
function steadyPart(name: string, value: unknown): unknown {
  if (name === "rtt") return "1ms";
  if (typeof value !== "number" || value < 0) return value;
  if (name === "latencyMs") return 1;
  if (name === "bytes") return value < LEAST_ROOM ? value : Math.min(Math.floor(value / MIB) * MIB, 1024 * MIB);
  if (/^(active|up|age|paused)Ms$/.test(name)) return value < HEARD_MS ? 1_000 : Math.ceil(value / 50_000) * 50_000;
  return value;
}

/** The facts of a site without what is another in each run: keys, folders, ports, names that servers make up, times. */
function steady(facts: SiteFacts): SiteFacts {
  const text = maskSeeds(JSON.stringify(facts, steadyPart)).replace(/[^"\\ ]*nats-hub-leaf-test-\w+/g, "/fleet");
  const named = MADE_UP.reduce((said, [pattern, prefix]) => withNames(said, pattern, prefix), text);
  const found = JSON.parse(withSteadyTimes(named)) as SiteFacts;
  // Subjects of answers come and go with the requests.
  for (const link of [...found.hub.links, ...found.leaf.links])
    if (link.subjects !== undefined) link.subjects = link.subjects.filter((one) => !ANSWERS.test(one)).sort();
  return found;
}

import { BookFacts } from "./book/facts";
import { Difference } from "./book/ledger";
import { StreamFacts } from "./facts/facts";
import { Draft, StreamRule } from "./facts/finding";

/** What the account book reports: how many messages are unaccounted for, until they are acknowledged. */

const messages = (count: number): string => `${count} message${count === 1 ? "" : "s"}`;

const time = (at: string): string => `${at.slice(0, 19)}Z`;

const shown = ({ count, from, to, cause }: Difference): string =>
  `${messages(count)} between ${time(from)} and ${time(to)}: ${cause ?? "the servers no longer show why"}`;

const balanceOf = ({ balance: { stored, onHub, waiting, otherwise }, since }: BookFacts): string =>
  `the book, since ${time(since)}: ${stored} stored at the site ever, ${onHub} of them on the hub ever, ` +
  `${waiting} waiting${otherwise === 0 ? "" : `, ${otherwise} left the hub by no declared limit`}`;

/** The next step for everything that the book reports of a stream. */
const acknowledge = (site: string, stream: string): string =>
  `find out what caused it; then record it as known: 'make repair SITE=${site} STREAM=${stream} ACCEPT=known NOTE="why"'`;

const STATEMENTS: Record<Difference["kind"], (count: string, stream: StreamFacts) => string> = {
  missing: (count, { name }) =>
    `${count} of stream ${name} that the site acknowledged are neither on the hub nor waiting at the site`,
  doubled: (count, { collectedAs }) => `${count} are in the hub's stream ${collectedAs} once too often`,
  dropped: (count, { collectedAs }) => `${count} left the hub's stream ${collectedAs} by no declared limit`,
};

function findingFor(kind: Difference["kind"], stream: StreamFacts, site: string): Draft | undefined {
  const { book } = stream;
  const differences = (book?.open ?? []).filter((one) => one.kind === kind);
  if (book === undefined || differences.length === 0) return undefined;
  const count = differences.reduce((sum, one) => sum + one.count, 0);
  return {
    symptom: `stream ${stream.name}: messages are ${kind}`,
    cause: STATEMENTS[kind](messages(count), stream),
    evidence: [...differences.map(shown), balanceOf(book)].join("\n"),
    next: acknowledge(site, stream.declaredAs ?? stream.name),
  };
}

export const BOOK_RULES: readonly StreamRule[] = [
  { code: "messages-missing", by: "seen", find: (stream, { site }) => findingFor("missing", stream, site) },
  { code: "messages-doubled", by: "seen", find: (stream, { site }) => findingFor("doubled", stream, site) },
  { code: "messages-dropped", by: "seen", find: (stream, { site }) => findingFor("dropped", stream, site) },
];

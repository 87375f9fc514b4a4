import Table from "cli-table3";
import { maskSeeds } from "../../configs/seeds";
import { describeFinding } from "../../diagnosis/diagnose";
import { DoctorReport, EXIT_CODES, SiteReport, StreamReport } from "../../diagnosis/facts/doctor-report";

// What the doctor prints: for people, and for programs (docs/doctor.md has the schema).

const ago = (ms: number | undefined): string => {
  if (ms === undefined) return "-";
  return ms < 0 ? "never" : `${(ms / 1000).toFixed(1)} s ago`;
};

const number = (value: number | undefined): string => (value === undefined ? "-" : String(value));

const rowOf = (site: SiteReport, stream: StreamReport): string[] => [
  site.site,
  site.link,
  site.accounts.join(", ") || "-",
  stream.stream,
  ago(stream.activeMs),
  number(stream.lag),
  `${number(stream.sourceSeq)} of ${number(stream.siteSeq)}`,
  stream.verdict,
];

const SUMMARY: Readonly<Record<DoctorReport["status"], string>> = {
  good: "good",
  partial: "nothing wrong was seen, but not everything could be looked at",
  warning: "with warnings",
  error: "not good",
  unknown: "not everything could be looked at",
};

/** What the table of the account book needs of a site. */
interface Booked {
  site: string;
  streams: readonly Pick<StreamReport, "stream" | "book">[];
}

/** The account book: what each site stored ever is on the hub, waits, or is missing. */
export function balanceTable(sites: readonly Booked[]): string[] {
  const booked = sites.flatMap(({ site, streams }) =>
    streams.flatMap(({ stream, book }) => (book === undefined ? [] : [{ site, stream, book }])),
  );
  if (booked.length === 0) return [];
  const table = new Table({
    head: [
      "site",
      "stream",
      "stored",
      "on the hub",
      "waiting",
      "missing",
      "doubled",
      "hub holds",
      "by limits",
      "otherwise",
    ],
    colAligns: ["left", "left", ...Array.from({ length: 8 }, () => "right" as const)],
    style: { head: [], border: [], compact: true },
  });
  for (const { site, stream, book } of booked) {
    const { stored, onHub, waiting, missing, doubled, hubHeld, byLimits, otherwise } = book;
    const counts = [stored, onHub, waiting, missing, doubled, hubHeld, byLimits, otherwise];
    table.push([site, stream, ...counts.map(number)]);
  }
  return ["messages since each stream was made, probes included (docs/book.md):", table.toString()];
}

/** A finding that all sites share, such as a dead hub, is still a finding of each: each site's data is what is missing. */
export function doctorWords({ status, sites }: DoctorReport): string {
  const table = new Table({
    head: ["site", "link", "account", "stream", "heard", "lag", "sequence", "verdict"],
    colAligns: ["left", "left", "left", "left", "right", "right", "right", "left"],
    // No colours: the table is also read in mails of cron and in files.
    style: { head: [], border: [], compact: true },
  });
  for (const site of sites) {
    const rows = site.streams.map((stream) => rowOf(site, stream));
    const none = [site.site, site.link, site.accounts.join(", ") || "-", "-", "-", "-", "-", site.verdict];
    table.push(...(rows.length === 0 ? [none] : rows));
  }
  const balance = balanceTable(sites);
  const findings = sites.flatMap((site) => site.findings.map(describeFinding));
  const unseen = sites.flatMap(({ site, unseen: all }) =>
    all.map(({ what, why }) => `site ${site}: could not look at ${what}: ${why}`),
  );
  const notGiven = sites.flatMap(({ site, notGiven: all }) =>
    all.length === 0 ? [] : [`site ${site}: not looked at, because no access is given: ${all.join("; ")}`],
  );
  return maskSeeds(
    [table.toString(), ...balance, ...findings, ...unseen, ...notGiven, `fleet: ${SUMMARY[status]}`].join("\n"),
  );
}

/** Raised when a field is removed or changes its meaning, not for a new field. */
const SCHEMA_VERSION = 1;

const known = (value: number | undefined): number | null => value ?? null;

export const doctorJson = ({ status, sites }: DoctorReport): string =>
  maskSeeds(
    JSON.stringify(
      {
        version: SCHEMA_VERSION,
        status,
        exitCode: EXIT_CODES[status],
        sites: sites.map(({ streams, findings, ...site }) => ({
          ...site,
          streams: streams.map(({ activeMs, lag, sourceSeq, siteSeq, waiting, ...stream }) => ({
            ...stream,
            activeMs: known(activeMs),
            lag: known(lag),
            sourceSeq: known(sourceSeq),
            siteSeq: known(siteSeq),
            waiting: known(waiting),
          })),
          findings: findings.map(({ stream, ...finding }) => ({ ...finding, stream: stream ?? null })),
        })),
      },
      null,
      2,
    ),
  );

/** The answer when nothing could be looked at. */
export const failureJson = (problem: string): string =>
  maskSeeds(
    JSON.stringify(
      { version: SCHEMA_VERSION, status: "unknown", exitCode: EXIT_CODES.unknown, problem, sites: [] },
      null,
      2,
    ),
  );

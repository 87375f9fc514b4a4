import type { Balance } from "../../diagnosis/book/facts";
import type { DoctorReport, SiteReport, StreamReport } from "../../diagnosis/facts/doctor-report";

/** What the doctor saw, in the text format of Prometheus, for the textfile collector of node_exporter. */

type Labels = Readonly<Record<string, string>>;

interface Metric {
  name: string;
  help: string;
  /** Unknown values have no sample: an invented value would look good, or bad. */
  samples: readonly (readonly [Labels, number | undefined])[];
}

const PREFIX = "nats_hub_leaf";

const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

const sample = (name: string, labels: Labels, value: number): string => {
  const shown = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}{${shown.join(",")}} ${value}`;
};

function metricText({ name, help, samples }: Metric): string[] {
  const full = `${PREFIX}_${name}`;
  const known = samples.flatMap(([labels, value]) => (value === undefined ? [] : [sample(full, labels, value)]));
  return known.length === 0 ? [] : [`# HELP ${full} ${help}`, `# TYPE ${full} gauge`, ...known];
}

/** The metrics, each with its help and type. */
export const metricsText = (metrics: readonly Metric[]): string => `${metrics.flatMap(metricText).join("\n")}\n`;

const linkOf = ({ link }: SiteReport): number | undefined => (link === "up" ? 1 : link === "down" ? 0 : undefined);

const seconds = ({ activeMs }: StreamReport): number | undefined =>
  activeMs === undefined ? undefined : activeMs < 0 ? -1 : activeMs / 1000;

type OfStream = (value: (stream: StreamReport) => number | undefined) => Metric["samples"];

/** The columns of the account book, in messages; probes are counted with the rest. */
const BOOK_COLUMNS = {
  stored: "Stored at the site, ever.",
  held: "Held at the site now.",
  gone: "Gone from the site's stream before the hub took them, and not passed yet.",
  taken: "Last sequence of the site's stream that the hub took.",
  onHub: "Stored on the hub of this site, ever.",
  hubHeld: "Held by the hub's stream now, of all its sites.",
  byLimits: "Left the hub's stream by its declared limits, and before the book began.",
  otherwise: "Left the hub's stream by anything else, ever.",
  missing: "Acknowledged at the site, and neither on the hub nor waiting; until it is acknowledged.",
  doubled: "On the hub once too often; until it is acknowledged.",
  own: "Probes and the like, taken out by the program itself.",
} as const satisfies Partial<Record<keyof Balance, string>>;

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The name of the metric of a column. */
export const bookMetric = (column: keyof typeof BOOK_COLUMNS): string => `book_${snake(column)}_messages`;

const bookMetrics = (ofStream: OfStream): Metric[] =>
  (Object.entries(BOOK_COLUMNS) as [keyof typeof BOOK_COLUMNS, string][]).map(([column, help]) => ({
    name: bookMetric(column),
    help: `Account book: ${help}`,
    samples: ofStream(({ book }) => book?.[column]),
  }));

export interface Looked {
  /** Name of the stack, or of the file that describes the fleet. */
  stack: string;
  exitCode: number;
  /** When it ended, in seconds since 1970. */
  timestamp: number;
  /** Absent when nothing could be looked at. */
  report?: DoctorReport;
}

export function doctorMetrics({ stack, exitCode, timestamp, report }: Looked): string {
  const sites = report?.sites ?? [];
  const ofSite = (value: (site: SiteReport) => number | undefined): Metric["samples"] =>
    sites.map((site) => [{ stack, site: site.site }, value(site)]);
  const ofStream = (value: (stream: StreamReport) => number | undefined): Metric["samples"] =>
    sites.flatMap((site) =>
      site.streams.map((stream) => {
        const { stream: name, collected } = stream;
        return [{ stack, site: site.site, stream: name, collected }, value(stream)] as const;
      }),
    );
  const findings = sites.flatMap((site) =>
    site.findings.map(
      ({ code, severity, stream = "" }) => [{ stack, site: site.site, stream, code, severity }, 1] as const,
    ),
  );
  // Two findings with one code would be the same series twice, which Prometheus rejects.
  const distinct = findings.filter(
    ([labels], i) => findings.findIndex(([other]) => JSON.stringify(other) === JSON.stringify(labels)) === i,
  );
  const metrics: Metric[] = [
    { name: "doctor_timestamp_seconds", help: "When the doctor last looked.", samples: [[{ stack }, timestamp]] },
    {
      name: "doctor_exit_code",
      help: "The doctor's exit code: 0 good, 1 warning, 2 error, 3 it could not look.",
      samples: [[{ stack }, exitCode]],
    },
    { name: "finding", help: "What the doctor found; docs/findings.md has every code.", samples: distinct },
    {
      name: "unseen",
      help: "How much of the site could not be looked at.",
      samples: ofSite((one) => one.unseen.length),
    },
    { name: "link_up", help: "Whether the hub has the site's link.", samples: ofSite(linkOf) },
    {
      name: "source_active_seconds",
      help: "Time since the hub's source heard of the site; -1 when it never did.",
      samples: ofStream(seconds),
    },
    { name: "source_lag_messages", help: "Lag, as the hub's source reports it.", samples: ofStream(({ lag }) => lag) },
    {
      name: "source_sequence",
      help: "Last sequence of the site's stream that the hub took.",
      samples: ofStream(({ sourceSeq }) => sourceSeq),
    },
    {
      name: "site_sequence",
      help: "Last sequence of the site's stream at the site.",
      samples: ofStream(({ siteSeq }) => siteSeq),
    },
    {
      name: "waiting_messages",
      help: "Messages that the site holds and the hub has not.",
      samples: ofStream(({ waiting }) => waiting),
    },
  ];
  return metricsText([...metrics, ...bookMetrics(ofStream)]);
}

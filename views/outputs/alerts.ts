import { stringify } from "yaml";
import { DeployedFleet } from "./deployed";
import { INACTIVE_FOR_S, INACTIVE_S } from "../../configs/monitor/limits";
import { present } from "../../configs/values";
import { bookMetric } from "./metrics";
import { JOB } from "./prometheus";

/**
 * Alert rules. What a server's monitoring shows within seconds comes from the exporters; every cause that the doctor
 * knows, and all servers in containers, come from the doctor's metrics.
 */

/** How long something is wrong before an alert fires. */
export interface AlertTiming {
  /** A link comes back within a second of its server. */
  down: string;
  inactive: string;
  lag: string;
  unseen: string;
  missing: string;
  /** Seconds without a look of the doctor. */
  silent: number;
}

const TIMING: AlertTiming = {
  down: "1m",
  inactive: `${INACTIVE_FOR_S / 60}m`,
  lag: "10m",
  unseen: "10m",
  missing: "5m",
  silent: 900,
};

const INACTIVE_NS = `${INACTIVE_S}e9`;

/** What the dashboard shows beside a rule: the numbers that it judges, whether or not it fires. */
export interface Panel {
  title: string;
  /** One for each line of text in the legend. */
  queries: readonly { expr: string; legend: string }[];
  /** In Grafana's words. @default "short" */
  unit?: "s" | "ns" | "short";
}

export interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** Absent where the panel of another rule shows the same numbers. */
  panel?: Panel;
}

const DECLARED = "nats_hub_leaf:link:declared";
const ACTIVE = "nats_hub_leaf:source:active_ns";
const LAG = "nats_hub_leaf:source:lag";

const alert = (
  name: string,
  expr: string,
  after: string,
  /** "own": the metric's. */
  severity: "error" | "warning" | "own",
  summary: string,
  description: string,
  panel?: Panel,
): Rule => ({
  alert: name,
  expr,
  for: after,
  ...(severity === "own" ? {} : { labels: { severity } }),
  annotations: { summary, description },
  ...present({ panel }),
});

const SOURCE = "{{ site }} {{ stream_name }}";
const STREAM = "{{ site }} {{ stream }}";

const panel = (title: string, expr: string, legend: string, unit: Panel["unit"] = "short"): Panel => ({
  title,
  queries: [{ expr, legend }],
  unit,
});

/** A selector, such as `{job="nats",stack="dev"}`. */
const where = (labels: Record<string, string>): string =>
  `{${Object.entries(labels)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join(",")}}`;

function serverRules({ stack, sites }: DeployedFleet, timing: AlertTiming): Rule[] {
  const ofStack = where({ stack });
  const servers = where({ job: JOB, stack });
  const hub = where({ job: JOB, stack, role: "hub" });
  const bySource = (metric: string): string =>
    `max by (stack, site, account, stream_name) (label_replace(${metric}${hub}, "site", "$1", "source_api", "\\\\$JS\\\\.(.+)\\\\.API"))`;
  const declared = sites.filter(({ expect }) => expect === "online");
  const isDeclared = `and on (stack, site) ${DECLARED}${ofStack}`;
  return [
    ...declared.map(({ name: site, account }): Rule => ({
      record: DECLARED,
      expr: "vector(1)",
      labels: { stack, site, account },
    })),
    { record: ACTIVE, expr: bySource("jetstream_stream_source_active_duration_ns") },
    { record: LAG, expr: bySource("jetstream_stream_source_lag") },
    alert(
      "NatsServerDown",
      // The exporter answers for a dead server too: `up` stays 1, and only the server's own series end.
      `max by (stack, server) (up${servers}) unless on (stack, server) gnatsd_leafz_conn_nodes_total${servers}`,
      timing.down,
      "error",
      "{{ $labels.server }} of stack {{ $labels.stack }} does not answer",
      "Neither its links nor its streams can be seen: the server or its exporter is down.",
      panel(
        "Messages a second, by server",
        `sum by (server) (rate(gnatsd_varz_in_msgs${servers}[5m]))`,
        "{{ server }}",
      ),
    ),
    alert(
      "NatsLeafLinkDown",
      [
        `${DECLARED}${ofStack}`,
        `unless on (stack, site, account) label_replace(gnatsd_leafz_info${hub}, "site", "$1", "name", "(.+)")`,
        `and on (stack) gnatsd_leafz_conn_nodes_total${hub}`,
      ].join(" "),
      timing.down,
      "error",
      "the hub has no link of {{ $labels.site }} in account {{ $labels.account }}",
      "Nothing of the site reaches the hub. `make doctor` names the cause.",
      panel("Round trip of each link", `max by (name) (gnatsd_leafz_conn_rtt${hub})`, "{{ name }}", "s"),
    ),
    alert(
      "NatsLinksBelowDeclared",
      `count by (stack) (${DECLARED}${ofStack}) > on (stack) max by (stack) (gnatsd_leafz_conn_nodes_total${hub})`,
      timing.down,
      "error",
      "the hub of stack {{ $labels.stack }} has fewer links than {{ $value }}, which are declared",
      "NatsLeafLinkDown names the sites.",
      {
        title: "Leaf links",
        queries: [
          { expr: `count(${DECLARED}${ofStack})`, legend: "declared" },
          { expr: `max(gnatsd_leafz_conn_nodes_total${hub})`, legend: "on the hub" },
        ],
      },
    ),
    alert(
      "NatsSourceInactive",
      `(${ACTIVE}${ofStack} > ${INACTIVE_NS} or ${ACTIVE}${ofStack} == -1) ${isDeclared}`,
      timing.inactive,
      "error",
      "stream {{ $labels.stream_name }} of {{ $labels.site }} is not sourced",
      "The hub has not heard of the site for more than 10 s, or never did. Its lag still shows 0. `make doctor` names the cause.",
      panel("Since each source heard of its site", `${ACTIVE}${ofStack}`, SOURCE, "ns"),
    ),
    alert(
      "NatsSourceLag",
      `${LAG}${ofStack} > 0 ${isDeclared}`,
      timing.lag,
      "warning",
      `stream {{ $labels.stream_name }} of {{ $labels.site }} did not catch up once in ${timing.lag}`,
      "{{ $value }} messages wait at the site.",
      panel("Messages behind, as each source says", `${LAG}${ofStack}`, SOURCE),
    ),
  ];
}

function doctorRules({ stack }: DeployedFleet, timing: AlertTiming): Rule[] {
  const ofStack = where({ stack });
  const looked = `nats_hub_leaf_doctor_timestamp_seconds${ofStack}`;
  return [
    alert(
      "NatsFinding",
      `max by (stack, site, stream, code, severity) (nats_hub_leaf_finding${ofStack}) > 0`,
      "0s",
      "own",
      "site {{ $labels.site }}: {{ $labels.code }}",
      "docs/findings.md#{{ $labels.code }} has cause and cure, `make doctor` shows the evidence.",
      panel("Findings", `nats_hub_leaf_finding${ofStack}`, "{{ site }} {{ code }}"),
    ),
    ...bookRules(ofStack),
    alert(
      "NatsDoctorCannotLook",
      // An error of another site takes precedence in the exit code.
      `max by (stack) (nats_hub_leaf_doctor_exit_code${ofStack}) == 3 or max by (stack) (nats_hub_leaf_unseen${ofStack}) > 0`,
      timing.unseen,
      "warning",
      "the doctor of stack {{ $labels.stack }} cannot look at everything",
      "What it cannot see may be wrong. `make doctor` says what that is.",
      panel("What the doctor could not look at", `nats_hub_leaf_unseen${ofStack}`, "{{ site }}"),
    ),
    alert(
      "NatsDoctorSilent",
      `time() - max by (stack) (${looked}) > ${timing.silent} or absent(${looked})`,
      timing.missing,
      "warning",
      "the doctor of stack {{ $labels.stack }} does not look",
      "Its cron job, node_exporter or its textfile is missing (docs/monitoring.md).",
      panel("Since the doctor looked", `time() - max by (stack) (${looked})`, "{{ stack }}", "s"),
    ),
  ];
}

/** One alert for each column of the account book that shows a loss, and one for counts that fell: a store went back. */
function bookRules(ofStack: string): Rule[] {
  const of = (column: Parameters<typeof bookMetric>[0]) =>
    `max by (stack, site, stream) (nats_hub_leaf_${bookMetric(column)}${ofStack})`;
  const where = "stream {{ $labels.stream }} of {{ $labels.site }}";
  const cure = "`make doctor` says when, and the cause if the servers still showed it.";
  const fell = (name: string, column: Parameters<typeof bookMetric>[0], what: string): Rule =>
    alert(
      name,
      `max by (stack, site, stream) (resets(nats_hub_leaf_${bookMetric(column)}${ofStack}[1h])) > 0`,
      "0s",
      "warning",
      `${where}: ${what} went back in time, or was recreated`,
      `Its count fell within the last hour. ${cure}`,
      panel(`Messages in ${what}, ever`, of(column), STREAM),
    );
  return [
    alert(
      "NatsMessagesMissing",
      `${of("missing")} > 0`,
      "0s",
      "warning",
      `${where}: {{ $value }} messages are missing`,
      cure,
      panel("Messages missing", of("missing"), STREAM),
    ),
    alert(
      "NatsMessagesDoubled",
      `${of("doubled")} > 0`,
      "0s",
      "warning",
      `${where}: {{ $value }} messages are doubled`,
      cure,
      panel("Messages doubled", of("doubled"), STREAM),
    ),
    alert(
      "NatsMessagesGone",
      `${of("gone")} > 0`,
      "0s",
      "warning",
      `${where}: {{ $value }} messages left the site before the hub took them`,
      `The site's limits are too small for this outage of the link, or someone removed the messages. ${cure}`,
      panel("Messages gone from the site before the hub took them", of("gone"), STREAM),
    ),
    alert(
      "NatsMessagesDropped",
      `max by (stack, site, stream) (increase(nats_hub_leaf_${bookMetric("otherwise")}${ofStack}[1h])) > 0`,
      "0s",
      "warning",
      `${where}: messages left the hub's stream by no declared limit`,
      `A purge, a deletion, a limit set by hand or a damaged block. ${cure}`,
      panel("Messages that left the hub by no declared limit", of("otherwise"), STREAM),
    ),
    fell("NatsSiteStoreFell", "stored", "the site's store"),
    fell("NatsHubStoreFell", "onHub", "the hub's store"),
  ];
}

/** All rules, in groups. Without the hub's monitoring, rules on it would never fire: there are none then. */
export function ruleGroups(fleet: DeployedFleet, timing: Partial<AlertTiming> = {}): { name: string; rules: Rule[] }[] {
  const all = { ...TIMING, ...timing };
  const { stack, hub } = fleet;
  return [
    ...(hub.monitor === undefined ? [] : [{ name: `nats-servers-${stack}`, rules: serverRules(fleet, all) }]),
    { name: `nats-doctor-${stack}`, rules: doctorRules(fleet, all) },
  ];
}

/** The text of alerts.yml. */
export function alertRules(fleet: DeployedFleet, timing: Partial<AlertTiming> = {}): string {
  const groups = ruleGroups(fleet, timing).map(({ name, rules }) => ({
    name,
    rules: rules.map(({ panel: _, ...rule }) => rule),
  }));
  return stringify({ groups }, { lineWidth: 0 });
}

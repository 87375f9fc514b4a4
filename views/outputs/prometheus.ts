import { stringify } from "yaml";
import { DeployedFleet, DeployedServer } from "./deployed";

/** The configuration of a Prometheus that watches the fleet. */

export const JOB = "nats";
export const ALERTS_FILE = "alerts.yml";

/** Where node_exporter serves what the doctor wrote. */
const NODE_EXPORTER = "127.0.0.1:9100";

export interface PrometheusOptions {
  /** Port of the hub's exporter; those of the sites follow. @default 7777 */
  exporterPort: number;
  /** @default "15s" */
  interval: string;
  /** Where the doctor's metrics are served. @default node_exporter on this machine */
  textfiles: string;
}

/** Port of the hub's exporter: the one that the exporter itself takes. */
export const EXPORTER_PORT = 7777;

const DEFAULTS: PrometheusOptions = { exporterPort: EXPORTER_PORT, interval: "15s", textfiles: NODE_EXPORTER };

/** An exporter: it asks one server's monitoring, and Prometheus asks it. */
export interface Exporter {
  server: string;
  port: number;
  labels: Record<string, string>;
  /** What runs it. */
  command: readonly string[];
}

/** The exporters of all servers whose monitoring this machine reaches. */
export function exportersOf({ stack, hub, sites }: DeployedFleet, exporterPort = EXPORTER_PORT): Exporter[] {
  const targets: [DeployedServer, Record<string, string>][] = [
    [hub, { role: "hub" }],
    ...sites.map((site): [DeployedServer, Record<string, string>] => [
      site,
      { role: "site", site: site.name, account: site.account },
    ]),
  ];
  return targets.flatMap(([{ name, monitor }, labels], i): Exporter[] => {
    if (monitor === undefined) return [];
    const port = exporterPort + i;
    // With the server's own name for `server_id`, and on loopback only: the exporter's default is every address.
    const options = ["-use_internal_server_name", "-varz", "-leafz", "-accstatz", "-jsz", "all"];
    const command = ["prometheus-nats-exporter", "-addr", "127.0.0.1", "-port", String(port), ...options, monitor];
    return [{ server: name, port, labels: { stack, server: name, ...labels }, command }];
  });
}

/** The text of prometheus.yml. */
export function prometheusConfig(fleet: DeployedFleet, options: Partial<PrometheusOptions> = {}): string {
  const { exporterPort, interval, textfiles } = { ...DEFAULTS, ...options };
  const exporters = exportersOf(fleet, exporterPort);
  const unreached = [fleet.hub, ...fleet.sites].filter(({ monitor }) => monitor === undefined);
  const header = [
    `Prometheus for stack ${fleet.stack}, written by make prometheus. Copy the jobs into a Prometheus that you have,`,
    `or run this one: prometheus --config.file prometheus.yml`,
    ...(exporters.length === 0
      ? []
      : ["", "Each server's monitoring is JSON: an exporter turns it into metrics. Run one for each server:"]),
    ...exporters.map(({ command }) => `  ${command.join(" ")}`),
    ...(unreached.length === 0
      ? []
      : [
          "",
          `In a container, where monitoring cannot be reached: ${unreached.map(({ name }) => name).join(", ")}.`,
          "The doctor still sees them.",
        ]),
    "",
    "The doctor's metrics come from the textfile collector of node_exporter (docs/monitoring.md).",
  ];
  const nats = {
    job_name: JOB,
    // The exporter's own `account` label says more than the target's.
    honor_labels: true,
    static_configs: exporters.map(({ port, labels }) => ({ targets: [`127.0.0.1:${port}`], labels })),
  };
  const doctor = {
    job_name: "nats-doctor",
    params: { "collect[]": ["textfile"] },
    static_configs: [{ targets: [textfiles] }],
  };
  const config = {
    global: { scrape_interval: interval, evaluation_interval: interval },
    rule_files: [ALERTS_FILE],
    scrape_configs: [...(exporters.length === 0 ? [] : [nats]), doctor],
  };
  const comment = header.map((line) => `# ${line}`.trimEnd()).join("\n");
  return `${comment}\n\n${stringify(config, { lineWidth: 0 })}`;
}

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AlertTiming, alertRules } from "../../views/outputs/alerts";
import type { DeployedFleet } from "../../views/outputs/deployed";
import { ALERTS_FILE, exportersOf, prometheusConfig } from "../../views/outputs/prometheus";
import { freePorts } from "./free-ports";
import { Beside } from "./tools";
import { until } from "./until";

/** Impatient, so that a test sees an alert within seconds. */
const QUICK: AlertTiming = { down: "2s", inactive: "2s", lag: "5s", unseen: "2s", missing: "2s", silent: 900 };

export interface Sample {
  metric: Record<string, string>;
  value: number;
}

/** A real Prometheus on loopback that watches a fleet: through a real exporter for each server, and by the doctor's metrics. */
export class Prometheus {
  /** What node_exporter would serve of the doctor's file. */
  textfile = "";
  private readonly beside = new Beside();
  private readonly textfiles = createServer((_request, response) => response.end(this.textfile));

  private constructor(
    readonly folder: string,
    private readonly url: string,
  ) {}

  static async start(fleet: DeployedFleet): Promise<Prometheus> {
    const exporterPort = await freePorts(fleet.sites.length + 3);
    const [web, textfiles] = [exporterPort + fleet.sites.length + 1, exporterPort + fleet.sites.length + 2];
    const folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-prometheus-"));
    const prometheus = new Prometheus(folder, `http://127.0.0.1:${web}`);
    try {
      const options = { exporterPort, interval: "1s", textfiles: `127.0.0.1:${textfiles}` };
      writeFileSync(join(folder, "prometheus.yml"), prometheusConfig(fleet, options));
      writeFileSync(join(folder, ALERTS_FILE), alertRules(fleet, QUICK));
      await new Promise<void>((resolve) => prometheus.textfiles.listen(textfiles, "127.0.0.1", resolve));
      prometheus.run(exportersOf(fleet, exporterPort), web);
      await until("Prometheus answers", async () => (await fetch(`${prometheus.url}/-/ready`)).ok);
      return prometheus;
    } catch (error) {
      await prometheus.stop();
      throw new Error(`${String(error)}\n${prometheus.beside.output}`);
    }
  }

  private run(exporters: ReturnType<typeof exportersOf>, web: number): void {
    for (const { command } of exporters) this.beside.start("prometheus-nats-exporter", command.slice(1), this.folder);
    const data = join(this.folder, "data");
    mkdirSync(data);
    const options = [`--storage.tsdb.path=${data}`, `--web.listen-address=127.0.0.1:${web}`, "--log.level=warn"];
    this.beside.start("prometheus", [`--config.file=${join(this.folder, "prometheus.yml")}`, ...options], this.folder);
  }

  private async api<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}/api/v1/${path}`);
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== "success") throw new Error(`${path}: ${error}`);
    return data;
  }

  /** The samples that the expression has now; waits until there is one: each target is looked at when its turn comes. */
  query(expression: string): Promise<Sample[]> {
    const some = async () => {
      const samples = await this.samples(expression);
      return samples.length > 0 && samples;
    };
    return until(`${expression} has a value`, some);
  }

  private async samples(expression: string): Promise<Sample[]> {
    const { result } = await this.api<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
      `query?query=${encodeURIComponent(expression)}`,
    );
    return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
  }

  /** `NatsLeafLinkDown oslo`: the alerts that fire, with what they are about, sorted. */
  async firing(): Promise<string[]> {
    const { alerts } = await this.api<{ alerts: { state: string; labels: Record<string, string> }[] }>("alerts");
    const firing = alerts.filter(({ state }) => state === "firing");
    return firing
      .map(({ labels: { alertname, site, server, stack, code } }) =>
        [alertname, site ?? server ?? stack, code].filter((part) => part !== undefined).join(" "),
      )
      .sort();
  }

  /** Waits until exactly these fire. */
  async fires(expected: readonly string[], timeoutMs = 100_000): Promise<void> {
    let last: string[] = [];
    const matches = async () => {
      last = await this.firing();
      return JSON.stringify(last) === JSON.stringify([...expected].sort());
    };
    await until(`exactly ${expected.join(", ") || "nothing"} fires`, matches, timeoutMs).catch((error: unknown) => {
      throw new Error(`${String(error)}; firing: ${last.join(", ") || "nothing"}`);
    });
  }

  async stop(): Promise<void> {
    await this.beside.stop();
    await new Promise((resolve) => {
      this.textfiles.close(resolve);
      this.textfiles.closeAllConnections();
    });
    rmSync(this.folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose] = (): Promise<void> => this.stop();
}

import { type Panel, ruleGroups } from "./alerts";
import type { DeployedFleet } from "./deployed";

/** A dashboard for Grafana, made of the list of alerts: what fires, and the numbers that each rule judges. */

export const DASHBOARD_FILE = "dashboard.json";

/** Grafana asks for the data source when the dashboard is imported. */
const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

const WIDTH = 12;
const HEIGHT = 8;

interface Shown extends Panel {
  description: string;
}

const targetsOf = ({ queries }: Pick<Panel, "queries">) =>
  queries.map(({ expr, legend }, i) => ({
    refId: String.fromCharCode("A".charCodeAt(0) + i),
    datasource: DATASOURCE,
    expr,
    legendFormat: legend,
  }));

const graph = ({ title, description, queries, unit = "short" }: Shown, i: number) => ({
  id: i + 2,
  type: "timeseries",
  title,
  description,
  datasource: DATASOURCE,
  gridPos: { x: (i % 2) * WIDTH, y: HEIGHT + Math.floor(i / 2) * HEIGHT, w: WIDTH, h: HEIGHT },
  fieldConfig: { defaults: { unit }, overrides: [] },
  options: { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi" } },
  targets: targetsOf({ queries }),
});

const firing = (stack: string) => ({
  id: 1,
  type: "table",
  title: "Alerts that fire",
  description: "Each with its labels. docs/monitoring.md says what it means.",
  datasource: DATASOURCE,
  gridPos: { x: 0, y: 0, w: 2 * WIDTH, h: HEIGHT },
  fieldConfig: { defaults: {}, overrides: [] },
  options: {},
  targets: [
    {
      refId: "A",
      datasource: DATASOURCE,
      expr: `ALERTS{alertstate="firing",stack=${JSON.stringify(stack)}}`,
      format: "table",
      instant: true,
    },
  ],
});

/** The panels beside the rules, in their order. */
export const panelsOf = (fleet: DeployedFleet): Shown[] =>
  ruleGroups(fleet)
    .flatMap(({ rules }) => rules)
    .flatMap(({ alert, panel, annotations }) =>
      panel === undefined ? [] : [{ ...panel, description: `${alert}: ${annotations?.description ?? ""}` }],
    );

/** The text of dashboard.json. */
export function dashboard(fleet: DeployedFleet): string {
  const { stack } = fleet;
  const content = {
    uid: `nats-hub-leaf-${stack}`.slice(0, 40),
    title: `NATS ${stack}`,
    tags: ["nats-hub-leaf"],
    schemaVersion: 39,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    templating: {
      list: [{ name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus" }],
    },
    panels: [firing(stack), ...panelsOf(fleet).map(graph)],
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

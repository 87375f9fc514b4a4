import assert from "node:assert/strict";
import { ruleGroups } from "../../../../views/outputs/alerts";
import { dashboard } from "../../../../views/outputs/dashboard";
import { FLEET } from "./a-fleet";

interface Dashboard {
  title: string;
  panels: {
    id: number;
    title: string;
    description: string;
    gridPos: { x: number; y: number; w: number; h: number };
    targets: { refId: string; expr: string }[];
  }[];
}

describe("the dashboard", () => {
  const { title, panels } = JSON.parse(dashboard(FLEET)) as Dashboard;

  it("begins with what fires", () => {
    assert.equal(title, "NATS dev");
    assert.equal(panels[0]?.targets[0]?.expr, `ALERTS{alertstate="firing",stack="dev"}`);
  });

  it("has a panel for every alert, with what the alert means", () => {
    const alerts = ruleGroups(FLEET).flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? []));
    assert.ok(alerts.length > 10);
    assert.deepEqual(
      panels.slice(1).map(({ description }) => description.split(":")[0]),
      alerts,
    );
    const titles = panels.map((panel) => panel.title);
    assert.equal(new Set(titles).size, titles.length, titles.join());
  });

  it("asks of this stack only: a Prometheus may watch several", () => {
    for (const { targets } of panels) for (const { expr } of targets) assert.match(expr, /\{[^}]*stack="dev"/, expr);
  });

  it("lays no panel over another", () => {
    const places = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
    );
    assert.equal(new Set(places).size, places.length);
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  });
});

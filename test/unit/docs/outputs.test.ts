import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { alertRules } from "../../../views/outputs/alerts";
import { contextsOf } from "../../../views/outputs/contexts";
import { doctorMetrics } from "../../../views/outputs/metrics";
import { snippetsOf, snippetsText } from "../../../views/outputs/snippets";
import { FLEET, MERGED, OSLO } from "../views/outputs/a-fleet";
import { LOOKED } from "../views/outputs/a-look";

const doc = (name: string): string => readFileSync(join(__dirname, "../../../docs", name), "utf8");

describe("the docs of the outputs", () => {
  const [clients, monitoring] = [doc("clients.md"), doc("monitoring.md")];

  it("have the snippets as the program prints them", () => {
    const site = { ...OSLO, url: "nats://oslo.example:4222" };
    assert.ok(clients.includes(snippetsText(snippetsOf(FLEET, site))));
  });

  it("have every kind of context", () => {
    const fleet = { ...FLEET, sites: [OSLO], streams: [...FLEET.streams, ...MERGED.streams] };
    const names = contextsOf(fleet, "prod").map(({ name }) => name);
    const rows = [...clients.matchAll(/^\| `([^`]+)` /gm)].map(([, name]) => name);
    assert.deepEqual(rows.sort(), names.sort());
  });

  it("have every metric of the doctor, with its labels", () => {
    const metrics = doctorMetrics(LOOKED).matchAll(/^(nats_\w+)\{(.*)\} /gm);
    for (const [, name, labels] of metrics) {
      const shown = [...labels!.matchAll(/(\w+)=/g)].map(([, label]) => `\`${label}\``).join(" ");
      assert.match(monitoring, new RegExp(`^\\| \`${name}\` +\\| ${shown} +\\|`, "m"), name);
    }
  });

  it("have every alert", () => {
    const alerts = [...alertRules(FLEET).matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
    const rows = [...monitoring.matchAll(/^\| `(Nats\w+)`/gm)].map(([, name]) => name);
    assert.deepEqual(rows, alerts);
  });
});

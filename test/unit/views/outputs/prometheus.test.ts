import assert from "node:assert/strict";
import { parse } from "yaml";
import { alertRules } from "../../../../views/outputs/alerts";
import { exportersOf, prometheusConfig } from "../../../../views/outputs/prometheus";
import { FLEET, OSLO, TROMSO } from "./a-fleet";

interface Config {
  rule_files: string[];
  scrape_configs: { job_name: string; static_configs: { targets: string[]; labels?: Record<string, string> }[] }[];
}
interface Rules {
  groups: {
    name: string;
    rules: { alert?: string; record?: string; expr: string; labels?: Record<string, string> }[];
  }[];
}

const CONTAINERS = { ...FLEET, hub: { name: "hub", url: FLEET.hub.url }, sites: [TROMSO] };

describe("the configuration of Prometheus", () => {
  const config = parse(prometheusConfig(FLEET)) as Config;

  it("has a target for each server whose monitoring is reached, with what it is", () => {
    assert.deepEqual(config.scrape_configs[0]!.static_configs.slice(0, 2), [
      { targets: ["127.0.0.1:7777"], labels: { stack: "dev", server: "hub", role: "hub" } },
      {
        targets: ["127.0.0.1:7778"],
        labels: { stack: "dev", server: "oslo", role: "site", site: "oslo", account: "OSLO" },
      },
    ]);
  });

  it("asks for the doctor's metrics only, where node_exporter has many others", () => {
    assert.deepEqual(config.scrape_configs[1], {
      job_name: "nats-doctor",
      params: { "collect[]": ["textfile"] },
      static_configs: [{ targets: ["127.0.0.1:9100"] }],
    });
  });

  it("says how each exporter is run: on loopback, with the server's own name", () => {
    assert.match(
      prometheusConfig(FLEET, { exporterPort: 9000 }),
      /^# {3}prometheus-nats-exporter -addr 127\.0\.0\.1 -port 9001 -use_internal_server_name -varz -leafz -accstatz -jsz all http:\/\/127\.0\.0\.1:8223$/m,
    );
  });

  it("gives a server the same port whichever others are reached", () => {
    const ports = (sites: (typeof OSLO)[]) =>
      exportersOf({ ...FLEET, sites }).map(({ server, port }) => `${server} ${port}`);
    assert.deepEqual(ports([TROMSO, OSLO]), ["hub 7777", "oslo 7779"]);
  });

  it("says which servers nothing reaches, and has no job without a target", () => {
    const text = prometheusConfig(CONTAINERS);
    assert.match(text, /where monitoring cannot be reached: hub, tromso\./);
    assert.deepEqual(
      (parse(text) as Config).scrape_configs.map(({ job_name }) => job_name),
      ["nats-doctor"],
    );
  });
});

describe("the alert rules", () => {
  const { groups } = parse(alertRules(FLEET)) as Rules;

  it("declare a link for each site that is to be there", () => {
    const declared = groups[0]!.rules.filter(({ record }) => record === "nats_hub_leaf:link:declared");
    assert.deepEqual(
      declared.map(({ labels }) => labels),
      [
        { stack: "dev", site: "oslo", account: "OSLO" },
        { stack: "dev", site: "tromso", account: "TROMSO" },
      ],
    );
  });

  it("are of this stack only: a Prometheus may watch several", () => {
    for (const { alert, expr } of groups.flatMap(({ rules }) => rules).filter((rule) => rule.alert !== undefined)) {
      const selectors = [...expr.matchAll(/[a-z_:]+\{[^}]*\}/g)].map(([selector]) => selector);
      assert.ok(selectors.length > 0, alert);
      for (const selector of selectors) assert.match(selector, /stack="dev"/, alert);
    }
  });

  it("are the doctor's alone where the hub's monitoring is not reached: others would never fire", () => {
    assert.deepEqual(
      (parse(alertRules(CONTAINERS)) as Rules).groups.map(({ name }) => name),
      ["nats-doctor-dev"],
    );
  });
});

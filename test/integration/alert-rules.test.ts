import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { alertRules } from "../../views/outputs/alerts";
import { describeWith, tool } from "../support/tools";
import { FLEET, OSLO } from "../unit/views/outputs/a-fleet";

/** The rules with the times that people get, over recorded series: a value each minute, `_` for none, `stale` for a series that ends. */

const TWO_SITES = { ...FLEET, sites: [OSLO, { ...OSLO, name: "rome", account: "ROME" }] };
const WITH_OFFLINE = {
  ...FLEET,
  sites: [OSLO, { ...OSLO, name: "rome", account: "ROME", expect: "offline" as const }],
};

const HUB = `job="nats",stack="dev",server="hub",role="hub"`;
const upOf = (server: string) => `up{job="nats",stack="dev",server="${server}"}`;
const links = (values: string) => [`gnatsd_leafz_conn_nodes_total{${HUB}}`, values] as const;
const link = (site: string, values: string, account = site.toUpperCase()) =>
  [`gnatsd_leafz_info{${HUB},name="${site}",account="${account}"}`, values] as const;
const source = (kind: "active_duration_ns" | "lag", site: string, values: string, account = site.toUpperCase()) =>
  [
    `jetstream_stream_source_${kind}{${HUB},stream_name="EVENTS",account="${account}",source_api="$JS.${site}.API"}`,
    values,
  ] as const;
const LOOKS = [`nats_hub_leaf_doctor_timestamp_seconds{stack="dev"}`, "0+60x60"] as const;

type Series = readonly (readonly [series: string, values: string])[];

/** What is there when all is good, but for the series that a case gives itself. */
const good = (own: Series): Series => {
  const all: Series = [
    [upOf("hub"), "1x60"],
    links("2x60"),
    link("oslo", "1x60"),
    link("rome", "1x60"),
    source("active_duration_ns", "oslo", "5e8x60"),
    source("lag", "oslo", "0x60"),
    LOOKS,
  ];
  return [...all.filter(([name]) => !own.some(([other]) => other === name)), ...own];
};

interface Case {
  series: Series;
  /** By minute: the labels of the alerts that fire then. */
  at: Record<string, Record<string, string>[]>;
  fleet?: typeof FLEET;
}

const OSLO_LINK = { severity: "error", stack: "dev", site: "oslo", account: "OSLO" };
const OSLO_SOURCE = { ...OSLO_LINK, stream_name: "EVENTS" };
const book = (column: string, values: string) =>
  [
    `nats_hub_leaf_book_${column}_messages{stack="dev",site="oslo",stream="EVENTS",collected="OSLO/EVENTS"}`,
    values,
  ] as const;
const OSLO_BOOK = { severity: "warning", stack: "dev", site: "oslo", stream: "EVENTS" };
const WARNING = { severity: "warning", stack: "dev" };

const CASES: Record<string, Record<string, Case>> = {
  NatsServerDown: {
    "a server whose monitoring ends, after a minute": {
      series: [links("2x4 stale _x54")],
      at: { "5m": [], "6m": [{ severity: "error", stack: "dev", server: "hub" }] },
    },
    "not a server that answers": { series: [], at: { "30m": [] } },
  },
  NatsLeafLinkDown: {
    "a link that ends, after a minute": {
      series: [link("oslo", "1x4 stale _x54"), links("2x4 1x55")],
      at: { "5m": [], "6m": [OSLO_LINK] },
    },
    "a link in another account": {
      series: [link("oslo", "_x60"), link("oslo", "1x60", "ANON")],
      at: { "2m": [OSLO_LINK] },
    },
    "not a link that was away for a moment": {
      series: [link("oslo", "1x4 stale 1x54")],
      at: { "5m": [], "6m": [], "7m": [] },
    },
    "not the links of a hub that is not seen": {
      series: [link("oslo", "_x60"), links("_x60")],
      at: { "30m": [] },
    },
    "not a site that is declared offline": {
      series: [link("rome", "_x60"), links("1x60")],
      at: { "30m": [] },
      fleet: WITH_OFFLINE,
    },
  },
  NatsLinksBelowDeclared: {
    "fewer links than sites": {
      series: [links("2x4 1x55")],
      at: { "5m": [], "6m": [{ severity: "error", stack: "dev" }] },
    },
    "not more links than sites": { series: [links("3x60")], at: { "30m": [] } },
    "not one that is declared offline": { series: [links("1x60")], at: { "30m": [] }, fleet: WITH_OFFLINE },
  },
  NatsSourceInactive: {
    "a source that never heard of its site": {
      series: [source("active_duration_ns", "oslo", "-1x60")],
      at: { "2m": [OSLO_SOURCE] },
    },
    "a source that hears no more of its site": {
      series: [source("active_duration_ns", "oslo", "5e8x4 3e10+6e10x55")],
      at: { "5m": [], "6m": [OSLO_SOURCE] },
    },
    "a source of a merged stream, with its site": {
      series: [source("active_duration_ns", "rome", "-1x60", "HUB")],
      at: { "2m": [{ ...OSLO_SOURCE, site: "rome", account: "HUB" }] },
    },
    "not a source that waits for a restarted site": {
      series: [source("active_duration_ns", "oslo", "5e8x4 3e10 5e8x54")],
      at: { "5m": [], "6m": [] },
    },
    "not a site that is declared offline": {
      series: [source("active_duration_ns", "rome", "-1x60")],
      at: { "30m": [] },
      fleet: WITH_OFFLINE,
    },
  },
  NatsSourceLag: {
    "a site that is not caught up in ten minutes": {
      series: [source("lag", "oslo", "0x4 500x55")],
      at: { "14m": [], "15m": [{ ...OSLO_SOURCE, severity: "warning" }] },
    },
    "not one that is caught up now and then": {
      series: [source("lag", "oslo", "500x7 0 500x7 0 500x40")],
      at: { "15m": [], "18m": [] },
    },
  },
  NatsFinding: {
    "each finding, with its own severity": {
      series: [
        [`nats_hub_leaf_finding{stack="dev",site="oslo",stream="",code="link-down",severity="error"}`, "1x60"],
        [
          `nats_hub_leaf_finding{stack="dev",site="rome",stream="EVENTS",code="hub-store-lost",severity="warning"}`,
          "1x60",
        ],
      ],
      at: {
        "1m": [
          { severity: "error", stack: "dev", site: "oslo", code: "link-down" },
          { severity: "warning", stack: "dev", site: "rome", stream: "EVENTS", code: "hub-store-lost" },
        ],
      },
    },
  },
  NatsMessagesMissing: {
    "messages that nothing accounts for, until they are acknowledged": {
      series: [book("missing", "0x4 39x10 0x45")],
      at: { "4m": [], "5m": [OSLO_BOOK], "20m": [] },
    },
  },
  NatsMessagesDoubled: {
    "messages that are on the hub once too often": {
      series: [book("doubled", "0x4 12x55")],
      at: { "4m": [], "5m": [OSLO_BOOK] },
    },
  },
  NatsMessagesGone: {
    "messages that left the site before the hub took them": {
      series: [book("gone", "0x4 7x3 0x52")],
      at: { "4m": [], "5m": [OSLO_BOOK], "9m": [] },
    },
  },
  NatsMessagesDropped: {
    "messages that left the hub by no declared limit, for an hour": {
      series: [book("otherwise", "5x4 9x55")],
      at: { "4m": [], "6m": [OSLO_BOOK] },
    },
    "not what was dropped long ago": { series: [book("otherwise", "5x60")], at: { "30m": [] } },
  },
  NatsSiteStoreFell: {
    "a site that stored less than before": {
      series: [book("stored", "100x4 60x55")],
      at: { "4m": [], "6m": [OSLO_BOOK] },
    },
    "not one that stores more": { series: [book("stored", "100+5x60")], at: { "30m": [] } },
  },
  NatsHubStoreFell: {
    "a hub that stored less than before": {
      series: [book("on_hub", "100x4 60x55")],
      at: { "4m": [], "6m": [OSLO_BOOK] },
    },
  },
  NatsDoctorCannotLook: {
    "a doctor that cannot look, after ten minutes": {
      series: [[`nats_hub_leaf_doctor_exit_code{stack="dev"}`, "3x60"]],
      at: { "9m": [], "10m": [WARNING] },
    },
    "a site that it cannot look at, while another has errors": {
      series: [
        [`nats_hub_leaf_doctor_exit_code{stack="dev"}`, "2x60"],
        [`nats_hub_leaf_unseen{stack="dev",site="oslo"}`, "0x60"],
        [`nats_hub_leaf_unseen{stack="dev",site="rome"}`, "2x60"],
      ],
      at: { "9m": [], "10m": [WARNING] },
    },
    "not one that finds errors": {
      series: [
        [`nats_hub_leaf_doctor_exit_code{stack="dev"}`, "2x60"],
        [`nats_hub_leaf_unseen{stack="dev",site="oslo"}`, "0x60"],
      ],
      at: { "30m": [] },
    },
  },
  NatsDoctorSilent: {
    "a doctor that does not look any more": {
      series: [[LOOKS[0], "0+60x5 300x54"]],
      at: { "25m": [], "26m": [WARNING] },
    },
    "a doctor that never looked": { series: [[LOOKS[0], "_x60"]], at: { "4m": [], "5m": [WARNING] } },
    "not one that looks every five minutes": {
      series: [[LOOKS[0], "0x4 300x4 600x4 900x4 1200x40"]],
      at: { "19m": [] },
    },
  },
};

describeWith(["promtool"], "the alert rules, by promtool", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-rules-"))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What promtool says against it; empty when it agrees. */
  function tested(alertname: string, { series, at, fleet = TWO_SITES }: Case): string {
    // What an alert says in words is for people; its labels are what it is about.
    const rules = alertRules(fleet).replaceAll(/\n {8}annotations:\n(?: {10}.*\n)+/g, "\n");
    writeFileSync(join(folder, "alerts.yml"), rules);
    const test = {
      rule_files: ["alerts.yml"],
      evaluation_interval: "1m",
      tests: [
        {
          interval: "1m",
          input_series: good(series).map(([name, values]) => ({ series: name, values })),
          alert_rule_test: Object.entries(at).map(([eval_time, expected]) => ({
            eval_time,
            alertname,
            exp_alerts: expected.map((labels) => ({ exp_labels: labels })),
          })),
        },
      ],
    };
    writeFileSync(join(folder, "test.yml"), stringify(test));
    const { status, stdout, stderr } = spawnSync(tool("promtool"), ["test", "rules", "test.yml"], {
      cwd: folder,
      encoding: "utf8",
    });
    return status === 0 ? "" : `${stdout}${stderr}`;
  }

  for (const [alertname, cases] of Object.entries(CASES)) {
    describe(`${alertname} tells of`, () => {
      for (const [what, one] of Object.entries(cases)) it(what, () => assert.equal(tested(alertname, one), ""));
    });
  }

  it("has a case for each alert", () => {
    const names = [...alertRules(FLEET).matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
    assert.deepEqual(names.sort(), Object.keys(CASES).sort());
  });
});

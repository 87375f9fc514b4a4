import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { doctorMetrics } from "../../views/outputs/metrics";
import { panelsOf } from "../../views/outputs/dashboard";
import { DoctorReport, EXIT_CODES } from "../../diagnosis/facts/doctor-report";
import { deployedOf } from "../support/stacks/deployed";
import { TestFleet } from "../support/fleets/fleet";
import { publishAll, textsFrom } from "../support/fleets/messages";
import { Prometheus } from "../support/prometheus";
import { restartWith, startServer, stopServer } from "../support/fleets/servers";
import { describeWith, tool } from "../support/tools";
import { until } from "../support/until";
import { examined } from "../support/fleets/watched";

const metricsOf = (report: DoctorReport): string =>
  doctorMetrics({
    stack: "test",
    exitCode: EXIT_CODES[report.status],
    timestamp: Math.round(Date.now() / 1000),
    report,
  });

describeWith(["prometheus", "promtool", "prometheus-nats-exporter"], "a Prometheus that watches a fleet", function () {
  this.timeout(150_000);
  let fleet: TestFleet;
  let prometheus: Prometheus;
  let good: string;

  before(async () => {
    fleet = await TestFleet.deploy({
      sites: [{ name: "oslo" }, { name: "bergen" }, { name: "rome", expect: "offline" }],
    });
    // What a declared offline site is: nobody there.
    await stopServer(fleet.site("rome").folder);
    await publishAll(await fleet.application("oslo"), "events.a", textsFrom(1, 20));
    const { fleet: deployed } = deployedOf(fleet);
    const sites = deployed.sites.map(({ monitor, ...site }) =>
      site.expect === "offline" || monitor === undefined ? site : { ...site, monitor },
    );
    prometheus = await Prometheus.start({ ...deployed, sites });
    good = metricsOf(await examined(fleet));
    prometheus.textfile = good;
  });
  after(async () => {
    await prometheus?.stop();
    await fleet?.stop();
  });

  const oslo = `{site="oslo"}`;

  it("takes the written configuration and rules", () => {
    const words = execFileSync(tool("promtool"), ["check", "config", join(prometheus.folder, "prometheus.yml")]);
    assert.match(words.toString(), /SUCCESS: 1[0-9] rules found/);
  });

  it("takes the doctor's metrics, in which its linter finds no fault", () => {
    execFileSync(tool("promtool"), ["check", "metrics"], { input: prometheus.textfile });
  });

  it("is quiet while all is good, although a declared offline site is not there", async () => {
    // The sources and the doctor's metrics are seen.
    for (const name of ["nats_hub_leaf:source:active_ns", "nats_hub_leaf_link_up"]) await prometheus.query(name + oslo);
    await prometheus.fires([]);
  });

  it("has every series that the rules ask for", async () => {
    const rules = readFileSync(join(prometheus.folder, "alerts.yml"), "utf8");
    const selectors = new Set([...rules.matchAll(/[a-z_:]+\{[a-z]+=[^}]*\}/g)].map(([selector]) => selector));
    selectors.delete(`nats_hub_leaf_finding{stack="test"}`);
    assert.ok(selectors.size >= 9, [...selectors].join());
    for (const selector of selectors) await prometheus.query(selector);
  });

  it("has every series that the dashboard asks for", async () => {
    const queries = panelsOf(deployedOf(fleet).fleet).flatMap((panel) => panel.queries);
    assert.ok(queries.length > 10);
    // There is a finding only when something is wrong.
    for (const { expr } of queries.filter(({ expr }) => !expr.startsWith("nats_hub_leaf_finding")))
      await prometheus.query(expr);
  });

  it("knows each target by its stack, site and account, and has the exporter's own account where it says one", async () => {
    const [up] = await prometheus.query(`up{job="nats",site="oslo"} == 1`);
    const { stack, server, role, account } = up!.metric;
    assert.deepEqual(
      { stack, server, role, account },
      { stack: "test", server: "oslo", role: "site", account: "OSLO" },
    );
    const statistics = await prometheus.query(`gnatsd_accstatz_leaf_nodes{server="oslo"}`);
    const accounts = statistics.map(({ metric }) => [metric.account, metric.exported_account].join());
    assert.deepEqual([accounts.includes("OSLO,"), accounts.filter((one) => !one.endsWith(","))], [true, []]);
  });

  it("tells of a dead site: its server, its link, the count of links and its source, and of no other", async () => {
    await stopServer(fleet.site("oslo").folder);
    await prometheus.fires([
      "NatsServerDown oslo",
      "NatsLeafLinkDown oslo",
      "NatsLinksBelowDeclared test",
      "NatsSourceInactive oslo",
    ]);
  });

  it("sees lag 0 of a dead site, and its target up: neither can be believed", async () => {
    const [lag] = await prometheus.query(`nats_hub_leaf:source:lag${oslo}`);
    const [up] = await prometheus.query(`up{job="nats",server="oslo"}`);
    assert.deepEqual([lag?.value, up?.value], [0, 1]);
  });

  it("tells the cause, too, once the doctor has looked", async () => {
    prometheus.textfile = metricsOf(await examined(fleet));
    await until("the finding fires", async () => (await prometheus.firing()).includes("NatsFinding oslo site-down"));
  });

  it("is quiet about the server and its link when they are back; the source takes up to 40 s more", async () => {
    await startServer(fleet.site("oslo").folder);
    prometheus.textfile = good;
    const isBack = async (): Promise<boolean> =>
      (await prometheus.firing()).every((alert) => alert === "NatsSourceInactive oslo");
    await until("nothing else fires", isBack);
  });

  it("tells of a site that stays behind although its link is up", async () => {
    await restartWith(fleet.hub.folder, (text) => text.replaceAll('"$JS.FC.>"', '"$JS.XX.>"'));
    const payload = "x".repeat(100_000);
    const texts = textsFrom(1, 40).map((text) => `${text} ${payload}`);
    await publishAll(await fleet.application("bergen"), "events.a", texts);
    await until("the lag fires", async () => (await prometheus.firing()).includes("NatsSourceLag bergen"), 60_000);
  });

  it("tells of a dead hub, and not of links that it cannot see", async () => {
    await stopServer(fleet.hub.folder);
    await prometheus.fires(["NatsServerDown hub"]);
  });

  it("tells when nobody looks any more", async () => {
    prometheus.textfile = "";
    await until("it fires", async () => (await prometheus.firing()).includes("NatsDoctorSilent test"));
  });
});

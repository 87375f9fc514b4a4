import assert from "node:assert/strict";
import { doctorMetrics } from "../../../../views/outputs/metrics";
import { GOOD, LOOKED } from "./a-look";

const samples = (text: string): string[] => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

describe("the doctor's metrics", () => {
  it("have everything that it saw, and nothing that it did not", () => {
    assert.deepEqual(samples(doctorMetrics(LOOKED)), [
      `nats_hub_leaf_doctor_timestamp_seconds{stack="dev"} 1700000000`,
      `nats_hub_leaf_doctor_exit_code{stack="dev"} 2`,
      `nats_hub_leaf_finding{stack="dev",site="bergen",stream="",code="link-down",severity="error"} 1`,
      `nats_hub_leaf_finding{stack="dev",site="bergen",stream="EVENTS",code="backlog-stuck",severity="error"} 1`,
      `nats_hub_leaf_unseen{stack="dev",site="oslo"} 0`,
      `nats_hub_leaf_unseen{stack="dev",site="bergen"} 1`,
      `nats_hub_leaf_link_up{stack="dev",site="oslo"} 1`,
      `nats_hub_leaf_link_up{stack="dev",site="bergen"} 0`,
      `nats_hub_leaf_source_active_seconds{stack="dev",site="oslo",stream="EVENTS",collected="OSLO/EVENTS"} 0.412`,
      `nats_hub_leaf_source_active_seconds{stack="dev",site="bergen",stream="EVENTS",collected="BERGEN/EVENTS"} -1`,
      `nats_hub_leaf_source_lag_messages{stack="dev",site="oslo",stream="EVENTS",collected="OSLO/EVENTS"} 0`,
      `nats_hub_leaf_source_sequence{stack="dev",site="oslo",stream="EVENTS",collected="OSLO/EVENTS"} 80`,
      `nats_hub_leaf_site_sequence{stack="dev",site="oslo",stream="EVENTS",collected="OSLO/EVENTS"} 81`,
      `nats_hub_leaf_waiting_messages{stack="dev",site="oslo",stream="EVENTS",collected="OSLO/EVENTS"} 1`,
    ]);
  });

  it("say when it could not look at all", () => {
    const { report: _, ...nothing } = LOOKED;
    assert.deepEqual(samples(doctorMetrics({ ...nothing, exitCode: 3 })), [
      `nats_hub_leaf_doctor_timestamp_seconds{stack="dev"} 1700000000`,
      `nats_hub_leaf_doctor_exit_code{stack="dev"} 3`,
    ]);
  });

  it("have no link for a site of which none is expected, or none is known", () => {
    const sites = (["pending", "unknown"] as const).map((link) => ({ ...GOOD, site: link, link }));
    assert.doesNotMatch(doctorMetrics({ ...LOOKED, report: { status: "good", sites } }), /link_up/);
  });

  it("quote what a label may not hold", () => {
    const sites = [{ ...GOOD, site: 'a"b\\c\nd' }];
    assert.match(
      doctorMetrics({ ...LOOKED, report: { status: "good", sites } }),
      /link_up\{stack="dev",site="a\\"b\\\\c\\nd"\} 1/,
    );
  });

  it("explain each metric once", () => {
    const lines = doctorMetrics(LOOKED).split("\n");
    const helped = lines.flatMap((line) => /^# HELP (\S+) ./.exec(line)?.[1] ?? []);
    assert.deepEqual(helped, [...new Set(samples(lines.join("\n")).map((line) => line.replace(/\{.*/, "")))]);
  });
});

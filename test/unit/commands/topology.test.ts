import assert from "node:assert/strict";
import * as path from "node:path";
import { drawings, fleetOfOutputs, plannedFleet, summaryOf } from "../../../commands/topology";
import { EVENTS, drawn } from "../../support/pages/topologies";

const ROOT = path.resolve(__dirname, "../../..");
const NOW = Date.parse("2026-11-03T12:00:00Z");
const topology = drawn({ sites: [{ name: "oslo" }, { name: "bergen" }], streams: [EVENTS] });
const proof = ["oslo", "bergen"].map((site) => ({
  ...{ site, stream: "EVENTS", status: "proven", messages: 28, latencyMs: 3.6, note: "" },
  provenAt: "2026-11-03T11:00:00Z",
}));
const fleet = (outputs: Record<string, unknown>, changed: string[] = []) =>
  fleetOfOutputs(outputs, changed, { stack: "lab", now: NOW });

describe("the fleet that is drawn", () => {
  it("is what the outputs hold, and how old its proofs are", () => {
    const { proof: [first] = [] } = fleet({ topology, proof });
    assert.equal(first?.ageMs, 3_600_000);
    assert.equal(summaryOf(fleet({ topology, proof })), "the hub and 2 sites: 2 proven");
  });

  it("has the marks of what changed since", () => {
    assert.equal(summaryOf(fleet({ topology, proof }, ["oslo"])), "the hub and 2 sites: 1 unproven, 1 proven");
  });

  it("has no proof from the future, where clocks differ", () => {
    const { proof: [first] = [] } = fleet({ topology, proof: [{ ...proof[0], provenAt: "2026-11-03T12:00:05Z" }] });
    assert.equal(first?.ageMs, 0);
  });

  it("is unproven when nothing was proven", () => {
    assert.equal(summaryOf(fleet({ topology })), "the hub and 2 sites: 2 unproven");
  });

  it("is refused where the outputs have no topology, with the cure", () => {
    assert.throws(() => fleet({ proof }), /^Refusal: stack 'lab': it has no output 'topology'; run 'make up' first/);
  });

  it("is planned from the settings alone", () => {
    const planned = plannedFleet(ROOT, "dev");
    assert.equal(summaryOf(planned), "the hub and 2 sites, from the settings alone");
    const { html, svg, mmd } = drawings("dev", planned, "2026-11-03T12:00:00Z");
    for (const text of [html, svg, mmd]) assert.match(text, /oslo/);
  });
});

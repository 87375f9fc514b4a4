import assert from "node:assert/strict";
import {
  PROBE_CONCURRENCY,
  hubLimits,
  mergedLimits,
  siteLimits,
  siteStreamBytes,
} from "../../../../configs/plan/limits";
import { RawSettings, Settings } from "../../../../configs/settings";
import { settingsOf } from "../../../support/rules/settings";

const MiB = 2 ** 20;
const stream = (name: string, more: object): NonNullable<RawSettings["streams"]>[number] => ({
  name,
  subjects: [`${name}.>`],
  ...more,
});
const fleet = (sites: number, ...streams: NonNullable<RawSettings["streams"]>): Settings =>
  settingsOf({ sites: Array.from({ length: sites }, (_, i) => ({ name: `site-${i}` })), streams });

const A = stream("A", { maxBytes: "10MiB", collect: { maxBytes: "100MiB" } });
const B = stream("B", { maxBytes: "20MiB", collect: { maxBytes: "200MiB" } });
const MEMORY = stream("C", { maxBytes: "5MiB", storage: "memory", collect: { maxBytes: "50MiB", storage: "memory" } });
const MERGED = stream("D", { maxBytes: "1MiB", collect: { mode: "merged", maxBytes: "400MiB" } });

describe("what a site stores", () => {
  it("is the sum of its streams, by kind of storage", () => {
    const { streams } = fleet(1, A, B, MEMORY);
    assert.equal(siteStreamBytes(streams, "file"), 30 * MiB);
    assert.equal(siteStreamBytes(streams, "memory"), 5 * MiB);
  });

  it("is limited to its quota in files, and to its streams in memory", () => {
    assert.deepEqual(siteLimits(fleet(1, A, MEMORY).streams, 64 * MiB), { maxFile: 64 * MiB, maxMemory: 5 * MiB });
  });
});

describe("what the hub stores in a site's account", () => {
  it("is the streams collected by site, and room for probes", () => {
    assert.deepEqual(hubLimits(fleet(3, A, B, MEMORY)), { maxFile: 316 * MiB, maxMemory: 50 * MiB });
  });

  it("has nothing of a merged stream", () => {
    assert.deepEqual(hubLimits(fleet(3, A, MERGED)), { maxFile: 116 * MiB, maxMemory: 0 });
  });

  it("is nothing when all streams are merged", () => {
    assert.deepEqual(hubLimits(fleet(3, MERGED)), { maxFile: 0, maxMemory: 0 });
  });

  it("counts every copy", () => {
    assert.equal(hubLimits(fleet(1, stream("A", { collect: { maxBytes: "100MiB", replicas: 3 } }))).maxFile, 316 * MiB);
  });
});

describe("what the hub stores in the account HUB", () => {
  it("is nothing without merged streams", () => {
    assert.deepEqual(mergedLimits(fleet(3, A, B)), { maxFile: 0, maxMemory: 0 });
  });

  it("is each merged stream once, and room for the probes of each site", () => {
    assert.deepEqual(mergedLimits(fleet(3, A, MERGED)), { maxFile: 448 * MiB, maxMemory: 0 });
  });

  it("has room for no more sites than are probed side by side", () => {
    assert.equal(mergedLimits(fleet(50, MERGED)).maxFile, (400 + 16 * PROBE_CONCURRENCY) * MiB);
  });

  it("has room for probes before there is a site", () => {
    assert.equal(mergedLimits(fleet(0, MERGED)).maxFile, 416 * MiB);
  });
});

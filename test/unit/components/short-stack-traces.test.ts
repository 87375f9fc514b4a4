import assert from "node:assert/strict";
import { shortStackTraces } from "../../../components/short-stack-traces";

describe("short stack traces", () => {
  const before = Error.prepareStackTrace;
  const limit = Error.stackTraceLimit;
  afterEach(() => {
    Error.prepareStackTrace = before;
    Error.stackTraceLimit = limit;
  });

  const deep = (depth: number): string => (depth === 0 ? (new Error("deep").stack ?? "") : deep(depth - 1));

  it("end after seven frames where all are asked for, as Pulumi does for every resource", () => {
    shortStackTraces();
    Error.stackTraceLimit = Number.POSITIVE_INFINITY;
    const lines = deep(20).split("\n");
    assert.equal(lines.length, 1 + 7);
    assert.match(lines[1] ?? "", /^ {4}at deep \(.*short-stack-traces\.test\.ts:\d+:\d+\)$/);
  });

  it("leave an error that somebody reads as long as Node makes it", () => {
    shortStackTraces();
    Error.stackTraceLimit = 12;
    const lines = deep(20).split("\n");
    assert.equal(lines[0], "Error: deep");
    assert.equal(lines.length, 1 + 12);
  });
});

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import * as log from "@pulumi/pulumi/log";
import * as debuggable from "@pulumi/pulumi/runtime/debuggable";
import { lightenSdk } from "../../../../components/sdk/light-sdk";

describe("a lightened SDK", () => {
  const before = Error.prepareStackTrace;
  const limit = Error.stackTraceLimit;
  const { debug } = log;
  const sdk = debuggable as unknown as {
    debuggablePromise(this: void, promise: Promise<unknown>, words: string): Promise<unknown>;
    leakedPromises(): [Set<unknown>, string];
  };
  const { debuggablePromise } = sdk;
  beforeEach(lightenSdk);
  afterEach(() => {
    Error.prepareStackTrace = before;
    Error.stackTraceLimit = limit;
    Object.assign(log, { debug });
    Object.assign(debuggable, { debuggablePromise });
  });

  const deep = (depth: number, message = "deep"): string =>
    depth === 0 ? (new Error(message).stack ?? "") : deep(depth - 1, message);

  it("ends a stack after five frames where all are asked for, as Pulumi does for every resource", () => {
    Error.stackTraceLimit = Number.POSITIVE_INFINITY;
    const lines = deep(20, "").split("\n");
    assert.equal(lines.length, 1 + 5);
    assert.match(lines[1] ?? "", /^ {4}at deep \(.*light-sdk\.test\.ts:\d+:\d+\)$/);
  });

  it("leaves an error that somebody reads as long as Node makes it", () => {
    Error.stackTraceLimit = 12;
    const lines = deep(20).split("\n");
    assert.equal(lines[0], "Error: deep");
    assert.equal(lines.length, 1 + 12);
  });

  it("puts no stack into words where nothing is said, as Pulumi does for every promise", () => {
    Error.stackTraceLimit = 12;
    assert.equal(deep(20, ""), "Error");
  });

  it("sends no debug messages, through the module that the SDK itself uses", () => {
    const requireOfSdk = createRequire(require.resolve("@pulumi/pulumi/runtime/resource"));
    assert.notEqual((requireOfSdk("../log") as typeof log).debug, debug);
  });

  it("takes no stack of a promise, and still reports one that never ends", () => {
    const never = new Promise(() => undefined);
    Error.stackTraceLimit = 12;
    void sdk.debuggablePromise(never, "a resource");
    assert.equal(Error.stackTraceLimit, 12);
    assert.equal((never as { _debugStackTrace?: string })._debugStackTrace, "Error");
    const [leaked] = sdk.leakedPromises();
    assert.ok(leaked.has(never));
  });
});

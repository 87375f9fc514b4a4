import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  EXCEPTIONS,
  LONGEST,
  failedAgain,
  inLanes,
  inOrder,
  judge,
  totalLine,
} from "../../../commands/toolchain/suites";

describe("the total of a test run", () => {
  it("is exactly 'N passed, N failed'", () => {
    assert.equal(totalLine({ passed: 12, failed: 0, skipped: 0, failures: [] }), "12 passed, 0 failed");
  });

  it("names skipped tests only when there are any", () => {
    assert.equal(totalLine({ passed: 12, failed: 1, skipped: 2, failures: [] }), "12 passed, 1 failed, 2 skipped");
  });

  it("takes mocha's own count", () => {
    assert.deepEqual(judge(3, { passed: 5, failed: 3, skipped: 1, failures: [] }), {
      passed: 5,
      failed: 3,
      skipped: 1,
      failures: [],
    });
  });

  it("counts a mocha that died as one failure", () => {
    assert.deepEqual(judge(null, undefined), {
      passed: 0,
      failed: 1,
      skipped: 0,
      failures: ["mocha ended with exit code null"],
    });
  });

  it("counts a non-zero exit with no failed test as one failure", () => {
    assert.deepEqual(judge(1, { passed: 5, failed: 0, skipped: 0, failures: [] }), {
      passed: 5,
      failed: 1,
      skipped: 0,
      failures: ["mocha ended with exit code 1"],
    });
  });

  it("counts a run without any test as one failure", () => {
    assert.deepEqual(judge(0, { passed: 0, failed: 0, skipped: 0, failures: [] }), {
      passed: 0,
      failed: 1,
      skipped: 0,
      failures: ["mocha ended with exit code 0"],
    });
  });

  it("has what waits run beside what computes, and lanes without work take what waits", async () => {
    const jobs = [
      ...[1, 2, 3].map((n) => ({ name: `computes ${n}`, lane: "computes" as const })),
      ...[1, 2, 3, 4].map((n) => ({ name: `waits ${n}`, lane: "waits" as const })),
    ];
    const begun: string[] = [];
    const end = new Map<string, () => void>();
    const all = inLanes(jobs, { computes: 2, waits: 1 }, ({ name }) => {
      begun.push(name);
      return new Promise((resolve) => end.set(name, resolve));
    });
    const afterEnd = async (name: string) => {
      const before = begun.length;
      end.get(name)?.();
      await new Promise(setImmediate);
      return begun.slice(before);
    };
    assert.deepEqual(begun, ["computes 1", "computes 2", "waits 1"]);
    assert.deepEqual(await afterEnd("waits 1"), ["waits 2"]);
    assert.deepEqual(await afterEnd("computes 2"), ["computes 3"]);
    assert.deepEqual(await afterEnd("computes 1"), ["waits 3"]);
    assert.deepEqual(await afterEnd("waits 2"), ["waits 4"]);
    assert.deepEqual(await afterEnd("waits 3"), []);
    for (const name of ["computes 3", "waits 4"]) end.get(name)?.();
    await all;
  });

  describe("of files that failed beside others", () => {
    const passed = { passed: 3, failed: 0, skipped: 0, failures: [] };
    const failed = { passed: 2, failed: 1, skipped: 0, failures: ["a > b: not in time"] };

    it("is that of a second run, and names what passed only then", async () => {
      const ran = [passed, failed].map((totals) => ({ totals }));
      assert.deepEqual(await failedAgain(ran, async () => passed), {
        totals: [passed, passed],
        alone: ["a > b: not in time"],
      });
    });

    it("stays failed where the second run fails too", async () => {
      assert.deepEqual(await failedAgain([{ totals: failed }], async () => failed), { totals: [failed], alone: [] });
    });

    it("is not asked for again where more than three failed", async () => {
      const ran = [failed, failed, failed, failed].map((totals) => ({ totals }));
      assert.deepEqual(await failedAgain(ran, () => assert.fail("ran again")), {
        totals: [failed, failed, failed, failed],
        alone: [],
      });
    });
  });

  it("names only test files that are there", () => {
    for (const file of [...LONGEST, ...Object.keys(EXCEPTIONS)])
      assert.ok(existsSync(join(__dirname, "../../..", file)), file);
  });

  it("begins with what takes longest, and goes on by name", () => {
    const files = [
      "test/e2e/away.test.ts",
      "test/integration/a.test.ts",
      "test/e2e/docker.test.ts",
      "test/e2e/b.test.ts",
    ];
    assert.deepEqual(
      inOrder(files.map((file) => ({ file }))).map(({ file }) => file),
      ["test/e2e/docker.test.ts", "test/e2e/away.test.ts", "test/e2e/b.test.ts", "test/integration/a.test.ts"],
    );
  });
});

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { captureReports, report, TOLD_FILE } from "../../../machine/report";
import { Refusal } from "../../../machine/refusal";
import { reporting } from "../../../providers/reporting";
import { inTempFolder } from "./temp-folder";

describe("what a provider says", () => {
  const temp = inTempFolder();
  const toldBy = async (work: () => unknown): Promise<unknown[]> => {
    process.env[TOLD_FILE] = temp.path("told");
    await Promise.resolve(work()).catch(() => undefined);
    delete process.env[TOLD_FILE];
    const text = existsSync(temp.path("told")) ? readFileSync(temp.path("told"), "utf8") : "";
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as unknown);
  };
  const refusing = (): Promise<never> => Promise.reject(new Refusal("no"));

  it("is sent as data, beside its words", async () => {
    const told = await toldBy(() => report("words", { kind: "wrong", server: "oslo", values: { what: "x" } }));
    assert.deepEqual(told, [{ kind: "wrong", server: "oslo", values: { what: "x" }, words: "words" }]);
  });

  it("goes nowhere else when nobody asked, nor from a scratch fleet", async () => {
    report("words");
    assert.deepEqual(await toldBy(() => captureReports([], () => Promise.resolve(report("words")))), []);
  });

  it("has what it refuses, with whose resource it is, and fails with it all the same", async () => {
    const { diff } = reporting({ diff: refusing }) as { diff: (...args: unknown[]) => Promise<unknown> };
    assert.deepEqual(await toldBy(() => diff("id", {}, { site: "oslo" })), [
      { kind: "refused", server: "oslo", words: "no" },
    ]);
    await assert.rejects(diff("id", {}, {}), /^Refusal: no$/);
  });

  it("has what a check refuses, by property", async () => {
    const failures = [
      { property: "sites", reason: "oslo cannot go" },
      { property: "hub.name", reason: "changes", goesOn: true },
    ];
    const { check } = reporting({ check: () => Promise.resolve({ failures }) }) as { check: () => Promise<unknown> };
    assert.deepEqual(await toldBy(check), [
      { kind: "refused", values: { property: "sites" }, words: "oslo cannot go" },
      { kind: "refused", values: { property: "hub.name" }, words: "hub.name: changes" },
    ]);
  });
});

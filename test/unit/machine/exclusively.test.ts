import assert from "node:assert/strict";
import { setImmediate as soon } from "node:timers/promises";
import { exclusively } from "../../../machine/exclusively";

describe("exclusively", () => {
  it("runs the work of one key one after the other, in the order of the calls", async () => {
    const log: string[] = [];
    const work = (name: string) => async () => {
      log.push(`${name} begins`);
      await soon();
      log.push(`${name} ends`);
    };
    await Promise.all([exclusively("one", work("a")), exclusively("one", work("b"))]);
    assert.deepEqual(log, ["a begins", "a ends", "b begins", "b ends"]);
  });

  it("runs the work of different keys side by side", async () => {
    let release = () => {};
    const blocked = exclusively("left", () => new Promise<void>((resolve) => (release = resolve)));
    assert.equal(await exclusively("right", async () => "done"), "done");
    release();
    await blocked;
  });

  it("resolves with what the work gives", async () => {
    assert.equal(await exclusively("value", async () => 7), 7);
  });

  it("fails the caller of failed work and nobody after it", async () => {
    const failing = exclusively("failing", () => Promise.reject(new Error("refused")));
    const next = exclusively("failing", async () => "done");
    await assert.rejects(failing, /refused/);
    assert.equal(await next, "done");
  });
});

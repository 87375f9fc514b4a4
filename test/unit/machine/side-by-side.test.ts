import assert from "node:assert/strict";
import { setImmediate as soon } from "node:timers/promises";
import { sideBySide } from "../../../machine/side-by-side";

describe("work side by side", () => {
  it("gives results in the order of the items", async () => {
    const results = await sideBySide([3, 1, 2], async (item) => {
      for (let i = 0; i < item; i++) await soon();
      return item * 10;
    });
    assert.deepEqual(results, [30, 10, 20]);
  });

  it("never runs more than so many at once, and as many as that", async () => {
    let running = 0;
    let most = 0;
    await sideBySide(
      Array.from({ length: 20 }),
      async () => {
        most = Math.max(most, ++running);
        await soon();
        running--;
      },
      3,
    );
    assert.equal(most, 3);
  });

  it("of no items is none", async () => {
    assert.deepEqual(await sideBySide([], async () => 1), []);
  });
});

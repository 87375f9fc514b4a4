import assert from "node:assert/strict";
import { TestFleet } from "../support/fleets/fleet";

const THREE = { hub: { servers: 3, maxFile: "1GiB" } } as const;

describe("a hub of three", () => {
  it("collects from every site, and is proven", async () => {
    await using fleet = await TestFleet.deploy(THREE);
    const rows = await fleet.prove();
    assert.deepEqual(
      rows.map(({ site, status }) => [site, status]),
      [
        ["oslo", "proven"],
        ["bergen", "proven"],
      ],
    );
    const { config } = await fleet.collected("oslo");
    assert.equal(config.num_replicas, 3);
    assert.deepEqual(await fleet.preview(), { changes: [], reports: [] });
  });
});

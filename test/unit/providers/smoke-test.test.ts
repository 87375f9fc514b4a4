import assert from "node:assert/strict";
import { SmokeTestInputs, check } from "../../../providers/smoke-test";
import { resourcesOf } from "./fleet-inputs";
import { reported } from "./reported";

describe("what the smoke test says before it runs", () => {
  const inputs = (change: Partial<SmokeTestInputs> = {}): SmokeTestInputs => ({
    ...resourcesOf("/tmp/none", 1)["smoke-test"].inputs,
    ...change,
  });
  const site = (name: string, declared = "1", expect: "online" | "offline" = "online") => ({
    site: name,
    expect,
    url: "nats://127.0.0.1:1",
    place: { kind: "process" as const, folder: "none" },
    declared,
  });
  const said = (olds: Partial<SmokeTestInputs>, news: SmokeTestInputs): Promise<string[]> =>
    reported(() => check(olds, news));

  it("is how much goes over each link of a new fleet", async () => {
    const sites = [site("oslo"), site("bergen")];
    assert.deepEqual(await said({}, inputs({ sites })), ["smoke test: 2.5 MB over the link of oslo, bergen each"]);
  });

  it("is how much goes over the link of the one site that changed, and that the others send one probe", async () => {
    const olds = { sites: [site("oslo"), site("bergen")] };
    assert.deepEqual(await said(olds, inputs({ sites: [site("oslo"), site("bergen", "2")] })), [
      "smoke test: 2.5 MB over the link of bergen; one probe over each other link",
    ]);
  });

  it("counts the burst of every stream", async () => {
    const { streams } = inputs();
    const lines = await said({}, inputs({ streams: [...streams, ...streams] }));
    assert.deepEqual(lines, ["smoke test: 5 MB over the link of oslo"]);
  });

  it("names ten sites and counts the rest", async () => {
    const sites = Array.from({ length: 12 }, (_, i) => site(`site-${i}`));
    assert.match((await said({}, inputs({ sites })))[0] ?? "", /site-9 and 2 more each$/);
  });

  it("is nothing when no site's declaration changed, when there is no stream, and for an offline site", async () => {
    assert.deepEqual(await said({ sites: [site("oslo")] }, inputs({ sites: [site("oslo")] })), []);
    assert.deepEqual(await said({}, inputs({ streams: [] })), []);
    assert.deepEqual(await said({}, inputs({ sites: [site("oslo", "1", "offline")] })), []);
  });

  it("changes nothing of its inputs", async () => {
    const news = inputs();
    let result: unknown;
    await reported(async () => (result = await check({}, news)));
    assert.deepEqual(result, { inputs: news });
  });
});

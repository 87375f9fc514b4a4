import assert from "node:assert/strict";
import { Stack } from "../support/stacks/cli";
import { arrived, publish } from "../support/stacks/traffic";

describe("a stack whose runs go without what bends the SDK", () => {
  let stack: Stack;
  const PLAIN = { NATS_HUB_LEAF_PLAIN_SDK: "1" };
  const SETTINGS = {
    links: { tls: "generated" as const },
    sites: [{ name: "oslo" }, { name: "bergen" }],
    streams: [{ name: "EVENTS", subjects: ["events.>"] }],
    probes: { burst: "0B" },
  };
  const isClean = async (env: NodeJS.ProcessEnv) => {
    const { code, output } = await stack.run(["preview", "--expect-no-changes"], env);
    assert.equal(code, 0, output);
  };

  before(async () => {
    stack = await Stack.create("plain", SETTINGS);
  });
  after(() => stack?.remove());

  it("is deployed and proven, and a message arrives", async () => {
    const { code, output } = await stack.run(["up", "--yes", "--skip-preview"], PLAIN);
    assert.equal(code, 0, output);
    const { proof } = await stack.outputs();
    assert.deepEqual(
      proof.map(({ status }) => status),
      ["proven", "proven"],
    );
    const texts = await publish(await stack.applicationOf("oslo"), "oslo");
    assert.deepEqual(await arrived(stack, "oslo", texts), texts.toSorted());
  });

  it("is the same stack with and without: a preview shows nothing to do", async () => {
    await isClean(PLAIN);
    await isClean({});
  });

  it("is changed by either and torn down without", async () => {
    stack.configure({ ...SETTINGS, sites: [...SETTINGS.sites, { name: "narvik" }] });
    await stack.up();
    await isClean(PLAIN);
    const { code, output } = await stack.run(["destroy", "--yes", "--skip-preview"], { ...PLAIN, DISCARD: "1" });
    assert.equal(code, 0, output);
    await stack.leftNothing();
  });
});

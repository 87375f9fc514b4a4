import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { markProven, markUnproven } from "../../fleet/observation/unproven";
import { Stack } from "../support/stacks/cli";
import { succeeded } from "../support/stacks/commands";
import { EVENTS, drawn } from "../support/pages/topologies";

const SETTINGS = { sites: [{ name: "oslo" }, { name: "bergen", expect: "offline" as const }], streams: [EVENTS] };

describe("make topology", function () {
  this.timeout("300s");
  let stack: Stack;
  let folder: string;
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-drawn-"));
    stack = await Stack.create("drawn", SETTINGS);
  });
  after(async () => {
    await stack.remove();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const draw = async (options: Record<string, string> = {}): Promise<string> =>
    succeeded(await stack.makeWith("topology", { OUT: folder, ...options })).stdout;
  const drawing = (ending: string): string => fs.readFileSync(path.join(folder, `topology.drawn.${ending}`), "utf8");

  it("says before the first up how to draw all the same", async () => {
    const { code, output } = await stack.makeWith("topology", { OUT: folder });
    assert.equal(code === 0, false);
    assert.match(output, /stack 'drawn': it has no output 'topology'; run 'make up' first, or draw .*ARGS=--plan/);
  });

  it("draws what the settings intend", async () => {
    assert.match(await draw({ ARGS: "--plan" }), /2 sites, from the settings alone/);
    assert.match(drawing("mmd"), /s1\["oslo<br\/>account OSLO/);
  });

  describe("after up", () => {
    const started = Date.now();
    before(() => stack.up());

    it("draws each site with its last proof", async () => {
      assert.match(await draw(), /^the hub and 2 sites: 1 pending, 1 proven\n/);
      const [row = ""] = /<tbody data-site="oslo".*?<\/tbody>/s.exec(drawing("html")) ?? [];
      assert.match(row, /data-state="proven".*>28<.*\d ms</s);
      const { proof } = await stack.outputs();
      const [oslo, bergen] = proof as { provenAt?: string }[];
      const at = Date.parse(oslo?.provenAt ?? "");
      assert.ok(at >= started - 1000 && at <= Date.now(), oslo?.provenAt);
      assert.equal(bergen?.provenAt, undefined);
    });

    it("has the topology among the outputs, in clear", async () => {
      const { topology } = (await stack.outputs()) as unknown as { topology: unknown };
      assert.deepEqual(topology, drawn(SETTINGS));
    });

    it("shows what changed since the proof", async () => {
      markUnproven(stack.fleet, "oslo");
      assert.match(await draw(), /: 1 unproven, 1 pending\n/);
      markProven(stack.fleet, "oslo");
    });

    it("is followed by a clean preview", () => stack.isClean());

    it("shows no seed", async () => {
      await draw();
      const seeds = Object.values(await stack.seedsInState()).flatMap((roles) => Object.values(roles));
      assert.equal(seeds.length > 0, true);
      for (const ending of ["html", "svg", "mmd"])
        assert.deepEqual(
          seeds.filter((seed) => drawing(ending).includes(seed)),
          [],
        );
    });
  });
});

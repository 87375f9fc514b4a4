import assert from "node:assert/strict";
import type { RawSettings } from "../../configs/settings";
import { Applications } from "../support/changes/ledger";
import { Stack } from "../support/stacks/cli";
import { commandsIn } from "../support/catalogue/cures";
import { Containers, missingEngine } from "../support/stacks/grounds";

// Containers that somebody paused (`docker pause`), while applications publish: found, cured as the finding says, and no
// message lost or doubled.

/** What `make doctor --json` prints, as far as it is looked at here. */
interface Printed {
  sites: { site: string; findings: { code: string; evidence: string; next: string }[] }[];
}

const missing = missingEngine();

const PAUSED = [
  { server: "oslo", who: "a site", finds: ["oslo: server-frozen"], evidence: /^the site: .*'docker pause'/ },
  {
    server: "bergen",
    who: "a site that only the hub reaches",
    finds: ["bergen: server-frozen"],
    evidence: /^the site: .*'docker pause'/,
  },
  {
    server: "hub",
    who: "the hub",
    finds: ["oslo: server-frozen", "bergen: server-frozen"],
    evidence: /^the hub: .*'docker pause'/,
  },
];

(missing === undefined ? describe : describe.skip)(
  `paused containers${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let ground: Containers;
    let stack: Stack;
    const applications = new Applications();
    const settings = (): RawSettings => ({
      ...ground.settings,
      sites: [{ name: "oslo" }, { name: "bergen", reach: "hub" }],
      streams: [{ name: "EVENTS", subjects: ["events.>"] }],
      probes: { burst: "0B" },
    });
    const stateOf = async (server: string) => {
      const { Id, State } = await ground.container(stack, server).inspect();
      return { id: Id, started: State.StartedAt, isPaused: State.Paused };
    };
    const look = async () => {
      const { stdout } = await stack.makeWith("doctor", { ARGS: "--json" });
      const { sites } = JSON.parse(stdout) as Printed;
      return sites.flatMap(({ site, findings }) => findings.map((finding) => ({ site, ...finding })));
    };

    before(async () => {
      ground = await Containers.start();
      stack = await Stack.create("paused", settings(), ground.options);
      await stack.up();
      const { sites, hub, seeds } = await stack.outputs();
      const logins = Object.entries(sites).map(([name, { client: url }]) => ({
        name,
        url,
        application: seeds[name]?.application ?? "",
        operator: seeds[name]?.operator ?? "",
      }));
      applications.follow(logins, { url: hub.client, operator: seeds.hub?.operator ?? "" });
    });
    after(async () => {
      await applications.stop();
      await stack.remove();
      await ground.stop();
    });

    for (const { server, who, finds, evidence } of PAUSED) {
      it(`of ${who}: found, and let go on by up as the finding says`, async () => {
        const before = await stateOf(server);
        await ground.container(stack, server).pause();
        const findings = await look();
        assert.deepEqual(
          findings.map(({ site, code }) => `${site}: ${code}`),
          finds,
        );
        for (const finding of findings) {
          assert.match(finding.evidence, evidence);
          assert.deepEqual(commandsIn(finding.next), { up: true, repairs: [], known: [], doubles: [] });
        }
        assert.match((await stack.succeeds("preview")).output, /is stopped \(frozen\).*; up repairs it/);
        await stack.up();
        assert.deepEqual(await stateOf(server), before);
        assert.deepEqual(await look(), []);
        await stack.isClean();
        await applications.assertComplete();
      });
    }

    it("lose and double nothing", async () => {
      await applications.stop();
      await applications.assertComplete();
      assert.ok(applications.count > 100);
    });

    it("are removed all the same", async () => {
      for (const server of ["hub", "oslo"]) await ground.container(stack, server).pause();
      const { code, output } = await stack.run(["destroy", "--yes", "--skip-preview"], { DISCARD: "1" });
      assert.equal(code, 0, output);
      await ground.hasLeft(stack, "");
    });
  },
);

import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { serverFiles } from "../../machine/folders";
import { Stack } from "../support/stacks/cli";
import { succeeded } from "../support/stacks/commands";
import { arrived, publish } from "../support/stacks/traffic";
import { startServer, stopServer, whileStopped } from "../support/fleets/servers";
import { until } from "../support/until";

/** What `--json` prints, as far as it is looked at here. */
interface Printed {
  version: number;
  status: string;
  exitCode: number;
  sites: { site: string; verdict: string; findings: { code: string }[] }[];
}

describe("make doctor and make repair", () => {
  let stack: Stack;
  let texts: string[];
  const folder = (site: string): string => join(stack.fleet, "sites", site);
  const doctor = async (args: string) => {
    const ran = await stack.makeWith("doctor", { ARGS: args });
    return { ...ran, printed: JSON.parse(ran.stdout) as Printed };
  };
  const verdicts = ({ sites }: Printed) => Object.fromEntries(sites.map(({ site, verdict }) => [site, verdict]));

  before(async () => {
    stack = await Stack.create("doctor", {
      sites: [{ name: "oslo" }, { name: "bergen" }],
      streams: [{ name: "EVENTS", subjects: ["events.>"] }],
      probes: { burst: "0B" },
    });
    await stack.up();
    texts = await publish(await stack.applicationOf("oslo"), "oslo", { count: 50 });
    await arrived(stack, "oslo", texts);
  });
  after(async () => stack.remove());

  it("shows a table of a good fleet, and ends with 0", async () => {
    const { stdout } = succeeded(await stack.makeWith("doctor", {}));
    assert.match(stdout, /│ oslo +│ up +│ OSLO +│ EVENTS │ .* │ good +│/);
    assert.match(stdout, /\nfleet: good\n$/);
  });

  it("prints that as JSON, too", async () => {
    const { code, printed } = await doctor("--json");
    assert.equal(code, 0);
    assert.deepEqual([printed.version, printed.status, printed.exitCode], [1, "good", 0]);
    assert.deepEqual(verdicts(printed), { oslo: "good", bergen: "good" });
  });

  it("looks at one site only when it is named", async () => {
    const ran = succeeded(await stack.makeWith("doctor", { SITE: "bergen", ARGS: "--json" }));
    assert.deepEqual(verdicts(JSON.parse(ran.stdout) as Printed), { bergen: "good" });
  });

  it("says in the JSON, too, that there is no such site", async () => {
    const ran = await stack.makeWith("doctor", { SITE: "rome", ARGS: "--json" });
    const { exitCode, status, problem } = JSON.parse(ran.stdout) as Printed & { problem: string };
    assert.deepEqual([exitCode, status], [3, "unknown"]);
    assert.equal(problem, "doctor: there is no site rome; there are oslo, bergen");
    assert.notEqual(ran.code, 0);
  });

  it("leaves the preview clean: it changed nothing", () => stack.isClean());

  it("ends with 2 when a site is dead, and names it", async () => {
    await stopServer(folder("bergen"));
    const { code, printed } = await doctor("--json");
    assert.deepEqual([code, printed.exitCode, printed.status], [2, 2, "error"]);
    assert.deepEqual(
      printed.sites.flatMap(({ site, findings }) => findings.map((finding) => `${site}: ${finding.code}`)),
      ["bergen: site-down"],
    );
    await startServer(folder("bergen"));
  });

  it("is watched: what comes and goes is said, until a signal ends it", async () => {
    const watching = stack.startShell(`exec node commands/bin.js watch --stack ${stack.name}`);
    let said = "";
    watching.child.stdout!.on("data", (text: string) => (said += text));
    const says = (what: RegExp): Promise<unknown> => until(`it says ${what.source}`, () => what.test(said));
    await says(/watching the links of oslo, bergen/);
    await stopServer(folder("bergen"));
    await says(/Z bergen: its link is (gone|not there)/);
    await startServer(folder("bergen"));
    await says(/Z bergen: its link is there/);
    watching.child.kill("SIGTERM");
    assert.equal((await watching.ended).code, 0);
  });

  describe("of a site whose store went back in time", () => {
    before(async () => {
      const { store } = serverFiles(folder("oslo"));
      await whileStopped(folder("oslo"), () => cpSync(store, `${store}.old`, { recursive: true }));
      const client = await stack.client("oslo", "application");
      texts.push(...(await publish(client, "oslo", { first: 50, count: 30 })));
      await arrived(stack, "oslo", texts);
      await whileStopped(folder("oslo"), () => {
        rmSync(store, { recursive: true });
        cpSync(`${store}.old`, store, { recursive: true });
        rmSync(`${store}.old`, { recursive: true });
      });
    });

    it("is found by the doctor", async () => {
      const { code, printed } = await doctor("--json");
      assert.equal(code, 2);
      assert.deepEqual(
        printed.sites[0]!.findings.map((finding) => finding.code),
        ["site-store-rolled-back"],
      );
    });

    it("is drift that a refresh writes down, and the preview shows with its cure", async () => {
      succeeded(await stack.make("refresh"));
      const { outputs } = (await stack.exported()).deployment.resources!.find(({ urn }) =>
        urn.endsWith("::oslo-streams"),
      )!;
      assert.match(String(outputs!.problem), /'make repair SITE=oslo' shows what was lost/);
      const { output } = await stack.succeeds("preview");
      assert.match(output, /oslo-streams/);
      assert.match(output, /'make repair SITE=oslo' shows what was lost/);
    });

    it("is refused by up, with the words of make repair", async () => {
      const { output } = await stack.refusedUp();
      assert.match(output, /'make repair SITE=oslo' shows what was lost/);
      assert.match(output, /\[site-store-rolled-back\]/);
    });

    it("is left alone until its word is given", async () => {
      const { code, output } = await stack.makeWith("repair", { SITE: "oslo" });
      assert.notEqual(code, 0);
      assert.match(output, /make repair SITE=oslo ACCEPT=lost-tail/);
      assert.equal((await doctor("--json")).code, 2);
    });

    it("is repaired with it, and its next messages arrive, each once", async () => {
      const { stdout } = succeeded(await stack.makeWith("repair", { SITE: "oslo", ACCEPT: "lost-tail" }));
      assert.match(stdout, /│ oslo .* good +│/);
      texts.push(...(await publish(await stack.client("oslo", "application"), "oslo", { first: 80, count: 10 })));
      assert.deepEqual(await arrived(stack, "oslo", texts), texts.toSorted());
    });

    it("is good for the doctor, and for up, which proves it", async () => {
      assert.equal((await doctor("--json")).code, 0);
      await stack.up();
      await stack.isClean();
    });
  });

  describe("afterwards", () => {
    it("has printed no seed, in whatever it printed", noSeeds);
  });

  async function noSeeds(): Promise<void> {
    const seeds = Object.values(await stack.seedsInState()).flatMap((roles) => Object.values(roles));
    assert.ok(seeds.length > 8);
    assert.ok(stack.printed.length > 15);
    for (const { command, output } of stack.printed) {
      for (const seed of seeds) assert.equal(output.includes(seed), false, command);
    }
  }
});

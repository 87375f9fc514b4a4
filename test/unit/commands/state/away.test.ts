import assert from "node:assert/strict";
import * as fs from "node:fs";
import { containersOf, declaredSites, sayPending, standingOf } from "../../../../commands/state/away";
import type { Deployment, StateResource } from "../../../../commands/stack/pending";
import { inTempFolder, withEnvironment } from "../../providers/temp-folder";
import { container, provider, resource, urnOf } from "../../toolchain/docker-state";
import { withFakeEngine } from "../../toolchain/fake-engine";

const NOWHERE = "unix:///nowhere/docker.sock";
const NONE = { removed: [], changed: [], pending: [], options: [], env: {} };
/** Every engine answers. */
const ALL_THERE = { ...NONE, env: { NATS_HUB_LEAF_AWAY: "" } };
const stateOf = (...resources: StateResource[]): Deployment => ({ deployment: { resources } });

describe("what a run has to know of Docker", () => {
  const temp = inTempFolder();
  const engine = withFakeEngine();
  // Whoever asks the engine of this machine asks the one of the test.
  withEnvironment(() => ({ DOCKER_HOST: engine.url }));

  /** A stack with these settings. */
  const stackOf = (settings: Record<string, unknown>) => {
    const config = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`nats-hub-leaf:${key}`, value]));
    fs.writeFileSync(temp.path("Pulumi.yaml"), "name: nats-hub-leaf\nruntime: nodejs\n");
    fs.writeFileSync(temp.path("Pulumi.dev.yaml"), JSON.stringify({ config }));
    return { binary: "pulumi", projectFolder: temp.path(), stack: "dev", env: {} };
  };
  const inDocker = (name: string, url = engine.url) => ({ name, runtime: "docker", engine: url });
  const onEngine = (name: string, url = engine.url): StateResource[] => [provider(name, url)];

  describe("is nothing, and no engine is asked,", () => {
    afterEach(() => assert.deepEqual(engine.asked, []));

    it("where all servers are processes", async () => {
      const state = stateOf(resource("server", "oslo-server"));
      assert.deepEqual(await standingOf(stackOf({ sites: [{ name: "oslo" }] }), state), NONE);
    });

    it("when the settings cannot be read: the program says what is wrong with them", async () => {
      assert.deepEqual(await standingOf(stackOf({ sites: "oslo" }), {}), NONE);
      const stack = stackOf({ sites: [] });
      fs.rmSync(temp.path("Pulumi.dev.yaml"));
      assert.deepEqual(await standingOf(stack, {}), NONE);
    });
  });

  it("is nothing when every engine answers and every container is there", async () => {
    engine.containers.set("nats-dev-oslo", { id: "oslo-container-id" });
    const state = stateOf(...onEngine("docker"), container("oslo", "docker"));
    assert.deepEqual(await standingOf(stackOf({ sites: [inDocker("oslo"), inDocker("bergen")] }), state), ALL_THERE);
  });

  it("is which containers somebody removed", async () => {
    const state = stateOf(...onEngine("docker"), container("oslo", "docker"));
    const removed = [urnOf("container", "oslo-container")];
    assert.deepEqual(await standingOf(stackOf({ sites: [inDocker("oslo")] }), state), { ...ALL_THERE, removed });
  });

  it("is which containers somebody changed", async () => {
    engine.containers.set("nats-dev-oslo", { id: "oslo-container-id", limits: { Memory: 1 } });
    const state = stateOf(...onEngine("docker"), container("oslo", "docker"));
    const changed = [urnOf("container", "oslo-container")];
    assert.deepEqual(await standingOf(stackOf({ sites: [inDocker("oslo")] }), state), { ...ALL_THERE, changed });
  });

  it("is which containers somebody removed when no server of the settings is in Docker any more", async () => {
    const state = stateOf(...onEngine("docker"), container("oslo", "docker"));
    const removed = [urnOf("container", "oslo-container")];
    assert.deepEqual(await standingOf(stackOf({ sites: [] }), state), { ...ALL_THERE, removed });
  });

  it("refuses to go on when the environment names another engine than the one that has the containers", async () => {
    const made = (where: string) =>
      stateOf(
        provider("docker"),
        container("oslo", "docker"),
        resource("check", "fleet-check", { outputs: { engine: where } }),
      );
    engine.containers.set("nats-dev-oslo", { id: "oslo-container-id" });
    const stack = stackOf({ sites: [{ name: "oslo", runtime: "docker" }] });
    assert.deepEqual(await standingOf(stack, made(engine.url)), ALL_THERE);
    await assert.rejects(standingOf(stack, made("tcp://10.0.0.7:2376")), (error: Error) => {
      assert.match(
        error.message,
        /containers are on the Docker engine tcp:\/\/10\.0\.0\.7:2376, but DOCKER_HOST .* now names unix:/,
      );
      return true;
    });
  });

  describe("while an engine is away", () => {
    const settings = { sites: [{ name: "oslo" }, inDocker("bergen", NOWHERE), inDocker("narvik", NOWHERE)] };
    const state = () => stateOf(...onEngine("far", NOWHERE), container("bergen", "far"), container("narvik", "far"));

    it("is that its sites are pending, and why", async () => {
      const { pending } = await standingOf(stackOf(settings), state());
      assert.deepEqual(
        pending.map(({ site }) => site),
        ["bergen", "narvik"],
      );
      for (const { reason } of pending) assert.match(reason, /^Docker engine unix:\/\/\/nowhere.*: nothing listens/);
    });

    it("is what the CLI is kept off, and what the providers leave as it is", async () => {
      const { options, env } = await standingOf(stackOf(settings), state());
      assert.deepEqual(env, { NATS_HUB_LEAF_AWAY: "bergen,narvik" });
      assert.deepEqual(options.slice(0, 2), ["--exclude", "**::far"]);
      for (const name of ["bergen-container", "narvik-server"]) {
        const at = options.indexOf(`**::${name}`);
        assert.equal(options[at - 1], "--exclude", name);
      }
    });

    it("is that the sites that it shall have first are left out, and no others", async () => {
      const { pending, options, env } = await standingOf(
        stackOf({ sites: [inDocker("oslo"), inDocker("bergen", NOWHERE)] }),
        {},
      );
      assert.deepEqual(
        pending.map(({ site }) => site),
        ["bergen"],
      );
      assert.deepEqual([options, env], [[], { NATS_HUB_LEAF_AWAY: "", NATS_HUB_LEAF_LEFT_OUT: "bergen" }]);
    });

    it("is nothing with certificates of the settings that fit, unless only what is deployed counts", async () => {
      const [url, engineCertificates] = ["tcp://127.0.0.1:1", temp.path("certificates")];
      const stack = stackOf({ sites: [{ name: "oslo", runtime: "docker", engine: url, engineCertificates }] });
      const far = { ...provider("far", url), inputs: { host: url, certPath: temp.path("gone") } };
      const reasons = async (deployed: boolean) =>
        (await standingOf(stack, stateOf(far, container("oslo", "far")), { deployed })).pending.map(
          ({ reason }) => reason,
        );
      assert.match((await reasons(false)).join(), /open '.*\/certificates\/ca\.pem'/);
      assert.match((await reasons(true)).join(), /open '.*\/gone\/ca\.pem'/);
    });

    describe("that has a server of a hub on machines of its own", () => {
      const at = (engine: string, i: number) => ({ engine, address: `192.0.2.${i}`, host: `192.0.2.${i}` });
      const hubOn = (...engines: string[]) => ({ hub: { runtime: "docker", servers: engines.map(at) } });
      const OTHER = "unix:///nowhere/other.sock";
      const here = () => [engine.url, `unix:///proc/self/root${engine.url.slice("unix://".length)}`];
      const found = () =>
        stateOf(
          ...here().flatMap((url, i) => [provider(`here-${i}`, url), container(`hub-${i + 1}`, `here-${i}`)]),
          ...onEngine("far", NOWHERE),
          container("hub-3", "far"),
        );
      const deployed = () => {
        for (const i of [1, 2]) engine.containers.set(`nats-dev-hub-${i}`, { id: `hub-${i}-container-id` });
        return found();
      };

      it("is that it is pending, and everything else goes on", async () => {
        const { pending, env, options } = await standingOf(stackOf(hubOn(...here(), NOWHERE)), deployed());
        assert.deepEqual(
          pending.map(({ site }) => site),
          ["hub-3"],
        );
        assert.match(pending[0]?.reason ?? "", /nothing listens.*lost for good, give this server another engine/);
        assert.deepEqual(env, { NATS_HUB_LEAF_AWAY: "hub-3", NATS_HUB_LEAF_HUB_AWAY: "hub-3" });
        assert.ok(options.includes("**::hub-3-container") && !options.includes("**::hub-2-container"));
      });

      it("is a refusal when fewer than most of them are left, with what to do", async () => {
        const state = stateOf(
          ...onEngine("here", engine.url),
          container("hub-1", "here"),
          ...onEngine("far", NOWHERE),
          container("hub-2", "far"),
          ...onEngine("farther", OTHER),
          container("hub-3", "farther"),
        );
        await assert.rejects(standingOf(stackOf(hubOn(engine.url, NOWHERE, OTHER)), state), {
          name: "Refusal",
          message: /the machines of hub-2, hub-3 cannot be reached, .* more than half of its 3 .* restore a backup/s,
        });
      });

      it("is a refusal while it is not deployed yet", async () => {
        await assert.rejects(standingOf(stackOf(hubOn(...here(), NOWHERE)), {}), {
          name: "Refusal",
          message: /hub-3 of the hub is not deployed yet, and its Docker engine unix/,
        });
      });
    });

    it("is a refusal when the hub is on it, deployed or not", async () => {
      const stack = stackOf({ hub: { name: "centre", runtime: "docker", engine: NOWHERE } });
      const deployed = stateOf(...onEngine("far", NOWHERE), container("centre", "far"));
      for (const found of [deployed, {}]) {
        await assert.rejects(standingOf(stack, found), {
          name: "Refusal",
          message: /^stack 'dev': the hub's Docker engine unix:\/\/\/nowhere\/docker\.sock: .*: nothing listens/,
        });
      }
    });
  });

  it("is nothing of a deployed site whose engine is another one in the settings: it may not move, which is said later", async () => {
    engine.containers.set("nats-dev-oslo", { id: "oslo-container-id" });
    const state = stateOf(...onEngine("docker"), container("oslo", "docker"));
    assert.deepEqual(await standingOf(stackOf({ sites: [inDocker("oslo", NOWHERE)] }), state), ALL_THERE);
  });

  it("is nothing of a deployed process that shall become a container there: left out, its site would be removed", async () => {
    const state = stateOf(resource("server", "oslo-server"));
    const { options, removed } = await standingOf(stackOf({ sites: [inDocker("oslo", NOWHERE)] }), state);
    assert.deepEqual([options, removed], [[], []]);
  });

  it("asks an engine once for all the servers that it shall have first", async () => {
    await standingOf(stackOf({ sites: ["oslo", "bergen"].map((name) => inDocker(name)) }), {});
    assert.deepEqual(engine.asked, ["GET /_ping"]);
  });

  it("takes the engine of this machine where the settings name none", async () => {
    const state = stateOf(provider("docker"), container("oslo", "docker"));
    const { removed } = await standingOf(stackOf({ sites: [{ name: "oslo", runtime: "docker" }] }), state);
    assert.deepEqual(removed, [urnOf("container", "oslo-container")]);
  });

  describe("from the settings alone", () => {
    it("is which sites there are", () => {
      assert.deepEqual(declaredSites(stackOf({ sites: [{ name: "oslo" }, inDocker("bergen")] })), ["oslo", "bergen"]);
      assert.deepEqual(declaredSites(stackOf({ sites: "oslo" })), []);
    });

    it("is which servers are in containers, the hub first", () => {
      const sites = [{ name: "oslo" }, { name: "bergen", runtime: "process" }];
      assert.deepEqual(containersOf(stackOf({ runtime: "docker", sites })), ["hub", "oslo"]);
      assert.deepEqual(containersOf(stackOf({ sites })), []);
      const waves = [{ name: "tromso" }, { name: "bergen", wave: 2 }, { name: "oslo", wave: 1 }];
      assert.deepEqual(containersOf(stackOf({ runtime: "docker", sites: waves })), ["hub", "oslo", "bergen", "tromso"]);
      assert.deepEqual(containersOf(stackOf({ sites: "oslo" })), []);
    });
  });
});

describe("what is said of pending sites", () => {
  const said = (...pending: { site: string; reason: string }[]): string[] => {
    const lines: string[] = [];
    sayPending(pending, (line) => lines.push(line));
    return lines;
  };

  it("is which they are, each reason once, and what to do", () => {
    const [a, b] = ["engine a: away", "engine b: away"];
    assert.deepEqual(said({ site: "oslo", reason: a }, { site: "bergen", reason: b }, { site: "narvik", reason: a }), [
      "\npending, everything else is done: oslo, bergen, narvik",
      `  ${a}`,
      `  ${b}`,
      "  then run 'make up' again; 'make forget SITE=…' drops a site whose machine is lost for good",
    ]);
  });

  it("is nothing when there are none", () => {
    assert.deepEqual(said(), []);
  });
});

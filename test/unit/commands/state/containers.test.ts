import assert from "node:assert/strict";
import { absence } from "../../../../servers/docker/whereabouts";
import { clearInterrupted, exclusions, lookAtContainers, upgradeOf } from "../../../../commands/state/containers";
import type { Deployment, StateResource } from "../../../../commands/stack/pending";
import { by, container, provider, resource, urnOf, type Kind } from "../../toolchain/docker-state";
import { withFakeEngine } from "../../toolchain/fake-engine";

const NOWHERE = "unix:///nowhere/docker.sock";
const NOTHING = { removed: [], changed: [], away: [] };
const stateOf = (...resources: StateResource[]): Deployment => ({ deployment: { resources } });

describe("a look at the containers of a state", () => {
  const engine = withFakeEngine();

  it("finds nothing wrong with those that are there", async () => {
    engine.containers.set("nats-dev-oslo", { id: "oslo-container-id" });
    const state = stateOf(provider("docker", engine.url), container("oslo", "docker"));
    assert.deepEqual(await lookAtContainers(state), NOTHING);
  });

  it("finds those that somebody removed", async () => {
    engine.containers.set("nats-dev-oslo", { id: "oslo-container-id" });
    const servers = ["oslo", "bergen"].map((server) => container(server, "docker"));
    assert.deepEqual(await lookAtContainers(stateOf(provider("docker", engine.url), ...servers)), {
      ...NOTHING,
      removed: [urnOf("container", "bergen-container")],
    });
  });

  for (const [what, limits] of [
    ["memory", { Memory: 2 ** 28 }],
    ["swap", { MemorySwap: 2 ** 31 }],
    ["processors", { NanoCpus: 1_000_000_000 }],
    ["restart policy", { RestartPolicy: { Name: "no" } }],
  ] as const) {
    it(`finds those whose ${what} somebody changed`, async () => {
      engine.containers.set("nats-dev-oslo", { id: "oslo-container-id", limits });
      const state = stateOf(provider("docker", engine.url), container("oslo", "docker"));
      const changed = [urnOf("container", "oslo-container")];
      assert.deepEqual(await lookAtContainers(state), { ...NOTHING, changed });
    });
  }

  it("takes none for changed of an engine that does not account for memory or swap", async () => {
    engine.containers.set("nats-dev-oslo", { id: "oslo-container-id", limits: { Memory: 0, MemorySwap: -1 } });
    const state = stateOf(provider("docker", engine.url), container("oslo", "docker"));
    assert.deepEqual(await lookAtContainers(state), NOTHING);
  });

  it("takes none for removed or changed that the engine says something else of", async () => {
    engine.refuses = 500;
    const state = stateOf(provider("docker", engine.url), container("oslo", "docker"));
    assert.deepEqual(await lookAtContainers(state), NOTHING);
  });

  it("finds an engine that cannot be reached, with its servers and why", async () => {
    const servers = ["oslo", "bergen"].map((server) => container(server, "docker-far"));
    const { removed, away } = await lookAtContainers(stateOf(provider("docker-far", NOWHERE), ...servers));
    assert.deepEqual(removed, []);
    assert.deepEqual(
      away.map(({ reason: _reason, ...rest }) => rest),
      [{ name: NOWHERE, servers: ["oslo", "bergen"], provider: urnOf("provider", "docker-far") }],
    );
    assert.match(away[0]?.reason ?? "", /^Docker engine unix:\/\/\/nowhere\/docker\.sock: .*ENOENT.*: nothing listens/);
  });

  it("goes on with the other engines when one cannot be reached", async () => {
    const found = await lookAtContainers(
      stateOf(
        ...[provider("docker-far", NOWHERE), container("oslo", "docker-far")],
        ...[provider("docker", engine.url), container("bergen", "docker")],
      ),
    );
    assert.deepEqual(found.removed, [urnOf("container", "bergen-container")]);
    assert.deepEqual(
      found.away.map(({ servers }) => servers),
      [["oslo"]],
    );
  });

  it("reaches an engine as the settings say now, where they do", async () => {
    const state = stateOf(provider("docker", engine.url), container("oslo", "docker"));
    const found = await lookAtContainers(state, ({ url }) => (url === engine.url ? { url: NOWHERE } : undefined));
    assert.deepEqual(
      found.away.map(({ servers }) => servers),
      [["oslo"]],
    );
    assert.deepEqual(engine.asked, []);
  });

  it("asks an engine of its own containers only", async () => {
    const others = [provider("docker-2", NOWHERE), container("bergen", "docker-2")];
    const volume = resource("volume", "oslo-data", by("docker"));
    await lookAtContainers(stateOf(provider("docker", engine.url), container("oslo", "docker"), volume, ...others));
    assert.deepEqual(engine.asked, ["GET /_ping", "GET /containers/oslo-container-id/json"]);
  });

  it("finds nothing in a state without Docker, or without anything", async () => {
    for (const state of [stateOf(resource("server", "oslo-server")), stateOf(), {}])
      assert.deepEqual(await lookAtContainers(state), NOTHING);
  });

  it("takes an engine that answers with a refusal for one that is there", async () => {
    engine.refuses = 500;
    assert.equal(await absence({ url: engine.url }), undefined);
    assert.match((await absence({ url: NOWHERE })) ?? "", /nothing listens/);
  });
});

describe("what an upgrade of one server touches", () => {
  const state = stateOf(
    ...["docker", "docker-far"].map((name) => provider(name)),
    resource("volume", "oslo-data", by("docker")),
    resource("volume", "bergen-data", by("docker-far")),
  );

  it("is the image of its own engine and no other, even while it has no container", () => {
    const rest = (site: string) => [`**::${site}-container`, `**::${site}-server`, `**::${site}-streams`];
    assert.deepEqual(upgradeOf("oslo", state), ["**::docker-image", ...rest("oslo"), "**::smoke-test"]);
    assert.deepEqual(upgradeOf("bergen", state), ["**::docker-far-image", ...rest("bergen"), "**::smoke-test"]);
  });

  it("is nothing of one that was never deployed", () => assert.deepEqual(upgradeOf("narvik", state), []));
});

describe("what a run is kept off while an engine is away", () => {
  const away = { name: "x", reason: "x", provider: urnOf("provider", "docker-far") };

  it("is what its servers have there, what is done with them, and what they share", () => {
    assert.deepEqual(exclusions({ ...away, servers: ["oslo"] }), [
      ...["**::docker-far", "**::docker-far-network", "**::docker-far-image"],
      ...["**::oslo-container", "**::oslo-config", "**::oslo-data", "**::oslo-server", "**::oslo-streams"],
    ]);
  });

  it("is not what the hub has of them: their link and their identity", () => {
    const patterns = exclusions({ ...away, servers: ["oslo"] });
    for (const name of ["oslo-link", "oslo-identity"]) assert.equal(patterns.includes(`**::${name}`), false);
  });

  it("is the watcher too, where its container is there", () => {
    const patterns = exclusions({ ...away, servers: ["hub-1", "watcher"] });
    for (const name of ["watcher", "watcher-container", "watcher-data", "docker-far-watcher-image"])
      assert.ok(patterns.includes(`**::${name}`), name);
  });

  it("is the same for each of its servers", () => {
    const patterns = exclusions({ ...away, servers: ["oslo", "bergen"] });
    assert.equal(patterns.length, 13);
    assert.deepEqual(
      patterns.filter((pattern) => pattern.includes("bergen")).map((pattern) => pattern.replace("bergen", "oslo")),
      patterns.filter((pattern) => pattern.includes("oslo")),
    );
  });
});

describe("what a killed run made on an engine and could not note", () => {
  const engine = withFakeEngine();
  const OURS = { "nats-hub-leaf.stack": "dev" };
  const CONTAINER = { kind: "container" as Kind, resource: "oslo-container", named: "nats-dev-oslo" };
  const NETWORK = { kind: "network" as Kind, resource: "docker-network", named: "nats-dev" };

  /** A state in which such an operation was begun. */
  const interrupted = (
    what: typeof CONTAINER,
    { type = "creating", known = [] as string[], url = engine.url } = {},
  ) => {
    const { kind, resource: name, named } = what;
    const begun = { urn: urnOf(kind, name), inputs: { name: named }, ...by("docker") };
    return {
      deployment: {
        resources: [provider("docker", url), ...known.map((id) => ({ urn: urnOf("container", "other"), id }))],
        pending_operations: [{ type, resource: begun }],
      },
    };
  };

  it("is a container, which is removed though it runs", async () => {
    engine.containers.set("nats-dev-oslo", { id: "abc", labels: OURS });
    assert.deepEqual(await clearInterrupted(interrupted(CONTAINER), "dev"), ["nats-dev-oslo"]);
    assert.deepEqual(engine.asked, ["GET /containers/nats-dev-oslo/json", "DELETE /containers/abc?force=true"]);
  });

  it("is a network, which is removed", async () => {
    engine.networks.set("nats-dev", { id: "abc", labels: OURS });
    assert.deepEqual(await clearInterrupted(interrupted(NETWORK), "dev"), ["nats-dev"]);
    assert.deepEqual(engine.asked, ["GET /networks/nats-dev", "DELETE /networks/abc"]);
  });

  for (const [what, kept] of [
    [CONTAINER, "containers"],
    [NETWORK, "networks"],
  ] as const) {
    describe(`is left alone of its ${kept}`, () => {
      const leaves = async (labels: Record<string, string> | undefined, state: Deployment): Promise<void> => {
        engine[kept].set(what.named, { id: "abc", ...(labels === undefined ? {} : { labels }) });
        assert.deepEqual(await clearInterrupted(state, "dev"), []);
        assert.deepEqual([...engine[kept].keys()], [what.named]);
      };

      it("when it is another stack's", () => leaves({ "nats-hub-leaf.stack": "prod" }, interrupted(what)));

      it("when it is nobody's of this program", () => leaves({ other: "dev" }, interrupted(what)));

      it("when it has no labels", () => leaves(undefined, interrupted(what)));

      it("when the state has it after all", () => leaves(OURS, interrupted(what, { known: ["abc"] })));

      it("when the run was doing something else with it", async () => {
        for (const type of ["updating", "deleting", "reading"]) await leaves(OURS, interrupted(what, { type }));
      });
    });
  }

  it("is never a volume: what is stored in one is found again", async () => {
    const volume = { kind: "volume" as const, resource: "oslo-data", named: "nats-dev-oslo-data" };
    assert.deepEqual(await clearInterrupted(interrupted(volume), "dev"), []);
    assert.deepEqual(engine.asked, []);
  });

  it("is nothing when nothing of that name is there", async () => {
    assert.deepEqual(await clearInterrupted(interrupted(CONTAINER), "dev"), []);
  });

  it("is unknown while the engine is away, or when the state has no provider of it", async () => {
    assert.deepEqual(await clearInterrupted(interrupted(CONTAINER, { url: NOWHERE }), "dev"), []);
    const { deployment } = interrupted(CONTAINER);
    assert.deepEqual(await clearInterrupted({ deployment: { ...deployment, resources: [] } }, "dev"), []);
    assert.deepEqual(engine.asked, []);
  });

  it("is nothing in a state that no run left behind", async () => {
    assert.deepEqual(await clearInterrupted({}, "dev"), []);
    assert.deepEqual(await clearInterrupted(stateOf(provider("docker", engine.url)), "dev"), []);
    assert.deepEqual(engine.asked, []);
  });
});

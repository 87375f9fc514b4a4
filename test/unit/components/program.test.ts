import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { publicKeyOf } from "../../../configs/keys";
import { UNKNOWN } from "../../../configs/values";
import { RawSettings } from "../../../configs/settings";
import { newSeed } from "../../support/rules/settings";
import { drawn } from "../../support/pages/topologies";
import { Recorded, Registered, Secret, run } from "./recorder";

const TWO_SITES = {
  sites: [{ name: "oslo" }, { name: "bergen", expect: "offline" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"] }],
};
const MERGED = [...TWO_SITES.streams, { name: "ALARMS", subjects: ["alarms.>"], collect: { mode: "merged" } }];

/** Every text outside of secrets. */
function plainTexts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || value instanceof Secret) return [];
  return Object.values(value).flatMap(plainTexts);
}

/** The paths of everything unknown. */
function unknownPaths(value: unknown, path = ""): string[] {
  if (value === UNKNOWN) return [path];
  if (value instanceof Secret) return unknownPaths(value.value, path);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => unknownPaths(item, path === "" ? key : `${path}.${key}`));
}

describe("the program", () => {
  let fleet: Recorded;
  before(async () => (fleet = await run(TWO_SITES)));
  const of = (name: string, recorded = fleet): Registered => {
    const found = recorded.resources.get(name);
    assert.ok(found, `there is no resource ${name}`);
    return found;
  };

  describe("makes of two sites", () => {
    // Types, names and parents are a contract with every state that exists.
    const RESOURCES = [
      ["nats-hub-leaf:index:Fleet", "fleet", undefined],
      ["pulumi-nodejs:dynamic/nats:Identity", "hub-identity", "fleet"],
      ["pulumi-nodejs:dynamic/nats:Identity", "oslo-identity", "fleet"],
      ["pulumi-nodejs:dynamic/nats:Identity", "bergen-identity", "fleet"],
      ["pulumi-nodejs:dynamic/nats:FleetCheck", "fleet-check", "fleet"],
      ["nats-hub-leaf:index:Hub", "hub", undefined],
      ["pulumi-nodejs:dynamic/nats:HubServer", "hub-server", "hub"],
      ["nats-hub-leaf:index:Leaf", "oslo", undefined],
      ["pulumi-nodejs:dynamic/nats:HubLink", "oslo-link", "oslo"],
      ["pulumi-nodejs:dynamic/nats:LeafServer", "oslo-server", "oslo"],
      ["pulumi-nodejs:dynamic/nats:Streams", "oslo-streams", "oslo"],
      ["nats-hub-leaf:index:Leaf", "bergen", undefined],
      ["pulumi-nodejs:dynamic/nats:HubLink", "bergen-link", "bergen"],
      ["pulumi-nodejs:dynamic/nats:LeafServer", "bergen-server", "bergen"],
      ["pulumi-nodejs:dynamic/nats:Streams", "bergen-streams", "bergen"],
      ["nats-hub-leaf:index:Proof", "smoke-test", undefined],
      ["pulumi-nodejs:dynamic/nats:Guard", "guard", "smoke-test"],
      ["pulumi-nodejs:dynamic/nats:SmokeTest", "smoke-test", "smoke-test"],
    ] as const;

    it("these resources and no others", () => {
      const found = [...fleet.all].map(({ type, name, parent }) => [type, name, parent]);
      const sorted = (rows: readonly (readonly (string | undefined)[])[]) => rows.map((row) => row.join(" ")).sort();
      assert.deepEqual(sorted(found), sorted(RESOURCES));
    });

    it("four dynamic resources for each site and no more: the checkpoint is written at each step", () => {
      const ofOslo = [...fleet.resources.keys()].filter((name) => name.startsWith("oslo-"));
      assert.deepEqual(ofOslo.sort(), ["oslo-identity", "oslo-link", "oslo-server", "oslo-streams"]);
    });
  });

  describe("has an order", () => {
    it("identities, then the check of the fleet, then the hub", () => {
      assert.deepEqual(of("hub-identity").dependsOn, []);
      assert.deepEqual(of("fleet-check").dependsOn, ["bergen-identity", "hub-identity", "oslo-identity"]);
      assert.equal(of("hub-server").dependsOn.includes("fleet-check"), true);
    });

    it("hub, then a site's link on it, then the site's server, then its streams", () => {
      assert.equal(of("oslo-link").dependsOn.includes("hub-server"), true);
      assert.equal(of("oslo-server").dependsOn.includes("oslo-link"), true);
      assert.equal(of("oslo-streams").dependsOn.includes("oslo-server"), true);
    });

    it("that is stated once: what uses the values of an identity does not name it again", () => {
      assert.deepEqual(of("hub-server").dependsOn, ["fleet-check"]);
      // The identity of a site that leaves goes after all that was made of it, even when the check no longer names it.
      assert.deepEqual(of("oslo-link").dependsOn, ["hub-server", "oslo-identity"]);
      assert.deepEqual(of("oslo-server").dependsOn, ["oslo-link"]);
      assert.deepEqual(of("oslo-streams").dependsOn, ["oslo-server"]);
      assert.deepEqual(of("smoke-test").dependsOn, ["guard"]);
    });

    it("all streams and the hub, then the guard, then the smoke test", () => {
      const { dependsOn } = of("guard");
      for (const name of ["hub-server", "oslo-streams", "bergen-streams"]) assert.equal(dependsOn.includes(name), true);
      assert.equal(of("smoke-test").dependsOn.includes("guard"), true);
    });

    it("nothing of one site waits for another site", () => {
      for (const name of ["oslo-link", "oslo-server", "oslo-streams"]) {
        assert.deepEqual(
          of(name).dependsOn.filter((other) => other.startsWith("bergen")),
          [],
        );
      }
    });

    it("nothing but the smoke test and the guard waits for streams", () => {
      const waiting = [...fleet.resources.values()].filter(({ dependsOn }) => dependsOn.includes("oslo-streams"));
      assert.deepEqual(
        waiting.map(({ name }) => name),
        ["guard"],
      );
    });
  });

  describe("keeps seeds secret", () => {
    it("no input of any resource has one in clear, with merged streams and given keys too", async () => {
      const given = newSeed();
      const merged = await run({ ...TWO_SITES, streams: MERGED, keys: { oslo: { link: given } } });
      assert.equal(merged.seeds.includes(given), true);
      for (const { resources, seeds } of [fleet, merged]) {
        assert.equal(seeds.length, 11);
        for (const { name, inputs } of resources.values()) {
          const leaks = plainTexts(inputs).filter((text) => seeds.some((seed) => text.includes(seed)));
          assert.deepEqual(leaks, [], name);
        }
      }
    });

    it("those that need seeds get them as secrets", () => {
      const isSecret = (name: string, path: string) => {
        let value: unknown = of(name).inputs;
        for (const key of path.split(".")) {
          if (value instanceof Secret) return true;
          value = (value as Record<string, unknown>)[key];
        }
        return value instanceof Secret;
      };
      for (const [name, path] of [
        ["fleet-check", "access"],
        ["hub-server", "secrets.system"],
        ["oslo-link", "hub.seed"],
        ["oslo-server", "access.link"],
        ["oslo-server", "access.system"],
        ["oslo-streams", "access.operator"],
        ["guard", "hub"],
        ["guard", "access"],
        ["smoke-test", "secrets"],
      ] as const) {
        assert.equal(isSecret(name, path), true, `${name}: ${path}`);
      }
    });

    it("an identity names the output that holds them: the engine would store it in clear otherwise", () => {
      for (const owner of ["hub", "oslo", "bergen"]) {
        assert.deepEqual(of(`${owner}-identity`).secretOutputs, ["seeds"]);
      }
    });

    it("a given key goes to its identity as a secret, and nowhere else", async () => {
      const link = newSeed();
      const { resources } = await run({ ...TWO_SITES, keys: { oslo: { link } } });
      const { given } = resources.get("oslo-identity")!.inputs;
      assert.deepEqual(given, new Secret({ link }));
      assert.equal("keys" in (resources.get("fleet-check")!.inputs.settings as object), false);
    });

    it("the stack's output of seeds is secret, and has none of a link", async () => {
      const { seeds } = fleet.outputs;
      assert.equal(await pulumi.isSecret(seeds!), true);
      const value = await new Promise<Record<string, object>>((resolve) =>
        seeds!.apply((shown) => resolve(shown as Record<string, object>)),
      );
      assert.deepEqual(Object.fromEntries(Object.entries(value).map(([owner, roles]) => [owner, Object.keys(roles)])), {
        hub: ["system", "operator", "reader"],
        oslo: ["application", "operator", "reader"],
        bergen: ["application", "operator", "reader"],
      });
    });
  });

  describe("declares both ends of a link from the same keys", () => {
    it("the key in the hub's declaration is that of the seed at the site", () => {
      const { declaration } = of("oslo-link").inputs as { declaration: { keys: { link: string } } };
      const { link } = (of("oslo-server").inputs as { access: Secret }).access.value as { link: string };
      assert.equal(publicKeyOf(link), declaration.keys.link);
    });

    it("a site has its own key", () => {
      const keyOf = (name: string) =>
        (of(name).inputs as { declaration: { keys: { link: string } } }).declaration.keys.link;
      assert.notEqual(keyOf("oslo-link"), keyOf("bergen-link"));
    });

    it("the site dials the port on which the hub listens for leaves", () => {
      const { restart } = (of("hub-server").inputs as { declaration: { restart: { ports: { leafnodes: number } } } })
        .declaration;
      const { reload } = (of("oslo-server").inputs as { declaration: { reload: { hubUrl: string } } }).declaration;
      assert.equal(reload.hubUrl, `nats-leaf://127.0.0.1:${restart.ports.leafnodes}`);
    });
  });

  describe("in a first preview, before anything was made", () => {
    let preview: Recorded;
    before(async () => (preview = await run({ ...TWO_SITES, streams: MERGED }, true)));
    const unknown = (name: string) => unknownPaths(of(name, preview).inputs).sort();

    it("knows all of the identities", () => {
      for (const name of ["hub-identity", "oslo-identity"]) {
        const { keys: _keys, seeds: _seeds, allocated: _allocated, ...inputs } = of(name, preview).inputs;
        assert.deepEqual(unknownPaths(inputs), []);
      }
    });

    it("does not know keys and ports, and all else of the servers", () => {
      assert.deepEqual(unknown("hub-server"), [
        "declaration.reload.keys.operator",
        "declaration.reload.keys.reader",
        "declaration.reload.keys.system",
        "declaration.restart.ports.client",
        "declaration.restart.ports.leafnodes",
        "declaration.restart.ports.monitor",
        "secrets.system",
      ]);
      assert.deepEqual(
        unknown("oslo-link").filter((path) => path.startsWith("declaration")),
        ["declaration.keys.link", "declaration.keys.operator", "declaration.keys.reader"],
      );
    });

    it("knows the settings that the check of the fleet judges, and the streams", () => {
      assert.deepEqual(
        unknown("fleet-check").filter((path) => !path.startsWith("access")),
        [],
      );
      assert.deepEqual(
        unknown("oslo-streams").filter((path) => !path.startsWith("access")),
        [],
      );
    });

    it("knows what the smoke test says of itself", () => {
      assert.deepEqual(
        unknown("smoke-test").filter((path) => /^(run|streams|probes)|declared|site$|expect/.test(path)),
        [],
      );
    });
  });

  describe("gives out the topology", () => {
    for (const isFirstPreview of [true, false]) {
      it(`as the settings have it, known ${isFirstPreview ? "in a first preview" : "in an update"}, and not secret`, async () => {
        const { outputs } = await run({ ...TWO_SITES, streams: MERGED }, isFirstPreview);
        assert.deepEqual(outputs.topology, drawn({ ...TWO_SITES, streams: MERGED } as RawSettings));
      });
    }
  });

  describe("takes what is given", () => {
    it("ports and keys are known in a preview", async () => {
      const keys = { hub: { system: newSeed() } };
      const hub = { ports: { client: 4222, leafnodes: 7422, monitor: 8222 } };
      const { resources } = await run({ ...TWO_SITES, hub, keys }, true);
      const { declaration } = resources.get("hub-server")!.inputs as {
        declaration: { restart: { ports: object }; reload: { keys: { system: string } } };
      };
      assert.deepEqual(declaration.restart.ports, hub.ports);
      assert.equal(declaration.reload.keys.system, publicKeyOf(keys.hub.system));
    });

    it("a rotation reaches the identity and the link of its site alone", async () => {
      const rotated = await run({ ...TWO_SITES, sites: [{ name: "oslo", rotation: 2 }, { name: "bergen" }] });
      const rotationOf = (site: string) => [
        of(`${site}-identity`, rotated).inputs.rotation,
        (of(`${site}-link`, rotated).inputs as { declaration: { rotation: number } }).declaration.rotation,
      ];
      assert.deepEqual(
        [rotationOf("oslo"), rotationOf("bergen")],
        [
          [2, 2],
          [0, 0],
        ],
      );
    });

    it("a change of one site changes what the smoke test saw declared of that site alone", async () => {
      const changed = await run({ ...TWO_SITES, sites: [{ name: "oslo", quota: "3GiB" }, TWO_SITES.sites[1]] });
      const declared = (recorded: Recorded) =>
        (of("smoke-test", recorded).inputs as { sites: { declared: string }[] }).sites.map((site) => site.declared);
      assert.notEqual(declared(changed)[0], declared(fleet)[0]);
      assert.equal(declared(changed)[1], declared(fleet)[1]);
    });

    it("each stack has a folder of its own", () => {
      assert.equal(of("hub-server").inputs.root, ".fleet/dev");
      assert.equal((of("oslo-server").inputs.place as { folder: string }).folder, ".fleet/dev/sites/oslo");
    });
  });

  it("makes a hub of its own when there are no sites yet", async () => {
    const { resources } = await run({});
    assert.deepEqual([...resources.keys()].sort(), [
      "fleet",
      "fleet-check",
      "guard",
      "hub",
      "hub-identity",
      "hub-server",
      "smoke-test",
    ]);
  });

  it("makes nothing when the settings are wrong, and lists all problems", async () => {
    await assert.rejects(run({ sites: [{ name: "oslo" }, { name: "oslo" }], hub: { name: "Hub" } }), (error: Error) => {
      assert.equal(pulumi.RunError.isInstance(error), true);
      assert.match(error.message, /^the settings have 2 problems:\n/);
      assert.match(error.message, /sites\[1\]\.name: 'oslo' is used twice/);
      assert.match(error.message, /hub\.name: 'Hub'/);
      return true;
    });
  });
});

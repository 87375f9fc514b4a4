import assert from "node:assert/strict";
import { Recorded, Registered, Secret, run } from "./recorder";

const STREAMS = [{ name: "EVENTS", subjects: ["events.>"] }];
const IN_DOCKER = { runtime: "docker", sites: [{ name: "oslo" }], streams: STREAMS };

/** What `Pulumi` would be asked for when servers run in Docker. */
describe("the program in Docker", () => {
  let fleet: Recorded;
  before(async () => (fleet = await run(IN_DOCKER)));
  const of = (name: string, recorded = fleet): Registered => {
    const found = recorded.resources.get(name);
    assert.ok(found, `there is no resource ${name}`);
    return found;
  };
  const inputsOf = (name: string, recorded = fleet) => of(name, recorded).inputs;

  it("makes one provider, network and image for an engine, and for each server two volumes and a container", () => {
    const made = fleet.all.filter(({ type }) => /docker/.test(type)).map(({ type, name }) => `${type} ${name}`);
    assert.deepEqual(made.sort(), [
      "docker:index/container:Container hub-container",
      "docker:index/container:Container oslo-container",
      "docker:index/network:Network docker-network",
      "docker:index/remoteImage:RemoteImage docker-image",
      "docker:index/volume:Volume hub-config",
      "docker:index/volume:Volume hub-data",
      "docker:index/volume:Volume oslo-config",
      "docker:index/volume:Volume oslo-data",
      "pulumi:providers:docker docker",
    ]);
  });

  it("protects the data, keys and streams of each server when told so, and nothing that ordinary changes replace", async () => {
    assert.equal(
      fleet.all.some(({ protect }) => protect),
      false,
    );
    const { all } = await run({ ...IN_DOCKER, protect: true, links: { tls: "generated" } });
    assert.deepEqual(
      all
        .filter(({ protect }) => protect)
        .map(({ name }) => name)
        .sort(),
      ["hub-data", "hub-identity", "hub-server", "oslo-data", "oslo-identity", "oslo-server", "oslo-streams"],
    );
  });

  it("gives a container these arguments, and no others", () => {
    const { mounts, labels, ...rest } = inputsOf("hub-container");
    assert.deepEqual(rest, {
      name: "nats-dev-hub",
      image: "sha256:0a1b",
      command: ["-c", "/nats/config/nats-server.conf"],
      workingDir: "/nats/config",
      user: "1000:1000",
      readOnly: true,
      capabilities: { drops: ["ALL"] },
      securityOpts: ["no-new-privileges"],
      start: false,
      mustRun: false,
      restart: "always",
      stopSignal: "SIGTERM",
      stopTimeout: 30,
      destroyGraceSeconds: 30,
      memory: 512,
      memorySwap: 512,
      cpus: "1.0",
      logDriver: "json-file",
      logOpts: { "max-size": "16777216", "max-file": "3" },
      networksAdvanced: [{ name: "nats-dev", aliases: ["hub"] }],
      ports: [
        { internal: 4222, external: 20_000, ip: "127.0.0.1", protocol: "tcp" },
        { internal: 7422, external: 20_001, ip: "127.0.0.1", protocol: "tcp" },
      ],
    });
    assert.deepEqual(mounts, [
      { type: "volume", source: "nats-dev-hub-config", target: "/nats/config" },
      { type: "volume", source: "nats-dev-hub-data", target: "/nats/data" },
    ]);
    assert.deepEqual(labels, [
      { label: "nats-hub-leaf.stack", value: "dev" },
      { label: "nats-hub-leaf.server", value: "hub" },
    ]);
  });

  it("publishes of a site its client port only, on the address of choice", async () => {
    const elsewhere = await run({ ...IN_DOCKER, sites: [{ name: "oslo", host: "10.0.0.7", ports: { client: 4223 } }] });
    assert.deepEqual(inputsOf("oslo-container", elsewhere).ports, [
      { internal: 4222, external: 4223, ip: "10.0.0.7", protocol: "tcp" },
    ]);
  });

  it("takes image, memory, processors and time to stop from the settings", async () => {
    const docker = { image: "nats@sha256:0c", memory: "1GiB", cpus: 0.5, stopTimeout: "5s" };
    const tuned = await run({ ...IN_DOCKER, docker });
    const { memory, memorySwap, cpus, stopTimeout, destroyGraceSeconds } = inputsOf("oslo-container", tuned);
    assert.deepEqual([memory, memorySwap, cpus, stopTimeout, destroyGraceSeconds], [1024, 1024, "0.5", 5, 5]);
    assert.deepEqual(
      [inputsOf("docker-image", tuned).name, inputsOf("docker-image", tuned).keepLocally],
      ["nats@sha256:0c", true],
    );
  });

  it("asks the server for its health where the image has something that can ask", async () => {
    assert.equal(inputsOf("hub-container").healthcheck, undefined);
    const alpine = await run({ ...IN_DOCKER, docker: { image: "nats:2.15.2-alpine" } });
    const { tests } = inputsOf("hub-container", alpine).healthcheck as { tests: string[] };
    assert.equal(tests.at(-1), "http://127.0.0.1:8222/healthz?js-enabled-only=true");
  });

  it("makes nothing on an engine before the fleet as a whole was judged", () => {
    for (const name of ["docker", "docker-network", "docker-image", "hub-data", "oslo-config", "hub-container"])
      assert.ok(of(name).dependsOn.includes("fleet-check"), name);
  });

  it("replaces a container by removing it first: its name is fixed", () => {
    assert.equal(of("hub-container").deleteBeforeReplace, true);
  });

  it("never gives a container a seed, a configuration, an environment or a file", () => {
    for (const name of ["hub-container", "oslo-container"]) {
      const text = JSON.stringify(inputsOf(name));
      for (const seed of fleet.seeds) assert.equal(text.includes(seed), false);
      for (const key of ["envs", "uploads", "entrypoints"]) assert.equal(inputsOf(name)[key], undefined);
    }
  });

  it("has the server's own resource start it, after the container, and reach it where it is published", () => {
    const { place, declaration, reached } = inputsOf("hub-server") as Record<string, Record<string, unknown>>;
    assert.deepEqual(place, {
      kind: "docker",
      engine: {},
      container: "hub-container-id",
      name: "nats-dev-hub",
      folder: ".fleet/dev/hub",
    });
    assert.deepEqual(reached, { host: "127.0.0.1", ports: { client: 20_000, leafnodes: 20_001, monitor: 20_002 } });
    const { host, ports } = declaration?.restart as Record<string, unknown>;
    assert.deepEqual([host, ports], ["0.0.0.0", { client: 4222, leafnodes: 7422, monitor: 8222 }]);
    assert.equal(of("hub-server").dependsOn.includes("hub-container"), true);
  });

  it("lets a site dial the hub by its name on their network", () => {
    const { declaration } = inputsOf("oslo-server") as { declaration: { reload: { hubUrl: string } } };
    assert.equal(declaration.reload.hubUrl, "nats-leaf://hub:7422");
  });

  describe("with an engine for each machine", () => {
    const ELSEWHERE = {
      runtime: "docker",
      hub: { host: "10.0.0.1" },
      links: { plaintext: "accepted" },
      sites: [
        { name: "oslo", engine: "ssh://edge@oslo.example", address: "oslo.example", host: "0.0.0.0" },
        {
          name: "bergen",
          engine: "tcp://bergen.example:2376",
          engineCertificates: "certs",
          address: "bergen.example",
          host: "0.0.0.0",
        },
      ],
      streams: STREAMS,
    };
    let machines: Recorded;
    before(async () => (machines = await run(ELSEWHERE)));

    it("makes a provider for each, which does not look for its engine before it is needed", () => {
      const [oslo, bergen] = ["docker-ssh-edge-oslo.example", "docker-tcp-bergen.example-2376"];
      assert.equal(of("hub-container", machines).provider, "docker");
      assert.equal(of("oslo-container", machines).provider, oslo);
      assert.equal(of("bergen-container", machines).provider, bergen);
      const provider = (name: string) =>
        JSON.parse(JSON.stringify(inputsOf(name, machines))) as Record<string, unknown>;
      const { sshOpts, ...rest } = provider(oslo);
      assert.deepEqual(rest, {
        host: "ssh://edge@oslo.example",
        certPath: "",
        context: "",
        disableDockerDaemonCheck: "true",
      });
      assert.deepEqual((JSON.parse(String(sshOpts)) as string[]).slice(0, 2), ["-o", "BatchMode=yes"]);
      assert.equal(provider(bergen).certPath, "certs");
    });

    it("uses the ports that everybody expects there, and lets the sites dial the hub's address", () => {
      assert.deepEqual(inputsOf("oslo-container", machines).ports, [
        { internal: 4222, external: 4222, ip: "0.0.0.0", protocol: "tcp" },
      ]);
      const { declaration } = inputsOf("oslo-server", machines) as { declaration: { reload: { hubUrl: string } } };
      assert.match(declaration.reload.hubUrl, /^nats-leaf:\/\/10\.0\.0\.1:2000\d$/);
    });
  });

  describe("beside processes", () => {
    it("puts a site's container on its machine's network when the hub listens on loopback", async () => {
      const mixed = await run({ sites: [{ name: "oslo", runtime: "docker" }, { name: "bergen" }], streams: STREAMS });
      const container = inputsOf("oslo-container", mixed);
      assert.deepEqual(
        [container.networkMode, container.ports, container.networksAdvanced],
        ["host", undefined, undefined],
      );
      const { declaration } = inputsOf("oslo-server", mixed) as { declaration: { restart: { host: string } } };
      assert.equal(declaration.restart.host, "127.0.0.1");
      assert.equal((inputsOf("bergen-server", mixed).place as { kind: string }).kind, "process");
    });

    it("lets a process dial what the hub's container publishes", async () => {
      const mixed = await run({ hub: { runtime: "docker" }, sites: [{ name: "oslo" }], streams: STREAMS });
      const { declaration, access } = inputsOf("oslo-server", mixed) as {
        declaration: { reload: { hubUrl: string } };
        access: unknown;
      };
      assert.match(declaration.reload.hubUrl, /^nats-leaf:\/\/127\.0\.0\.1:2000\d$/);
      assert.ok(access instanceof Secret);
    });
  });

  it("has nothing of Docker where all servers are processes", async () => {
    const processes = await run({ sites: [{ name: "oslo" }], streams: STREAMS });
    assert.deepEqual(
      processes.all.filter(({ type }) => /docker/.test(type)),
      [],
    );
  });
});

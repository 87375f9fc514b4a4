import assert from "node:assert/strict";
import { declareHub } from "../../../configs/plan/declare";
import { planHub } from "../../../configs/plan/plan-hub";
import { dialedHub, hubServers, linkNames } from "../../../configs/placement";
import { judge } from "../../../configs/rules/rules";
import { RawSettings } from "../../../configs/settings";
import { newKey, newSeed, settingsOf } from "../../support/rules/settings";

const STREAMS = [{ name: "EVENTS", subjects: ["events.>"] }];
const settings = (hub: RawSettings["hub"], more: RawSettings = {}) => settingsOf({ hub, streams: STREAMS, ...more });

const problemsOf = (hub: RawSettings["hub"], more: RawSettings = {}): string[] =>
  judge(settings(hub, more), { emptyPassphrase: false }).map(({ where, problem }) => `${where}: ${problem}`);

describe("a hub of several servers, in the settings", () => {
  it("is that of one server when it has one", () => {
    assert.deepEqual(settings({ servers: 1 }), settings({}));
    assert.equal(JSON.stringify(settings({ servers: 1 })), JSON.stringify(settings({})));
  });

  it("has servers named after it, each with the next port", () => {
    const servers = hubServers(settings({ servers: 3, ports: { client: 4222 } }).hub);
    assert.deepEqual(
      servers.map(({ name, ports }) => [name, ports.client]),
      [
        ["hub-1", 4222],
        ["hub-2", 4223],
        ["hub-3", 4224],
      ],
    );
  });

  it("runs in containers too, on a machine of its own at the default ports and the next ones", () => {
    assert.deepEqual(problemsOf({ servers: 3 }, { runtime: "docker" }), []);
    const away = { servers: 3, engine: "ssh://edge@hub.example", address: "hub.example", host: "192.0.2.10" };
    assert.deepEqual(problemsOf(away, { runtime: "docker" }), []);
    const servers = hubServers(settings(away, { runtime: "docker" }).hub);
    assert.deepEqual(
      servers.map(({ ports: { client, leafnodes } }) => [client, leafnodes]),
      [
        [4222, 7422],
        [4223, 7423],
        [4224, 7424],
      ],
    );
    assert.match(
      problemsOf({ ...away, ports: { leafnodes: 4224 } }, { runtime: "docker" }).join(),
      /port 4224 is taken by hub/,
    );
  });

  it("is dialed at each server: by name in containers of one engine, elsewhere at its own port", () => {
    const dialed = (hub: RawSettings["hub"], site: NonNullable<RawSettings["sites"]>[number]) => {
      const all = settings({ servers: 3, ...hub }, { runtime: "docker", sites: [site] });
      return hubServers(all.hub).map((server) => dialedHub(all, all.sites[0]!, server));
    };
    assert.deepEqual(dialed({}, { name: "oslo" }), [
      { host: "hub-1", port: 7422 },
      { host: "hub-2", port: 7422 },
      { host: "hub-3", port: 7422 },
    ]);
    assert.deepEqual(dialed({}, { name: "oslo", runtime: "process" }), [
      { host: "127.0.0.1" },
      { host: "127.0.0.1" },
      { host: "127.0.0.1" },
    ]);
    assert.deepEqual(dialed({}, { name: "oslo", engine: "ssh://edge@oslo.example", hubAddress: "hub.example:7000" }), [
      { host: "hub.example", port: 7000 },
      { host: "hub.example", port: 7001 },
      { host: "hub.example", port: 7002 },
    ]);
  });

  it("has a certificate with the names at which its containers are dialed", () => {
    const all = settings({ servers: 3 }, { runtime: "docker", sites: [{ name: "oslo" }] });
    assert.deepEqual(linkNames(all), ["hub", "hub-1", "hub-2", "hub-3"]);
  });

  it("has three copies of each stream, if nothing else is said", () => {
    assert.equal(settings({ servers: 3 }).streams[0]?.collect.replicas, 3);
    assert.equal(settings({ servers: 5 }).streams[0]?.collect.replicas, 3);
    assert.equal(settings({}).streams[0]?.collect.replicas, 1);
    const one = settings({ servers: 3 }, { streams: [{ name: "A", subjects: ["a"], collect: { replicas: 1 } }] });
    assert.equal(one.streams[0]?.collect.replicas, 1);
  });

  it("is refused with an even number", () => {
    assert.deepEqual(problemsOf({ servers: 2 }).slice(0, 1), [
      "hub.servers: 2 servers survive no more failures than 1: more than half of them must run",
    ]);
    assert.equal(problemsOf({ servers: 4 }).length, 1);
    assert.deepEqual(problemsOf({ servers: 3 }), []);
    assert.deepEqual(problemsOf({ servers: 5 }), []);
  });

  it("is refused with a site of the name of its cluster, or of one of its servers", () => {
    assert.deepEqual(problemsOf({ servers: 3 }, { sites: [{ name: "hub" }] }), [
      "sites[0].name: 'hub' is the name of the hub, of its domain and of its cluster",
    ]);
    assert.deepEqual(problemsOf({ servers: 3 }, { sites: [{ name: "hub-2" }] }), [
      "sites[0].name: 'hub-2' is the name of a server of the hub",
    ]);
    assert.deepEqual(problemsOf({}, { sites: [{ name: "hub-2" }] }), []);
  });

  it("is refused with more copies than servers, and with ports that meet", () => {
    const stream = (replicas: number) => [{ name: "A", subjects: ["a"], collect: { replicas } }];
    assert.match(problemsOf({ servers: 3 }, { streams: stream(5) }).join(), /5 copies need as many/);
    assert.match(problemsOf({ servers: 3 }, { streams: stream(2) }).join(), /2 copies survive no more/);
    assert.match(problemsOf({ servers: 3, ports: { client: 4222, leafnodes: 4224 } }).join(), /port 4224 is taken/);
  });

  it("needs room for one copy of each stream on each server", () => {
    const sites = [{ name: "oslo" }];
    const streams = [{ name: "A", subjects: ["a"], maxBytes: "1MiB", collect: { maxBytes: "1GiB" } }];
    assert.deepEqual(problemsOf({ servers: 3, maxFile: "1100MiB" }, { sites, streams }), []);
    assert.match(problemsOf({ servers: 3, maxFile: "900MiB" }, { sites, streams }).join(), /hub\.maxFile: 900 MiB/);
  });
});

describe("the configuration of a server of a hub of several", () => {
  const plan = (hub: RawSettings["hub"], more: RawSettings = {}) => {
    const wanted = settings(hub, more);
    const keys = { system: newKey(), operator: newKey(), reader: newKey() };
    const ports = { client: 1, leafnodes: 2, monitor: 3, cluster: 4 };
    const [server] = hubServers(wanted.hub);
    const member = { server: server ?? wanted.hub, routes: ["127.0.0.1:4", "127.0.0.1:5"] };
    const key = newSeed();
    return { key, config: planHub(declareHub(wanted, keys, ports, { member }), [], { store: "/s" }, undefined, key) };
  };

  it("has the name of the server, the domain of the hub, and routes that show a key", () => {
    const { key, config } = plan({ servers: 3 });
    assert.deepEqual([config.server_name, config.jetstream.domain], ["hub-1", "hub"]);
    assert.deepEqual(config.cluster, {
      name: "hub",
      listen: "127.0.0.1:4",
      no_advertise: true,
      authorization: { user: "routes", password: key },
      routes: [`nats://routes:${key}@127.0.0.1:4`, `nats://routes:${key}@127.0.0.1:5`],
    });
    assert.deepEqual(config.feature_flags, { js_snapshot_sources: true });
  });

  it("keeps routes on loopback, whatever address clients use", () => {
    assert.equal(plan({ servers: 3, host: "0.0.0.0" }).config.cluster?.listen, "127.0.0.1:4");
  });

  it("takes routes on its container's network", () => {
    assert.equal(plan({ servers: 3 }, { runtime: "docker" }).config.cluster?.listen, "0.0.0.0:4");
  });
});

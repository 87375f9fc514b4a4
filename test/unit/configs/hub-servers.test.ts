import assert from "node:assert/strict";
import { declareHub } from "../../../configs/plan/declare";
import { planHub } from "../../../configs/plan/plan-hub";
import { hubServers } from "../../../configs/placement";
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

  it("is refused with more copies than servers, ports that meet, and in containers", () => {
    const stream = (replicas: number) => [{ name: "A", subjects: ["a"], collect: { replicas } }];
    assert.match(problemsOf({ servers: 3 }, { streams: stream(5) }).join(), /5 copies need as many/);
    assert.match(problemsOf({ servers: 3 }, { streams: stream(2) }).join(), /2 copies survive no more/);
    assert.match(problemsOf({ servers: 3, ports: { client: 4222, leafnodes: 4224 } }).join(), /port 4224 is taken/);
    assert.match(problemsOf({ servers: 3 }, { runtime: "docker" }).join(), /cannot run in containers yet/);
  });

  it("needs room for one copy of each stream on each server", () => {
    const sites = [{ name: "oslo" }];
    const streams = [{ name: "A", subjects: ["a"], maxBytes: "1MiB", collect: { maxBytes: "1GiB" } }];
    assert.deepEqual(problemsOf({ servers: 3, maxFile: "1100MiB" }, { sites, streams }), []);
    assert.match(problemsOf({ servers: 3, maxFile: "900MiB" }, { sites, streams }).join(), /hub\.maxFile: 900 MiB/);
  });
});

describe("the configuration of a server of a hub of several", () => {
  const plan = (hub: RawSettings["hub"]) => {
    const wanted = settings(hub);
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
});

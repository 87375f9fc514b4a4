import assert from "node:assert/strict";
import { declareHub } from "../../../configs/plan/declare";
import { planHub } from "../../../configs/plan/plan-hub";
import { planFleet } from "../../../configs/plan/plan-fleet";
import { planWords } from "../../../configs/plan/plan-words";
import {
  dialedHub,
  hubServers,
  isBoundToMachine,
  linkNames,
  linkSecurity,
  onOneMachine,
  routesLeave,
  routesOf,
  serverCount,
} from "../../../configs/placement";
import { RawSettings } from "../../../configs/settings";
import { readSettings } from "../../../configs/reading/read-settings";
import { topologyOf } from "../../../views/topology/topology";
import { placeWords } from "../../../views/topology/mermaid";
import { newKey, newSeed, settingsOf } from "../../support/rules/settings";
import { on, spread } from "./hub-rules.cases";

const STREAMS = [{ name: "EVENTS", subjects: ["events.>"] }];
const settings = (hub: RawSettings["hub"], more: RawSettings = {}) =>
  settingsOf({ hub, links: { tls: "generated" }, streams: STREAMS, ...more });

describe("a hub whose servers are listed", () => {
  it("has a server for each entry, with its own machine and the hub's other settings", () => {
    const { hub } = settings({ ...spread("a", "b", "c"), maxFile: "2GiB" });
    assert.equal(serverCount(hub), 3);
    assert.deepEqual(
      hubServers(hub).map(({ name, engine, address, host, maxFile }) => [name, engine, address, host, maxFile]),
      ["a", "b", "c"].map((machine, i) => [
        `hub-${i + 1}`,
        `ssh://edge@${machine}.example`,
        `${machine}.example`,
        "192.0.2.10",
        2 ** 31,
      ]),
    );
  });

  it("has the same ports on every machine, and the next ones only on one that has two servers", () => {
    const ports = (...machines: string[]) =>
      hubServers(settings(spread(...machines)).hub).map(({ ports: { client, leafnodes } }) => [client, leafnodes]);
    assert.deepEqual(ports("a", "b", "c"), [
      [4222, 7422],
      [4222, 7422],
      [4222, 7422],
    ]);
    assert.deepEqual(ports("a", "b", "a"), [
      [4222, 7422],
      [4222, 7422],
      [4223, 7423],
    ]);
  });

  it("takes the ports of the hub for each machine, and those of an entry as they are", () => {
    const [first, second, third] = spread("a", "b", "c").servers;
    const servers = [first!, { ...second!, ports: { client: 5000 } }, third!];
    const all = hubServers(settings({ runtime: "docker", servers, ports: { client: 4300 } }).hub);
    assert.deepEqual(
      all.map(({ ports }) => ports.client),
      [4300, 5000, 4300],
    );
  });

  it("has three copies of a stream where nothing else is said", () => {
    assert.equal(settings(spread("a", "b", "c")).streams[0]?.collect.replicas, 3);
  });

  it("does not give an engine at ssh:// the certificates of the hub's", () => {
    const servers = [
      on("a", { engine: "tcp://a.example:2376" }),
      on("b"),
      on("c", { engine: "tcp://c.example:2376", engineCertificates: "of-c" }),
    ];
    const all = hubServers(settings({ runtime: "docker", engineCertificates: "certificates", servers }).hub);
    assert.deepEqual(
      all.map(({ engineCertificates }) => engineCertificates),
      ["certificates", undefined, "of-c"],
    );
  });

  it("is of processes of this machine like a number of them, when no entry says more", () => {
    const [listed, number] = [settings({ servers: [{}, {}, {}] }), settings({ servers: 3 })];
    assert.deepEqual(hubServers(listed.hub), hubServers(number.hub));
    assert.equal(routesLeave(listed), false);
    assert.deepEqual(onOneMachine(listed), onOneMachine(number));
  });

  it("is told how many of its servers one machine takes along", () => {
    const words = (...machines: string[]) => onOneMachine(settings(spread(...machines)));
    assert.deepEqual(words("a", "b", "c"), []);
    assert.deepEqual(words("a", "b", "a"), [
      "hub: hub-1, hub-3 are on one machine: the hub survives a server that fails, and not that machine",
    ]);
    assert.deepEqual(words("a", "b", "a", "c", "d"), [
      "hub: hub-1, hub-3 are on one machine: with that machine it loses 2 of its 5 servers",
    ]);
  });

  it("is the business of this machine only while a server is here", () => {
    assert.equal(isBoundToMachine(settings(spread("a", "b", "c"))), false);
    const servers = [{ host: "192.0.2.1" }, on("b"), on("c")];
    assert.equal(isBoundToMachine(settings({ runtime: "docker", servers })), true);
  });

  it("says which entry is wrong", () => {
    const said = (servers: unknown) =>
      readSettings({ hub: { servers } }).problems.map(({ where, problem }) => `${where}: ${problem}`)[0];
    assert.equal(said([{}, {}]), "hub.servers: a list of 2 is too small");
    assert.equal(said([{}, { engin: "ssh://b" }, {}]), "hub.servers[1]: 'engin' is not a setting");
    assert.match(said([{}, {}, { engine: "b.example" }]) ?? "", /^hub\.servers\[2\]\.engine: 'b\.example' is not the/);
    assert.equal(said(7), "hub.servers: 7 is too large");
    assert.match(said("three") ?? "", /^hub\.servers: 'three' is not allowed/);
  });
});

describe("the ways between machines", () => {
  const site = { name: "oslo", runtime: "docker" as const, engine: "ssh://edge@b.example", address: "b.example" };
  const all = settings(spread("a", "b", "c"), { sites: [{ ...site, host: "192.0.2.20", ports: { client: 5222 } }] });
  const [oslo] = all.sites;

  it("are routes at the address and the published port of each server", () => {
    assert.deepEqual(
      hubServers(all.hub).map((server) => routesOf(all, server)),
      ["a", "b", "c"].map((machine) => ({ listen: "0.0.0.0", host: `${machine}.example`, port: 6222 })),
    );
    const two = settings(spread("a", "b", "a"));
    assert.deepEqual(
      hubServers(two.hub).map((server) => routesOf(two, server).port),
      [6222, 6222, 6223],
    );
  });

  it("are links to each server: by name on the site's own engine, else at its address", () => {
    assert.deepEqual(
      hubServers(all.hub).map((server) => dialedHub(all, oslo!, server)),
      [{ host: "a.example" }, { host: "hub-2", port: 7422 }, { host: "c.example" }],
    );
    assert.deepEqual(linkNames(all), ["a.example", "c.example", "hub", "hub-2"]);
  });

  it("are as safe as the one that leaves its machine", () => {
    const plain = { ...all, links: { ...all.links, tls: "off" as const } };
    assert.equal(linkSecurity(plain, oslo!), "plain");
    assert.equal(linkSecurity(all, oslo!), "tls");
  });

  it("have TLS with certificates of both ends, and can change while the server runs", () => {
    const keys = { system: newKey(), operator: newKey(), reader: newKey() };
    const [server] = hubServers(all.hub);
    const member = { server: server!, routes: ["b.example:6222", "c.example:6222"] };
    const declaration = declareHub(all, keys, { client: 1, leafnodes: 2, monitor: 3, cluster: 6222 }, { member });
    assert.deepEqual(declaration.restart.cluster, { name: "hub", host: "0.0.0.0", tls: true });
    const key = newSeed();
    const { cluster } = planHub(declaration, [], { store: "/s" }, undefined, key);
    const file = "routes.pem";
    assert.deepEqual(cluster, {
      name: "hub",
      listen: "0.0.0.0:6222",
      no_advertise: true,
      authorization: { user: "routes", password: key },
      tls: { ca_file: "routes-ca.pem", cert_file: file, key_file: file, verify: true },
      advertise: "a.example:6222",
      routes: ["b", "c"].map((machine) => `nats://routes:${key}@${machine}.example:6222`),
    });
  });

  it("are in the plan and in the topology", () => {
    const context = { stack: "prod", passphrase: "set" as const, keysAreHidden: false, notes: [] };
    const words = planWords(planFleet(all, context));
    assert.match(
      words,
      /hub-3 +container on ssh:\/\/edge@c\.example: clients c\.example:4222, leaf links c\.example:7422, routes c\.example:6222/,
    );
    assert.match(words, /routes +TLS, by certificates of the stack's own CA/);
    const { hub } = topologyOf(all);
    assert.deepEqual(
      hub.machines?.map(({ name, engine }) => [name, engine]),
      ["a", "b", "c"].map((machine, i) => [`hub-${i + 1}`, `ssh://edge@${machine}.example`]),
    );
    assert.equal(placeWords(hub), "containers on a.example, b.example, c.example");
  });
});

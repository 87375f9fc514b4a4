import { on, spread } from "./hub-rules.cases";
import { Cases, sites } from "../../support/rules/rule-cases";

const DOCKER = { runtime: "docker" } as const;
const REMOTE = { engine: "ssh://edge@oslo.example", address: "oslo.example", host: "0.0.0.0" };
const ACCEPTED = { links: { plaintext: "accepted" } } as const;

/** The rules about where servers run, each with what it refuses and what it lets pass. */
export const PLACEMENT_CASES: Cases = {
  portsDiffer: {
    refuses: [
      {
        what: "one port for two listeners of the hub",
        raw: { hub: { ports: { client: 4222, leafnodes: 4222 } } },
        says: ["hub.ports.leafnodes: port 4222 is taken by hub.ports.client"],
      },
      {
        what: "one port for the watcher and the hub",
        raw: { hub: { ports: { monitor: 8222 } }, watch: { deploy: true, port: 8222 } },
        says: ["watch.port: port 8222 is taken by hub.ports.monitor"],
      },
      {
        what: "the default port of a watcher in a container on another machine, for a server there too",
        raw: {
          ...DOCKER,
          hub: { ...REMOTE, ports: { client: 9222 } },
          links: { tls: "generated" },
          watch: { deploy: true },
        },
        says: ["watch.port: port 9222 is taken by hub.ports.client"],
      },
      {
        what: "one port for the hub and a site",
        raw: { hub: { ports: { monitor: 8222 } }, sites: [{ name: "oslo", ports: { client: 8222 } }] },
        says: ["sites[0].ports.client: port 8222 is taken by hub.ports.monitor"],
      },
      {
        what: "two sites on one engine of another machine that leave their ports out, which are 4222 there",
        raw: {
          ...DOCKER,
          sites: [
            { name: "oslo", ...REMOTE },
            { name: "bergen", ...REMOTE },
          ],
        },
        says: ["sites[1].ports.client: port 4222 is taken by sites[0].ports.client"],
      },
      {
        what: "one machine under two names of its engine",
        raw: {
          ...DOCKER,
          sites: [
            { name: "oslo", ...REMOTE },
            { name: "bergen", ...REMOTE, engine: "ssh://oslo.example" },
          ],
        },
        says: ["sites[1].ports.client: port 4222 is taken by sites[0].ports.client"],
      },
      {
        what: "the monitoring of a container on its machine's network, and a process",
        raw: {
          sites: [
            { name: "oslo", runtime: "docker", ports: { monitor: 8222 } },
            { name: "bergen", ports: { monitor: 8222 } },
          ],
        },
        says: ["sites[1].ports.monitor: port 8222 is taken by sites[0].ports.monitor"],
      },
    ],
    passes: [
      {
        what: "ports that differ, and ports that are left out",
        raw: {
          hub: { ports: { client: 4222 } },
          sites: [{ name: "oslo", ports: { client: 4223 } }, { name: "bergen" }],
        },
      },
      {
        what: "one port on two machines",
        raw: {
          ...DOCKER,
          hub: { ports: { client: 4222 } },
          sites: [
            { name: "oslo", ...REMOTE },
            { name: "bergen", ...REMOTE, engine: "ssh://edge@bergen.example" },
          ],
        },
      },
      {
        what: "a monitoring port that no container publishes",
        raw: { ...DOCKER, hub: { ports: { client: 8222 } }, sites: [{ name: "oslo", ports: { monitor: 8222 } }] },
      },
    ],
  },

  watcherHasItsPlace: {
    refuses: [
      {
        what: "a watcher as a process of this machine, while the hub is on another one",
        raw: { ...DOCKER, hub: REMOTE, links: { tls: "generated" }, watch: { deploy: true, runtime: "process" } },
        says: ["watch.runtime: the hub runs on another machine, and a watcher that is a process runs on this one"],
      },
      {
        what: "a watcher in a container beside a hub that is a process",
        raw: { sites: [{ name: "oslo" }], watch: { deploy: true, runtime: "docker" } },
        says: ["watch.runtime: the hub is a process, and a container does not reach where it listens"],
      },
      {
        what: "a site with the name of the watcher",
        raw: { sites: [{ name: "watcher" }], watch: { deploy: true } },
        says: ["sites[0].name: 'watcher' is the name of the watcher"],
      },
    ],
    passes: [
      { what: "a watcher beside a hub that is a process", raw: { sites: [{ name: "oslo" }], watch: { deploy: true } } },
      {
        what: "a watcher beside a hub on another machine, in a container",
        raw: { ...DOCKER, hub: REMOTE, links: { tls: "generated" }, watch: { deploy: true } },
      },
      {
        what: "a watcher in a container beside a hub in Docker on this machine",
        raw: { ...DOCKER, watch: { deploy: true, runtime: "docker" } },
      },
      { what: "a watcher beside a hub in Docker on this machine", raw: { ...DOCKER, watch: { deploy: true } } },
      { what: "a watcher beside a hub of three", raw: { hub: { servers: 3 }, watch: { deploy: true } } },
      { what: "a site of that name without a watcher", raw: { sites: [{ name: "watcher" }] } },
    ],
  },

  enginesFit: {
    refuses: [
      {
        what: "an engine for a process",
        raw: { sites: [{ name: "oslo", engine: "ssh://edge@oslo.example" }] },
        says: ["sites[0].engine: names a Docker engine for a server that runs as a process"],
      },
      {
        what: "an engine that anybody on its network may use",
        raw: { ...DOCKER, hub: { engine: "tcp://hub.example:2375" } },
        says: ["hub.engine: an engine at tcp:// without TLS makes everyone on its network root on that machine"],
      },
      {
        what: "certificates for an engine that has no use for them",
        raw: { ...DOCKER, sites: [{ name: "oslo", ...REMOTE, engineCertificates: "certs" }] },
        says: ["sites[0].engineCertificates: are for an engine at tcp:// only"],
      },
    ],
    passes: [
      {
        what: "engines at ssh://, at tcp:// with TLS, at a socket, and this machine's",
        raw: {
          ...DOCKER,
          sites: [
            { name: "a", engine: "ssh://edge@a.example" },
            { name: "b", engine: "tcp://b.example:2376", engineCertificates: "certs/b" },
            { name: "c", engine: "unix:///run/other.sock" },
            { name: "d" },
          ],
        },
      },
      {
        what: "an engine at tcp:// on loopback, behind a tunnel",
        raw: { ...DOCKER, hub: { engine: "tcp://127.0.0.1:2375" } },
      },
    ],
  },

  serversAreReached: {
    refuses: [
      {
        what: "a server of another machine at this machine's loopback",
        raw: { ...DOCKER, sites: [{ name: "oslo", engine: "ssh://edge@oslo.example" }] },
        says: ["sites[0].address: 127.0.0.1 is this machine, but the server runs on another one"],
      },
      {
        what: "a server whose ports only its own machine reaches",
        raw: { ...DOCKER, sites: [{ name: "oslo", engine: "ssh://edge@oslo.example", address: "oslo.example" }] },
        says: ["sites[0].host: its ports are published on 127.0.0.1 of its machine, which no other machine can reach"],
      },
      {
        what: "one of the hub's servers on another machine, without its address",
        raw: { hub: { runtime: "docker", servers: [on("a"), { engine: "ssh://edge@b.example" }, on("c")] } },
        says: ["hub.servers[1].address: 127.0.0.1 is this machine, but the server runs on another one"],
      },
    ],
    passes: [
      { what: "a server of another machine with an address", raw: { ...DOCKER, sites: [{ name: "oslo", ...REMOTE }] } },
      {
        what: "a second engine of this machine",
        raw: { ...DOCKER, sites: [{ name: "oslo", engine: "unix:///run/other.sock" }] },
      },
    ],
  },

  sitesReachTheHub: {
    refuses: [
      {
        what: "a container elsewhere that would dial its own loopback",
        raw: { ...DOCKER, sites: [{ name: "oslo", ...REMOTE }] },
        says: ["sites[0].hubAddress: 127.0.0.1 is the site's own container"],
      },
      {
        what: "a process that would look for a hub of another machine here",
        raw: { hub: { runtime: "docker", engine: "ssh://hub.example" }, sites: sites("oslo") },
        says: ["sites[0].hubAddress: 127.0.0.1 is not where the hub is"],
      },
      {
        what: "an address that only says where to listen",
        raw: { hub: { host: "0.0.0.0" }, sites: sites("oslo") },
        says: ["sites[0].hubAddress: 0.0.0.0 is not an address to dial"],
      },
      {
        what: "one address for servers on three machines",
        raw: { hub: spread("a", "b", "c"), sites: [{ name: "oslo", hubAddress: "hub.example" }] },
        says: ["sites[0].hubAddress: is one address, but the servers of the hub are on machines of their own"],
      },
    ],
    passes: [
      { what: "containers of one engine, which find each other by name", raw: { ...DOCKER, sites: sites("oslo") } },
      {
        what: "a container beside a hub that is a process",
        raw: { sites: [{ name: "oslo", runtime: "docker" }] },
      },
      { what: "a process beside a hub in a container", raw: { hub: { runtime: "docker" }, sites: sites("oslo") } },
      {
        what: "a container elsewhere that is told where the hub is",
        raw: { ...DOCKER, sites: [{ name: "oslo", ...REMOTE, hubAddress: "hub.example:7422" }] },
      },
    ],
  },

  plainTextStaysLocal: {
    refuses: [
      {
        what: "a link to another machine",
        raw: { ...DOCKER, hub: { address: "hub.example" }, sites: [{ name: "oslo", ...REMOTE }] },
        says: ["sites[0]: its leaf link to hub.example leaves its machine in plain text, messages included"],
      },
    ],
    passes: [
      { what: "links on loopback", raw: { sites: sites("oslo") } },
      {
        what: "links to another address of the same machine",
        raw: { hub: { host: "10.0.0.7" }, sites: sites("oslo") },
      },
      { what: "links on the stack's own network", raw: { ...DOCKER, sites: sites("oslo") } },
      {
        what: "a link to another machine with TLS",
        raw: {
          ...DOCKER,
          links: { tls: "generated" },
          hub: { address: "hub.example" },
          sites: [{ name: "oslo", ...REMOTE }],
        },
      },
      {
        what: "what is written to be accepted",
        raw: { ...DOCKER, ...ACCEPTED, hub: { address: "hub.example" }, sites: [{ name: "oslo", ...REMOTE }] },
      },
    ],
  },

  certificatesFit: {
    refuses: [
      {
        what: "given certificates that are nowhere",
        raw: { links: { tls: "given" } },
        says: ["links.certificates: is missing"],
      },
      {
        what: "certificates that nobody uses",
        raw: { links: { tls: "generated", certificates: "certs" } },
        says: ["links.certificates: has no use"],
      },
      {
        what: "certificates that would be renewed at every update, or never end",
        raw: { links: { tls: "generated", validity: "4000d", renewBefore: "4000d" } },
        says: ["links.validity: 4000 days is out of range", "links.renewBefore: 4000 days is out of range"],
      },
    ],
    passes: [
      { what: "generated ones", raw: { links: { tls: "generated", validity: "1d", renewBefore: "12h" } } },
      { what: "given ones in a folder", raw: { links: { tls: "given", certificates: "certs" } } },
    ],
  },

  emptyPassphraseStaysLocal: {
    refuses: [
      {
        what: "an empty passphrase for a hub that others can reach",
        raw: { hub: { host: "10.0.0.7" } },
        emptyPassphrase: true,
        says: [
          "hub.host: 10.0.0.7 is not a loopback address, but the stack's secrets are encrypted with an empty passphrase, which protects nothing",
        ],
      },
      {
        what: "an empty passphrase for a site of another machine",
        raw: { ...DOCKER, sites: [{ name: "oslo", ...REMOTE }] },
        emptyPassphrase: true,
        says: [
          "sites[0].engine: its engine is on another machine, but the stack's secrets are encrypted with an empty passphrase, which protects nothing",
        ],
      },
    ],
    passes: [
      { what: "an empty passphrase for a hub on this machine only", raw: {}, emptyPassphrase: true },
      { what: "a hub that others can reach, with a passphrase", raw: { hub: { host: "10.0.0.7" } } },
    ],
  },

  imageIsNewEnough: {
    refuses: [
      "nats:2.12-alpine",
      "nats:2.14.9",
      "nats:1.15.2",
      "registry.example:5000/library/nats:2.9.25@sha256:0a",
    ].map((image) => ({
      what: `an image of an older server: ${image}`,
      raw: { docker: { image } },
      says: [`docker.image: ${image} holds an older nats-server than 2.15.0`],
    })),
    passes: [
      ...["nats:2.15.0", "nats:2.15-alpine", "nats:2.100.0", "nats:3.0", "synadia/nats-server:v2.15.2"].map(
        (image) => ({
          what: `an image that is new enough: ${image}`,
          raw: { docker: { image } },
        }),
      ),
      ...["nats", "nats:2", "nats:alpine", "nats@sha256:0a", "edge.example:2.5/nats:next", "edge/our-nats:1.4.0"].map(
        (image) => ({
          what: `an image whose tag names no version of nats-server: ${image}`,
          raw: { docker: { image } },
        }),
      ),
    ],
  },

  containersHaveRoom: {
    refuses: [
      {
        what: "containers that are too small, or have no time to stop",
        raw: { docker: { memory: "32MiB", stopTimeout: "10ms" } },
        says: ["docker.memory: 32 MiB is out of range", "docker.stopTimeout: 10 ms is out of range"],
      },
    ],
    passes: [{ what: "small ones", raw: { docker: { memory: "64MiB", stopTimeout: "1s" } } }],
  },
};

import { KEY_ROLES } from "./keys";
import { z } from "zod";
import { linkSettings } from "./link-tls";
import { about, address, dialedAddress, duration, engine, flag, port, siteName, size } from "./text/setting";
import { docker, watch } from "./sections/places";
import { streamSettings } from "./stream-settings";

/**
 * The settings of one stack: what `Pulumi.<stack>.yaml` may hold, and nothing else. What is said of each here is what
 * people read: `make docs` writes docs/settings.md, configs/schema/ and the texts in Pulumi.yaml from it.
 */

const syncInterval = z.union([z.literal("always"), duration()]);
const runtime = z.enum(["process", "docker"]);

/** What every server has of where it runs. */
const placed = {
  runtime: about("where this server runs, `process` or `docker`", runtime.optional(), {
    unset: "`runtime` of the stack",
    change: "refused for a server that is deployed",
  }),
  engine: about(
    "the Docker engine that runs it: `ssh://user@host` (with this machine's `ssh`), `tcp://host:2376` with TLS, `unix:///path`",
    engine.optional(),
    { unset: "the engine of this machine, or of `DOCKER_HOST`", change: "refused" },
  ),
  engineCertificates: about(
    "folder with `ca.pem`, `cert.pem` and `key.pem` for an engine at `tcp://`",
    z.string().min(1).optional(),
  ),
};

const logs = about(
  "rotation of the server's log",
  z
    .strictObject({
      sizeLimit: about("size at which the log is rotated", size().prefault("16MiB"), { change: "restart" }),
      keep: about("rotated files kept, 1 to 100", z.int().min(1).max(100).default(3), { change: "restart" }),
    })
    .prefault({}),
);

const ALLOCATED = "allocated once, then kept; with an `engine` on another machine";

/** Servers on machines of their own have the same ports on each. */
const hubPorts = z
  .strictObject({
    client: about("port of clients", port, { unset: `${ALLOCATED} 4222`, change: "restart" }),
    leafnodes: about("port that sites dial", port, { unset: `${ALLOCATED} 7422`, change: "restart" }),
    monitor: about("port of the monitoring pages", port, { unset: `${ALLOCATED} none`, change: "restart" }),
    cluster: about(
      "port at which the servers of a hub of several find each other. In containers of one engine it is 6222, and not published; of servers on several engines it is published",
      port,
      { unset: "allocated once, then kept; with several engines 6222", change: "restart" },
    ),
  })
  .partial();

/** One server of a hub of several; what is missing is the hub's. */
const hubServer = z
  .strictObject({
    ...placed,
    host: about("address that this server listens on (in Docker: on which its ports are published)", z.string().min(1)),
    address: about("address at which this program, the sites and the other servers reach it", address),
    ports: about("ports of this server", hubPorts),
  })
  .partial();

const hub = z
  .strictObject({
    name: about("the hub's server name and JetStream domain", siteName.default("hub"), { change: "refused" }),
    servers: about(
      "how many servers the hub has: 1, 3 or 5. Several form a cluster named as the hub, of the servers `hub-1`, `hub-2`, `hub-3`; streams have copies on them, so collection survives a server that fails. A number: processes of one machine, or containers of one engine. A list with an entry for each: on machines of their own. See [a hub of three](cluster.md)",
      z.union([z.int().min(1).max(5), z.array(hubServer).min(3).max(5)]).optional(),
      { unset: "`1`", change: "`make up` moves what the hub holds to other servers" },
    ),
    ...placed,
    host: about(
      "address that the hub listens on (in Docker: on which its ports are published). Anything but loopback requires a passphrase that is not empty",
      z.string().min(1).default("127.0.0.1"),
      { change: "restart" },
    ),
    address: about("address at which this program and the sites reach the hub", address.optional(), {
      unset: "`hub.host`",
    }),
    ports: about(
      "the hub's ports, 1 to 65535. Of several servers these are the first one's, and each further server on its machine has the next port",
      hubPorts.prefault({}),
    ),
    maxFile: about(
      "most that the hub stores in files, on each of its servers. It must hold what may be collected from all sites, including removed ones whose data is kept",
      size().prefault("10GiB"),
      { change: "more: reload; less: restart" },
    ),
    maxMemory: about("most that the hub keeps in memory", size().prefault("256MiB"), {
      change: "more: reload; less: restart",
    }),
    maxPayload: about("largest message, 1 KiB to 8 MiB; at least that of every site", size().prefault("1MiB"), {
      change: "reload",
    }),
    syncInterval: about(
      "`always`: stored messages are on disk before they are acknowledged (about a third of the sequential publish rate). A duration: a power cut loses at most what was stored within it",
      syncInterval.default("always"),
      { change: "restart" },
    ),
    logs,
  })
  .prefault({});

/** The settings of one site. */
export const siteSettings = z.strictObject({
  name: about(
    "1 to 31 lower-case letters, digits, `-`. It is the server name and the JetStream domain; in capitals, and with `_` for `-`, it is the account at both ends",
    siteName,
  ),
  expect: about(
    "`online`: deployed and proven. `offline`: the hub's side is prepared; the site's own side is left alone and reported as pending, not as an error",
    z.enum(["online", "offline"]).default("online"),
  ),
  ...placed,
  host: about(
    "address that the site listens on (in Docker: on which its client port is published). Anything but loopback requires a passphrase that is not empty",
    z.string().min(1).default("127.0.0.1"),
    { change: "restart" },
  ),
  address: about("address at which this program reaches the site", address.optional(), { unset: "`host`" }),
  reach: about(
    "how this program reaches the site: `direct`, at `address`; `hub`, through the hub and the leaf link, for a site whose ports cannot be reached from outside. Its Docker engine must be reachable in both cases",
    z.enum(["direct", "hub"]).default("direct"),
    { change: "reload of hub and site" },
  ),
  hubAddress: about(
    "where this site dials the hub, `host` or `host:port`, if that is not `hub.address`",
    dialedAddress.optional(),
    { unset: "`hub.address`; containers of one engine find each other by name", change: "reload" },
  ),
  ports: about(
    "the site's ports, 1 to 65535",
    z
      .strictObject({
        client: about("port of clients", port, { unset: `${ALLOCATED} 4222`, change: "restart" }),
        monitor: about("port of the monitoring pages", port, { unset: `${ALLOCATED} none`, change: "restart" }),
      })
      .partial()
      .prefault({}),
  ),
  quota: about(
    "most that the site stores in files. It must hold the site's streams and 16 MiB for probes",
    size().prefault("2GiB"),
    { change: "more: reload; less: restart" },
  ),
  maxPayload: about("largest message, 1 KiB to 8 MiB, at most the hub's", size().prefault("1MiB"), {
    change: "reload",
  }),
  rotation: about(
    "add 1 to give the site a new link key; the old one stays valid until data flows with the new one, so no message is lost. 0 to 1 000 000",
    z.int().min(0).max(1_000_000).default(0),
    { change: "reload" },
  ),
  wave: about(
    "sites with a lower number are updated and proven before this one is touched; 1 to 1000. Sites without a number come last. See [waves](deploying.md#waves)",
    z.int().min(1).max(1000).optional(),
    { unset: "after all waves" },
  ),
  syncInterval: about(
    "see `hub.syncInterval`; if a site loses acknowledged messages, the hub silently skips later ones",
    syncInterval.default("always"),
    { change: "restart" },
  ),
  reconnect: about(
    "wait between attempts to reach the hub, 50 ms to 1 min. Above about 200 ms sourcing may miss the hub's first attempt after its restart, and then waits 40 s",
    duration().prefault("100ms"),
    { change: "restart" },
  ),
  logs,
});

const probes = z
  .strictObject({
    count: about("probes that each site sends through each stream, 1 to 1000", z.int().min(1).max(1000).default(3)),
    burst: about(
      "bytes sent after the probes over the link of a site whose own declaration changed, to exercise flow control (if flow control is blocked, sourcing stalls after about 2.1 MB); `0B` for none, at most 8 MB. `preview` shows them for each link",
      size().prefault("2500kB"),
    ),
    burstMessage: about("size of each message of the burst, at most the site's `maxPayload`", size().prefault("100kB")),
    timeout: about("time in which the probes of one stream must arrive, 1 s to 10 min", duration().prefault("30s")),
  })
  .prefault({});

const keyRole = (kinds: readonly string[]) =>
  z.partialRecord(z.enum(kinds as [string, ...string[]]), z.string().min(1));

export const fleetSettings = z.strictObject({
  runtime: about(
    "where servers run: `process`, a nats-server process on this machine for each; `docker`, a container for each. `hub.runtime` and a site's `runtime` override it",
    runtime.default("process"),
    { change: "refused for a server that is deployed" },
  ),
  dataFolder: about(
    "folder of configurations, logs, message stores and process records, relative to the project; each stack has its own below it",
    z.string().min(1).default(".fleet"),
    { change: "refused while servers run" },
  ),
  natsServer: about("path of the nats-server to run (2.15.0 or newer)", z.string().min(1).optional(), {
    unset: "the first on `PATH` that is new enough, otherwise the one that `make install` installed",
    change: "restart",
  }),
  docker: about("settings of all containers: image, memory, cpus, stopTimeout", docker),
  hub: about("the hub: its name, host, ports and limits", hub),
  links: about("the leaf links: whether they use TLS, and whose certificates", linkSettings),
  sites: about(
    "the sites, at most 1000: each with a name, and what differs from the defaults",
    z.array(siteSettings).max(1000).default([]),
  ),
  streams: about(
    "the streams that every site keeps, at most 32, and how the hub collects each",
    z.array(streamSettings).max(32).default([]),
  ),
  smokeTest: about(
    "`onChange`: the smoke test runs when anything that it proves has changed, including a repaired server. `always`: at every `up` (so no preview is ever empty)",
    z.enum(["onChange", "always"]).default("onChange"),
  ),
  rehearsal: about(
    "`onChange`: a change is tried on loopback before anything is touched, and refused if that has a finding; if the change cannot be tried, a line says why. `required`: a change that cannot be tried is refused too. `off`: nothing is tried. See [below](#the-rehearsal)",
    z.enum(["onChange", "required", "off"]).default("onChange"),
  ),
  probes: about("the smoke test's messages: how many, how large, how long they may take", probes),
  watch: about(
    "a watcher beside the hub: it restarts a source whose link is back and which would otherwise wait for 30 to 80 s. See [watch](watch.md)",
    watch,
    { unset: "no watcher", change: "reload of the hub" },
  ),
  protect: about(
    "what holds data or keys is protected: only `make down`, and a removal by `make up`, can delete it; and `up`, `down`, `upgrade`, `forget` and `repair` ask for `CONFIRM=<stack>`. See [environments](environments.md#protect)",
    flag().default(false),
    { unset: "`false`" },
  ),
  keys: about(
    "seeds to use instead of generated ones, each a secret: `keys.<site>.link`, `.application`, `.operator`, `.reader`, and `keys.<hub>.system`, `.operator`, `.reader`",
    z.record(z.string(), keyRole(KEY_ROLES)).default({}),
  ),
});

/** What the Pulumi CLI can keep a state at. */
export const STATE_URL = /^(s3|azblob|gs|file|https):\/\/\S+$/;
export const NO_STATE_URL =
  "is not the URL of a state backend: write it like s3://bucket, azblob://container, gs://bucket or file:///folder";

/** The stack config: the fleet's settings, and what leads to them. */
export const stackConfig = fleetSettings.extend({
  sitesFile: about(
    "a table of the sites instead of `sites`: a file in CSV or YAML, its path from the folder of `Pulumi.yaml`. See [the table of sites](environments.md#the-table-of-sites)",
    z.string().min(1).optional(),
  ),
  state: about(
    "URL of the backend that keeps this stack's state: `s3://…`, `azblob://…`, `gs://…`, `file:///…`, `https://api.pulumi.com`. See [environments](environments.md#where-the-state-is-kept)",
    z.string().regex(STATE_URL, NO_STATE_URL).optional(),
    { unset: "`backend.url` of `Pulumi.yaml`" },
  ),
});

export type Settings = z.output<typeof fleetSettings>;
export type SiteSettings = Settings["sites"][number];
export type StreamSettings = Settings["streams"][number];
export type HubSettings = Settings["hub"];
/** One of the servers that the hub's settings list. */
export type ListedServer = Exclude<NonNullable<HubSettings["servers"]>, number>[number];
export type ProbeSettings = Settings["probes"];
export type RawSettings = z.input<typeof stackConfig>;

/** Every top-level key of the stack config. */
export const SETTING_NAMES = Object.keys(stackConfig.shape);

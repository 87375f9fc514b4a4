import { z } from "zod";
import { addressParts } from "./text/address";
import { parseDuration, parseSize } from "./text/units";

/**
 * The settings of one stack: what `Pulumi.<stack>.yaml` may hold, and nothing else.
 * A size is text such as "256MiB" and becomes bytes; a duration is text such as "30s" and becomes milliseconds.
 */

const text = (what: string, example: string, parse: (value: string) => number | undefined) =>
  z.string().transform((value, context) => {
    const parsed = parse(value);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: "custom", message: `is not a ${what}: write it like ${example}` });
    return z.NEVER;
  });
const size = () => text("size", '"256MiB"', parseSize);
const duration = () => text("duration", '"30s"', parseDuration);
const port = z.int().min(1).max(65535);

const siteName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, "must be 1 to 31 lower-case letters, digits or '-', starting with a letter");
const streamName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1 to 64 letters, digits, '_' or '-' (JetStream allows no dot or blank)");
const syncInterval = z.union([z.literal("always"), duration()]);

const runtime = z.enum(["process", "docker"]);
const engine = z
  .string()
  .refine(
    (value) => /^(unix:\/\/\/.|tcp:\/\/.|ssh:\/\/.)/.test(value) && URL.canParse(value),
    "is no address of a Docker engine: write it like ssh://user@host, tcp://host:2376 or unix:///path",
  );
const address = z
  .string()
  .refine(
    (value) => addressParts(value)?.port === undefined && addressParts(value) !== undefined,
    "is no host name or IP address",
  );
const dialedAddress = z
  .string()
  .refine((value) => addressParts(value) !== undefined, 'is no address: write "host", "host:port" or "[address]:port"');

/** What every server has of where it runs. */
const placed = {
  /** Where this server runs. @default `runtime` of the stack */
  runtime: runtime.optional(),
  /** The Docker engine that runs it; without it the one of this machine (or of DOCKER_HOST). A change is refused. */
  engine: engine.optional(),
  /** Folder with ca.pem, cert.pem and key.pem, for an engine at `tcp://`. */
  engineCertificates: z.string().min(1).optional(),
};

const logs = z
  .strictObject({
    /** Size at which the log file is rotated. @default "16MiB" */
    sizeLimit: size().prefault("16MiB"),
    /** Rotated files kept, 1 to 100. @default 3 */
    keep: z.int().min(1).max(100).default(3),
  })
  .prefault({});

const hub = z
  .strictObject({
    /** The hub's server name and JetStream domain. A change is refused. @default "hub" */
    name: siteName.default("hub"),
    ...placed,
    /** Address the hub listens on (in Docker: on which its ports are published). A change restarts the hub. @default "127.0.0.1" */
    host: z.string().min(1).default("127.0.0.1"),
    /** Address at which this program and the sites reach the hub. @default `host` */
    address: address.optional(),
    /** Ports; one left out is allocated once and kept, with an `engine` of another machine 4222 and 7422. A change restarts the hub. */
    ports: z.strictObject({ client: port, leafnodes: port, monitor: port }).partial().prefault({}),
    /** Most that the hub's JetStream stores in files. More reloads the hub, less restarts it. @default "10GiB" */
    maxFile: size().prefault("10GiB"),
    /** Most that the hub's JetStream keeps in memory. More reloads the hub, less restarts it. @default "256MiB" */
    maxMemory: size().prefault("256MiB"),
    /** Largest message, 1 KiB to 8 MiB; at least that of every site. Reloads the hub. @default "1MiB" */
    maxPayload: size().prefault("1MiB"),
    /**
     * When stored messages are flushed to disk: "always" before each acknowledgement (about a third of the
     * sequential publish rate), or a duration within which a power cut loses what was acknowledged.
     * A change restarts the hub. @default "always"
     */
    syncInterval: syncInterval.default("always"),
    /** Rotation of the hub's log. A change restarts the hub. */
    logs,
  })
  .prefault({});

/** The settings of one site. */
export const siteSettings = z.strictObject({
  /** The site's name: its server name and JetStream domain; in capitals, its account. */
  name: siteName,
  /**
   * "online": the site is deployed and proven. "offline": the hub's side is prepared and the site's own side is left
   * alone and reported as pending. @default "online"
   */
  expect: z.enum(["online", "offline"]).default("online"),
  ...placed,
  /** Address the site listens on (in Docker: on which its client port is published). A change restarts the site. @default "127.0.0.1" */
  host: z.string().min(1).default("127.0.0.1"),
  /** Address at which this program reaches the site. @default `host` */
  address: address.optional(),
  /**
   * How this program reaches the site's server: "direct", at `address`; "hub", through the hub and the leaf link, for a
   * site whose ports nobody outside reaches. Reloads hub and site. @default "direct"
   */
  reach: z.enum(["direct", "hub"]).default("direct"),
  /** Where this site dials the hub, "host" or "host:port", when it is another place than `hub.address`. Reloads the site. */
  hubAddress: dialedAddress.optional(),
  /** Ports; one left out is allocated once and kept, with an `engine` of another machine 4222. A change restarts the site. */
  ports: z.strictObject({ client: port, monitor: port }).partial().prefault({}),
  /** Most that the site stores in files, in all its streams together. More reloads the site, less restarts it. @default "2GiB" */
  quota: size().prefault("2GiB"),
  /** Largest message, 1 KiB to 8 MiB; at most the hub's. Reloads the site. @default "1MiB" */
  maxPayload: size().prefault("1MiB"),
  /** Add 1 to give the site a new link key, with overlap: no message is lost. 0 to 1 000 000. @default 0 */
  rotation: z.int().min(0).max(1_000_000).default(0),
  /** See `hub.syncInterval`. A site that loses acknowledged messages makes the hub skip later ones. @default "always" */
  syncInterval: syncInterval.default("always"),
  /** Wait between attempts to reach the hub, 50 ms to 1 min. A change restarts the site. @default "100ms" */
  reconnect: duration().prefault("100ms"),
  /** Rotation of the site's log. A change restarts the site. */
  logs,
});

const discard = z.enum(["old", "new"]);
const storage = z.enum(["file", "memory"]);

const collect = z
  .strictObject({
    /**
     * "perSite": a hub stream in the site's own account. "merged": one stream in the hub's account HUB that sources
     * all sites, every subject prefixed by the site's name. @default "perSite"
     */
    mode: z.enum(["perSite", "merged"]).default("perSite"),
    /** Most bytes of the hub's stream (of each one in "perSite"). Updated in place. @default "1GiB" */
    maxBytes: size().prefault("1GiB"),
    /** Age at which the hub drops a message; "0s" keeps it. Updated in place. @default "0s" */
    maxAge: duration().prefault("0s"),
    /** Copies of the hub's stream; a hub of one server has 1. @default 1 */
    replicas: z.int().min(1).max(5).default(1),
    /** What a full hub stream drops. Updated in place. @default "old" */
    discard: discard.default("old"),
    /** Where the hub keeps the stream. A change is refused. @default "file" */
    storage: storage.default("file"),
  })
  .prefault({});

const stream = z.strictObject({
  /** The stream's name, at the sites and on the hub ("merged" adds the site's name at the sites: EVENTS_OSLO). */
  name: streamName,
  /** Subjects that the stream stores. Updated in place. */
  subjects: z.array(z.string()).min(1).max(32),
  /** Most bytes at each site. Updated in place. @default "512MiB" */
  maxBytes: size().prefault("512MiB"),
  /** Age at which a site drops a message, sized for the longest outage; "0s" keeps it. Updated in place. @default "0s" */
  maxAge: duration().prefault("0s"),
  /** Where the site keeps the stream. A change is refused. @default "file" */
  storage: storage.default("file"),
  /** What a full stream does: drop its oldest message, or refuse the new one. Updated in place. @default "old" */
  discard: discard.default("old"),
  /** Take over a stream of this name that this program did not make. @default false */
  adopt: z.boolean().default(false),
  /** How the hub collects the stream. */
  collect,
});

const probes = z
  .strictObject({
    /** Probes that each site sends through each stream, 1 to 1000. @default 3 */
    count: z.int().min(1).max(1000).default(3),
    /**
     * Bytes that follow over the link of a site whose declaration changed, to exercise flow control (which blocks at
     * about 2.1 MB); "0B" for none, at most 8 MB. @default "2500kB"
     */
    burst: size().prefault("2500kB"),
    /** Size of each message of the burst, at most the site's maxPayload. @default "100kB" */
    burstMessage: size().prefault("100kB"),
    /** Time in which one site's probes must arrive, 1 s to 10 min. @default "30s" */
    timeout: duration().prefault("30s"),
  })
  .prefault({});

const docker = z
  .strictObject({
    /** Image of nats-server, by tag or digest. A change replaces the containers, one at a time: `make upgrade`. @default "nats:2.15.2" */
    image: z.string().min(1).default("nats:2.15.2"),
    /** Most memory of a container, 64 MiB or more. @default "512MiB" */
    memory: size().prefault("512MiB"),
    /** Most processors of a container, 0.1 to 128. @default 1 */
    cpus: z.number().min(0.1).max(128).multipleOf(0.01).default(1),
    /** Time that a server has to stop before it is killed, 1 s to 10 min. @default "30s" */
    stopTimeout: duration().prefault("30s"),
  })
  .prefault({});

const links = z
  .strictObject({
    /**
     * "generated": all leaf links use TLS, both ends verified by certificates of the stack's own CA. "given": by those in
     * the folder `certificates`. Turning it on or off restarts the hub. @default "off"
     */
    tls: z.enum(["off", "generated", "given"]).default("off"),
    /** Folder with ca.pem, and `<server>.pem` and `<server>-key.pem` for the hub and every site. */
    certificates: z.string().min(1).optional(),
    /** How long a generated certificate is valid, 1 day to 10 years. @default "365d" */
    validity: duration().prefault("365d"),
    /** A generated certificate is renewed by the next `up` when less than this is left. Reloads. @default "90d" */
    renewBefore: duration().prefault("90d"),
    /** "accepted": leaf links may leave this machine in plain text, over a network that is yours alone or encrypted. */
    plaintext: z.literal("accepted").optional(),
  })
  .prefault({});

/** Pulumi gives the program a top-level value as text. */
const flag = () =>
  z
    .custom<boolean | "true" | "false">((value) => /^(true|false)$/.test(String(value)), "is neither true nor false")
    .transform((value) => String(value) === "true");

const keyRole = (kinds: readonly string[]) =>
  z.partialRecord(z.enum(kinds as [string, ...string[]]), z.string().min(1));

export const fleetSettings = z.strictObject({
  /** Where servers run: "process", a nats-server process on this machine for each; "docker", a container for each. @default "process" */
  runtime: runtime.default("process"),
  /** Folder of configs, logs, stores and process records, relative to the project; each stack has its own below it. @default ".fleet" */
  dataFolder: z.string().min(1).default(".fleet"),
  /** Path of the nats-server to run; without it the one on PATH, else the one that `make install` put in place. */
  natsServer: z.string().min(1).optional(),
  /** What all containers have. */
  docker,
  /** The hub. */
  hub,
  /** The leaf links. */
  links,
  /** The sites, at most 1000. */
  sites: z.array(siteSettings).max(1000).default([]),
  /** The streams that every site keeps, at most 32. */
  streams: z.array(stream).max(32).default([]),
  /** When the smoke test runs: when anything it vouches for changed, or at each `up`. @default "onChange" */
  smokeTest: z.enum(["onChange", "always"]).default("onChange"),
  /**
   * Whether a change is tried on loopback before anything is touched. "onChange": its findings refuse the update; what
   * cannot be rehearsed is said. "required": that too refuses the update. "off": nothing is tried. @default "onChange"
   */
  rehearsal: z.enum(["onChange", "required", "off"]).default("onChange"),
  /** The smoke test's messages. */
  probes,
  /**
   * Whether what holds data or keys is protected: nothing deletes it but `make down` and a removal by `make up`, each
   * with CONFIRM=<stack>. @default false
   */
  protect: flag().default(false),
  /** Seeds to use instead of generated ones (secret): `keys.<site>.link`, `.application`, `.operator`, `.reader`; `keys.<hub>.system` … */
  keys: z.record(z.string(), keyRole(["link", "application", "operator", "reader", "system"])).default({}),
});

/** What the Pulumi CLI can keep a state at. */
export const STATE_URL = /^(s3|azblob|gs|file|https):\/\/\S+$/;
export const NO_STATE_URL =
  "is no URL of a state backend: write it like s3://bucket, azblob://container, gs://bucket or file:///folder";

/** The stack config: the fleet's settings, and what leads to them. */
export const stackConfig = fleetSettings.extend({
  /** File with a table of the sites instead of `sites`: .csv or .yaml, relative to the folder of Pulumi.yaml. */
  sitesFile: z.string().min(1).optional(),
  /**
   * URL of the backend that keeps this stack's state: s3://…, azblob://…, gs://…, file://… or https://api.pulumi.com.
   * @default `backend.url` of Pulumi.yaml
   */
  state: z.string().regex(STATE_URL, NO_STATE_URL).optional(),
});

export type Settings = z.output<typeof fleetSettings>;
export type SiteSettings = Settings["sites"][number];
export type StreamSettings = Settings["streams"][number];
export type HubSettings = Settings["hub"];
export type ProbeSettings = Settings["probes"];
export type RawSettings = z.input<typeof stackConfig>;

/** Every top-level key of the stack config. */
export const SETTING_NAMES = Object.keys(stackConfig.shape);

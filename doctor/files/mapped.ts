import { join } from "node:path";
import { ConfigMap, ConfigNode, Parsed } from "../../configs/format/parse";
import { OPERATORS, RESOLVERS } from "../../diagnosis/files/jwt";
import { Located, Section, textsOf } from "../../diagnosis/files/section";
import { present } from "../../configs/values";
import { renderEntries } from "../../configs/format/render";

/**
 * A hand-written configuration as the rehearsal runs it: the same accounts, users, rights, links and blocks, with every
 * address on loopback, every store in the rehearsal's folder, and nothing that dials or writes anywhere else.
 */

type Tree = Record<string, Parsed>;

/** Where the parts of one server are in the rehearsal. */
export interface Place {
  folder: string;
  ports: Readonly<Record<Listens, number>>;
  /** The cluster ports of the servers that it is one with. */
  routes: readonly number[];
  /** The port of a gateway of that name. */
  gateway(name: string): number;
  /** For each remote, in the order of the file, without disabled ones. */
  remotes: readonly RemotePlace[];
  /** Variables of blocks, which are left out. */
  left?: ReadonlySet<string>;
  /** The fingerprint of the certificate that stands for a pinned one. */
  pin(pinned: string): string;
  /** The file that stands for one that the configuration names. */
  file(named: string): string;
  /** A login for the rehearsal itself, and the accounts that get it. */
  login?: { user: string; password: string; accounts: ReadonlySet<string> };
}

export interface RemotePlace {
  /** The port of each url. */
  ports: readonly number[];
  /** The CAs that it trusts where it names none; absent where its hub has no TLS. */
  trusted?: string;
}

export type Listens = "client" | "monitor" | "leafnodes" | "cluster" | "gateway" | "websocket" | "mqtt";

/** What a server of a rehearsal must not do: write, dial, or answer elsewhere. */
const LEFT_OUT = new Set(
  [
    ["listen", "host", "net", "port", "client_advertise", "tls", "allow_non_tls"],
    ["http", "https", "http_port", "monitor_port", "https_port", "http_base_path", "prof_port", "prof_block_rate"],
    ["logfile", "log_file", "logfile_size_limit", "log_size_limit", "logfile_max_num", "log_max_num"],
    ["syslog", "remote_syslog", "pidfile", "pid_file", "ports_file_dir", "store_dir", "storedir"],
    ["ocsp", "ocsp_cache", "resolver_tls", "proxy_protocol", "debug", "trace", "trace_verbose", "logtime_utc"],
  ].flat(),
);

const LISTENER = new Set(["listen", "host", "net", "port", "advertise", "no_advertise"]);
const FILES = new Set(["cert_file", "key_file", "ca_file"]);
/** What would ask somebody else, or compares with a certificate that is not there. */
const TLS_LEFT_OUT = new Set(["ocsp_peer", "cert_store", "cert_match", "cert_match_by"]);
const REMOTE_LEFT_OUT = new Set(["proxy"]);

export function mappedConfig(map: ConfigMap, place: Place): string {
  const top: Tree = {};
  for (const [key, node] of map) {
    const name = key.toLowerCase();
    if (LEFT_OUT.has(name) || (node.isVariable === true && !KNOWN.has(name))) continue;
    top[name] = BLOCKS[name]?.(node, place) ?? mappedValue(node, place);
  }
  const { client, monitor } = place.ports;
  const whole = { ...top, listen: `127.0.0.1:${client}`, http: `127.0.0.1:${monitor}` };
  return renderEntries(withLogin(whole, place));
}

const isMap = (value: Parsed | undefined): value is Tree => typeof value === "object" && !Array.isArray(value);

function mappedValue(node: ConfigNode, place: Place): Parsed {
  const { value } = node;
  if (Array.isArray(value)) return value.map((item) => mappedValue(item, place));
  return value instanceof Map ? mappedMap(value, place) : value;
}

/** The entries of a block; `leaves` says which are left out. */
function mappedMap(map: ConfigMap, place: Place, leaves: ReadonlySet<string> = new Set()): Tree {
  const entries: Tree = {};
  for (const [key, node] of map) {
    const name = key.toLowerCase();
    if (leaves.has(name) || (node.isVariable === true && (/^[A-Z0-9_]+$/.test(key) || place.left?.has(key)))) continue;
    if (name === "pinned_certs") entries[key] = values(textsOf(node)).map(place.pin);
    else if (name === "tls" && node.value instanceof Map) entries[key] = mappedTls(node.value, place);
    else if (FILES.has(name) && typeof node.value === "string") entries[key] = place.file(node.value);
    else entries[key] = mappedValue(node, place);
  }
  return entries;
}

const mappedTls = (map: ConfigMap, place: Place): Tree => mappedMap(map, place, TLS_LEFT_OUT);

type Block = (node: ConfigNode, place: Place) => Parsed | undefined;

/** Where a block of its own listens, when it listens at all. */
const listening =
  (listens: Listens, also: (block: Tree, section: Section, place: Place) => void = () => undefined): Block =>
  ({ value, at }, place) => {
    if (!(value instanceof Map)) return undefined;
    const section = new Section(value, at);
    const block = mappedMap(value, place, LISTENER);
    if (section.node("listen", "port") !== undefined) block.listen = `127.0.0.1:${place.ports[listens]}`;
    also(block, section, place);
    return block;
  };

const values = (found: readonly Located<string>[]): string[] => found.map(({ value }) => value);

function set(block: Tree, value: Parsed | undefined, ...names: string[]): void {
  for (const key of Object.keys(block)) if (names.includes(key.toLowerCase())) delete block[key];
  const [name] = names;
  if (value !== undefined && name !== undefined) block[name] = value;
}

const AUTHORITY = /^((?:[a-z][a-z-]*:\/\/)?(?:[^/?#]*@)?)(?:\[[^\]]+\]|[^:/?#@]+)(?::\d+)?(.*)$/i;

/** The url with loopback in the place of its host; its scheme, login and path stay. */
const redialled = (url: string, port: number): string => url.replace(AUTHORITY, `$1127.0.0.1:${port}$2`);

/** Puts the urls of a remote or a gateway where they lead in the rehearsal. */
function redial(block: Tree, section: Section, portOf: (index: number) => number): void {
  const urls = values(section.texts("urls", "url"));
  set(
    block,
    urls.map((url, index) => redialled(url, portOf(index))),
    "urls",
    "url",
  );
}

function mappedRemote(node: ConfigNode, place: Place, { ports, trusted }: RemotePlace): Parsed {
  const section = Section.of(node);
  if (section === undefined || !(node.value instanceof Map)) return mappedValue(node, place);
  const remote = mappedMap(node.value, place, REMOTE_LEFT_OUT);
  const [first = 0] = ports;
  redial(remote, section, (index) => ports[index] ?? first);
  const credentials = section.text("credentials", "creds");
  if (credentials !== undefined) set(remote, place.file(credentials.value), "credentials", "creds");
  const tls = isMap(remote.tls) ? remote.tls : {};
  if (trusted !== undefined && tls.ca_file === undefined) remote.tls = { ...tls, ca_file: trusted };
  return remote;
}

/** The items of a list; undefined for anything else. */
const itemsOf = (section: Section, name: string): readonly ConfigNode[] | undefined => {
  const value = section.node(name)?.value;
  return Array.isArray(value) ? value : undefined;
};

const leafnodes = listening("leafnodes", (block, section, place) => {
  const remotes = itemsOf(section, "remotes")?.filter((remote) => Section.of(remote)?.isOn("disabled") !== true);
  const mapped = remotes?.map((remote, index) => mappedRemote(remote, place, place.remotes[index] ?? { ports: [] }));
  if (mapped !== undefined) set(block, mapped, "remotes");
  // Leaf servers use the connections that the rehearsal watches, not the urls that the hub announces.
  if (block.listen !== undefined) set(block, true, "no_advertise");
  // Retrying after 250 ms is soon enough.
  set(block, "250ms", "reconnect", "reconnect_delay", "reconnect_interval");
});

const cluster = listening("cluster", (block, section, place) => {
  const [url] = values(section.texts("routes"));
  if (url === undefined) return;
  set(
    block,
    place.routes.map((port) => redialled(url, port)),
    "routes",
  );
});

const gateway = listening("gateway", (block, section, place) => {
  const mapped = itemsOf(section, "gateways")?.map((node): Parsed => {
    const inner = Section.of(node);
    if (inner === undefined || !(node.value instanceof Map)) return mappedValue(node, place);
    const one = mappedMap(node.value, place);
    const port = place.gateway(inner.text("name")?.value ?? "");
    redial(one, inner, () => port);
    return one;
  });
  if (mapped !== undefined) set(block, mapped, "gateways");
});

const jetstream: Block = (node, place) => {
  const { value } = node;
  const isOff = value === false || (typeof value === "string" && !/^enabled?$/i.test(value));
  if (isOff) return undefined;
  const block = value instanceof Map ? mappedMap(value, place, new Set(["store", "store_dir", "storedir", "tpm"])) : {};
  return { ...block, store_dir: join(place.folder, "jetstream") };
};

/** Operators are given as JWTs, or as files of them. */
const operators: Block = (node, place) => {
  const files = values(textsOf(node)).map((text) => (text.startsWith("ey") ? text : place.file(text)));
  return Array.isArray(node.value) ? files : files[0];
};

const resolver: Block = (node, place) => {
  if (node.value instanceof Map)
    return { ...mappedMap(node.value, place, new Set(["dir"])), dir: join(place.folder, "jwt") };
  // URL(…) asks a server elsewhere.
  const [text = "MEMORY"] = values(textsOf(node));
  return /^mem/i.test(text) ? text : "MEMORY";
};

const BLOCKS: Readonly<Record<string, Block>> = {
  leafnodes,
  leaf: leafnodes,
  cluster,
  gateway,
  websocket: listening("websocket"),
  ws: listening("websocket"),
  mqtt: listening("mqtt"),
  jetstream,
  ...Object.fromEntries(RESOLVERS.map((name) => [name, resolver])),
  ...Object.fromEntries(OPERATORS.map((name) => [name, operators])),
};

/** Settings that stay settings also where a variable refers to them (nats-server opts.go). */
const KNOWN = new Set([
  ...Object.keys(BLOCKS),
  ...["server_name", "accounts", "authorization", "mappings", "maps", "max_payload", "max_connections", "max_conn"],
  ...["ping_interval", "ping_max", "write_deadline", "lame_duck_duration", "lame_duck_grace_period", "system_account"],
  ...["system", "no_auth_user", "resolver_preload", "server_tags", "default_js_domain", "max_control_line"],
]);

function withLogin(top: Tree, { login }: Place): Tree {
  if (login === undefined) return top;
  const { user, password } = login;
  const all = { publish: ">", subscribe: ">" };
  const one: Tree = { user, password, permissions: all };
  const accounts = isMap(top.accounts) ? { ...top.accounts } : undefined;
  for (const name of login.accounts) {
    const account = accounts?.[name];
    if (accounts === undefined || !isMap(account)) continue;
    const key = Object.keys(account).find((entry) => entry.toLowerCase() === "users") ?? "users";
    const users = account[key];
    accounts[name] = {
      ...account,
      [key]: [...(Array.isArray(users) ? users : []), { ...one, user: `${user}.${name}` }],
    };
  }
  const authorization = top.authorization;
  if (login.accounts.has("$G") && isMap(authorization) && Array.isArray(authorization.users)) {
    return {
      ...top,
      ...present({ accounts }),
      authorization: { ...authorization, users: [...authorization.users, { ...one, user: `${user}.$G` }] },
    };
  }
  return accounts === undefined ? top : { ...top, accounts };
}

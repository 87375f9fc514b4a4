import type { ConfigMap, ConfigNode, Position } from "../../configs/format/parse";
import { readAccounts, readUsers } from "./accounts";
import { OPERATORS } from "./jwt";
import { Located, Section } from "./section";
import { GLOBAL_ACCOUNT } from "./server";
import type {
  Address,
  ConfigCluster,
  ConfigServer,
  JetStreamConfig,
  LeafLogin,
  Listener,
  Remote,
  RemoteUrl,
  Tls,
} from "./server";

const LEAFNODE_PORT = 7422;
const MAX_PAYLOAD = 1024 * 1024;

/** The server that a configuration file describes. `file` is how findings name it. */
export function readServer(map: ConfigMap, file: string): ConfigServer {
  const at: Position = { file, line: 1 };
  const all = new Section(map, at);
  const name = all.text("server_name");
  const leafnodes = all.section("leafnodes", "leaf");
  const authorization = all.section("authorization");
  const single = authorization?.text("user", "username") ?? authorization?.text("token");
  const secret = authorization?.text("password", "pass")?.value;
  const callout = authorization?.node("auth_callout", "auth_hook");
  const isOperatorMode = all.node(...OPERATORS, "trusted", "trusted_keys");
  const client = readAddress(all, 4222, "listen") ?? { value: { host: "", port: 4222 }, at };
  const accounts = readAccounts(all.node("accounts"));
  return {
    file,
    at,
    map,
    label: name?.value ?? file.replace(/^.*\//, "").replace(/\.conf$/, ""),
    ...given("name", name),
    client: client.value,
    ...given("monitor", monitorOf(all, client.value.host)),
    maxPayload: all.number("max_payload") ?? { value: MAX_PAYLOAD, at },
    ...given("jetstream", readJetStream(all)),
    ...given("flowControl", readFlowControl(all)),
    ...given("systemAccount", all.text("system_account", "system")),
    ...given("noAuthUser", all.text("no_auth_user")),
    ...(isOperatorMode !== undefined
      ? { accountsElsewhere: "JWTs" as const }
      : callout !== undefined
        ? { accountsElsewhere: "an authorization callout" as const }
        : {}),
    ...given("singleUser", single && { ...single, ...given("secret", secret) }),
    accounts: accounts.map(({ account }) => account),
    users: [...accounts.flatMap(({ users }) => users), ...readUsers(authorization, GLOBAL_ACCOUNT)],
    ...given("listener", leafnodes && readListener(leafnodes)),
    ...given("websocket", readWebsocket(all.section("websocket", "ws"))),
    ...given("cluster", all.section("cluster") && readCluster(all.section("cluster"))),
    remotes: leafnodes?.sections("remotes").flatMap(readRemote) ?? [],
  };
}

/** The entry, or nothing. */
const given = <K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { [key in K]?: V };

/** `listen`, or `host` and `port`. */
function readAddress(section: Section, defaultPort: number, ...names: string[]): Located<Address> | undefined {
  const listen = section.node(...names);
  if (listen !== undefined) return addressOf(listen);
  const host = section.text("host", "net");
  const port = section.number("port");
  const at = port?.at ?? host?.at;
  return at === undefined
    ? undefined
    : { value: { host: host === undefined ? "" : bare(host.value), port: port?.value ?? defaultPort }, at };
}

function addressOf({ value, at }: ConfigNode): Located<Address> | undefined {
  if (typeof value === "number") return { value: { host: "", port: value }, at };
  const [, host = "", port] = typeof value === "string" ? (/^(.*):(-?\d+)$/.exec(value) ?? []) : [];
  return port === undefined ? undefined : { value: { host: bare(host), port: Number(port) }, at };
}

/** A host without its brackets; empty for every address of the machine. */
const bare = (host: string): string => host.replace(/^\[(.*)\]$/, "$1").replace(/^(0\.0\.0\.0|::|\*)$/, "");

function monitorOf(all: Section, clientHost: string): Located<Address> | undefined {
  const http = all.node("http");
  const port = all.number("http_port", "monitor_port");
  const found = http === undefined ? port && { value: { host: "", port: port.value }, at: port.at } : addressOf(http);
  if (found === undefined || found.value.port === 0) return undefined;
  // Without a host it listens where clients do; a given host is used as it is.
  const isWritten = typeof http?.value === "string" && !http.value.startsWith(":");
  return isWritten ? found : { ...found, value: { ...found.value, host: clientHost } };
}

function readJetStream(all: Section): JetStreamConfig | undefined {
  const node = all.node("jetstream");
  const storeDir = all.text("store_dir", "storedir");
  if (node === undefined || node.value === false) return undefined;
  if (typeof node.value === "string" && !/^enabled?$/i.test(node.value)) return undefined;
  const section = Section.of(node);
  if (section?.node("enable", "enabled")?.value === false) return undefined;
  const sync = section?.node("sync", "sync_interval");
  return {
    at: node.at,
    ...given("domain", section?.text("domain")),
    ...given("maxFile", section?.number("max_file_store", "max_file")),
    ...given("storeDir", section?.text("store", "store_dir", "storedir") ?? storeDir),
    ...given("syncInterval", sync && { value: String(sync.value as string | number), at: sync.at }),
  };
}

/** Where a block listens; undefined when it does not. */
export function readListen(section: Section | undefined): Address | undefined {
  const address = section && readAddress(section, 0, "listen");
  return address === undefined || address.value.port === 0 ? undefined : address.value;
}

function readWebsocket(section: Section | undefined): ConfigServer["websocket"] {
  const address = readListen(section);
  return address === undefined
    ? undefined
    : { ...address, hasTls: section?.section("tls") !== undefined, compresses: section?.isOn("compression") === true };
}

function readCluster(cluster: Section | undefined): ConfigCluster | undefined {
  if (cluster === undefined) return undefined;
  const routes = cluster.texts("routes").flatMap(({ value, at }) => {
    const url = readUrl(value);
    return url === undefined ? [] : [{ value: url, at }];
  });
  return {
    at: cluster.at,
    ...given("name", cluster.text("name")),
    ...given("listen", readListen(cluster)),
    routes,
  };
}

function readFlowControl(all: Section): ConfigServer["flowControl"] {
  const flag = all.section("feature_flags")?.node("js_ack_fc_v2")?.value;
  return typeof flag === "boolean" ? (flag ? "v2" : "v1") : undefined;
}

function readListener(leafnodes: Section): Listener | undefined {
  const address = readAddress(leafnodes, 0, "listen");
  const authorization = leafnodes.section("authorization");
  // Without a port nats-server takes no leaf links, whatever else the block has.
  if (address === undefined || address.value.port === 0) return undefined;
  const logins = authorization === undefined ? [] : readLogins(authorization);
  return {
    ...address.value,
    at: address.at,
    ...given("tls", readTls(leafnodes)),
    ...(authorization === undefined || logins.length === 0 ? {} : { authorization: { at: authorization.at, logins } }),
  };
}

function readLogins(authorization: Section): LeafLogin[] {
  const login = (section: Section, id: Located<string> | undefined, isKey: boolean): LeafLogin[] => {
    if (id === undefined) return [];
    const secret = section.text("password", "pass")?.value;
    return [
      { at: id.at, id: id.value, isKey, ...given("secret", secret), ...given("account", section.text("account")) },
    ];
  };
  return [
    ...login(authorization, authorization.text("user", "username"), false),
    ...login(authorization, authorization.text("nkey"), true),
    ...authorization.sections("users").flatMap((user) => login(user, user.text("user", "username"), false)),
  ];
}

function readRemote(remote: Section): Remote[] {
  if (remote.isOn("disabled")) return [];
  return [
    {
      at: remote.at,
      urls: remote.texts("urls", "url").flatMap(({ value, at }) => {
        const url = readUrl(value);
        return url === undefined ? [] : [{ value: url, at }];
      }),
      ...given("account", remote.text("account", "local")),
      ...given("credentials", remote.text("credentials", "creds")),
      ...given("nkey", remote.text("nkey", "seed")),
      ...given("tls", readTls(remote)),
      others: remote.names,
      compressesWebsocket: remote.isOn("ws_compress", "ws_compression"),
      denyImports: remote.texts("deny_imports", "deny_import"),
      denyExports: remote.texts("deny_exports", "deny_export"),
    },
  ];
}

function readUrl(text: string): RemoteUrl | undefined {
  const pattern = /^(?:([a-z][a-z-]*):\/\/)?(?:([^/?#]*)@)?(\[[^\]]+\]|[^:/?#@]+)(?::(\d+))?(.*)/i;
  const [, written = "nats-leaf", login, host, port, path = ""] = pattern.exec(text.trim()) ?? [];
  if (host === undefined) return undefined;
  const scheme = written.toLowerCase();
  const [user, ...rest] = login?.split(":") ?? [];
  const password = rest.length === 0 ? undefined : unescaped(rest.join(":"));
  const address = { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port ?? LEAFNODE_PORT) };
  return {
    scheme,
    ...address,
    ...(port === undefined ? {} : { hasPort: true as const }),
    ...given("user", user === undefined ? undefined : unescaped(user)),
    ...given("password", password),
    ...(path === "" ? {} : { path }),
  };
}

/** Without percent encoding, as Go's url.Parse reads a login; what it cannot read stays, and the server refuses it. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function readTls(owner: Section): Tls | undefined {
  const tls = owner.section("tls");
  if (tls === undefined) return undefined;
  const first = tls.node("handshake_first", "first", "immediate")?.value;
  const word = typeof first === "string" ? first.toLowerCase() : first === true ? "on" : "off";
  return {
    at: tls.at,
    verify: tls.isOn("verify") || tls.isOn("verify_and_map"),
    mapsUsers: tls.isOn("verify_and_map"),
    ...given("certificate", tls.text("cert_file")?.value),
    hasCertificate: tls.node("cert_file", "certs", "certificates", "cert_store") !== undefined,
    hasCa: tls.node("ca_file") !== undefined,
    handshakeFirst: ["true", "on"].includes(word) ? true : ["false", "off"].includes(word) ? false : "fallback",
  };
}

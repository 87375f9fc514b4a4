import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Hub, Known, LinkedFleet, dialTarget, isWebsocket } from "../../diagnosis/files/links";
import { ConfigServer, Remote, RemoteUrl, areOne, isSystemAccount } from "../../diagnosis/files/server";
import { makeFolder, serverFiles, writePrivate } from "../../machine/folders";
import { allocatePort } from "../../machine/ports";
import { Listens, Place, RemotePlace, mappedConfig } from "./mapped";
import { Relay } from "./relay";
import { StandIns, standInsFor } from "./stand-ins";
import { tlsBlocks } from "./tls-blocks";

/** Where each server of hand-written files is in their rehearsal, and how its remotes reach their hubs. */

export interface FilesToRehearse {
  hosts: Known["hosts"];
  /** The path of a nats-server. */
  natsServer: string;
  /** The path of a file that the server's configuration names; undefined when it is not on this machine. */
  find(server: ConfigServer, named: string): string | undefined;
  /** The text of it. */
  read(path: string): string | undefined;
  /** The text of a file that any of the configurations names; undefined when none of them finds it. */
  readNamed(named: string): string | undefined;
}

export interface LaidServer {
  server: ConfigServer;
  folder: string;
  ports: Record<Listens, number>;
  /** For each remote whose hub is among the files. */
  ways: Map<Remote, Way[]>;
  /** Writes the configuration without a variable of a block, which is no setting; false when there is none of the name. */
  rewrite(variable: string): boolean;
  /** Whether its process has ended; until it is started it has not. */
  hasEnded(): Promise<boolean>;
  /** How the rehearsal itself logs in to an account; undefined when it cannot. */
  login(account: string): { user?: string; pass?: string; token?: string } | undefined;
}

/** One url of a remote. */
export interface Way {
  relay: Relay;
  hub: Hub;
  /** The port that the leaf server dials. */
  port: number;
}

const LISTENS: readonly Listens[] = ["client", "monitor", "leafnodes", "cluster", "gateway", "websocket", "mqtt"];

/** Writes every configuration into a folder of its own below `folder`. */
export async function lay(fleet: LinkedFleet, files: FilesToRehearse, folder: string): Promise<LaidServer[]> {
  const login = { user: `rehearsal-${randomBytes(6).toString("hex")}`, password: randomBytes(16).toString("hex") };
  const laid: LaidServer[] = [];
  for (const [index, server] of fleet.servers.entries()) {
    const own = makeFolder(join(folder, "sites", String(index)));
    const ports = {} as Record<Listens, number>;
    for (const listens of LISTENS) ports[listens] = await allocatePort(own);
    laid.push({
      server,
      folder: own,
      ports,
      ways: new Map(),
      rewrite: () => false,
      hasEnded: () => Promise.resolve(false),
      login: loginOf(server, login),
    });
  }
  const nobody = await allocatePort(makeFolder(join(folder, "sites", "nobody")));
  const pathOf = (server: ConfigServer, named: string): string => files.find(server, named) ?? named;
  const standIns = await standInsFor(tlsBlocks(fleet, pathOf), files.read, folder);
  const trusted = join(folder, "trusted.pem");
  writePrivate(trusted, standIns.trusted);
  for (const one of laid) {
    const remotes: RemotePlace[] = [];
    for (const remote of one.server.remotes) {
      remotes.push(await remotePlace(one, remote, { laid, fleet, hosts: files.hosts, nobody, trusted }));
    }
    const place = {
      ...placeOf(one, laid, remotes, nobody, standIns, pathOf),
      login: { ...login, accounts: new Set(accountsToEnter(one.server)) },
    };
    const left = new Set<string>();
    const write = (): void =>
      writePrivate(serverFiles(one.folder).config, mappedConfig(one.server.map, { ...place, left }));
    one.rewrite = (variable) => {
      const isNew = !left.has(variable);
      left.add(variable);
      write();
      return isNew;
    };
    write();
  }
  return laid;
}

interface Layout {
  laid: readonly LaidServer[];
  fleet: LinkedFleet;
  hosts: Known["hosts"];
  /** A port without a listener. */
  nobody: number;
  trusted: string;
}

async function remotePlace(one: LaidServer, remote: Remote, layout: Layout): Promise<RemotePlace> {
  const link = layout.fleet.links.find((known) => known.remote === remote);
  const ports: number[] = [];
  const ways: Way[] = [];
  for (const { value } of remote.urls) {
    const target = targetOf(value, one.server, link?.hub, layout);
    const to = layout.laid.find(({ server }) => server === target?.server)?.ports[target?.listener ?? "leafnodes"];
    if (target === undefined || to === undefined) {
      ports.push(layout.nobody);
      continue;
    }
    const relay = new Relay(to);
    const port = await relay.listen();
    ports.push(port);
    ways.push({ relay, hub: target.server, port });
  }
  if (ways.length > 0) one.ways.set(remote, ways);
  const isEncrypted = ways.some(({ hub }) => hub.listener.tls !== undefined) || remote.tls !== undefined;
  return { ports, ...(isEncrypted ? { trusted: layout.trusted } : {}) };
}

function targetOf(url: RemoteUrl, leaf: ConfigServer, only: Hub | undefined, { laid, hosts }: Layout) {
  const hubs = laid.flatMap(({ server }) => (server !== leaf && server.listener !== undefined ? [server as Hub] : []));
  const usual = isWebsocket(url) ? ("websocket" as const) : ("leafnodes" as const);
  return dialTarget(url, hubs, hosts) ?? (only === undefined ? undefined : { server: only, listener: usual });
}

function placeOf(
  { server, folder, ports }: LaidServer,
  laid: readonly LaidServer[],
  remotes: readonly RemotePlace[],
  nobody: number,
  standIns: StandIns,
  pathOf: (server: ConfigServer, named: string) => string,
): Place {
  const ring = laid.filter((other) => other.server !== server && areOne(other.server, server));
  const gatewayName = (of: ConfigServer): unknown => {
    const value = of.map.get("gateway")?.value;
    return value instanceof Map ? value.get("name")?.value : undefined;
  };
  return {
    folder,
    ports,
    // One whose cluster is not among the files is a cluster by itself: JetStream would wait for the others forever.
    routes: (ring.length > 0 ? ring.map((other) => other.ports) : [ports]).map((of) => of.cluster),
    gateway: (name) => laid.find((other) => gatewayName(other.server) === name)?.ports.gateway ?? nobody,
    remotes,
    pin: (pinned) => standIns.pins.get(pinned.toLowerCase()) ?? pinned,
    file(named) {
      const path = pathOf(server, named);
      return standIns.files.get(path) ?? path;
    },
  };
}

/** Whether the server lets in only users that it knows. */
const knowsUsers = ({ users, singleUser }: ConfigServer): boolean => users.length > 0 || singleUser !== undefined;

/** Accounts that may get one more user without changing who can log in. */
function accountsToEnter(server: ConfigServer): string[] {
  if (server.accountsElsewhere !== undefined || server.singleUser !== undefined) return [];
  // A hub without users lets everyone in; with one user it would not.
  if (!knowsUsers(server) && server.listener !== undefined) return [];
  const own = server.accounts.map(({ name }) => name).filter((name) => !isSystemAccount(server, name));
  return [...own, ...(server.users.some(({ account }) => account === "$G") ? ["$G"] : [])];
}

function loginOf(server: ConfigServer, { user, password }: { user: string; password: string }): LaidServer["login"] {
  const entered = new Set(accountsToEnter(server));
  return (account) => {
    if (entered.has(account)) return { user: `${user}.${account}`, pass: password };
    if (account !== "$G" || server.accountsElsewhere !== undefined) return undefined;
    const { singleUser } = server;
    if (singleUser === undefined) return knowsUsers(server) ? undefined : {};
    if (singleUser.secret !== undefined) return { user: singleUser.value, pass: singleUser.secret };
    return { token: singleUser.value };
  };
}

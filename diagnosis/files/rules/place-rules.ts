import { draft } from "../finding";
import { Link, isWebsocket } from "../links";
import { readListen } from "../reading";
import { Rule, hasHub, place } from "../rule";
import { Located, Section } from "../section";
import { Address, ConfigServer, areNeighbours, areOne, isLoopback, shownUrl } from "../server";

/** Rules over where servers listen, and where they are dialled. */

/** What a server listens with, besides its clients and its leaf servers. */
const BLOCKS = ["cluster", "gateway", "websocket", "ws", "mqtt"];

function listenersOf(server: ConfigServer): { what: string; address: Address; at: Located<unknown>["at"] }[] {
  const all = new Section(server.map, server.at);
  const blocks = BLOCKS.flatMap((name) => {
    const section = all.section(name);
    const address = readListen(section);
    return section === undefined || address === undefined ? [] : [{ what: name, address, at: section.at }];
  });
  const { listener, monitor, client } = server;
  return [
    { what: "clients", address: client, at: (all.node("listen") ?? all.node("port") ?? server).at },
    ...(listener === undefined ? [] : [{ what: "leafnodes", address: listener, at: listener.at }]),
    ...(monitor === undefined ? [] : [{ what: "monitoring", address: monitor.value, at: monitor.at }]),
    ...blocks,
  ];
}

/** -1 is any port; a host that is empty is every address. */
const meet = (one: Address, other: Address): boolean =>
  one.port > 0 &&
  one.port === other.port &&
  (one.host === "" || other.host === "" || normal(one.host) === normal(other.host));

const normal = (host: string): string => (host === "localhost" ? "127.0.0.1" : host);

export const portsOnce: Rule<ConfigServer> = function* (server, { fleet }) {
  const own = listenersOf(server);
  for (const [index, one] of own.entries()) {
    const other = own.slice(0, index).find(({ address }) => meet(address, one.address));
    if (other === undefined) continue;
    yield draft("port-twice", server, one.at, {
      evidence: `${one.what} at port ${one.address.port}, and ${other.what} too (${place(other.at)})`,
    });
  }
  for (const neighbour of fleet.servers.slice(0, fleet.servers.indexOf(server))) {
    if (!areNeighbours(server, neighbour, fleet.links)) continue;
    for (const one of own) {
      const other = listenersOf(neighbour).find(({ address }) => meet(address, one.address));
      if (other === undefined) continue;
      yield draft("port-twice", server, one.at, {
        cause: "two servers of one machine listen at the same port",
        evidence: `${one.what} at port ${one.address.port}, and ${other.what} at ${place(other.at)}`,
      });
    }
  }
};

/** Routes that lead nowhere, as far as the files show. */
export const routes: Rule<ConfigServer> = function* (server, { fleet }) {
  const { cluster } = server;
  if (cluster === undefined) return;
  for (const { value, at } of cluster.routes) {
    const others = fleet.servers.filter((other) => other !== server);
    const to = others.filter((other) => other.cluster?.listen?.port === value.port);
    const [only, ...more] = to;
    const name = only?.cluster?.name;
    if (only !== undefined && more.length === 0 && cluster.name?.value !== name?.value) {
      yield draft("cluster-names-differ", server, cluster.name?.at ?? cluster.at, {
        evidence: `cluster.name: ${cluster.name?.value ?? "none"} here, and ${name?.value ?? "none"} at ${place(name?.at ?? only.at)}, to which a route leads`,
      });
    }
    const wrong = others.find(({ client, listener }) => [client.port, listener?.port].includes(value.port));
    if (only === undefined && wrong !== undefined && wrong.cluster?.listen !== undefined) {
      yield draft("route-to-other-listener", server, at, {
        evidence: `a route to port ${value.port}, which ${wrong.file} has for ${wrong.client.port === value.port ? "clients" : "leaf links"}; its cluster port is ${wrong.cluster.listen.port}`,
      });
    }
  }
};

/** Whether the remote dials where its hub listens, as far as that can be told without the network. */
export const dialledPlace: Rule<Link> = function* (link) {
  const { leaf, hub, url, dialsClients } = link;
  if (!hasHub(link) || hub === undefined || url === undefined || dialsClients) return;
  const listener = isWebsocket(url.value) ? hub.websocket : hub.listener;
  if (listener === undefined) return;
  const isHere = isLoopback(url.value.host);
  const dials = `the remote dials ${shownUrl(url.value)}; ${hub.file} listens at ${listener.host === "" ? "every address" : listener.host}, port ${listener.port}`;
  if (url.value.port !== listener.port && isHere && isLoopback(listener.host)) {
    yield draft("dialled-elsewhere", leaf, url.at, { evidence: dials, next: `dial port ${listener.port}` });
  } else if (url.value.port !== listener.port && url.value.hasPort !== true) {
    yield draft("dialled-elsewhere", leaf, url.at, {
      severity: "warning",
      evidence: `${dials}; a url without a port means port 7422`,
      next: `add the port: ${listener.port}, or the one by which it is reached from outside`,
    });
  } else if (isHere && isLoopback(listener.host) && normal(url.value.host) !== normal(listener.host)) {
    yield draft("dialled-elsewhere", leaf, url.at, { evidence: dials });
  } else if (!isHere && isLoopback(listener.host)) {
    yield draft("dialled-elsewhere", leaf, url.at, { severity: "warning", evidence: dials });
  }
};

/** A file that looks like the hub's, and takes no leaf links. */
export const takesNoLinks: Rule<Link> = function* (link, { fleet }) {
  if (link.hub !== undefined || link.url === undefined) return;
  const url = link.url.value;
  const others = fleet.servers.filter(
    (server) =>
      server !== link.leaf &&
      server.listener === undefined &&
      server.remotes.length === 0 &&
      !areOne(server, link.leaf) &&
      !fleet.servers.some((leaf) => leaf.remotes.length > 0 && areOne(server, leaf)),
  );
  const [only, ...more] = others;
  const found =
    others.find(({ client, websocket }) => [client.port, websocket?.port].includes(url.port)) ??
    (more.length === 0 ? only : undefined);
  if (found === undefined) return;
  const block = new Section(found.map, found.at).section("leafnodes", "leaf");
  const isDialled = [found.client.port, found.websocket?.port].includes(url.port);
  const isSure = block !== undefined || isDialled;
  yield draft("hub-without-leafnodes", found, block?.at ?? found.at, {
    evidence: `${link.leaf.label} dials ${shownUrl(url)}; ${found.file} has ${block === undefined ? "no leafnodes block" : "leafnodes without port or listen"}`,
    ...(isSure ? {} : { severity: "warning" as const }),
  });
};

/** A leaf server that dials no hub. */
export const disabledRemotes: Rule<ConfigServer> = function* (server) {
  const block = new Section(server.map, server.at).section("leafnodes", "leaf");
  const remotes = block?.sections("remotes") ?? [];
  const [first] = remotes;
  if (first === undefined || !remotes.every((remote) => remote.isOn("disabled"))) return;
  yield draft("remotes-disabled", server, first.at, {
    evidence: `disabled: true in ${remotes.length === 1 ? "its only remote" : `each of its ${remotes.length} remotes`}`,
  });
};

import { draft } from "../finding";
import { Link, accountOf, isWebsocket } from "../links";
import { Rule, hasHub, place } from "../rule";
import { ConfigServer, Tls, isLoopback, shownUrl } from "../server";

/** Rules over the way between a leaf server and its hub. */

export const ports: Rule<Link> = function* ({ leaf, hub, url, dialsClients }) {
  if (!dialsClients || hub === undefined || url === undefined) return;
  yield draft("hub-client-port", leaf, url.at, {
    evidence: `the remote dials ${shownUrl(url.value)}; ${hub.file} listens for leaf servers at port ${hub.listener.port}`,
    next: `use port ${hub.listener.port}`,
  });
};

/** nats-server websocket.go, wsDecompressAndParse: what comes compressed may be max_payload long, whatever is in it. */
export const websocketCompression: Rule<Link> = function* ({ leaf, hub, remote, url }) {
  if (url === undefined || !isWebsocket(url.value) || hub?.websocket?.compresses !== true) return;
  if (!remote.compressesWebsocket) return;
  yield draft("websocket-compression", leaf, remote.at, {
    evidence: `ws_compression in the remote, and compression in the websocket of ${hub.file}, whose max_payload is ${hub.maxPayload.value}`,
  });
};

/** nats-server leafnode.go, processLeafNodeConnect: it closes the link of a cluster with its own cluster's name. */
export const clusterNames: Rule<Link> = function* ({ leaf, hub }) {
  const name = leaf.cluster?.name;
  const other = hub?.cluster?.name;
  if (name === undefined || other === undefined || name.value !== other.value) return;
  yield draft("equal-cluster-name", leaf, name.at, {
    evidence: `cluster.name: ${name.value} here and at ${place(other.at)}`,
  });
};

/** nats-server takes the scheme tls:// for no more than a hint; what decides is a tls block at either end. */
function isEncrypted({ remote, hub, url }: Link): boolean {
  const scheme = url?.value.scheme;
  if (scheme === "wss" || remote.tls !== undefined) return true;
  return hub === undefined ? scheme === "tls" : hub.listener.tls !== undefined;
}

export const encryption: Rule<Link> = function* (link) {
  const { leaf, hub, remote, url, dialsClients } = link;
  if (url === undefined || dialsClients) return;
  if (!isEncrypted(link) && !isLoopback(url.value.host)) {
    yield draft("plain-text", leaf, url.at, { evidence: `the remote dials ${shownUrl(url.value)}; no end has tls` });
  }
  if (hub === undefined) return;
  // A websocket has the TLS of its own listener.
  if (isWebsocket(url.value)) {
    const { websocket } = hub;
    if (websocket === undefined || websocket.hasTls === (url.value.scheme === "wss")) return;
    yield draft("tls-one-end", leaf, url.at, {
      evidence: `the remote dials ${shownUrl(url.value)}; the websocket of ${hub.file} has ${websocket.hasTls ? "" : "no "}tls`,
      next: websocket.hasTls ? "dial it by wss://" : "give the websocket a tls block, or dial it by ws://",
    });
    return;
  }
  const ofHub = hub.listener.tls;
  const ofLeaf = remote.tls;
  if (ofHub === undefined) {
    if (ofLeaf === undefined && url.value.scheme === "tls" && isLoopback(url.value.host)) {
      yield draft("plain-text", leaf, url.at, {
        cause: "the url says tls://, and the link has no TLS: the scheme alone asks for none",
        evidence: `the remote dials ${shownUrl(url.value)}; no end has a tls block`,
      });
    }
    if (ofLeaf === undefined) return;
    yield draft("tls-one-end", leaf, ofLeaf.at, { evidence: `tls here, and none in the leafnodes of ${hub.file}` });
    return;
  }
  if (ofHub.verify && ofLeaf?.hasCertificate !== true) {
    yield draft("tls-client-certificate", leaf, ofLeaf?.at ?? remote.at, {
      evidence: `verify at ${place(ofHub.at)}; ${ofLeaf === undefined ? "the remote has no tls" : "the remote's tls has no cert_file"}`,
    });
  } else if (ofLeaf === undefined) {
    yield draft("tls-authority", leaf, remote.at, { evidence: `tls at ${place(ofHub.at)}, and none in the remote` });
  }
  if (ofHub.handshakeFirst !== "fallback" && first(ofLeaf) !== ofHub.handshakeFirst) {
    yield draft("handshake-first", leaf, ofLeaf?.at ?? remote.at, {
      evidence: `handshake_first is ${ofHub.handshakeFirst} at ${place(ofHub.at)}, and ${first(ofLeaf)} in the remote`,
    });
  }
};

/** At the leaf's end a fallback is one more way to say yes. */
const first = (tls: Tls | undefined): boolean => tls !== undefined && tls.handshakeFirst !== false;

/** The finding names the later one of two servers. */
export const serverNames: Rule<ConfigServer> = function* (server, { fleet }) {
  const { name } = server;
  const earlier = fleet.servers
    .slice(0, fleet.servers.indexOf(server))
    .find((other) => name !== undefined && other.name?.value === name.value);
  if (name === undefined || earlier === undefined) return;
  const accounts = (of: ConfigServer) =>
    fleet.links.flatMap((link) =>
      link.leaf === of && hasHub(link) ? [`${accountOf(link) ?? ""} of ${link.hub.file}`] : [],
    );
  const shared = accounts(server).find((account) => accounts(earlier).includes(account));
  yield draft("server-name-doubled", server, name.at, {
    evidence: `server_name: ${name.value} here and at ${place(earlier.name?.at ?? earlier.at)}${shared === undefined ? "" : `; both link to account ${shared}`}`,
    ...(shared === undefined ? {} : { severity: "error" as const }),
  });
};

export const monitoring: Rule<ConfigServer> = function* (server) {
  const { monitor } = server;
  if (monitor === undefined || monitor.value.host !== "") return;
  yield draft("monitoring-open", server, monitor.at, {
    evidence: `monitoring listens at port ${monitor.value.port} of every address`,
    next: `set http: "127.0.0.1:${monitor.value.port}"`,
  });
};

import type { ConfigNode } from "../../configs/format/parse";
import { present } from "../../configs/values";
import type { LinkedFleet } from "../../diagnosis/files/links";
import { Section } from "../../diagnosis/files/section";
import type { ConfigServer } from "../../diagnosis/files/server";
import type { TlsFiles } from "./stand-ins";

/** Every block of the files that names certificates. */
export function tlsBlocks(
  { servers, links }: LinkedFleet,
  pathOf: (server: ConfigServer, named: string) => string,
): TlsFiles[] {
  return servers.flatMap((server) => {
    const hosts = links.flatMap(({ hub, url }) => (hub === server && url !== undefined ? [url.value.host] : []));
    const name = (named: string): string => pathOf(server, named);
    return [...server.map].flatMap(([key, node]) => {
      // Clients are no part of a rehearsal.
      if (key.toLowerCase() === "tls") return [];
      const isDialled = /^(leafnodes|leaf|websocket|ws)$/i.test(key);
      return within(node, isDialled ? hosts : [], name);
    });
  });
}

function within({ value, at }: ConfigNode, hosts: readonly string[], name: (named: string) => string): TlsFiles[] {
  if (!(value instanceof Map)) return [];
  const section = new Section(value, at);
  const path = (wanted: string): string | undefined => {
    const named = section.text(wanted);
    return named && name(named.value);
  };
  const [certificate, key, ca] = [path("cert_file"), path("key_file"), path("ca_file")];
  const isNamed = certificate !== undefined || ca !== undefined;
  const own = isNamed ? [{ ...present({ certificate, key, ca }), hosts }] : [];
  const inner = [...value].flatMap(([entry, node]) => {
    // A remote is the end that dials.
    const dialledBy = /^(remotes|gateways)$/i.test(entry) ? [] : hosts;
    const nodes = Array.isArray(node.value) ? node.value : [node];
    return nodes.flatMap((one) => within(one, dialledBy, name));
  });
  return [...own, ...inner];
}

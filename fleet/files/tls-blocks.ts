import type { ConfigMap } from "../../configs/format/parse";
import { present } from "../../configs/values";
import type { LinkedFleet } from "../../diagnosis/files/links";
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
    return [...server.map].flatMap(([key, { value }]) => {
      // Clients are no part of a rehearsal.
      if (!(value instanceof Map) || key.toLowerCase() === "tls") return [];
      const isDialled = /^(leafnodes|leaf|websocket|ws)$/i.test(key);
      return within(value, isDialled ? hosts : [], name);
    });
  });
}

function within(map: ConfigMap, hosts: readonly string[], name: (named: string) => string): TlsFiles[] {
  const text = (wanted: string): string | undefined => {
    const found = [...map].find(([key, { value }]) => key.toLowerCase() === wanted && typeof value === "string");
    const value = found?.[1].value;
    return typeof value === "string" ? name(value) : undefined;
  };
  const [certificate, key, ca] = [text("cert_file"), text("key_file"), text("ca_file")];
  const isNamed = certificate !== undefined || ca !== undefined;
  const own = isNamed ? [{ ...present({ certificate, key, ca }), hosts }] : [];
  const inner = [...map].flatMap(([entry, { value }]) => {
    // A remote is the end that dials.
    const dialledBy = /^(remotes|gateways)$/i.test(entry) ? [] : hosts;
    if (value instanceof Map) return within(value, dialledBy, name);
    if (!Array.isArray(value)) return [];
    return value.flatMap((item) => (item.value instanceof Map ? within(item.value, dialledBy, name) : []));
  });
  return [...own, ...inner];
}

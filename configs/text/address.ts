/** Hosts and ports as they stand in URLs and in the server's configuration. */

/** A host as it stands before a port: an IPv6 address in brackets. */
export const bracketed = (host: string): string => (host.includes(":") && !host.startsWith("[") ? `[${host}]` : host);

export const hostPort = (host: string, port: number | string): string => `${bracketed(host)}:${port}`;

/** The parts of "host", "host:port", "[::1]:port" or an IPv6 address alone; undefined when it is none of them. */
export function addressParts(address: string): { host: string; port?: number } | undefined {
  if (/^[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/.test(address)) return { host: address };
  const [, bracketed, plain, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+))(?::(\d{1,5}))?$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) return undefined;
  if (port === undefined) return { host };
  return Number(port) >= 1 && Number(port) <= 65535 ? { host, port: Number(port) } : undefined;
}

/** Addresses of several servers as one text: what is given such a text tries one after the other. */
export const joinUrls = (urls: readonly string[]): string => urls.join(",");

/** The addresses in such a text. */
export const splitUrls = (urls: string): string[] => urls.split(",");

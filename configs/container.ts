/** What all containers of nats-server have in common. */

/** Where a server in a container of its own network listens; what is published is another matter. */
export const CONTAINER_PORTS = { client: 4222, leafnodes: 7422, monitor: 8222 } as const;

/** Where a server of a hub of several listens for the others; it is never published. */
export const ROUTES_PORT = 6222;

/** Where the watcher in a container finds its program, and what is its own. */
export const WATCHER_FOLDERS = { mount: "/watcher", program: "program", own: "run" } as const;

/** Where the watcher in a container answers for its health; the port of `watch.port` is published on loopback. */
export const WATCHER_PORT = 9222;

/** Where the server finds its files. */
export const CONFIG_FOLDER = "/nats/config";
export const DATA_FOLDER = "/nats/data";

/** The user and group that the server runs as; it owns the store, and reads its configuration. */
export const SERVER_UID = 1000;

/** Names on an engine carry the stack: two stacks on one engine do not meet. "" names what the whole stack shares. */
export const engineNameOf = (stack: string, server: string): string =>
  ["nats", stack, server].filter((part) => part !== "").join("-");

/**
 * A number of processors as the Docker plugin reads it back from the engine: "0.5", "1.0", and "10." for a multiple of
 * ten. Written otherwise, it would differ at each update, and replace the container (terraform-provider-docker,
 * nanoInt64ToDecimalString).
 */
export const cpuText = (cpus: number): string =>
  Number.isInteger(cpus) ? `${cpus}.${cpus % 10 === 0 ? "" : "0"}` : String(cpus);

/** Images named so have the server's version in their tags; others have versions of their own, or none. */
const SERVER_IMAGE = /(?:^|\/)nats(?:-server)?:v?(\d+\.\d+(?:\.\d+)?)(?:-[^/]*)?(?:@|$)/;

/** The version of nats-server that the image's tag names, as far as it does: "2.15". */
export const versionOfImage = (image: string): string | undefined => SERVER_IMAGE.exec(image)?.[1];

/** For ssh on the way to an engine: it asks no questions, and notices when the other machine is silent. */
export const SSH_OPTIONS: readonly string[] = [
  "BatchMode=yes",
  "ConnectTimeout=10",
  "ServerAliveInterval=5",
  "ServerAliveCountMax=2",
].flatMap((option) => ["-o", option]);

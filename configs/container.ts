/** What every container of nats-server has in common, whatever it serves. */

/** Where a server in a container of its own network listens; what is published is another matter. */
export const CONTAINER_PORTS = { client: 4222, leafnodes: 7422, monitor: 8222 } as const;

/** Where the server finds its files. */
export const CONFIG_FOLDER = "/nats/config";
export const DATA_FOLDER = "/nats/data";

/** The user and group that the server runs as; it owns the store, and reads its configuration. */
export const SERVER_UID = 1000;

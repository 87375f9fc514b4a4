/** How resources are named in the state: after the server that they are a part of. A contract with every deployed stack. */

/** The parts of a server; its container and volumes only in Docker, its certificate only with TLS of the stack's own. */
export const PARTS = ["identity", "link", "server", "streams", "container", "config", "data", "certificate"] as const;
export type Part = (typeof PARTS)[number];

/** `oslo`, `link` -> `oslo-link`. */
export const resourceName = (server: string, part: Part): string => `${server}-${part}`;

/** Whether it is the name of one of these parts of the server. */
export const isPartOf = (name: string, server: string, parts: readonly Part[] = PARTS): boolean =>
  parts.some((part) => name === resourceName(server, part));

/** The server that the name is the part of; undefined when it is no such part. */
export const serverOf = (name: string, part: Part): string | undefined =>
  name.endsWith(`-${part}`) ? name.slice(0, -`-${part}`.length) : undefined;

/** What an engine has besides the containers, named after its provider. */
export type EnginePart = "network" | "image" | "watcher-image";
export const engineResource = (provider: string, part: EnginePart): string => `${provider}-${part}`;

/** The test of one wave of sites, before its number. */
export const WAVE_TEST = "wave-";

/** The test of the whole fleet. */
export const SMOKE_TEST = "smoke-test";

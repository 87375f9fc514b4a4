/** A deployed fleet as its users see it: addresses, accounts and streams, and nothing secret. */

export interface DeployedFleet {
  stack: string;
  hub: DeployedServer;
  /** In the order of the settings. */
  sites: readonly DeployedSite[];
  streams: readonly DeployedStream[];
}

export interface DeployedServer {
  name: string;
  /** Client URL. */
  url: string;
  /** URL of its monitoring, on loopback; absent where nothing on this machine reaches it (in a container). */
  monitor?: string;
}

export interface DeployedSite extends DeployedServer {
  account: string;
  /** "hub": only the site itself can reach its client port. */
  reach: "direct" | "hub";
  expect: "online" | "offline";
}

export interface DeployedStream {
  /** Name on the hub. */
  name: string;
  mode: "perSite" | "merged";
  subjects: readonly string[];
}

/** A subject that the pattern stands for, for examples: `events.>` -> `events.hello`. */
export const exampleSubject = (pattern: string): string =>
  pattern
    .split(".")
    .map((token) => (token === ">" ? "hello" : token === "*" ? "any" : token))
    .join(".");

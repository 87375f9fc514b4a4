import { SiteSettings, StreamSettings } from "./settings";
import { ADMIN_PREFIX } from "./subjects";

/** Names derived from the settings; every one is the same wherever it is needed. */

export const SYSTEM_ACCOUNT = "SYS";
export const HUB_ACCOUNT = "HUB";

/** The account of a site, on the hub and at the site: `oslo-2` -> `OSLO_2`. */
export const accountOf = (siteName: string): string => siteName.toUpperCase().replaceAll("-", "_");

/**
 * The stream's name at a site. In "merged" mode it carries the site: the flow-control subject `$JS.FC.<stream>` is
 * exported by every site's account, and equal names collide there (nats-server issues 6431 and 7326).
 */
export const siteStreamName = (stream: Pick<StreamSettings, "name" | "collect">, siteName: string): string =>
  stream.collect.mode === "merged" ? `${stream.name}_${accountOf(siteName)}` : stream.name;

/** Whether a name means this stream: its own name, or its name at the site. */
export const isNamed = (stream: Pick<StreamSettings, "name" | "collect">, siteName: string, name: string): boolean =>
  stream.name === name || siteStreamName(stream, siteName) === name;

/** The account that holds the hub's stream. */
export const collectingAccount = (stream: Pick<StreamSettings, "collect">, siteName: string): string =>
  stream.collect.mode === "merged" ? HUB_ACCOUNT : accountOf(siteName);

/** The suffix of the names of probe streams, which stand in for real ones; no declared stream may use it. */
export const PROBE_SUFFIX = "_PROBE";

/** The stream that stands in for a real one that must not carry probes. */
export const probeStreamName = (streamName: string): string => `${streamName}${PROBE_SUFFIX}`;

/** Where a site's server is asked and reloaded through the hub, in the site's account: `_site.oslo.<request>`. */
export const adminPrefix = (siteName: string): string => `${ADMIN_PREFIX}.${siteName}`;

export const isOnline = (site: Pick<SiteSettings, "expect">): boolean => site.expect === "online";

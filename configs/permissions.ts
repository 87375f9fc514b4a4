import { adminPrefix } from "./names";
import { ADMIN_PREFIX, PROBE_PREFIX, SOURCE_PREFIX } from "./subjects";
import { SubjectRule } from "./server-config";

/** What each key may do; printed per collection mode in docs/permissions.md. */

interface Permissions {
  publish: SubjectRule;
  subscribe: SubjectRule;
}

/** The subject prefix under which a site's messages travel to the account HUB in "merged" mode. */
export const deliverPrefix = (siteName: string): string => `${SOURCE_PREFIX}.${siteName}`;

/**
 * The least that sourcing needs over a leaf link, as rights of the site's link key on the hub. `publish` is what
 * flows from the site to the hub, `subscribe` what the site may receive. Without an allow-list a site reaches the
 * whole JetStream API of its account on the hub. `$JS.S` delivers, `$JSC.R` answers the consumer request, `$JS.FC` is
 * flow control in both of its forms (without it sourcing stalls after about 2 MB); `_R_` answers requests that cross
 * accounts. A site that is reached through the hub also takes the requests of this program, and answers them.
 */
export function linkPermissions(siteName: string, merged: boolean, throughHub = false): Permissions {
  const publish = ["$JS.S.>", "$JSC.R.>"];
  const subscribe = [`$JS.${siteName}.API.CONSUMER.>`, "$JS.FC.>"];
  if (merged) publish.push("_R_.>", `${deliverPrefix(siteName)}.>`);
  if (throughHub) {
    publish.push("_INBOX.>");
    subscribe.push(`$JS.${siteName}.API.>`, `${adminPrefix(siteName)}.>`, `${PROBE_PREFIX}.>`);
  }
  return { publish: { allow: publish }, subscribe: { allow: subscribe } };
}

const STREAM_ADMIN = [
  ...["CREATE", "UPDATE", "DELETE", "PURGE", "SNAPSHOT", "RESTORE", "MSG.DELETE", "LEADER.STEPDOWN", "PEER.REMOVE"].map(
    (operation) => `STREAM.${operation}`,
  ),
];

/**
 * A site's applications may do everything in their account but change the streams that this program owns, publish
 * probes, forge what the servers exchange for sourcing, or reach another domain's JetStream.
 */
export function applicationPermissions(siteName: string, ownedStreams: readonly string[]): Permissions {
  const apis = ["$JS.API", `$JS.${siteName}.API`];
  const admin = apis.flatMap((api) =>
    ownedStreams.flatMap((stream) => STREAM_ADMIN.map((operation) => `${api}.${operation}.${stream}`)),
  );
  return {
    publish: {
      deny: [...admin, "$JS.S.>", "$JSC.>", `${SOURCE_PREFIX}.>`, `${ADMIN_PREFIX}.>`, `${PROBE_PREFIX}.>`],
    },
    subscribe: { deny: ["$JS.S.>", `${SOURCE_PREFIX}.>`, `${ADMIN_PREFIX}.>`] },
  };
}

/** The reader consumes what the hub collected and changes nothing but its own consumers. */
export function readerPermissions(): Permissions {
  const api = [
    "INFO",
    "STREAM.NAMES",
    "STREAM.LIST",
    "STREAM.INFO.*",
    "STREAM.MSG.GET.*",
    "DIRECT.GET.>",
    "CONSUMER.>",
  ];
  return {
    publish: { allow: [...api.map((request) => `$JS.API.${request}`), "$JS.ACK.>", "$JS.FC.>"] },
    subscribe: { allow: ["_INBOX.>"] },
  };
}

/** The subject of the probes of a stream; the only messages on real streams that this program publishes. */
export const probeSubject = (streamName: string, runId: string): string => `${PROBE_PREFIX}.${streamName}.${runId}`;

/** The pattern of all probes of a stream, which its configuration stores besides the declared subjects. */
export const probeSubjects = (streamName: string): string => `${PROBE_PREFIX}.${streamName}.>`;

import { MsgHdrs, headers } from "nats";
import { createHmac } from "node:crypto";
import { probeSubject } from "../../configs/permissions";
import { StreamSettings } from "../../configs/settings";
import { collectedSubject } from "../../configs/streams";
import { SiteAccess } from "../sourcing/collected";
import { StoredMessage } from "../../servers/nats/jetstream";

/** What a probe is, and how to tell it from any other message: only this program can make its mark. */

export const RUN_HEADER = "Probe-Run";
export const SITE_HEADER = "Probe-Site";
const NUMBER_HEADER = "Probe-Number";
const MARK_HEADER = "Probe-Mark";

/** What subject, headers and the server's own records add to a probe in a store, at most. */
export const OVERHEAD_BYTES = 1024;

const FILLER = 0x2e;

/** Whose probes they are. */
export interface Prober {
  stack: string;
  access: Pick<SiteAccess, "site" | "operator">;
  stream: StreamSettings;
}

/** The mark of one probe, made with a seed that no application has. */
const markOf = ({ stack, access: { site, operator } }: Prober, subject: string, number: string): string =>
  createHmac("sha256", operator).update([stack, site, subject, number].join("\n")).digest("hex").slice(0, 32);

/** The headers of a probe on `subject` at the site. */
export function probeHeaders(prober: Prober, subject: string, runId: string, number: number): MsgHdrs {
  const head = headers();
  head.set(RUN_HEADER, runId);
  head.set(SITE_HEADER, prober.access.site);
  head.set(NUMBER_HEADER, String(number));
  head.set(MARK_HEADER, markOf(prober, subject, String(number)));
  return head;
}

let filler = Buffer.alloc(0);

/** The payload of a probe: never changed, so all of them share their bytes. */
export function probePayload(bytes: number): Uint8Array {
  if (filler.length < bytes) filler = Buffer.alloc(bytes, FILLER);
  return filler.subarray(0, bytes);
}

/**
 * The number of a probe of the site's stream `name`, at either end; undefined for any other message. Nothing but a
 * probe passes: its payload says nothing, and its mark fits its subject.
 */
export function probeNumber(prober: Prober, name: string, message: StoredMessage): number | undefined {
  const { [RUN_HEADER]: run = "", [NUMBER_HEADER]: number = "", [MARK_HEADER]: mark } = message.headers;
  const subject = probeSubject(name, run);
  const { stream, access } = prober;
  if (message.subject !== subject && message.subject !== collectedSubject(stream, access.site, subject))
    return undefined;
  if (mark !== markOf(prober, subject, number)) return undefined;
  // Compared as a whole: a proof reads megabytes of each site.
  return Buffer.compare(message.payload, probePayload(message.payload.length)) === 0 ? Number(number) : undefined;
}

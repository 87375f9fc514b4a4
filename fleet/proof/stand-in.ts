import { createHmac } from "node:crypto";
import { probeStreamName, siteStreamName } from "../../configs/names";
import { collectedSubject, OWNER, hubStreamConfig, siteStreamConfig, sourceOf } from "../../configs/streams";
import { probeSubjects } from "../../configs/permissions";
import { JetStream } from "../../servers/nats/jetstream";
import { Refusal } from "../../machine/refusal";
import { Prober, probeNumber } from "./probe-message";
import { Known, othersIn } from "./removal";

/** A pair of streams beside the real ones, in the same accounts and domains, for the time of the test. */

export interface Ends {
  site: JetStream;
  hub: JetStream;
}

/** Metadata that only this program can make; copied onto a stream of another name it is worth nothing. */
const MARK = "nats-hub-leaf.probes";

const markOf = ({ stack, access: { site, operator } }: Prober, name: string, end: keyof Ends): string =>
  createHmac("sha256", operator).update(["stand-in", stack, site, name, end].join("\n")).digest("hex").slice(0, 32);

export const standInName = ({ stream, access }: Prober): string => probeStreamName(siteStreamName(stream, access.site));

/** Makes the pair, each of at most so many bytes. */
export async function makeStandIn(prober: Prober, ends: Ends, bytes: number): Promise<void> {
  const { stream, access, stack } = prober;
  const { site } = access;
  const name = standInName(prober);
  // What a killed run left behind.
  await removeStandIn(prober, ends);
  const limits = { max_bytes: bytes, max_age: 0, discard: "new" as const, storage: "file" as const, num_replicas: 1 };
  const marked = (end: keyof Ends) => ({ metadata: { [OWNER]: stack, [MARK]: markOf(prober, name, end) } });
  const subjects = [probeSubjects(name)];
  await ends.site.createStream({
    ...siteStreamConfig(stream, site, stack),
    ...limits,
    ...marked("site"),
    name,
    subjects,
  });
  const transforms =
    stream.collect.mode === "merged"
      ? { subject_transforms: subjects.map((src) => ({ src, dest: collectedSubject(stream, site, src) })) }
      : {};
  const sources = [{ ...sourceOf(stream, site), ...transforms, name }];
  await ends.hub.createStream({ ...hubStreamConfig(stream, stack), ...limits, ...marked("hub"), name, sources });
}

/**
 * Takes the pair away; with `known`, what of the probes in it is known to be the program's own. Errors: a Refusal when a
 * stream of that name was not made by this stack for its probes, or holds anything else; it stays then.
 */
export async function removeStandIn(
  prober: Prober,
  ends: Ends,
  known: Partial<Record<keyof Ends, Known>> = {},
): Promise<void> {
  const name = standInName(prober);
  const refused: string[] = [];
  // The hub's first: it sources the site's.
  for (const end of ["hub", "site"] as const) {
    const js = ends[end];
    const info = await js.stream(name);
    if (info === undefined) continue;
    const where = end === "hub" ? "on the hub" : "at the site";
    const { metadata = {} } = info.config;
    if (metadata[OWNER] !== prober.stack || metadata[MARK] !== markOf(prober, name, end)) {
      refused.push(
        `stream ${name} ${where} was not made by this stack, but the probes need its name; rename it, or delete it if it is not needed`,
      );
      continue;
    }
    const isOwn = (message: Parameters<typeof probeNumber>[2]) => probeNumber(prober, name, message) !== undefined;
    const place = { js, name, isOwn, site: prober.access.site, stream: name, end };
    const others = await othersIn(place, known[end]?.count);
    if (others > 0)
      refused.push(`stream ${name} ${where} holds ${others} messages that are not probes; save and delete them`);
    else await js.deleteStream(name);
  }
  if (refused.length > 0) throw new Refusal(refused.join("; "));
}

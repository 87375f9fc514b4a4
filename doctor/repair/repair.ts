import { basename, resolve } from "node:path";
import { siteStreamName } from "../../configs/names";
import { StreamSettings } from "../../configs/settings";
import { PROBE_PREFIX } from "../../configs/subjects";
import { blockingFinding, describeFinding } from "../../diagnosis/diagnose";
import { acknowledge } from "../../fleet/book/record";
import { leave } from "../../fleet/sourcing/lost-tail";
import { Say, forgetRedelivery, moveOn, noteRedelivery, resume } from "./redelivery";
import { Refusal } from "../../machine/refusal";
import { Condition, conditionOf } from "../../fleet/observation/condition";
import { observe } from "../../fleet/observation/observe";
import type { Observed } from "../../fleet/observation/observed";
import { SILENT_AFTER_MS, becomesHeard, isActive, rearm } from "../../fleet/sourcing/source";
import { otherOwner } from "../../fleet/sourcing/stream-owner";
import { markUnproven } from "../../fleet/observation/unproven";
import { lookUntil } from "../../machine/until";

/**
 * Repairs one site's streams, on request. The repair first says what would be lost or doubled, and does that only with
 * its word.
 */

/**
 * "lost-tail": the messages that the site lost stay lost there. "redeliver", "leave": also, what the hub has skipped
 * since is delivered to it now, or never. "known": what the account book reports is acknowledged, and no longer
 * reported.
 */
export type Accept = "lost-tail" | "redeliver" | "leave" | "known";
export const ACCEPTS: readonly Accept[] = ["lost-tail", "redeliver", "leave", "known"];

export interface Repair {
  observed: Observed;
  streams: readonly StreamSettings[];
  accept?: Accept;
  /** What is written down with what is acknowledged. */
  note?: string;
  say: Say;
}

/** Does what can be done. Errors: a Refusal when that needs a word, or cannot be done here. */
export async function repairSite({ observed, streams, accept, note = "", say }: Repair): Promise<void> {
  const { site } = observed.access;
  const blocking = blockingFinding(await observe(observed));
  if (blocking !== undefined)
    throw new Refusal(`${describeFinding(blocking)}\nsite ${site}: nothing was repaired: fix the problem above first`);
  const found = await Promise.all(
    streams.map(async (stream) => ({ stream, condition: await conditionOf(observed, stream) })),
  );
  if (accept === "redeliver" && observed.access.throughHub === true)
    throw new Refusal(
      `site ${site}: it is reached through the hub, and its applications' subjects cannot be used that way: nothing can be ` +
        "stored there again; use ACCEPT=leave, and publish the messages again at the site",
    );
  const asking = found.flatMap(({ condition }) => questionOf(site, condition, accept) ?? []);
  if (asking.length > 0) throw new Refusal(asking.join("\n"));
  for (const { stream, condition } of found) await repairStream(observed, stream, condition, accept, say);
  if (accept === undefined) return;
  // What the repair itself showed is acknowledged with the rest.
  await observe(observed);
  for (const stream of streams) {
    const count = await acknowledge(observed.root, stream, site, note === "" ? `make repair ACCEPT=${accept}` : note);
    const about = `site ${site}, stream ${siteStreamName(stream, site)}`;
    if (count > 0) say(`${about}: recorded as known: ${plural(count, "difference")} of the account book`);
  }
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

/** What must be accepted first, in words; undefined for nothing, or when it is accepted. */
function questionOf(site: string, condition: Condition, accept: Accept | undefined): string | undefined {
  if (condition.kind !== "rolledBack" && condition.kind !== "overrun") return undefined;
  const { pair, skipped } = condition;
  const isMoving = accept === "redeliver" || accept === "leave";
  if (isMoving || (skipped === undefined && accept === "lost-tail")) return undefined;
  const { name, collectedAs, position, atSite } = pair;
  const { last_seq } = atSite.state;
  const since = skipped?.first ?? last_seq + 1;
  const upTo = condition.kind === "overrun" ? condition.last : position;
  const toSkip = upTo - last_seq;
  const heading = [
    `site ${site}, stream ${name}: the site lost its sequences ${since} to ${upTo}, which the hub took before (${collectedAs})`,
    "  lost      at the site, for good: the messages on these sequences; the hub still has them, but nothing restores them at the site",
  ];
  const aboutSkipped =
    skipped === undefined
      ? []
      : [
          `  skipped   ${plural(skipped.count, "message")} that the site has stored since then, on sequences ${skipped.first} to ${Math.min(upTo, last_seq)}: the hub does not have them`,
        ];
  const aboutMoving =
    condition.kind === "overrun"
      ? ["  without   nothing more is skipped: the site has since stored as much as it had lost"]
      : [
          `  without   the hub skips the next ${plural(toSkip, "message")} of the site, silently`,
          `  repair    moves the site's stream on to sequence ${position} with ${plural(toSkip, "empty message")} on '${PROBE_PREFIX}.${name}.…', purged immediately: nothing of the stream is removed`,
        ];
  const next =
    skipped === undefined
      ? [`  next      make repair SITE=${site} ACCEPT=lost-tail`]
      : [
          "  doubled   with 'redeliver' the skipped messages are stored again and reach the hub, once; consumers at the site that already got them get them twice",
          `  next      make repair SITE=${site} ACCEPT=redeliver, or ACCEPT=leave if the hub does not need them`,
        ];
  return [...heading, ...aboutSkipped, ...aboutMoving, ...next].join("\n");
}

async function repairStream(
  observed: Observed,
  stream: StreamSettings,
  condition: Condition,
  accept: Accept | undefined,
  say: Say,
): Promise<void> {
  const { access, root } = observed;
  const { site } = access;
  const stack = basename(resolve(root));
  if (condition.kind === "missing")
    throw new Refusal(
      `site ${site}: ${condition.where} is missing; 'make up' recreates it, and the site delivers what it still holds`,
    );
  const { pair } = condition;
  const about = `site ${site}, stream ${pair.name}`;
  const others = otherOwner(pair.atSite, stack) ?? otherOwner(pair.onHub, stack);
  if (others !== undefined) return say(`${about}: it, or hub stream ${pair.collectedAs}, ${others}: left as it is`);
  const again = async () => {
    await rearm(access, stream, stack);
    const heard = await becomesHeard(pair.hub, stream.name, site, HEARD_WITHIN_MS);
    say(
      `${about}: restarted the hub's source; ${heard ? "it hears from the site" : "it has not heard from the site yet"}`,
    );
  };
  // What an interrupted repair noted are sequences of the old stream.
  if (condition.kind === "recreated") forgetRedelivery(observed, pair.name);
  // Before the site is where the hub is, what is stored again would be skipped as well.
  else if (condition.kind !== "rolledBack") await resume(observed, stream, pair, say);
  switch (condition.kind) {
    case "good":
      return say(`${about}: nothing to repair`);
    case "stuck":
      return again();
    case "recreated":
      say(`${about}: the site has a new stream; messages that the old one had not delivered are lost`);
      // nats-server notices it at its next check.
      if (!(await comesDown(observed, stream))) await again();
      return;
    case "rolledBack": {
      markUnproven(root, site);
      const from = accept === "leave" ? undefined : condition.skipped?.first;
      await moveOn(observed, stream, pair, from ?? pair.atSite.state.last_seq + 1, say);
      leave(root, site, pair, pair.position);
      return again();
    }
    case "overrun": {
      const { skipped, last } = condition;
      markUnproven(root, site);
      if (accept === "redeliver") {
        noteRedelivery(observed, pair, { from: skipped.first, to: last });
        await resume(observed, stream, pair, say);
      } else say(`${about}: the hub will not get the ${plural(skipped.count, "message")} that it skipped`);
      leave(root, site, pair, last);
      if (!isActive(pair.onHub, site, SILENT_AFTER_MS)) await again();
      return;
    }
    case "hubBehind": {
      const { how, toCome, gone } = condition;
      const held = pair.atSite.state;
      say(
        `${about}: the hub's stream was ${how} since the last proof; the site holds ${plural(held.messages, "message")} ` +
          `(sequences ${held.first_seq} to ${held.last_seq}), of which ${toCome} are still to come`,
      );
      if (gone > 0)
        say(`${about}: ${plural(gone, "message")} that the hub had and the site no longer holds are gone for good`);
      if (toCome > 0) await again();
      else say(`${about}: nothing to deliver; 'make up' proves it and records the loss as known`);
      return;
    }
    default:
      return neverCondition(condition);
  }
}

function neverCondition(condition: never): never {
  throw new Error(`there is no condition ${JSON.stringify(condition)}`);
}

const HEARD_WITHIN_MS = 5_000;
const LOOKS_BY_ITSELF_MS = 2_000;

/** Waits until the hub's position is that of the site's new stream. */
async function comesDown(observed: Observed, stream: StreamSettings): Promise<boolean> {
  const look = async (): Promise<boolean> => {
    const { kind } = await conditionOf(observed, stream);
    return kind !== "recreated" && kind !== "stuck";
  };
  return await lookUntil(look, Boolean, { within: LOOKS_BY_ITSELF_MS, every: 100 });
}

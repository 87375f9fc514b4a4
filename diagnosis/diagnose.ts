import { SiteFacts, StreamFacts } from "./facts";
import { Draft, Finding } from "./finding";
import { PATH_RULES } from "./path-rules";
import { LOSS_RULES, STREAM_RULES } from "./stream-rules";

/** From facts to findings. Pure: the same facts give the same findings, so every rule is tested on its own. */

export { describeFinding, type Finding, type FindingCode } from "./finding";

function complete(draft: Draft, { site }: SiteFacts, stream?: StreamFacts): Finding {
  const symptom = stream === undefined ? "no data reaches the hub" : `stream ${stream.name} is not proven`;
  return { severity: "error", symptom, ...draft, site };
}

/** What keeps everything of the site from the hub, so that probes need not be sent; undefined when nothing does. */
export function blockingFinding(facts: SiteFacts): Finding | undefined {
  for (const rule of PATH_RULES) {
    const draft = rule(facts);
    if (draft !== undefined) return complete(draft, facts);
  }
  return undefined;
}

/** All findings of a site, most likely cause first; empty when everything that was seen is right. */
export function diagnose(facts: SiteFacts): Finding[] {
  const blocking = blockingFinding(facts);
  if (blocking !== undefined) return [blocking];
  const findings = facts.streams.flatMap((stream) => {
    const losses = LOSS_RULES.flatMap((rule) => rule(stream, facts) ?? []);
    const first = STREAM_RULES.map((rule) => rule(stream, facts)).find((draft) => draft !== undefined);
    return [...(first === undefined ? [] : [first]), ...losses].map((draft) => complete(draft, facts, stream));
  });
  // A step may have failed although the servers are fine: a stream of somebody else, for instance.
  const steps = facts.failedSteps.map((cause) =>
    complete(
      {
        code: "step-failed",
        cause,
        evidence: "the step of this site in 'pulumi up' failed",
        next: "cure what it names, then run 'pulumi up'",
      },
      facts,
    ),
  );
  return [...steps, ...findings];
}

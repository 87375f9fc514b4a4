import { NatsConnection } from "nats";
import { siteStreamName } from "../../../configs/names";
import { probeSubject } from "../../../configs/permissions";
import { probeHeaders, probePayload } from "../../../fleet/proof/probe-message";
import { STACK, TestFleet } from "./fleet";

/** Stores one probe as a run does that is killed before it can take it out again. */
export async function leaveProbe(
  fleet: TestFleet,
  operator: NatsConnection,
  { site, stream: name, runId }: { site: string; stream: string; runId: string },
): Promise<void> {
  const stream = fleet.stream(name);
  const subject = probeSubject(siteStreamName(stream, site), runId);
  const head = probeHeaders({ stack: STACK, access: fleet.accessAt(site), stream }, subject, runId, 1);
  await operator.jetstream().publish(subject, probePayload(64), { headers: head });
}

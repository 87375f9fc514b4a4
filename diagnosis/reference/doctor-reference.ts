import type { Reference } from "../engine/finding";

/** What the doctor alone finds: by looking again and again, and in fleets that others deployed. */
export const DOCTOR_FINDINGS = {
  "hub-stream-leaderless": {
    cause: "the hub's stream has no leader: too many servers of the hub are down, or do not reach each other",
    shows:
      "the hub's JetStream does not answer, and /jsz of a server of the hub knows no leader (in a fleet of others)",
    cure: "start the servers of the hub that are down: more than half of them must be there",
  },
  "stream-leader-unlinked": {
    cause: "another server of the site leads the stream than the ones that have a link to the hub",
    shows: "the leader in the stream's info, and the hub's list of links (in a fleet of others)",
    cure: "give every server of the site the leaf remote; or move the stream to a server that is linked",
  },
  "source-consumer-missing": {
    cause: "the hub's source uses a durable consumer, and the site has none of that name",
    shows: "the consumers of the site's stream (in a fleet of others)",
    cure: "create the consumer again, beginning after the last message that the hub has; then update the hub's stream without this source, and again with it",
  },
  "source-takes-nothing": {
    cause: "the filter of the hub's source takes none of the subjects of the site's stream",
    shows: "the filter and transforms of the source, and the subjects of the stream (in a fleet of others)",
    cure: "correct the filter or the transforms",
  },
  "messages-shared": {
    cause: "another site stores the site's messages too, and the hub takes them from both",
    shows:
      "the newest messages of the stream are in a stream of another site too, and that site's link asks the hub for their subjects (in a fleet of others)",
    cure: "give each site an account of its own on the hub, or deny the subjects in each leaf remote (deny_imports)",
  },
  "backlog-stuck": {
    cause: "messages wait at the site, and the hub's source takes none of them",
    shows: "the hub's position stays where it is, look after look, with a lag above 0",
    cure: "after a restart wait 40 s; then `make repair SITE=…`; when it stops again, `make up` proves the path and names the cause",
  },
} satisfies Record<string, Reference>;

export type DoctorCode = keyof typeof DOCTOR_FINDINGS;

import { BOOK_FINDINGS } from "../../../diagnosis/reference/book-reference";
import { Example, bookWith, withStream } from "./fixtures";

/** What the rules on the account book find. */
export const BOOK_EXAMPLES: Partial<Record<keyof typeof BOOK_FINDINGS, Example[]>> = {
  "messages-missing": [
    {
      it: "39 messages that a limit pushed out, with when and why",
      facts: withStream({ book: bookWith("missing", 39, "newer ones pushed them out") }),
      severity: "warning",
      cause: /^39 messages of stream EVENTS that the site acknowledged are neither on the hub nor waiting/,
      evidence:
        /39 messages between 2026-11-03T10:00:00Z and 2026-11-03T11:00:00Z: newer ones pushed them out\nthe book/,
      next: /make repair SITE=oslo STREAM=EVENTS ACCEPT=known/,
    },
    {
      it: "a message that nothing explains any more",
      facts: withStream({ book: bookWith("missing", 1) }),
      severity: "warning",
      cause: /^1 message of stream/,
      evidence: /1 message between .*: the servers no longer show why/,
      next: /ACCEPT=known/,
    },
  ],
  "messages-dropped": [
    {
      it: "messages that somebody purged on the hub",
      facts: withStream({ book: bookWith("dropped", 7) }),
      severity: "warning",
      cause: /^7 messages left the hub's stream OSLO\/EVENTS by no declared limit/,
      evidence: /7 messages between/,
      next: /ACCEPT=known/,
    },
  ],
};

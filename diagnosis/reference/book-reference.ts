import { warnings } from "../engine/finding";

/** What the account book reports: messages that are unaccounted for. */
export const BOOK_FINDINGS = warnings({
  "messages-missing": {
    cause:
      "messages that a site acknowledged are neither on the hub nor waiting at the site: a store went back in time, a limit or a person removed them before the hub took them, or the hub dropped them as duplicates",
    shows:
      "the account book (docs/book.md): all that the site ever stored, less all that the hub ever stored and what waits; the two looks between which it happened; and the cause, if the servers still showed it. Reported until it is acknowledged",
    cure: "find out what caused it, and publish again what is still available elsewhere; then `make repair SITE=… STREAM=… ACCEPT=known NOTE=…` records it as known",
  },
  "messages-doubled": {
    cause:
      "the hub's stream holds messages of the site once too often, because of a second source or subjects of its own",
    shows:
      "the account book: the hub stored more messages of the site than the site ever did. Reported until it is acknowledged",
    cure: "remove the second way into the hub's stream; then `make repair SITE=… STREAM=… ACCEPT=known NOTE=…`",
  },
  "messages-dropped": {
    cause:
      "something other than the declared limits removed messages from the hub's stream: a purge, a deletion, a limit set by hand, or a damaged block",
    shows:
      "the account book: all that the hub ever stored, less what it holds, what its limits explain, and the program's own probes. Reported until it is acknowledged",
    cure: "find out what caused it, and compare with a backup; then `make repair SITE=… STREAM=… ACCEPT=known NOTE=…`",
  },
});

import { warnings } from "../engine/finding";

/** What the account book tells: messages that nothing accounts for. */
export const BOOK_FINDINGS = warnings({
  "messages-missing": {
    cause:
      "messages that a site acknowledged are neither on the hub nor waiting at the site: a store went back in time, a limit or somebody's hand removed them before the hub took them, the hub dropped them as duplicates",
    shows:
      "the account book (docs/book.md): stored at the site ever, less what the hub stored ever and what waits; with the looks between which it happened, and the cause where the servers still showed it. Told until it is acknowledged",
    cure: "look for what did it, and publish again what is still available elsewhere; then `make repair SITE=… STREAM=… ACCEPT=known NOTE=…` writes down that it is known",
  },
  "messages-doubled": {
    cause: "the hub's stream holds messages of the site once too often: a second source, subjects of its own",
    shows: "the account book: the hub stored more of the site than the site ever did. Told until it is acknowledged",
    cure: "take away the second way into the hub's stream; then `make repair SITE=… STREAM=… ACCEPT=known NOTE=…`",
  },
  "messages-dropped": {
    cause:
      "messages left the hub's stream by something else than its declared limits: a purge, a deletion, a limit set by hand, a damaged block",
    shows:
      "the account book: stored on the hub ever, less what it holds, what its limits explain, and the program's own probes. Told until it is acknowledged",
    cure: "look for what did it, and compare with a backup; then `make repair SITE=… STREAM=… ACCEPT=known NOTE=…`",
  },
});

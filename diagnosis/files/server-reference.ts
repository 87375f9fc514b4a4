import { Reference, NO_DATA, NO_LINK, entry } from "./reference-entry";

/** What nats-server itself shows: what it reads without a word, refuses, and does with the files in a rehearsal. */
export const SERVER_FINDINGS = {
  "setting-repeated": entry(
    "error",
    "a setting stands twice in one block, and nats-server forgets the first one",
    "what the first one says is not there: users, remotes or limits, without a word",
    "write it once, with all that belongs to it",
  ),
  "variable-quoted": entry(
    "error",
    "a variable stands in quotes, where nats-server does not replace it",
    "the text itself is the value: as a token or a password it is one that everybody can read in the file",
    "write the variable without quotes",
  ),
  "value-not-text": entry(
    "error",
    "a password, token or name reads as a number, a size or yes or no",
    'nats-server refuses the file, with the words "interface conversion"',
    "put it in quotes; in a variable of the environment the quotes belong into its value",
  ),
  "file-missing": entry(
    "warning",
    "a file that the configuration names is not on this machine",
    "the server does not start, unless it runs where the file is",
    "correct the path, or check where the file is",
  ),
  "server-refuses": entry(
    "error",
    "nats-server -t refuses the file",
    "the server does not start, or keeps its old configuration on a reload",
    "correct what nats-server names",
  ),
  "start-refused": entry(
    "error",
    "nats-server -t accepts the file, and the server does not start with it",
    "the server ends at once",
    "correct what nats-server names",
  ),
  "link-refused": entry("error", "real servers with these files get no link", NO_LINK, "correct what the servers name"),
  "sourcing-failed": entry(
    "error",
    "with these files the link is up, and a stream of the site does not come to the hub",
    NO_DATA,
    "let the link's user publish $JS.S.> and $JSC.R.> and subscribe $JS.<domain>.API.CONSUMER.> and $JS.FC.>",
  ),
} as const satisfies Record<string, Reference>;

import { Reference, NO_DATA, NO_LINK, entry } from "./reference-entry";

/** What nats-server itself shows: what it silently reads, what it refuses, and what it does with the files in a rehearsal. */
export const SERVER_FINDINGS = {
  "setting-repeated": entry(
    "error",
    "a setting appears twice in one block, and nats-server ignores the first one",
    "what the first one sets is silently missing: users, remotes or limits",
    "write it once, with everything that belongs in it",
  ),
  "variable-quoted": entry(
    "error",
    "a variable is in quotes, so nats-server does not replace it",
    "the text itself is the value: anyone who reads the file knows this token or password",
    "write the variable without quotes",
  ),
  "value-not-text": entry(
    "error",
    "a password, token or name is read as a number, a size or a boolean",
    'nats-server refuses the file with the error "interface conversion"',
    "put it in quotes; in an environment variable, put the quotes into its value",
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
    "correct what nats-server reports",
  ),
  "start-refused": entry(
    "error",
    "nats-server -t accepts the file, and the server does not start with it",
    "the server exits immediately",
    "correct what nats-server reports",
  ),
  "link-refused": entry(
    "error",
    "real servers with these files do not link",
    NO_LINK,
    "correct what the servers report",
  ),
  "sourcing-failed": entry(
    "error",
    "with these files the link is up, but a stream of the site does not reach the hub",
    NO_DATA,
    "let the link's user publish $JS.S.> and $JSC.R.> and subscribe $JS.<domain>.API.CONSUMER.> and $JS.FC.>",
  ),
} as const satisfies Record<string, Reference>;

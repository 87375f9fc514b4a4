import { LINK_FINDINGS } from "./link-reference";
import { Reference, NO_DATA, NO_LINK, NO_START, entry } from "./reference-entry";
import { SERVER_FINDINGS } from "./server-reference";

/** The reference of findings over configuration files that were written by hand, for the docs. */

export const CONFIG_FINDINGS = {
  "seed-in-credentials": entry(
    "error",
    "the nkey seed is in the leaf remote's `credentials`, which is the path of a JWT credentials file (nats-server issue 6723)",
    `${NO_LINK}; it logs the seed in plain text at every attempt`,
    "put the seed in `nkey` and remove `credentials`; make a new key if the server ever ran with it",
  ),
  "seed-file-in-credentials": entry(
    "error",
    "the file in the leaf remote's `credentials` holds a seed but no JWT (nats-server issue 6723)",
    `${NO_LINK}; it logs "Credentials file malformed" once, the hub "Authentication Timeout"`,
    "put the seed itself in `nkey` and remove `credentials`",
  ),
  "credentials-malformed": entry(
    "error",
    "the file in the leaf remote's `credentials` is not a credentials file: it lacks the JWT, the seed, or both",
    NO_LINK,
    "for an nkey use `nkey` with the seed; for a JWT create the file again",
  ),
  "credentials-missing": entry(
    "warning",
    "the file in the leaf remote's `credentials` is not on this machine",
    `${NO_LINK}, unless the server runs where the file is`,
    "correct the path; for an nkey use `nkey` with the seed instead",
  ),
  "credentials-and-nkey": entry(
    "error",
    "the leaf remote has both `credentials` and `nkey`",
    "nats-server refuses the file",
    "keep `nkey` for a hub with users, `credentials` for one with operators",
  ),
  "credentials-not-nkey": entry(
    "error",
    "the leaf remote uses a JWT credentials file, and the hub knows its users without JWTs",
    NO_LINK,
    "use `nkey` with the seed of a user that the hub knows",
  ),
  "nkey-not-a-seed": entry(
    "error",
    "the leaf remote's `nkey` is not the seed of a user key",
    "nats-server refuses the file, and prints the value in plain text",
    "give the seed itself: 58 characters that start with SU",
  ),
  "no-authentication": entry(
    "error",
    "the leaf remote has no `nkey`, no `credentials` and no user",
    `${NO_LINK}; with no_auth_user on the hub the link is up in the wrong account`,
    "give it an `nkey`, and the hub a user with its public key",
  ),
  "unknown-key": entry(
    "error",
    "the hub has no user with the public key of the leaf remote's seed",
    `${NO_LINK}; the hub logs "authentication error"`,
    "add the public key to the users of the account that collects this site",
  ),
  "unknown-user": entry(
    "error",
    "the hub has no user with the name in the leaf remote's url",
    `${NO_LINK}; the hub logs "authentication error"`,
    "correct the name, or add the user to an account of the hub",
  ),
  "wrong-password": entry(
    "error",
    "the password or the token in the leaf remote's url is not the one that the hub knows",
    `${NO_LINK}; the hub logs "authentication error"`,
    "write the same at both ends; in a url, percent-encode every character other than letters, digits, - and _",
  ),
  "user-not-for-leafnodes": entry(
    "error",
    "the hub's user for this link may not open leaf connections",
    `${NO_LINK}; the hub logs "authentication error"`,
    "add LEAFNODE to its allowed_connection_types",
  ),
  "user-key-invalid": entry(
    "error",
    "a user's `nkey` is not a public user key",
    "nats-server refuses the file",
    "give the public key, 56 characters that start with U; the seed belongs to the other end",
  ),
  "wrong-account": entry(
    "error",
    "the hub binds the link to the wrong account",
    NO_DATA,
    "move the user with this key to the account of the site",
  ),
  "hub-without-users": entry(
    "error",
    "the hub has no users, so it lets every leaf server into $G, whatever its key",
    "the link is up in $G; streams in other accounts get nothing, and strangers get in",
    "give each site an account with a user that has its public key",
  ),
  "no-auth-user": entry(
    "warning",
    "the hub treats anyone who does not log in as the user of no_auth_user",
    "a leaf server with a mistake in its authentication is silently linked in the wrong account",
    "remove no_auth_user from the hub",
  ),
  "open-connection-types": entry(
    "warning",
    "the link's user has no allowed_connection_types",
    "the key of a site also opens the hub's port for clients",
    'add allowed_connection_types: ["LEAFNODE"]',
  ),
  "remote-without-account": entry(
    "error",
    "the leaf remote names no account, and binds $G while the server has accounts of its own",
    NO_DATA,
    "add `account` with the account that holds the streams",
  ),
  "local-account-unknown": entry(
    "error",
    "the leaf remote names an account that the leaf server does not have",
    NO_START,
    "correct the name, or define the account",
  ),
  "authorization-shadows-accounts": entry(
    "error",
    "leafnodes.authorization on the hub overrides the users of its accounts, so no leaf server can log in as one of them",
    NO_LINK,
    "remove leafnodes.authorization, and give each site a user in its account",
  ),
  "authorization-account-unknown": entry(
    "error",
    "leafnodes.authorization names an account that the hub does not have",
    NO_START,
    "correct the name, or define the account",
  ),
  "system-account-unknown": entry(
    "error",
    "system_account names an account that the server does not have",
    NO_START,
    "correct the name, or define the account",
  ),
  "no-auth-user-unknown": entry(
    "error",
    "no_auth_user names a user that the server does not have",
    NO_START,
    "remove no_auth_user",
  ),
  "public-export": entry(
    "warning",
    "an account has an export without `accounts`",
    "every account of the server may import it, even another site's",
    "add `accounts` with the accounts that may import it",
  ),
  "leaf-without-domain": entry(
    "error",
    "the leaf server's JetStream has no domain, by which the hub addresses it",
    NO_DATA,
    "give it a `domain` of its own, and use it in the hub's source: $JS.<domain>.API",
  ),
  "domain-with-dot": entry("error", "a JetStream domain has a dot in it", NO_START, "use a name without dots"),
  "equal-domains": entry(
    "error",
    "hub and leaf server have the same JetStream domain",
    "requests for the site are answered by the hub itself; no data, no error",
    "give each server a domain of its own",
  ),
  "site-server-without-link": entry(
    "warning",
    "a server of the site keeps streams and has no link to the hub",
    "a stream that this server leads is never sourced: no data, no error",
    "give every server of the site's cluster the leaf remote",
  ),
  "cluster-without-quorum": entry(
    "error",
    "half of the servers of a cluster, or fewer, have JetStream",
    "JetStream never gets a leader, for it counts every server of the cluster; requests are not answered",
    "give JetStream to more than half of the servers, better to all",
  ),
  "cluster-domains": entry(
    "error",
    "servers of one cluster have different JetStream domains",
    "they choose no leader together: streams cannot be made, and requests time out",
    "give every server of the cluster the same domain",
  ),
  "domain-doubled": entry(
    "error",
    "two leaf servers with the same JetStream domain link to one account of the hub",
    "either may answer for the other: data of one site, or none",
    "give each server a domain of its own",
  ),
  "hub-account-without-jetstream": entry(
    "error",
    "neither the hub's account for the link nor any account that imports from it has JetStream",
    "a stream cannot be created there: the request times out",
    "add jetstream: enabled to the account on the hub",
  ),
  "leaf-account-without-jetstream": entry(
    "error",
    "the account of the leaf server that the link binds has no JetStream",
    "there can be no stream to source",
    "add jetstream: enabled to the account, or bind the one that has it",
  ),
  "leaf-without-jetstream": entry(
    "warning",
    "the leaf server has no JetStream, so nothing can be sourced from it",
    "messages that are published while the link is down are lost",
    "add jetstream with a domain and a store_dir, if the site keeps streams",
  ),
  "no-room-for-streams": entry(
    "error",
    "JetStream may store less than one message of usual size",
    "a stream cannot be made, or stops with its first messages: insufficient storage",
    "raise the limit, or remove it",
  ),
  "sync-interval": entry(
    "warning",
    "the leaf server flushes its streams to disk every two minutes, the default",
    "after a power failure the last acknowledged messages are gone, and the hub silently skips as many new ones",
    "set sync_interval: always in its jetstream",
  ),
  "store-in-tmp": entry(
    "warning",
    "JetStream keeps its data in a folder for temporary files",
    "the streams are gone after a restart of the machine, or after a clean-up",
    "set store_dir to a permanent folder",
  ),
  "store-shared": entry(
    "error",
    "two servers of one machine have the same store_dir",
    "they overwrite each other's streams",
    "give each server a store_dir of its own",
  ),
  "max-payload": entry(
    "warning",
    "the hub's max_payload is smaller than the leaf server's",
    "a message that the site accepts but the hub does not breaks the link each time it is sourced",
    "raise max_payload on the hub, or lower the leaf server's",
  ),
  ...LINK_FINDINGS,
  "sourcing-blocked": entry(
    "error",
    "the link's permissions forbid what sourcing needs: the consumer request, its answer, or the delivery",
    NO_DATA,
    "allow what the finding names",
  ),
  "flow-control-blocked": entry(
    "error",
    "flow control ($JS.FC.>) does not reach the site",
    "small volumes work; sourcing stalls after about 2 MB",
    'allow "$JS.FC.>" to the link, and, where an account imports the site, export and import it too, in both forms',
  ),
  "flow-control-one-form": entry(
    "warning",
    "flow control may pass as `$JS.FC.<stream>.>` only, and not as `$JS.FC.<domain>.*.<stream>.>`, which nats-server is to use by default from 2.16 on (`js_ack_fc_v2`)",
    "sourcing works today; with nats-server 2.16 at the site it stalls after about 2 MB, with error 10228",
    "allow both forms to the link, and where an account imports the site, export and import both",
  ),
  ...SERVER_FINDINGS,
} as const satisfies Record<string, Reference>;

export type ConfigFindingCode = keyof typeof CONFIG_FINDINGS;

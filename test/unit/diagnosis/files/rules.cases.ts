import type { ConfigFindingCode } from "../../../../diagnosis/files/reference";
import { ACCOUNT_KEY, ACCOUNT_SEED, KEY, OTHER_SEED, SEED, edited } from "../../../support/fleets/hand-written";
import {
  EVERYWHERE,
  Files,
  FOR_BOTH,
  HUB_TLS,
  JWT,
  LISTEN,
  NKEY,
  REMOTE_TLS,
  SECOND,
  USERS,
  credentials,
  rights,
} from "./edits";
import { MORE_MISTAKES } from "./rules.more-cases";

/** Mistakes in hand-written files, and everything that is said of each. */
export interface Mistake extends Files {
  finds: readonly ConfigFindingCode[];
  /** Of the first finding. */
  where?: RegExp;
  evidence?: RegExp;
}

export const MISTAKES: Readonly<Record<string, Mistake>> = {
  "a seed in credentials (nats-server issue 6723)": {
    leaf: [["nkey:", "credentials:"]],
    finds: ["seed-in-credentials"],
    where: /^leaf\.conf:20$/,
    evidence: /^credentials holds SU…\(masked\)$/,
  },
  "a seed in creds, the other name of it": { leaf: [["nkey:", "creds:"]], finds: ["seed-in-credentials"] },
  "the seed of an account in credentials": {
    leaf: [[NKEY, `credentials: ${ACCOUNT_SEED}`]],
    finds: ["seed-in-credentials"],
  },
  "a whole credentials file in credentials": {
    leaf: [[NKEY, `credentials: "${credentials(JWT, SEED)}"`]],
    finds: ["seed-in-credentials"],
  },
  "a file with a bare seed in credentials": {
    leaf: [[NKEY, "credentials: leaf.nk"]],
    named: { "leaf.nk": `${SEED}\n` },
    finds: ["seed-file-in-credentials"],
    evidence: /leaf\.nk holds SU…\(masked\) but no JWT/,
  },
  "a file with a decorated seed and no JWT in credentials": {
    leaf: [[NKEY, "credentials: leaf.nk"]],
    named: { "leaf.nk": credentials(JWT, SEED).replace(/^[\s\S]*?\n\n/, "") },
    finds: ["seed-file-in-credentials"],
  },
  "a credentials file with a JWT that is none": {
    leaf: [[NKEY, "credentials: leaf.creds"]],
    named: { "leaf.creds": credentials("dummy", SEED) },
    finds: ["seed-file-in-credentials"],
  },
  "a credentials file without a seed": {
    leaf: [[NKEY, "credentials: leaf.creds"]],
    named: { "leaf.creds": credentials(JWT, "none") },
    finds: ["credentials-malformed"],
  },
  "a file of something else in credentials": {
    leaf: [[NKEY, "credentials: leaf.creds"]],
    named: { "leaf.creds": "something else" },
    finds: ["credentials-malformed"],
    evidence: /neither a JWT nor a seed/,
  },
  "a credentials file that is missing": {
    leaf: [[NKEY, "credentials: leaf.creds"]],
    finds: ["credentials-missing", "credentials-not-nkey"],
  },
  "a good credentials file for a hub without operators": {
    leaf: [[NKEY, "credentials: leaf.creds"]],
    named: { "leaf.creds": credentials(JWT, SEED) },
    finds: ["credentials-not-nkey"],
  },
  "nkey and credentials": {
    leaf: [["account: SITE", "account: SITE, credentials: leaf.creds"]],
    named: { "leaf.creds": credentials(JWT, SEED) },
    finds: ["credentials-and-nkey"],
  },
  "the seed of an account for nkey": { leaf: [[NKEY, `nkey: ${ACCOUNT_SEED}`]], finds: ["nkey-not-a-seed"] },
  "a public key for nkey": {
    leaf: [[NKEY, `seed: ${KEY}`]],
    finds: ["nkey-not-a-seed"],
    evidence: new RegExp(`public key.*: ${KEY}`),
  },
  "a path for nkey": { leaf: [[NKEY, 'nkey: "/etc/nats/leaf.nk"']], finds: ["nkey-not-a-seed"], evidence: /is a path/ },
  "a damaged seed for nkey": {
    leaf: [[NKEY, `nkey: ${SEED.slice(0, -1)}`]],
    finds: ["nkey-not-a-seed"],
    evidence: /^nkey is not a valid seed[^S]*$/,
  },
  "no authentication": { leaf: [[NKEY, ""]], finds: ["no-authentication"], where: /^leaf\.conf:17$/ },
  "no authentication, and no_auth_user": {
    hub: [["system_account: SYS", "system_account: SYS\nno_auth_user: hub"]],
    leaf: [[NKEY, ""]],
    finds: ["no-auth-user", "no-authentication"],
  },
  "a certificate alone, for a hub that asks for keys": {
    hub: [[LISTEN, HUB_TLS]],
    leaf: [
      [NKEY, ""],
      ["account: SITE", `account: SITE\n ${REMOTE_TLS}`],
    ],
    finds: ["no-authentication"],
  },
  "a certificate that the hub without users does not ask for": {
    hub: [
      [LISTEN, HUB_TLS.replace("verify: true", "verify: false")],
      [/accounts \{[\s\S]*/, ""],
    ],
    leaf: [
      [NKEY, ""],
      ["account: SITE", `account: SITE\n ${REMOTE_TLS}`],
    ],
    finds: ["no-authentication", "hub-without-users"],
  },
  "an unknown key": { leaf: [[NKEY, `nkey: ${OTHER_SEED}`]], finds: ["unknown-key"], evidence: /1 other key$/ },
  "a key that is a name's on the hub": {
    hub: [[`nkey: ${KEY}`, "user: somebody"]],
    finds: ["unknown-key"],
    evidence: /no keys/,
  },
  "a key let in by no_auth_user, for the hub has no keys": {
    hub: [
      [`nkey: ${KEY}`, "user: somebody"],
      ["system_account: SYS", "system_account: SYS\nno_auth_user: hub"],
    ],
    finds: ["no-auth-user", "unknown-key"],
  },
  "an unknown user": {
    leaf: [
      [NKEY, ""],
      ["nats-leaf://", "nats-leaf://nobody:x@"],
    ],
    finds: ["unknown-user"],
  },
  "a user who may not open leaf connections": {
    hub: [['["LEAFNODE"]', '["STANDARD"]']],
    finds: ["user-not-for-leafnodes"],
    where: /^hub\.conf:18$/,
  },
  "a seed for the hub's key": {
    hub: [[`nkey: ${KEY}`, `nkey: ${SEED}`]],
    finds: ["user-key-invalid", "unknown-key"],
    evidence: /nkey SU…\(masked\)/,
  },
  "an account's key for the hub's key": {
    hub: [[`nkey: ${KEY}`, `nkey: ${ACCOUNT_KEY}`]],
    finds: ["user-key-invalid", "unknown-key"],
  },
  "a key in another account": {
    hub: [["SITE_A {", "SITE {\n jetstream: true\n }\n SITE_A {"]],
    finds: ["wrong-account"],
    evidence: /binds SITE \(leaf\.conf:19\), and the hub binds it to SITE_A/,
  },
  "a key in the system account": {
    hub: [
      [USERS, "user: a, password: a\n"],
      ["{user: sys, password: sys}", `{nkey: ${KEY}, allowed_connection_types: [leafnode]}`],
    ],
    finds: ["hub-account-without-jetstream", "wrong-account"],
  },
  "a hub without users": {
    hub: [[/accounts \{[\s\S]*/, ""]],
    finds: ["hub-without-users"],
    where: /^hub\.conf:10$/,
  },
  "a hub with users of the system account only": {
    hub: [[/ {2}SITE_A \{[\s\S]*\n\}/, "}"]],
    finds: ["hub-without-users", "unknown-key"],
  },
  "no_auth_user on the hub": {
    hub: [["system_account", "no_auth_user: hub\nsystem_account"]],
    finds: ["no-auth-user"],
  },
  "no_auth_user that is nobody": {
    leaf: [["system_account", "no_auth_user: x\nsystem_account"]],
    finds: ["no-auth-user-unknown"],
  },
  "a key for every kind of connection": {
    hub: [[/ +allowed_connection_types.*\n/, ""]],
    finds: ["open-connection-types"],
  },
  "a remote without an account": {
    leaf: [[/ +account: SITE\n/, ""]],
    finds: ["remote-without-account"],
    where: /^leaf\.conf:17$/,
  },
  "an account that the leaf server does not have": {
    leaf: [["account: SITE", "local: SIET"]],
    finds: ["local-account-unknown"],
    where: /^leaf\.conf:19$/,
  },
  "leafnodes.authorization beside accounts": {
    hub: [[LISTEN, `${LISTEN}\n authorization { user: leaf, password: leaf, account: SITE_A }`]],
    finds: ["authorization-shadows-accounts"],
  },
  "leafnodes.authorization with users beside accounts": {
    hub: [[LISTEN, `${LISTEN}\n authorization { users: [ {user: leaf, password: leaf, account: SITE_A} ] }`]],
    finds: ["authorization-shadows-accounts"],
  },
  "leafnodes.authorization for an unknown account": {
    hub: [[LISTEN, `${LISTEN}\n authorization { nkey: ${KEY}, account: NOBODY }`]],
    finds: ["authorization-account-unknown"],
  },
  "a system account that is not there": {
    hub: [["system_account: SYS", "system_account: SYSTEM"]],
    finds: ["system-account-unknown"],
  },
  "an export to everybody": {
    hub: [["response_type: stream, accounts: [HUB]", "response_type: stream"]],
    finds: ["public-export"],
    where: /^hub\.conf:28$/,
  },
  "a leaf server without a domain": {
    leaf: [[/ +domain.*\n/, ""]],
    finds: ["leaf-without-domain"],
    where: /^leaf\.conf:5$/,
  },
  "a domain with a dot": {
    leaf: [["domain: site-a", "domain: site.a"]],
    hub: [[/"\$JS\.site-a\.API\.CONSUMER\.>", "\$JS\.FC\.>"/, '"$JS.site.a.API.CONSUMER.>", "$JS.FC.>"']],
    finds: ["domain-with-dot"],
  },
  "one domain on hub and leaf": {
    hub: [["domain: hub", "domain: site-a"]],
    finds: ["equal-domains"],
    where: /^leaf\.conf:7$/,
  },
  "one domain on two leaf servers in one account": {
    hub: FOR_BOTH,
    others: { "second.conf": edited(SECOND, [["domain: site-b", "domain: site-a"]]) },
    finds: ["domain-doubled"],
    where: /^second\.conf:7$/,
  },
  "one domain on the last two of three leaf servers in one account": {
    hub: FOR_BOTH,
    others: {
      "second.conf": SECOND,
      "third.conf": edited(SECOND, [
        ["leaf-b", "leaf-c"],
        ["4224", "4225"],
        ["8224", "8225"],
        ["/data/leaf-b", "/data/leaf-c"],
      ]),
    },
    finds: ["domain-doubled"],
    where: /^third\.conf:7$/,
    evidence: /at second\.conf:7; both link/,
  },
  "an account of the hub without JetStream": {
    hub: [
      [/jetstream: enabled\n {4}users: \[\n/, "users: [\n"],
      [/jetstream: enabled/, "jetstream: disabled"],
    ],
    finds: ["hub-account-without-jetstream"],
  },
  "a hub without JetStream": { hub: [["domain: hub", "enabled: false"]], finds: ["hub-account-without-jetstream"] },
  "an account of the leaf server without JetStream": {
    leaf: [["SITE { jetstream: enabled,", "SITE {"]],
    finds: ["leaf-account-without-jetstream"],
  },
  "a leaf server without JetStream": {
    leaf: [[/jetstream \{[\s\S]*?\}/, "jetstream: off"]],
    finds: ["leaf-without-jetstream"],
  },
  "the default flush of a leaf server": { leaf: [[/ +sync_interval.*\n/, ""]], finds: ["sync-interval"] },
  "a store among temporary files": {
    leaf: [["/data/leaf-a", "/tmp/leaf-a"]],
    finds: ["store-in-tmp"],
    where: /^leaf\.conf:6$/,
  },
  "no store at all": { leaf: [[/ +store_dir.*\n/, ""]], finds: ["store-in-tmp"] },
  "one store for two servers of a machine": { leaf: [["/data/leaf-a", "/data/hub/"]], finds: ["store-shared"] },
  "a hub that takes smaller messages": {
    hub: [["system_account", "max_payload: 64KB\nsystem_account"]],
    finds: ["max-payload"],
    evidence: /65536 on the hub, 1048576 at leaf-a/,
  },
  "the hub's port for clients": {
    leaf: [["127.0.0.1:7422", "127.0.0.1:4222"]],
    finds: ["hub-client-port"],
    where: /^leaf\.conf:18$/,
  },
  "plain text off the machine": {
    hub: [EVERYWHERE],
    leaf: [["//127.0.0.1:", "//hub.example.com:"]],
    finds: ["plain-text"],
  },
  "plain text off the machine in spite of the scheme": {
    hub: [EVERYWHERE],
    leaf: [["nats-leaf://127.0.0.1:", "tls://hub.example.com:"]],
    finds: ["plain-text"],
  },
  "TLS at the leaf's end only": { leaf: [["account: SITE", `account: SITE\n ${REMOTE_TLS}`]], finds: ["tls-one-end"] },
  "TLS at the hub's end only": { hub: [[LISTEN, HUB_TLS.replace(", verify: true", "")]], finds: ["tls-authority"] },
  "TLS without the certificate that the hub asks for": {
    hub: [[LISTEN, HUB_TLS]],
    leaf: [["account: SITE", "account: SITE\n tls { ca_file: ca.pem }"]],
    finds: ["tls-client-certificate"],
  },
  "handshake_first at one end": {
    hub: [[LISTEN, HUB_TLS.replace("verify", "handshake_first: true, verify")]],
    leaf: [["account: SITE", `account: SITE\n ${REMOTE_TLS}`]],
    finds: ["handshake-first"],
  },
  "handshake_first at the other end": {
    hub: [[LISTEN, HUB_TLS]],
    leaf: [["account: SITE", `account: SITE\n ${REMOTE_TLS.replace(" }", ", handshake_first: true }")}`]],
    finds: ["handshake-first"],
  },
  "one name on hub and leaf": { leaf: [["server_name: leaf-a", "server_name: hub"]], finds: ["server-name-doubled"] },
  "monitoring for everybody": { hub: [['http: "127.0.0.1:8222"', "http: 0.0.0.0:8222"]], finds: ["monitoring-open"] },
  "monitoring by port, where clients come from everywhere": {
    hub: [
      ['http: "127.0.0.1:8222"', "http_port: 8222"],
      ['listen: "127.0.0.1:4222"', "port: 4222"],
    ],
    finds: ["monitoring-open"],
  },
  "an answer that is not allowed": {
    hub: rights('{ allow: ["$JS.S.>", "agg.>"] }', '{ deny: ["x"] }'),
    finds: ["sourcing-blocked"],
    evidence: /may not publish \$JSC\.R\.>$/,
  },
  "a delivery that is not allowed": {
    hub: rights('["$JSC.R.>"]', "{}"),
    finds: ["sourcing-blocked"],
    evidence: /may not publish \$JS\.S\.>, nor publish agg/,
  },
  "a request that is not allowed": {
    hub: rights("{}", '["$JS.FC.>"]'),
    finds: ["sourcing-blocked"],
    evidence: /subscribe \$JS\.site-a\.API\.CONSUMER\.>$/,
  },
  "the request of another domain": {
    hub: rights("{}", '["$JS.FC.>", "$JS.site-b.API.>"]'),
    finds: ["sourcing-blocked"],
  },
  "a request that is denied": { hub: rights("{}", '{ deny: "$JS.*.API.>" }'), finds: ["sourcing-blocked"] },
  "a user who may only answer": {
    hub: [[/permissions: \{[\s\S]*?\n {8}\}/, "permissions: { allow_responses: true }"]],
    finds: ["sourcing-blocked"],
  },
  "the rights of everybody in the account": {
    hub: [
      [/permissions: \{[\s\S]*?\n {8}\}/, ""],
      ["SITE_A {", 'SITE_A {\n default_permissions: { subscribe: "$JS.site-a.API.>" }'],
    ],
    finds: ["flow-control-blocked"],
  },
  "flow control that is not allowed": { hub: rights("{}", '["$JS.site-a.API.>"]'), finds: ["flow-control-blocked"] },
  "JetStream kept from the leaf server": {
    leaf: [["account: SITE", 'account: SITE\n deny_imports: "$JS.>"']],
    finds: ["sourcing-blocked", "flow-control-blocked"],
    where: /^leaf\.conf:20$/,
  },
  "deliveries kept at the leaf server": {
    leaf: [["account: SITE", 'account: SITE\n deny_exports: ["a", "$JS.>"]']],
    finds: ["sourcing-blocked"],
  },
  "flow control that is not imported": {
    hub: [[/\n.*\$JS\.FC\..*EV_A\.>" \} \}/g, ""]],
    finds: ["flow-control-blocked"],
    evidence:
      /HUB imports \$JS\.site-a\.API\.CONSUMER\.> and no \$JS\.FC\.> of SITE_A; SITE_A exports it at hub\.conf:29/,
  },
  "flow control that is neither imported nor exported": {
    hub: [
      [/\n.*\$JS\.FC\..*EV_A\.>" \} \}/g, ""],
      [/\n.*service: "\$JS\.FC\..*EV_A\.>".*/g, ""],
    ],
    finds: ["flow-control-blocked"],
    evidence: /does not export it either/,
  },
  "flow control that is allowed in the first form only": {
    hub: rights("{}", '["$JS.site-a.API.>", "$JS.FC.EV_A.>"]'),
    finds: ["flow-control-one-form"],
    evidence: /may subscribe \$JS\.FC\.EV_A\.> and not \$JS\.FC\.site-a\.\*\.EV_A\.>, which nats-server is to use/,
  },
  "flow control of one of two streams that is allowed in the first form only": {
    hub: rights("{}", '["$JS.site-a.API.>", "$JS.FC.EV_A.>", "$JS.FC.site-a.*.EV_A.>", "$JS.FC.EV_B.>"]'),
    finds: ["flow-control-one-form"],
    evidence: /may subscribe \$JS\.FC\.EV_B\.> and not \$JS\.FC\.site-a\.\*\.EV_B\.>,/,
  },
  "flow control that is allowed for all streams in the first form only": {
    hub: rights("{}", '["$JS.site-a.API.>", "$JS.FC.*.*.*"]'),
    finds: ["flow-control-one-form"],
    evidence: /and not \$JS\.FC\.site-a\.\*\.\*\.>,/,
  },
  "flow control that is denied in the second form": {
    hub: rights("{}", '{ deny: "$JS.FC.site-a.>" }'),
    finds: ["flow-control-one-form"],
  },
  "flow control of the second form for another domain": {
    hub: rights("{}", '["$JS.site-a.API.>", "$JS.FC.EV_A.>", "$JS.FC.site-b.*.EV_A.>"]'),
    finds: ["flow-control-one-form"],
  },
  "flow control that is imported in the first form only": {
    hub: [[/\n.*\$JS\.FC\.site-a\.\*\.EV_A\.>" \} \}/, ""]],
    finds: ["flow-control-one-form"],
    evidence: /^HUB imports \$JS\.FC\.EV_A\.> of SITE_A and not \$JS\.FC\.site-a\.\*\.EV_A\.>,/,
  },
  "flow control that is allowed in the second form only": {
    hub: rights("{}", '["$JS.site-a.API.>", "$JS.FC.site-a.*.EV_A.>"]'),
    finds: ["flow-control-blocked"],
    evidence: /and not \$JS\.FC\.EV_A\.>, which nats-server up to 2\.15 uses$/,
  },
  "flow control that is imported in the second form only": {
    hub: [[/\n.*\$JS\.FC\.EV_A\.>" \} \}/, ""]],
    finds: ["flow-control-blocked"],
  },
  "flow control of the first form only, for a leaf server that uses the second": {
    hub: rights("{}", '["$JS.site-a.API.>", "$JS.FC.EV_A.>"]').concat([
      [/\n.*\$JS\.FC\.site-a\.\*\.EV_A\.>" \} \}/, ""],
    ]),
    leaf: [["server_name: leaf-a", "server_name: leaf-a\nfeature_flags { js_ack_fc_v2: true }"]],
    finds: ["flow-control-blocked", "flow-control-blocked"],
    evidence: /which the leaf server uses by its flag js_ack_fc_v2/,
  },

  "a delivery to another account that is not allowed": {
    hub: rights('["$JS.S.>", "$JSC.R.>"]', "{}"),
    finds: ["sourcing-blocked"],
    evidence: /may not publish agg\.site-a\.>$/,
  },
  "a delivery to another account that is not imported": {
    hub: [[/\n.*stream: {2}\{.*/, ""]],
    finds: ["sourcing-blocked"],
    evidence: /^HUB imports \$JS\.site-a\.API\.CONSUMER\.> and no stream of SITE_A$/,
  },

  // Two at once: both are named.
  "a seed in credentials, and no_auth_user, which does not let it in": {
    hub: [["system_account: SYS", "system_account: SYS\nno_auth_user: hub"]],
    leaf: [["nkey:", "credentials:"]],
    finds: ["seed-in-credentials", "no-auth-user"],
  },
  "good credentials let in by no_auth_user": {
    hub: [["system_account: SYS", "system_account: SYS\nno_auth_user: hub"]],
    leaf: [[NKEY, "credentials: leaf.creds"]],
    named: { "leaf.creds": credentials(JWT, SEED) },
    finds: ["credentials-not-nkey", "no-auth-user"],
    evidence: /no_auth_user of hub\.conf lets the link into HUB instead/,
  },
  "a seed in credentials, and no account": {
    leaf: [
      ["nkey:", "credentials:"],
      [/ +account: SITE\n/, ""],
    ],
    finds: ["remote-without-account", "seed-in-credentials"],
  },
  "an unknown key, and flow control that is not imported": {
    hub: [[/\n.*\$JS\.FC\.EV_A\.>" \} \}/, ""]],
    leaf: [[NKEY, `nkey: ${OTHER_SEED}`]],
    finds: ["unknown-key"],
  },
  "equal domains, and a payload that is too large": {
    hub: [
      ["domain: hub", "domain: site-a"],
      ["system_account", "max_payload: 1000\nsystem_account"],
    ],
    finds: ["max-payload", "equal-domains"],
  },
  "an account without JetStream, and one that is unknown": {
    hub: [["domain: hub", "enabled: false"]],
    leaf: [["system_account: SYS", "system_account: SYSTEM"]],
    finds: ["hub-account-without-jetstream", "system-account-unknown"],
  },
  ...MORE_MISTAKES,
};

import { hashSync } from "bcryptjs";
import { ACCOUNT_KEY, KEY, OPERATOR_KEY, SEED } from "../../../support/fleets/hand-written";
import { Files, FOR_BOTH, HUB_TLS, JWT, LISTEN, NKEY, REMOTE_TLS, SECOND, USERS, credentials, rights } from "./edits";

/** Files that are fine, however they are written. */
export const FINE: Readonly<Record<string, Files>> = {
  "the pair itself": {},
  "other words for the same": {
    leaf: [
      ["leafnodes {", "LEAF {"],
      ["account: SITE\n", "local: SITE\n"],
      ["nkey:", "seed ="],
      ['url: "nats-leaf://127.0.0.1:7422"', 'urls: ["nats-leaf://127.0.0.1:7422"]'],
      ["jetstream: enabled,", "jetstream: yes,"],
    ],
    hub: [
      ["nkey:", "NKEY ="],
      ["publish: ", "pub "],
      ["subscribe:", "sub "],
      ["allowed_connection_types", "clients"],
      ['listen: "127.0.0.1:7422"', "host: 127.0.0.1, port: 7422"],
    ],
  },
  "a link of the system account beside": {
    hub: [["{user: sys, password: sys}", "{user: sys, password: sys, connection_types: [LEAFNODE]}"]],
    leaf: [["remotes: [", 'remotes: [ { url: "nats-leaf://sys:sys@127.0.0.1:7422", account: SYS }']],
  },
  "a link of an account without streams beside": {
    hub: [["{user: op, password: op}", "{user: op, password: op, connection_types: [LEAFNODE]}"]],
    leaf: [
      ["SITE {", "CORE { users: [ {user: core, password: core} ] }\n SITE {"],
      ["remotes: [", 'remotes: [ { url: "nats-leaf://op:op@127.0.0.1:7422", account: CORE }'],
    ],
  },
  "a hub without users that asks for certificates": {
    hub: [
      [LISTEN, HUB_TLS],
      [/accounts \{[\s\S]*/, ""],
    ],
    leaf: [
      [/accounts \{[\s\S]*?\n\}\nsystem_account: SYS/, ""],
      ["account: SITE", REMOTE_TLS],
      [NKEY, ""],
    ],
  },
  "an account without JetStream whose importer has it": {
    hub: [[/jetstream: enabled\n {4}users: \[\n/, "users: [\n"]],
  },
  "no JetStream at either end": {
    hub: [[/jetstream \{[\s\S]*?\}/, ""]],
    leaf: [[/jetstream \{[\s\S]*?\}/, ""]],
  },
  "a seed from a variable": {
    leaf: [
      ["nkey: ", "nkey: $LINK_SEED #"],
      ["server_name", `LINK_SEED = ${SEED}\nserver_name`],
    ],
  },
  "a seed from an included file": { leaf: [[NKEY, "include link.conf"]], named: { "link.conf": `nkey: ${SEED}` } },
  "users without accounts at both ends": {
    hub: [[/accounts \{[\s\S]*/, `authorization { users: [ {nkey: ${KEY}, allowed_connection_types: [LEAFNODE]} ] }`]],
    leaf: [
      [/accounts \{[\s\S]*?\n\}\nsystem_account: SYS/, ""],
      [/ +account: SITE\n/, ""],
    ],
  },
  "a login by name and password": {
    hub: [[`nkey: ${KEY}`, `user: leaf, password: ${hashSync("secret", 4).replace(/^\$2b/, "$2a")}`]],
    leaf: [
      [NKEY, ""],
      ["nats-leaf://", "nats-leaf://leaf:secret@"],
    ],
  },
  "a login of leafnodes.authorization": {
    hub: [
      [LISTEN, `${LISTEN}\n authorization { nkey: ${KEY}, account: SITE_A }`],
      [USERS, "user: a, password: a\n"],
    ],
  },
  "a login by certificate": {
    hub: [[LISTEN, HUB_TLS.replace("verify", "verify_and_map")]],
    leaf: [
      [NKEY, ""],
      ["account: SITE", `account: SITE\n ${REMOTE_TLS}`],
    ],
  },
  "TLS on both ends": {
    hub: [[LISTEN, HUB_TLS.replace("127.0.0.1", "0.0.0.0")]],
    leaf: [
      ["account: SITE", `account: SITE\n ${REMOTE_TLS}`],
      ["//127.0.0.1:", "//hub.example.com:"],
    ],
  },
  "TLS with a handshake that may come first": {
    hub: [[LISTEN, HUB_TLS.replace("verify", 'handshake_first: "300ms", verify')]],
    leaf: [["account: SITE", `account: SITE\n ${REMOTE_TLS.replace(" }", ", handshake_first: true }")}`]],
  },
  "rights that name streams": {
    hub: rights(
      '["$JS.S.>", "$JSC.R.>", "agg.site-a.x"]',
      '["$JS.site-a.API.CONSUMER.CREATE.EV_A.>", "$JS.FC.EV_A.>", "$JS.FC.site-a.*.EV_A.>"]',
    ),
  },
  "a link without a list of rights": { hub: [[/permissions: \{[\s\S]*?\n {8}\}/, ""]] },
  "flow control of the first form only, where the leaf server keeps to it": {
    hub: rights("{}", '["$JS.site-a.API.>", "$JS.FC.EV_A.>"]'),
    leaf: [["server_name: leaf-a", "server_name: leaf-a\nfeature_flags { js_ack_fc_v2: false }"]],
  },
  "flow control of the second form only, where the leaf server uses it": {
    hub: rights("{}", '["$JS.site-a.API.>", "$JS.FC.site-a.*.EV_A.>"]'),
    leaf: [["server_name: leaf-a", "server_name: leaf-a\nfeature_flags { js_ack_fc_v2: true }"]],
  },
  "rights that deny something else": {
    hub: rights('{ deny: "$JS.API.>" }', '{ deny: ["$JS.FC.OTHER.>", "$JS.site-b.>"] }'),
  },
  "a delivery by a prefix only": { hub: rights('["$JSC.R.>", "agg.site-a.>"]', "{}") },
  "a remote that is switched off, beside another one": {
    leaf: [["remotes: [", 'remotes: [ { url: "nats-leaf://old.example.com", disabled: true, credentials: none }']],
  },
  "the same store on two machines": {
    hub: [[LISTEN, HUB_TLS.replace("127.0.0.1", "0.0.0.0")]],
    leaf: [
      ["account: SITE", `account: SITE\n ${REMOTE_TLS}`],
      ["//127.0.0.1:", "//hub.example.com:"],
      ["/data/leaf-a", "/data/hub"],
    ],
  },
  "flow control by domain, of two leaf servers in one account": {
    hub: [
      [/subscribe: \{.*/, 'subscribe: ["$JS.*.API.CONSUMER.>", "$JS.FC.EV_A.>", "$JS.FC.site-a.>", "$JS.FC.site-b.>"]'],
    ],
    others: { "second.conf": SECOND },
  },
  "two leaf servers in one account": {
    hub: FOR_BOTH,
    others: { "second.conf": SECOND },
  },
  "operators at both ends": {
    hub: [[/accounts \{[\s\S]*/, `operator: ${OPERATOR_KEY}\nresolver: MEMORY\n`]],
    leaf: [
      [/accounts \{[\s\S]*?\n\}\nsystem_account: SYS/, `operator: ${OPERATOR_KEY}`],
      ["account: SITE", `account: ${ACCOUNT_KEY}`],
      [NKEY, "credentials: leaf.creds"],
    ],
    named: { "leaf.creds": credentials(JWT, SEED) },
  },
};

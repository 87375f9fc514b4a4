import { ACCOUNT_KEY, KEY, SEED } from "../../../support/fleets/hand-written";
import { ACCOUNT, LISTEN, NKEY, OPERATOR, OTHER_OPERATOR, claims, credentials, operatorMode } from "./edits";
import type { Mistake } from "./rules.cases";

/** Mistakes in passwords, websockets, addresses, operators, and in what nats-server silently accepts. */
export const MORE_MISTAKES: Readonly<Record<string, Mistake>> = {
  "a wrong password": {
    hub: [[`nkey: ${KEY}`, "user: leaf, password: right"]],
    leaf: [
      [NKEY, ""],
      ["nats-leaf://", "nats-leaf://leaf:wrong@"],
    ],
    finds: ["wrong-password"],
    evidence: /^the password of leaf in the url is not the one in hub\.conf$/,
  },
  "a wrong token": {
    hub: [[/accounts \{[\s\S]*/, "authorization { token: right }"]],
    leaf: [
      [NKEY, ""],
      ["nats-leaf://", "nats-leaf://wrong@"],
    ],
    finds: ["wrong-password"],
    evidence: /^the token in the url is not the one/,
  },
  "one cluster name at both ends": {
    hub: [["jetstream {", "cluster { name: one }\njetstream {"]],
    leaf: [["jetstream {", "cluster { name: one }\njetstream {"]],
    finds: ["equal-cluster-name"],
    where: /^leaf\.conf:5$/,
  },
  "a websocket that both ends compress": {
    hub: [
      [LISTEN, `${LISTEN}\n}\nwebsocket { port: 8080, no_tls: true, compression: true`],
      [/allowed_connection_types.*/, "allowed_connection_types: [LEAFNODE_WS]"],
    ],
    leaf: [['nats-leaf://127.0.0.1:7422"', 'ws://127.0.0.1:8080"\n      ws_compression: true']],
    finds: ["websocket-compression"],
  },
  "a user for leafnodes, and a link by websocket": {
    hub: [[LISTEN, `${LISTEN}\n}\nwebsocket { port: 8080, no_tls: true`]],
    leaf: [["nats-leaf://127.0.0.1:7422", "ws://127.0.0.1:8080"]],
    finds: ["user-not-for-leafnodes"],
    evidence: /LEAFNODE connections only/,
  },
  "TLS for a websocket without it": {
    hub: [
      [LISTEN, `${LISTEN}\n}\nwebsocket { port: 8080, no_tls: true`],
      [/allowed_connection_types.*/, "allowed_connection_types: [LEAFNODE_WS]"],
    ],
    leaf: [["nats-leaf://127.0.0.1:7422", "wss://127.0.0.1:8080"]],
    finds: ["tls-one-end"],
  },
  "a block that stands twice": {
    leaf: [[/$/, 'leafnodes { reconnect: "5s" }\n']],
    finds: ["setting-repeated"],
    where: /^leaf\.conf:24$/,
    evidence: /leaf\.conf:15/,
  },
  "a block under two names": {
    hub: [[/$/, "leaf { port: 7423 }\n"]],
    finds: ["setting-repeated"],
    evidence: /its other name/,
  },
  "a value that stands twice": { hub: [[/$/, "server_name: another\n"]], finds: ["setting-repeated"] },
  "a variable in quotes": {
    hub: [["{user: op, password: op}", '{user: op, password: "$OP_PASSWORD"}']],
    finds: ["variable-quoted"],
    evidence: /^password is the text \$OP_PASSWORD$/,
  },
  "a variable in a url": {
    hub: [[`nkey: ${KEY}`, "user: leaf, password: right"]],
    leaf: [
      [NKEY, ""],
      ["nats-leaf://", "nats-leaf://leaf:$LINK_PASSWORD@"],
    ],
    finds: ["variable-quoted", "wrong-password"],
  },
  "a password that is a number": {
    hub: [["{user: op, password: op}", "{user: op, password: 7k}"]],
    finds: ["value-not-text"],
  },
  "a remote that is switched off": { leaf: [["nkey:", "disabled: true, nkey:"]], finds: ["remotes-disabled"] },
  "two listeners at one port": {
    hub: [[LISTEN, 'listen: "127.0.0.1:4222"']],
    leaf: [["7422", "4222"]],
    finds: ["port-twice"],
    where: /^hub\.conf:10$/,
  },
  "another port on this machine": { leaf: [["7422", "7423"]], finds: ["dialled-elsewhere"] },
  "another address of this machine": { hub: [[LISTEN, 'listen: "127.0.0.2:7422"']], finds: ["dialled-elsewhere"] },
  "a hub that listens on its own machine only": {
    leaf: [["nats-leaf://127.0.0.1", "tls://hub.example.com"]],
    finds: ["dialled-elsewhere", "plain-text"],
  },
  "a hub without a port for leaf links": {
    hub: [[LISTEN, "no_advertise: true"]],
    finds: ["hub-without-leafnodes"],
    where: /^hub\.conf:9$/,
  },
  "a hub without leafnodes": { hub: [[/leafnodes \{[\s\S]*?\}/, ""]], finds: ["hub-without-leafnodes"] },
  "an account of another operator": {
    hub: operatorMode({ signer: OTHER_OPERATOR }),
    leaf: [[NKEY, "credentials: link.creds"]],
    named: { "link.creds": credentials(claims({ iss: ACCOUNT }), SEED) },
    finds: ["account-of-another-operator"],
  },
  "an account that is not preloaded": {
    hub: operatorMode({ signer: OPERATOR }),
    leaf: [[NKEY, "credentials: link.creds"]],
    named: { "link.creds": credentials(claims({ iss: ACCOUNT_KEY }), SEED) },
    finds: ["account-not-preloaded"],
  },
  "credentials that have expired": {
    hub: operatorMode({ signer: OPERATOR }),
    leaf: [[NKEY, "credentials: link.creds"]],
    named: { "link.creds": credentials(claims({ iss: ACCOUNT, exp: 1_000_000_000 }), SEED) },
    finds: ["jwt-expired"],
    evidence: /expired \d+ days ago/,
  },
  "an account of an operator without JetStream": {
    hub: operatorMode({ signer: OPERATOR, storage: 0 }),
    leaf: [[NKEY, "credentials: link.creds"]],
    named: { "link.creds": credentials(claims({ iss: ACCOUNT }), SEED) },
    finds: ["hub-account-without-jetstream"],
  },
};

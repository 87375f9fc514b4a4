import { ACCOUNT_KEY, HUB, KEY, OTHER_SEED, SEED, edited } from "../../../support/fleets/hand-written";
import { ACCOUNT, LISTEN, NKEY, OPERATOR, OTHER_OPERATOR, SECOND, claims, credentials, operatorMode } from "./edits";
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
  "two domains in one cluster": {
    hub: [
      ["jetstream {", `cluster { name: c, listen: "127.0.0.1:6222", routes: ["nats://127.0.0.1:6223"] }\njetstream {`],
    ],
    others: {
      "second.conf": edited(HUB, [
        ["server_name: hub", "server_name: hub-2"],
        ["4222", "4322"],
        ["8222", "8322"],
        ["7422", "7522"],
        ["/data/hub", "/data/hub-2"],
        ["domain: hub", "domain: hub2"],
        [
          "jetstream {",
          `cluster { name: c, listen: "127.0.0.1:6223", routes: ["nats://127.0.0.1:6222"] }\njetstream {`,
        ],
      ]),
    },
    finds: ["cluster-domains"],
    where: /^second\.conf:8$/,
  },
  "a url that asks for TLS by its scheme alone": { leaf: [["nats-leaf://", "tls://"]], finds: ["plain-text"] },
  "a server of the site without a link": {
    leaf: [
      ["jetstream {", `cluster { name: s, listen: "127.0.0.1:6222", routes: ["nats://127.0.0.1:6223"] }\njetstream {`],
    ],
    others: {
      "second.conf": edited(SECOND, [
        [/leafnodes \{[\s\S]*$/, ""],
        ["domain: site-b", "domain: site-a"],
        [
          "jetstream {",
          `cluster { name: s, listen: "127.0.0.1:6223", routes: ["nats://127.0.0.1:6222"] }\njetstream {`,
        ],
      ]),
    },
    finds: ["site-server-without-link"],
    where: /^second\.conf:5$/,
  },
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
    named: { "link.creds": credentials(claims({ iss: ACCOUNT, sub: KEY }), SEED) },
    finds: ["account-of-another-operator"],
  },
  "an account that is not preloaded": {
    hub: operatorMode({ signer: OPERATOR }),
    leaf: [[NKEY, "credentials: link.creds"]],
    named: { "link.creds": credentials(claims({ iss: ACCOUNT_KEY, sub: KEY }), SEED) },
    finds: ["account-not-preloaded"],
  },
  "credentials that have expired": {
    hub: operatorMode({ signer: OPERATOR }),
    leaf: [[NKEY, "credentials: link.creds"]],
    named: { "link.creds": credentials(claims({ iss: ACCOUNT, sub: KEY, exp: 1_000_000_000 }), SEED) },
    finds: ["jwt-expired"],
    evidence: /expired \d+ days ago/,
  },
  "an account of an operator without JetStream": {
    hub: operatorMode({ signer: OPERATOR, storage: 0 }),
    leaf: [[NKEY, "credentials: link.creds"]],
    named: { "link.creds": credentials(claims({ iss: ACCOUNT, sub: KEY }), SEED) },
    finds: ["hub-account-without-jetstream"],
  },
  "credentials that are not valid yet": {
    hub: operatorMode({ signer: OPERATOR }),
    leaf: [[NKEY, "credentials: link.creds"]],
    named: { "link.creds": credentials(claims({ iss: ACCOUNT, sub: KEY, nbf: 9_000_000_000 }), SEED) },
    finds: ["jwt-not-valid-yet"],
  },
  "a JWT and the seed of another user": {
    hub: operatorMode({ signer: OPERATOR }),
    leaf: [[NKEY, "credentials: link.creds"]],
    named: { "link.creds": credentials(claims({ iss: ACCOUNT, sub: KEY }), OTHER_SEED) },
    finds: ["credentials-of-two-users"],
  },
  "credentials of a signer that the account does not name": {
    hub: operatorMode({ signer: OPERATOR }),
    leaf: [[NKEY, "credentials: link.creds"]],
    named: {
      "link.creds": credentials(claims({ iss: ACCOUNT_KEY, sub: KEY, nats: { issuer_account: ACCOUNT } }), SEED),
    },
    finds: ["signer-unknown"],
  },
  "a user that the account revokes": {
    hub: operatorMode({ signer: OPERATOR, more: { revocations: { "*": 2_000 } } }),
    leaf: [[NKEY, "credentials: link.creds"]],
    named: { "link.creds": credentials(claims({ iss: ACCOUNT, sub: KEY, iat: 1_000 }), SEED) },
    finds: ["user-revoked"],
  },
  "an account of an operator without leaf links": {
    hub: operatorMode({ signer: OPERATOR, leaf: 0 }),
    leaf: [[NKEY, "credentials: link.creds"]],
    named: { "link.creds": credentials(claims({ iss: ACCOUNT, sub: KEY }), SEED) },
    finds: ["no-leaf-links-allowed"],
  },
  "an account under the key of another one": {
    hub: operatorMode({ signer: OPERATOR, under: ACCOUNT_KEY }),
    leaf: [[NKEY, "credentials: link.creds"]],
    named: { "link.creds": credentials(claims({ iss: ACCOUNT, sub: KEY }), SEED) },
    finds: ["preloaded-under-another-key"],
  },
  "rights in the JWT of the user that forbid flow control": {
    hub: operatorMode({ signer: OPERATOR }),
    leaf: [[NKEY, "credentials: link.creds"]],
    named: {
      "link.creds": credentials(claims({ iss: ACCOUNT, sub: KEY, nats: { sub: { deny: ["$JS.FC.>"] } } }), SEED),
    },
    finds: ["flow-control-blocked"],
  },
  "default rights in the JWT of the account that forbid consumers": {
    hub: operatorMode({ signer: OPERATOR, more: { default_permissions: { sub: { deny: ["$JS.site-a.>"] } } } }),
    leaf: [[NKEY, "credentials: link.creds"]],
    named: { "link.creds": credentials(claims({ iss: ACCOUNT, sub: KEY }), SEED) },
    finds: ["sourcing-blocked"],
  },
  "an account without room": {
    leaf: [["SITE { jetstream: enabled", "SITE { jetstream: { max_file: 10KB, max_mem: 0 }"]],
    finds: ["no-room-for-streams"],
  },
  "a server without room": {
    leaf: [["sync_interval", "max_file_store: 1KB\n  sync_interval"]],
    finds: ["no-room-for-streams"],
  },
  "an account that allows no leaf link": {
    hub: [["jetstream: enabled", "jetstream: enabled\n    limits: { max_leafnodes: 0 }"]],
    finds: ["no-leaf-links-allowed"],
  },
  "two names of one cluster": {
    hub: [
      [
        "jetstream {",
        `cluster { name: one, listen: "127.0.0.1:6222", routes: ["nats://127.0.0.1:6223"] }\njetstream {`,
      ],
    ],
    others: { "second.conf": secondHub("two", 6223, 6222) },
    finds: ["cluster-names-differ", "cluster-names-differ"],
  },
  "a route to the port for clients": {
    hub: [["jetstream {", `cluster { name: one, listen: "127.0.0.1:6222" }\njetstream {`]],
    others: { "second.conf": secondHub("one", 6223, 4222) },
    finds: ["route-to-other-listener"],
  },
  "a cluster with JetStream at one of two servers": {
    hub: [
      [
        "jetstream {",
        `cluster { name: one, listen: "127.0.0.1:6222", routes: ["nats://127.0.0.1:6223"] }\njetstream {`,
      ],
    ],
    others: { "second.conf": secondHub("one", 6223, 6222).replace(/^jetstream \{[^}]*\}/m, "") },
    finds: ["cluster-without-quorum"],
  },
};

/** Another server of the hub's cluster. */
function secondHub(name: string, port: number, route: number): string {
  return edited(HUB, [
    ["server_name: hub", "server_name: hub-2"],
    ["4222", "4322"],
    ["8222", "8322"],
    ["7422", "7522"],
    ["/data/hub", "/data/hub-2"],
    [
      "jetstream {",
      `cluster { name: ${name}, listen: "127.0.0.1:${port}", routes: ["nats://127.0.0.1:${route}"] }\njetstream {`,
    ],
  ]);
}

import { createAccount, createOperator } from "@nats-io/nkeys";
import { publicKeyOf } from "../../../configs/keys";
import { readConfig } from "../../../configs/format/parse";
import { readServer } from "../../../diagnosis/files/reading";
import { ConfigVerdict, judgeConfigs } from "../../../diagnosis/files/rules/judge";
import { newSeed } from "../rules/settings";

/** A hub and a leaf server as people write them, where all is right, and what can be done to them. */

export const SEED = newSeed();
export const KEY = publicKeyOf(SEED);
export const OTHER_SEED = newSeed();
export const ACCOUNT_SEED = new TextDecoder().decode(createAccount().getSeed());
export const ACCOUNT_KEY = createAccount().getPublicKey();
export const OPERATOR_KEY = createOperator().getPublicKey();

export const HUB = `
server_name: hub
listen: "127.0.0.1:4222"
http: "127.0.0.1:8222"
jetstream {
  store_dir: "/data/hub"
  domain: hub
}
leafnodes {
  listen: "127.0.0.1:7422"
}
accounts {
  SYS { users: [ {user: sys, password: sys} ] }
  SITE_A {
    jetstream: enabled
    users: [
      {
        nkey: ${KEY}
        allowed_connection_types: ["LEAFNODE"]
        permissions: {
          publish:   { allow: ["$JS.S.>", "$JSC.R.>", "_R_.>", "agg.site-a.>"] }
          subscribe: { allow: ["$JS.site-a.API.CONSUMER.>", "$JS.FC.>"] }
        }
      }
      {user: op, password: op}
    ]
    exports: [
      { service: "$JS.site-a.API.CONSUMER.>", response_type: stream, accounts: [HUB] }
      { service: "$JS.FC.EV_A.>", accounts: [HUB] }
      { service: "$JS.FC.site-a.*.EV_A.>", accounts: [HUB] }
      { stream: "agg.site-a.>", accounts: [HUB] }
    ]
  }
  HUB {
    jetstream: enabled
    users: [ {user: hub, password: hub} ]
    imports: [
      { service: { account: SITE_A, subject: "$JS.site-a.API.CONSUMER.>" } }
      { service: { account: SITE_A, subject: "$JS.FC.EV_A.>" } }
      { service: { account: SITE_A, subject: "$JS.FC.site-a.*.EV_A.>" } }
      { stream:  { account: SITE_A, subject: "agg.site-a.>" } }
    ]
  }
}
system_account: SYS
`;

export const LEAF = `
server_name: leaf-a
listen: "127.0.0.1:4223"
http: "127.0.0.1:8223"
jetstream {
  store_dir: "/data/leaf-a"
  domain: site-a
  sync_interval: always
}
accounts {
  SYS { users: [ {user: sys, password: sys} ] }
  SITE { jetstream: enabled, users: [ {user: app, password: app} ] }
}
system_account: SYS
leafnodes {
  remotes: [
    {
      url: "nats-leaf://127.0.0.1:7422"
      account: SITE
      nkey: ${SEED}
    }
  ]
}
`;

/** Texts to replace, and by what. */
export type Edits = readonly (readonly [from: string | RegExp, to: string])[];

/** Errors: when an edit changes nothing, for then a test proves nothing. */
export function edited(text: string, edits: Edits): string {
  return edits.reduce((before, [from, to]) => {
    const after = before.replace(from, () => to);
    if (after === before) throw new Error(`${String(from)} changes nothing in\n${before}`);
    return after;
  }, text);
}

/** What is said of files, by name and text; `more` are the files that they name. */
export function judged(
  files: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>> = {},
): ConfigVerdict {
  const readFile = (path: string): string | undefined => more[path];
  const servers = Object.entries(files).map(([file, text]) =>
    readServer(readConfig(text, file, { readFile, env: () => undefined }), file),
  );
  return judgeConfigs(servers, readFile, { now: Date.now() });
}

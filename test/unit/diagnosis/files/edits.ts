import { createAccount, createOperator } from "@nats-io/nkeys";
import { Edits, HUB, LEAF, edited } from "../../../support/fleets/hand-written";

/** What is done to the good pair of hand-written files, again and again. */

export const NKEY: Edits[number][0] = /nkey: SU.*/;
export const USERS = /nkey: U[^}]*?\n {8}allowed[\s\S]*?\n {8}\}\n/;
/** The rights of the link's user on the hub. */
export const rights = (publish: string, subscribe: string): Edits => [
  [/publish: {3}\{.*/, `publish: ${publish}`],
  [/subscribe: \{.*/, `subscribe: ${subscribe}`],
];
export const credentials = (jwt: string, seed: string): string =>
  `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
export const JWT = "eyJ0eXAi.eyJqdGki.c2ln";
export const REMOTE_TLS = "tls { ca_file: ca.pem, cert_file: leaf.pem, key_file: leaf-key.pem }";
export const HUB_TLS =
  'listen: "127.0.0.1:7422"\n tls { ca_file: ca.pem, cert_file: hub.pem, key_file: hub-key.pem, verify: true }';
export const LISTEN = 'listen: "127.0.0.1:7422"';
/** The hub takes links of other machines. */
export const EVERYWHERE: Edits[number] = [LISTEN, LISTEN.replace("127.0.0.1", "0.0.0.0")];
export const SECOND = edited(LEAF, [
  ["leaf-a", "leaf-b"],
  ["4223", "4224"],
  ["8223", "8224"],
  ["/data/leaf-a", "/data/leaf-b"],
  ["domain: site-a", "domain: site-b"],
]);
/** Both leaf servers may log in with the one key. */
export const FOR_BOTH: Edits = [[/subscribe: \{.*/, 'subscribe: ["$JS.*.API.CONSUMER.>", "$JS.FC.>"]']];

export const OPERATOR = createOperator().getPublicKey();
export const OTHER_OPERATOR = createOperator().getPublicKey();
export const ACCOUNT = createAccount().getPublicKey();
const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
/** A JWT that nobody signed: rules read what it says. */
export const claims = (said: object): string => `${base64({ typ: "JWT" })}.${base64(said)}.c2ln`;
interface OperatorMode {
  /** Who signed the account. */
  signer: string;
  /** Bytes on disk; -1 for any number. */
  storage?: number;
  /** How many leaf links. */
  leaf?: number;
  /** The key under which the account stands. */
  under?: string;
  more?: object;
}

/** The hub with one account, preloaded. */
export function operatorMode({ signer, storage = -1, leaf = -1, under = ACCOUNT, more = {} }: OperatorMode): Edits {
  const limits = { disk_storage: storage, leaf };
  const account = claims({ iss: signer, sub: ACCOUNT, nats: { limits, ...more } });
  const operator = claims({ iss: OPERATOR, sub: OPERATOR });
  const text = `operator: ${operator}\nresolver: MEMORY\nresolver_preload { ${under}: ${account} }\n`;
  return [[/accounts \{[\s\S]*/, text]];
}

/** Changes of the good pair. */
export interface Files {
  hub?: Edits;
  leaf?: Edits;
  /** Files beside hub.conf and leaf.conf. */
  others?: Readonly<Record<string, string>>;
  /** Files that the configurations name. */
  named?: Readonly<Record<string, string>>;
}

export const texts = ({ hub = [], leaf = [], others = {} }: Files): Record<string, string> => ({
  "hub.conf": edited(HUB, hub),
  "leaf.conf": edited(LEAF, leaf),
  ...others,
});

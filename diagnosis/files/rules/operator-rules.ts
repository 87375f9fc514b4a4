import type { ConfigNode } from "../../../configs/format/parse";
import { draft } from "../finding";
import { Link } from "../links";
import { Rule, hasHub } from "../rule";
import { Section } from "../section";
import { ConfigServer, hasJetStream } from "../server";

/** Rules over operators, accounts and users whose JWTs are in the files, or in files that they name. */

interface Claims {
  iss?: string;
  sub?: string;
  /** Seconds since 1970. */
  exp?: number;
  nats?: {
    issuer_account?: string;
    signing_keys?: (string | { key?: string })[];
    limits?: { mem_storage?: number; disk_storage?: number; tiered_limits?: object };
  };
}

const JWT = /\bey[\w-]+\.[\w-]+\.[\w-]+/;

/** What a JWT says; undefined for a text without one. Its signature is not looked at: the server does that. */
function claimsIn(text: string | undefined): Claims | undefined {
  const [, claims] = (JWT.exec(text ?? "")?.[0] ?? "").split(".");
  try {
    return claims === undefined ? undefined : (JSON.parse(Buffer.from(claims, "base64url").toString()) as Claims);
  } catch {
    return undefined;
  }
}

const signersOf = ({ sub, nats }: Claims): string[] =>
  [sub, ...(nats?.signing_keys ?? []).map((one) => (typeof one === "string" ? one : one.key))].flatMap(
    (key) => key ?? [],
  );

const OPERATORS = ["operator", "operators", "root", "roots", "root_operator", "root_operators"];

const preloaded = (server: ConfigServer): Section | undefined =>
  new Section(server.map, server.at).section("resolver_preload");

/** Every account that the file preloads. */
function accountsOf(server: ConfigServer): { key: string; node: ConfigNode; claims: Claims | undefined }[] {
  const node = new Section(server.map, server.at).node("resolver_preload");
  if (!(node?.value instanceof Map)) return [];
  return [...node.value].map(([key, one]) => ({
    key,
    node: one,
    claims: typeof one.value === "string" ? claimsIn(one.value) : undefined,
  }));
}

const shown = (key: string | undefined): string => (key === undefined ? "nobody" : `${key.slice(0, 8)}…`);

/** How long ago a JWT ended. */
function ago(seconds: number, now: number): string {
  const hours = Math.floor((now / 1000 - seconds) / 3600);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}

export const preloadedAccounts: Rule<ConfigServer> = function* (server, { readFile, now }) {
  const texts = new Section(server.map, server.at).texts(...OPERATORS);
  const operators = texts.flatMap(({ value }) => claimsIn(JWT.test(value) ? value : readFile(value)) ?? []);
  const signers = operators.flatMap(signersOf);
  for (const { key, node, claims } of accountsOf(server)) {
    if (claims === undefined) continue;
    if (signers.length > 0 && claims.iss !== undefined && !signers.includes(claims.iss)) {
      yield draft("account-of-another-operator", server, node.at, {
        evidence: `account ${shown(key)} is signed by ${shown(claims.iss)}, the operator of the file is ${shown(signers[0])}`,
      });
    }
    if (claims.exp !== undefined && claims.exp > 0 && now !== undefined && claims.exp * 1000 < now) {
      yield draft("jwt-expired", server, node.at, {
        evidence: `account ${shown(key)} expired ${ago(claims.exp, now)}`,
      });
    }
  }
};

export const credentialsOfOperators: Rule<Link> = function* (link, { readFile, now }) {
  const { leaf, hub, remote, local } = link;
  const { credentials } = remote;
  if (!hasHub(link) || hub?.accountsElsewhere !== "JWTs" || credentials === undefined) return;
  const claims = claimsIn(readFile(credentials.value));
  if (claims === undefined) return;
  if (claims.exp !== undefined && claims.exp > 0 && now !== undefined && claims.exp * 1000 < now) {
    yield draft("jwt-expired", leaf, credentials.at, {
      evidence: `the user of ${credentials.value} expired ${ago(claims.exp, now)}`,
    });
  }
  const account = claims.nats?.issuer_account ?? claims.iss;
  const known = preloaded(hub);
  if (account === undefined || known === undefined) return;
  const found = accountsOf(hub).find(
    ({ key, claims: of }) => key === account || (of && signersOf(of).includes(account)),
  );
  if (found === undefined) {
    // A resolver with a folder may have it all the same.
    if (/^mem/i.test(new Section(hub.map, hub.at).text("resolver", "account_resolver")?.value ?? "")) {
      yield draft("account-not-preloaded", hub, known.at, {
        evidence: `the credentials of ${leaf.label} are for account ${shown(account)}`,
      });
    }
    return;
  }
  const { limits } = found.claims?.nats ?? {};
  const hasStore = (limits?.mem_storage ?? 0) !== 0 || (limits?.disk_storage ?? 0) !== 0;
  const hasTiers = Object.keys(limits?.tiered_limits ?? {}).length > 0;
  if (limits !== undefined && !hasStore && !hasTiers && hub.jetstream !== undefined && hasJetStream(leaf, local)) {
    yield draft("hub-account-without-jetstream", hub, found.node.at, {
      evidence: `${leaf.label} links to account ${shown(found.key)}, whose JWT has no JetStream limits`,
      next: "give the account JetStream limits (nsc edit account --js-disk-storage …), and preload its new JWT",
    });
  }
};

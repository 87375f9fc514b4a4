import { publicKeyOf } from "../../../configs/keys";
import { seedProblem } from "../../../configs/seeds";
import { draft } from "../finding";
import { JWT, OPERATORS, accountBehind, accountsOf, claimsIn, isInMemory, preloaded, signersOf } from "../jwt";
import { Link } from "../links";
import { Rule, hasHub } from "../rule";
import { Section } from "../section";
import { ConfigServer, hasJetStream } from "../server";

/** Rules over operators, accounts and users whose JWTs are in the files, or in files that they name. */

const shown = (key: string | undefined): string => (key === undefined ? "nobody" : `${key.slice(0, 8)}…`);

/** How long ago a JWT ended. */
function ago(seconds: number, now: number): string {
  const hours = Math.floor((now / 1000 - seconds) / 3600);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}

const isPast = (seconds: number | undefined, now: number | undefined): seconds is number =>
  seconds !== undefined && seconds > 0 && now !== undefined && seconds * 1000 < now;

export const preloadedAccounts: Rule<ConfigServer> = function* (server, { readFile, now }) {
  const texts = new Section(server.map, server.at).texts(...OPERATORS);
  const operators = texts.flatMap(({ value }) => claimsIn(JWT.test(value) ? value : readFile(value)) ?? []);
  const signers = operators.flatMap(signersOf);
  const isStrict = operators.some(({ nats }) => nats?.strict_signing_key_usage === true);
  for (const { key, node, claims } of accountsOf(server)) {
    if (claims === undefined) continue;
    const who = `account ${shown(key)}`;
    if (claims.sub !== undefined && claims.sub !== key) {
      yield draft("preloaded-under-another-key", server, node.at, {
        evidence: `under ${shown(key)} stands the JWT of account ${shown(claims.sub)}`,
      });
    }
    if (signers.length > 0 && claims.iss !== undefined && !signers.includes(claims.iss)) {
      yield draft("account-of-another-operator", server, node.at, {
        evidence: `${who} is signed by ${shown(claims.iss)}, the operator of the file is ${shown(signers[0])}`,
      });
    }
    if (isStrict && operators.some(({ sub }) => sub === claims.iss)) {
      yield draft("signer-unknown", server, node.at, {
        evidence: `${who} is signed by the operator's own key, and the operator demands signing keys (strict)`,
      });
    }
    if (isPast(claims.exp, now)) {
      yield draft("jwt-expired", server, node.at, { evidence: `${who} expired ${ago(claims.exp, now ?? 0)}` });
    }
  }
};

/** A leaf server in operator mode binds accounts by their keys. */
export const preloadedRemotes: Rule<Link> = function* ({ leaf, remote }) {
  const known = preloaded(leaf);
  if (leaf.accountsElsewhere !== "JWTs" || known === undefined || remote.account === undefined) return;
  const { value, at } = remote.account;
  if (!isInMemory(leaf) || accountsOf(leaf).some(({ key }) => key === value)) return;
  yield draft("account-not-preloaded", leaf, at, {
    cause: "the account that the remote binds is not among those that the leaf server preloads",
    evidence: `account: ${shown(value)}; resolver_preload of ${leaf.file} does not have it`,
  });
};

export const credentialsOfOperators: Rule<Link> = function* (link, { readFile, now }) {
  const { leaf, hub, remote, local } = link;
  const { credentials } = remote;
  if (!hasHub(link) || hub?.accountsElsewhere !== "JWTs" || credentials === undefined) return;
  const text = readFile(credentials.value);
  const claims = claimsIn(text);
  if (claims === undefined) return;
  const user = `the user of ${credentials.value}`;
  if (isPast(claims.exp, now)) {
    yield draft("jwt-expired", leaf, credentials.at, { evidence: `${user} expired ${ago(claims.exp, now ?? 0)}` });
  }
  if (claims.nbf !== undefined && now !== undefined && claims.nbf * 1000 > now) {
    yield draft("jwt-not-valid-yet", leaf, credentials.at, {
      evidence: `${user} is valid in ${Math.ceil((claims.nbf - now / 1000) / 86_400)} days only (nbf)`,
    });
  }
  const seed = /\bSU[A-Z2-7]{56}\b/.exec(text ?? "")?.[0];
  if (seed !== undefined && seedProblem(seed) === undefined && publicKeyOf(seed) !== claims.sub) {
    yield draft("credentials-of-two-users", leaf, credentials.at, {
      evidence: `the JWT is of ${shown(claims.sub)}, the seed of ${shown(publicKeyOf(seed))}`,
    });
  }
  const account = claims.nats?.issuer_account ?? claims.iss;
  const known = preloaded(hub);
  if (account === undefined || known === undefined) return;
  const found = accountBehind(hub, claims);
  if (found === undefined) {
    // A resolver with a folder may have it all the same.
    if (isInMemory(hub)) {
      yield draft("account-not-preloaded", hub, known.at, {
        evidence: `the credentials of ${leaf.label} are for account ${shown(account)}`,
      });
    }
    return;
  }
  const of = found.claims;
  if (of === undefined) return;
  if (claims.iss !== undefined && !signersOf(of).includes(claims.iss)) {
    yield draft("signer-unknown", hub, found.node.at, {
      evidence: `${user} is signed by ${shown(claims.iss)}, which account ${shown(found.key)} does not name`,
    });
  }
  const { revocations = {}, limits } = of.nats ?? {};
  const revoked = Math.max(revocations[claims.sub ?? ""] ?? 0, revocations["*"] ?? 0);
  if (revoked > 0 && (claims.iat ?? 0) <= revoked) {
    yield draft("user-revoked", hub, found.node.at, { evidence: `account ${shown(found.key)} revokes ${user}` });
  }
  if (limits?.leaf === 0) {
    yield draft("no-leaf-links-allowed", hub, found.node.at, {
      evidence: `the JWT of account ${shown(found.key)} allows 0 leaf links`,
      next: "give the account leaf links (nsc edit account --leaf-conns …), and preload its new JWT",
    });
  }
  const hasStore = (limits?.mem_storage ?? 0) !== 0 || (limits?.disk_storage ?? 0) !== 0;
  const hasTiers = Object.keys(limits?.tiered_limits ?? {}).length > 0;
  if (limits !== undefined && !hasStore && !hasTiers && hub.jetstream !== undefined && hasJetStream(leaf, local)) {
    yield draft("hub-account-without-jetstream", hub, found.node.at, {
      evidence: `${leaf.label} links to account ${shown(found.key)}, whose JWT has no JetStream limits`,
      next: "give the account JetStream limits (nsc edit account --js-disk-storage …), and preload its new JWT",
    });
  }
};

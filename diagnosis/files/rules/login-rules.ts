import { seedProblem } from "../../../configs/seeds";
import { ConfigDraft, draft } from "../finding";
import { Link, accountOf, connectionType } from "../links";
import { Rule, hasHub, place } from "../rule";
import { ConfigServer, GLOBAL_ACCOUNT, ownAccounts, shownUrl } from "../server";

/** Rules over how a leaf server logs in at its hub, and what that makes of the link. */

const SEED = /\bS[UAONCX][A-Z2-7]{20,}/;
/** As nats-server looks for the parts of a credentials file (leafnode.go, credsRe). */
const CREDENTIALS_PART = /-{3,}.*-{3,}\r?\n([\w\-.=]+)(?:\r?\n-{3,}.*-{3,}(?:\r?\n|$))/g;

/** Mistakes in the remote itself. */
export const remoteLogin: Rule<Link> = function* (link, { readFile }) {
  const { leaf, remote, url } = link;
  const { credentials, nkey } = remote;
  if (credentials !== undefined) {
    const found = credentialsProblem(credentials.value, readFile);
    if (found !== undefined) yield draft(found.code, leaf, credentials.at, found);
    if (nkey !== undefined) {
      yield draft("credentials-and-nkey", leaf, nkey.at, {
        evidence: `nkey beside credentials at ${place(credentials.at)}`,
      });
    }
  }
  if (nkey !== undefined) {
    const problem = seedProblem(nkey.value);
    // A mistyped seed gives away nearly all of the right one.
    if (problem !== undefined) {
      yield draft("nkey-not-a-seed", leaf, nkey.at, {
        evidence: `nkey ${problem.problem}${/^U[A-Z2-7]{55}$/.test(nkey.value) ? `: ${nkey.value}` : ""}`,
      });
    }
  }
  const isAsked =
    link.landing.is === "unknown" ||
    (link.landing.is === "seen" && link.hub?.listener.tls?.mapsUsers === true) ||
    (link.landing.is === "open" && link.hub?.listener.tls?.verify === true);
  const isByCertificate = remote.tls?.hasCertificate === true && isAsked;
  if (
    credentials === undefined &&
    nkey === undefined &&
    url !== undefined &&
    url.value.user === undefined &&
    !isByCertificate
  ) {
    const lands = link.landing.is === "no-auth-user" ? `; no_auth_user lets it into ${link.landing.account}` : "";
    const isForAll = link.hub !== undefined && isForEverybody(link.hub);
    yield draft("no-authentication", leaf, remote.at, {
      evidence: `the remote dials ${shownUrl(url.value)}${lands}`,
      ...(isForAll
        ? { severity: "warning" as const, cause: "the leaf remote does not log in, and the hub does not require it to" }
        : {}),
    });
  }
};

type CredentialsProblem = Pick<ConfigDraft, "evidence"> &
  Partial<Pick<ConfigDraft, "next">> & {
    code: "seed-in-credentials" | "seed-file-in-credentials" | "credentials-malformed" | "credentials-missing";
  };

function credentialsProblem(
  path: string,
  readFile: (path: string) => string | undefined,
): CredentialsProblem | undefined {
  if (SEED.test(path)) {
    return {
      code: "seed-in-credentials",
      evidence: `credentials holds ${SEED.exec(path)?.[0] ?? ""}`,
      next: "put the seed in 'nkey' and remove 'credentials'; if the server ran with it, it has logged the seed in plain text: make a new key",
    };
  }
  const text = readFile(path);
  if (text === undefined) return { code: "credentials-missing", evidence: `${path} cannot be read here` };
  const [jwt, seed] = [...text.matchAll(CREDENTIALS_PART)].map(([, part = ""]) => part);
  const isJwt = /^[\w-]+\.[\w-]+\.[\w-]+$/.test(jwt ?? "");
  if (isJwt && seed !== undefined && seedProblem(seed) === undefined) return undefined;
  if (!isJwt && SEED.test(text)) {
    return { code: "seed-file-in-credentials", evidence: `${path} holds ${SEED.exec(text)?.[0] ?? ""} but no JWT` };
  }
  const lacks = isJwt ? "a JWT but no user seed" : "neither a JWT nor a seed";
  return { code: "credentials-malformed", evidence: `${path} holds ${lacks}` };
}

/** What the hub makes of it. */
export const hubLogin: Rule<Link> = function* (link, { readFile }) {
  if (!hasHub(link)) return;
  const { credentials } = link.remote;
  const problem = credentials === undefined ? undefined : credentialsProblem(credentials.value, readFile);
  // Without JWT and seed the leaf server never logs in at all, not even by no_auth_user.
  if (problem !== undefined && problem.code !== "credentials-missing") return;
  const { hub, leaf, remote, url, key, landing } = link;
  const authorization = hub.listener.authorization;
  const known = hub.users.find(({ id }) => id === key);
  if (authorization !== undefined && known !== undefined && landing.is === "refused") {
    yield draft("authorization-shadows-accounts", hub, authorization.at, {
      evidence: `the key of ${leaf.label} is in account ${known.account} (${place(known.at)}), where the hub does not look for it`,
    });
    return;
  }
  if (landing.is === "refused") {
    const at = remote.nkey?.at ?? remote.credentials?.at ?? url?.at ?? remote.at;
    const keys = hub.users.filter(({ isKey }) => isKey).length;
    if (landing.because === "key") {
      const has = `${hub.file} has ${keys === 0 ? "no keys" : `${keys} other ${keys === 1 ? "key" : "keys"}`}`;
      yield draft("unknown-key", leaf, at, { evidence: `the seed's public key is ${key ?? ""}; ${has}` });
    }
    if (landing.because === "user") {
      yield draft("unknown-user", leaf, at, {
        // Without a password it may be a token.
        evidence: `the url ${url?.value.password === undefined ? "brings a name or a token alone" : `names ${url.value.user ?? ""}`}; ${hub.file} has no such user`,
      });
    }
    if (landing.because === "password" || landing.because === "token") {
      const where = `the password of ${url?.value.user ?? ""} in the url is not the one in ${hub.file}`;
      yield draft("wrong-password", leaf, url?.at ?? at, {
        evidence: landing.because === "password" ? where : `the token in the url is not the one in ${hub.file}`,
      });
    }
    if (landing.because === "credentials") {
      yield draft("credentials-not-nkey", leaf, at, {
        evidence: `${hub.file} has no operator; the remote's credentials are ${remote.credentials?.value ?? ""}`,
      });
    }
    if (landing.because === "connection-type" && landing.user !== undefined) {
      const { id, types = [], at: where } = landing.user;
      yield draft("user-not-for-leafnodes", hub, where, {
        evidence: `${id} of ${leaf.label} may open ${types.join(", ")} connections only`,
        next: `add ${connectionType(url?.value)} to its allowed_connection_types`,
      });
    }
  }
  if (landing.is === "no-auth-user" && (remote.nkey !== undefined || remote.credentials !== undefined)) {
    const at = remote.nkey?.at ?? remote.credentials?.at ?? remote.at;
    yield draft(remote.nkey === undefined ? "credentials-not-nkey" : "unknown-key", leaf, at, {
      evidence: `no_auth_user of ${hub.file} lets the link into ${landing.account} instead`,
    });
  }
  if (landing.is === "user" && landing.user.types === undefined && hub.accountsElsewhere === undefined) {
    yield draft("open-connection-types", hub, landing.user.at, {
      evidence: `${landing.user.id} of ${leaf.label} has no allowed_connection_types`,
    });
  }
  const account = accountOf(link);
  const meant = meantAccount(link);
  if (account !== undefined && landing.is !== "open" && meant !== undefined) {
    const at = landing.is === "user" ? landing.user.at : (hub.noAuthUser?.at ?? authorization?.at ?? hub.at);
    yield draft("wrong-account", hub, at, {
      evidence: `the remote of ${leaf.label} binds ${link.local} (${place(remote.account?.at ?? remote.at)}), and the hub binds it to ${account}${account === GLOBAL_ACCOUNT ? ", where users of authorization are that are not in accounts" : ""}`,
      next: `move the user to account ${meant} of the hub`,
    });
  }
};

/** The account of the hub that the link is meant for, when it comes out in another one. */
function meantAccount({ hub, local, landing, ...link }: Link): string | undefined {
  const account = accountOf({ hub, local, landing, ...link } as Link);
  if (hub === undefined || account === undefined || account === local) return undefined;
  const hasSame = ownAccounts(hub).some(({ name }) => name === local);
  const system = hub.systemAccount?.value ?? "$SYS";
  if (hasSame) return local;
  return account === system && local !== (link.leaf.systemAccount?.value ?? "$SYS") ? "of the site" : undefined;
}

/** Whether the hub has one account and requires no login. */
const isForEverybody = (hub: ConfigServer): boolean =>
  hub.users.length === 0 &&
  hub.singleUser === undefined &&
  hub.accountsElsewhere === undefined &&
  hub.listener?.authorization === undefined &&
  ownAccounts(hub).length === 0;

/** What a server says of the users that it lets in. */
export const hubUsers: Rule<ConfigServer> = function* (server, { fleet }) {
  const { listener, users, noAuthUser, accountsElsewhere, singleUser } = server;
  for (const { isKey, id, at, account } of users) {
    if (isKey && !/^U[A-Z2-7]{55}$/.test(id)) {
      yield draft("user-key-invalid", server, at, { evidence: `a user of account ${account} has nkey ${id}` });
    }
  }
  if (noAuthUser !== undefined && accountsElsewhere === undefined && !users.some(({ id }) => id === noAuthUser.value)) {
    yield draft("no-auth-user-unknown", server, noAuthUser.at, { evidence: `no user is called ${noAuthUser.value}` });
  }
  if (listener === undefined || accountsElsewhere !== undefined) return;
  if (noAuthUser !== undefined) {
    const account = users.find(({ id }) => id === noAuthUser.value)?.account;
    yield draft("no-auth-user", server, noAuthUser.at, {
      evidence: `no_auth_user: ${noAuthUser.value}${account === undefined ? "" : ` of account ${account}`}`,
    });
  }
  const links = fleet.links.filter((link) => link.hub === server);
  const isOpen = users.length === 0 && singleUser === undefined && listener.authorization === undefined;
  const onlySystem = links.some(({ landing }) => landing.is === "no-auth-user") && noAuthUser === undefined;
  // A client that must show a certificate is known.
  if ((isOpen && listener.tls?.verify !== true) || onlySystem) {
    yield draft("hub-without-users", server, listener.at, {
      evidence: `it listens for leaf servers at port ${listener.port}, and ${isOpen ? "no account has users" : "only the system account has users"}`,
      // If no remote has a key and there is one account, the links work as intended.
      ...(isForEverybody(server) &&
      links.every(({ remote }) => remote.nkey === undefined && remote.account === undefined)
        ? { severity: "warning" as const }
        : {}),
    });
  }
};

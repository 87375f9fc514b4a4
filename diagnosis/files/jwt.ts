import type { ConfigNode } from "../../configs/format/parse";
import { Section } from "./section";
import type { ConfigServer, Remote, SubjectRights, UserRead } from "./server";

/** What the JWTs of operators, accounts and users say, where they stand in the files or in files that those name. */

interface JwtRights {
  allow?: string[];
  deny?: string[];
}

export interface Claims {
  iss?: string;
  sub?: string;
  /** Seconds since 1970. */
  exp?: number;
  nbf?: number;
  iat?: number;
  nats?: {
    strict_signing_key_usage?: boolean;
    /** Networks from which a user may come. */
    src?: string[];
    pub?: JwtRights;
    sub?: JwtRights;
    allowed_connection_types?: string[];
    /** Of an account: rights of users without their own. */
    default_permissions?: { pub?: JwtRights; sub?: JwtRights };
    /** Seconds since 1970 by the key of a user, or `*`. */
    revocations?: Record<string, number>;
    issuer_account?: string;
    signing_keys?: (string | { key?: string })[];
    limits?: { leaf?: number; mem_storage?: number; disk_storage?: number; tiered_limits?: object };
  };
}

export const JWT = /\bey[\w-]+\.[\w-]+\.[\w-]+/;

/** What a JWT says; undefined for a text without one. Its signature is not looked at: the server does that. */
export function claimsIn(text: string | undefined): Claims | undefined {
  const [, claims] = (JWT.exec(text ?? "")?.[0] ?? "").split(".");
  try {
    return claims === undefined ? undefined : (JSON.parse(Buffer.from(claims, "base64url").toString()) as Claims);
  } catch {
    return undefined;
  }
}

/** The networks from which the user of a credentials file may come; empty for all. */
export const networksOf = (credentials: string | undefined): string[] => claimsIn(credentials)?.nats?.src ?? [];

export const signersOf = ({ sub, nats }: Claims): string[] =>
  [sub, ...(nats?.signing_keys ?? []).map((one) => (typeof one === "string" ? one : one.key))].flatMap(
    (key) => key ?? [],
  );

/** What nats-server calls its operators, and where it has the JWTs of accounts from (opts.go). */
export const OPERATORS = ["operator", "operators", "root", "roots", "root_operator", "root_operators"];
export const RESOLVERS = ["resolver", "account_resolver", "accounts_resolver"];

export const preloaded = (server: ConfigServer): Section | undefined =>
  new Section(server.map, server.at).section("resolver_preload");

export interface PreloadedAccount {
  key: string;
  node: ConfigNode;
  /** Absent where it has no JWT. */
  claims: Claims | undefined;
}

/** Every account that the file preloads. */
export function accountsOf(server: ConfigServer): PreloadedAccount[] {
  const node = new Section(server.map, server.at).node("resolver_preload");
  if (!(node?.value instanceof Map)) return [];
  return [...node.value].map(([key, one]) => ({
    key,
    node: one,
    claims: typeof one.value === "string" ? claimsIn(one.value) : undefined,
  }));
}

const resolverOf = (server: ConfigServer): ConfigNode["value"] | undefined =>
  new Section(server.map, server.at).node(...RESOLVERS)?.value;

/** Whether it knows no other accounts than those that it preloads. */
export function isInMemory(server: ConfigServer): boolean {
  const value = resolverOf(server);
  return typeof value === "string" && /^mem/i.test(value);
}

/** Whether it has its accounts from somewhere else than its file. */
export function asksElsewhere(server: ConfigServer): boolean {
  const value = resolverOf(server);
  if (typeof value === "string") return !isInMemory(server);
  return value instanceof Map && preloaded(server) === undefined;
}

/** The account that the user of a JWT is of, where the server preloads it. */
export function accountBehind(server: ConfigServer, { iss, nats }: Claims): PreloadedAccount | undefined {
  const account = nats?.issuer_account ?? iss;
  if (account === undefined) return undefined;
  return accountsOf(server).find(({ key, claims: of }) => key === account || (of && signersOf(of).includes(account)));
}

/** The user of a link whose hub knows it by JWTs, with its rights, as far as the files have them. */
export function userOfOperator(
  hub: ConfigServer,
  remote: Remote,
  credentials: string | undefined,
): UserRead | undefined {
  const claims = claimsIn(credentials);
  const at = remote.credentials?.at ?? remote.at;
  if (hub.accountsElsewhere !== "JWTs" || claims?.sub === undefined) return undefined;
  const found = accountBehind(hub, claims);
  // The rights of a scoped signer stand in the account; they are not read.
  if (found?.claims === undefined || found.claims.sub === undefined || claims.iss !== found.claims.sub)
    return undefined;
  const { nats = {} } = claims;
  const hasOwn = [nats.pub, nats.sub].some((one) => (one?.allow ?? []).length + (one?.deny ?? []).length > 0);
  const { pub, sub } = hasOwn ? nats : (found.claims.nats?.default_permissions ?? {});
  const rights = (one: JwtRights | undefined): SubjectRights => ({
    at,
    ...((one?.allow ?? []).length === 0 ? {} : { allow: one?.allow ?? [] }),
    deny: one?.deny ?? [],
  });
  const types = nats.allowed_connection_types ?? [];
  return {
    at,
    account: found.key,
    id: claims.sub,
    isKey: true,
    ...(types.length === 0 ? {} : { types }),
    publish: rights(pub),
    subscribe: rights(sub),
  };
}

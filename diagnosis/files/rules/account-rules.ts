import { draft } from "../finding";
import type { Link } from "../links";
import type { Rule } from "../rule";
import { ConfigServer, GLOBAL_ACCOUNT, ownAccounts } from "../server";

/** Rules over the accounts of each server. */

const names = (server: ConfigServer): string => server.accounts.map(({ name }) => name).join(", ") || "none";

/** Accounts that nats-server has by default, unless the file changes them. */
const isThere = (server: ConfigServer, account: string): boolean =>
  account === GLOBAL_ACCOUNT ||
  (account === "$SYS" && server.systemAccount === undefined) ||
  server.accounts.some(({ name }) => name === account);

export const remoteAccount: Rule<Link> = function* ({ leaf, remote }) {
  if (leaf.accountsElsewhere !== undefined) return;
  const { account } = remote;
  const own = ownAccounts(leaf);
  if (account === undefined && own.length > 0) {
    const [only, ...more] = own;
    yield draft("remote-without-account", leaf, remote.at, {
      evidence: `the remote binds $G; the server's accounts are ${names(leaf)}`,
      ...(only !== undefined && more.length === 0 ? { next: `add account: ${only.name}` } : {}),
    });
  }
  if (account !== undefined && !isThere(leaf, account.value)) {
    yield draft("local-account-unknown", leaf, account.at, {
      evidence: `the remote binds ${account.value}; the server's accounts are ${names(leaf)}`,
    });
  }
};

export const accountNames: Rule<ConfigServer> = function* (server) {
  if (server.accountsElsewhere !== undefined) return;
  const { systemAccount, listener } = server;
  if (systemAccount !== undefined && !server.accounts.some(({ name }) => name === systemAccount.value)) {
    yield draft("system-account-unknown", server, systemAccount.at, {
      evidence: `system_account: ${systemAccount.value}; the server's accounts are ${names(server)}`,
    });
  }
  for (const { account } of listener?.authorization?.logins ?? []) {
    if (account !== undefined && !isThere(server, account.value)) {
      yield draft("authorization-account-unknown", server, account.at, {
        evidence: `leafnodes.authorization names ${account.value}; the server's accounts are ${names(server)}`,
      });
    }
  }
};

export const exportsToAll: Rule<ConfigServer> = function* (server) {
  for (const { name, exports } of ownAccounts(server)) {
    for (const { subject, kind, accounts, at } of exports) {
      if (accounts !== undefined) continue;
      yield draft("public-export", server, at, {
        evidence: `account ${name} exports the ${kind} ${subject} to every account`,
      });
    }
  }
};

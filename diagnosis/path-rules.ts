import { SiteFacts } from "./facts";
import { SiteRule, UP } from "./finding";

/** Rules on the way from the hub to the site: servers, key, link, accounts, domains. */

const accounts = (links: readonly { account: string }[]): string =>
  links.map((link) => link.account).join(", ") || "none";

/** Whether any of the site's links stands in the hub at all. */
const linked = ({ hub }: SiteFacts): boolean => hub.links.length > 0;

const lastError = ({ leaf }: SiteFacts): string =>
  leaf.errors.length === 0 ? "" : `; the site logs: ${leaf.errors.at(-1) ?? ""}`;

/** What stands in the way of everything: the first that fits is the cause, the rest would only be its symptoms. */
export const PATH_RULES: readonly SiteRule[] = [
  ({ hub }) =>
    hub.unreachable === undefined
      ? undefined
      : { code: "hub-down", cause: "the hub's server does not answer", evidence: hub.unreachable, next: UP },

  ({ failedSteps, leaf }) => {
    const [first] = failedSteps;
    if (first === undefined || leaf.unreachable === undefined) return undefined;
    return {
      code: "step-failed",
      cause: first,
      evidence: `${leaf.unreachable}${failedSteps.length > 1 ? `; also: ${failedSteps.slice(1).join("; ")}` : ""}`,
      next: "cure what it names, then run 'pulumi up'",
    };
  },

  (facts) =>
    facts.leaf.unreachable === undefined
      ? undefined
      : {
          code: "site-down",
          cause: "the site's server does not answer",
          evidence: `${facts.leaf.unreachable}${lastError(facts)}`,
          next: `${UP}, or declare the site expect: offline`,
        },

  (facts) => {
    const { remote } = facts.leaf;
    if (remote?.credentials !== "a seed" && remote?.credentials !== "a file that holds a bare seed") return undefined;
    return {
      code: "seed-in-credentials",
      cause:
        "the leaf remote has its nkey seed in 'credentials', which is the path of a JWT credentials file (nats-server issue 6723)",
      evidence: `credentials holds ${remote.credentials}; links on the hub: ${accounts(facts.hub.links)}${lastError(facts)}`,
      next: `put the seed in 'nkey' and remove 'credentials' (${UP}); the server may have logged the seed, so raise the site's rotation too`,
    };
  },

  (facts) => {
    const { remote } = facts.leaf;
    if (remote?.credentials === undefined) return undefined;
    return {
      code: "credentials-not-nkey",
      cause: "the leaf remote authenticates with a credentials file, and the hub knows the site by its nkey",
      evidence: `credentials holds ${remote.credentials}; links on the hub: ${accounts(facts.hub.links)}`,
      next: `use 'nkey' with the site's link seed (${UP})`,
    };
  },

  (facts) => {
    const { hub, declared, leaf } = facts;
    if (linked(facts)) return undefined;
    const key = leaf.remote?.key;
    // An older refusal, of a key that was changed since, says nothing about now.
    const last = leaf.errors.findLast((line) => /Authorization|Authentication|as leafnode|wrong port/i.test(line));
    const refused = last !== undefined && /Authorization|Authentication/i.test(last);
    if ((key === undefined || key === declared.linkKey) && !refused) return undefined;
    const shown =
      leaf.remote === undefined
        ? "its remote cannot be read"
        : `its remote has ${key === undefined ? "no nkey" : `key ${key}`}, declared is ${declared.linkKey}`;
    return {
      code: "wrong-key",
      cause: "the hub does not accept the site's link key",
      evidence: `${shown}; links on the hub: ${accounts(hub.links)}${lastError(facts)}`,
      next: UP,
    };
  },

  (facts) => {
    const { hub, declared } = facts;
    const wrong = hub.links.find((link) => link.account !== declared.account);
    if (wrong === undefined) return undefined;
    return {
      code: "wrong-account-on-hub",
      cause: `the hub put the link in account ${wrong.account}, not ${declared.account}`,
      evidence: `hub /leafz: ${facts.site} -> ${accounts(hub.links)}`,
      next:
        wrong.account === "$G"
          ? "the hub runs without users: restore its accounts (run 'pulumi up')"
          : `move the site's key to accounts.${declared.account}.users and remove no_auth_user from the hub (run 'pulumi up')`,
    };
  },

  ({ declared, leaf }) => {
    const wrong = leaf.links.find((link) => link.account !== declared.account);
    if (wrong === undefined) return undefined;
    return {
      code: "wrong-account-at-site",
      cause: `the site bound the link to its account ${wrong.account}, not ${declared.account}`,
      evidence: `site /leafz: ${accounts(leaf.links)}; account in the remote: ${leaf.remote?.account ?? "none"}`,
      next: `set account: "${declared.account}" in the leaf remote (run 'pulumi up')`,
    };
  },

  (facts) =>
    linked(facts)
      ? undefined
      : {
          code: "link-down",
          cause: "the site's leaf link never came up",
          evidence: `hub /leafz has no ${facts.site}; the site dials ${facts.leaf.remote?.urls.join(", ") ?? "an unknown address"}${lastError(facts)}`,
          next: "check that the address is the hub's leafnode port and can be reached from the site, then run 'pulumi up'",
        },

  (facts) =>
    facts.hub.links.length < 2
      ? undefined
      : {
          code: "link-doubled",
          cause: `${facts.hub.links.length} servers are linked under the name of this site`,
          evidence: `hub /leafz: ${facts.site} -> ${accounts(facts.hub.links)}`,
          next: "stop the copy (a cloned machine?); one key belongs to one server",
        },

  ({ leaf, hub, declared }) => {
    const equal = leaf.domain === (hub.domain ?? declared.hubDomain);
    if (leaf.domain === undefined || (leaf.domain === declared.domain && !equal)) return undefined;
    const [where, right] =
      leaf.domain === declared.domain ? ["the hub", declared.hubDomain] : ["the site", declared.domain];
    return {
      code: equal ? "equal-domains" : "wrong-domain",
      cause: equal
        ? `site and hub have the same JetStream domain '${leaf.domain}'`
        : `the site's JetStream ${leaf.domain === "" ? "has no domain, or is off" : `domain is '${leaf.domain}', not '${declared.domain}'`}`,
      evidence: `domains: site '${leaf.domain}', hub '${hub.domain ?? "unknown"}'; the hub asks for '$JS.${declared.domain}.API'`,
      next: `set jetstream.domain of ${where} to "${right}" (run 'pulumi up')`,
    };
  },
];

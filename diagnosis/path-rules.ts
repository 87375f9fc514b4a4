import { ServerFacts, SiteFacts } from "./facts/facts";
import { SiteRule, UP } from "./facts/finding";

/** Rules on the way from the hub to the site: servers, key, link, accounts. */

const accounts = (links: readonly { account: string }[]): string =>
  links.map((link) => link.account).join(", ") || "none";

/** Whether the hub has any link of the site. */
const linked = ({ hub }: SiteFacts): boolean => hub.links.length > 0;

const lastError = ({ leaf }: SiteFacts): string =>
  leaf.errors.length === 0 ? "" : `; the site logs: ${leaf.errors.at(-1) ?? ""}`;

/** The last error that says what became of a login; an older refusal, of a key changed since, says nothing about now. */
const lastLogin = ({ leaf }: SiteFacts): string =>
  leaf.errors.findLast((line) =>
    /Authorization|Authentication|as leafnode|wrong port|maximum \w+ ?\w* connections/i.test(line),
  ) ?? "";

const shownKey = ({ leaf: { remote }, declared }: SiteFacts): string =>
  remote === undefined
    ? "its remote cannot be read"
    : `its remote has ${remote.key === undefined ? "no nkey" : `key ${remote.key}`}, declared ${declared.linkKey}`;

const linksOf = (facts: SiteFacts): string => `links on the hub: ${accounts(facts.hub.links)}${lastError(facts)}`;

/** What is seen of a process that does not answer, for the evidence. */
const shownProcess = ({ process, ended }: ServerFacts): string =>
  process === "running"
    ? "; its process exists but hangs"
    : process === "gone"
      ? `; its process is gone${ended === undefined ? "" : `: ${ended.said}`}`
      : "";

/** What starts a server that is gone. */
const startOf = ({ ended }: ServerFacts): string =>
  ended?.cure === undefined ? UP : `${ended.cure}, then run 'pulumi up'`;

/** Whether the state of the site's server is unknown, because the hub through which it is asked does not answer. */
const isHiddenByHub = ({ hub, leaf }: SiteFacts): boolean =>
  leaf.throughHub === true && hub.unreachable !== undefined && leaf.process !== "gone";

export const PATH_RULES: readonly SiteRule[] = [
  {
    code: "server-frozen",
    by: "seen",
    find({ hub, leaf }) {
      const frozen = [
        ...(hub.process === "frozen" ? ["the hub"] : []),
        ...(leaf.process === "frozen" ? ["the site"] : []),
      ].join(" and ");
      return frozen === ""
        ? undefined
        : {
            cause: `the server of ${frozen} does not answer: its process was stopped (frozen)`,
            evidence: `${frozen}: the process is in state 'stopped', by SIGSTOP, a debugger or 'docker pause'; ${hub.unreachable ?? leaf.unreachable ?? ""}`,
            next: "run 'pulumi up', which resumes it",
          };
    },
  },
  {
    code: "hub-down",
    by: "seen",
    find: ({ hub }) =>
      hub.unreachable === undefined || hub.process === "frozen"
        ? undefined
        : {
            cause: "the hub's server does not answer",
            evidence: `${hub.unreachable}${shownProcess(hub)}`,
            next: startOf(hub),
          },
  },
  {
    code: "step-failed",
    by: "seen",
    unless: ["store-failed"],
    find: ({ failedSteps: [first, ...more], leaf }) =>
      first === undefined
        ? undefined
        : {
            cause: first,
            evidence: [leaf.unreachable ?? "the step of this site in 'pulumi up' failed"]
              .concat(more.length > 0 ? [`also: ${more.join("; ")}`] : [])
              .join("; "),
            next: "fix what it names, then run 'pulumi up'",
          },
  },
  {
    code: "site-down",
    by: "seen",
    unless: ["step-failed", "connections-used-up"],
    find: (facts) =>
      facts.leaf.unreachable === undefined || facts.leaf.process === "frozen" || isHiddenByHub(facts)
        ? undefined
        : {
            cause: "the site's server does not answer",
            evidence: `${facts.leaf.unreachable}${shownProcess(facts.leaf)}${lastError(facts)}`,
            next: `${startOf(facts.leaf)}, or declare the site expect: offline`,
          },
  },
  {
    code: "seed-in-credentials",
    by: "seen",
    find(facts) {
      const { remote } = facts.leaf;
      if (remote?.credentials !== "a seed" && remote?.credentials !== "a file that holds a bare seed") return undefined;
      return {
        cause:
          "the leaf remote has its nkey seed in 'credentials', which is the path of a JWT credentials file (nats-server issue 6723)",
        evidence: `credentials holds ${remote.credentials}; ${linksOf(facts)}`,
        next: `put the seed in 'nkey' and remove 'credentials' (${UP}); the server may have logged the seed, so raise the site's rotation too`,
      };
    },
  },
  {
    code: "credentials-not-nkey",
    by: "seen",
    unless: ["seed-in-credentials"],
    find: (facts) =>
      facts.leaf.remote?.credentials === undefined
        ? undefined
        : {
            cause: "the leaf remote authenticates with a credentials file, and the hub knows the site by its nkey",
            evidence: `credentials holds ${facts.leaf.remote.credentials}; ${linksOf(facts)}`,
            next: `use 'nkey' with the site's link seed (${UP})`,
          },
  },
  {
    code: "wrong-key",
    by: "seen",
    unless: ["seed-in-credentials", "credentials-not-nkey"],
    find(facts) {
      const { remote } = facts.leaf;
      if (linked(facts) || remote === undefined || remote.key === facts.declared.linkKey) return undefined;
      return {
        cause: "the site's link key is not the one that the hub has for it",
        evidence: `${shownKey(facts)}; ${linksOf(facts)}`,
        next: UP,
      };
    },
  },
  {
    code: "wrong-account-on-hub",
    by: "seen",
    find({ hub, declared, site }) {
      const wrong = hub.links.find((link) => link.account !== declared.account);
      if (wrong === undefined) return undefined;
      return {
        cause: `the hub put the link in account ${wrong.account}, not ${declared.account}`,
        evidence: `hub /leafz: ${site} -> ${accounts(hub.links)}`,
        next:
          wrong.account === "$G"
            ? "the hub runs without users: restore its accounts (run 'pulumi up')"
            : `move the site's key to accounts.${declared.account}.users and remove no_auth_user from the hub (run 'pulumi up')`,
      };
    },
  },
  {
    code: "wrong-account-at-site",
    by: "seen",
    find({ declared, leaf }) {
      const bound = leaf.links.find((link) => link.account !== declared.account)?.account;
      // Before the link is up only the file shows it; without an account the server uses its global one.
      const written = leaf.remote === undefined ? declared.account : (leaf.remote.account ?? "$G");
      const wrong = bound ?? (leaf.links.length === 0 && written !== declared.account ? written : undefined);
      if (wrong === undefined) return undefined;
      return {
        cause: `the site ${bound === undefined ? "binds" : "bound"} the link to its account ${wrong}, not ${declared.account}`,
        evidence: `site /leafz: ${accounts(leaf.links)}; account in the remote: ${leaf.remote?.account ?? "none"}`,
        next: `set account: "${declared.account}" in the leaf remote (run 'pulumi up')`,
      };
    },
  },
  {
    code: "link-doubled",
    by: "seen",
    find: (facts) =>
      facts.hub.replaced === true
        ? {
            cause: "another server has this site's name and key: each keeps closing the other's link",
            evidence: `the hub replaced the link of ${facts.site} during this look${lastError(facts)}`,
            next: "stop the copy (a cloned machine?), or give it a name, a key and an account of its own",
          }
        : undefined,
  },
  {
    code: "link-limit",
    by: "inferred",
    find(facts) {
      if (linked(facts) || !/maximum/i.test(lastLogin(facts))) return undefined;
      return {
        cause: "the hub accepts no more connections",
        evidence: linksOf(facts),
        next: "raise max_connections (or the account's limit of leaf connections) on the hub, or close connections (run 'pulumi up')",
      };
    },
  },
  {
    code: "key-refused",
    by: "inferred",
    find(facts) {
      if (linked(facts) || !/Authorization|Authentication/i.test(lastLogin(facts))) return undefined;
      return {
        cause:
          "the hub refuses the site's link key: none of its accounts has the key, or the key's user may not open leaf connections",
        evidence: `${shownKey(facts)}; ${linksOf(facts)}`,
        next: `put the key in accounts.${facts.declared.account}.users with allowed_connection_types: ["LEAFNODE"] (run 'pulumi up')`,
      };
    },
  },
  {
    code: "link-down",
    by: "inferred",
    find: (facts) =>
      linked(facts)
        ? undefined
        : {
            cause: "the site's leaf link is not up",
            evidence:
              facts.hub.notLinked ??
              `hub /leafz has no ${facts.site}; the site dials ${facts.leaf.remote?.urls.join(", ") ?? "an unknown address"}${lastError(facts)}`,
            next: "check that the address is the hub's leafnode port and that the site can reach it, then run 'pulumi up'",
          },
  },
];

import { MemberFacts, SiteFacts } from "./facts/facts";
import { SiteRule, UP } from "./facts/finding";

/** Rules on a hub of several servers. */

const namesOf = (members: readonly MemberFacts[]): string => members.map(({ name }) => name).join(", ");

const membersOf = ({ hub: { members = [] } }: SiteFacts): { up: MemberFacts[]; down: MemberFacts[] } => ({
  up: members.filter(({ unreachable }) => unreachable === undefined),
  down: members.filter(({ unreachable }) => unreachable !== undefined),
});

const shownProcess = ({ name, unreachable = "", process }: MemberFacts): string =>
  `${name}: ${unreachable}${process === undefined ? "" : `; its process is ${process}`}`;

export const CLUSTER_RULES: readonly SiteRule[] = [
  {
    code: "hub-without-leader",
    by: "seen",
    unless: ["hub-down"],
    find(facts) {
      const { up, down } = membersOf(facts);
      if (up.length === 0 || up.some(({ leader = "" }) => leader !== "")) return undefined;
      if (up.some(({ leader }) => leader === undefined)) return undefined;
      const total = up.length + down.length;
      return {
        cause: `the hub's servers have no leader: ${up.length} of ${total} answer, and more than half must run and reach each other`,
        evidence: [...up.map(({ name }) => `${name} answers and knows no leader`), ...down.map(shownProcess)].join(
          "; ",
        ),
        next: UP,
      };
    },
  },
  {
    code: "hub-server-missing",
    by: "seen",
    unless: ["hub-down", "hub-without-leader"],
    find(facts) {
      const { up, down } = membersOf(facts);
      if (down.length === 0 || up.length === 0) return undefined;
      const total = up.length + down.length;
      const spare = up.length - (Math.floor(total / 2) + 1);
      return {
        symptom: "the hub lacks a server",
        cause: `${namesOf(down)} of the hub's ${total} servers does not answer; ${
          spare === 0 ? "if another one fails, collection stops" : `${spare} more may fail`
        }`,
        evidence: down.map(shownProcess).join("; "),
        next: UP,
      };
    },
  },
  {
    code: "hub-route-refused",
    by: "seen",
    unless: ["hub-down", "hub-without-leader"],
    find(facts) {
      const { up } = membersOf(facts);
      const apart = up.filter(({ leader, routes }) => leader === "" && routes === 0);
      if (apart.length === 0 || apart.length === up.length) return undefined;
      return {
        symptom: "a server of the hub is apart from the others",
        cause: `${namesOf(apart)} runs, but does not reach the others: its routes are refused or cut, and it stores nothing`,
        evidence: `${namesOf(apart)} has no route to another server, and knows no leader`,
        next: `${UP}; if it does not, a firewall or another key is between the servers: see the log of ${namesOf(apart)}`,
      };
    },
  },
  {
    code: "account-missing-on-server",
    by: "seen",
    unless: ["hub-down"],
    find(facts) {
      const without = membersOf(facts).up.filter(({ hasAccount }) => hasAccount === false);
      if (without.length === 0) return undefined;
      return {
        cause: `${namesOf(without)} does not have the account ${facts.declared.account}: streams that it leads hear nothing of the site`,
        evidence: `ACCOUNTZ of ${namesOf(without)} has no ${facts.declared.account}`,
        next: UP,
      };
    },
  },
  {
    code: "hub-replica-behind",
    by: "seen",
    unless: ["hub-down", "hub-without-leader", "hub-server-missing", "hub-route-refused"],
    find(facts) {
      const troubles = [...new Set(membersOf(facts).up.flatMap(({ troubles: found = [] }) => found))];
      return troubles.length === 0
        ? undefined
        : {
            symptom: "the copies on the hub are not all the same",
            cause: "a copy of a stream on a server of the hub is behind, or a stream has no leader",
            evidence: troubles.join("; "),
            next: "wait while a large copy is built; if it does not get further, look at the log and the disk of that server, then run 'pulumi up'",
          };
    },
  },
];

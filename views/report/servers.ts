import { UNKNOWN, changed, same, settled } from "../../configs/values";
import type { Fault } from "../../machine/report";
import type { LinkFate, ServerFate } from "./model";
import { Inputs, Step, at, isUnknown, numberAt, textAt } from "./preview";
import { restartReasons } from "../../configs/plan/effects";

/** What an update does to the servers and to the leaf links, from the inputs before and after. */

export interface Fate {
  server: ServerFate;
  because: string[];
}

export const UNTOUCHED: Fate = { server: "untouched", because: [] };

/** The steps of one server, and what its provider said of it. */
export interface ServerSteps {
  server?: Step;
  identity?: Step;
  container?: Step;
  certificate?: Step;
  /** Whether the time or the CA asks for another certificate. */
  isDue?: boolean;
  /** What its provider says that the update does to it; absent where it could not know. */
  told?: ServerFate;
  /** What is not as it was left. */
  wrong?: Fault;
}

const differs = (step: Step, path: string): boolean => changed(at(step.news, path), at(step.olds, path));

/** A port that was given is allocated from now on: it is another one. */
const freesPort = (identity: Step | undefined): boolean => {
  const before = (identity === undefined ? undefined : at(identity.olds, "ports")) ?? {};
  return Object.entries(before).some(
    ([listener, port]) => port !== 0 && identity !== undefined && numberAt(identity.news, `ports.${listener}`) === 0,
  );
};

/** Why the server must restart; empty when a reload is enough. */
function reasonsToRestart({ news, olds }: Step, identity: Step | undefined): string[] {
  const reasons = restartReasons(news, olds);
  return freesPort(identity) && !reasons.includes("ports") ? [...reasons, "ports"] : reasons;
}

/** Why the server reloads: what of its configuration changes. */
function reloadReasons(step: Step): string[] {
  const before = (at(step.olds, "declaration.reload") ?? {}) as Inputs;
  const after = settled((at(step.news, "declaration.reload") ?? {}) as Inputs, before);
  const fields = [...new Set([...Object.keys(after), ...Object.keys(before)])].sort();
  return fields.filter((field) => !same(after[field], before[field])).map((field) => WORDS[field] ?? field);
}

const WORDS: Record<string, string> = {
  limits: "storage limits",
  hubUrl: "where it dials the hub",
  ownedStreams: "streams",
  merged: "limits of the merged streams",
  throughHub: "reach",
  tls: "TLS",
  watch: "the watcher's account",
};

/** What is part of a certificate; a change of anything else keeps it (see providers/certificate.ts). */
const IN_CERTIFICATE = ["role", "names", "validity"];

/** Certificates that are on their way are not known yet; which ones are kept shows in what they are made of. */
const hasOtherCertificates = ({ server, certificate, isDue = false }: ServerSteps): boolean =>
  isDue ||
  (certificate !== undefined && IN_CERTIFICATE.some((input) => differs(certificate, input))) ||
  (server !== undefined && differs(server, "certificates"));

/** What is the same for the hub and a site. */
function fateOf(steps: ServerSteps, more: string[]): Fate {
  const { server: step, container, identity, wrong, told } = steps;
  if (step?.op === "create") return { server: "starts", because: [] };
  if (step?.op === "delete") return { server: "stops", because: [] };
  if (container !== undefined && container.op !== "update") return { server: "replaced", because: ["its container"] };
  if (step !== undefined && isUnknown(step.news, "place")) return { server: "replaced", because: ["its container"] };
  if (wrong?.isDead === true) return { server: "starts", because: [`it ${wrong.what}`] };
  const restart = step === undefined ? [] : reasonsToRestart(step, identity);
  if (told === "restarts" || (restart.length > 0 && told !== "reloads"))
    return { server: "restarts", because: restart };
  const reload = [
    ...(step === undefined ? [] : reloadReasons(step)),
    ...(hasOtherCertificates(steps) ? ["certificates"] : []),
    ...more,
  ];
  if (wrong !== undefined) return { server: "repaired", because: [`it ${wrong.what}`, ...reload] };
  return reload.length > 0 || told === "reloads" ? { server: "reloads", because: reload } : UNTOUCHED;
}

/** More sites are only counted. */
const SITES_NAMED = 5;

/**
 * @param links the changes of what sites declare on the hub; each makes it reload.
 * @param names of the sites, in the order of the settings.
 */
export function hubFate(steps: ServerSteps, links: readonly Step[], names: readonly string[]): Fate {
  const declaring = new Set(links.filter(changesHub).map(siteOfLink));
  const sites = names.filter((name) => declaring.has(name));
  const which = sites.length > SITES_NAMED ? `${sites.length} sites` : sites.join(", ");
  return fateOf(steps, sites.length === 0 ? [] : [`what it knows of ${which}`]);
}

/** What interrupts a server most, first. */
const HARDEST_FIRST: readonly ServerFate[] = ["stops", "replaced", "restarts", "starts", "repaired", "reloads"];

/** What happens to a hub of several servers: what is hardest for one of them, and for which where they differ. */
export function fateOfSeveral(servers: readonly { name: string; fate: Fate }[]): Fate {
  const fates = servers.map(({ fate }) => fate);
  const [first = UNTOUCHED] = fates;
  if (fates.every((fate) => same(fate, first))) return first;
  const hardest = HARDEST_FIRST.find((one) => fates.some((fate) => fate.server === one)) ?? "untouched";
  // The others carry on while one of them is started again.
  const server = hardest === "starts" ? "repaired" : hardest;
  const touched = servers.filter(({ fate }) => fate.server !== "untouched");
  return {
    server,
    because: touched.map(({ name, fate }) =>
      fate.because.length === 0 ? `${name} ${fate.server}` : `${name} ${fate.server}: ${fate.because.join(", ")}`,
    ),
  };
}

/** Whether the hub's configuration changes by it; another way to reach the hub is none. A declaration may have been lost. */
const changesHub = (link: Step): boolean =>
  link.op !== "update" || differs(link, "declaration") || !differs(link, "hub");

/** The site whose declaration on the hub a step is about. */
export const siteOfLink = ({ olds, news }: Step): string =>
  textAt(news, "declaration.site") || textAt(olds, "declaration.site");

/** Whether a step gives the site another link key. */
export const changesLinkKey = (link: Step | undefined): boolean => link?.op === "replace";

export function siteFate(steps: ServerSteps, link: Step | undefined): Fate {
  const { server: step } = steps;
  if (step !== undefined && step.op !== "delete" && at(step.news, "expect") === "offline")
    return { server: "left alone", because: ["expected offline"] };
  if (step?.op === "update" && at(step.olds, "expect") === "offline") return { server: "starts", because: [] };
  return fateOf(steps, changesLinkKey(link) ? ["link key"] : []);
}

/** Whether a site's reload replaces its remote: it is known by its URL, account and key (nats-server reload.go). */
const replacesRemote = ({ server: step }: ServerSteps, link: Step | undefined): boolean =>
  changesLinkKey(link) ||
  (step !== undefined && (differs(step, "declaration.reload.hubUrl") || differs(step, "declaration.reload.tls")));

/** A live link keeps its permissions: the hub drops it where they change. */
const changesPermissions = (link: Step | undefined): boolean => {
  if (link?.op !== "update") return false;
  const isMerged = (inputs: Inputs): boolean => ((at(inputs, "declaration.merged") ?? []) as unknown[]).length > 0;
  const isThroughHub = (inputs: Inputs): boolean => at(inputs, "declaration.throughHub") === true;
  return isMerged(link.olds) !== isMerged(link.news) || isThroughHub(link.olds) !== isThroughHub(link.news);
};

/** What happens to the link of a site that was there before and stays. */
export function linkFate(hub: Fate, site: Fate, steps: ServerSteps, link: Step | undefined): LinkFate {
  if (site.server === "left alone") return "pending";
  if (site.server === "starts" || hub.server === "starts") return "comes up";
  if (RESTARTED.includes(hub.server) || RESTARTED.includes(site.server)) return "drops and comes back";
  if (replacesRemote(steps, link) || changesPermissions(link)) return "drops and comes back";
  return hub.server === "repaired" || site.server === "repaired" ? "may drop" : "stays";
}

const RESTARTED: ServerFate[] = ["restarts", "replaced"];

/** Public keys by role that are known before the update and differ from those before. */
export function otherKeys(step: Step | undefined, path: string): string[] {
  if (step?.op !== "update" && step?.op !== "replace") return [];
  const before = (at(step.olds, path) ?? {}) as Record<string, unknown>;
  const after = (at(step.news, path) ?? {}) as Record<string, unknown>;
  return Object.keys(after)
    .filter((role) => before[role] !== undefined && after[role] !== UNKNOWN && after[role] !== before[role])
    .sort();
}

import { aligned, wrapped } from "./aligned";
import { FleetPlan, MachinePlan, Passphrase, SitePlan, StreamPlan } from "./fleet-plan";
import { isOnline } from "../names";
import { Facts, KEY_WORDS, LINK_FACTS, SERVER_FACTS, SITE_FACTS } from "./plan-facts";
import { count, duration, factRows, keyWords, placeWords, storeWords } from "./plan-facts";
import { maskSeeds } from "../seeds";
import { StreamConfig } from "../streams";
import { NANOSECONDS_PER_MS, formatSize } from "../text/units";

/** A FleetPlan as text. What all sites have in common is shown once; their table has only what differs. */

/** If more sites than this have the same plan, they share a row. */
const SHOWN_ONE_BY_ONE = 3;

const PASSPHRASE_WORDS: Record<Passphrase, string> = {
  empty: "encrypted with an empty passphrase, which protects nothing",
  set: "encrypted with a passphrase",
  keyService: "encrypted by a key service",
  unknown: "how they are encrypted is not known here: checked as if the passphrase were not empty",
};

/** The plan as text: the same plan gives the same text, and no seed is ever in it. */
export function planWords(plan: FleetPlan): string {
  const sections = [
    `${title(plan)}\n${stackWords(plan)}`,
    hubWords(plan),
    ...sitesWords(plan),
    streamsWords(plan),
    linksWords(plan),
    keysWords(plan),
    proofWords(plan),
    pendingWords(plan),
    notesWords(plan),
  ];
  return maskSeeds(sections.filter((section) => section !== "").join("\n\n"));
}

function title({ stack, sites, eachSite }: FleetPlan): string {
  const streams = eachSite === undefined ? "" : `, ${count(eachSite.streams.length, "stream")}`;
  return `stack ${stack}: a hub, ${count(sites.length, "site")}${streams}`;
}

function stackWords({ dataFolder, docker, natsServer, passphrase }: FleetPlan): string {
  const rows = [
    ["secrets", PASSPHRASE_WORDS[passphrase]],
    ["data folder", dataFolder],
  ];
  if (natsServer !== undefined) rows.push(["nats-server", natsServer]);
  if (docker !== undefined) {
    const limits = `memory ${formatSize(docker.memory)}, cpus ${docker.cpus}`;
    rows.push(["containers", `${docker.image}; ${limits}, ${duration(docker.stopTimeout)} to stop`]);
  }
  return aligned(rows);
}

function hubWords({ hub, eachSite, sites }: FleetPlan): string {
  // One line represents the sites' accounts: on the hub they differ only in their names.
  const ofSites = new Set(sites.map(({ share }) => share.account));
  const accounts = hub.accounts.filter(({ name }) => !ofSites.has(name));
  if (eachSite !== undefined) accounts.push({ name: eachSite.account, stores: eachSite.storesOnHub });
  const rows = accounts.map(({ name, stores }) => [
    `account ${name}`,
    stores === undefined ? "the servers' own" : storeWords(stores),
  ]);
  const { servers } = hub;
  const name = [
    "name",
    `${hub.name}, of the ${servers === undefined ? "server" : "cluster"} and of its JetStream domain`,
  ];
  const each = "each with a store and ports of its own; below are those of the first";
  const several = servers === undefined ? [] : [["servers", `${servers.join(", ")}: ${each}`]];
  const machines = (hub.machines ?? []).map((machine) => [machine.name, machineWords(machine)]);
  const routes = machines.length === 0 ? [] : [["routes", "TLS, by certificates of the stack's own CA"]];
  return `hub\n${aligned([name, ...several, ...machines, ...routes, ...factRows(hub, SERVER_FACTS), ["keys", keyWords(hub.keys)], ...rows])}`;
}

const machineWords = ({ runs, clients, leafLinks, routes }: MachinePlan): string =>
  `${placeWords(runs)}: clients ${clients}, leaf links ${leafLinks}, routes ${routes}`;

function sitesWords({ sites }: FleetPlan): string[] {
  const groups = groupsOf(sites);
  const [some] = groups;
  if (some === undefined) return [];
  const isEqual = (textOf: (site: SitePlan) => string): boolean =>
    groups.every(({ first }) => textOf(first) === textOf(some.first));
  const facts = Object.entries({ ...SITE_FACTS, ...LINK_FACTS });
  const common = Object.fromEntries(facts.filter(([, textOf]) => isEqual(textOf)));
  const table = (head: string[], cellsOf: (group: Group) => string[], of: Facts<SitePlan>): string => {
    const differing = Object.entries(of).filter(([, textOf]) => !isEqual(textOf));
    const rows = groups.map((group) => [
      ...cellsOf(group),
      ...differing.map(([, textOf]) => textOf(group.first) || "-"),
    ]);
    return aligned([[...head, ...differing.map(([label]) => label)], ...rows]);
  };
  const names = groups
    .filter(({ others }) => others.length > 0)
    .map((group) => `  ${nameOfGroup(group)}:\n${wrapped([group.first, ...group.others].map(nameOf), "    ")}`);
  const accountOfGroup = ({ first, others }: Group): string => `${first.share.account}${others.length > 0 ? " …" : ""}`;
  const ofSites = table(
    ["site, domain", "account"],
    (group) => [nameOfGroup(group), accountOfGroup(group)],
    SITE_FACTS,
  );
  const ofLinks = table(["leaf link of"], (group) => [nameOfGroup(group)], LINK_FACTS);
  return [
    `${sites.length === 1 ? "the site" : "every site"}\n${aligned(factRows(some.first, common))}`,
    ["sites", ofSites, ...names].join("\n"),
    Object.values(LINK_FACTS).every(isEqual) ? "" : ofLinks,
  ];
}

interface Group {
  first: SitePlan;
  others: SitePlan[];
}

const nameOfGroup = ({ first, others }: Group): string =>
  others.length === 0 ? first.name : `${others.length + 1} sites like ${first.name}`;
const nameOf = ({ name }: { name: string }): string => name;

/** Sites in their order; those that differ only in their names are grouped with the first of them, unless they are few. */
function groupsOf(sites: readonly SitePlan[]): Group[] {
  const keyOf = ({ name: _name, domain: _domain, share: _share, ...own }: SitePlan): string => JSON.stringify(own);
  const equals = new Map<string, SitePlan[]>();
  for (const site of sites) {
    const known = equals.get(keyOf(site));
    if (known === undefined) equals.set(keyOf(site), [site]);
    else known.push(site);
  }
  return sites.flatMap((site): Group[] => {
    const [first, ...others] = equals.get(keyOf(site)) ?? [];
    if (others.length < SHOWN_ONE_BY_ONE) return [{ first: site, others: [] }];
    return first === site ? [{ first, others }] : [];
  });
}

function streamsWords({ eachSite }: FleetPlan): string {
  if (eachSite === undefined || eachSite.streams.length === 0) return "streams\n  none: no data is collected";
  const head = ["stream", "where", "as", "subjects", "at most", "age", "storage", "when full"];
  const rows = eachSite.streams.flatMap((stream) => streamRows(stream, eachSite.account));
  return ["streams", aligned([head, ...rows]), ...eachSite.streams.map(sourceWords)].join("\n");
}

function streamRows({ mode, subjects, site, hub }: StreamPlan, account: string): string[][] {
  const end = (stream: StreamConfig, of: string, taken: string[]) => [
    `${of}/${stream.name}`,
    taken.join("\n"),
    formatSize(stream.max_bytes),
    stream.max_age === 0 ? "any" : duration(stream.max_age / NANOSECONDS_PER_MS),
    stream.storage,
    stream.discard === "old" ? "drops the oldest" : "refuses new ones",
  ];
  return [
    [hub.stream.name, "site", ...end(site, account, subjects)],
    [`  ${mode}`, "hub", ...end(hub.stream, hub.account, hub.subjects)],
  ];
}

function sourceWords({ hub, adopt }: StreamPlan): string {
  const { stream, account, source } = hub;
  const { api, deliver } = source.external;
  const delivered = deliver === "" ? "" : `, delivered at ${deliver}`;
  const adopted = adopt ? "; an existing stream of this name is taken over" : "";
  const copies = stream.num_replicas === 1 ? "" : `, in ${stream.num_replicas} copies`;
  return `  ${account}/${stream.name} sources ${source.name} of each site over ${api}${delivered}${copies}${adopted}`;
}

function linksWords({ links, eachSite }: FleetPlan): string {
  if (eachSite === undefined) return "";
  const { tls, hubNames, certificates } = links;
  const names = `for the names ${hubNames.join(", ")}`;
  const tlsWords: Record<typeof tls, string> = {
    off: "off",
    given: `certificates given in ${certificates ?? "?"}; the hub's ${names}`,
    generated: `certificates generated for ${duration(links.validity)}, renewed ${duration(links.renewBefore)} before; the hub's ${names}`,
  };
  const rows = [
    ["TLS", tlsWords[tls]],
    ["link keys", "valid on the hub, for leaf connections only"],
    ["  may publish", eachSite.linkKeyMay.publish.join(", ")],
    ["  may subscribe", eachSite.linkKeyMay.subscribe.join(", ")],
  ];
  return `leaf links\n${aligned(rows)}`;
}

function keysWords({ hub, sites }: FleetPlan): string {
  const owners = [hub, ...sites];
  const roles = [...new Set([...sites, hub].flatMap(({ keys }) => Object.keys(keys)))];
  const given = roles.flatMap((role) => {
    const names = owners.filter(({ keys }) => keys[role] === "given").map(nameOf);
    const [first, last] = [`${role} key of `, ": given"];
    const words = names.map((name, i) => `${i === 0 ? first : ""}${name}${i === names.length - 1 ? last : ""}`);
    return words.length === 0 ? [] : [wrapped(words)];
  });
  const others = owners.some(({ keys }) => Object.values(keys).includes("hidden")) ? "hidden" : "generated";
  return ["keys", ...given, `  all${given.length === 0 ? "" : " others"}: ${KEY_WORDS[others]}`].join("\n");
}

function proofWords({ probes, eachSite, sites }: FleetPlan): string {
  const streams = eachSite?.streams.length ?? 0;
  if (streams === 0 || !sites.some(isOnline)) return "smoke test\n  nothing to prove";
  const burst =
    probes.burstMessages === 0
      ? "and no burst"
      : `and a burst of ${probes.burstMessages} messages of ${probes.burstMessage / 1000} kB; ${probes.bytesPerLink / 1e6} MB over the link of every online site`;
  const rows = [
    ["first up", `${count(probes.count, "probe")} through each stream ${burst}`],
    ["arrive", `within ${duration(probes.timeout)}`],
    ["again", probes.when === "always" ? "at every up" : "when anything that it proves has changed"],
  ];
  return `smoke test\n${aligned(rows)}`;
}

function pendingWords({ pending }: FleetPlan): string {
  if (pending.length === 0) return "";
  return `pending (expect: offline): the hub's side is prepared, the site's own side is left alone\n${wrapped(pending)}`;
}

const notesWords = ({ notes }: FleetPlan): string =>
  notes.length === 0 ? "" : `notes\n${notes.map((note) => `  - ${note}`).join("\n")}`;

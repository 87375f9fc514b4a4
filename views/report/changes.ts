import { hubServers, isCluster } from "../../configs/placement";
import { resourceName } from "../../configs/resources";
import type { Report } from "../../machine/report";
import { PreviewReports, reportsIn } from "./diagnostics";
import type { SitesTable } from "../../configs/reading/sites-table";
import type { FleetChanges, KeyChange, SiteChange } from "./model";
import { PreviewJson, Step, at, numberAt, stepsOf, textAt } from "./preview";
import {
  Fate,
  ServerSteps,
  UNTOUCHED,
  changesLinkKey,
  fateOfSeveral,
  hubFate,
  linkFate,
  otherKeys,
  siteFate,
  siteOfLink,
} from "./servers";
import { FleetSettings, settingChanges, settingsOf, stackSettingChanges } from "./settings";
import { streamReport } from "./streams";

/** From the JSON of a preview to what it would do to the fleet. */

export interface Previewed {
  stack: string;
  /** The settings that are deployed, of the state's fleet check; undefined where nothing is. */
  before?: FleetSettings;
  preview: PreviewJson;
  /** What the program and its providers reported as data, in order of arrival. */
  told: readonly Report[];
  /** The table of sites that the settings name. */
  table?: SitesTable;
  /** Whether the CLI ended with an error: it refused, or it failed. */
  failed: boolean;
  /** Sites whose machines cannot be reached. */
  pending: { site: string; reason: string }[];
  /** Protected sites that the settings no longer have. */
  leaving: string[];
  /** What DISCARD and DISCARD_COLLECTED allow. */
  discard: { site: (name: string) => boolean; collected: (name: string) => boolean };
  /** What an earlier run that was interrupted may have left. */
  interrupted: string[];
}

/** Errors of the preview that are no refusal are in `failures`: with any, and no refusal, there is no report. */
export function changesOf(previewed: Previewed): { changes: FleetChanges; failures: string[] } {
  const { stack, before, preview, pending } = previewed;
  const after = settingsOf(preview, previewed.table);
  const names = namesOf(before, after);
  const said = reportsIn(preview, previewed.told, names);
  const { refusals, failures, found } = said;
  const refused = refusals.length > 0;
  const steps = stepsOf(preview);
  const hubName = after?.hub.name ?? before?.hub.name ?? "hub";
  const links = steps.filter(({ kind }) => kind === "HubLink");
  const hub = fateOfHub(
    after?.hub ?? before?.hub,
    hubName,
    (name) => stepsOfServer(steps, name, said),
    (own) => hubFate(own, links, names),
  );
  const isAway = (name: string): boolean => pending.some(({ site }) => site === name);
  const streams =
    before === undefined || after === undefined
      ? []
      : streamReport(before.streams, after.streams, stack, names.some(previewed.discard.site));
  const all = names.map((name): SiteChange => {
    const [old, site] = [siteIn(before, name), siteIn(after, name)];
    const settings = old === undefined || site === undefined ? [] : settingChanges(old, site);
    const change = { name, settings, because: [], streams: changesStreams(steps, name) };
    if (site === undefined && after !== undefined) return { ...change, site: "removed", server: "stops", link: "goes" };
    const kind = old === undefined ? "added" : settings.length > 0 ? "changed" : "same";
    if (isAway(name))
      return { ...change, site: kind, server: "left alone", because: ["cannot be reached"], link: "pending" };
    if (site?.expect === "offline" && (old ?? site).expect === "offline") {
      const fate = kind === "same" ? UNTOUCHED : { server: "left alone" as const, because: [OFFLINE] };
      return { ...change, site: kind, ...fate, link: "pending" };
    }
    if (old === undefined) return { ...change, site: kind, server: "starts", link: "comes up" };
    const own = stepsOfServer(steps, name, said);
    const link = links.find((step) => siteOfLink(step) === name);
    const fate = siteFate(own, link);
    return { ...change, site: kind, ...fate, link: linkFate(hub, fate, own, link) };
  });
  const isAffected = ({ site, server, link, streams }: SiteChange): boolean =>
    site !== "same" || server !== "untouched" || (link !== "stays" && link !== "pending") || streams;
  const sites = all.filter(isAffected);
  const settings = stackSettingChanges(before, after);
  // Every touched server is proven, even where the preview of the smoke test cannot know it yet.
  const isTouched = hub.server !== "untouched" || sites.some(({ server }) => server !== "left alone");
  const changes: FleetChanges = {
    version: 1,
    stack,
    verdict: refused ? "refused" : "changes",
    refusals,
    leaving: previewed.leaving,
    hub: { name: hubName, ...hub },
    sites,
    untouched: all.filter((site) => !isAffected(site)).map(({ name }) => name),
    // Whether messages are at stake was not seen to the end.
    streams: refused ? streams.map((stream) => ({ ...stream, data: "" })) : streams,
    settings,
    keys: keysOf(steps, names, before, after),
    data: refused ? [] : dataWords(sites, previewed),
    found: [...found, ...interruptedWords(previewed), ...(refused ? failures.map((words) => `failed: ${words}`) : [])],
    proof: proofWords(!refused && (isTouched || steps.some(({ kind }) => kind === "SmokeTest")), said),
    pending: [...pending, ...offlineSites(after, pending)],
  };
  const isNothing = !refused && !isTouched && sites.length + streams.length + settings.length + steps.length === 0;
  return { changes: isNothing ? { ...changes, verdict: "unchanged" } : changes, failures };
}

/** Keys and certificates of a hub of several are the hub's; everything else is of each server. */
function fateOfHub(
  settings: FleetSettings["hub"] | undefined,
  hubName: string,
  stepsFor: (name: string) => ServerSteps,
  fateFor: (steps: ServerSteps) => Fate,
): Fate {
  const common = stepsFor(hubName);
  if (settings === undefined || !isCluster(settings)) return fateFor(common);
  const servers = hubServers(settings).map(({ name }) => {
    const own = stepsFor(name);
    const isDue = common.isDue === true || own.isDue === true;
    return { name, fate: fateFor({ ...common, ...own, isDue }) };
  });
  return fateOfSeveral(servers);
}

const OFFLINE = "expected offline";

/** The sites in the order of the settings; those that go come last. */
function namesOf(before: FleetSettings | undefined, after: FleetSettings | undefined): string[] {
  const names = [...(after?.sites ?? []), ...(before?.sites ?? [])].map(({ name }) => name);
  return [...new Set(names)];
}

const siteIn = (settings: FleetSettings | undefined, name: string) =>
  settings?.sites.find((site) => site.name === name);

function stepsOfServer(steps: readonly Step[], name: string, { wrong, due, fates }: PreviewReports): ServerSteps {
  const isOf = (kind: string, path: string) => (step: Step) =>
    step.kind === kind && (textAt(step.news, path) || textAt(step.olds, path)) === name;
  const parts = {
    server: steps.find(
      (step) =>
        isOf("HubServer", "declaration.restart.name")(step) || isOf("LeafServer", "declaration.restart.name")(step),
    ),
    identity: steps.find(isOf("Identity", "owner")),
    certificate: steps.find(isOf("Certificate", "owner")),
    container: steps.find((step) => step.kind === "Container" && step.name === resourceName(name, "container")),
    isDue: due === "all" || due.has(name),
    wrong: wrong.get(name),
    told: fates.get(name),
  };
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
}

/** A stream changes by the settings, or because something differs on the servers. */
const changesStreams = (steps: readonly Step[], name: string): boolean =>
  steps.some((step) => step.kind === "Streams" && step.op === "update" && textAt(step.news, "site") === name);

function keysOf(
  steps: readonly Step[],
  names: readonly string[],
  before: FleetSettings | undefined,
  after: FleetSettings | undefined,
): KeyChange[] {
  const ofHub = steps.filter(({ kind }) => kind === "HubServer");
  const hubKeys = ofHub.flatMap((step) =>
    otherKeys(step, "declaration.reload.keys").map((role): KeyChange => ({
      owner: step.name.replace(/-server$/, ""),
      role,
    })),
  );
  const siteKeys = names.flatMap((name): KeyChange[] => {
    const link = steps.find((step) => step.kind === "HubLink" && step.op !== "create" && siteOfLink(step) === name);
    const [from, to] = [siteIn(before, name)?.rotation, siteIn(after, name)?.rotation];
    if (from === undefined || to === undefined) return [];
    const rotation = from === to ? {} : { rotation: { from, to } };
    const server = steps.find(
      (step) => step.kind === "LeafServer" && textAt(step.news, "declaration.restart.name") === name,
    );
    const others = [
      ...otherKeys(server, "declaration.reload.keys").filter((role) => role === "application"),
      ...otherKeys(link, "declaration.keys").filter((role) => role !== "link"),
    ];
    const linkKey: KeyChange[] =
      from !== to || changesLinkKey(link) ? [{ owner: name, role: "link", ...rotation }] : [];
    return [...linkKey, ...others.map((role) => ({ owner: name, role }))];
  });
  return [...hubKeys, ...siteKeys, ...takenBack(steps)];
}

/** Keys that are no longer given are generated; the preview does not show which ones. */
const takenBack = (steps: readonly Step[]): KeyChange[] =>
  steps
    .filter(({ kind, op, olds }) => kind === "Identity" && op === "update" && isGiven(at(olds, "given")))
    .filter(({ olds, news }) => numberAt(olds, "rotation") === numberAt(news, "rotation"))
    .map(({ news }) => ({ owner: textAt(news, "owner"), role: "given" }));

const isGiven = (given: unknown): boolean =>
  given !== undefined && !(typeof given === "object" && given !== null && Object.keys(given).length === 0);

const dataWords = (sites: readonly SiteChange[], { discard }: Previewed): string[] =>
  sites
    .filter(({ site }) => site === "removed")
    .map(({ name }) => {
      const own = discard.site(name)
        ? "what it has not delivered is lost (DISCARD)"
        : "the hub has every message of it, as far as this preview could see";
      const collected = discard.collected(name)
        ? "what the hub collected from it is deleted too (DISCARD_COLLECTED)"
        : "what the hub collected from it stays";
      return `${name}: its own streams are deleted with it; ${own}; ${collected}`;
    });

const interruptedWords = ({ interrupted }: Previewed): string[] =>
  interrupted.length === 0
    ? []
    : [`an earlier run was interrupted while creating ${interrupted.join(", ")}; the next one takes over what it made`];

const proofWords = (runs: boolean, { proof }: PreviewReports): string =>
  runs ? ["the smoke test runs at the end", ...proof].join(": ") : "";

const offlineSites = (after: FleetSettings | undefined, known: Previewed["pending"]): Previewed["pending"] =>
  (after?.sites ?? [])
    .filter(({ name, expect }) => expect === "offline" && !known.some(({ site }) => site === name))
    .map(({ name }) => ({ site: name, reason: `${OFFLINE}: the hub's side is prepared, its own side is left alone` }));

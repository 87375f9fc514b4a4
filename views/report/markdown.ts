import { count } from "../../configs/plan/plan-facts";
import { maskSeeds } from "../../configs/seeds";
import { GROUPED_FROM, groupedLines } from "./grouping";
import type { FleetChanges, KeyChange, LinkFate, ServerFate, SettingChange, SiteChange } from "./model";

/** The report as GitHub's Markdown, for a comment: the same changes give the same text. */

/** @param picture the fleet as Mermaid, with what changes marked; absent where it cannot be drawn. */
export function markdownOf(changes: FleetChanges, picture?: string): string {
  const sections = [
    `### Preview of \`${changes.stack}\`: ${headline(changes)}`,
    refusalSection(changes),
    leavingWords(changes),
    serverSection(changes),
    keySection(changes.keys),
    streamSection(changes),
    settingSection(changes),
    listSection("Data", changes.data),
    listSection("Found on the servers", changes.found),
    listSection(
      "Pending",
      changes.pending.map(({ site, reason }) => `${site}: ${reason}`),
    ),
    listSection("Proof", changes.proof === "" ? [] : [changes.proof]),
    picture === undefined ? "" : pictureSection(picture),
  ];
  return maskSeeds(`${sections.filter((section) => section !== "").join("\n\n")}\n`);
}

/** A few words for the first line: what a reviewer looks for. */
function headline(changes: FleetChanges): string {
  const { verdict, refusals, sites, hub, streams, keys, settings } = changes;
  if (verdict === "refused") return `refused, ${count(refusals.length, "reason")}`;
  if (verdict === "unchanged") return "nothing changes";
  const number = (wanted: (site: SiteChange) => boolean) => sites.filter(wanted).length;
  const some = (wanted: (site: SiteChange) => boolean, one: string, many: string): string =>
    number(wanted) === 0 ? "" : `${count(number(wanted), "site")} ${number(wanted) === 1 ? one : many}`;
  const stays = ({ site }: SiteChange): boolean => site === "changed" || site === "same";
  const dropped = number(({ link }) => link === "drops and comes back");
  const parts = [
    some(({ site }) => site === "added", "added", "added"),
    some(({ site }) => site === "removed", "removed", "removed"),
    some(({ settings }) => settings.some(({ setting }) => setting !== "rotation"), "changed", "changed"),
    keys.length === 0 ? "" : `${count(keys.length, "key")} rotated`,
    hub.server === "untouched" || hub.server === "reloads" ? "" : `the hub ${SERVER_WORDS[hub.server]}`,
    some((site) => ["restarts", "replaced"].includes(site.server), "**restarts**", "**restart**"),
    some((site) => stays(site) && site.server === "starts", "starts", "start"),
    some(({ server }) => server === "repaired", "is repaired", "are repaired"),
    dropped === 0 ? "" : `${count(dropped, "link")} ${dropped === 1 ? "drops and comes" : "drop and come"} back`,
    streams.length === 0 ? "" : `${count(new Set(streams.map(({ stream }) => stream)).size, "stream")} changed`,
    settings.length === 0 ? "" : `${count(settings.length, "setting")} of the stack changed`,
  ].filter((part) => part !== "");
  if (parts.length > 0) return parts.join(", ");
  const reloading = number(({ server }) => server === "reloads") + (hub.server === "reloads" ? 1 : 0);
  if (reloading > 0) return `${count(reloading, "server")} ${reloading === 1 ? "reloads" : "reload"}`;
  return number(({ streams: are }) => are) > 0 ? "streams are repaired" : "no server changes";
}

function refusalSection({ verdict, refusals }: FleetChanges): string {
  if (verdict !== "refused") return "";
  return `**Nothing was touched, and \`make up\` would be refused too:**\n\n${itemList(groupedLines(refusals))}`;
}

function leavingWords({ stack, leaving }: FleetChanges): string {
  if (leaving.length === 0) return "";
  const command = `make up STACK=${stack} CONFIRM=${stack} REMOVE=${leaving.join(",")}`;
  return `**Protected: ${leaving.join(", ")}.** Until \`${command}\` has removed what is protected, every other \`make up\` is refused.`;
}

const SERVER_WORDS: Record<ServerFate, string> = {
  untouched: "–",
  starts: "starts",
  reloads: "reloads",
  restarts: "**restarts**",
  replaced: "**is replaced**",
  repaired: "is repaired",
  stops: "stops",
  "left alone": "left alone",
};

const LINK_WORDS: Record<LinkFate, string> = {
  stays: "stays",
  "comes up": "comes up",
  "drops and comes back": "**drops, comes back**",
  "may drop": "may drop",
  goes: "goes",
  pending: "pending",
};

function serverSection({ verdict, hub, sites, untouched, keys, settings }: FleetChanges): string {
  // What servers would do was not worked out to the end: only what is asked for is known.
  const isRefused = verdict === "refused";
  const rows = [
    ...(hub.server === "untouched" || isRefused
      ? []
      : [
          {
            name: hub.name,
            cells: [
              ofHub(settings).map(settingWords).join("<br>"),
              SERVER_WORDS[hub.server],
              hubLinks(hub.server),
              reasons(hub.because),
            ],
          },
        ]),
    ...sites
      .filter((site) => (isRefused ? site.site !== "same" : !hasOnlyStreams(site)))
      .map((site) => ({
        name: site.name,
        cells: isRefused
          ? [reasonWords(site, keys)]
          : [reasonWords(site, keys), SERVER_WORDS[site.server], LINK_WORDS[site.link], reasons(site.because)],
      })),
  ];
  const others = isRefused
    ? ""
    : untouchedWords([...sites.filter(hasOnlyStreams).map(({ name }) => name), ...untouched]);
  if (rows.length === 0) return verdict === "changes" ? others.trim() : "";
  const head = isRefused ? ["server", "asked for"] : ["server", "change", "does", "leaf link", "because of"];
  const { grouped, lists } = inGroups(rows);
  return `${table([head, ...grouped])}${lists}${others}`;
}

const hubLinks = (server: ServerFate): string => {
  if (server === "restarts" || server === "replaced") return "**all drop, come back**";
  return server === "starts" ? "all come up" : server === "repaired" ? "may drop" : "stay";
};

const reasons = (because: readonly string[]): string => escaped(because.join(", "));

const hasOnlyStreams = ({ site, server, link }: SiteChange): boolean =>
  site === "same" && server === "untouched" && link === "stays";

/** More sites are only counted. */
const UNTOUCHED_NAMED = 12;

function untouchedWords(names: readonly string[]): string {
  if (names.length === 0) return "";
  const which = names.length > UNTOUCHED_NAMED ? `${names.length} sites` : names.join(", ");
  return `\n\nServer not touched, link stays: ${which}.`;
}

function reasonWords({ name, site, settings }: SiteChange, keys: readonly KeyChange[]): string {
  if (site === "added" || site === "removed") return `**${site}**`;
  const rotated = keys.some(({ owner, role }) => owner === name && role === "link") ? ["new link key"] : [];
  return [...rotated, ...settings.filter(({ setting }) => setting !== "rotation").map(settingWords)].join("<br>");
}

const settingWords = ({ setting, from, to }: SettingChange): string =>
  `\`${setting}\` ${from === undefined ? "default" : code(from)} → ${to === undefined ? "default" : code(to)}`;

interface Row {
  name: string;
  cells: string[];
}

/** Rows in their order; many that are alike stand with the first of them, and their names in a list below. */
function inGroups(rows: readonly Row[]): { grouped: string[][]; lists: string } {
  const alike = new Map<string, Row[]>();
  for (const row of rows) {
    const key = JSON.stringify(row.cells);
    alike.set(key, [...(alike.get(key) ?? []), row]);
  }
  const lists: string[] = [];
  const grouped = rows.flatMap((row): string[][] => {
    const group = alike.get(JSON.stringify(row.cells)) ?? [];
    if (group.length < GROUPED_FROM) return [[`\`${row.name}\``, ...row.cells]];
    if (group[0] !== row) return [];
    const label = `${group.length} sites like \`${row.name}\``;
    const names = group.map(({ name }) => name).join(", ");
    lists.push(`\n\n<details><summary>${group.length} sites like ${row.name}</summary>\n\n${names}\n\n</details>`);
    return [[label, ...row.cells]];
  });
  return { grouped, lists: lists.join("") };
}

function keySection(keys: readonly KeyChange[]): string {
  const words = keys.map(({ owner, role, rotation }) => {
    if (role === "given") return `${owner}: given keys change; a role without a given key gets a generated one`;
    const how = rotation === undefined ? "the key that is given now" : `rotation ${rotation.from} → ${rotation.to}`;
    const why =
      role === "link"
        ? "the old key is dropped when the site's data flows with the new one"
        : `everyone who logs in as ${role} needs the new seed`;
    return `${owner}: ${role} key (${how}); ${why}`;
  });
  return listSection("Keys rotated", words);
}

function streamSection({ streams, verdict }: FleetChanges): string {
  if (streams.length === 0) return "";
  const rows = streams.map(({ stream, where, what, field, from, to, how, data }) => [
    `\`${stream}\``,
    where === "both" ? "sites and hub" : where === "site" ? "every site" : "hub",
    field === undefined ? `**${what}**` : `\`${field}\` ${code(from ?? "")} → ${code(to ?? "")}`,
    how === "refused" ? "**refused**: JetStream cannot change it" : verdict === "refused" ? "" : how,
    data,
  ]);
  return `#### Streams\n\n${table([["stream", "where", "change", "how", "messages"], ...rows])}`;
}

const HUB = "hub.";

/** The hub's own settings, without the "hub." that its row says. */
const ofHub = (settings: readonly SettingChange[]): SettingChange[] =>
  settings
    .filter(({ setting }) => setting.startsWith(HUB))
    .map((change) => ({ ...change, setting: change.setting.slice(HUB.length) }));

/** @param hub the hub's own settings are in its row, if it has one. */
const settingSection = ({ settings, hub, verdict }: FleetChanges): string => {
  const hasRow = hub.server !== "untouched" && verdict !== "refused";
  const others = hasRow ? settings.filter(({ setting }) => !setting.startsWith(HUB)) : settings;
  return listSection("Settings", others.map(settingWords), true);
};

/** @param isMarkdown whether the items are Markdown already. */
const listSection = (title: string, items: readonly string[], isMarkdown = false): string =>
  items.length === 0 ? "" : `#### ${title}\n\n${itemList(groupedLines(items), isMarkdown)}`;

/** @param isMarkdown whether the items are Markdown already. */
export const itemList = (items: readonly string[], isMarkdown = false): string =>
  items.map((item) => `- ${indented(isMarkdown ? item : escaped(item))}`).join("\n");

export const pictureSection = (picture: string): string =>
  `#### The fleet\n\n\`\`\`mermaid\n${picture.trimEnd()}\n\`\`\``;

function table(rows: readonly (readonly string[])[]): string {
  // An empty column is left out.
  const [head = []] = rows;
  const used = head.map((_, i) => rows.slice(1).some((row) => (row[i] ?? "") !== ""));
  const lines = rows.map((row) => `| ${row.filter((_, i) => used[i]).join(" | ")} |`);
  const rule = `| ${head
    .filter((_, i) => used[i])
    .map(() => "---")
    .join(" | ")} |`;
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}

/** A value as it is in the settings. */
const code = (text: string): string => `\`${text.replaceAll("`", "'").replaceAll("|", "\\|")}\``;

/** The lines of an item after its first stay in it. */
const indented = (text: string): string => text.replaceAll("\n", "\n  ");

/** Words of others as they are: nothing in them is Markdown, HTML or a mention. */
export const escaped = (text: string): string =>
  text.replace(/[\\`*_{}[\]<>|#~@]/g, (sign) => (sign === "@" ? "@\u2060" : `\\${sign}`));

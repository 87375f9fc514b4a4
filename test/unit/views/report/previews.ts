import type { Previewed } from "../../../../views/report/changes";
import type { Report } from "../../../../machine/report";
import type { PreviewStep } from "../../../../views/report/preview";
import { UNKNOWN } from "../../../../configs/values";
import { readSettings } from "../../../../configs/reading/read-settings";
import { type RawSettings } from "../../../../configs/settings";
import type { FleetSettings } from "../../../../views/report/settings";

/** Previews as the CLI gives them, made up for one fact each. */

export const settingsFrom = (raw: RawSettings): FleetSettings => {
  const { keys: _, ...settings } = readSettings(raw).settings!;
  return settings;
};

export const TWO_SITES = {
  sites: [{ name: "oslo" }, { name: "bergen" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"] }],
} satisfies RawSettings;

/** @param wanted the settings, as the preview ran with them. */
export function previewOf(
  wanted: RawSettings,
  steps: PreviewStep[] = [],
  told: Report[] = [],
  more: Partial<Previewed> = {},
): Previewed {
  const config = Object.fromEntries(
    Object.entries(wanted).map(([name, value]) => [
      `nats-hub-leaf:${name}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
  return {
    stack: "lab",
    before: settingsFrom(TWO_SITES),
    preview: { config, steps, diagnostics: [] },
    told,
    failed: told.some(({ kind }) => kind === "refused"),
    pending: [],
    leaving: [],
    discard: { site: () => false, collected: () => false },
    interrupted: [],
    ...more,
  };
}

type Values = Record<string, unknown>;

function step(type: string, name: string, op: string, olds?: Values, news?: Values): PreviewStep {
  return {
    op,
    urn: `urn:pulumi:lab::nats-hub-leaf::nats-hub-leaf:index:Leaf$${type}::${name}`,
    ...(olds === undefined ? {} : { oldState: { inputs: olds } }),
    ...(news === undefined ? {} : { newState: { inputs: news } }),
  };
}

const nats = (kind: string): string => `pulumi-nodejs:dynamic/nats:${kind}`;

export const update = (kind: string, name: string, olds: Values, news: Values): PreviewStep =>
  step(nats(kind), name, "update", olds, news);

export const replace = (kind: string, name: string, olds: Values, news: Values): PreviewStep =>
  step(nats(kind), name, "replace", olds, news);

export const containerStep = (server: string, op: string): PreviewStep =>
  step("docker:index/container:Container", `${server}-container`, op, {}, {});

const RESTART = { host: "127.0.0.1", ports: { client: 4222, monitor: 8222 }, reconnect: 100 };
const RELOAD = {
  hubUrl: "nats-leaf://127.0.0.1:7422",
  limits: { maxFile: 1000, maxMemory: 0 },
  maxPayload: 1000,
  keys: { system: "UA", operator: "UB", application: "UC" },
};

/** Inputs of a site's server, with these in place of the usual. */
export const leafInputs = (
  site: string,
  { restart = {}, reload = {}, ...rest }: { restart?: Values; reload?: Values } & Values = {},
): Values => ({
  expect: "online",
  place: { kind: "process", folder: `.fleet/lab/sites/${site}` },
  declaration: { restart: { ...RESTART, name: site, ...restart }, reload: { ...RELOAD, ...reload } },
  ...rest,
});

export const hubInputs = ({ restart = {}, reload = {} }: { restart?: Values; reload?: Values } = {}): Values => ({
  place: { kind: "process", folder: ".fleet/lab/hub" },
  declaration: {
    restart: { ...RESTART, name: "hub", ...restart },
    reload: { limits: RELOAD.limits, maxPayload: 1000, keys: { system: "UA", operator: "UD" }, ...reload },
  },
});

export const linkInputs = (site: string, declaration: Values = {}): Values => ({
  declaration: {
    site,
    keys: { link: "UL", operator: "UB", reader: "UR" },
    limits: { maxFile: 1000 },
    merged: [],
    rotation: 0,
    ...declaration,
  },
  hub: { url: "nats://127.0.0.1:4222" },
});

export const identityInputs = (owner: string, more: Values = {}): Values => ({
  owner,
  ports: { client: 0, monitor: 0 },
  rotation: 0,
  given: {},
  ...more,
});

export const unknownKeys = { system: UNKNOWN, operator: UNKNOWN, application: UNKNOWN };

import { accountOf, siteStreamName } from "../configs/names";
import { ProbeSettings, StreamSettings } from "../configs/settings";
import { collectedName } from "../configs/streams";
import { SiteAccess, atHub } from "./collected";
import { digest } from "./digest";
import { open, serverInfo } from "./nats/connection";
import { Refusal, messageOf } from "./refusal";
import { report } from "./report";
import { Eavesdropper, Target, attackFrom, attackLeafPort } from "./smoke-test/attack";
import { Finding, blockingFinding, describeFinding, diagnose } from "./smoke-test/diagnose";
import { Breach, ProbeFacts, StreamFacts } from "./smoke-test/facts";
import { Observed, observe } from "./smoke-test/observe";
import { proveStream } from "./smoke-test/probe";
import { markProven, unproven } from "./unproven";
import { hasUnknown, inputsOnly } from "./values";

/** The proof that every site's data reaches the hub, that none is lost or doubled, and that no site sees another. */

export interface SmokeTestInputs {
  run: "onChange" | "always";
  stack: string;
  root: string;
  hub: { name: string; url: string; leafUrl: string };
  /** Folder that holds the folders of the sites' configurations and logs, when they are on this machine. */
  sitesFolder: string;
  sites: SmokeTestSite[];
  streams: StreamSettings[];
  probes: ProbeSettings;
  /** Secret. */
  secrets: {
    system: string;
    hubOperator: string;
    sites: Record<string, { application: string; operator: string; link: string }>;
  };
}

export interface SmokeTestSite {
  site: string;
  expect: "online" | "offline";
  url: string;
  /** Digest of the site's own declaration: when it changes, the burst goes over its link. */
  declared: string;
}

/** One row of the proof: one stream of one site. */
export interface ProofRow {
  site: string;
  link: "up" | "pending";
  account: string;
  stream: string;
  /** Account and name of the hub's stream. */
  collected: string;
  /** Probes that arrived, each exactly once. */
  messages: number;
  /** From publishing the first probe at the site to finding it in the hub's stream. */
  latencyMs: number;
  status: "proven" | "pending";
  note: string;
}

/** A digest instead of the inputs: state holds every byte of them twice otherwise. */
export interface SmokeTestOutputs {
  root: string;
  /** Digest of the inputs. */
  inputs: string;
  /** What each site declared when it was proven. */
  declared: Record<string, string>;
  proof: ProofRow[];
  /** What was proven: server ids by name, and the hub's streams at that time, by site and stream. */
  proven: { servers: Record<string, string>; streams: Record<string, NonNullable<StreamFacts["before"]>> };
}

/** Sites that are proven side by side. */
const CONCURRENCY = 8;

async function sideBySide<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i] as T);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
  return results;
}

const accessOf = ({ hub, secrets }: SmokeTestInputs, { site, expect, url }: SmokeTestSite): SiteAccess => ({
  site,
  expect,
  url,
  hubUrl: hub.url,
  operator: secrets.sites[site]?.operator ?? "",
  hubOperator: secrets.hubOperator,
});

const targetOf = (inputs: SmokeTestInputs, { site, url }: SmokeTestSite): Target => ({
  site,
  url,
  hubUrl: inputs.hub.url,
  hubDomain: inputs.hub.name,
  seeds: inputs.secrets.sites[site] ?? { application: "", operator: "", link: "" },
  streams: inputs.streams.map((stream) => siteStreamName(stream, site)),
});

interface Proved {
  site: SmokeTestSite;
  probes: Record<string, ProbeFacts>;
  findings: Finding[];
}

async function proveSite(
  inputs: SmokeTestInputs,
  site: SmokeTestSite,
  runId: string,
  olds?: SmokeTestOutputs,
): Promise<Proved> {
  const access = accessOf(inputs, site);
  const observed: Observed = {
    access,
    root: inputs.root,
    folder: `${inputs.sitesFolder}/${site.site}`,
    system: inputs.secrets.system,
    hubDomain: inputs.hub.name,
    linkSeed: inputs.secrets.sites[site.site]?.link ?? "",
    streams: inputs.streams,
    before: Object.fromEntries(
      inputs.streams.map((stream) => [siteStreamName(stream, site.site), olds?.proven.streams[keyOf(site, stream)]]),
    ),
    probes: {},
  };
  const blocking = blockingFinding(await observe(observed));
  if (blocking !== undefined) return { site, probes: {}, findings: [blocking] };
  const burst = olds?.declared[site.site] !== site.declared;
  const application = await open({ url: site.url, seed: inputs.secrets.sites[site.site]?.application ?? "" });
  try {
    for (const stream of inputs.streams) {
      const facts = await proveStream({
        access,
        stack: inputs.stack,
        stream,
        application,
        settings: inputs.probes,
        runId,
        burst,
      });
      observed.probes[siteStreamName(stream, site.site)] = facts;
      if (facts.arrived > 0)
        report(
          `site ${site.site}: ${facts.arrived} of ${facts.sent} probes of ${stream.name} reached ${collectedName(stream, site.site)}, the first in ${facts.latencyMs ?? "?"} ms`,
        );
    }
  } finally {
    await application.close();
  }
  return { site, probes: observed.probes, findings: diagnose(await observe(observed)) };
}

const keyOf = ({ site }: SmokeTestSite, stream: StreamSettings): string => `${site}/${stream.name}`;

const cannotTest = (site: string, what: string, error: unknown): Finding => ({
  code: "probe-failed",
  severity: "error",
  site,
  symptom: `${what} could not be tested`,
  cause: messageOf(error),
  evidence: "the test itself ended early",
  next: "run 'pulumi up' again",
});

const breachFinding = ({ site, attack, evidence, next }: Breach): Finding => ({
  code: "isolation-broken",
  severity: "error",
  site,
  symptom: "it is not isolated",
  cause: `${attack} succeeded`,
  evidence,
  next,
});

async function attackAll(inputs: SmokeTestInputs, sites: readonly SmokeTestSite[]): Promise<Finding[]> {
  const [first] = sites;
  const onPort =
    first === undefined
      ? []
      : await attackLeafPort(first.site, inputs.hub.leafUrl).catch((error: unknown) =>
          cannotTest(first.site, "the leafnode port", error),
        );
  const found = await sideBySide(sites, async (site) => {
    // Each site attacks the next one: every site is an attacker once and a victim once.
    const victim = sites.length < 2 ? undefined : sites[(sites.indexOf(site) + 1) % sites.length];
    try {
      const breaches = await attackFrom(
        targetOf(inputs, site),
        victim === undefined ? undefined : targetOf(inputs, victim),
      );
      return breaches.map(breachFinding);
    } catch (error) {
      return [cannotTest(site.site, "isolation", error)];
    }
  });
  return [...(Array.isArray(onPort) ? onPort.map(breachFinding) : [onPort]), ...found.flat()];
}

function rowsOf(inputs: SmokeTestInputs, site: SmokeTestSite, proved?: Proved): ProofRow[] {
  return inputs.streams.map((stream): ProofRow => {
    const probe = proved?.probes[siteStreamName(stream, site.site)];
    const losses = (proved?.findings ?? []).map((finding) => finding.cause);
    const standIn = probe?.why === undefined ? [] : [`through a probe stream: ${probe.why}`];
    return {
      site: site.site,
      link: proved === undefined ? "pending" : "up",
      account: accountOf(site.site),
      stream: siteStreamName(stream, site.site),
      collected: collectedName(stream, site.site),
      messages: probe?.arrived ?? 0,
      latencyMs: probe?.latencyMs ?? 0,
      status: proved === undefined ? "pending" : "proven",
      note:
        proved === undefined
          ? "declared offline: the hub is ready, the site is not deployed"
          : [...standIn, ...losses].join("; "),
    };
  });
}

async function seenOnHub(inputs: SmokeTestInputs): Promise<SmokeTestOutputs["proven"]["streams"]> {
  const seen: SmokeTestOutputs["proven"]["streams"] = {};
  await sideBySide(inputs.sites, async (site) => {
    for (const stream of inputs.streams) {
      const info = await atHub(accessOf(inputs, site), stream).then((js) => js.stream(stream.name));
      if (info === undefined) continue;
      seen[keyOf(site, stream)] = {
        hubCreated: info.created,
        hubLastSeq: info.state.last_seq,
        hubMessages: info.state.messages,
      };
    }
  });
  return seen;
}

/** Enough of a server id to tell one start of a server from the next. */
const ID_LENGTH = 12;

async function serverIds({ hub, sites }: SmokeTestInputs): Promise<Record<string, string>> {
  const servers = [
    { name: hub.name, url: hub.url },
    ...sites.filter(isOnline).map(({ site, url }) => ({ name: site, url })),
  ];
  const ids = await Promise.all(
    servers.map(
      async ({ name, url }) => [name, ((await serverInfo(url))?.server_id ?? "").slice(0, ID_LENGTH)] as const,
    ),
  );
  return Object.fromEntries(ids);
}

const isOnline = ({ expect }: SmokeTestSite): boolean => expect === "online";

/** Runs the whole test. Errors: a Refusal with every finding, when anything is not proven. */
export async function prove(inputs: SmokeTestInputs, olds?: SmokeTestOutputs): Promise<SmokeTestOutputs> {
  const runId = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
  const online = inputs.sites.filter(isOnline);
  const listeners = await sideBySide(online, (site) =>
    Eavesdropper.listen(
      site.site,
      { url: site.url, seed: inputs.secrets.sites[site.site]?.application ?? "" },
      runId,
    ).catch(() => undefined),
  );
  const proved = await sideBySide(online, (site) =>
    proveSite(inputs, site, runId, olds).catch((error: unknown): Proved => ({
      site,
      probes: {},
      findings: [cannotTest(site.site, "sourcing", error)],
    })),
  );
  const sent = ({ probes }: Proved) => Object.values(probes).some((probe) => probe.sent > 0);
  const overheard = (
    await Promise.all(listeners.map(async (listener, i) => listener?.stop(proved[i] !== undefined && sent(proved[i]))))
  ).flatMap((breaches) => breaches ?? []);
  const reachable = online.filter(
    (_, i) => !(proved[i]?.findings ?? []).some(({ code }) => code === "site-down" || code === "hub-down"),
  );
  const findings = [
    ...proved.flatMap((site) => site.findings),
    ...overheard.map(breachFinding),
    ...(await attackAll(inputs, reachable)),
  ];
  const errors = findings.filter((finding) => finding.severity === "error");
  for (const { site } of proved) {
    if (!errors.some((finding) => finding.site === site.site)) markProven(inputs.root, site.site);
  }
  if (errors.length > 0) {
    const failed = new Set(errors.map((finding) => finding.site)).size;
    throw new Refusal(
      [`smoke test: ${failed} of ${online.length} sites are not proven`, ...errors.map(describeFinding)].join("\n"),
    );
  }
  for (const finding of findings) report(describeFinding(finding));
  for (const name of unproven(inputs.root)) markProven(inputs.root, name);
  return {
    root: inputs.root,
    inputs: digest(inputsOnly(inputs)),
    declared: Object.fromEntries(inputs.sites.map(({ site, declared }) => [site, declared])),
    proof: inputs.sites.flatMap((site) =>
      rowsOf(
        inputs,
        site,
        proved.find((one) => one.site === site),
      ),
    ),
    proven: { servers: await serverIds(inputs), streams: await seenOnHub(inputs) },
  };
}

const listed = (names: string[]): string =>
  names.length <= 10 ? names.join(", ") : `${names.slice(0, 10).join(", ")} and ${names.length - 10} more`;

const megabytes = (bytes: number): string => `${Number((bytes / 1e6).toFixed(2))} MB`;

export async function check(olds: Partial<SmokeTestInputs>, news: SmokeTestInputs) {
  const burst = news.sites.filter(
    (site) => isOnline(site) && olds.sites?.find((old) => old.site === site.site)?.declared !== site.declared,
  );
  if (burst.length > 0 && news.streams.length > 0) {
    const { probes, streams } = news;
    const others =
      burst.length === news.sites.filter(isOnline).length ? "" : `; ${probes.count} probes over each other link`;
    report(
      `smoke test: ${megabytes(probes.burst * streams.length)} over the link of ${listed(burst.map(({ site }) => site))}${burst.length > 1 ? " each" : ""}${others}`,
    );
  }
  return { inputs: news };
}

export async function create(inputs: SmokeTestInputs) {
  return { id: "smoke-test", outs: await prove(inputs) };
}

export async function diff(_id: string, olds: SmokeTestOutputs, news: SmokeTestInputs) {
  if (hasUnknown(news) || news.run === "always" || olds.inputs !== digest(inputsOnly(news))) return { changes: true };
  const changed = unproven(olds.root);
  if (changed.length > 0) report(`smoke test: runs again: not proven since the last change: ${listed(changed)}`);
  const ids = changed.length > 0 ? {} : await serverIds(news);
  const others = Object.keys(ids).filter((name) => ids[name] !== olds.proven.servers[name]);
  if (others.length > 0) report(`smoke test: runs again: ${listed(others)}: not the servers that were proven`);
  return { changes: changed.length + others.length > 0 };
}

export async function update(_id: string, olds: SmokeTestOutputs, news: SmokeTestInputs) {
  return { outs: await prove(news, olds) };
}

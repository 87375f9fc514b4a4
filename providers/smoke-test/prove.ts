import { siteStreamName } from "../../configs/names";
import { collectedName } from "../../configs/streams";
import { isAway } from "../away";
import { SiteAccess, atHub, atSite } from "../collected";
import { digest } from "../digest";
import { Access, open, serverInfo, shared } from "../nats/connection";
import { varz } from "../nats/system";
import { Refusal } from "../refusal";
import { report } from "../report";
import { markProven, markUnproven, unproven } from "../unproven";
import { inputsOnly } from "../values";
import { Eavesdropper } from "./attack";
import { blockingFinding, describeFinding, diagnose } from "../../diagnosis/diagnose";
import { attackAll, breachFinding, cannotTest } from "./isolation";
import { Proved, SmokeTestInputs, SmokeTestOutputs, SmokeTestSite } from "./job";
import { Observed, observe, observeSettled } from "./observe";
import { proveStream } from "./probe";
import { rowsOf, timed } from "./proof";
import { recordKey, recordOf } from "./record";
import { sideBySide } from "../side-by-side";

/** The proof that every site's data reaches the hub, that none is lost or doubled, and that no site sees another. */

const accessOf = ({ hub, secrets }: SmokeTestInputs, { site, expect, url, throughHub }: SmokeTestSite): SiteAccess => ({
  ...(throughHub === true ? { throughHub } : {}),
  site,
  expect,
  url,
  hubUrl: hub.url,
  operator: secrets.sites[site]?.operator ?? "",
  hubOperator: secrets.hubOperator,
});

/**
 * Proves one site. One that nothing happened to since its last proof sends a single probe, and is looked at closely
 * only when that does not arrive.
 */
async function proveSite(inputs: SmokeTestInputs, site: SmokeTestSite, { runId, olds, touched }: Run): Promise<Proved> {
  const access = accessOf(inputs, site);
  const observed: Observed = {
    access,
    stack: inputs.stack,
    root: inputs.root,
    place: site.place,
    ...(inputs.hub.place === undefined ? {} : { hubPlace: inputs.hub.place }),
    application: inputs.secrets.sites[site.site]?.application ?? "",
    ...(site.maxPayload === undefined ? {} : { maxPayload: site.maxPayload }),
    system: inputs.secrets.system,
    hubDomain: inputs.hub.name,
    linkSeed: inputs.secrets.sites[site.site]?.link ?? "",
    streams: inputs.streams,
    before: Object.fromEntries(
      inputs.streams.map((stream) => [siteStreamName(stream, site.site), recordOf(olds, site.site, stream)]),
    ),
    probes: {},
  };
  const isTouched = touched.has(site.site);
  if (isTouched) {
    const facts = await observeSettled(observed, inputs.probes.timeout);
    const { unreachable, application: granted } = facts.leaf;
    const isReachable =
      facts.hub.unreachable === undefined && unreachable === undefined && granted?.refused === undefined;
    if (blockingFinding(facts) !== undefined) return { site, probes: {}, findings: diagnose(facts), isReachable };
  }
  const burst = olds?.declared[site.site] !== site.declared;
  const application = await open(publisherOf(inputs, site));
  try {
    for (const stream of inputs.streams) {
      const facts = await proveStream({
        access,
        stack: inputs.stack,
        stream,
        application,
        settings: isTouched ? inputs.probes : { ...inputs.probes, count: 1 },
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
  const arrived = Object.values(observed.probes).every(
    ({ sent, arrived: count, doubled, error }) => count === sent && doubled === 0 && error === undefined,
  );
  const findings = isTouched || !arrived ? diagnose(await observe(observed)) : [];
  return { site, probes: observed.probes, findings, isReachable: true };
}

/** Who publishes the probes: the site's application there, or its operator on the hub when only the hub reaches it. */
function publisherOf({ hub, secrets }: SmokeTestInputs, { site, url, throughHub }: SmokeTestSite): Access {
  const { application = "", operator = "" } = secrets.sites[site] ?? {};
  return throughHub === true ? { url: hub.url, seed: operator } : { url, seed: application };
}

/** One run of the test. */
interface Run {
  runId: string;
  olds: SmokeTestOutputs | undefined;
  /** Sites that changed since they were proven: they are tested in full, the others by one probe. */
  touched: ReadonlySet<string>;
}

/** Every site when there is no proof yet or the hub is another one; else those that changed or are another server. */
function touchedSites(
  inputs: SmokeTestInputs,
  olds: SmokeTestOutputs | undefined,
  ids: Record<string, string>,
): Set<string> {
  const names = inputs.sites.filter(isOnline).map(({ site }) => site);
  if (olds === undefined || inputs.run === "always") return new Set(names);
  const changed = new Set([
    ...unproven(inputs.root),
    ...Object.keys(ids).filter((name) => ids[name] !== olds.proven.servers[name]),
    ...inputs.sites.filter(({ site, declared }) => olds.declared[site] !== declared).map(({ site }) => site),
  ]);
  return new Set(changed.has(inputs.hub.name) ? names : names.filter((name) => changed.has(name)));
}

async function seenOnHub(inputs: SmokeTestInputs): Promise<SmokeTestOutputs["proven"]["streams"]> {
  const seen: SmokeTestOutputs["proven"]["streams"] = {};
  await sideBySide(inputs.sites, async (site) => {
    for (const stream of inputs.streams) {
      const info = await atHub(accessOf(inputs, site), stream).then((js) => js.stream(stream.name));
      if (info === undefined) continue;
      const atTheSite = isOnline(site)
        ? await atSite(accessOf(inputs, site)).then((js) => js.stream(siteStreamName(stream, site.site)))
        : undefined;
      seen[recordKey(site.site, stream)] = {
        hubCreated: info.created,
        hubLastSeq: info.state.last_seq,
        hubMessages: info.state.messages,
        ...(atTheSite === undefined ? {} : { siteCreated: atTheSite.created }),
      };
    }
  });
  return seen;
}

/** A time in UTC, to the second. */
const secondsOf = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;

/** Enough of a server id to tell one start of a server from the next. */
const ID_LENGTH = 12;

/** The ids of the servers; empty of one that does not say its own. */
export async function serverIds({ hub, sites, secrets }: SmokeTestInputs): Promise<Record<string, string>> {
  const online = sites.filter(isOnline);
  const ids = await Promise.all([
    ...[{ site: hub.name, url: hub.url }, ...online.filter(({ throughHub }) => throughHub !== true)].map(
      async ({ site, url }) => [site, (await serverInfo(url))?.server_id ?? ""] as const,
    ),
    ...online
      .filter(({ throughHub }) => throughHub === true)
      .map(async ({ site }) => {
        const asked = shared({ url: hub.url, seed: secrets.sites[site]?.operator ?? "", site }).then(varz);
        return [site, await asked.then(({ server_id }) => server_id).catch(() => "")] as const;
      }),
  ]);
  return Object.fromEntries(ids.map(([name, id]) => [name, id.slice(0, ID_LENGTH)]));
}

export const isOnline = ({ site, expect }: SmokeTestSite): boolean => expect === "online" && !isAway(site);

/** Runs the whole test. Errors: a Refusal with every finding, when anything is not proven. */
export async function prove(inputs: SmokeTestInputs, olds?: SmokeTestOutputs): Promise<SmokeTestOutputs> {
  const runId = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
  const online = inputs.sites.filter(isOnline);
  // Of a server that starts anew while it is proven, this is no longer the id: the test runs once more then.
  const servers = await serverIds(inputs);
  const run: Run = { runId, olds, touched: touchedSites(inputs, olds, servers) };
  const listeners = await sideBySide(online, async (site) =>
    !run.touched.has(site.site) || site.throughHub === true
      ? undefined
      : Eavesdropper.listen(
          site.site,
          { url: site.url, seed: inputs.secrets.sites[site.site]?.application ?? "" },
          runId,
        ).catch(() => undefined),
  );
  const proved = await sideBySide(online, (site) =>
    proveSite(inputs, site, run).catch((error: unknown): Proved => ({
      site,
      probes: {},
      findings: [cannotTest(site.site, "sourcing", error)],
      isReachable: false,
    })),
  );
  const sent = ({ probes }: Proved) => Object.values(probes).some((probe) => probe.sent > 0);
  const overheard = (
    await Promise.all(listeners.map(async (listener, i) => listener?.stop(proved[i] !== undefined && sent(proved[i]))))
  ).flatMap((breaches) => breaches ?? []);
  const findings = [
    ...proved.flatMap((site) => site.findings),
    ...overheard.map(breachFinding),
    ...(await attackAll(inputs, proved, run.touched)),
  ];
  const errors = findings.filter((finding) => finding.severity === "error");
  for (const { site } of proved) {
    if (!errors.some((finding) => finding.site === site.site)) markProven(inputs.root, site.site);
  }
  for (const finding of findings) if (finding.severity === "warning") report(describeFinding(finding));
  if (errors.length > 0) {
    const failed = new Set(errors.map((finding) => finding.site)).size;
    throw new Refusal(
      [`smoke test: ${failed} of ${online.length} sites are not proven`, ...errors.map(describeFinding)].join("\n"),
    );
  }
  for (const name of unproven(inputs.root)) if (!isAway(name)) markProven(inputs.root, name);
  for (const { site } of inputs.sites) if (isAway(site)) markUnproven(inputs.root, site);
  const rows = inputs.sites.flatMap((site) =>
    rowsOf(
      site,
      inputs.streams,
      proved.find((one) => one.site === site),
      isAway(site.site),
    ),
  );
  return {
    root: inputs.root,
    inputs: digest(inputsOnly(inputs)),
    declared: Object.fromEntries(inputs.sites.map(({ site, declared }) => [site, declared])),
    proof: timed(rows, secondsOf(new Date()), olds?.proof),
    proven: { servers, streams: await seenOnHub(inputs) },
  };
}

import { siteStreamName } from "../../configs/names";
import { collectedName } from "../../configs/streams";
import { awayOfHub, isAway } from "../../servers/away";
import { atHub, atSite } from "../sourcing/collected";
import { digest } from "../../machine/digest";
import { Access, open, serverInfo, shared } from "../../servers/nats/connection";
import { varz } from "../../servers/nats/system";
import { Refusal } from "../../machine/refusal";
import { report } from "../../machine/report";
import { sideBySide } from "../../machine/side-by-side";
import { failedSteps, markProven, markUnproven, unproven } from "../observation/unproven";
import { inputsOnly } from "../../configs/values";
import { describeFinding, diagnose } from "../../diagnosis/diagnose";
import { Finding, findingOf } from "../../diagnosis/facts/finding";
import { Eavesdropper } from "./attack";
import { AccountLooks } from "./ends";
import { attackAll, breachFinding } from "./isolation";
import { Proved, SmokeTestInputs, SmokeTestOutputs, SmokeTestSite, hubPoints } from "./job";
import { packed } from "./packed";
import { Collection, withNewestMarks } from "../../diagnosis/book/ledger";
import { removalBook } from "../book/own";
import { bookName, readBook } from "../book/record";
import { observe } from "../observation/observe";
import { proveStream } from "./probe";
import { rowsOf, timed } from "./proof";
import { recordKey } from "./record";
import { Candidate, Run, RunRoom, accessOf, cannotProve, hasBurst, keyOf, lookAt, roomOf, settingsFor } from "./run";

/** The proof that every site's data reaches the hub, that none is lost or doubled, and that no site sees another. */

/** Proves one site: sends its probes where the run has room for them. */
async function proveSite(inputs: SmokeTestInputs, candidate: Candidate, run: Run, room: RunRoom): Promise<Proved> {
  const { site, observed, jobs, blocked } = candidate;
  if (blocked !== undefined) return blocked;
  const publisher = await open(publisherOf(inputs, site));
  try {
    for (const stream of inputs.streams) {
      const name = siteStreamName(stream, site.site);
      const [job, decision] = [jobs[name], room.decisions.get(keyOf(site, stream))];
      const facts = await proveStream({
        access: observed.access,
        stack: inputs.stack,
        stream,
        publisher,
        settings: settingsFor(inputs, candidate),
        runId: run.runId,
        burst: hasBurst(site, run),
        book: removalBook({ root: inputs.root, access: observed.access, stream }),
        ...(job === undefined || decision === undefined
          ? {}
          : { room: { decision, ends: job.ends, standIns: room.standIns } }),
      });
      observed.probes[name] = facts;
      if (facts.arrived > 0)
        report(
          `site ${site.site}: ${facts.arrived} of ${facts.sent} probes of ${stream.name} reached ${collectedName(stream, site.site)}, the first in ${facts.latencyMs ?? "?"} ms`,
        );
    }
  } finally {
    await publisher.close();
  }
  return { site, probes: observed.probes, findings: diagnose(await observe(observed)), isReachable: true };
}

const applicationOf = ({ secrets }: SmokeTestInputs, { site, url }: SmokeTestSite): Access => ({
  url,
  seed: secrets.sites[site]?.application ?? "",
});

/** Who publishes the probes: the site's operator there, or on the hub when only the hub reaches it. */
const publisherOf = ({ hub, secrets }: SmokeTestInputs, { site, url, throughHub }: SmokeTestSite): Access => ({
  url: throughHub === true ? hub.url : url,
  seed: secrets.sites[site]?.operator ?? "",
});

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
  const hub = [inputs.hub.name, ...hubPoints(inputs.hub).map(({ name }) => name)];
  return new Set(hub.some((name) => changed.has(name)) ? names : names.filter((name) => changed.has(name)));
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

/** The book of all streams, with the newest mark of each. */
function copyOfBook({ root, sites, streams }: SmokeTestInputs): Record<string, Collection> {
  const copy: Record<string, Collection> = {};
  for (const { site } of sites)
    for (const stream of streams) {
      const book = readBook(root, stream, site);
      if (book !== undefined) copy[bookName(stream, site)] = withNewestMarks(book);
    }
  return copy;
}

/** A time in UTC, to the second. */
const secondsOf = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;

/** Enough of a server id to tell one start of a server from the next. */
const ID_LENGTH = 12;

/** Asked twice: a site whose id is not known is tested in full, and a busy machine may be late once. */
const idOf = async (url: string): Promise<string | undefined> =>
  ((await serverInfo(url, ID_WAIT_MS)) ?? (await serverInfo(url, ID_WAIT_MS)))?.server_id;

/** For each of the two: a look at a server that never answers ends within 5 s. */
const ID_WAIT_MS = 1_500;

/** The ids of the servers; empty of one that does not say its own. */
export async function serverIds({ hub, sites, secrets }: SmokeTestInputs): Promise<Record<string, string>> {
  const online = sites.filter(isOnline);
  const ids = await Promise.all([
    ...[
      ...hubPoints(hub).map(({ name: site, url }) => ({ site, url })),
      ...online.filter(({ throughHub }) => throughHub !== true),
    ].map(async ({ site, url }) => [site, (await idOf(url)) ?? ""] as const),
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

/** Failures of sites that are expected offline: their side of the hub is deployed, and nothing else would report it. */
const failedBesides = ({ root, sites }: SmokeTestInputs): Finding[] =>
  sites
    .filter(({ expect }) => expect === "offline")
    .flatMap(({ site }) =>
      failedSteps(root, site).map((cause) =>
        findingOf(
          "step-failed",
          {
            cause,
            evidence: "the step of this site in 'pulumi up' failed",
            next: "fix what it names, then run 'pulumi up'",
          },
          { site, symptom: "what the hub has of this site, which is expected offline, is not all deployed" },
        ),
      ),
    );

const testWords = ({ wave }: SmokeTestInputs, words: string): string =>
  wave === undefined
    ? `smoke test: ${words}`
    : `wave ${wave.number}: ${words}; the servers of ${wave.later.join(", ")} are left as they are. When this wave is well, 'pulumi up' goes on`;

/** What was tested, without what came of it. */
const provenOnly = (inputs: SmokeTestInputs) => ({
  root: inputs.root,
  inputs: digest(inputsOnly(inputs)),
  declared: Object.fromEntries(inputs.sites.map(({ site, declared }) => [site, declared])),
  proof: [],
});

/** Runs the whole test. Errors: a Refusal with every finding, when anything is not proven. */
export async function prove(inputs: SmokeTestInputs, olds?: SmokeTestOutputs): Promise<SmokeTestOutputs> {
  const runId = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
  const online = inputs.sites.filter(isOnline);
  // If a server restarts during the proof, its id changes: the test then runs once more.
  const servers = await serverIds(inputs);
  const run: Run = { runId, olds, touched: touchedSites(inputs, olds, servers), looks: new AccountLooks() };
  const listeners = await sideBySide(online, async (site) =>
    !run.touched.has(site.site) || site.throughHub === true
      ? undefined
      : Eavesdropper.listen(site.site, applicationOf(inputs, site), runId).catch(() => undefined),
  );
  // All are looked at before the first probe is sent: the room for probes is that of the whole run.
  const candidates = await sideBySide(online, (site) => lookAt(inputs, site, run));
  const room = roomOf(candidates, inputs.probes.timeout);
  const proved = await sideBySide(candidates, (candidate) =>
    proveSite(inputs, candidate, run, room).catch((error: unknown) => cannotProve(candidate.site, error)),
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
  const errors = [...findings.filter((finding) => finding.severity === "error"), ...failedBesides(inputs)];
  for (const { site } of proved) {
    if (!errors.some((finding) => finding.site === site.site)) markProven(inputs.root, site.site);
  }
  for (const finding of findings) if (finding.severity === "warning") report(describeFinding(finding));
  if (errors.length > 0) {
    const failed = new Set(errors.map(({ site }) => site));
    const all = new Set([...online.map(({ site }) => site), ...failed]);
    throw new Refusal(
      [testWords(inputs, `${failed.size} of ${all.size} sites are not proven`), ...errors.map(describeFinding)].join(
        "\n",
      ),
    );
  }
  if (inputs.wave !== undefined) return { ...provenOnly(inputs), proven: { servers, streams: {} } };
  for (const name of unproven(inputs.root)) if (!isAway(name)) markProven(inputs.root, name);
  for (const name of [...awayOfHub(), ...inputs.sites.map(({ site }) => site)])
    if (isAway(name)) markUnproven(inputs.root, name);
  const rows = inputs.sites.flatMap((site) =>
    rowsOf(
      site,
      inputs.streams,
      proved.find((one) => one.site === site),
      isAway(site.site),
    ),
  );
  return {
    ...provenOnly(inputs),
    proof: timed(rows, secondsOf(new Date()), olds?.proof),
    proven: { servers, streams: await seenOnHub(inputs), book: packed(copyOfBook(inputs)) },
  };
}

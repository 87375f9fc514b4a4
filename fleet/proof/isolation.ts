import { siteStreamName } from "../../configs/names";
import { messageOf } from "../../machine/refusal";
import { Target, attackFrom, attackLeafPort } from "./attack";
import { attackAsWatcher } from "../../servers/watch/attack";
import { Finding, findingOf } from "../../diagnosis/facts/finding";
import { Breach } from "../../diagnosis/facts/facts";
import { Proved, SmokeTestInputs, SmokeTestSite, hubPoints } from "./job";
import { sideBySide } from "../../machine/side-by-side";

/** Isolation of the fleet: which site attacks which, and what a success means. */

const targetOf = (inputs: SmokeTestInputs, { site, url }: SmokeTestSite): Target => ({
  site,
  url,
  hubUrls: hubPoints(inputs.hub).map((server) => server.url),
  hubDomain: inputs.hub.name,
  seeds: inputs.secrets.sites[site] ?? { application: "", operator: "", link: "" },
  streams: inputs.streams.map((stream) => siteStreamName(stream, site)),
});

export const cannotTest = (site: string, what: string, error: unknown): Finding =>
  findingOf(
    "probe-failed",
    { cause: messageOf(error), evidence: "the test itself ended early", next: "run 'pulumi up' again" },
    { site, symptom: `${what} could not be tested` },
  );

export const breachFinding = ({ site, attack, evidence, next }: Breach): Finding =>
  findingOf(
    "isolation-broken",
    { cause: `${attack} succeeded`, evidence, next },
    { site, symptom: "it is not isolated" },
  );

/** Attacks from and on every touched site. */
export async function attackAll(
  inputs: SmokeTestInputs,
  proved: readonly Proved[],
  touched: ReadonlySet<string>,
): Promise<Finding[]> {
  // A site that only the hub reaches cannot attack from its own port; the others attack it all the same.
  // Without JetStream the control of the attacks has nothing to read.
  const reachable = proved.filter(
    ({ isReachable, site, findings }) =>
      isReachable && site.throughHub !== true && !findings.some(({ code }) => code === "jetstream-off"),
  );
  const sites = reachable.map(({ site }) => site);
  // A port that no link came through refuses attacks too; the finding of the link says why.
  const linked = reachable.find(({ findings }) => !findings.some(({ code }) => code === "link-down"))?.site.site;
  const onPort =
    linked === undefined
      ? []
      : await Promise.all(hubPoints(inputs.hub).map(({ leafUrl }) => attackLeafPort(linked, leafUrl))).then(
          (all) => all.flat(),
          (error: unknown) => cannotTest(linked, "the leafnode port", error),
        );
  // Each site attacks the next one: every site is an attacker once and a victim once.
  const pairs = sites.map((site, i) => ({
    site,
    victim: sites.length < 2 ? undefined : sites[(i + 1) % sites.length],
  }));
  const chosen = pairs.filter(({ site, victim }) => touched.has(site.site) || touched.has(victim?.site ?? ""));
  const found = await sideBySide(chosen, async ({ site, victim }) => {
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
  const byWatcher = linked === undefined ? [] : await watcherAttacks(inputs, sites, linked);
  return [...(Array.isArray(onPort) ? onPort.map(breachFinding) : [onPort]), ...found.flat(), ...byWatcher];
}

/** What the watcher's key reaches besides what it needs. */
async function watcherAttacks(
  inputs: SmokeTestInputs,
  sites: readonly SmokeTestSite[],
  site: string,
): Promise<Finding[]> {
  const { hub, secrets, streams } = inputs;
  if (secrets.watch === undefined) return [];
  const points = hubPoints(hub);
  const watch = { seed: secrets.watch, isOfSeveral: points.length > 1, sites: sites.map((one) => one.site), streams };
  const attacks = points.map((point) => attackAsWatcher(site, { ...watch, ...point, name: hub.name }));
  return Promise.all(attacks).then(
    (breaches) => breaches.flat().map(breachFinding),
    (error: unknown) => [cannotTest(site, "the watcher's key", error)],
  );
}

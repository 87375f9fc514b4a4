import * as pulumi from "./sdk/pulumi";
import { wavesOf } from "../configs/waves/waves";
import { WAVE_TEST } from "../configs/resources";
import { Fleet } from "./fleet";
import { Hub } from "./hub";
import { Leaf } from "./leaf";
import { testedBy } from "./proof";
import { WaveTest } from "./sdk/resources";

/**
 * A leaf for each site, in the order of the settings. The sites of one wave come after the test of the wave before: when it
 * fails, Pulumi leaves them as they are.
 */
export function leavesOf(fleet: Fleet, hub: Hub): Leaf[] {
  const { settings } = fleet;
  const waves = wavesOf(settings);
  const leaves = new Map<string, Leaf>();
  let after: pulumi.Resource[] = [];
  waves.forEach(({ number, sites }, i) => {
    for (const site of sites) leaves.set(site.name, new Leaf(site.name, { fleet, hub, site, after }));
    const later = waves.slice(i + 1).flatMap((wave) => wave.sites.map(({ name }) => name));
    if (number === undefined || later.length === 0) return;
    const { secrets, ...tested } = testedBy(fleet, hub, sites);
    const dependsOn = sites.flatMap(({ name }) => leaves.get(name)?.streams ?? []);
    const test = new WaveTest(
      `${WAVE_TEST}${number}`,
      { run: "onChange", ...tested, secrets: pulumi.secret(secrets), wave: { number, later } },
      { dependsOn },
    );
    after = [test];
  });
  return settings.sites.flatMap(({ name }) => leaves.get(name) ?? []);
}

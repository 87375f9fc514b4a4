import { accountOf } from "../../../configs/names";
import type { Deployed } from "../../../commands/state/deployed-fleet";
import type { TestFleet } from "../fleets/fleet";

/** A fleet as the outputs get it from the state of its stack. */
export function deployedOf(fleet: TestFleet, stack = "test"): Deployed {
  const { hub, settings } = fleet;
  const monitorOf = (port: number): string => `http://127.0.0.1:${port}`;
  const sites = settings.sites.map(({ name, reach, expect }) => {
    const { url, ports } = fleet.site(name);
    return { name, url, monitor: monitorOf(ports.monitor), account: accountOf(name), reach, expect };
  });
  const streams = settings.streams.map(({ name, subjects, collect }) => ({ name, subjects, mode: collect.mode }));
  return {
    fleet: { stack, hub: { name: hub.name, url: hub.url, monitor: monitorOf(hub.ports.monitor) }, sites, streams },
    seeds: Object.fromEntries(
      [hub, ...settings.sites.map(({ name }) => fleet.site(name))].map(({ name, seeds }) => [name, seeds]),
    ),
  };
}

import type { FleetChanges } from "./model";
import type { FleetSettings } from "./settings";

/** What is marked in the picture of the fleet. */
export type Mark = "added" | "removed" | "changed" | "restarts";

/** The marks by server: restarts first, for that is what people feel. */
export function marksOf({ hub, sites }: FleetChanges): Map<string, Mark> {
  const marks = new Map<string, Mark>();
  if (["restarts", "replaced", "starts"].includes(hub.server)) marks.set(hub.name, "restarts");
  else if (hub.server !== "untouched") marks.set(hub.name, "changed");
  for (const { name, site, server } of sites) {
    if (site === "added" || site === "removed") marks.set(name, site);
    else marks.set(name, ["restarts", "replaced", "starts"].includes(server) ? "restarts" : "changed");
  }
  return marks;
}

/** The fleet with those that go still in it. */
export const withRemoved = (before: FleetSettings | undefined, after: FleetSettings): FleetSettings => ({
  ...after,
  sites: [
    ...after.sites,
    ...(before?.sites ?? []).filter(({ name }) => !after.sites.some((site) => site.name === name)),
  ],
});

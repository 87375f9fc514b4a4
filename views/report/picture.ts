import { Mark, mermaidOf } from "../topology/mermaid";
import { topologyOf } from "../topology/topology";
import type { FleetChanges, ServerFate } from "./model";
import type { FleetSettings } from "./settings";

/** The fleet as it shall be, as Mermaid, with what changes marked; what goes is in it too. */
export const pictureOf = (settings: FleetSettings, changes?: FleetChanges): string =>
  mermaidOf(topologyOf({ ...settings, keys: {} }), changes === undefined ? new Map() : marksOf(changes));

const STOPPED: readonly ServerFate[] = ["restarts", "replaced", "starts"];

/** The marks by server. A restart goes first: it is what people feel. */
export function marksOf({ hub, sites }: FleetChanges): Map<string, Mark> {
  const marks = new Map<string, Mark>();
  const markOf = (server: ServerFate): Mark => (STOPPED.includes(server) ? "restarts" : "changed");
  // One that died has that for a reason; another one that starts is new.
  const isNew = hub.server === "starts" && hub.because.length === 0;
  if (hub.server !== "untouched") marks.set(hub.name, isNew ? "added" : markOf(hub.server));
  for (const { name, site, server, link, streams } of sites) {
    const isTouched = site === "changed" || server !== "untouched" || streams;
    if (site === "added" || site === "removed") marks.set(name, site);
    // A link that only follows the hub is no change of its site.
    else if (isTouched || link === "may drop") marks.set(name, markOf(server));
  }
  return marks;
}

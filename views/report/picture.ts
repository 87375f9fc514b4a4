import { Mark, mermaidOf } from "../topology/mermaid";
import { topologyOf } from "../topology/topology";
import type { FleetChanges, ServerFate } from "./model";
import type { FleetSettings } from "./settings";

/** The planned fleet as Mermaid, with changes marked; what is removed is in it too. */
export const pictureOf = (settings: FleetSettings, changes?: FleetChanges): string =>
  mermaidOf(topologyOf({ ...settings, keys: {} }), changes === undefined ? new Map() : marksOf(changes));

const STOPPED: readonly ServerFate[] = ["restarts", "replaced", "starts"];

/** The marks by server. A restart takes precedence: people notice it. */
export function marksOf({ hub, sites }: FleetChanges): Map<string, Mark> {
  const marks = new Map<string, Mark>();
  const markOf = (server: ServerFate): Mark => (STOPPED.includes(server) ? "restarts" : "changed");
  // A server that died shows that as its reason; another one that starts is new.
  const isNew = hub.server === "starts" && hub.because.length === 0;
  if (hub.server !== "untouched") marks.set(hub.name, isNew ? "added" : markOf(hub.server));
  for (const { name, site, server, link, streams } of sites) {
    const isTouched = site === "changed" || server !== "untouched" || streams;
    if (site === "added" || site === "removed") marks.set(name, site);
    // A link that only follows the hub is not a change of its site.
    else if (isTouched || link === "may drop") marks.set(name, markOf(server));
  }
  return marks;
}

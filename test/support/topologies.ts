import { RawSettings } from "../../configs/settings";
import { Topology, topologyOf } from "../../topology/topology";
import { settingsOf } from "./settings";

/** Fleets to draw, of any size. */

export const drawn = (raw: RawSettings): Topology => topologyOf(settingsOf(raw));

export const EVENTS = { name: "EVENTS", subjects: ["events.>"] };
export const ALARMS = { name: "ALARMS", subjects: ["alarms.>"], collect: { mode: "merged" as const } };

/** `site-1`, `site-2`, … */
export const manySites = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `site-${i + 1}` }));

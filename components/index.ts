/** Hub and leaf servers for any Pulumi program: `new Fleet`, `new Hub`, a `new Leaf` for each site, `new Proof`. */
export { Fleet, type FleetArgs } from "./fleet";
export { Hub, type HubArgs } from "./hub";
export { Leaf, type LeafArgs } from "./leaf";
export { leavesOf } from "./leaves";
export { Proof, type ProofArgs } from "./proof";
export { stackSettings } from "./stack-settings";
export { readSitesFile } from "./sites-file";
export { readSettings } from "../configs/reading/read-settings";
export { type RawSettings, type Settings } from "../configs/settings";
export type { Topology } from "../views/topology/topology";

// A Pulumi program of one's own that deploys a fleet beside whatever else it has.
import * as pulumi from "@pulumi/pulumi";
import { Fleet, Hub, Leaf, Proof, readSettings } from "nats-hub-leaf";

const { settings, problems } = readSettings({
  sites: [{ name: "oslo" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"] }],
});
if (settings === undefined) throw new pulumi.RunError(JSON.stringify(problems));

const fleet = new Fleet("edge", { settings, stack: pulumi.getStack() });
const center = new Hub("center", { fleet });
const sites = settings.sites.map((site) => new Leaf(site.name, { fleet, hub: center, site }));
const { rows } = new Proof("edge-proof", { fleet, hub: center, sites });

export const proof = rows;
export const hub = center.endpoints;
const endpoints = Object.fromEntries(sites.map((leaf) => [leaf.site.name, leaf.endpoints]));
export { endpoints as sites };
export const seeds = pulumi.secret(fleet.userSeeds());

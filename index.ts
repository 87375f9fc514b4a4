import * as pulumi from "@pulumi/pulumi";
import { Fleet, Hub, Leaf, Proof, stackSettings } from "./components";

const settings = stackSettings();
const stack = pulumi.getStack();

// The identities of all servers, and the judgement of the fleet as a whole: nothing is touched before it passes.
const fleet = new Fleet("fleet", { settings, stack });

// The hub, then each site: its account on the hub, its server, its streams.
const hub = new Hub(settings.hub.name, { fleet });
const leaves = settings.sites.map((site) => new Leaf(site.name, { fleet, hub, site }));

// The proof, with real messages, that every site's data reaches the hub and that no site sees another.
const { rows } = new Proof("smoke-test", { fleet, hub, sites: leaves });

/** One row for each stream of each site: link, account, probes that arrived, latency. */
export const proof = rows;

/** Where the servers are reached. */
export const servers = {
  hub: { name: settings.hub.name, url: hub.url, leafUrl: hub.leafUrl, monitorUrl: hub.monitorUrl },
  sites: leaves.map(({ site, url, monitorUrl, account }) => ({
    name: site.name,
    expect: site.expect,
    url,
    monitorUrl,
    account,
  })),
};

/** The seeds of all users but the links', by server and role (secret): `pulumi stack output seeds --show-secrets`. */
export const seeds = pulumi.secret(fleet.userSeeds());

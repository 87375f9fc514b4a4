import "./machine/typescript/read.js";
import * as pulumi from "./components/sdk/pulumi";
import { Fleet, Hub, Proof, leavesOf, stackSettings } from "./components";
import { foldersOf } from "./components/runtimes/runtime";
import { keepJournal } from "./components/sdk/journal";
import { lightenSdk } from "./components/sdk/light-sdk";

// A function, because what Pulumi stores with every resource includes its call stack, which is shorter this way.
export = async () => {
  lightenSdk();
  const settings = stackSettings();
  keepJournal(foldersOf(settings, pulumi.getStack()).root);

  // The identities of all servers, and the judgement of the fleet as a whole: nothing is touched before it passes.
  const fleet = new Fleet("fleet", { settings, stack: pulumi.getStack() });
  await fleet.isUnderWay();

  // The hub, then each site: its account on the hub, its server, its streams. With waves, one wave after the other.
  const hub = new Hub(settings.hub.name, { fleet });
  const sites = leavesOf(fleet, hub);

  // The proof, with real messages, that every site's data reaches the hub and that no site sees another.
  const { rows } = new Proof("smoke-test", { fleet, hub, sites });

  return {
    /** One row for each stream of each site: link, account, probes that arrived, latency. */
    proof: rows,
    /** Where the servers are reached. */
    hub: hub.endpoints,
    sites: Object.fromEntries(sites.map((site) => [site.site.name, site.endpoints])),
    /** Hub, sites, accounts, links and streams with their directions: what `make topology` draws. */
    topology: fleet.topology,
    /** The seeds of all users but the links' (secret): `pulumi stack output seeds --show-secrets`. */
    seeds: pulumi.secret(fleet.userSeeds()),
  };
};

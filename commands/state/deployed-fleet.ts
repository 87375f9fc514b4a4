import type { FleetInputs } from "../../providers/fleet";
import type { IdentityOutputs } from "../../providers/identity";
import { accountOf } from "../../configs/names";
import { placementOf } from "../../configs/placement";
import type { HubSettings, SiteSettings } from "../../configs/settings";
import type { DeployedFleet, DeployedServer } from "../../views/outputs/deployed";
import { isOf } from "../../configs/text/urn";
import { opened } from "./fleet-state";
import type { Deployment } from "../stack/pending";
import { Refusal } from "../../machine/refusal";

// What users of a deployed fleet need, from its state. The seeds are never shown.

export interface Deployed {
  fleet: DeployedFleet;
  /** By owner and role. Secret. */
  seeds: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const checkOf = (state: Deployment | undefined) => (state?.deployment?.resources ?? []).find(isOf("FleetCheck"));

/** Whether there is a fleet at all. */
export const isDeployed = (state: Deployment | undefined): boolean => checkOf(state) !== undefined;

/**
 * @param state the one of `pulumi stack export --show-secrets`.
 * Errors: a Refusal when nothing was deployed.
 */
export function deployedFleet(state: Deployment | undefined, stack: string): Deployed {
  const check = checkOf(state);
  if (check === undefined) throw new Refusal(`stack '${stack}': nothing is deployed; run 'make up' first`);
  const { settings, access } = opened(check.inputs) as FleetInputs;
  const identities = (state?.deployment?.resources ?? [])
    .filter(isOf("Identity"))
    .map(({ outputs }) => opened(outputs) as IdentityOutputs);
  const known = new Map(identities.map((identity) => [identity.owner, identity]));
  const server = (settled: HubSettings | SiteSettings, url: string): DeployedServer => {
    const monitor = known.get(settled.name)?.allocated.monitor;
    const isShut = monitor === undefined || placementOf({ ...settings, keys: {} }, settled).kind === "docker";
    return { name: settled.name, url, ...(isShut ? {} : { monitor: `http://127.0.0.1:${monitor}` }) };
  };
  const sites = settings.sites.flatMap((site) => {
    const url = access.sites[site.name]?.url;
    // A site that an `up` did not get to has no keys yet.
    if (url === undefined || !known.has(site.name)) return [];
    const { name, reach, expect } = site;
    return [{ ...server(site, url), account: accountOf(name), reach, expect }];
  });
  const streams = settings.streams.map(({ name, subjects, collect }) => ({ name, subjects, mode: collect.mode }));
  return {
    fleet: { stack, hub: server(settings.hub, access.hubUrl), sites, streams },
    seeds: Object.fromEntries(identities.map(({ owner, seeds }) => [owner, seeds])),
  };
}

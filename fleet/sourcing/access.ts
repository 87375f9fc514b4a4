import { KeyRole } from "../../configs/keys";
import { throughHub } from "../../configs/plan/declare";
import { HubSettings, Settings, SiteSettings } from "../../configs/settings";

/** How the servers of a fleet are reached, as it crosses Pulumi's boundary. `Text` may be unknown in a preview. */

/** Where the servers are, and the seeds of their keys. */
export interface Reached<Text> {
  /** The client URL. */
  url(server: HubSettings | SiteSettings): Text;
  seed(owner: string, role: KeyRole): Text;
}

/** How the hub's streams are reached. */
export interface HubAccess<Text = string> {
  hubUrl: Text;
  /** Seed of the operator of the account HUB; absent where no stream is merged. */
  hubOperator?: Text;
}

/** How a site is reached. */
export interface SiteEnd<Text = string> {
  url: Text;
  /** Seed of the site's operator, valid at the site and in its account on the hub. */
  operator: Text;
  /** Whether the site is reached through the hub; absent for no. */
  throughHub?: true;
}

const hubAccess = <Text>({ hub, streams }: Settings, { url, seed }: Reached<Text>): HubAccess<Text> => {
  const isMerged = streams.some(({ collect }) => collect.mode === "merged");
  return { hubUrl: url(hub), ...(isMerged ? { hubOperator: seed(hub.name, "operator") } : {}) };
};

const siteEnd = <Text>(site: SiteSettings, { url, seed }: Reached<Text>): SiteEnd<Text> => ({
  url: url(site),
  operator: seed(site.name, "operator"),
  ...throughHub(site),
});

/** How a site and the hub's streams of it are reached. */
export const siteAccess = <Text>(settings: Settings, site: SiteSettings, reached: Reached<Text>) => ({
  ...hubAccess(settings, reached),
  ...siteEnd(site, reached),
});

/** How all sites and the hub's streams of them are reached. */
export const fleetAccess = <Text>(settings: Settings, reached: Reached<Text>) => ({
  ...hubAccess(settings, reached),
  sites: Object.fromEntries(settings.sites.map((site) => [site.name, siteEnd(site, reached)])),
});

/** What a site's server and its link need. */
export const linkAccess = <Text>({ hub }: Settings, site: SiteSettings, { url, seed }: Reached<Text>) => ({
  hubUrl: url(hub),
  link: seed(site.name, "link"),
  system: seed(hub.name, "system"),
  ...(site.reach === "hub" ? { operator: seed(site.name, "operator") } : {}),
});

/** What the smoke test is told of a site, where it is reached. */
export const provenSite = <Text>(site: SiteSettings, { url }: Pick<Reached<Text>, "url">) => ({
  site: site.name,
  expect: site.expect,
  url: url(site),
  ...throughHub(site),
});

/** The seeds with which the smoke test proves the sites. */
export const proofSeeds = <Text>({ hub }: Settings, sites: readonly SiteSettings[], { seed }: Reached<Text>) => ({
  system: seed(hub.name, "system"),
  hubOperator: seed(hub.name, "operator"),
  sites: Object.fromEntries(
    sites.map(({ name }) => [
      name,
      { application: seed(name, "application"), operator: seed(name, "operator"), link: seed(name, "link") },
    ]),
  ),
});

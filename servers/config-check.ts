import { firstOfHub, isCluster, routesLeave } from "../configs/placement";
import { present } from "../configs/values";
import { createUser } from "@nats-io/nkeys";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { declareHub, declareHubLink, declareLeaf } from "../configs/plan/declare";
import { HubDeclaration, NOTHING_HELD, planHub } from "../configs/plan/plan-hub";
import { CA_FILE, LINK_FILE, ROUTES_CA_FILE, ROUTES_FILE } from "../configs/link-tls";
import { planLeaf } from "../configs/plan/plan-leaf";
import { render } from "../configs/format/render";
import { Settings, SiteSettings } from "../configs/settings";
import { isWatched } from "../configs/watch/watch";
import { writePrivate } from "../machine/folders";
import { NatsServer, checkConfig } from "./nats-server-binary";
import { messageOf } from "../machine/refusal";
import { sideBySide } from "../machine/side-by-side";
import { throwawayLinkKeys, throwawayPublicKey } from "./throwaway";
import { makeAuthority, newKey } from "./x509";

/** Lets the real nats-server read what would be deployed, with throwaway keys and ports: before anything is touched. */

/** What the server refuses, and why. */
export interface RefusedConfig {
  /** "hub", or the site. */
  where: string;
  reason: string;
}

const PATHS = { store: "/nonexistent/jetstream", log: "/nonexistent/nats-server.log" };
/** `-t` binds no port; the numbers only have to differ. */
const HUB_PORTS = { client: 1, leafnodes: 2, monitor: 3 };
const MEMBER_PORTS = { ...HUB_PORTS, cluster: 6 };
const SITE_PORTS = { client: 4, monitor: 5 };
const HUB_URL = "nats-leaf://127.0.0.1:2";

/** Throwaway certificates: the server reads those that a configuration names. */
async function writeThrowawayCertificates(folder: string): Promise<void> {
  const [key, now] = [newKey(), Date.now()];
  const ca = await makeAuthority({ name: "check", key, validity: 60_000, now });
  for (const file of [CA_FILE, ROUTES_CA_FILE]) writePrivate(join(folder, file), ca);
  for (const file of [LINK_FILE, ROUTES_FILE]) writePrivate(join(folder, file), `${ca}${key}`);
}

/** Of sites whose settings differ in nothing but their names, this many are read. */
const READ_ALIKE = 8;

/** The sites to read: a fleet of hundreds has few kinds of them. */
function sample(sites: readonly SiteSettings[]): SiteSettings[] {
  const counts = new Map<string, number>();
  return sites.filter((site) => {
    const kind = JSON.stringify({ ...site, name: "" });
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return count <= READ_ALIKE;
  });
}

const throwawaySeed = (): string => new TextDecoder().decode(createUser().getSeed());

/** The hub's server; of several the first: they are alike. */
function declaredHub(settings: Settings): HubDeclaration {
  const keys = { system: throwawayPublicKey(), operator: throwawayPublicKey(), reader: throwawayPublicKey() };
  const watched = present({ watchKey: isWatched(settings) ? throwawayPublicKey() : undefined });
  const server = firstOfHub(settings);
  if (!isCluster(settings.hub)) return declareHub(settings, keys, HUB_PORTS, watched);
  return declareHub(settings, keys, MEMBER_PORTS, { ...watched, member: { server, routes: ["127.0.0.1:6"] } });
}

/** Checks the configurations of the given sites, and the hub's with these sites and one more in it: all are alike. */
export async function refusedConfigs(
  settings: Settings,
  sites: readonly SiteSettings[],
  binary: NatsServer,
): Promise<RefusedConfig[]> {
  const onHub = [...sites, ...settings.sites.filter((site) => !sites.includes(site)).slice(0, 1)];
  const links = onHub.map((site) => declareHubLink(settings, site, throwawayLinkKeys()));
  const hub = declaredHub(settings);
  const keys = { system: throwawayPublicKey(), operator: throwawayPublicKey(), application: throwawayPublicKey() };
  const seed = throwawaySeed();
  const leafText = (site: SiteSettings) =>
    render(planLeaf(declareLeaf(settings, site, keys, SITE_PORTS, HUB_URL), seed, PATHS));
  const configs = [
    { where: "hub", text: () => render(planHub(hub, links, PATHS, NOTHING_HELD, throwawaySeed())) },
    ...sample(sites).map((site) => ({ where: `site ${site.name}`, text: () => leafText(site) })),
  ];
  const folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-"));
  try {
    if (settings.links.tls !== "off" || routesLeave(settings)) await writeThrowawayCertificates(folder);
    const results = await sideBySide([...configs.entries()], async ([i, { where, text }]) => {
      const file = join(folder, `${i}.conf`);
      writePrivate(file, text());
      return checkConfig(binary, file).then(
        () => [],
        (error: unknown) => [{ where, reason: `nats-server refuses its configuration: ${messageOf(error)}` }],
      );
    });
    return results.flat();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

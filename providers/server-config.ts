import { readdirSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { lock } from "proper-lockfile";
import { HubDeclaration, HubLinkDeclaration, planHub } from "../configs/plan-hub";
import { ServerPaths } from "../configs/plan-server";
import { render } from "../configs/render";
import { commitTogether } from "./group-commit";
import { makeFolder, readJson, readText, serverFiles, writePrivate } from "./folders";
import { NatsServer, checkConfig, findNatsServer } from "./nats-server-binary";
import { Access, shared } from "./nats/connection";
import { reload, varz } from "./nats/system";
import { Refusal, messageOf } from "./refusal";

/**
 * The configuration file of a server: written only when it is valid, and proven to be in effect by its digest. The
 * hub's is rendered from declarations that lie beside it: its own, and one for each link key.
 */

export const pathsOf = (folder: string): ServerPaths => {
  const { store, log } = serverFiles(folder);
  return { store, log };
};

/** Writes the configuration when it differs and is valid. Resolves with its digest. */
export async function writeConfig(folder: string, text: string, binary: NatsServer): Promise<string> {
  const { config } = serverFiles(folder);
  const candidate = `${config}.new`;
  writePrivate(candidate, text);
  try {
    const digest = await checkConfig(binary, candidate);
    renameSync(candidate, config);
    writePrivate(`${config}.digest`, digest);
    return digest;
  } finally {
    rmSync(candidate, { force: true });
  }
}

export type Applied = "unchanged" | "reloaded" | "restart needed";

/** The server's words for a change that it takes only at start (nats-server reload.go). */
const UNSUPPORTED = /not supported|can ?not be/i;

/**
 * Makes the running server take its configuration file and proves that it did, by the digest. "restart needed" when
 * the server says that it cannot take the change while it runs. Errors: a Refusal with the server's words.
 */
export async function reloadTo(digest: string, access: Access): Promise<Applied> {
  const connection = await shared(access);
  const before = await varz(connection);
  if (before.config_digest === digest) return "unchanged";
  try {
    await reload(connection);
  } catch (error) {
    if (UNSUPPORTED.test(messageOf(error))) return "restart needed";
    throw error;
  }
  // The reload may have closed this connection, when it was another user's in the new configuration.
  const after = await varz(await shared(access));
  if (after.config_digest === digest) return "reloaded";
  throw new Refusal(
    `${before.server_name}: the server answered the reload but runs another configuration ` +
      `(${after.config_digest}, not ${digest}); see its log, then run 'pulumi up' again`,
  );
}

const hubFile = (folder: string): string => join(resolve(folder), "hub.json");
const linksFolder = (folder: string): string => join(resolve(folder), "links");
const linkFile = (folder: string, site: string, id: string): string => join(linksFolder(folder), `${site}.${id}.json`);

/** The declaration that keeps the account of a removed site for the data in it. */
const KEPT = "kept";

/** Serialises changes of a hub's declarations, also against a provider that outlived an interrupted run. */
async function locked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const release = await lock(makeFolder(folder), {
    stale: 10_000,
    retries: { retries: 120, minTimeout: 50, maxTimeout: 250 },
  });
  try {
    return await work();
  } finally {
    await release();
  }
}

export const declareHub = (folder: string, hub: HubDeclaration): void => {
  makeFolder(folder);
  writePrivate(hubFile(folder), JSON.stringify(hub, null, 2));
};

/** Stores the declaration of one link key and lifts the site's "kept" mark. */
export function declareLink(folder: string, link: HubLinkDeclaration): void {
  makeFolder(linksFolder(folder));
  writePrivate(linkFile(folder, link.site, link.keys.link ?? KEPT), JSON.stringify(link, null, 2));
  if (link.keys.link !== undefined) rmSync(linkFile(folder, link.site, KEPT), { force: true });
}

/** Drops the declaration of one link key; with `keepAccount`, the site's account stays without a leaf user. */
export function dropLink(folder: string, link: HubLinkDeclaration, keepAccount: boolean): void {
  rmSync(linkFile(folder, link.site, link.keys.link ?? KEPT), { force: true });
  if (!keepAccount) return;
  const { operator, reader } = link.keys;
  declareLink(folder, { ...link, keys: { operator, reader }, merged: [] });
}

export function declaredLinks(folder: string): HubLinkDeclaration[] {
  let names: string[];
  try {
    names = readdirSync(linksFolder(folder)).filter((name) => name.endsWith(".json"));
  } catch {
    return [];
  }
  return names.sort().flatMap((name) => readJson<HubLinkDeclaration>(join(linksFolder(folder), name)) ?? []);
}

/** The hub's configuration as its declarations say; undefined when the hub is not declared. */
export function renderHub(folder: string): string | undefined {
  const hub = readJson<HubDeclaration>(hubFile(folder));
  return hub === undefined ? undefined : render(planHub(hub, declaredLinks(folder), pathsOf(folder)));
}

/** Writes the hub's configuration from its declarations. Resolves with its digest. */
export function writeHub(folder: string, binary: NatsServer): Promise<string> {
  return locked(folder, async () => {
    const text = renderHub(folder);
    if (text === undefined) throw new Refusal(`${folder}: the hub is not declared; run 'pulumi up' on the whole stack`);
    return writeConfig(folder, text, binary);
  });
}

/** Brings the declarations into effect on the running hub: one reload for all who ask at the same time. */
export function applyHub(folder: string, access: Access, natsServer?: string): Promise<void> {
  return commitTogether(`hub ${resolve(folder)}`, async () => {
    const digest = await writeHub(folder, await findNatsServer(natsServer));
    const applied = await reloadTo(digest, access);
    if (applied === "restart needed") throw new Refusal(`${folder}: the hub cannot take this change while it runs`);
  });
}

/** The digest of the configuration that was written last; a running server must report it. */
export const writtenDigest = (folder: string): string | undefined => readText(`${serverFiles(folder).config}.digest`);

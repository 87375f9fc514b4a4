import { mkdtempSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configDifferences } from "../configs/format/config-differences";
import {
  Held,
  HubDeclaration,
  HubLinkDeclaration,
  NOTHING_HELD,
  planHub,
  reservationsOf,
} from "../configs/plan/plan-hub";
import { StoreLimits } from "../configs/plan/plan-server";
import { render } from "../configs/format/render";
import { maskSeeds } from "../configs/seeds";
import { commitTogether } from "../machine/group-commit";
import { writePrivate } from "../machine/folders";
import { CERTIFICATE_FILES, writtenCertificates } from "./files/link-tls";
import { NatsServer, checkConfig, findNatsServer } from "./nats-server-binary";
import { publicKeyOf } from "./nats/authenticator";
import { Access, shared } from "./nats/connection";
import { Varz, reload, varz } from "./nats/system";
import { Refusal, messageOf } from "../machine/refusal";
import { CONFIG_FILE, ServerFiles } from "./files/server-files";
import { routesKeyIn } from "./files/routes-key";
import { same } from "../configs/values";
import { lookUntil } from "../machine/until";

/**
 * The configuration file of a server: written only when it is valid, and proven to be in effect by its digest. The
 * hub's is rendered from declarations that lie beside it: its own, and one for each link key.
 */

const DIGEST_FILE = `${CONFIG_FILE}.digest`;
/** The configuration as it was written, against which a hand-edited one shows what was edited. */
const WRITTEN_FILE = `${CONFIG_FILE}.written`;

/** The text with the public key of each seed in its place: another seed is another text, and none can be read there. */
const withoutSeeds = (text: string): string =>
  maskSeeds(
    text.replace(/(?<![A-Z0-9])SU[A-Z2-7]{56}(?![A-Z0-9])/g, (seed) => {
      try {
        return publicKeyOf(seed);
      } catch {
        return seed;
      }
    }),
  );

/** Writes the configuration when it is valid. Resolves with its digest. */
export async function writeConfig(files: ServerFiles, text: string, binary: NatsServer): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-"));
  try {
    const candidate = join(folder, CONFIG_FILE);
    writePrivate(candidate, text);
    // The certificates that it names, relative to its folder, which is where servers and this check run.
    for (const name of CERTIFICATE_FILES) {
      const pem = files.read(name);
      if (pem !== undefined) writePrivate(join(folder, name), pem);
    }
    const digest = await checkConfig(binary, candidate);
    files.write(CONFIG_FILE, text);
    files.write(DIGEST_FILE, digest);
    files.write(WRITTEN_FILE, withoutSeeds(text));
    await files.publish();
    return digest;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Which certificates the running server has: `config_digest` covers their names and not what is in them. */
const APPLIED_FILE = "certificates.applied";

/** Notes that the running server has read its certificates. */
export async function noteCertificates(files: ServerFiles): Promise<void> {
  const written = writtenCertificates(files);
  if ((files.read(APPLIED_FILE) ?? "") === written) return;
  files.write(APPLIED_FILE, written);
  await files.publish();
}

export type Applied = "unchanged" | "reloaded" | "restart needed";

/** The server's words for a change that it takes only at start (nats-server reload.go). */
const UNSUPPORTED = /not supported|can ?not be/i;

/**
 * Makes the running server take its configuration file and proves that it did, by the digest. "restart needed" when
 * the server says that it cannot take the change while it runs. Errors: a Refusal with the server's words.
 */
export async function reloadTo(digest: string, files: ServerFiles, access: Access): Promise<Applied> {
  const connection = await shared(access);
  const before = await varz(connection);
  const hasCertificates = (files.read(APPLIED_FILE) ?? "") === writtenCertificates(files);
  if (before.config_digest === digest && hasCertificates) return "unchanged";
  const isBehindHub = access.site !== undefined && before.config_digest !== digest;
  try {
    // The answer of a site behind the hub is lost with the link when the reload replaces that.
    await Promise.race([reload(connection), ...(isBehindHub ? [comesToRun(digest, access)] : [])]);
  } catch (error) {
    if (UNSUPPORTED.test(messageOf(error))) return "restart needed";
    throw error;
  }
  // The reload may have closed this connection, when it was another user's in the new configuration.
  const after = isBehindHub ? await comesToRun(digest, access) : await varz(await shared(access));
  if (after?.config_digest === digest) {
    await noteCertificates(files);
    return "reloaded";
  }
  throw new Refusal(
    `${before.server_name}: the server answered the reload but runs another configuration ` +
      `(${after?.config_digest ?? "unknown"}, not ${digest}); see its log, then run 'pulumi up' again`,
  );
}

const LINK_BACK_MS = 5_000;
const LOOK_MS = 500;

/** Waits until the server runs the configuration, over a link that may drop meanwhile. Resolves with what it said last. */
async function comesToRun(digest: string, access: Access): Promise<Varz | undefined> {
  let last: Varz | undefined;
  const look = async (): Promise<Varz | undefined> => {
    const answer = shared(access)
      .then(varz)
      .catch(() => undefined);
    return (last = (await Promise.race([answer, sleep(LOOK_MS, undefined, { ref: false })])) ?? last);
  };
  return await lookUntil(look, (seen) => seen?.config_digest === digest, { within: LINK_BACK_MS, every: 50 });
}

const HUB_FILE = "hub.json";
export const LINKS = "links";
const linkFile = (site: string, id: string): string => `${LINKS}/${site}.${id}.json`;

/** The declaration that keeps the account of a removed site for the data in it. */
const KEPT = "kept";

const textOf = (declaration: object): string => JSON.stringify(declaration, null, 2);

function declarationIn<T>(files: ServerFiles, name: string): T | undefined {
  const text = files.read(name);
  try {
    return text === undefined ? undefined : (JSON.parse(text) as T);
  } catch {
    throw new Refusal(`${files.where}/${name}: is damaged (not JSON); remove it and run 'pulumi up'`);
  }
}

export const declareHub = (files: ServerFiles, hub: HubDeclaration): void => files.write(HUB_FILE, textOf(hub));

/** A declaration as it lies there; of a site's link keys the one that was declared last has the highest `order`. */
type StoredLink = HubLinkDeclaration & { order?: number };

const orderOf = ({ order = 0 }: StoredLink): number => order;

const storedLinks = (files: ServerFiles, prefix = ""): StoredLink[] =>
  files
    .list(LINKS)
    .filter((name) => name.startsWith(prefix) && name.endsWith(".json"))
    .flatMap((name) => declarationIn<StoredLink>(files, `${LINKS}/${name}`) ?? []);

/** Stores the declaration of one link key, as the site's newest, and lifts the site's "kept" mark. */
export function declareLink(files: ServerFiles, link: HubLinkDeclaration): void {
  const others = storedLinks(files, `${link.site}.`).filter(({ keys }) => keys.link !== link.keys.link);
  const order = Math.max(0, ...others.map(orderOf)) + 1;
  files.write(linkFile(link.site, link.keys.link ?? KEPT), textOf({ ...link, order }));
  if (link.keys.link !== undefined) files.remove(linkFile(link.site, KEPT));
}

/** Drops the declaration of one link key; with `keepAccount`, the site's account stays without a leaf user. */
export function dropLink(files: ServerFiles, link: HubLinkDeclaration, keepAccount: boolean): void {
  files.remove(linkFile(link.site, link.keys.link ?? KEPT));
  if (!keepAccount) return;
  const { operator, reader } = link.keys;
  declareLink(files, { ...link, keys: { operator, reader }, merged: [] });
}

function inOrder(links: readonly StoredLink[]): HubLinkDeclaration[] {
  const sorted = [...links].sort((a, b) => orderOf(a) - orderOf(b));
  return sorted.map(({ order: _order, ...link }) => link);
}

/** All declarations, those of one site in the order in which they were declared. */
export const declaredLinks = (files: ServerFiles): HubLinkDeclaration[] => inOrder(storedLinks(files));

/** Whether the declaration of the link key lies there as it is, as the site's newest. */
export const isDeclared = (files: ServerFiles, link: HubLinkDeclaration): boolean =>
  same(inOrder(storedLinks(files, `${link.site}.`)).at(-1), link);

/** The hub's configuration as its declarations say; undefined when the hub is not declared. */
export function renderHub(files: ServerFiles): string | undefined {
  const hub = declarationIn<HubDeclaration>(files, HUB_FILE);
  if (hub === undefined) return undefined;
  return render(planHub(hub, declaredLinks(files), files.paths, heldIn(files), routesKeyIn(files)));
}

export const HELD_FILE = "held.json";

/** What the hub's streams need besides what is declared. */
export const heldIn = (files: ServerFiles): Held => declarationIn<Held>(files, HELD_FILE) ?? NOTHING_HELD;

/**
 * Notes what an account holds, so that smaller limits leave it room. Of what it is said to need, most first, the first for
 * which the hub has room.
 */
export function noteHeldLimits(
  files: ServerFiles,
  account: string,
  declared: StoreLimits,
  needs: readonly StoreLimits[],
): void {
  const held = heldIn(files);
  const { [account]: _before, ...others } = held.limits;
  const wanted = needs
    .filter(({ maxFile, maxMemory }) => maxFile > declared.maxFile || maxMemory > declared.maxMemory)
    .map((limits) => ({ ...held, limits: { ...others, [account]: limits } }))
    .find((one) => hasRoom(files, one));
  writeHeld(files, wanted ?? { ...held, limits: others });
}

/** Notes streams of a site that the account HUB still sources, and that are not declared any more. */
export function noteHeldStreams(files: ServerFiles, site: string, streams: readonly string[]): void {
  const held = heldIn(files);
  const { [site]: _before, ...others } = held.merged;
  writeHeld(files, { ...held, merged: streams.length === 0 ? others : { ...others, [site]: streams } });
}

function writeHeld(files: ServerFiles, held: Held): void {
  if (same(held, heldIn(files))) return;
  if (same(held, NOTHING_HELD)) files.remove(HELD_FILE);
  else files.write(HELD_FILE, textOf(held));
}

function hasRoom(files: ServerFiles, held: Held): boolean {
  const hub = declarationIn<HubDeclaration>(files, HUB_FILE);
  if (hub === undefined) return false;
  const reserved = reservationsOf(hub, declaredLinks(files), held);
  return (["maxFile", "maxMemory"] as const).every(
    (kind) => reserved.reduce((sum, { limits }) => sum + limits[kind], 0) <= hub.reload.limits[kind],
  );
}

/** Writes the hub's configuration from its declarations. Resolves with its digest. */
export function writeHub(files: ServerFiles, binary: NatsServer): Promise<string> {
  return files.locked(async () => {
    const text = renderHub(files);
    if (text === undefined)
      throw new Refusal(`${files.where}: the hub is not declared; run 'pulumi up' on the whole stack`);
    return writeConfig(files, text, binary);
  });
}

/** Brings the declarations into effect on the running hub: one reload for all who ask at the same time. */
export function applyHub(files: ServerFiles, access: Access, natsServer?: string): Promise<void> {
  return commitTogether(`hub ${files.where}`, async () => {
    const digest = await writeHub(files, await findNatsServer(natsServer));
    const applied = await reloadTo(digest, files, access);
    if (applied === "restart needed")
      throw new Refusal(`${files.where}: the hub cannot take this change while it runs`);
  });
}

/** The digest of the configuration that was written last; a running server must report it. */
export const writtenDigest = (files: ServerFiles): string | undefined => files.read(DIGEST_FILE);

/** Whether the configuration file is unchanged since it was written. */
export function isAsWritten(files: ServerFiles): boolean {
  const [own, written] = [files.read(CONFIG_FILE), files.read(WRITTEN_FILE)];
  return own !== undefined && written === withoutSeeds(own);
}

/** What was edited in the configuration file, in words. Without a copy of what was written (of before it was kept): nothing. */
export function fileChanges(files: ServerFiles): string[] {
  const [own, written] = [files.read(CONFIG_FILE), files.read(WRITTEN_FILE)];
  const text = own === undefined ? undefined : withoutSeeds(own);
  if (text === undefined) return ["its configuration file is gone"];
  return written === undefined || written === text ? [] : configDifferences(text, written);
}

const OTHER_THAN_FILE = "the server does not run the configuration in its file";

/** How the configuration of a running server, by its digest, and its file differ from what was written last, in words. */
export function handChanges(files: ServerFiles, running: string): string[] {
  const changes = fileChanges(files);
  if (running === writtenDigest(files))
    return changes.map((change) => `${change} (in the file; the server has not read it yet)`);
  return changes.length === 0 ? [OTHER_THAN_FILE] : changes;
}

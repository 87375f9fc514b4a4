import { HUB_ACCOUNT, accountOf } from "../configs/names";
import { linkPermissions } from "../configs/permissions";
import { HubLinkDeclaration, NOTHING_HELD, withHeld } from "../configs/plan/plan-hub";
import { siteApi } from "../configs/streams";
import { heldBy, refuseWithoutRoom } from "../fleet/sourcing/account-room";
import { Access, shared } from "../servers/nats/connection";
import { waitForLeader } from "../servers/nats/cluster";
import { jsz, keysOfLinks, kick, leafLinks, linkName, sourcesOf } from "../servers/nats/system";
import {
  applyHub,
  declareLink,
  declaredLinks,
  dropLink,
  heldIn,
  isDeclared,
  noteHeldLimits,
  noteHeldStreams,
} from "../servers/server-config";
import { resumeFrozen } from "../servers/server";
import { ServerFiles } from "../servers/files/server-files";
import { hostOf } from "../servers/hosts";
import { HubMember, membersAccess, thereOf } from "../servers/hub-members";
import type { Place } from "../servers/server-host";
import { markUnproven } from "../fleet/observation/unproven";
import { changed, hasUnknown, same, settled } from "../configs/values";

/** One link key of one site, declared on the hub; with it, the site's account. */

export interface HubLinkInputs {
  /** Where the hub runs; the declarations lie there. */
  place: Place;
  root: string;
  declaration: HubLinkDeclaration;
  /** The hub's client URL, and the seed of its system account (secret). */
  hub: Access;
  /** Every server of a hub of several: the declaration is on all of them. Absent for the one at `place`. */
  servers?: HubMember[];
}

/** The site's streams that the account HUB sources now; undefined when it cannot be asked. */
const sourcedOf = ({ hub, declaration: { site } }: HubLinkInputs): Promise<string[] | undefined> =>
  shared(hub)
    .then((connection) => sourcesOf(connection, HUB_ACCOUNT))
    .then(
      (sources) => sources.filter(({ api }) => api === siteApi(site)).map(({ name }) => name),
      () => undefined,
    );

/** The servers of the hub, each with its files. One whose machine is away gets what it misses when it is back. */
const membersOf = ({ place, hub, servers }: HubLinkInputs): HubMember[] =>
  thereOf(servers ?? [{ place, url: hub.url }]);

/**
 * Changes the declarations on every server of the hub, and brings them into effect. A server that does not know the account
 * when the site links stays deaf to it (nats-server leafnode.go), so this ends when all of them do.
 */
async function onEach(inputs: HubLinkInputs, change: (files: ServerFiles) => void): Promise<void> {
  const changing = membersOf(inputs).map(async ({ place, url }) => {
    const host = hostOf(place);
    const files = await host.files();
    change(files);
    // A server of several that is down reads them at its start.
    if (inputs.servers !== undefined && !(await host.isRunning())) await files.publish();
    else await applyHub(files, { ...inputs.hub, url }, host.natsServer);
  });
  for (const one of await Promise.allSettled(changing)) if (one.status === "rejected") throw one.reason;
}

async function declare(inputs: HubLinkInputs, olds?: HubLinkInputs): Promise<void> {
  const { root, declaration, hub } = inputs;
  markUnproven(root, declaration.site);
  const account = accountOf(declaration.site);
  const [holds, sourced] = await Promise.all([heldBy(hub, account), sourcedOf(inputs)]);
  await onEach(inputs, (files) => {
    declareLink(files, declaration);
    if (holds !== undefined) noteHeldLimits(files, account, declaration.limits, holds);
    if (sourced !== undefined) {
      const leaving = sourced.filter((name) => !declaration.merged.includes(name));
      noteHeldStreams(files, declaration.site, leaving);
    }
  });
  try {
    await refuseWithoutRoom(hub, account, declaration.limits);
  } catch (error) {
    // With this declaration the hub would not even start again.
    await onEach(inputs, (files) => {
      if (olds === undefined) dropLink(files, declaration, false);
      else declareLink(files, olds.declaration);
    });
    throw error;
  }
  if (inputs.servers !== undefined) await waitForLeader(membersAccess(membersOf(inputs), hub.seed));
}

export async function create(inputs: HubLinkInputs) {
  await declare(inputs);
  const { site, keys } = inputs.declaration;
  return { id: `${site}.${keys.link ?? ""}`, outs: inputs };
}

/**
 * A new link key is a replacement: Pulumi declares the new key, moves the site to it, proves it, and drops the old key
 * last. The rotation shows it even while the key itself is not known yet; a given key that stays the same is none, and
 * dropping the old one would drop it.
 */
export async function diff(_id: string, olds: HubLinkInputs, news: HubLinkInputs) {
  const wanted = settled(news, olds);
  const before = olds.declaration;
  const isMade = hasUnknown(news.declaration) && wanted.declaration.rotation !== before.rotation;
  if (isMade || wanted.declaration.keys.link !== before.keys.link) {
    return { changes: true, replaces: ["declaration"] };
  }
  // A container that is gone, or is being replaced: the content of its volume shows with the next container.
  const declared = membersOf(wanted).map(({ place }) =>
    hostOf(place)
      .files()
      .then(
        (files) => isDeclared(files, before),
        () => false,
      ),
  );
  const lost = (await Promise.all(declared)).includes(false);
  return {
    // A delete knows only the place in the state.
    changes:
      lost ||
      changed([news.place, news.servers], [olds.place, olds.servers]) ||
      changed(news.declaration, before) ||
      changed(news.hub, olds.hub),
  };
}

export async function update(_id: string, olds: HubLinkInputs, news: HubLinkInputs) {
  const before = await permissionsOf(olds);
  await declare(news, olds);
  // A live link keeps the permissions that it logged in with (nats-server reload.go).
  if (!same(before, await permissionsOf(news))) await dropLinks(news);
  return { outs: news };
}

async function permissionsOf(inputs: HubLinkInputs) {
  const { place, declaration } = inputs;
  const held = await hostOf(membersOf(inputs)[0]?.place ?? place)
    .files()
    .then(heldIn, () => NOTHING_HELD);
  const { site, merged, throughHub } = withHeld(declaration, held);
  return linkPermissions(site, merged.length > 0, throughHub);
}

/** Drops the site's links, but for those that logged in with one of the keys; one whose key is valid comes back at once. */
async function dropLinks({ hub, declaration: { site } }: HubLinkInputs, spared: readonly string[] = []): Promise<void> {
  const connection = await shared(hub);
  const keys = spared.length === 0 ? undefined : await keysOfLinks(connection, accountOf(site)).catch(() => undefined);
  for (const link of await leafLinks(connection)) {
    if (link.name === site && !spared.includes(keys?.get(linkName(link)) ?? "")) await kick(connection, link);
  }
}

/** Whether the site's account holds streams on the hub; data outlives the site. */
async function holdsData(hub: Access, account: string): Promise<boolean> {
  const details = (await jsz(await shared(hub), account)).account_details ?? [];
  return details.some((detail) => detail.name === account && (detail.stream_detail ?? []).length > 0);
}

/**
 * Drops the key and the link that still uses it: a reload that removes a key leaves its live link up (nats-server
 * reload.go). The link of the site's other key stays. The account goes with its last key, unless it holds data.
 */
async function remove(_id: string, inputs: HubLinkInputs): Promise<void> {
  const { declaration, hub } = inputs;
  const { site } = declaration;
  const hosts = membersOf(inputs).map(({ place }) => hostOf(place));
  const [files] = await Promise.all(hosts.map((host) => host.files()));
  const all = files === undefined ? [] : declaredLinks(files);
  const others = all.filter((link) => link.site === site && link.keys.link !== declaration.keys.link);
  if (!(await Promise.all(hosts.map((host) => host.isRunning()))).includes(true)) {
    for (const host of hosts) {
      const own = await host.files();
      dropLink(own, declaration, others.length === 0);
      await own.publish();
    }
    return;
  }
  for (const host of hosts) await resumeFrozen("the hub", host);
  const isKept = others.length === 0 && (await holdsData(hub, accountOf(site)));
  await onEach(inputs, (own) => {
    dropLink(own, declaration, isKept);
    if (others.length === 0) noteHeldStreams(own, site, []);
  });
  await dropLinks(
    inputs,
    others.flatMap(({ keys: { link } }) => link ?? []),
  );
}

export { remove as delete };

import { existsSync, readdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { isResized } from "../fleet/streams/moves";
import { makeFolder, serverFiles } from "../machine/folders";
import { hostPort } from "../configs/text/address";
import { HubDeclaration, reservationsOf } from "../configs/plan/plan-hub";
import { HUB_ACCOUNT } from "../configs/names";
import { heldBy, refuseTooLittle } from "../fleet/sourcing/account-room";
import { LinkCertificates, certificatesDigest, writeCertificates } from "../servers/files/link-tls";
import { findNatsServer } from "../servers/nats-server-binary";
import { HubMember, MissedLinks, bringLinks, catchUp, isSpread, missedLinks } from "../servers/hub-members";
import { bringOneAtATime } from "./hub/one-at-a-time";
import { refuseStopping } from "../servers/away";
import { noteRoutesKey } from "../servers/files/routes-key";
import { shared } from "../servers/nats/connection";
import { type LeafLink, kick, leafLinks, reload, varz } from "../servers/nats/system";
import { type ReportAbout, NOT_RUNNING, type Fault, report, faultReport } from "../machine/report";
import { Server, isRunning, whatIsWrong } from "../servers/server";
import {
  declareHub,
  declaredLinks,
  heldIn,
  isAsWritten,
  noteHeldLimits,
  renderHub,
  writeHub,
  writtenDigest,
} from "../servers/server-config";
import { ServerFiles } from "../servers/files/server-files";
import { hostOf } from "../servers/hosts";
import type { Place } from "../servers/server-host";
import { markUnproven, removeMarks } from "../fleet/observation/unproven";
import { removeBooks } from "../fleet/book/record";
import { changed, hasUnknown, settled } from "../configs/values";
import { restartReasons } from "../configs/plan/effects";

/** The hub's server, with its site-independent settings; what the sites declare lies beside them. */

export interface HubServerInputs {
  place: Place;
  root: string;
  /** Where its listeners are reached, when that is not where they listen. */
  reached?: { host: string; ports: HubDeclaration["restart"]["ports"] };
  declaration: HubDeclaration;
  /** Certificates of its leaf links; absent without TLS. */
  certificates?: LinkCertificates;
  /** Certificates of its routes to the other servers; absent where these do not leave their machine. */
  routesCertificates?: LinkCertificates;
  /** Secret. `routes`: what the servers of a hub of several authenticate each other with. */
  secrets: { system: string; routes?: string };
  /** Every server of a hub of several, this one among them; absent for a hub of one. */
  servers?: HubMember[];
}

export interface HubServerOutputs extends HubServerInputs {
  /** Digest of the certificates; absent without TLS. */
  written?: string;
  running: boolean;
}

function serverOf({ place, declaration, secrets, reached = declaration.restart }: HubServerInputs): Server {
  const { host, ports } = reached;
  return {
    name: declaration.restart.name,
    host: hostOf(place),
    listeners: {
      client: { host, port: ports.client },
      leafnodes: { host, port: ports.leafnodes },
      monitor: { host: "127.0.0.1", port: ports.monitor },
      ...(ports.cluster === undefined ? {} : { cluster: { host, port: ports.cluster } }),
    },
    access: { url: `nats://${hostPort(host, ports.client)}`, seed: secrets.system },
  };
}

const mustRestart = (news: HubServerInputs, olds: HubServerInputs): boolean => restartReasons(news, olds).length > 0;

/**
 * Sites that leave in the same update are dropped after the restart, and accounts of removed ones may be kept. A server of
 * several starts whatever its accounts may store: the cluster decides where a stream has room (nats-server jetstream.go).
 */
const refuseRestart = ({ declaration, servers }: HubServerInputs, files: ServerFiles): void =>
  servers !== undefined
    ? undefined
    : refuseTooLittle(declaration.reload.limits, reservationsOf(declaration, declaredLinks(files), heldIn(files)));

/** What it missed while its machine was away; undefined for nothing. */
const missedBy = async (inputs: HubServerInputs, files: ServerFiles): Promise<MissedLinks | undefined> =>
  isSpread(inputs.servers ?? []) ? missedLinks(files, inputs.place, inputs.servers ?? []) : undefined;

async function apply(inputs: HubServerInputs, restart: boolean): Promise<HubServerOutputs> {
  const server = serverOf(inputs);
  markUnproven(inputs.root, server.name);
  const foreign = await runsForeignConfig(server);
  const files = await server.host.files();
  if (restart) refuseRestart(inputs, files);
  if (restart) refuseStopping(server.name);
  const holds = await heldBy(server.access, HUB_ACCOUNT);
  await bringLinks(files, inputs.servers ?? []);
  const missed = await missedBy(inputs, files);
  const concerned = missed === undefined ? [] : catchUp(files, missed);
  declareHub(files, inputs.declaration);
  noteRoutesKey(files, inputs.secrets.routes);
  if (holds !== undefined) noteHeldLimits(files, HUB_ACCOUNT, inputs.declaration.reload.merged, holds);
  writeCertificates(files, inputs.certificates, inputs.routesCertificates);
  const digest = await writeHub(files, await findNatsServer(server.host.natsServer));
  const outcome = await bringOneAtATime(inputs, server, digest, restart);
  // An account that a reload adds has its imports only after the next one (nats-server server.go, configureAccounts).
  const isWatched = inputs.declaration.reload.watch !== undefined;
  if (isWatched && (outcome === "reloaded" || outcome === "unchanged")) await reload(await shared(server.access));
  if (foreign && outcome === "reloaded") await dropLinks(server, (link) => link.server === undefined);
  // A server that does not know an account when its site links stays deaf to it, until the site links again.
  if (concerned.length > 0) await dropLinks(server, ({ name }) => concerned.includes(name));
  const written = certificatesOf(inputs);
  return { ...inputs, ...(written === "" ? {} : { written }), running: true };
}

/** Whether the server runs and has a configuration that this program did not give it. */
async function runsForeignConfig({ host, access }: Server): Promise<boolean> {
  const running = await shared(access)
    .then(varz)
    .catch(() => undefined);
  return running !== undefined && running.config_digest !== writtenDigest(await host.files());
}

/**
 * A reload leaves live links in the account, and with the permissions, that they logged in with (nats-server
 * reload.go). After a foreign configuration these are unknown, so the links are dropped; they come back immediately.
 */
async function dropLinks({ access }: Server, isMeant: (link: LeafLink) => boolean): Promise<void> {
  const connection = await shared(access);
  for (const link of await leafLinks(connection)) if (isMeant(link)) await kick(connection, link);
}

export async function create(inputs: HubServerInputs) {
  return { id: inputs.declaration.restart.name, outs: await apply(inputs, false) };
}

/** A digest of its certificates; empty for none. */
const certificatesOf = ({ certificates, routesCertificates }: HubServerInputs): string =>
  certificatesDigest(certificates, routesCertificates);

const hasOtherCertificates = (news: HubServerInputs, olds: HubServerOutputs): boolean =>
  hasUnknown([news.certificates, news.routesCertificates]) || certificatesOf(news) !== (olds.written ?? "");

/** What is wrong with the hub, and whether this program would now write another configuration than it wrote. */
async function lookAt(props: HubServerOutputs): Promise<{ wrong: Fault | undefined; isOutdated: boolean }> {
  let isOutdated = false;
  const isOwn = (text: string, files: ServerFiles): boolean => {
    const isCurrent = text === renderHub(files);
    isOutdated = !isCurrent && isAsWritten(files);
    return isCurrent || isOutdated;
  };
  return { wrong: await whatIsWrong(serverOf(props), isOwn, props.written), isOutdated };
}

/** The work on the files in a preview. What lies in a container that is gone shows with the next one. */
const inPreview = <T>(
  { place }: HubServerInputs,
  work: (files: ServerFiles) => T | Promise<T>,
): Promise<T | undefined> =>
  hostOf(place)
    .files()
    .then(
      (files) => work(files),
      () => undefined,
    );

export async function diff(_id: string, olds: HubServerOutputs, news: HubServerInputs) {
  const wanted = settled(news, olds);
  const { name } = wanted.declaration.restart;
  const fate = (server: string): ReportAbout => ({ kind: "fate", server: name, values: { fate: server } });
  const [what, links] =
    news.servers === undefined
      ? ["the hub", "every leaf link drops and comes back"]
      : ["this server of the hub", "its leaf links move to another one"];
  if (mustRestart(wanted, olds)) {
    await inPreview(olds, (files) => refuseRestart(wanted, files));
    if (!hasUnknown(news.place)) refuseStopping(name);
  }
  if (hasUnknown(news.place)) report(`${name}: up replaces the container of ${what}; ${links}`, fate("replaced"));
  // Whatever else changes: a dead server is started, and neither reloads nor restarts.
  else if (!(await isRunning(olds.place)))
    report(`${name}: ${what} is not running; up repairs it`, faultReport(name, NOT_RUNNING));
  else if (mustRestart(wanted, olds)) report(`${name}: up restarts ${what}; ${links}`, fate("restarts"));
  else if (changed(news.declaration, olds.declaration))
    report(`${name}: up reloads the hub; links stay`, fate("reloads"));
  else if (hasOtherCertificates(news, olds))
    report(`${name}: up reloads the hub with other certificates; links stay`, fate("reloads"));
  else {
    // Its engine is asked as the settings say now.
    const { wrong, isOutdated } = await lookAt({ ...olds, place: wanted.place });
    const hasMissed = (await inPreview(wanted, (files) => missedBy(wanted, files))) !== undefined;
    const rest = ({ secrets, reached, place, servers }: HubServerInputs) => [secrets, reached, place, servers];
    if (hasMissed) report(`${name}: sites changed while it was away; up brings it these changes`, fate("reloads"));
    if (wrong === undefined && !isOutdated && !hasMissed) return { changes: changed(rest(news), rest(olds)) };
    if (wrong !== undefined) report(`${name}: the hub ${wrong.what}; up repairs it`, faultReport(name, wrong));
    else if (isOutdated)
      report(
        `${name}: up reloads the hub: this version of the program writes another configuration; links stay`,
        fate("reloads"),
      );
  }
  return { changes: true };
}

export async function update(_id: string, olds: HubServerOutputs, news: HubServerInputs) {
  return { outs: await apply(news, mustRestart(news, olds)) };
}

export async function read(id: string, props: HubServerOutputs) {
  const { wrong } = await lookAt(props);
  return { id, props: { ...props, running: wrong === undefined } };
}

/** Puts what the server had beside the backup. The folders of the other servers may lie in its own. */
function keepStore({ kind, folder }: Place, backup: string): void {
  if (kind !== "process" || !existsSync(folder)) return;
  const kept = makeFolder(join(backup, "replaced", basename(folder)));
  const isServer = (name: string): boolean => existsSync(serverFiles(join(folder, name)).config);
  for (const name of readdirSync(folder).filter((one) => !isServer(one)))
    renameSync(join(folder, name), join(kept, name));
}

async function remove(_id: string, { place, root }: HubServerOutputs): Promise<void> {
  const host = hostOf(place);
  await host.stop();
  // The stack stays, and gets other servers: see commands/resize.
  if (isResized()) return keepStore(place, process.env.NATS_HUB_LEAF_RESIZE ?? "");
  removeMarks(root);
  removeBooks(root);
  host.clear(root);
}

export { remove as delete };

import { hostPort } from "../configs/text/address";
import { isLowered } from "../configs/plan/limits";
import { accountOf } from "../configs/names";
import { LeafDeclaration, planLeaf } from "../configs/plan/plan-leaf";
import { StoreLimits } from "../configs/plan/plan-server";
import { render } from "../configs/format/render";
import { digest } from "../machine/digest";
import { LinkCertificates, certificatesDigest, writeCertificates } from "../servers/files/link-tls";
import { findNatsServer } from "../servers/nats-server-binary";
import { Access, serverInfo, shared } from "../servers/nats/connection";
import { leafLinks } from "../servers/nats/system";
import { Refusal } from "../machine/refusal";
import { type ReportAbout, NOT_RUNNING, report, faultReport } from "../machine/report";
import { Server, bringUp, isRunning, whatIsWrong } from "../servers/server";
import { writeConfig } from "../servers/server-config";
import { ServerFiles } from "../servers/files/server-files";
import { hostOf } from "../servers/hosts";
import type { Place } from "../servers/server-host";
import { siteStep } from "../fleet/observation/unproven";
import { hasUnknown, inputsOnly } from "../configs/values";
import { lookUntil } from "../machine/until";
import { takenAtStart } from "../configs/plan/effects";

/** A site's server. */

export interface LeafServerInputs {
  expect: "online" | "offline";
  place: Place;
  root: string;
  /** Where its listeners are reached, when that is not where they listen. */
  reached?: { host: string; ports: LeafDeclaration["restart"]["ports"] };
  declaration: LeafDeclaration;
  /** Certificates of its leaf link; absent without TLS. */
  certificates?: LinkCertificates;
  /**
   * The hub's client URL, and the seeds (secret) of its system account, of the site's link, and for a site that is
   * reached through the hub of the site's operator.
   */
  access: { hubUrl: string; system: string; link: string; operator?: string };
}

/** Digests instead of the inputs: state holds every byte of them twice otherwise. */
export interface LeafServerOutputs {
  expect: "online" | "offline";
  place: Place;
  root: string;
  /** Client URL; empty when only the hub reaches it. */
  url: string;
  /** Digest of what needs a restart. */
  restart: string;
  /** Less of them needs a restart too; absent in a state of before this was recorded. */
  limits?: StoreLimits;
  /** Digest of the configuration. */
  config: string;
  /** Digest of the certificates; absent without TLS. */
  written?: string;
  /** Digest of all inputs. */
  inputs: string;
  running: boolean;
  /** Why the last attempt failed; empty when it did not. */
  problem: string;
}

const reachedOf = ({ reached, declaration }: LeafServerInputs) => reached ?? declaration.restart;

const urlOf = (inputs: LeafServerInputs): string => {
  const { host, ports } = reachedOf(inputs);
  return `nats://${hostPort(host, ports.client)}`;
};

function serverOf(inputs: LeafServerInputs): Server {
  const { place, declaration, access } = inputs;
  const { host, ports } = reachedOf(inputs);
  return {
    name: declaration.restart.name,
    host: hostOf(place),
    listeners: { client: { host, port: ports.client }, monitor: { host: "127.0.0.1", port: ports.monitor } },
    access:
      access.operator === undefined
        ? { url: urlOf(inputs), seed: access.system }
        : { url: access.hubUrl, seed: access.operator, site: declaration.restart.name },
  };
}

const textOf = ({ declaration, access }: LeafServerInputs, { paths }: ServerFiles): string =>
  render(planLeaf(declaration, access.link, paths));

const restartOf = (inputs: LeafServerInputs): string => digest(takenAtStart(inputs));

/** When TLS is switched on or off, the hub accepts no old link, so a site behind the hub cannot be told to reload. */
const losesWay = ({ access, certificates }: LeafServerInputs, { written = "" }: LeafServerOutputs): boolean =>
  access.operator !== undefined && (certificates === undefined) !== (written === "");

const mustRestart = (news: LeafServerInputs, olds: LeafServerOutputs): boolean =>
  restartOf(news) !== olds.restart ||
  isLowered(news.declaration.reload.limits, olds.limits ?? {}) ||
  losesWay(news, olds);

/** Whatever else changes: a dead server is started, and neither reloads nor restarts. */
const isDead = async ({ expect, place }: LeafServerOutputs): Promise<boolean> =>
  expect === "online" && !(await isRunning(place));

const reportDead = (site: string): void =>
  report(`site ${site}: its server ${NOT_RUNNING.what}; up repairs it`, faultReport(site, NOT_RUNNING));

const LINK_TIMEOUT_MS = 10_000;

/**
 * Waits until the hub has exactly one link of the site, bound to the site's account, and the site bound it to its own.
 * Only the hub knows the account on its side; the site's log says "connection created" on failed attempts too.
 */
export async function waitForLink(site: string, hub: Access, leaf: Access, timeoutMs = LINK_TIMEOUT_MS): Promise<void> {
  const account = accountOf(site);
  const accounts = (links: { account: string }[]) => links.map((link) => link.account).join(", ") || "none";
  const right = `bound to ${account} on the hub and to ${account} at the site`;
  const look = async (): Promise<string> => {
    const onHub = (await leafLinks(await shared(hub))).filter((link) => link.name === site);
    const atSite = await leafLinks(await shared(leaf));
    return `bound to ${accounts(onHub)} on the hub and to ${accounts(atSite)} at the site`;
  };
  const seen = await lookUntil(look, (bound) => bound === right, { within: timeoutMs, every: 20 });
  if (seen === right) return;
  throw new Refusal(`its leaf link is not up in account ${account} after ${timeoutMs / 1000} s: ${seen}`);
}

async function apply(inputs: LeafServerInputs, restart: boolean): Promise<LeafServerOutputs> {
  const { expect, place, root, access } = inputs;
  let running = false;
  let config = "";
  const bring = async () => {
    const server = serverOf(inputs);
    const files = await server.host.files();
    const text = textOf(inputs, files);
    writeCertificates(files, inputs.certificates);
    const written = await writeConfig(files, text, await findNatsServer(server.host.natsServer));
    config = digest(text);
    await bringUp(server, written, restart);
    running = true;
    await waitForLink(server.name, { url: access.hubUrl, seed: access.system }, server.access);
  };
  const site = inputs.declaration.restart.name;
  const problem = expect === "offline" ? "" : ((await siteStep(root, site, "server", bring)) ?? "");
  const written = inputs.certificates === undefined ? {} : { written: certificatesDigest(inputs.certificates) };
  const { limits } = inputs.declaration.reload;
  const digests = { ...written, restart: restartOf(inputs), limits, config, inputs: digest(inputsOnly(inputs)) };
  return { expect, place, root, url: access.operator === undefined ? urlOf(inputs) : "", ...digests, running, problem };
}

export async function create(inputs: LeafServerInputs) {
  return { id: inputs.declaration.restart.name, outs: await apply(inputs, false) };
}

export async function diff(site: string, olds: LeafServerOutputs, news: LeafServerInputs) {
  const fate = (server: string): ReportAbout => ({ kind: "fate", server: site, values: { fate: server } });
  if (hasUnknown(news.place)) {
    report(`site ${site}: up replaces its container`, fate("replaced"));
    return { changes: true };
  }
  // Its keys or ports are being recreated: the server changes with them.
  if (hasUnknown(news)) {
    if (news.expect === "online" && (await isDead(olds))) reportDead(site);
    else
      report(
        `site ${site}: up gives its server new keys or ports: it reloads, or restarts for a port`,
        fate("changes"),
      );
    return { changes: true };
  }
  const differs =
    digest(inputsOnly(news)) !== olds.inputs || certificatesDigest(news.certificates) !== (olds.written ?? "");
  // The site's own side of an offline site is pending; nothing looks at it.
  if (news.expect === "offline") return { changes: differs };
  if (olds.expect === "offline") report(`site ${site}: up deploys its server`, fate("starts"));
  else if (differs && (await isDead(olds))) reportDead(site);
  else if (mustRestart(news, olds)) report(`site ${site}: up restarts its server`, fate("restarts"));
  else if (differs) report(`site ${site}: up reloads its server`, fate("reloads"));
  else if (olds.problem !== "")
    report(`site ${site}: up tries again: ${olds.problem}`, { kind: "found", server: site });
  else {
    // A later version of this program may give the same declaration another configuration.
    let isOutdated = false;
    const isOwn = (text: string, files: ServerFiles): boolean => {
      isOutdated = text !== textOf(news, files);
      return digest(text) === olds.config;
    };
    const wrong = await whatIsWrong(serverOf(news), isOwn, olds.written);
    if (wrong === undefined && !isOutdated) return { changes: false };
    if (wrong !== undefined) report(`site ${site}: its server ${wrong.what}; up repairs it`, faultReport(site, wrong));
    else
      report(
        `site ${site}: up reloads its server: this version of the program writes another configuration`,
        fate("reloads"),
      );
  }
  return { changes: true };
}

export async function update(_id: string, olds: LeafServerOutputs, news: LeafServerInputs) {
  return { outs: await apply(news, mustRestart(news, olds)) };
}

export async function read(id: string, props: LeafServerOutputs) {
  if (props.expect === "offline") return { id, props };
  const isThere = await hostOf(props.place).isRunning();
  const running = isThere && (props.url === "" || (await serverInfo(props.url)) !== undefined);
  return { id, props: { ...props, running } };
}

async function remove(_id: string, { place, root }: LeafServerOutputs): Promise<void> {
  const host = hostOf(place);
  await host.stop();
  host.clear(root);
}

export { remove as delete };

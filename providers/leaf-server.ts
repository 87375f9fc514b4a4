import { setTimeout as sleep } from "node:timers/promises";
import { accountOf } from "../configs/names";
import { LeafDeclaration, planLeaf } from "../configs/plan-leaf";
import { render } from "../configs/render";
import { makeFolder, removeFolder } from "./folders";
import { findNatsServer } from "./nats-server-binary";
import { Access, shared } from "./nats/connection";
import { leafLinks } from "./nats/system";
import { ProcessServer, bringUp, takeDown, whatIsWrong } from "./process-server";
import { Refusal } from "./refusal";
import { report } from "./report";
import { pathsOf, writeConfig } from "./server-config";
import { siteStep } from "./unproven";
import { changed, same, settled } from "./values";

/** A site's server as a process. */

export interface LeafServerInputs {
  expect: "online" | "offline";
  folder: string;
  root: string;
  natsServer?: string;
  declaration: LeafDeclaration;
  /** The hub's client URL. */
  hubUrl: string;
  /** Secret. */
  secrets: { link: string; system: string };
}

export interface LeafServerOutputs extends LeafServerInputs {
  running: boolean;
  /** Why the last attempt failed; empty when it did not. */
  problem: string;
}

function serverOf({ folder, natsServer, declaration, secrets }: LeafServerInputs): ProcessServer {
  const { name, host, ports } = declaration.restart;
  return {
    name,
    folder,
    listeners: { client: { host, port: ports.client }, monitor: { host: "127.0.0.1", port: ports.monitor } },
    access: { url: `nats://${host}:${ports.client}`, seed: secrets.system },
    ...(natsServer === undefined ? {} : { natsServer }),
  };
}

const textOf = ({ declaration, secrets, folder }: LeafServerInputs): string =>
  render(planLeaf(declaration, secrets.link, pathsOf(folder)));

const LINK_TIMEOUT_MS = 10_000;

/**
 * Waits until the hub has exactly one link of the site, bound to the site's account, and the site bound it to its own.
 * Only the hub knows the account on its side; the site's log says "connection created" on failed attempts too.
 */
export async function waitForLink(site: string, hub: Access, leaf: Access, timeoutMs = LINK_TIMEOUT_MS): Promise<void> {
  const account = accountOf(site);
  let seen = "the hub has no link of it";
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(20)) {
    const onHub = (await leafLinks(await shared(hub))).filter((link) => link.name === site);
    const atSite = await leafLinks(await shared(leaf));
    if (onHub.length === 1 && onHub[0]?.account === account && atSite.length === 1 && atSite[0]?.account === account)
      return;
    const accounts = (links: { account: string }[]) => links.map((link) => link.account).join(", ") || "none";
    seen = `bound to ${accounts(onHub)} on the hub and to ${accounts(atSite)} at the site`;
  }
  throw new Refusal(`its leaf link is not up in account ${account} after ${timeoutMs / 1000} s: ${seen}`);
}

async function apply(inputs: LeafServerInputs, restart: boolean): Promise<LeafServerOutputs> {
  if (inputs.expect === "offline") return { ...inputs, running: false, problem: "" };
  const { name } = inputs.declaration.restart;
  let running = false;
  const problem = await siteStep(inputs.root, name, "server", async () => {
    makeFolder(inputs.folder);
    const server = serverOf(inputs);
    const digest = await writeConfig(inputs.folder, textOf(inputs), await findNatsServer(inputs.natsServer));
    await bringUp(server, digest, restart);
    running = true;
    await waitForLink(name, { url: inputs.hubUrl, seed: inputs.secrets.system }, server.access);
  });
  return { ...inputs, running, problem: problem ?? "" };
}

const mustRestart = (news: LeafServerInputs, olds: LeafServerInputs): boolean =>
  !same(news.declaration.restart, olds.declaration.restart) || news.natsServer !== olds.natsServer;

export async function create(inputs: LeafServerInputs) {
  return { id: inputs.declaration.restart.name, outs: await apply(inputs, false) };
}

export async function diff(_id: string, olds: LeafServerOutputs, news: LeafServerInputs) {
  const wanted = settled(news, olds);
  const { name } = wanted.declaration.restart;
  if (wanted.expect !== olds.expect) return { changes: true };
  const differs = (["declaration", "secrets", "hubUrl", "natsServer", "folder"] as const).some((key) =>
    changed(news[key], olds[key]),
  );
  // The site's own side of an offline site is pending; nothing looks at it.
  if (wanted.expect === "offline") return { changes: differs };
  if (mustRestart(wanted, olds)) report(`site ${name}: up restarts its server`);
  else if (differs) report(`site ${name}: up reloads its server`);
  else if (olds.problem !== "") report(`site ${name}: up tries again: ${olds.problem}`);
  else {
    const wrong = await whatIsWrong(serverOf(olds), textOf(olds));
    if (wrong === undefined) return { changes: false };
    report(`site ${name}: its server ${wrong}; up repairs it`);
  }
  return { changes: true };
}

export async function update(_id: string, olds: LeafServerOutputs, news: LeafServerInputs) {
  return { outs: await apply(news, mustRestart(news, olds)) };
}

export async function read(id: string, props: LeafServerOutputs) {
  if (props.expect === "offline") return { id, props };
  const wrong = await whatIsWrong(serverOf(props), textOf(props));
  return { id, props: { ...props, running: wrong === undefined } };
}

async function remove(_id: string, { folder, root }: LeafServerOutputs): Promise<void> {
  await takeDown(folder);
  removeFolder(folder, root);
}

export { remove as delete };

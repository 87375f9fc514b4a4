import { HubDeclaration } from "../configs/plan-hub";
import { removeFolder } from "./folders";
import { ProcessServer, bringUp, takeDown, whatIsWrong } from "./process-server";
import { findNatsServer } from "./nats-server-binary";
import { shared } from "./nats/connection";
import { kick, leafLinks, varz } from "./nats/system";
import { report } from "./report";
import { declareHub, renderHub, writeHub, writtenDigest } from "./server-config";
import { markUnproven, removeMarks } from "./unproven";
import { changed, same, settled } from "./values";

/** The hub's server as a process, with its site-independent settings; what the sites declare lies beside them. */

export interface HubServerInputs {
  folder: string;
  root: string;
  natsServer?: string;
  declaration: HubDeclaration;
  /** Secret. */
  secrets: { system: string };
}

export interface HubServerOutputs extends HubServerInputs {
  running: boolean;
}

function serverOf({ folder, natsServer, declaration, secrets }: HubServerInputs): ProcessServer {
  const { name, host, ports } = declaration.restart;
  return {
    name,
    folder,
    listeners: {
      client: { host, port: ports.client },
      leafnodes: { host, port: ports.leafnodes },
      monitor: { host: "127.0.0.1", port: ports.monitor },
    },
    access: { url: `nats://${host}:${ports.client}`, seed: secrets.system },
    ...(natsServer === undefined ? {} : { natsServer }),
  };
}

const mustRestart = (news: HubServerInputs, olds: HubServerInputs): boolean =>
  !same(news.declaration.restart, olds.declaration.restart) || news.natsServer !== olds.natsServer;

async function apply(inputs: HubServerInputs, restart: boolean): Promise<HubServerOutputs> {
  const server = serverOf(inputs);
  markUnproven(inputs.root, server.name);
  const foreign = await runsForeignConfig(server);
  declareHub(inputs.folder, inputs.declaration);
  const digest = await writeHub(inputs.folder, await findNatsServer(inputs.natsServer));
  const { outcome } = await bringUp(server, digest, restart);
  if (foreign && outcome === "reloaded") await dropAllLinks(server);
  return { ...inputs, running: true };
}

/** Whether the server runs and has a configuration that this program did not give it. */
async function runsForeignConfig({ folder, access }: ProcessServer): Promise<boolean> {
  const running = await shared(access)
    .then(varz)
    .catch(() => undefined);
  return running !== undefined && running.config_digest !== writtenDigest(folder);
}

/**
 * A reload leaves live links in the account, and with the permissions, that they logged in with (nats-server
 * reload.go): after a foreign configuration nobody knows which. They come back at once.
 */
async function dropAllLinks({ access }: ProcessServer): Promise<void> {
  const connection = await shared(access);
  for (const { id } of await leafLinks(connection)) await kick(connection, id);
}

export async function create(inputs: HubServerInputs) {
  return { id: inputs.declaration.restart.name, outs: await apply(inputs, false) };
}

export async function diff(_id: string, olds: HubServerOutputs, news: HubServerInputs) {
  const wanted = settled(news, olds);
  const { name } = wanted.declaration.restart;
  if (mustRestart(wanted, olds)) report(`${name}: up restarts the hub; every leaf link drops and comes back`);
  else if (changed(news.declaration, olds.declaration)) report(`${name}: up reloads the hub; links stay`);
  else {
    const wrong = await whatIsWrong(serverOf(olds), (text) => text === renderHub(olds.folder));
    if (wrong === undefined) return { changes: changed(news.secrets, olds.secrets) };
    report(`${name}: the hub ${wrong}; up repairs it`);
  }
  return { changes: true };
}

export async function update(_id: string, olds: HubServerOutputs, news: HubServerInputs) {
  return { outs: await apply(news, mustRestart(news, olds)) };
}

export async function read(id: string, props: HubServerOutputs) {
  const wrong = await whatIsWrong(serverOf(props), (text) => text === renderHub(props.folder));
  return { id, props: { ...props, running: wrong === undefined } };
}

async function remove(_id: string, { folder, root }: HubServerOutputs): Promise<void> {
  await takeDown(folder);
  removeMarks(root);
  removeFolder(folder, root);
}

export { remove as delete };

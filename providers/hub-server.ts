import { HubDeclaration } from "../configs/plan-hub";
import { removeFolder } from "./folders";
import { ProcessServer, bringUp, takeDown, whatIsWrong } from "./process-server";
import { findNatsServer } from "./nats-server-binary";
import { report } from "./report";
import { declareHub, renderHub, writeHub } from "./server-config";
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
  markUnproven(inputs.root, inputs.declaration.restart.name);
  declareHub(inputs.folder, inputs.declaration);
  const digest = await writeHub(inputs.folder, await findNatsServer(inputs.natsServer));
  await bringUp(serverOf(inputs), digest, restart);
  return { ...inputs, running: true };
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

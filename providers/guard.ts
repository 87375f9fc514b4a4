import { resolve } from "node:path";
import { siteStreamName } from "../configs/names";
import { StreamSettings } from "../configs/settings";
import { lossesOf } from "../fleet/streams/at-stake";
import { FleetAccess, SiteAccess, accessOf } from "../fleet/sourcing/collected";
import { mayDiscardAll } from "../fleet/sourcing/discard";
import { refuseOtherEngine, unnamedEngine } from "../servers/docker/whereabouts";
import { machineId, refuseOtherFolder, refuseOtherMachine } from "../machine/folders";
import { unfinishedRun } from "../machine/journal/journal";
import { movedServers } from "../servers/moved";
import { Access, shared } from "../servers/nats/connection";
import { jsz } from "../servers/nats/system";
import { Refusal, messageOf } from "../machine/refusal";
import { changed } from "../configs/values";

/**
 * The last resource of a stack: `destroy` deletes it first, and its `delete` refuses while messages would be lost.
 * `destroy` runs neither the program nor any `check`, so nothing else can stop it before something is touched.
 */

export interface GuardInputs {
  sites: { site: string; expect: "online" | "offline" }[];
  streams: StreamSettings[];
  /** Whether servers run on the machine that deploys. @default true */
  bound?: boolean;
  /** Absent in a state of before it was recorded. */
  stack?: string;
  /** The folder of the stack's files; given where a server is a process, which is known only there. */
  root?: string;
  /** Whether a server is on the engine that the environment names. @default false */
  onUnnamedEngine?: boolean;
  /** The hub's system account. Secret. */
  hub: Access;
  /** Secret. */
  access: FleetAccess;
}

interface GuardOutputs extends GuardInputs {
  /** Where the servers run; absent when that is elsewhere, and in a state of before this was recorded. */
  machine?: string;
  /** The whole path of that folder. */
  folder?: string;
  /** Where the containers are whose settings name no engine. */
  engine?: string;
}

const outputsOf = (inputs: GuardInputs): GuardOutputs => ({
  ...inputs,
  ...(inputs.bound === false ? {} : { machine: machineId() }),
  ...(inputs.root === undefined ? {} : { folder: resolve(inputs.root) }),
  ...(inputs.onUnnamedEngine === true ? { engine: unnamedEngine() } : {}),
});

export const create = async (inputs: GuardInputs) => ({ id: "guard", outs: outputsOf(inputs) });
export const update = async (_id: string, _olds: GuardInputs, news: GuardInputs) => ({ outs: outputsOf(news) });

export const diff = async (_id: string, olds: GuardInputs, news: GuardInputs) => ({
  changes: (["sites", "streams", "stack", "bound", "root", "onUnnamedEngine", "hub", "access"] as const).some((key) =>
    changed(news[key], olds[key]),
  ),
});

/** What `destroy` would lose of one site, in words. */
async function atStake(
  access: SiteAccess,
  streams: readonly StreamSettings[],
  stack: string | undefined,
): Promise<string[]> {
  const losses = await lossesOf(access, streams, { stack, withServer: true }).catch((error: unknown) => {
    if (access.expect === "offline") return [];
    return streams.map((stream) => ({
      words: `stream ${siteStreamName(stream, access.site)} cannot be read (${messageOf(error)})`,
    }));
  });
  return losses.map(({ words }) => `site ${access.site}: ${words}`);
}

/** What the hub holds in any account, those of removed sites included. */
async function collected(hub: Access): Promise<string[]> {
  try {
    const accounts = (await jsz(await shared(hub))).account_details ?? [];
    return accounts.flatMap(({ name, stream_detail = [] }) =>
      stream_detail
        .filter((stream) => stream.state.messages > 0)
        .map((stream) => `hub: stream ${name}/${stream.name} holds ${stream.state.messages} collected messages`),
    );
  } catch (error) {
    return [`hub: its streams cannot be read (${messageOf(error)})`];
  }
}

async function remove(
  _id: string,
  { sites, streams, stack, hub, access, machine, root, folder, engine }: GuardOutputs,
): Promise<void> {
  // On another machine nothing could be stopped, only forgotten.
  if (machine !== undefined) refuseOtherMachine(machine);
  refuseOtherFolder(folder, root ?? "");
  const moved = root === undefined ? undefined : movedServers(root);
  if (moved !== undefined) throw new Refusal(moved);
  const unfinished = root === undefined ? undefined : unfinishedRun(root);
  if (unfinished !== undefined) throw new Refusal(unfinished);
  refuseOtherEngine(engine);
  if (mayDiscardAll()) return;
  const reached = sites.flatMap(({ site, expect }) => accessOf(access, site, expect) ?? []);
  const atSites = await Promise.all(reached.map((site) => atStake(site, streams, stack)));
  const lost = [...atSites.flat(), ...(await collected(hub))];
  if (lost.length === 0) return;
  throw new Refusal(
    [
      "destroy would lose messages:",
      ...lost.map((line) => `  ${line}`),
      "save them first, or allow the loss with DISCARD=1 (make down DISCARD=1)",
    ].join("\n"),
  );
}

export { remove as delete };

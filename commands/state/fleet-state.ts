import { resolve } from "node:path";
import type { FleetInputs } from "../../providers/fleet";
import type { GuardInputs } from "../../providers/guard";
import type { HubServerInputs } from "../../providers/hub-server";
import type { LeafServerInputs } from "../../providers/leaf-server";
import { movedServers } from "../../servers/moved";
import type { DockerPlace, Place } from "../../servers/server-host";
import type { SmokeTestInputs, SmokeTestOutputs } from "../../providers/smoke-test";
import type { WatcherInputs } from "../../providers/watcher";
import type { Observed } from "../../fleet/observation/observed";
import { accessOf } from "../../fleet/streams/streams-inputs";
import { sinceRestore } from "../../fleet/proof/restored";
import { recordOf } from "../../fleet/proof/record";
import type { StreamsInputs } from "../../providers/streams";
import { siteStreamName } from "../../configs/names";
import { isOf } from "../../configs/text/urn";
import { declareSites } from "../../fleet/sourcing/declared-sites";
import type { Deployment, StateResource } from "../stack/pending";
import { Refusal } from "../../machine/refusal";
import { unpacked } from "../../fleet/proof/packed";
import { present } from "../../configs/values";

// The fleet that a state describes, as `doctor` and `repair` reach it. The state is the one of
// `pulumi stack export --show-secrets`: what is made of it holds seeds and is never shown.

/** What marks a secret, in a state and in Pulumi's protocol. */
export const SECRET_MARK = "4dabf18193072939515e22adb298388d";

/** The value without the wrappings of its secrets. */
export function opened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(opened);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const { plaintext } = value as { plaintext?: unknown };
  if (SECRET_MARK in value && typeof plaintext === "string") return opened(JSON.parse(plaintext));
  return Object.fromEntries(entries.map(([key, item]) => [key, opened(item)]));
}

/** The fleet that the check of the last `up` passed; undefined where there was none. */
export function checkedFleet(state: Deployment): FleetInputs | undefined {
  const check = (state.deployment?.resources ?? []).find(isOf("FleetCheck"));
  return check === undefined ? undefined : (opened(check.inputs) as FleetInputs);
}

/** Every site that was deployed, with all that is needed to look at it. Paths are those of the project's folder. */
export function fleetOf(state: Deployment, stack: string, projectFolder: string): Observed[] {
  const resources: readonly StateResource[] = state.deployment?.resources ?? [];
  const inputsOf = <T>(type: string): T[] => resources.filter(isOf(type)).map(({ inputs }) => opened(inputs) as T);
  const [hub] = inputsOf<HubServerInputs>("HubServer");
  const [guard] = inputsOf<GuardInputs>("Guard");
  const servers = inputsOf<LeafServerInputs>("LeafServer");
  // In the order of the settings; the state has them in the order in which they were made.
  const declared = (guard?.sites ?? []).map(({ site }) => site);
  const order = ({ site }: StreamsInputs): number =>
    declared.includes(site) ? declared.indexOf(site) : declared.length;
  const streams = inputsOf<StreamsInputs>("Streams").sort((a, b) => order(a) - order(b));
  if (hub === undefined || streams.length === 0) {
    const what = guard === undefined ? "its state has no hub with sites" : "it has no sites";
    throw new Refusal(`stack '${stack}': ${what}, so there is nothing to look at; run 'make up' first`);
  }
  const known = [...declared, ...streams.map(({ site }) => site)];
  for (const root of new Set(streams.map(({ root }) => resolve(projectFolder, root)))) {
    const moved = movedServers(root);
    if (moved !== undefined) throw new Refusal(moved);
    declareSites(root, known);
  }
  const last = resources.find(isOf("SmokeTest"))?.outputs as Partial<SmokeTestOutputs> | undefined;
  const [tested] = inputsOf<Partial<SmokeTestInputs>>("SmokeTest");
  const [watching] = inputsOf<WatcherInputs>("Watcher");
  const watcher = watching && {
    folder: resolve(projectFolder, watching.folder),
    port: watching.port,
    ...(watching.container === undefined ? {} : { container: containerIn(watching.container, projectFolder) }),
  };
  const first = streams.find(({ expect }) => expect === "online");
  return streams.map((ofSite): Observed => {
    const { site, root } = ofSite;
    const server = servers.find(({ declaration }) => declaration.restart.name === site);
    const application = tested?.secrets?.sites[site]?.application;
    const maxPayload = server?.declaration.reload?.maxPayload;
    return {
      access: accessOf(ofSite),
      stack: ofSite.stack,
      root: resolve(projectFolder, root),
      ...(server === undefined ? {} : { place: placeIn(server.place, projectFolder) }),
      hubPlace: placeIn(hub.place, projectFolder),
      comparesConfigs: true,
      system: hub.secrets.system,
      hubDomain: hub.declaration.restart.domain ?? hub.declaration.restart.name,
      ...(tested?.hub?.servers === undefined
        ? {}
        : {
            hubServers: tested.hub.servers.map((server) => ({
              ...server,
              place: placeIn(server.place, projectFolder),
            })),
          }),
      ...present({ application, maxPayload }),
      linkSeed: server?.access.link ?? "",
      streams: ofSite.streams,
      before: Object.fromEntries(
        ofSite.streams.map((stream) => [
          siteStreamName(stream, site),
          sinceRestore(recordOf(last, site, stream), { root: resolve(projectFolder, root), stream, site }),
        ]),
      ),
      probes: {},
      ...present({ booked: unpacked(last?.proven?.book) }),
      ...(ofSite === first ? present({ watcher }) : {}),
    };
  });
}

const containerIn = (place: DockerPlace, projectFolder: string): DockerPlace => ({
  ...place,
  folder: resolve(projectFolder, place.folder),
});

const placeIn = (place: Place, projectFolder: string): Place => ({
  ...place,
  folder: resolve(projectFolder, place.folder),
});

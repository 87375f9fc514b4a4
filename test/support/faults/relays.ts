import { reload } from "../../../servers/nats/system";
import { shared } from "../../../servers/nats/connection";
import type { TestFleet, TestServer } from "../fleets/fleet";
import { type Proxy, proxyTo } from "../fleets/proxy";
import { editConfig } from "../fleets/servers";

/** The routes between the servers of a hub, led through relays: a network that parts one server from the others. */

interface Relay {
  ends: readonly [string, string];
  proxy: Proxy;
}

const shareRoute = (relay: Relay, server: TestServer): boolean => relay.ends.includes(server.name);

export class Relays implements AsyncDisposable {
  private constructor(private readonly relays: readonly Relay[]) {}

  /** Edits the configuration of each server: it dials the others through relays. `up` takes that back. */
  static async between(fleet: TestFleet): Promise<Relays> {
    const relays: Relay[] = [];
    for (const from of fleet.members) {
      for (const to of fleet.members.filter(({ name }) => name !== from.name)) {
        const proxy = await proxyTo(to.ports.cluster);
        relays.push({ ends: [from.name, to.name], proxy });
        editConfig(from.folder, (text) =>
          text.replaceAll(`@127.0.0.1:${to.ports.cluster}`, `@127.0.0.1:${proxy.port}`),
        );
      }
      await reload(await shared({ url: from.url, seed: fleet.hub.seeds.system }));
    }
    return new Relays(relays);
  }

  /** From now on the server's routes are cut, and new ones are refused; or they stand again. */
  cut = (server: TestServer, isCut: boolean): void => {
    for (const relay of this.relays) if (shareRoute(relay, server)) relay.proxy.cut(isCut);
  };

  /** From now on what the server and the others send each other waits, in order; or it goes on. */
  hold = (server: TestServer, isHeld: boolean): void => {
    for (const relay of this.relays) if (shareRoute(relay, server)) relay.proxy.hold(isHeld);
  };

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { proxy } of this.relays) await proxy[Symbol.asyncDispose]();
  }
}

import { once } from "node:events";
import { AddressInfo, Socket, createConnection, createServer } from "node:net";

/** A TCP proxy on loopback between a site and its hub: the network that a test can spoil. */
export interface Proxy extends AsyncDisposable {
  port: number;
  /** From now on, what comes from there vanishes, or what of it matches; both connections stay up. */
  swallow(from: "site" | "hub", what?: RegExp): void;
  /** Lets everything through again, also on the connections that stand. */
  restore(): void;
  /** Ends what is there and takes nothing new, until it is told otherwise. */
  cut(isCut: boolean): void;
  /** Takes nothing from any connection, old or new, and ends none, until it is told otherwise; then all of it crosses. */
  hold(isHeld: boolean): void;
  /** From now on, what comes from the site crosses at this rate; undefined for as fast as it can. */
  slow(bytesPerSecond: number | undefined): void;
}

export async function proxyTo(port: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let rate: number | undefined;
  let swallowed: { site?: RegExp; hub?: RegExp } = {};
  let isCut = false;
  let isHeld = false;
  const server = createServer((site) => {
    if (isCut) {
      site.on("error", () => undefined).destroy();
      return;
    }
    const hub = createConnection({ host: "127.0.0.1", port });
    for (const [name, from, to] of [
      ["site", site, hub],
      ["hub", hub, site],
    ] as const) {
      sockets.add(from);
      from.on("data", (bytes) => {
        if (swallowed[name]?.test(bytes.toString("latin1")) === true) return;
        to.write(bytes);
        if (name === "hub" || rate === undefined) return;
        from.pause();
        setTimeout(() => isHeld || from.resume(), (bytes.length / rate) * 1000);
      });
      if (isHeld) from.pause();
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on("error", () => to.destroy());
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    slow: (bytesPerSecond) => void (rate = bytesPerSecond),
    cut(cut) {
      isCut = cut;
      if (cut) for (const socket of sockets) socket.destroy();
    },
    hold(held) {
      isHeld = held;
      for (const socket of sockets)
        if (isHeld) socket.pause();
        else socket.resume();
    },
    restore: () => void (swallowed = {}),
    swallow: (from, what = /^/) => void (swallowed[from] = what),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

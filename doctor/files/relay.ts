import { AddressInfo, Server, Socket, createConnection, createServer } from "node:net";

/**
 * What stands between a leaf server and its hub in a rehearsal: it passes everything on, and its port shows which
 * remote a link of the hub belongs to.
 */
export class Relay {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  /** Ports from which it dialled the hub, of connections that are open. */
  readonly open = new Set<number>();
  /** All of them. */
  readonly ever = new Set<number>();
  /** When the last connection was closed; ms since 1970, 0 for none. */
  closedAt = 0;
  /** How often the leaf server dialled. */
  dialled = 0;
  private isShut = false;

  /** @param target the port on loopback to which it passes on. */
  constructor(target: number) {
    this.server = createServer((from) => this.forward(from, target));
  }

  /** Closes what is open, and takes no more until it is opened again. */
  setShut(isShut: boolean): void {
    this.isShut = isShut;
    if (isShut) for (const socket of this.sockets) socket.destroy();
  }

  private forward(from: Socket, target: number): void {
    if (this.isShut) {
      from.on("error", () => undefined).destroy();
      return;
    }
    this.dialled++;
    const to = createConnection({ host: "127.0.0.1", port: target });
    let port = 0;
    to.once("connect", () => {
      port = to.localPort ?? 0;
      this.open.add(port);
      this.ever.add(port);
    });
    const close = (): void => {
      if (this.sockets.has(from)) this.closedAt = Date.now();
      this.open.delete(port);
      for (const socket of [from, to]) {
        this.sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [from, to]) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      // What one end still said before it closed is passed on first.
      socket.on("error", close).on("close", close);
    }
    from.pipe(to).pipe(from);
  }

  /** Resolves with the port at which it listens. */
  listen(): Promise<number> {
    return new Promise((listening, failed) => {
      this.server.once("error", failed);
      this.server.listen(0, "127.0.0.1", () => listening((this.server.address() as AddressInfo).port));
    });
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((closed) => this.server.close(() => closed()));
  }
}

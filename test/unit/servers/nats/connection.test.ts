import assert from "node:assert/strict";
import { Socket, createServer } from "node:net";
import { converse, endpointOf, serverInfo } from "../../../../servers/nats/connection";
import { closedPort } from "../../providers/fleet-inputs";

describe("a NATS listener spoken to by hand", () => {
  async function withListener(greeting: string, work: (port: number) => Promise<void>): Promise<void> {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined).write(greeting);
      socket.on("data", (data) => socket.write(`+OK ${data.toString()}`));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    try {
      await work(typeof address === "object" && address !== null ? address.port : 0);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  }
  const INFO = 'INFO {"server_id":"NA1","server_name":"oslo","version":"2.15.2","nonce":"n1"}\r\n';

  it("is at host and port of any NATS address", () => {
    assert.deepEqual(endpointOf("nats://127.0.0.1:4222"), { host: "127.0.0.1", port: 4222 });
    assert.deepEqual(endpointOf("nats-leaf://hub.example:7422"), { host: "hub.example", port: 7422 });
    assert.deepEqual(endpointOf("nats://[::1]:4222"), { host: "::1", port: 4222 });
  });

  it("says who it is", async () => {
    await withListener(INFO, async (port) => {
      assert.equal((await serverInfo(`nats://127.0.0.1:${port}`))?.server_id, "NA1");
    });
  });

  it("is answered with what fits its INFO, and heard until the awaited word", async () => {
    await withListener(INFO, async (port) => {
      const { said } = await converse(
        { host: "127.0.0.1", port },
        { reply: ({ nonce }) => `CONNECT ${nonce ?? ""}\r\n`, until: /\+OK/, timeoutMs: 2_000 },
      );
      assert.match(said, /\+OK CONNECT n1/);
    });
  });

  it("that is not there says nothing, and is not waited for", async () => {
    const started = performance.now();
    assert.equal(await serverInfo(`nats://127.0.0.1:${await closedPort()}`), undefined);
    assert.equal(performance.now() - started < 2_500, true);
  });

  it("that says nothing is given up in time", async () => {
    await withListener("", async (port) => {
      const started = performance.now();
      assert.equal(await serverInfo(`nats://127.0.0.1:${port}`, 100), undefined);
      assert.equal(performance.now() - started < 1_000, true);
    });
  });

  it("that is no NATS server is none", async () => {
    await withListener("HTTP/1.1 400 Bad Request\r\n\r\n", async (port) => {
      assert.equal(await serverInfo(`nats://127.0.0.1:${port}`, 100), undefined);
      await assert.rejects(
        converse({ host: "127.0.0.1", port }, { timeoutMs: 100 }),
        /does not answer as a NATS server/,
      );
    });
  });
});

import assert from "node:assert/strict";
import { Refusal } from "../../../machine/refusal";
import { bringUp } from "../../../servers/server";
import type { ServerFiles } from "../../../servers/files/server-files";
import type { ServerHost } from "../../../servers/server-host";

/** A place where a server ends as soon as it is started. */
class Failing implements ServerHost {
  readonly natsServer = undefined;
  readonly versionCure = "take a newer one";
  readonly storeCure = "its store has files of another user; give them back: chown -R 1000 store";

  constructor(private readonly lines: readonly string[]) {}

  files = (): Promise<ServerFiles> => Promise.reject(new Error("nobody needs them"));
  isRunning = (): Promise<boolean> => Promise.resolve(false);
  refuseUnstartable = (): Promise<void> => Promise.resolve();
  start = () => Promise.resolve({ exitCode: () => Promise.resolve(1) });
  stop = (): Promise<void> => Promise.resolve();
  state = (): Promise<"gone"> => Promise.resolve("gone");
  thaw = (): Promise<void> => Promise.resolve();
  room = (): undefined => undefined;
  log = (): Promise<string> => Promise.resolve(this.lines.join("\n"));
  clear = (): void => undefined;
}

const START = "[1] 2027/03/01 12:00:00.000000 [INF] Starting nats-server";
const line = (text: string): string => `[1] 2027/03/01 12:00:00.123456 ${text}`;

describe("a server that ends at its start", () => {
  const said = async (...lines: string[]): Promise<string> => {
    const access = { url: "nats://127.0.0.1:1", seed: "" };
    const server = { name: "oslo", host: new Failing(lines), listeners: {}, access };
    const error: unknown = await bringUp(server, "sha256:0", false).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof Refusal, String(error));
    return error.message;
  };

  it("is shown with what it said since it was started, not before", async () => {
    const before = [START, line("[ERR] 10.0.0.9:4711 - authentication error"), line("[FTL] of long ago")];
    assert.equal(
      await said(...before, START, line("[INF] JetStream"), line("[FTL] no room")),
      "oslo: nats-server exited at start (exit code 1): [FTL] no room",
    );
  });

  it("is shown with what it said at the start before, when it was ended before it said anything", async () => {
    assert.match(await said(START, line("[FTL] no room"), START), /: \[FTL\] no room$/);
  });

  it("is shown with its last three errors, one a line", async () => {
    assert.equal(
      await said(START, ...["a", "b", "c", "d"].map((error) => line(`[ERR] ${error}`))),
      "oslo: nats-server exited at start (exit code 1)\n  [ERR] b\n  [ERR] c\n  [ERR] d",
    );
  });

  it("is shown with what it says of its configuration before it starts", async () => {
    assert.match(
      await said("nats-server: nats-server.conf:3: variable reference"),
      /: nats-server: nats-server\.conf:3/,
    );
  });

  it("is shown alone when the server said nothing", async () => {
    assert.equal(await said(""), "oslo: nats-server exited at start (exit code 1)");
  });

  for (const reason of ["storage directory is not writable", "mkdir /nats/data/store/jetstream: permission denied"])
    it(`is shown with the way to give it its store back: ${reason}`, async () => {
      assert.equal(
        await said(START, line(`[FTL] Can't start JetStream: ${reason}`)),
        `oslo: nats-server exited at start (exit code 1): [FTL] Can't start JetStream: ${reason}; ` +
          "its store has files of another user; give them back: chown -R 1000 store",
      );
    });
});

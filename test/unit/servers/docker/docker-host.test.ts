import assert from "node:assert/strict";
import { DockerHost } from "../../../../servers/docker-host";
import { Refusal } from "../../../../machine/refusal";
import { bringLinks } from "../../../../servers/hub-members";
import { type Answer, archiveOf, entriesOf, withFakeDocker } from "./fake-docker";

const CONTAINER = "0a1b";

describe("a server in a container", () => {
  const docker = withFakeDocker();
  const hostOf = (container = CONTAINER, engine = { url: docker.url }) =>
    new DockerHost({ kind: "docker", engine, container, name: "nats-dev-hub", folder: ".fleet/dev/hub" });
  const asked = (): string[] => docker.asked.map(({ what }) => what.replace(`/containers/${CONTAINER}`, ""));

  /** By request without the container's path; what is not there is refused as unknown. */
  const answers = (some: Record<string, Answer>): void => {
    docker.answer = ({ what }) =>
      some[what.replace(`/containers/${CONTAINER}`, "")] ?? [404, { message: `No such container: ${CONTAINER}` }];
  };
  const inspected = (State: object, RestartCount = 0): Answer => [200, { State, RestartCount }];
  const refusal = async (failing: Promise<unknown>): Promise<string> => {
    const error: unknown = await failing.catch((thrown: unknown) => thrown);
    assert.ok(error instanceof Refusal, String(error));
    return error.message;
  };

  it("runs when its container does, and not while the engine is about to start it again", async () => {
    for (const [state, runs] of [
      [{ Running: true, Restarting: false }, true],
      [{ Running: true, Restarting: true }, false],
      [{ Running: false, Restarting: false }, false],
    ] as const) {
      answers({ "GET /json": inspected(state) });
      assert.equal(await hostOf().isRunning(), runs);
    }
    answers({});
    assert.equal(await hostOf().isRunning(), false);
  });

  describe("when it is started", () => {
    const STARTS = { "PUT /archive": [200], "POST /start": [204] } as const satisfies Record<string, Answer>;

    it("has a store of its own first", async () => {
      answers(STARTS);
      await hostOf().start();
      assert.deepEqual(asked(), ["PUT /archive", "POST /start"]);
      assert.deepEqual(
        (await entriesOf(docker.asked[0]!.body)).map(({ name, uid }) => [name, uid]),
        [["store/", 1000]],
      );
    });

    it("is taken as it is when it runs already", async () => {
      answers({ ...STARTS, "POST /start": [304] });
      await hostOf().start();
    });

    it("has not ended while it runs for the first time", async () => {
      answers({ ...STARTS, "GET /json": inspected({ Running: true, Restarting: false, ExitCode: 0 }) });
      const { exitCode } = await hostOf().start();
      assert.equal(await exitCode(), undefined);
    });

    it("is stopped once it has ended, before the engine starts it again and again", async () => {
      const restarted = inspected({ Running: true, Restarting: false, ExitCode: 1 }, 1);
      answers({ ...STARTS, "GET /json": restarted, "POST /stop": [204] });
      const { exitCode } = await hostOf().start();
      assert.equal(await exitCode(), 1);
      assert.equal(asked().at(-1), "POST /stop");
    });

    for (const said of [
      "driver failed programming external connectivity on endpoint nats-dev-hub (cdcb): Error starting userland proxy: " +
        "listen tcp4 127.0.0.1:4300: bind: address already in use",
      "driver failed programming external connectivity on endpoint nats-dev-hub (cdcb): Bind for 127.0.0.1:4300 failed: " +
        "port is already allocated",
      "failed to set up container networking: driver failed programming external connectivity on endpoint nats-dev-hub " +
        "(cdcb): failed to bind host port for 127.0.0.1:4300:172.18.0.2:4222/tcp: address already in use",
      "failed to bind host port 127.0.0.1:4300/tcp: address already in use",
    ])
      it(`names the port that is taken: ${said.slice(-40)}`, async () => {
        answers({ ...STARTS, "POST /start": [500, { message: said }] });
        assert.equal(
          await refusal(hostOf().start()),
          "container nats-dev-hub: port 4300 on 127.0.0.1 is taken by something that this stack did not start; " +
            "stop it, or give this server another port under 'ports' in the settings",
        );
      });

    it("names the address that its machine does not have", async () => {
      const message =
        "Error starting userland proxy: listen tcp4 192.0.2.9:4300: bind: cannot assign requested address";
      answers({ ...STARTS, "POST /start": [500, { message }] });
      assert.equal(
        await refusal(hostOf().start()),
        "container nats-dev-hub: port 4300 on 192.0.2.9 cannot be published: its machine does not have this address; " +
          "correct this server's 'host'",
      );
    });

    it("passes on what else the engine says, in its own words alone", async () => {
      answers({ ...STARTS, "PUT /archive": [500, { message: "no space left on device" }] });
      assert.equal(await refusal(hostOf().start()), "container nats-dev-hub: no space left on device");
    });

    it("says what to do when somebody removed the container", async () => {
      answers({});
      const gone = "container nats-dev-hub was removed; run 'make up' (or 'pulumi up --refresh'), which recreates it";
      assert.equal(await refusal(hostOf().start()), gone);
      assert.equal(await refusal(hostOf("gone").files()), gone);
    });
  });

  describe("whose container has the same files by its id and by its name", () => {
    const NAME = "nats-dev-hub";

    it("reads them once, and what one writes the other has", async () => {
      const archive = await archiveOf("config", { "hub.json": "{}" });
      docker.answer = ({ what }) => (what === `GET /containers/${CONTAINER}/archive` ? [200, archive] : [404, {}]);
      const files = await hostOf().files();
      files.write("links/oslo.UA.json", "{}");
      const byName = await hostOf(NAME).files();
      assert.deepEqual([byName.list("links"), docker.asked.length], [["oslo.UA.json"], 1]);
    });

    it("reads those of another container in its place anew", async () => {
      const archives: Record<string, Buffer> = {
        [CONTAINER]: await archiveOf("config", { "hub.json": "1" }),
        "9f8e": await archiveOf("config", { "hub.json": "2" }),
      };
      docker.answer = ({ what }) => [200, archives[what.split("/")[2] ?? ""]];
      assert.equal((await hostOf().files()).read("hub.json"), "1");
      assert.equal((await hostOf("9f8e").files()).read("hub.json"), "2");
      assert.equal((await hostOf(NAME).files()).read("hub.json"), "2");
    });
  });

  describe("of a hub of several, with a volume that is new", () => {
    const member = (name: string) => ({
      place: { kind: "docker", engine: { url: docker.url }, container: name, name, folder: "." } as const,
    });
    const bring = async (...names: string[]): Promise<string[]> => {
      const files = await hostOf().files();
      await bringLinks(files, names.map(member));
      return files.list("links");
    };

    it("has the declarations of sites from a server that is there", async () => {
      const own = await archiveOf("config", {});
      const other = await archiveOf("config", { "folders.json": JSON.stringify({ "links/oslo.UA.json": "{}" }) });
      docker.answer = ({ what }) =>
        what.includes(CONTAINER) ? [200, own] : what.includes("hub-3") ? [200, other] : [404, { message: "none" }];
      assert.deepEqual(await bring("nats-dev-hub-2", "nats-dev-hub-3"), ["oslo.UA.json"]);
    });

    it("does not start without them when the engine cannot say", async () => {
      const own = await archiveOf("config", {});
      docker.answer = ({ what }) => (what.includes(CONTAINER) ? [200, own] : [500, { message: "broken" }]);
      assert.match(await refusal(bring("nats-dev-hub-2")), /nats-dev-hub-2: .*broken/);
    });
  });

  describe("when it is stopped", () => {
    it("has the time that its container has", async () => {
      answers({ "POST /stop": [204] });
      await hostOf().stop();
      assert.deepEqual(docker.asked[0]?.query, {});
    });

    it("may be stopped already, or gone", async () => {
      for (const some of [{ "POST /stop": [304] } as const, {}]) {
        answers(some);
        await hostOf().stop();
      }
    });
  });

  it("has a log without the marks that the engine puts between its pieces", async () => {
    const piece = (text: string): Buffer => {
      const head = Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]);
      head.writeUInt32BE(Buffer.byteLength(text), 4);
      return Buffer.concat([head, Buffer.from(text)]);
    };
    const pieces = ["[1] [INF] Server is ready\n", "[1] [FTL] für immer\n"];
    answers({ "GET /logs": [200, Buffer.concat(pieces.map(piece))] });
    assert.equal(await hostOf().log(), pieces.join(""));
    answers({});
    assert.equal(await hostOf().log(), "");
  });

  it("is given its store back on the engine that has it", () => {
    assert.equal(
      hostOf(CONTAINER, { url: "ssh://edge@oslo.example" }).storeCure,
      "its store has files of another user; give them back: docker -H ssh://edge@oslo.example run --rm -v nats-dev-hub-data:/nats/data busybox chown -R 1000:1000 /nats/data/store",
    );
  });
});

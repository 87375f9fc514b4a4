import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { RawSettings } from "../../configs/settings";
import { Stack } from "../support/stacks/cli";
import { type Ran } from "../support/stacks/commands";
import { arrived, linkIds, publish } from "../support/stacks/traffic";
import { buildOlderImage } from "../support/docker/nats-images";
import { Containers, missingEngine } from "../support/stacks/grounds";
import { OLDER } from "../support/fleets/older-server";
import { occupy } from "../support/fleets/foreign-port";

// What is wrong with an engine, an image, a port or a volume: one readable error with its cure, nothing else harmed, and
// the next `up` after the cure finishes. One stack meets it all, one after the other.

const missing = missingEngine();

/** Root as other users are: its rights over files of others are taken away. */
const LIKE_ANY_USER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
const ANOTHER_USER = 65_534;

const IMAGE = "nats:2.15.2-alpine";
/** The name does not tell that its server is an older one. */
const OLDER_IMAGE = "nats:older";
/** There is none of this name. */
const NO_IMAGE = "nats:9.9.9";

/** The part of the CLI's output that it ends with, where each error stands once. */
const diagnostics = (output: string): string => /^Diagnostics:\n([^]*?)^(Outputs|Resources):/m.exec(output)?.[1] ?? "";

/** Fails for its `cause` alone, which stands there once, and without a stack trace. */
function assertFailed({ code, output }: Ran, cause: RegExp, said = diagnostics(output)): void {
  assert.notEqual(code, 0, output);
  assert.equal(said.match(new RegExp(cause, `g${cause.flags}`))?.length, 1, output);
  assert.doesNotMatch(output, /^ +at .*:\d+:\d+\)?$/m);
}

(missing === undefined ? describe : describe.skip)(
  `refusals with Docker${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let ground: Containers;
    let stack: Stack;
    let foreign: Awaited<ReturnType<typeof occupy>>;
    const published: string[] = [];
    const settings = (image = IMAGE): RawSettings => ({
      ...ground.settings,
      docker: { image },
      hub: { ports: { client: foreign.port } },
      sites: [{ name: "oslo" }],
      streams: [{ name: "EVENTS", subjects: ["events.>"] }],
      probes: { burst: "0B" },
    });
    const tryUp = (env: NodeJS.ProcessEnv = {}): Promise<Ran> => stack.run(["up", "--yes", "--skip-preview"], env);
    const assertTransport = async (): Promise<void> => {
      const client = await stack.applicationOf("oslo");
      published.push(...(await publish(client, "oslo", { first: published.length })));
      assert.deepEqual(await arrived(stack, "oslo", published), published.toSorted());
    };
    const isProven = async (): Promise<void> =>
      assert.deepEqual(
        (await stack.outputs({ again: true })).proof.map(({ status }) => status),
        ["proven"],
      );
    const stateOf = async (server: string) => {
      const { Id, State } = await ground.container(stack, server).inspect();
      return { id: Id, started: State.StartedAt, pid: State.Pid, running: State.Running };
    };

    before(async () => {
      ground = await Containers.start();
      foreign = await occupy();
      stack = await Stack.create("cargo", settings(NO_IMAGE), { ...ground.options, through: LIKE_ANY_USER });
    });
    after(async () => {
      foreign.server.close();
      await stack.remove();
      await ground.stop();
    });

    const socket = (): string => ground.engine.url.slice("unix://".length);

    /** Makes the engine's socket another one for so long. */
    const without = async (change: () => void, back: () => void, work: () => Promise<void>): Promise<void> => {
      change();
      try {
        await work();
      } finally {
        back();
      }
    };

    const away = (work: () => Promise<void>): Promise<void> =>
      without(
        () => fs.renameSync(socket(), `${socket()}.away`),
        () => fs.renameSync(`${socket()}.away`, socket()),
        work,
      );

    const forbidden = (work: () => Promise<void>): Promise<void> => {
      const { uid, gid } = fs.statSync(socket());
      return without(
        () => fs.chownSync(socket(), ANOTHER_USER, ANOTHER_USER),
        () => fs.chownSync(socket(), uid, gid),
        work,
      );
    };

    const outOfReach = (assertUntouched: () => Promise<void>): void => {
      it("stops make up when no engine is there, and says what to do", async () => {
        await away(async () => {
          const ran = await stack.make("up");
          const cause = /Docker engine unix:\/\/\S+: connect ENOENT \S+: nothing listens on its socket; /;
          assertFailed(ran, cause, ran.output);
          assert.match(ran.output, /install or start Docker, or correct the setting 'engine'/);
        });
        await assertUntouched();
      });

      it("stops make up when this user may not use the engine, and says what to do", async () => {
        await forbidden(async () => {
          const ran = await stack.make("up");
          const cause = /Docker engine unix:\/\/\S+: connect EACCES \S+: this user may not use its socket; /;
          assertFailed(ran, cause, ran.output);
          assert.match(ran.output, /add the user to the group 'docker', or run as another user/);
        });
        await assertUntouched();
      });

      it("stops the plain CLI too, once for all that is there", () =>
        away(async () =>
          assertFailed(
            await tryUp(),
            /error: .*: hub, oslo cannot be worked on: Docker engine unix:\S+: .*: nothing listens on its socket; .*'engine'$/m,
          ),
        ));
    };

    describe("of an engine out of reach, before the first up,", () =>
      outOfReach(async () => {
        await stack.leftNothing();
        await ground.hasLeft(stack, "");
      }));

    describe("of an image that cannot be pulled", () => {
      it("name it before any container is made", async () => {
        assertFailed(await tryUp(), /docker-image\):\n +error: [^]*?: unable to pull image nats:9\.9\.9: \S/);
        assert.deepEqual(await ground.engine.docker.listContainers({ all: true }), []);
      });
      after(() => stack.configure(settings()));
    });

    describe("of a published port that a foreign program has", () => {
      it("name it and the setting, and leave the program alone", async () => {
        const cause = new RegExp(
          `error: container nats-cargo-hub: port ${foreign.port} on 127\\.0\\.0\\.1 is taken by something that this stack ` +
            "did not start; stop it, or give this server another port under 'ports' in the settings\n",
        );
        assertFailed(await tryUp(), cause);
        assert.equal(foreign.server.listening, true);
        assert.equal((await stateOf("hub")).running, false);
      });

      it("are over once the port is free: up finishes what it had begun", async () => {
        await new Promise((resolve) => foreign.server.close(resolve));
        await stack.up();
        await isProven();
        await assertTransport();
        assert.equal((await stack.outputs()).hub.client, `nats://127.0.0.1:${foreign.port}`);
      });
    });

    describe("of an engine out of reach, while its servers run,", () => {
      let untouched: object;
      const look = async () => ({
        hub: await stateOf("hub"),
        oslo: await stateOf("oslo"),
        links: await linkIds(stack),
        resources: await stack.resources(),
      });
      before(async () => {
        untouched = await look();
      });
      outOfReach(async () => {
        assert.deepEqual(await look(), untouched);
        await assertTransport();
      });

      it("is over with the cause: nothing is left to do", () => stack.isClean());
    });

    describe("of a store that belongs to another user", () => {
      /** Gives all files in the server's data volume to a user. */
      const giveTo = async (server: string, owner: number): Promise<void> => {
        const { Mountpoint } = await ground.engine.docker.getVolume(`nats-cargo-${server}-data`).inspect();
        execFileSync("chown", ["-R", `${owner}:${owner}`, path.join(Mountpoint, "store")]);
      };
      const cause = (server: string): string =>
        "nats-server exited at start \\(exit code \\d\\): \\[FTL\\] Can't start JetStream: storage directory is not writable; " +
        "its store has files of another user; give them back: " +
        `docker run --rm -v nats-cargo-${server}-data:/nats/data busybox chown -R 1000:1000 /nats/data/store\n`;

      it("name the site's, with the way to give it back, and leave the hub alone", async () => {
        const hub = await stateOf("hub");
        await ground.container(stack, "oslo").stop();
        await giveTo("oslo", 0);
        const ran = await tryUp();
        assertFailed(ran, new RegExp(`\n +site oslo: ${cause("oslo")}`));
        assert.match(ran.output, new RegExp(`site oslo: no data reaches the hub\n +cause +${cause("oslo")}`));
        assert.deepEqual(await stateOf("hub"), hub);
        assert.equal((await stateOf("oslo")).running, false);
      });

      it("are over once the site has it back", async () => {
        await giveTo("oslo", 1000);
        await stack.up();
        await isProven();
        await assertTransport();
      });

      it("name the hub's too, and leave the site alone", async () => {
        const oslo = await stateOf("oslo");
        await ground.container(stack, "hub").stop();
        await giveTo("hub", 0);
        assertFailed(await tryUp(), new RegExp(`error: hub: ${cause("hub")}`));
        assert.deepEqual(await stateOf("oslo"), oslo);
      });

      it("are over once the hub has it back, and nothing is lost", async () => {
        await giveTo("hub", 1000);
        await stack.up();
        await isProven();
        await assertTransport();
      });
    });

    describe("of an image with an older nats-server, when its name does not show it,", () => {
      it("name the version that the hub runs, and leave the site alone", async () => {
        const oslo = await stateOf("oslo");
        await buildOlderImage(ground.engine.docker, OLDER_IMAGE);
        stack.configure(settings(OLDER_IMAGE));
        const ran = await stack.make("upgrade");
        const cause = new RegExp(
          `error: hub: its nats-server is version ${OLDER}, but 2\\.15\\.0 or newer is needed: .*; ` +
            "name a newer image in 'docker.image' and run 'make upgrade'\n",
        );
        assertFailed(ran, cause);
        assert.deepEqual(await stateOf("oslo"), oslo);
      });

      it("are over with the image of before, and nothing is lost", async () => {
        stack.configure(settings());
        const { code, output } = await stack.make("upgrade");
        assert.equal(code, 0, output);
        await isProven();
        await assertTransport();
      });
    });
  },
);

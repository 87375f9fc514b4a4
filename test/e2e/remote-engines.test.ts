import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { RawSettings } from "../../configs/settings";
import { type Ran, Stack } from "../support/cli";
import { Engine } from "../support/docker/engine";
import { newAuthority, writeCertificate } from "../support/docker/engine-certificates";
import { withDockerPlugin } from "../support/docker/plugin";
import { SshServer } from "../support/docker/ssh-server";
import { arrived, linkIds, publish } from "../support/e2e-traffic";
import { missingEngine } from "../support/grounds";

// The hub as a process, one site on an engine at tcp:// with TLS on both ends, one on an engine behind a real ssh server.

/** Why it cannot be had here; never where nothing may be skipped. */
function missingServer(): string | undefined {
  const reason = missingEngine() ?? SshServer.unavailable();
  if (reason !== undefined && process.env.CI === "true") throw new Error(`no ssh server: ${reason}`);
  return reason;
}

const missing = missingServer();

(missing === undefined ? describe : describe.skip)(
  `engines at tcp:// with TLS and at ssh://${missing === undefined ? "" : ` (skipped: ${missing})`}`,
  () => {
    let engines: { oslo: Engine; bergen: Engine };
    let sshd: SshServer;
    let stack: Stack;

    const settings = ({ certificates = engines.oslo.overTcp.certificates, maxPayload = "1MiB" } = {}): RawSettings => {
      const site = (name: "oslo" | "bergen") => {
        const { address } = engines[name];
        return { name, runtime: "docker" as const, host: address, hubAddress: address, maxPayload };
      };
      return {
        hub: { host: "0.0.0.0", address: "127.0.0.1" },
        links: { tls: "generated" },
        sites: [
          { ...site("oslo"), engine: engines.oslo.overTcp.url, engineCertificates: certificates },
          // To the program both engines are on the machine 127.0.0.1.
          { ...site("bergen"), engine: sshd.url, ports: { client: 4223 } },
        ],
        streams: [{ name: "EVENTS", subjects: ["events.>"] }],
      };
    };
    const statuses = async () =>
      Object.fromEntries((await stack.outputs({ again: true })).proof.map(({ site, status }) => [site, status]));
    const containers = async (engine: Engine) =>
      (await engine.docker.listContainers({ all: true })).flatMap(({ Names }) => Names);
    /** Runs a target of make; nothing here may wait for somebody who types. */
    const make = async (target: string, code: number): Promise<string> => {
      const ran: Ran = await stack.make(target);
      assert.equal(ran.code, code, ran.output);
      return ran.output;
    };
    /** The reasons for what is pending; each is said once. */
    const reasons = (output: string): string[] =>
      output.split("\n").flatMap((line) => /Docker engine \S+ .*/.exec(line)?.[0] ?? []);

    before(async () => {
      const [oslo, bergen] = await Promise.all([Engine.start("tls", { tcp: true }), Engine.start("behind ssh")]);
      engines = { oslo, bergen };
      await Promise.all([oslo, bergen].map((engine) => engine.loadNatsImage()));
      sshd = await SshServer.start(bergen.url);
      const env = { ...sshd.env, DOCKER_HOST: "unix:///nowhere/docker.sock" };
      stack = await Stack.create("remote", settings(), { env, prepare: withDockerPlugin });
    });
    after(async () => {
      await stack?.remove();
      await sshd?.stop();
      await Promise.all(Object.values(engines).map((engine) => engine.stop()));
    });

    it("are deployed to and proven, and what applications publish arrives once", async () => {
      await make("up", 0);
      assert.deepEqual(await statuses(), { oslo: "proven", bergen: "proven" });
      assert.deepEqual(await containers(engines.oslo), ["/nats-remote-oslo"]);
      assert.deepEqual(await containers(engines.bergen), ["/nats-remote-bergen"]);
      for (const site of ["oslo", "bergen"]) {
        const texts = await publish(await stack.applicationOf(site), site);
        assert.deepEqual(await arrived(stack, site, texts), texts.toSorted());
      }
    });

    it("show nothing to do in a preview", async () => {
      assert.match(await make("preview", 0), /Resources:\n +\d+ unchanged/);
    });

    it("fail their own sites only while the ssh server is away", async () => {
      await sshd.pause();
      stack.configure(settings({ maxPayload: "512KiB" }));
      const { bergen } = await linkIds(stack);
      const output = await make("up", 2);
      assert.match(output, /Error 3/);
      assert.match(output, /pending, everything else is done: bergen\n/);
      assert.match(output, /Docker engine ssh:\S+: ssh: connect to host 127\.0\.0\.1 .*refused: bring the engine back/);
      assert.match(output, /oslo: up reloads its/);
      assert.deepEqual(await statuses(), { oslo: "proven", bergen: "pending" });
      assert.equal((await linkIds(stack)).bergen, bergen);
    });

    it("are refused by the plain CLI in one clear word while one is away", async () => {
      const { output } = await stack.fails("up", "--yes", "--skip-preview");
      assert.match(output, /make up/);
    });

    it("are caught up with when it is back", async () => {
      await sshd.resume();
      assert.match(await make("up", 0), /bergen: up reloads its/);
      assert.deepEqual(await statuses(), { oslo: "proven", bergen: "proven" });
    });

    it("are told apart from those that refuse this machine, each with one reason and its cure", async () => {
      const others = join(stack.folder, "others-certificates");
      await writeCertificate(others, { role: "site", ca: await newAuthority() });
      stack.configure(settings({ certificates: others, maxPayload: "512KiB" }));
      sshd.forget("known_hosts");
      const [tcp, ssh, ...more] = reasons(await make("preview", 0))
        .sort()
        .reverse();
      assert.match(tcp ?? "", /x/);
      assert.match(ssh ?? "", /x/);
      assert.deepEqual(more, []);
      sshd.remember("known_hosts");
      rmSync(others, { recursive: true });
    });

    it("are removed without a trace", async () => {
      stack.configure(settings({ maxPayload: "512KiB" }));
      const { code, output } = await stack.make("down", { DISCARD: "1" });
      assert.equal(code, 0, output);
      await stack.leftNothing();
      for (const engine of Object.values(engines)) {
        assert.deepEqual(await containers(engine), []);
        assert.deepEqual((await engine.docker.listVolumes()).Volumes, []);
      }
    });
  },
);

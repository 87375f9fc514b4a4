import assert from "node:assert/strict";
import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { RawSettings } from "../../configs/settings";
import { Stack } from "../support/stacks/cli";
import { type Ran } from "../support/stacks/commands";
import { Engine } from "../support/docker/engine";
import { newAuthority, writeCertificate } from "../support/docker/engine-certificates";
import { withDockerPlugin } from "../support/docker/plugin";
import { SshServer } from "../support/docker/ssh-server";
import { arrived, linkIds, publish } from "../support/stacks/traffic";
import { missingEngine } from "../support/stacks/grounds";

// The hub as a process, one site on an engine at tcp:// with TLS on both ends, one on an engine behind a real ssh server.

/** Why it is not available here; never where nothing may be skipped. */
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
    const renewed = () => join(stack.folder, "renewed-certificates");
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
      await stack.remove();
      await sshd.stop();
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
      const { output } = await stack.refusedUp();
      const errors = new Set(output.split("\n").flatMap((line) => /error: (.*)/.exec(line)?.[1] ?? []));
      assert.match(
        [...errors].join("\n"),
        /^\S+ resource 'fleet-check': .*: bergen cannot be worked on: Docker engine ssh:\S+: .*refused: .*; or run 'make up', which .*$/,
      );
    });

    it("are caught up with when it is back, and certificates elsewhere leave the server there alone", async () => {
      const server = async () => {
        const { Id, State } = await engines.oslo.docker.getContainer("nats-remote-oslo").inspect();
        return { Id, started: State.StartedAt, link: (await linkIds(stack)).oslo };
      };
      const before = await server();
      renameSync(engines.oslo.overTcp.certificates, renewed());
      stack.configure(settings({ certificates: renewed(), maxPayload: "512KiB" }));
      await sshd.resume();
      assert.match(
        await make("down", 2),
        /matching certificates: run 'make up' first, which installs them, then 'make down'/,
      );
      assert.match(await make("up", 0), /bergen: up reloads its/);
      assert.deepEqual(await statuses(), { oslo: "proven", bergen: "proven" });
      assert.deepEqual(await server(), before);
    });

    it("are not confused with those that refuse this machine, each with one reason and its cure", async () => {
      const others = join(stack.folder, "others-certificates");
      const ofEngine = readFileSync(join(renewed(), "ca.pem"), "utf8");
      await writeCertificate(others, { role: "site", ca: await newAuthority(), others: ofEngine });
      stack.configure(settings({ certificates: others, maxPayload: "512KiB" }));
      sshd.forget("known_hosts");
      const output = await make("preview", 0);
      sshd.remember("known_hosts");
      assert.match(output, /pending, everything else is done: oslo, bergen\n/);
      const [tcp = "", ssh, ...more] = reasons(output).sort().reverse();
      assert.ok(tcp.startsWith(`Docker engine ${engines.oslo.overTcp.url}: `), tcp);
      // Where the engine hangs up before its reason was read, only that shows.
      assert.match(tcp, /TLS: .* alert .*: give the certificates that match it in 'eng|that the certificates match$/);
      assert.equal(
        ssh,
        `Docker engine ${sshd.url}: Host key verification failed: ` +
          "connect to it once with ssh by hand, check its key and accept it; then it is a known host",
      );
      assert.deepEqual(more, []);
    });

    it("say so when the ssh server lets this user's key not in", async () => {
      stack.configure(settings({ certificates: renewed(), maxPayload: "512KiB" }));
      sshd.forget("authorized_keys");
      const output = await make("preview", 0);
      sshd.remember("authorized_keys");
      assert.deepEqual(reasons(output), [
        `Docker engine ${sshd.url}: root@127.0.0.1: Permission denied (publickey): ` +
          "let this user's ssh log in there: check the agent, the keys, and the user name in 'engine'",
      ]);
    });

    it("are removed without a trace", async () => {
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

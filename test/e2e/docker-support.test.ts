import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import type { ContainerInspectInfo } from "dockerode";
import { Stack } from "../support/stacks/cli";
import { Engine } from "../support/docker/engine";
import type { NatsImages } from "../support/docker/nats-images";
import { withDockerPlugin } from "../support/docker/plugin";
import { until } from "../support/until";

// What the other tests with Docker stand on: engines of their own, and what replaces the official plugin.

const PROGRAM = `
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const labels = [{ label: "made-by", value: pulumi.getStack() }];

const provider = new docker.Provider("engine", { host: config.require("host") });
const network = new docker.Network("network", { name: "net", labels }, { provider });
const volume = new docker.Volume("volume", { name: "data", labels }, { provider });
const image = new docker.RemoteImage("image", { name: config.require("image"), keepLocally: true }, { provider });
const container = new docker.Container("server", {
  name: "server",
  image: image.imageId,
  command: ["-m", "8222"],
  user: "1000:1000",
  envs: ["A=b"],
  readOnly: true,
  init: true,
  tmpfs: { "/tmp": "size=1m" },
  restart: config.get("restart") ?? "always",
  stopSignal: "SIGTERM",
  stopTimeout: 5,
  destroyGraceSeconds: 5,
  memory: 64,
  memorySwap: 64,
  cpus: "0.5",
  logDriver: "json-file",
  logOpts: { "max-size": "1m", "max-file": "2" },
  capabilities: { drops: ["ALL"] },
  securityOpts: ["no-new-privileges"],
  healthcheck: { tests: ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8222/healthz"], interval: "1s" },
  labels,
  networksAdvanced: [{ name: network.name, aliases: ["here", "there"] }],
  ports: [{ internal: 8222, ip: "127.0.0.1" }, { internal: 4222, ip: "127.0.0.1" }],
  mounts: [{ type: "volume", source: volume.name, target: "/data" }],
  hosts: [{ host: "elsewhere", ip: "192.0.2.1" }],
  start: config.requireBoolean("run"),
  mustRun: config.requireBoolean("run"),
  ...config.requireObject("more"),
}, { provider });

export const id = container.id;
export const networks = container.networkDatas;

const second = config.get("second");
if (second !== undefined) {
  const provider = new docker.Provider("second-engine", { host: second });
  new docker.Network("second-network", { name: "net" }, { provider });
}
`;

const NAMESPACE = "dockers";

function project(): string {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "nhl-docker-program-")));
  const write = (file: string, text: string) => fs.writeFileSync(path.join(folder, file), text);
  write("Pulumi.yaml", `name: ${NAMESPACE}\nruntime: nodejs\nbackend:\n  url: file://./.state?create_dir=true\n`);
  write("package.json", JSON.stringify({ name: NAMESPACE }));
  write(
    "tsconfig.json",
    JSON.stringify({ compilerOptions: { module: "commonjs", moduleResolution: "node", noCheck: true } }),
  );
  write("index.ts", PROGRAM);
  fs.symlinkSync(path.resolve(__dirname, "../../node_modules"), path.join(folder, "node_modules"));
  withDockerPlugin(folder);
  return folder;
}

/** Tests in a process of their own, which have claimed a place for an engine. */
async function settler(): Promise<{ folder: string; end: (signal: NodeJS.Signals) => Promise<unknown> }> {
  const command = ["--pdeathsig", "TERM", process.execPath, "--require", "ts-node/register/transpile-only"];
  const child = spawn("setpriv", [...command, "--eval", SETTLER], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TERRITORY: path.resolve(__dirname, "../support/docker/territory") },
  });
  child.unref();
  const ended = once(child, "exit").then(([code]) => code as unknown);
  const folder = (await text(child.stdout)).trim();
  assert.notEqual(folder, "", "it could not settle");
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    return await ended;
  };
  return { folder, end };
}

const SETTLER = `
const { Territory } = require(process.env.TERRITORY);
Territory.claim().then((territory) => {
  process.stdout.end(territory.folder);
  process.once("SIGTERM", () => territory.leave().then(() => process.exit()));
  setInterval(() => undefined, 1000);
});
`;

const reason = Engine.unavailable();
const suite = reason === undefined ? describe : describe.skip;

suite(`Docker engines and the plugin in the tests${reason === undefined ? "" : ` (skipped: ${reason})`}`, () => {
  let engine: Engine;
  let second: Engine;
  let images: NatsImages;
  let next: NatsImages;
  let folder: string;
  let stack: Stack;
  let settings: Record<string, unknown>;

  const change = (changed: Record<string, unknown>) => stack.configure({ ...settings, ...changed });
  const settle = (changed: Record<string, unknown>) => stack.configure((settings = { ...settings, ...changed }));
  const server = (): Promise<ContainerInspectInfo> => engine.docker.getContainer("server").inspect();
  const isGone = (what: Promise<unknown>) => assert.rejects(what, /no such/i);

  before(async () => {
    [engine, second] = await Promise.all([Engine.start("main"), Engine.start("second")]);
    images = await engine.loadNatsImage();
    next = await engine.loadNatsImage("-next");
    folder = project();
    settings = { host: engine.url, image: images.alpine, run: false, more: {} };
    stack = await Stack.create("main", settings, { folder, namespace: NAMESPACE });
  });
  after(async () => {
    await stack.remove();
    fs.rmSync(folder, { recursive: true });
    await Promise.all([engine.stop(), second.stop()]);
  });

  it("create a container, which is not started", async () => {
    await stack.up();
    const { State, Config, HostConfig, NetworkSettings } = await server();
    assert.equal(State.Status, "created");
    assert.deepEqual(
      [Config.User, HostConfig.RestartPolicy?.Name, HostConfig.Memory, HostConfig.NanoCpus, HostConfig.Init],
      ["1000:1000", "always", 64 * 2 ** 20, 5e8, true],
    );
    assert.deepEqual(Object.keys(NetworkSettings.Networks), ["net"]);
  });

  it("find nothing to do after that", async () => {
    await stack.succeeds("preview", "--refresh", "--expect-no-changes");
  });

  it("publish on this machine, and on the container's own network", async () => {
    const { Id } = await server();
    await engine.docker.getContainer(Id).start();
    const { NetworkSettings } = await server();
    const port = NetworkSettings.Ports["8222/tcp"]?.[0]?.HostPort;
    const answer = await until("the server answers", () =>
      fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(5_000) }),
    );
    assert.equal(answer.status, 200);
    await until("it is healthy", async () => (await server()).State.Health?.Status === "healthy");

    // A container that runs on: engines of this age can miss the end of one that is over at once, and wait forever.
    const peer = await engine.docker.createContainer({ Image: images.alpine, HostConfig: { NetworkMode: "net" } });
    await peer.start();
    await until("it is reached by its alias", async () => {
      const command = ["timeout", "5", "wget", "-q", "-O", "-", "http://there:8222/healthz"];
      const exec = await peer.exec({ Cmd: command, AttachStdout: true });
      return (await text(await exec.start({}))).includes('"status":"ok"');
    });
    await peer.remove({ force: true });
  });

  it("leave alone whether it runs", async () => {
    await stack.succeeds("preview", "--refresh", "--expect-no-changes");
    await engine.docker.getContainer("server").stop();
    await stack.succeeds("preview", "--refresh", "--expect-no-changes");
  });

  it("make a removed container anew", async () => {
    const before = await server();
    await engine.docker.getContainer("server").remove();
    await stack.up("--refresh");
    const after = await server();
    assert.notEqual(after.Id, before.Id);
  });

  it("change the restart policy in place", async () => {
    const before = await server();
    settle({ restart: "unless-stopped" });
    await stack.up();
    const after = await server();
    assert.deepEqual([after.Id, after.HostConfig.RestartPolicy?.Name], [before.Id, "unless-stopped"]);
  });

  it("replace the container when its image changes", async () => {
    const before = await server();
    settle({ image: next.alpine });
    await stack.up();
    const after = await server();
    assert.notEqual(after.Id, before.Id);
    assert.equal(after.Image, (await engine.docker.getImage(next.alpine).inspect()).Id);
    await stack.isClean();
  });

  it("keep a container running that must run", async () => {
    settle({ run: true });
    await stack.up();
    const started = await server();
    assert.equal(started.State.Running, true);

    await engine.docker.getContainer("server").stop();
    await stack.up("--refresh");
    const again = await server();
    assert.equal(again.State.Running, true);
    // That of one that publishes nothing is started in place.
    assert.notEqual(again.Id, started.Id);
  });

  it("refuse inputs that they do not know", async () => {
    change({ more: { privileged: true, healthcheck: { tests: ["NONE"], speed: 1 } } });
    const { output } = await stack.fails("preview");
    assert.match(output, /unexpected input 'privileged'/);
    assert.match(output, /unexpected input 'healthcheck.speed'/);
    change({});
  });

  it("say why an image cannot be pulled", async () => {
    change({ image: "127.0.0.1:1/nats:none" });
    const { output } = await stack.refusedUp();
    assert.match(output, /unable to pull image 127\.0\.0\.1:1\/nats:none: .*connection refused/);
    change({});
  });

  it("serve two engines in one program", async () => {
    settle({ second: second.url, restart: "always" });
    await stack.up();
    const networks = await Promise.all([engine, second].map(({ docker }) => docker.getNetwork("net").inspect()));
    assert.notEqual(networks[0]?.Id, networks[1]?.Id);
  });

  it("bring back, after an engine was away, what always runs", async () => {
    const before = await server();
    await engine.pause();
    const { output } = await stack.fails("refresh", "--yes");
    assert.match(output, /failed to connect to any docker daemon/);
    await engine.resume();
    const after = await server();
    assert.deepEqual([after.Id, after.State.Running], [before.Id, true]);
  });

  it("share the machine with tests that were killed, and with others that start at once", async () => {
    const killed = await Promise.all([settler(), settler()]);
    for (const { folder, end } of killed) {
      fs.writeFileSync(path.join(folder, "left"), "");
      await end("SIGKILL");
    }
    const settled = await Promise.all([settler(), settler(), settler()]);
    assert.equal(new Set(settled.map(({ folder }) => folder)).size, settled.length);
    for (const { folder, end } of settled) {
      assert.deepEqual(fs.readdirSync(folder), []);
      assert.equal(await end("SIGTERM"), 0);
    }
  });

  it("leave nothing behind", async () => {
    await stack.succeeds("destroy", "--yes", "--skip-preview");
    await isGone(server());
    await isGone(engine.docker.getVolume("data").inspect());
    for (const { docker } of [engine, second]) await isGone(docker.getNetwork("net").inspect());
  });

  it("fail like the official plugin when a name is taken", async () => {
    await engine.docker.createNetwork({ Name: "net" });
    await engine.docker.createVolume({ Name: "data" });
    await engine.docker.createContainer({ name: "server", Image: images.plain });
    const first = await stack.refusedUp();
    assert.match(first.output, /Unable to create network: Error response from daemon: network with name net already/);
    await engine.docker.getNetwork("net").remove();
    const second = await stack.refusedUp();
    assert.match(second.output, /Unable to create container: .*Conflict\. The container name "\/server" is already in/);
  });
});

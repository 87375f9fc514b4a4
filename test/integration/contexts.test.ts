import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { contextsOf, exampleCommands } from "../../views/outputs/contexts";
import { snippetsOf } from "../../views/outputs/snippets";
import { writeContexts } from "../../commands/state/context-files";
import { deployedOf } from "../support/stacks/deployed";
import { TestFleet } from "../support/fleets/fleet";
import { describeWith, tool } from "../support/tools";
import { until } from "../support/until";

const execute = promisify(execFile);
const ROOT = resolve(__dirname, "../..");

describeWith(["nats"], "the nats CLI with contexts", () => {
  let fleet: TestFleet;
  let home: string;
  const env = () => ({ ...process.env, XDG_CONFIG_HOME: home, HOME: home });
  const write = (folder = home) => {
    const deployed = deployedOf(fleet);
    const contexts = contextsOf(deployed.fleet, "test");
    writeContexts(deployed, contexts, "test", ROOT, { XDG_CONFIG_HOME: folder });
    return contexts;
  };
  /** Both streams; the CLI says some things on standard error. */
  const nats = async (context: string, ...args: string[]): Promise<string> => {
    const { stdout, stderr } = await execute(tool("nats"), ["--context", context, "--timeout", "5s", ...args], {
      env: env(),
    });
    return `${stdout}${stderr}`;
  };
  const infoOf = async (context: string, stream: string) =>
    JSON.parse(await nats(context, "stream", "info", stream, "--json")) as {
      config: { name: string; sources?: unknown[] };
      state: { messages: number };
    };

  before(async () => {
    home = mkdtempSync(join(tmpdir(), "nats-hub-leaf-contexts-"));
    fleet = await TestFleet.deploy({
      sites: [{ name: "oslo" }, { name: "tromso", reach: "hub" }],
      streams: [
        { name: "EVENTS", subjects: ["events.>"], maxBytes: "32MiB", collect: { maxBytes: "32MiB" } },
        { name: "ALL", subjects: ["all.>"], maxBytes: "32MiB", collect: { mode: "merged", maxBytes: "32MiB" } },
      ],
    });
    write();
  });
  after(async () => {
    await fleet?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it("lists all of them, and loads each", async () => {
    const { stdout } = await execute(tool("nats"), ["context", "ls", "--names"], { env: env() });
    const names = contextsOf(deployedOf(fleet).fleet, "test").map(({ name }) => name);
    assert.deepEqual(stdout.trim().split("\n").sort(), names.sort());
  });

  it("publishes as an application, and reads at the hub what was collected", async () => {
    assert.match(await nats("test-oslo", "pub", "events.a", "from the CLI", "--jetstream"), /Stored in Stream: EVENTS/);
    await until("it is collected", async () => (await fleet.collected("oslo")).state.messages === 1);
    assert.match(await nats("test-oslo.hub", "stream", "get", "EVENTS", "--last-for", "events.a"), /from the CLI/);
  });

  it("asks a service of the site", async () => {
    const service = await fleet.application("oslo");
    service.subscribe("help", { callback: (_error, message) => void message.respond("coming") });
    await service.flush();
    assert.match(await nats("test-oslo", "req", "help", "me"), /coming/);
  });

  it("sees the site's stream as its operator, and the hub's", async () => {
    assert.equal((await infoOf("test-oslo.operator", "EVENTS")).config.sources, undefined);
    assert.equal((await infoOf("test-oslo.hub-operator", "EVENTS")).config.sources?.length, 1);
  });

  it("sees the stream of a site that is reached through the hub over its domain", async () => {
    const { config } = await infoOf("test-tromso.operator", "EVENTS");
    assert.deepEqual([config.name, config.sources], ["EVENTS", undefined]);
  });

  it("reads what the hub collected of all sites", async () => {
    await nats("test-oslo", "pub", "all.b", "for all", "--jetstream");
    await until("it is collected", async () => (await infoOf("test-hub", "ALL")).state.messages === 1);
    assert.match(await nats("test-hub", "stream", "get", "ALL", "--last-for", "oslo.all.b"), /for all/);
  });

  it("sees the links of the hub", async () => {
    const answer = await nats("test-hub.system", "server", "request", "leafnodes");
    assert.match(answer, /"name": ?"oslo"/);
  });

  it("sees the link from the site's end, at the site's own server", async () => {
    const { url } = fleet.site("oslo");
    const answer = await nats("test-hub.system", "--server", url, "server", "request", "leafnodes");
    assert.match(answer, /"name": ?"hub"/);
  });

  it("is refused with an application's key at the hub", async () => {
    await assert.rejects(
      nats("test-oslo", "--server", fleet.hub.url, "pub", "events.a", "x"),
      /Authorization Violation/,
    );
  });

  it("runs the commands that are printed as examples", async () => {
    const commands = exampleCommands(deployedOf(fleet).fleet, write());
    assert.equal(commands.length, 3);
    for (const command of commands) {
      const [program, ...args] = command.split(" ");
      assert.equal(program, "nats");
      // What was published a moment ago is on its way.
      await until(command, () => execute(tool("nats"), args, { env: env() }));
    }
  });

  const RUNS = {
    sh: { programs: [], run: (file: string) => ["sh", file] },
    ts: {
      programs: [],
      run: (file: string) => [process.execPath, join(ROOT, "node_modules/ts-node/dist/bin.js"), file],
    },
    // The module of the nats CLI has the library, too, and pins it.
    go: {
      programs: ["go"],
      run: (file: string) => ["go", "-C", join(ROOT, "commands/toolchain/go/nats-cli"), "run", file],
    },
  } as const;
  const PRINTED: Record<string, keyof typeof RUNS> = {
    "nats CLI": "sh",
    "TypeScript (npm packages @nats-io/transport-node and @nats-io/jetstream)": "ts",
    "TypeScript (npm package nats, 2.x)": "ts",
    "Go (module github.com/nats-io/nats.go)": "go",
  };
  for (const [printed, language] of Object.entries(PRINTED)) {
    const { programs, run } = RUNS[language];
    describeWith(programs, `beside it, the printed snippet (${printed})`, function () {
      this.timeout(120_000);
      let folder: string;
      // Inside the checkout, where the packages are found.
      before(() => (folder = mkdtempSync(join(ROOT, "test", ".snippet-"))));
      after(() => rmSync(folder, { recursive: true, force: true }));

      it("stores a message from the site", async () => {
        const { fleet: deployed } = deployedOf(fleet);
        const { text } = snippetsOf(deployed, deployed.sites[0]!).find(({ title }) => title === printed)!;
        const [file, seedFile] = [join(folder, `main.${language}`), join(folder, "application.nk")];
        writeFileSync(file, text);
        writeFileSync(seedFile, `${fleet.site("oslo").seeds.application}\n`, { mode: 0o600 });
        const lastSeq = async () => (await (await fleet.atSite("oslo")).stream("EVENTS"))!.state.last_seq;
        const before = await lastSeq();
        const [program, ...args] = run(file);
        const PATH = `${dirname(tool("nats"))}:${process.env.PATH}`;
        const given = { ...process.env, XDG_CONFIG_HOME: home, PATH, NATS_SEED_FILE: seedFile };
        await execute(program!, args, { env: given, cwd: ROOT });
        assert.equal(await lastSeq(), before + 1);
      });
    });
  }
});

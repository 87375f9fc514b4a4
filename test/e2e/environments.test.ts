import assert from "node:assert/strict";
import * as fs from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type { RawSettings } from "../../configs/settings";
import { Stack } from "../support/stacks/cli";
import { type Ran, succeeded } from "../support/stacks/commands";
import { killAll, pidOf, reservedPorts, serversOf } from "../support/stacks/servers";
import { publish } from "../support/stacks/traffic";
import { exampleFile, exampleSettings } from "../support/stacks/examples";
import { type SharedState, sharedState } from "../support/stacks/shared-state";
import { until } from "../support/until";
import { isOfPassphrase } from "../../commands/stack/passphrase";

// Environments: a protected stack, sites from a table, a state that checkouts share, new stacks.

const streams = [{ name: "EVENTS", subjects: ["events.>"] }];
const refusedBy = (ran: Ran): string => {
  assert.notEqual(ran.code, 0, `'${ran.command}' succeeded:\n${ran.output}`);
  return ran.output;
};

// examples/csv
describe("a protected stack whose sites stand in a table", () => {
  let stack: Stack;
  const CONFIRM = "prod-like";
  const table = (...lines: string[]): void =>
    fs.writeFileSync(
      path.join(stack.folder, "sites.csv"),
      `\uFEFF${["name,quota,rotation", ...lines, ""].join("\r\n")}`,
    );
  const protectedNames = async (): Promise<string[]> =>
    ((await stack.exported()).deployment.resources ?? [])
      .filter(({ protect }) => protect === true)
      .map(({ urn }) => urn.split("::").at(-1) ?? "")
      .sort();
  const OF_HUB = ["hub-identity", "hub-server"];
  const of = (site: string): string[] => [`${site}-identity`, `${site}-server`, `${site}-streams`];
  const pids = (): number[] => ["hub", "oslo", "bergen"].map((server) => pidOf(stack.fleet, server));

  before(async () => {
    stack = await Stack.create(CONFIRM, exampleSettings("csv"));
    fs.writeFileSync(path.join(stack.folder, "sites.csv"), exampleFile("csv/sites.csv"));
  });
  after(() => stack.remove());

  it("names a mistake of the table by line and column, in `make plan`", async () => {
    table("oslo,,0", "bergen,many,0");
    assert.match(refusedBy(await stack.makeWith("plan", {})), /sites\.csv line 3, column quota: 'many' is not a size/);
    fs.writeFileSync(path.join(stack.folder, "sites.csv"), exampleFile("csv/sites.csv"));
  });

  it("is not made by `make up` without its name, nor with another", async () => {
    const other = refusedBy(await stack.make("up", { CONFIRM: "staging" }));
    assert.match(
      other,
      /it is protected, .*\(CONFIRM=staging names another\): make up STACK=prod-like CONFIRM=prod-like/,
    );
    assert.deepEqual(serversOf(stack.fleet), []);
    assert.deepEqual(await stack.resources(), []);
  });

  it("is made with its name, and the state protects exactly what holds data or keys", async () => {
    const { output } = succeeded(await stack.make("up", { CONFIRM }));
    assert.match(output, /oslo .*proven/);
    assert.match(output, /bergen .*proven/);
    assert.deepEqual(await protectedNames(), [...of("bergen"), ...OF_HUB, ...of("oslo")]);
  });

  it("rotates a key like any other: the link that is replaced is not protected", async () => {
    const before = (await stack.seedsInState()).oslo?.link;
    const running = pids();
    table("oslo,,1", "bergen,3GiB,0");
    assert.match(succeeded(await stack.make("up", { CONFIRM })).output, /oslo .*proven/);
    assert.notEqual((await stack.seedsInState()).oslo?.link, before);
    assert.deepEqual(pids(), running);
  });

  it("is not torn down while messages would be lost, and stays protected then", async () => {
    await publish(await stack.applicationOf("oslo"), "oslo");
    const running = pids();
    assert.match(
      refusedBy(await stack.make("down")),
      /it is protected, and 'make down' changes it only with its name in CONFIRM/,
    );
    assert.match(
      refusedBy(await stack.make("down", { CONFIRM })),
      /destroy would lose messages:[^]*hub: stream OSLO\/EVENTS holds 20 collected messages/,
    );
    assert.deepEqual(await protectedNames(), [...of("bergen"), ...OF_HUB, ...of("oslo")]);
    assert.deepEqual(pids(), running);
  });

  it("is not torn down by the plain CLI, whatever may be discarded", async () => {
    const running = pids();
    const ran = await stack.run(["destroy", "--yes"], { DISCARD: "1" });
    assert.match(refusedBy(ran), /cannot be deleted\s+because it is protected/);
    assert.deepEqual(pids(), running);
  });

  it("keeps a site that left its table until it is named, and says how in a preview that goes through", async () => {
    table("bergen,3GiB,0");
    const words = /no longer have site oslo, .* make up STACK=prod-like CONFIRM=prod-like REMOVE=oslo/;
    assert.match(refusedBy(await stack.make("up", { CONFIRM })), words);
    const { output } = succeeded(await stack.make("preview"));
    assert.match(output, /site oslo is protected: 'make up' removes it only with REMOVE=oslo/);
    assert.match(output, /oslo-identity delete/);
    const report = succeeded(await stack.makeWith("preview-report", {})).stdout;
    assert.match(report, /1 site removed\n\n.*`make up STACK=prod-like CONFIRM=prod-like REMOVE=oslo`/);
  });

  it("keeps a named site while the guard refuses", async () => {
    process.kill(pidOf(stack.fleet, "hub"), "SIGKILL");
    const oslo = pidOf(stack.fleet, "oslo");
    const output = refusedBy(await stack.make("up", { CONFIRM, REMOVE: "oslo" }));
    assert.match(output, /oslo cannot be removed: its streams cannot be read/);
    assert.equal(pidOf(stack.fleet, "oslo"), oslo);
    assert.deepEqual(await protectedNames(), [...of("bergen"), ...OF_HUB, ...of("oslo")]);
  });

  it("loses the named site and nothing else, and keeps what the hub collected of it", async () => {
    succeeded(await stack.make("up", { CONFIRM, REMOVE: "oslo", DISCARD: "oslo" }));
    assert.deepEqual(await protectedNames(), [...of("bergen"), ...OF_HUB]);
    assert.equal(fs.existsSync(path.join(stack.fleet, "sites/oslo")), false);
    const kept = await stack.run(["destroy", "--yes", "--skip-preview", "--ignore-protect"]);
    assert.match(refusedBy(kept), /hub: stream OSLO\/EVENTS holds 20 collected messages/);
  });

  it("is torn down with its name and the permission to lose what it holds", async () => {
    succeeded(await stack.make("down", { CONFIRM, DISCARD: "1" }));
    await stack.leftNothing();
    assert.equal(stack.exists(), false);
  });
});

describe("a stack whose file says where its state is", () => {
  let shared: SharedState;
  let [here, there]: Stack[] = [];
  let fleet: string;
  let settings: RawSettings;

  before(async function () {
    // The first time the S3-compatible server is built.
    this.timeout("5m");
    fleet = fs.mkdtempSync(path.join(os.tmpdir(), "nhl-shared-fleet-"));
    shared = await sharedState();
    console.log(`    its state is in ${shared.what}`);
    // Processes are known in their folder: checkouts that share a stack of processes name the same one.
    settings = { state: shared.url, dataFolder: fleet, sites: [{ name: "oslo" }], streams, probes: { burst: "0B" } };
    const options = { env: { ...shared.env, PULUMI_BACKEND_URL: shared.url }, passphrase: "of both" };
    here = await Stack.create("shared", settings, options);
    there = await Stack.copyOf(here, options);
  });
  after(async () => {
    killAll(serversOf(fleet));
    for (const { file } of reservedPorts(fleet)) fs.rmSync(file, { force: true });
    try {
      await here?.remove();
      await there?.remove();
    } finally {
      shared?.close();
      fs.rmSync(fleet, { recursive: true, force: true });
    }
  });

  /** `make` alone knows the backend, from the file. */
  const make = (stack: Stack, target: string, args: readonly string[] = []): Promise<Ran> =>
    stack.startMake(target, { PULUMI_BACKEND_URL: undefined }, args).ended;

  it("is deployed by `make up`, with its state there and none in the checkout", async () => {
    assert.match(succeeded(await make(here!, "up")).output, /oslo .*proven/);
    assert.equal(fs.existsSync(here!.stateFolder), false);
    const files = await shared.files();
    assert.ok(files.includes(".pulumi/stacks/nats-hub-leaf/shared.json.gz"), files.join(" "));
  });

  it("is the same in another checkout: nothing to change", async () => {
    succeeded(await make(there!, "preview", ["--expect-no-changes"]));
  });

  it("is the same for the plain CLI after the line of `make env`", async () => {
    const line = `eval "$(make -s env STACK=shared)"; exec ${here!.binary} preview --expect-no-changes --stack shared --non-interactive`;
    succeeded(await here!.shell(line, { PULUMI_BACKEND_URL: undefined }));
  });

  it("is refused by an environment that names another backend", async () => {
    const ran = await here!.startMake("preview", { PULUMI_BACKEND_URL: "file://." }).ended;
    assert.match(refusedBy(ran), /its state is at .*, but PULUMI_BACKEND_URL names another backend; unset/);
  });

  it("is changed by one checkout at a time: the state is locked", async () => {
    here!.configure({ ...settings, hub: { maxPayload: "2MiB" } });
    const first = here!.startMake("up", { PULUMI_BACKEND_URL: undefined });
    const isLocked = async (): Promise<boolean> => (await shared.files()).some((name) => /locks\/.*\.json/.test(name));
    // Stopped while it has the lock: on a busy machine it would be done before the second one asks.
    const group = -first.child.pid!;
    await until("it is stopped with the lock", async () => {
      if (!(await isLocked())) return false;
      process.kill(group, "SIGSTOP");
      if (await isLocked()) return true;
      process.kill(group, "SIGCONT");
      return false;
    });
    const second = await make(there!, "up").finally(() => process.kill(group, "SIGCONT"));
    succeeded(await first.ended);
    assert.match(refusedBy(second), /locked by 1 lock|held by .* still runs/);
  });

  it("is torn down from the other checkout", async () => {
    there!.configure(settings);
    succeeded(await make(there!, "down"));
    assert.deepEqual(serversOf(fleet), []);
    assert.deepEqual(await here!.resources(), []);
  });
});

describe("a new environment", () => {
  let project: Stack;
  let vault: ReturnType<typeof createServer>;
  const file = (stack: string): string => path.join(project.folder, `Pulumi.${stack}.yaml`);
  const text = (stack: string): string => fs.readFileSync(file(stack), "utf8");
  const makeStack = (variables: Record<string, string>, env: NodeJS.ProcessEnv = {}): Promise<Ran> =>
    project.shell(
      `make -s stack ${Object.entries(variables)
        .map(([k, v]) => `${k}='${v}'`)
        .join(" ")}`,
      env,
    );

  before(async () => {
    project = await Stack.create("other", {});
    // Stands for a key service: the CLI asks it to encrypt and to decrypt the stack's own key.
    vault = createServer((request, response) => {
      let body = "";
      request.on("data", (part: Buffer) => (body += part.toString()));
      request.on("end", () => {
        const { plaintext, ciphertext } = JSON.parse(body) as { plaintext?: string; ciphertext?: string };
        const data =
          plaintext === undefined ? { plaintext: ciphertext?.slice(9) } : { ciphertext: `vault:v1:${plaintext}` };
        response.setHeader("content-type", "application/json").end(JSON.stringify({ data }));
      });
    });
    await new Promise<void>((resolve) => vault.listen(0, "127.0.0.1", resolve));
  });
  after(async () => {
    vault.close();
    await project.remove();
  });

  it("is one command: its file, with the salt of its passphrase, and its stack", async () => {
    const { output } = succeeded(await makeStack({ STACK: "qa" }));
    assert.match(output, /Pulumi\.qa\.yaml: written\n.*stack 'qa': created\. Commit Pulumi\.qa\.yaml/s);
    assert.match(
      text("qa"),
      /^# Environment 'qa'.*\n# yaml-language-server: .*\nconfig:\n[^]*\nencryptionsalt: v1:\S+\n$/,
    );
    assert.match(succeeded(await project.run(["stack", "ls"])).output, /\bqa\b/);
  });

  it("is never made over one that is there", async () => {
    const before = text("qa");
    assert.match(refusedBy(await makeStack({ STACK: "qa" })), /stack 'qa': already exists; nothing to create/);
    assert.equal(text("qa"), before);
  });

  it("is finished by the same command when it was interrupted, before or after its stack was made", async () => {
    const made = text("qa");
    const salt = /^encryptionsalt: .*\n/m;
    fs.writeFileSync(file("qa"), made.replace(salt, ""));
    succeeded(await makeStack({ STACK: "qa" }));
    assert.equal(salt.exec(text("qa"))?.[0], salt.exec(made)?.[0]);
    succeeded(await project.shell(`${project.binary} stack rm qa --yes --preserve-config`));
    const again = succeeded(await makeStack({ STACK: "qa" }));
    assert.match(again.output, /Pulumi\.qa\.yaml: already exists and stays as it is/);
    assert.equal(salt.exec(text("qa"))?.[0], salt.exec(made)?.[0]);
  });

  it("may begin as a copy of another, with a key service instead of a passphrase", async () => {
    const env = {
      PULUMI_CONFIG_PASSPHRASE: undefined,
      VAULT_SERVER_URL: `http://127.0.0.1:${(vault.address() as AddressInfo).port}`,
      VAULT_SERVER_TOKEN: "none",
    };
    succeeded(await makeStack({ STACK: "lab", FROM: "qa", SECRETS_PROVIDER: "hashivault://fleet" }, env));
    assert.match(text("lab"), /^# Environment 'lab', created as a copy of 'qa'\.\n# Environment 'qa'/);
    assert.match(text("lab"), /^secretsprovider: hashivault:\/\/fleet$/m);
    assert.match(text("lab"), /^encryptedkey: \S+$/m);
    assert.doesNotMatch(text("lab"), /encryptionsalt/);
  });

  it("keeps the key service of its file when the first `make` makes the stack, and has no passphrase to judge", async () => {
    const env = {
      PULUMI_CONFIG_PASSPHRASE: "",
      VAULT_SERVER_URL: `http://127.0.0.1:${(vault.address() as AddressInfo).port}`,
      VAULT_SERVER_TOKEN: "none",
    };
    fs.writeFileSync(
      file("kms"),
      "secretsprovider: hashivault://fleet\nconfig:\n  nats-hub-leaf:hub: { host: 0.0.0.0 }\n",
    );
    succeeded(await project.shell("make -s preview STACK=kms", env));
    assert.match(text("kms"), /^secretsprovider: hashivault:\/\/fleet$/m);
    assert.doesNotMatch(text("kms"), /encryptionsalt/);
  });

  it("is not made with an empty passphrase", async () => {
    const ran = await makeStack({ STACK: "open" }, { PULUMI_CONFIG_PASSPHRASE: "" });
    assert.match(refusedBy(ran), /stack 'open': the passphrase is empty, which protects nothing/);
    assert.equal(fs.existsSync(file("open")), false);
  });

  it("is not made with an empty passphrase by `make up` either", async () => {
    const before = "config:\n  nats-hub-leaf:sites: []\n";
    fs.writeFileSync(file("open"), before);
    const ran = await project.shell('eval "$(make -s env)"; make -s up STACK=open', {
      PULUMI_CONFIG_PASSPHRASE: undefined,
    });
    assert.match(refusedBy(ran), /stack 'open': the passphrase is empty, which protects nothing/);
    assert.equal(text("open"), before);
    assert.doesNotMatch(succeeded(await project.run(["stack", "ls"])).output, /\bopen\b/);
  });

  it("is encrypted with the passphrase in the file, also in a shell that was readied for dev", async () => {
    fs.writeFileSync(path.join(project.folder, "closed.passphrase"), "a good one\n");
    const closed = 'eval "$(make -s env)"; export PULUMI_CONFIG_PASSPHRASE_FILE=closed.passphrase';
    const env = { PULUMI_CONFIG_PASSPHRASE: undefined };
    succeeded(await project.shell(`${closed}; make -s stack STACK=closed`, env));
    assert.equal(isOfPassphrase(/^encryptionsalt: (.*)$/m.exec(text("closed"))![1]!, ""), false);
    const plain = `${project.binary} config set --secret --stack closed other:word x --non-interactive`;
    succeeded(await project.shell(`${closed}; eval "$(make -s env STACK=closed)"; ${plain}`, env));
  });
});

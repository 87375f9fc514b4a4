import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { endLeftBehind, livingOwners, readLocks, type LockOwner } from "../../../../commands/stack/dead-run";
import { leftBehind, readProcesses, type ProcessRow } from "../../../../commands/stack/cli-processes";

const HOST = "here";
const owner = (pid: number, hostname = HOST): LockOwner => ({
  pid,
  hostname,
  username: "ann",
  timestamp: "2026-11-22T18:19:54Z",
});

/** Runs a process that lives until the work is done. `name` is what it shows in a process list. */
async function withProcess(name: string, work: (pid: number, folder: string) => Promise<void>): Promise<void> {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-process-")));
  const program = path.join(folder, name);
  fs.symlinkSync("/bin/sleep", program);
  const child = spawn(program, ["60"], { cwd: folder, stdio: "ignore" });
  try {
    await once(child, "spawn");
    await work(child.pid!, folder);
  } finally {
    child.kill("SIGKILL");
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

describe("a stack's lock", () => {
  it("is read from the files that the CLI wrote, not from what lies beside them", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-locks-"));
    try {
      fs.writeFileSync(path.join(folder, "1.json"), JSON.stringify(owner(7)));
      fs.writeFileSync(path.join(folder, "1.json.attrs"), "{}");
      assert.deepEqual(readLocks(folder), [owner(7)]);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });

  it("is none when no run ever held the stack", () => {
    assert.deepEqual(readLocks("/nowhere"), []);
  });

  it("is in force while its owner runs", async () => {
    await withProcess("pulumi", async (pid) => {
      const [reason] = await livingOwners([owner(pid)], HOST);
      assert.match(reason ?? "", new RegExp(`^it is held by ann@here \\(process ${pid}\\) .*, which still runs`));
    });
  });

  it("is dead when its owner is gone", async () => {
    let pid = 0;
    await withProcess("pulumi", async (id) => void (pid = id));
    const deadline = Date.now() + 5_000;
    while (fs.existsSync(`/proc/${pid}`) && Date.now() < deadline) await new Promise((next) => setTimeout(next, 10));
    assert.deepEqual(await livingOwners([owner(pid)], HOST), []);
  });

  it("is dead when its owner's number belongs to another program now", async () => {
    await withProcess("editor", async (pid) => assert.deepEqual(await livingOwners([owner(pid)], HOST), []));
  });

  it("is never judged for another machine", async () => {
    const [reason] = await livingOwners([owner(1, "elsewhere")], HOST);
    assert.match(reason ?? "", /on another machine; .*npx pulumi cancel$/);
  });
});

describe("what a killed Pulumi CLI leaves running", () => {
  const FOLDER = "/project";
  const row = (pid: number, parent: number, commandLine: string, folder = FOLDER): ProcessRow => ({
    pid,
    parent,
    folder,
    commandLine: commandLine.replaceAll(" ", "\0"),
  });
  const CLI = "/home/ann/.pulumi/versions/3.259.0/bin/pulumi up --yes";
  const HOST_OF_PROVIDERS = "/bin/sh /p/bin/pulumi-resource-pulumi-nodejs 127.0.0.1:1";
  const PROVIDER = "node /project/node_modules/@pulumi/pulumi/cmd/dynamic-provider/index.js 127.0.0.1:1";
  const pids = (rows: ProcessRow[]): number[] => leftBehind(rows, FOLDER).map(({ pid }) => pid);

  it("is its language host and its dynamic providers", () => {
    const host = row(2, 1, "/p/bin/pulumi-language-nodejs 127.0.0.1:1");
    assert.deepEqual(pids([host, row(3, 1, HOST_OF_PROVIDERS), row(4, 3, PROVIDER)]), [2, 3, 4]);
  });

  it("is nothing that belongs to a CLI that lives", () => {
    assert.deepEqual(pids([row(2, 1, CLI), row(3, 2, HOST_OF_PROVIDERS), row(4, 3, PROVIDER)]), []);
  });

  it("is nothing of another project", () => {
    assert.deepEqual(pids([row(3, 1, HOST_OF_PROVIDERS, "/other")]), []);
  });

  it("is never a server of the stack", () => {
    assert.deepEqual(pids([row(3, 1, "/p/nats-server/2.15.2/nats-server -c /project/hub.conf")]), []);
  });

  it("is ended", async function () {
    if (readProcesses().length === 0) return this.skip();
    await withProcess("pulumi-resource-pulumi-nodejs", async (pid, folder) => {
      const said: string[] = [];
      await endLeftBehind(folder, (line) => said.push(line));
      assert.deepEqual(said, [`stopping what the killed run left running: process ${pid}`]);
      assert.deepEqual(leftBehind(readProcesses(), folder), []);
    });
  });
});

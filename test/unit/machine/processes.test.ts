import assert from "node:assert/strict";
import { ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { findProcess, recordedProcess, startProcess, stopProcess } from "../../../machine/processes";
import { inTempFolder } from "../providers/temp-folder";

interface Record {
  pid: number;
  bootId: string;
  startTime: string;
  command: string[];
}

/**
 * A process whose command line looks like a server's, `<binary> -c <config>`: a shell that waits for ever on a pipe
 * that nobody writes to. The configuration "file" is its script.
 */
describe("processes", () => {
  const temp = inTempFolder();
  const pids: number[] = [];
  const children: ChildProcess[] = [];
  let pipes = 0;
  afterEach(() => {
    for (const pid of pids.splice(0)) {
      if (isAlive(pid)) process.kill(pid, "SIGKILL");
    }
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  const isAlive = (pid: number): boolean => {
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "latin1") : ") Z";
    return stat[stat.lastIndexOf(")") + 2] !== "Z";
  };

  const scriptThatWaits = (): string => {
    const pipe = temp.path(`pipe-${pipes++}`);
    execFileSync("mkfifo", [pipe]);
    return `read x <${pipe}`;
  };

  const files = () => ({ output: temp.path("out"), record: temp.path("process.json") });
  const start = (config: string) => {
    const { pid, ended } = startProcess("/bin/sh", config, files());
    // No test may signal "all processes", which is what -1 means.
    assert.ok(pid !== undefined && pid > 1, "it was started");
    pids.push(pid);
    return { pid, ended };
  };
  const foreign = (config: string): number => {
    const child = spawn("/bin/sh", ["-c", config], { stdio: "ignore" });
    children.push(child);
    return child.pid!;
  };
  const record = (): Record => JSON.parse(readFileSync(files().record, "utf8")) as Record;
  const falsify = (change: Partial<Record>) =>
    writeFileSync(files().record, JSON.stringify({ ...record(), ...change }));

  it("are ours once started, by a private record", () => {
    const { pid } = start(scriptThatWaits());
    assert.equal(recordedProcess(files().record), pid);
    assert.equal(statSync(files().record).mode & 0o777, 0o600);
  });

  it("get nothing of our environment, which holds the passphrase", () => {
    const { pid } = start(scriptThatWaits());
    assert.equal(readFileSync(`/proc/${pid}/environ`, "utf8").replace(/^(PWD|OLDPWD|SHLVL|_)=.*\0?/gm, ""), "");
  });

  it("lead a group of their own, so that the end of ours does not end them", () => {
    const { pid } = start(scriptThatWaits());
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    assert.equal(Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]), pid);
  });

  it("are none without a record", () => {
    assert.equal(recordedProcess(files().record), undefined);
  });

  it("are not ours when the record is of another boot", () => {
    start(scriptThatWaits());
    falsify({ bootId: "11111111-2222-3333-4444-555555555555" });
    assert.equal(recordedProcess(files().record), undefined);
  });

  it("are not ours when the process of this id started at another time", () => {
    start(scriptThatWaits());
    falsify({ startTime: "1" });
    assert.equal(recordedProcess(files().record), undefined);
  });

  it("are not ours when the process of this id runs another command", () => {
    const config = scriptThatWaits();
    start(config);
    falsify({ command: ["/bin/sh", "-c", "/another/nats-server.conf"] });
    assert.equal(recordedProcess(files().record), undefined);
    falsify({ command: ["/bin/sh", "-c", config, "--more"] });
    assert.equal(recordedProcess(files().record), undefined);
  });

  it("are not ours any more when they ended", async () => {
    const { pid, ended } = start(scriptThatWaits());
    process.kill(pid, "SIGKILL");
    await ended;
    assert.equal(recordedProcess(files().record), undefined);
  });

  it("have an exit code when they end by themselves", async () => {
    assert.equal(await start("exit 3").ended, 3);
  });

  it("that cannot be started end at once", async () => {
    const { ended } = startProcess(temp.path("none"), "x.conf", files());
    assert.equal(await ended, -1);
    assert.equal(recordedProcess(files().record), undefined);
  });

  it("of an interrupted start are found by their command line, and recorded", () => {
    const config = scriptThatWaits();
    const pid = foreign(config);
    assert.equal(findProcess(files().record, config), pid);
    assert.equal(recordedProcess(files().record), pid);
  });

  it("are not found by a part of their command line", () => {
    const config = scriptThatWaits();
    foreign(config);
    assert.equal(findProcess(files().record, config.slice(0, -1)), undefined);
  });

  it("are stopped, and gone when the call resolves", async () => {
    const config = scriptThatWaits();
    const { pid } = start(config);
    await stopProcess(files().record, config);
    assert.equal(isAlive(pid), false);
  });

  it("that do not run are stopped without an error", async () => {
    await stopProcess(files().record, temp.path("nats-server.conf"));
  });

  it("are left alone when the record is not theirs: a process that took over the id is never signalled", async () => {
    const config = scriptThatWaits();
    const ours = start(config);
    const other = foreign(scriptThatWaits());
    for (const change of [
      { pid: other },
      { pid: other, command: ["/bin/sh", "-c", "x"] },
      { pid: ours.pid, bootId: "another" },
      { pid: ours.pid, startTime: "1" },
      { pid: process.pid },
      { pid: 1 },
    ]) {
      falsify(change);
      await stopProcess(files().record, temp.path("nats-server.conf"));
    }
    assert.deepEqual([isAlive(ours.pid), isAlive(other)], [true, true]);
  });
});

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ensureParts, inScratchFolder, putInPlace, UNFINISHED, type Part } from "../../../commands/toolchain/part";

describe("getting a part of the toolchain", () => {
  let home: string;
  let said: string[];
  beforeEach(() => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-home-"));
    said = [];
  });
  afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

  const say = (line: string): void => void said.push(line);
  const place = (): string => path.join(home, "tool");
  const put = async (): Promise<void> => fs.writeFileSync(place(), "x");
  const fail = (reason: string) => async (): Promise<void> => {
    throw new Error(reason);
  };
  const part = (...ways: Part["ways"]): Part => ({
    name: "tool 1.0",
    find: async () => (fs.existsSync(place()) ? place() : undefined),
    ways,
    cure: "get it yourself",
  });

  it("does nothing and says nothing when the part is there", async () => {
    await put();
    assert.deepEqual(await ensureParts(home, [part({ what: "download", run: fail("must not run") })], say), [place()]);
    assert.deepEqual(said, []);
  });

  it("takes the next way when the first one fails, and says so", async () => {
    const ways = [
      { what: "download", run: fail("no network") },
      { what: "build", run: put },
    ];
    assert.deepEqual(await ensureParts(home, [part(...ways)], say), [place()]);
    assert.ok(said.includes("tool 1.0: download: not possible (no network)"), said.join("\n"));
    assert.match(said.at(-1)!, /^tool 1\.0: build: done in \d+ s$/);
  });

  it("names every way that failed, and the cure", async () => {
    const ways = [
      { what: "download", run: fail("no network") },
      { what: "build", run: fail("no Go") },
    ];
    await assert.rejects(ensureParts(home, [part(...ways)], say), {
      message: "tool 1.0 is not available\n  download: no network\n  build: no Go\n  cure: get it yourself",
    });
  });

  it("does not believe a way that ended well and left nothing", async () => {
    await assert.rejects(ensureParts(home, [part({ what: "download", run: async () => undefined })], say), {
      message: /download: succeeded, but the part is not there/,
    });
  });

  it("gets a part once when two installs run at the same time", async () => {
    let builds = 0;
    const slow = async (): Promise<void> => {
      builds += 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
      await put();
    };
    const both = [1, 2].map(() => ensureParts(home, [part({ what: "build", run: slow })], say));
    assert.deepEqual(await Promise.all(both), [[place()], [place()]]);
    assert.equal(builds, 1);
  });

  it("clears what a killed install left unfinished", async () => {
    const leftover = path.join(home, `${UNFINISHED}old`);
    fs.mkdirSync(leftover);
    await ensureParts(home, [part({ what: "build", run: put })], say);
    assert.equal(fs.existsSync(leftover), false);
  });

  it("leaves no scratch folder behind when the work fails", async () => {
    await assert.rejects(inScratchFolder(home, fail("broken")), { message: "broken" });
    assert.deepEqual(fs.readdirSync(home), []);
  });

  it("puts a finished file in its place in one move, executable", () => {
    fs.writeFileSync(path.join(home, "finished"), "x", { mode: 0o600 });
    putInPlace(path.join(home, "finished"), path.join(home, "bin/tool"));
    assert.deepEqual(fs.readdirSync(home), ["bin"]);
    assert.equal(fs.statSync(path.join(home, "bin/tool")).mode & 0o777, 0o755);
  });
});

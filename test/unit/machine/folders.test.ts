import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import {
  folderProblem,
  machineId,
  makeFolder,
  readJson,
  readText,
  refuseOtherMachine,
  removeFolder,
  removeOfStack,
  serverFiles,
  writePrivate,
} from "../../../machine/folders";
import { Refusal } from "../../../machine/refusal";
import { inTempFolder } from "../providers/temp-folder";

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe("folders and files", () => {
  const temp = inTempFolder();

  it("makes a folder and its parents for this user alone", () => {
    makeFolder(temp.path("dev", "sites", "oslo"));
    assert.deepEqual(
      [temp.path("dev"), temp.path("dev", "sites"), temp.path("dev", "sites", "oslo")].map(modeOf),
      [0o700, 0o700, 0o700],
    );
  });

  it("takes a folder that is there already", () => {
    makeFolder(temp.path("dev"));
    assert.equal(makeFolder(temp.path("dev")), temp.path("dev"));
  });

  it("says what to do about a file in the way of a folder", () => {
    writeFileSync(temp.path("dev"), "");
    assert.throws(
      () => makeFolder(temp.path("dev")),
      new Refusal(`${temp.path("dev")}: a part of the path is a file; remove it or choose another dataFolder`),
    );
    assert.throws(() => makeFolder(temp.path("dev", "hub")), /dev\/hub: a part of the path is a file; remove it or/);
  });

  it("names beforehand what is in the way of a folder, and makes nothing", () => {
    writeFileSync(temp.path("file"), "");
    assert.match(folderProblem(temp.path("file", "hub")) ?? "", /file: a part of the path is a file; remove it or/);
    assert.equal(folderProblem(temp.path("dev", "hub")), undefined);
    assert.deepEqual(readdirSync(temp.path()), ["file"]);
  });

  it("writes files for this user alone, also over one that everybody may read", () => {
    writeFileSync(temp.path("x"), "old", { mode: 0o644 });
    writePrivate(temp.path("x"), "new");
    assert.deepEqual([modeOf(temp.path("x")), readFileSync(temp.path("x"), "utf8")], [0o600, "new"]);
  });

  it("leaves nothing beside a written file", () => {
    writePrivate(temp.path("x"), "text");
    assert.deepEqual(readdirSync(temp.path()), ["x"]);
  });

  it("says which file cannot be written, and leaves nothing behind", () => {
    mkdirSync(temp.path("x"));
    assert.throws(
      () => writePrivate(temp.path("x"), "text"),
      (error: Error) => error.message.startsWith(temp.path("x")),
    );
    assert.deepEqual(readdirSync(temp.path()), ["x"]);
    assert.throws(() => writePrivate(temp.path("x", "no", "such"), "text"), Refusal);
  });

  it("reads a missing file as undefined, also below a file", () => {
    writeFileSync(temp.path("x"), "");
    assert.deepEqual(
      [readText(temp.path("none")), readText(temp.path("x", "y")), readJson(temp.path("none"))],
      [undefined, undefined, undefined],
    );
  });

  it("does not take a folder for a missing file", () => {
    assert.throws(() => readText(temp.path()), Refusal);
  });

  it("names the file whose JSON is damaged, and none of what it holds", () => {
    writeFileSync(temp.path("hub.json"), '{"system": "half a');
    assert.throws(
      () => readJson(temp.path("hub.json")),
      new Refusal(`${temp.path("hub.json")}: is damaged (not JSON); remove it and run 'pulumi up'`),
    );
  });

  it("removes a folder, then the parents below the root that became empty", () => {
    makeFolder(temp.path("root", "sites", "oslo", "jetstream"));
    writePrivate(temp.path("root", "sites", "oslo", "x"), "");
    removeFolder(temp.path("root", "sites", "oslo"), temp.path("root"));
    assert.deepEqual([existsSync(temp.path("root", "sites")), existsSync(temp.path("root"))], [false, true]);
  });

  it("keeps a parent that holds something else", () => {
    makeFolder(temp.path("root", "sites", "oslo"));
    makeFolder(temp.path("root", "sites", "bergen"));
    removeFolder(temp.path("root", "sites", "oslo"), temp.path("root"));
    assert.deepEqual(readdirSync(temp.path("root", "sites")), ["bergen"]);
  });

  it("never removes a parent outside of the root, not even one whose name begins like it", () => {
    makeFolder(temp.path("root-2", "oslo"));
    removeFolder(temp.path("root-2", "oslo"), temp.path("root"));
    assert.equal(existsSync(temp.path("root-2")), true);
  });

  it("takes a data folder of the project away with the last stack in it", () => {
    const here = process.cwd();
    process.chdir(temp.path());
    try {
      for (const stack of ["dev", "qa"]) makeFolder(`.fleet/${stack}/hub`);
      removeOfStack(".fleet/dev/hub", ".fleet/dev");
      assert.deepEqual(readdirSync(".fleet"), ["qa"]);
      removeOfStack(".fleet/qa", ".fleet/qa");
      assert.deepEqual(readdirSync("."), []);
    } finally {
      process.chdir(here);
    }
  });

  it("leaves a data folder that lies elsewhere", () => {
    makeFolder(temp.path("data", "dev", "hub"));
    removeOfStack(temp.path("data", "dev", "hub"), temp.path("data", "dev"));
    assert.deepEqual(readdirSync(temp.path()), ["data"]);
    assert.deepEqual(readdirSync(temp.path("data")), []);
  });

  it("removes a folder that is not there without an error", () => {
    removeFolder(temp.path("none"), temp.path());
  });

  it("keeps all files of a server in its folder", () => {
    assert.deepEqual(
      Object.values(serverFiles(temp.path("oslo"))).filter((file) => !file.startsWith(`${temp.path("oslo")}/`)),
      [],
    );
  });

  it("refuses a state that was made on another machine, with what to do", () => {
    refuseOtherMachine(machineId());
    assert.throws(() => refuseOtherMachine("another"), /another machine, .*run Pulumi there/);
  });

  it("knows the machine by a name that stays the same and is none of its own", () => {
    assert.equal(machineId(), machineId());
    assert.match(machineId(), /^[0-9a-f]{16}$/);
  });
});

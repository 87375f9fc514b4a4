import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { SealedLog, readSealed } from "../../../machine/journal/sealed-log";

const ENTRIES = [{ seed: "SU-of-oslo" }, { name: "Tromsø" }, { third: [1, 2, 3] }];

describe("a sealed log", () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "nats-hub-leaf-sealed-"));
    file = path.join(folder, "stack", "log");
    const log = new SealedLog(file, "correct horse");
    for (const entry of ENTRIES) log.append(entry);
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const lines = () => fs.readFileSync(file, "utf8").split("\n");
  const write = (changed: string[]) => fs.writeFileSync(file, changed.join("\n"));
  const read = (passphrase = "correct horse") => readSealed(file, passphrase);

  it("gives back its entries, in order", () => assert.deepEqual(read(), ENTRIES));
  it("is for its owner alone", () => assert.equal(fs.statSync(file).mode & 0o777, 0o600));
  it("lies in a folder for its owner alone", () => assert.equal(fs.statSync(path.dirname(file)).mode & 0o777, 0o700));
  it("holds no entry in clear", () => assert.doesNotMatch(fs.readFileSync(file, "latin1"), /oslo|Troms/));
  it("is opened by no other passphrase", () => assert.throws(() => read("wrong horse"), /line 2 cannot be opened/));
  it("is never begun a second time", () => assert.throws(() => new SealedLog(file, ""), /cannot be made \(EEXIST\)/));

  it("leaves out an entry that was not written to its end", () => {
    fs.writeFileSync(file, fs.readFileSync(file).subarray(0, -5));
    assert.deepEqual(read(), ENTRIES.slice(0, 2));
  });

  it("leaves out an end that was damaged", () => {
    const [header = "", first = "", second = "", third = ""] = lines();
    write([header, first, second, third.replace(/.{8}$/, "AAAAAAAA"), "\0\0\0", ""]);
    assert.deepEqual(read(), ENTRIES.slice(0, 2));
  });

  it("refuses entries that were moved", () => {
    const [header = "", first = "", second = "", third = ""] = lines();
    write([header, second, first, third, ""]);
    assert.throws(() => read(), /cannot be opened/);
  });

  it("refuses entries of which one was taken away", () => {
    const [header = "", , second = "", third = ""] = lines();
    write([header, second, third, ""]);
    assert.throws(() => read(), /cannot be opened/);
  });

  it("without a whole first line is empty", () => {
    fs.writeFileSync(file, fs.readFileSync(file).subarray(0, 10));
    assert.deepEqual(read(), []);
  });
});

import assert from "node:assert/strict";
import { readdirSync, utimesSync } from "node:fs";
import { forgetPassed, hasPassed, notePassed } from "../../../../providers/rehearsal/rehearsal-memory";
import { inTempFolder, withEnvironment } from "../temp-folder";

describe("the memory of rehearsals", () => {
  const temp = inTempFolder();
  withEnvironment(() => ({ PULUMI_HOME: temp.path("home") }));

  const files = () => readdirSync(temp.path("home/nats-hub-leaf/rehearsed"));
  const age = (minutes: number) => {
    const then = Date.now() / 1000 - minutes * 60;
    for (const file of files()) utimesSync(temp.path(`home/nats-hub-leaf/rehearsed/${file}`), then, then);
  };

  it("knows what passed", () => {
    notePassed("dev", "one");
    assert.equal(hasPassed("dev", "one"), true);
  });

  it("knows nothing of what never passed", () => assert.equal(hasPassed("dev", "one"), false));

  it("knows nothing of another rehearsal", () => {
    notePassed("dev", "one");
    assert.equal(hasPassed("dev", "two"), false);
  });

  it("knows nothing of another stack", () => {
    notePassed("dev", "one");
    assert.equal(hasPassed("staging", "one"), false);
  });

  it("still knows it after 59 minutes, and not after 61", () => {
    notePassed("dev", "one");
    age(59);
    assert.equal(hasPassed("dev", "one"), true);
    age(61);
    assert.equal(hasPassed("dev", "one"), false);
  });

  it("drops what is too old when it notes something", () => {
    notePassed("dev", "one");
    age(61);
    notePassed("staging", "one");
    assert.equal(files().length, 1);
  });

  it("forgets", () => {
    notePassed("dev", "one");
    forgetPassed("dev");
    assert.equal(hasPassed("dev", "one"), false);
  });
});

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { reportOf } from "../../../../views/report/report";
import { previewedIn, readRecording, recordingNames } from "../../../support/pages/preview-recordings";

// What the report says of previews of real changes. `make recordings` records them anew and writes what is expected;
// `REPORTS=write make unit ARGS="-g 'the report on a recorded preview'"` writes it of those that are there.

const GOLDEN = path.join(__dirname, "golden");

describe("the report on a recorded preview", () => {
  for (const name of recordingNames()) {
    it(`of ${name}`, () => {
      const { markdown, failures } = reportOf(previewedIn(readRecording(name)));
      assert.deepEqual(failures, []);
      const file = path.join(GOLDEN, `${name}.md`);
      if (process.env.REPORTS === "write") fs.writeFileSync(file, markdown);
      assert.equal(markdown, fs.readFileSync(file, "utf8"));
    });
  }

  it("is there for every kind of change", () => {
    assert.deepEqual(
      fs
        .readdirSync(GOLDEN)
        .map((file) => path.basename(file, ".md"))
        .sort(),
      recordingNames(),
    );
    assert.ok(recordingNames().length >= 17);
  });
});

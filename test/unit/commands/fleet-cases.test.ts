import assert from "node:assert/strict";
import { parseFleetFile } from "../../../configs/reading/fleet-file";
import { DOCTOR_FINDINGS, FINDINGS } from "../../../diagnosis/reference/reference";
import { fleetCasesOf } from "../../support/cases/fleet-cases";

describe("the cases of foreign fleets", () => {
  const codes = [...Object.keys(FINDINGS), ...Object.keys(DOCTOR_FINDINGS)];

  for (const kind of ["good", "mistakes"] as const) {
    for (const { kind: name, right, files } of fleetCasesOf(kind)) {
      it(`can be played: ${name}`, () => {
        assert.equal(right.verdict === "good", kind === "good");
        if (right.verdict !== "good")
          assert.deepEqual(
            right.codes.filter((code) => !codes.includes(code)),
            [],
          );
        const textOf = (path: string): string => files.find((file) => file.path === path)?.text ?? "[]";
        assert.deepEqual(parseFleetFile(textOf("fleet.yaml")).problems, []);
        for (const script of ["steps.json", "cure.json"]) assert.ok(Array.isArray(JSON.parse(textOf(script))));
      });
    }
  }
});

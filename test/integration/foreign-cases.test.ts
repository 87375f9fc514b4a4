import assert from "node:assert/strict";
import { DoctorReport } from "../../diagnosis/facts/doctor-report";
import { doctorWords } from "../../commands/words/doctor-words";
import { eachCase } from "../support/cases/each-case";
import { FleetCase, FleetRight, fleetCasesOf } from "../support/cases/fleet-cases";
import { FleetStage } from "../support/cases/fleet-stage";

/**
 * Fleets that others deployed, of many shapes, on real servers: the doctor finds nothing wrong with what works, finds what
 * is wrong by the right name, and says no cure that breaks what works.
 */

/** Fleets side by side: they wait more than they work. */
const AT_ONCE = 6;

describe("the doctor, on fleets of every shape", function () {
  this.timeout(120_000);

  eachCase(fleetCasesOf, AT_ONCE, examined, (one, { report, cured }) => {
    judge(one.right, one, report);
    if (cured !== undefined) judge({ verdict: "good" }, { about: [], never: one.never }, cured);
  });
});

async function examined(one: FleetCase): Promise<{ report: DoctorReport; cured?: DoctorReport }> {
  const stage = await FleetStage.start(one);
  try {
    await stage.play("steps.json");
    const report = await stage.examined();
    if (stage.textOf("cure.json") === undefined) return { report };
    await stage.play("cure.json");
    return { report, cured: await stage.examined() };
  } finally {
    await stage.stop();
  }
}

function judge(right: FleetRight, { about, never }: Pick<FleetCase, "about" | "never">, report: DoctorReport): void {
  const words = doctorWords(report);
  const told = report.sites.flatMap(({ findings }) => findings.map(({ code }) => code));
  if (right.verdict === "good") {
    assert.deepEqual(told, [], `something is told of what works:\n${words}`);
    assert.ok(["good", "partial"].includes(report.status), words);
  } else {
    assert.equal(report.status, right.verdict, words);
    assert.ok(told.length > 0, words);
    assert.deepEqual(
      told.filter((code) => !right.codes.includes(code)),
      [],
      `not ${right.codes.join(", ")}:\n${words}`,
    );
  }
  const isTold = (word: string) => words.toLowerCase().includes(word.toLowerCase());
  assert.deepEqual(
    about.filter((word) => !isTold(word)),
    [],
    `is not told:\n${words}`,
  );
  assert.deepEqual(never.filter(isTold), [], `must not be told:\n${words}`);
}

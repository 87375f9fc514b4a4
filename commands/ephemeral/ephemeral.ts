import * as path from "node:path";
import { type Problem, describeProblems } from "../../configs/problem";
import { containersOf } from "../state/away";
import { Refusal, report } from "../../machine/refusal";
import { readStackConfig } from "../stack/stack-config";

// Whether `make ephemeral` may take a stack's settings: they become those of processes that are gone a minute later.
//   ts-node commands/ephemeral/ephemeral.ts <stack>

/** Errors: a Refusal of settings that reach beyond the processes of this machine. */
export function refuseLasting(projectFolder: string, stack: string): void {
  const { state, protect } = readStackConfig(projectFolder, stack).raw;
  const problems = [
    ...problemsOf(containersOf({ projectFolder, stack })),
    ...(state === undefined ? [] : [KEPT_ELSEWHERE]),
    ...(String(protect) === "true" ? [PROTECTED] : []),
  ];
  if (problems.length > 0) throw new Refusal(`make ephemeral FROM=${stack}: ${describeProblems(problems)}`);
}

const problemsOf = (inContainers: readonly string[]): Problem[] =>
  inContainers.length === 0
    ? []
    : [
        {
          where: "runtime",
          problem: `puts ${inContainers.join(", ")} into containers, on the engines and ports of that stack`,
          cure: "name a stack of processes with FROM=…",
        },
      ];

const KEPT_ELSEWHERE: Problem = {
  where: "state",
  problem: "keeps the state where that stack's is",
  cure: "name a stack whose state is in the checkout with FROM=…",
};

const PROTECTED: Problem = {
  where: "protect",
  problem: "keeps what an ephemeral stack takes down",
  cure: "name a stack without it with FROM=…",
};

if (require.main === module) {
  try {
    refuseLasting(path.resolve(__dirname, "../.."), process.argv[2] ?? "");
  } catch (error) {
    report(error);
    process.exitCode = 1;
  }
}

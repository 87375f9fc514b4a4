/** A mistake found before deployment: where it is, what is wrong, and how to fix it. */
export interface Problem {
  where: string;
  problem: string;
  cure: string;
}

export const describeProblem = ({ where, problem, cure }: Problem): string => `${where}: ${problem}; ${cure}`;

/** All problems as one text, a line each. */
export function describeProblems(problems: readonly Problem[]): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return [`the settings have ${count}:`, ...problems.map((p) => `  - ${describeProblem(p)}`)].join("\n");
}

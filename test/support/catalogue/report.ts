import { Case, Outcome, casesOf, found, judge } from "./catalogue";
import { GROUPS } from "./rows";

/** The result of a run of the catalogue, as a table. */

export interface Result {
  title: string;
  found: string[];
  isRight: boolean;
  answerMs: number;
}

export const resultOf = (one: Case, outcome: Outcome): Result => ({
  title: one.title,
  found: found(outcome.findings),
  isRight: judge(one, outcome).length === 0,
  answerMs: outcome.answerMs,
});

export const summary = (results: readonly Result[]): string => {
  const right = results.filter(({ isRight }) => isRight).length;
  const slowest = Math.max(...results.map(({ answerMs }) => answerMs));
  return `${right} of ${results.length} right (${Math.round((100 * right) / results.length)} %); slowest first answer ${(slowest / 1000).toFixed(1)} s`;
};

const INTRODUCTION = `# The catalogue of mistakes

Every mistake below is made on real servers, on a good deployment of a hub and two sites, \`oslo\` and \`bergen\`. Then the
smoke test must find exactly the findings of the row and no other, with the evidence that the row expects, and must prove the
healthy site in the same run. It must pass after exactly the commands were run that the findings name as next, after the steps
that they leave to a person. The time to the first answer is printed at the end, and measured by \`make bench\`.
[Findings](findings.md) says what each finding means.

This page is written by \`make catalogue\`, which runs them all.
`;

const LEFT_OUT = `## Not made here

| mistake                                              | why                                                                                                          |
| ---------------------------------------------------- | ------------------------------------------------------------------------------------------------------------ |
| clocks that differ                                   | needs machines of their own; a source resumes by sequence, so sourcing itself does not depend on the clock   |
| power loss                                           | a store that was rolled back stands for it                                                                   |
| a hub cluster, and its elections                     | the program deploys one hub                                                                                  |
| a link that reconnects for hours on a bad network    | takes hours; the proxy rows show a network that swallows one or both directions                              |
| 150 sources and millions of messages in one stream   | scale, not a mistake: \`make bench\`                                                                         |
| a reload that fails                                  | refused by the program before it is tried, and by the server's answer (test/integration/servers.test.ts)     |
| one stream name at many sites in a merged stream     | cannot be declared: the program puts the site's name into the stream's                                       |
| a missing system account, a clash of ports, a store that cannot be written | the server refuses to start, as in the rows that say so: \`site-down\` or \`hub-down\` |
| the domain of a source with JetStream's own prefix   | the server refuses such a source (error 10021)                                                               |
| a hub without any users                              | its system account does not exist then, so the hub cannot be asked: \`hub-down\`                             |
`;

/** Text of docs/catalogue.md. */
export function catalogueDoc(results: readonly Result[]): string {
  const of = new Map(results.map((result) => [result.title, result]));
  const link = (code: string) => code.replace(/: ([a-z-]+)/, ": [$1](findings.md#$1)");
  const groups = Object.entries(GROUPS).map(([title, rows]) =>
    [
      `## ${title}\n`,
      "| mistake | finding | |",
      "| --- | --- | --- |",
      ...casesOf(rows).map(({ title: name }) => {
        const result = of.get(name);
        const shown = result === undefined ? "not run" : result.found.map(link).join(", ") || "none";
        return `| ${name.replaceAll("|", "\\|")} | ${shown} | ${result?.isRight === true ? "right" : "wrong"} |`;
      }),
      "",
    ].join("\n"),
  );
  const { length } = results;
  const right = results.filter(({ isRight }) => isRight).length;
  return [INTRODUCTION, `**${right} of ${length} right.**\n`, ...groups, LEFT_OUT].join("\n");
}

import { count } from "../../configs/plan/plan-facts";
import { FleetPlan } from "../../configs/plan/fleet-plan";
import { planWords } from "../../configs/plan/plan-words";
import { Problem, describeProblem } from "../../configs/problem";
import { maskSeeds } from "../../configs/seeds";
import { itemList, pictureSection } from "./markdown";

/** The report where nothing could be compared with what runs: what the settings intend, and nothing else. */

/** @param picture the fleet as Mermaid. */
export function planMarkdown(planned: FleetPlan, picture: string): string {
  const { stack, sites, eachSite } = planned;
  const streams = eachSite === undefined ? "" : `, ${count(eachSite.streams.length, "stream")}`;
  return sectioned([
    `### Plan of \`${stack}\`: a hub, ${count(sites.length, "site")}${streams}`,
    "From the settings alone: **not compared with what is deployed**, so it does not say what changes.",
    pictureSection(picture),
    `<details><summary>All that the settings intend</summary>\n\n\`\`\`text\n${planWords(planned)}\n\`\`\`\n\n</details>`,
  ]);
}

/** The report of settings that the rules refuse. */
export const refusedPlanMarkdown = (stack: string, problems: readonly Problem[]): string =>
  sectioned([
    `### Plan of \`${stack}\`: refused, ${count(problems.length, "reason")}`,
    itemList(problems.map(describeProblem)),
  ]);

const sectioned = (sections: readonly string[]): string => maskSeeds(`${sections.join("\n\n")}\n`);

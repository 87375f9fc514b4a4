import * as fs from "node:fs";
import * as path from "node:path";
import { parseDocument } from "yaml";
import { isExecutable, pulumiHome } from "../../../machine/locate";

/** The folder that holds the executable which the CLI starts as the plugin. */
const REPLACEMENT = __dirname;

export type DockerPlugin = "official" | "replacement";

/**
 * Lets the project in this folder use @pulumi/docker: with the official plugin where that is installed, which says
 * more than any replacement, else with the one of these tests.
 */
export function withDockerPlugin(projectFolder: string): DockerPlugin {
  if (hasOfficialPlugin()) return "official";
  const file = path.join(projectFolder, "Pulumi.yaml");
  const project = parseDocument(fs.readFileSync(file, "utf8"));
  const plugins = ["plugins", "providers"];
  if (!project.hasIn(plugins)) project.setIn(plugins, project.createNode([]));
  project.addIn(plugins, { name: "docker", path: REPLACEMENT });
  fs.writeFileSync(file, project.toString());
  return "replacement";
}

const hasOfficialPlugin = (): boolean => {
  const folder = path.join(pulumiHome(), "plugins");
  const installed = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  return installed.some(
    (name) => name.startsWith("resource-docker-v") && isExecutable(path.join(folder, name, "pulumi-resource-docker")),
  );
};

import { readFileSync } from "node:fs";

// What may import what, from the one table of rooms (rooms.json, from the top down). Types count like everything else.
const table = JSON.parse(readFileSync(new URL("rooms.json", import.meta.url), "utf8"));
const rooms = table.map(({ room }) => room);
const pure = table.filter((one) => one.pure).map(({ room }) => room);

/** Packages that only compute. */
const PURE_PACKAGES = ["bcryptjs", "zod", "@nats-io/nkeys", "csv-parse", "yaml"];

export default {
  forbidden: [
    {
      name: "no-circle-of-files",
      comment: "These files import each other: move what both need into a file of its own.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-circle-of-folders",
      comment: "These folders import each other: move what both need into the lower one.",
      severity: "error",
      scope: "folder",
      from: {},
      to: { circular: true },
    },
    ...rooms.slice(1).map((room, i) => ({
      name: "only-down",
      comment: "A room imports from rooms below it only (rooms.json, from the top down).",
      severity: "error",
      from: { path: `^${room}/` },
      to: { path: `^(index\\.ts$|(${rooms.slice(0, i + 1).join("|")})/)` },
    })),
    {
      name: "pure",
      comment: "This room is pure: it computes from its arguments. Gather facts elsewhere and pass them in.",
      severity: "error",
      from: { path: `^(${pure.join("|")})/` },
      to: {
        pathNot: [
          `^(${pure.join("|")})/`,
          "^machine/version(\\.ts|s\\.json)$",
          `node_modules/(${PURE_PACKAGES.join("|")})/`,
        ],
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "providers-without-pulumi",
      comment: "What resources do is tested without Pulumi.",
      severity: "error",
      from: { path: "^(providers|doctor|fleet|servers)/" },
      to: { path: "node_modules/@pulumi/" },
    },
    {
      name: "providers-by-name",
      comment: "Pulumi loads the bodies of resources by name; components know only their types.",
      severity: "error",
      from: { path: "^components/" },
      to: { path: "^providers/", dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["require", "node", "default"] },
  },
};

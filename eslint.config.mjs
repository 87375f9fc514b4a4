// @ts-check
import { readFileSync } from "node:fs";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

// Rooms that compute and nothing else: no files, no network, no clock. What they import is checked with all other rooms'
// imports (.dependency-cruiser.mjs); which they are stands in rooms.json.
const rooms = JSON.parse(readFileSync(new URL("rooms.json", import.meta.url), "utf8"));

const impureGlobals = [
  ...["process", "global", "globalThis", "console", "require", "module", "__dirname", "__filename"],
  ...["Date", "performance", "crypto", "fetch", "WebSocket"],
  ...["setTimeout", "setInterval", "setImmediate", "queueMicrotask"],
].map((name) => ({
  name,
  message: "This room is pure: no clock, network, environment or console. Pass the value in.",
}));

const impureSyntax = [
  { selector: "ImportExpression", message: "This room is pure: no import at run time." },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: "This room is pure: the same arguments give the same result.",
  },
];

export default defineConfig(
  { ignores: ["node_modules/", ".state/", ".fleet/", "coverage/", "test/.snippet-*/", "examples/embedded/"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "max-lines": ["warn", { max: 300, skipBlankLines: false, skipComments: false }],
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // Values in messages are often numbers.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // An interface that promises (a provider's `check`) may have an implementation with nothing to wait for.
      "@typescript-eslint/require-await": "off",
      // The error codes of the `nats` package are compared with what a server sends.
      "@typescript-eslint/no-unsafe-enum-comparison": "off",
      // A dynamic provider and a component pass their own methods on by design.
      "@typescript-eslint/unbound-method": "off",
    },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "max-lines": ["warn", { max: 500 }],
    },
  },
  {
    files: rooms.filter(({ pure }) => pure).map(({ room }) => `${room}/**/*.ts`),
    rules: {
      "no-restricted-globals": ["error", ...impureGlobals],
      "no-restricted-syntax": ["error", ...impureSyntax],
    },
  },
);

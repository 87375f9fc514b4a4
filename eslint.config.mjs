// @ts-check
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

// Rooms that compute and nothing else (README, "Rooms"): no Pulumi, no files, no network, no clock. What may be imported is
// listed, not what may not, so that a new package has to be let in on purpose. Types cost nothing at run time: all allowed.
const pureImports = (/** @type {string[]} */ allowed) => [
  "error",
  {
    patterns: [
      {
        regex: `^(?!(?:${allowed.join("|")}))`,
        allowTypeImports: true,
        message: "This room is pure: it computes from its arguments. Gather facts elsewhere and pass them in.",
      },
    ],
  },
];

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

const pure = (/** @type {string[]} */ allowedImports) => ({
  "no-restricted-imports": "off",
  "@typescript-eslint/no-restricted-imports": pureImports(allowedImports),
  "no-restricted-globals": ["error", ...impureGlobals],
  "no-restricted-syntax": ["error", ...impureSyntax],
});

/** Packages that only compute. */
const PURE_PACKAGES = ["zod$", "@nats-io/nkeys$", "csv-parse/sync$", "yaml$"];

export default defineConfig(
  { ignores: ["node_modules/", ".state/", ".fleet/", "coverage/", "test/.snippet-*/"] },
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
    files: ["configs/**/*.ts"],
    rules: pure(["\\./", "\\.\\./toolchain/version(s\\.json)?$", ...PURE_PACKAGES]),
  },
  {
    files: ["diagnosis/**/*.ts"],
    rules: pure(["\\./", "(\\.\\./)+configs/", ...PURE_PACKAGES]),
  },
  {
    files: ["outputs/**/*.ts"],
    rules: pure(["\\./", "(\\.\\./)+configs/", "yaml$"]),
  },
  {
    files: ["topology/**/*.ts"],
    rules: pure(["\\./", "(\\.\\./)+configs/", ...PURE_PACKAGES]),
  },
  {
    files: ["report/**/*.ts"],
    rules: pure(["\\./", "(\\.\\./)+(configs|topology)/", "(\\.\\./)+providers/values$"]),
  },
  {
    // The providers and the report compare what crosses Pulumi's boundary.
    files: ["providers/values.ts"],
    rules: pure(["\\./nothing$"]),
  },
);

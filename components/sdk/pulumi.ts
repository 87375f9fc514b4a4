import { isPlain } from "../../machine/plain";

/**
 * The part of the Pulumi SDK that this program uses. The package's index also loads its automation API and npm's
 * dependency tree code, a quarter of a second at every preview and `up`.
 */
export { Config } from "@pulumi/pulumi/config";
export { RunError } from "@pulumi/pulumi/errors";
export { getStack } from "@pulumi/pulumi/metadata";
export { output, secret, type Input, type Inputs, type Output } from "@pulumi/pulumi/output";
export {
  ComponentResource,
  CustomResource,
  Resource,
  type ComponentResourceOptions,
  type CustomResourceOptions,
} from "@pulumi/pulumi/resource";
export { allConfig } from "@pulumi/pulumi/runtime/config";

// eslint-disable-next-line @typescript-eslint/no-require-imports -- only when it is asked for
if (isPlain()) require("@pulumi/pulumi");

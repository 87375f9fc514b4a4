import { join, resolve } from "node:path";
import * as pulumi from "./pulumi";

/**
 * A dynamic resource whose serialised provider is one line: it loads `providers/<module>` of this package by name.
 *
 * `pulumi.dynamic.Resource` writes the provider's code into every resource, twice, and stores it with the state; with
 * the checkpoint rewritten at each step that is what makes a large stack slow. This class registers the same kind of
 * resource (`pulumi-nodejs:dynamic/…`, property `__provider`) with a text that never changes, so that code changes
 * reach existing resources without a diff. The price: the module must be there when the resource is deleted.
 */
export abstract class ProviderResource extends pulumi.CustomResource {
  /** @param module file name in `providers`, without its ending; a contract with existing state. */
  protected constructor(
    module: string,
    type: string,
    name: string,
    inputs: pulumi.Inputs,
    opts: pulumi.CustomResourceOptions,
  ) {
    super(`pulumi-nodejs:dynamic/nats:${type}`, name, { ...inputs, __provider: providerText(module) }, opts);
  }
}

const PACKAGE = join(__dirname, "../..");

/**
 * The text that Pulumi's dynamic provider evaluates, in the project's folder; `handler` returns the provider. Every
 * resource holds it twice, so it is short: code that comes from no file finds relative names, and packages, from there.
 *
 * @param project this package itself, or a program that has it installed.
 */
export const providerText = (module: string, project = process.cwd()): string => {
  const loader = resolve(project) === PACKAGE ? "./providers/load" : "nats-hub-leaf/load";
  return `exports.handler=()=>require('${loader}')('${module}')`;
};

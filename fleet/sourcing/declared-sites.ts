import { resolve } from "node:path";

/**
 * The sites of a fleet, by the stack's folder, as last declared in this process: one site's own resources know nothing
 * of the others, whose streams are merged with its own.
 */
const declared = new Map<string, ReadonlySet<string>>();

/** Sites that leave in this update count too: their own resources take their sources off. */
export const declareSites = (root: string, sites: readonly string[]): void =>
  void declared.set(resolve(root), new Set(sites));

/** Undefined when not known. */
export const declaredSites = (root: string): ReadonlySet<string> | undefined => declared.get(resolve(root));

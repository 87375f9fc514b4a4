import { nameOf } from "../../configs/text/urn";
export interface StateResource {
  readonly urn: string;
  readonly id?: string;
  /** `<urn>::<id>` of its provider. */
  readonly provider?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly protect?: boolean;
  readonly delete?: boolean;
  readonly pendingReplacement?: boolean;
}

/** What this program reads of `pulumi stack export`. */
export interface Deployment {
  readonly deployment?: {
    readonly resources?: readonly StateResource[] | null;
    /** What encrypts the secrets. */
    readonly secrets_providers?: { readonly type?: string; readonly state?: Readonly<Record<string, unknown>> } | null;
    readonly pending_operations?: readonly { readonly type: string; readonly resource: StateResource }[] | null;
  };
}

/** An operation that has begun and not ended: its run was interrupted. */
export interface Pending {
  readonly urn: string;
  /** The resource's own name. */
  readonly name: string;
  /** "creating", "updating", "deleting" … */
  readonly operation: string;
}

export const CREATING = "creating";

/** The operations that a state still counts as begun and not ended. */
export function pendingOperations(state: Deployment): Pending[] {
  return (state.deployment?.pending_operations ?? []).map(({ type, resource }) => ({
    urn: resource.urn,
    name: nameOf(resource),
    operation: type,
  }));
}

/**
 * What may exist without the state knowing it: something was being created when the run was killed. Every other
 * interrupted operation is on a resource that the state holds.
 */
export function perhapsCreated(pending: readonly Pending[]): string[] {
  return pending.filter(({ operation }) => operation === CREATING).map(({ name }) => name);
}

/**
 * Of those, what the state still does not hold after a whole `up`: the program no longer has it, so no run will ever
 * take it over.
 */
export function neverTakenOver(pending: readonly Pending[], state: Deployment): string[] {
  const held = new Set((state.deployment?.resources ?? []).map(({ urn }) => urn));
  return perhapsCreated(pending.filter(({ urn }) => !held.has(urn)));
}

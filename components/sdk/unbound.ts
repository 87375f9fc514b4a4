import { isPlain } from "../../machine/plain";
import type { Output } from "./pulumi";

/**
 * The same value, without the resource that it comes from. Pulumi writes that resource's URN into the state of all that
 * uses the value, once for each property and once more, and the checkpoint is rewritten at each step; where `dependsOn`
 * says the order already, that is a seventh of it for nothing. Secret and unknown values stay what they are.
 */
export function unbound<T>(value: Output<T>): Output<T> {
  if (isPlain()) return value;
  const none: Record<PropertyKey, unknown> = {
    resources: () => new Set(),
    allResources: () => Promise.resolve(new Set()),
  };
  return new Proxy(value, {
    get: (target, property) => none[property] ?? (Reflect.get(target, property) as unknown),
  });
}

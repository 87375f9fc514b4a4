import { spotOf } from "../placement";
import { same, settled } from "../values";
import { isLowered } from "./limits";
import type { StoreLimits } from "./plan-server";

/** What a change of its declaration does to a server. Providers decide by this, and reports say it. */

/** What of the inputs of a server's resource is looked at. A state may be of an older program: nothing has to be there. */
export interface Deployed {
  declaration?: { restart?: object; reload?: { limits?: Partial<StoreLimits> } };
  place?: object;
}

/** What the server reads only at its start. States hold digests of it: its form is a contract. */
export const takenAtStart = ({ declaration, place }: Deployed): [object | undefined, object] => [
  declaration?.restart,
  spotOf(place ?? {}),
];

/**
 * Why the server must restart, as fields of its declaration, "place" or "less storage": a reload cannot lower the limits of
 * a store (nats-server reload.go). Empty where a reload is enough. What is not known yet counts as it was.
 */
export function restartReasons(news: Deployed, olds: Deployed): string[] {
  const before = (olds.declaration?.restart ?? {}) as Record<string, unknown>;
  const after = settled((news.declaration?.restart ?? {}) as Record<string, unknown>, before);
  const fields = [...new Set([...Object.keys(after), ...Object.keys(before)])].sort();
  return [
    ...fields.filter((field) => !same(after[field], before[field])),
    ...(same(settled(takenAtStart(news)[1], takenAtStart(olds)[1]), takenAtStart(olds)[1]) ? [] : ["place"]),
    ...(isLowered(news.declaration?.reload?.limits ?? {}, olds.declaration?.reload?.limits ?? {})
      ? ["less storage"]
      : []),
  ];
}

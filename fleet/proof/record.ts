import { StreamSettings } from "../../configs/settings";
import { collectedName } from "../../configs/streams";
import { SmokeTestOutputs } from "./job";

/** What the last proof saw of a stream of a site; later looks are compared with it. */

export type ProofRecord = SmokeTestOutputs["proven"]["streams"][string];

/** If another account collects, it is another stream at both ends: a changed mode is not a loss. */
export const recordKey = (site: string, stream: StreamSettings): string => `${site} ${collectedName(stream, site)}`;

/** The record of the stream; undefined where it was not proven as it is declared now. */
export function recordOf(
  last: Partial<Pick<SmokeTestOutputs, "proven" | "proof">> | undefined,
  site: string,
  stream: StreamSettings,
): ProofRecord | undefined {
  const records = last?.proven?.streams ?? {};
  const record = records[recordKey(site, stream)];
  if (record !== undefined) return record;
  // A state of before the account was in the key: the row of the proof says which one it was.
  const collected = collectedName(stream, site);
  const isProven = last?.proof?.some((row) => row.site === site && row.collected === collected) === true;
  return isProven ? records[`${site}/${stream.name}`] : undefined;
}

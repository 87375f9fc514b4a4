import { Previewed, changesOf } from "./changes";
import { markdownOf } from "./markdown";
import type { FleetChanges } from "./model";
import { pictureOf } from "./picture";
import { settingsOf } from "./settings";

/** The report on a preview. */
export interface Report {
  changes: FleetChanges;
  /** Errors that are no refusal. With them, and without a refusal, the preview did not come to an end. */
  failures: string[];
  markdown: string;
}

export function reportOf(previewed: Previewed): Report {
  const { changes, failures } = changesOf(previewed);
  const settings = settingsOf(previewed.preview, previewed.table);
  // A picture of a refused change would only mislead.
  const picture = changes.verdict === "refused" || settings === undefined ? undefined : pictureOf(settings, changes);
  return { changes, failures, markdown: markdownOf(changes, picture) };
}

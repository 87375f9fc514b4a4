import * as fs from "node:fs";
import * as path from "node:path";
import type { Previewed } from "../../../views/report/changes";
import type { PreviewStep } from "../../../views/report/preview";
import { maskSeeds } from "../../../configs/seeds";

/** Previews of real changes, kept as files: what the report reads of them, without keys. */

const RECORDED = path.join(__dirname, "../../unit/views/report/recorded");

/** What is kept of a preview. */
export type Recording = Omit<Previewed, "discard"> & { discard: string[] };

/** The preview of a recording, as the report takes it. */
export const previewedIn = ({ discard, ...recording }: Recording): Previewed => ({
  ...recording,
  discard: { site: (name) => discard.includes(name), collected: () => false },
});

export const recordingNames = (): string[] =>
  fs
    .readdirSync(RECORDED)
    .map((file) => path.basename(file, ".json"))
    .sort();

export const readRecording = (name: string): Recording =>
  JSON.parse(fs.readFileSync(path.join(RECORDED, `${name}.json`), "utf8")) as Recording;

/** Resources whose inputs the report reads. */
const READ = /:(HubServer|LeafServer|HubLink|Streams|Identity|Certificate)::/;

/** Inputs that it never reads. */
const UNREAD = ["__provider", "access", "root", "stack", "streams", "folder", "secrets"];

type State = NonNullable<PreviewStep["oldState"]>;

function inputsOf(urn: string, state: State): State {
  const inputs = READ.test(urn) ? Object.entries(state.inputs ?? {}) : [];
  return { inputs: Object.fromEntries(inputs.filter(([name]) => !UNREAD.includes(name))) };
}

export function writeRecording(name: string, { preview, ...previewed }: Previewed, discard: string[]): void {
  const { config = {}, steps = [] } = preview;
  const diagnostics = (preview.diagnostics ?? []).filter(({ severity }) => severity === "error");
  const kept = steps
    .filter(({ op }) => op !== "same")
    .map(({ op, urn, oldState, newState }) => ({
      op,
      urn,
      ...(oldState === undefined ? {} : { oldState: inputsOf(urn, oldState) }),
      ...(newState === undefined ? {} : { newState: inputsOf(urn, newState) }),
    }));
  const recording: Recording = { ...previewed, discard, preview: { config, steps: kept, diagnostics } };
  fs.mkdirSync(RECORDED, { recursive: true });
  fs.writeFileSync(path.join(RECORDED, `${name}.json`), `${withoutKeys(JSON.stringify(recording, null, 1))}\n`);
}

/** Each public key becomes a name of its own, the same wherever it stands; no seed is there in the first place. */
function withoutKeys(text: string): string {
  const names = new Map<string, string>();
  return maskSeeds(text).replace(/\bU[A-Z2-7]{55}\b/g, (key) => {
    const name = names.get(key) ?? `PUBLIC_KEY_${names.size + 1}`;
    names.set(key, name);
    return name;
  });
}

import type { StreamSource } from "../../configs/streams";
import { readJson, writePrivate } from "../../machine/folders";

/** A source that is being taken off and put back. */
export interface Toggle {
  site: string;
  stream: string;
  /** What is put back. */
  source: StreamSource;
}

const keyOf = ({ site, stream }: Pick<Toggle, "site" | "stream">): string => `${site}/${stream}`;

/**
 * Which sources are being restarted, in a file: whoever comes after a watcher that was killed, or after a hub that died
 * in between, puts back what is missing.
 */
export class Notes {
  private readonly open: Map<string, Toggle>;
  /** The latest toggle of each source, as long as this process lives. */
  private readonly latest = new Map<string, Toggle>();

  constructor(private readonly file: string) {
    this.open = new Map((readJson<Toggle[]>(file) ?? []).map((toggle) => [keyOf(toggle), toggle]));
  }

  /** Toggles that nobody knows to have come to their end. */
  get left(): readonly Toggle[] {
    return [...this.open.values()];
  }

  /** What the source was when it was last taken off; undefined where this process did not do that. */
  takenOff = ({ site, stream }: Pick<Toggle, "site" | "stream">): Toggle | undefined => {
    const key = keyOf({ site, stream });
    return this.open.get(key) ?? this.latest.get(key);
  };

  /** Keeps the note until the work succeeded. Errors: those of the work; the note then stays. */
  async during(toggle: Toggle, work: () => Promise<unknown>): Promise<void> {
    this.open.set(keyOf(toggle), toggle);
    this.latest.set(keyOf(toggle), toggle);
    this.write();
    await work();
    this.drop(toggle);
  }

  drop(toggle: Toggle): void {
    this.open.delete(keyOf(toggle));
    this.write();
  }

  private write = (): void => writePrivate(this.file, JSON.stringify(this.left));
}

import { CONFIG_FOLDER, DATA_FOLDER, SERVER_UID } from "../../configs/container";
import { ServerPaths } from "../../configs/plan/plan-server";
import { CONFIG_FILE, ServerFiles, withLock } from "../files/server-files";
import { Entry, folderIn, putArchive } from "./archive";
import { EngineAccess } from "./engine";

/**
 * The files of a server in a container. They lie in a volume of its own, which is read and written through the engine's
 * archive endpoint: what a container is created with (uploads, environment, arguments) shows in `docker inspect`, and
 * changing it replaces the container. The server may read them and not change them.
 */

/** The folder of the store in the data volume; the volume's own root belongs to root. */
export const STORE = "store";

/** Files in folders, such as links/…, are kept in one: the archive endpoint cannot delete. */
const FOLDERS_FILE = "folders.json";

export class VolumeFiles implements ServerFiles {
  readonly paths: ServerPaths = { store: `${DATA_FOLDER}/${STORE}` };

  private constructor(
    readonly where: string,
    private readonly engine: EngineAccess,
    private readonly container: string,
    private readonly texts: Map<string, string>,
    private readonly lockFolder: string,
  ) {}

  /** Reads all files of the container's configuration volume. */
  static async open(
    engine: EngineAccess,
    { container, name, lockFolder }: { container: string; name: string; lockFolder: string },
  ): Promise<VolumeFiles> {
    const texts = await folderIn(engine, container, CONFIG_FOLDER);
    const folders = JSON.parse(texts.get(FOLDERS_FILE) ?? "{}") as Record<string, string>;
    texts.delete(FOLDERS_FILE);
    for (const [file, text] of Object.entries(folders)) texts.set(file, text);
    return new VolumeFiles(`container ${name}`, engine, container, texts, lockFolder);
  }

  /** The archive endpoint cannot delete: an empty file is none. */
  read = (name: string): string | undefined => (this.texts.get(name) === "" ? undefined : this.texts.get(name));
  write = (name: string, text: string): void => void this.texts.set(name, text);
  remove = (name: string): void =>
    void (name.includes("/") ? this.texts.delete(name) : this.texts.has(name) && this.texts.set(name, ""));
  list = (folder: string): string[] =>
    [...this.texts.keys()]
      .filter((name) => name.startsWith(`${folder}/`))
      .map((name) => name.slice(folder.length + 1))
      .sort();

  async publish(): Promise<void> {
    const all = [...this.texts];
    const folders = Object.fromEntries(all.filter(([name]) => name.includes("/")));
    const files = [...all.filter(([name]) => !name.includes("/")), [FOLDERS_FILE, JSON.stringify(folders)] as const];
    // Root's, and readable for the server's group only. The configuration comes last: it names the others.
    const entries = files
      .sort(([a], [b]) => Number(a === CONFIG_FILE) - Number(b === CONFIG_FILE))
      .map(([name, text]): Entry => ({ name, type: "file", text, mode: 0o440, uid: 0 }));
    await putArchive(this.engine, this.container, CONFIG_FOLDER, entries);
  }

  locked = <T>(work: () => Promise<T>): Promise<T> => withLock(this.lockFolder, work);
}

/** Gives the server a store that it may write: a fresh volume belongs to root. */
export const makeStore = (engine: EngineAccess, container: string): Promise<void> =>
  putArchive(engine, container, DATA_FOLDER, [{ name: `${STORE}/`, type: "directory", mode: 0o700, uid: SERVER_UID }]);

import { extract, pack } from "tar-stream";
import { SERVER_UID } from "../../configs/container";
import { EngineAccess, statusOf, withEngine } from "./engine";

/** Files in containers, read and written through the engine's archive endpoint, whether the container runs or not. */

/** A file or a folder as it is put into a container. */
export interface Entry {
  /** Below the folder that it is put into; a folder's ends with a slash. */
  name: string;
  type: "file" | "directory";
  text?: string;
  mode: number;
  uid: number;
}

function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, type, text = "", mode, uid } of entries)
    archive.entry({ name, type, mode, uid, gid: SERVER_UID }, text);
  archive.finalize();
  return collected(archive);
}

async function collected(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The files of a tar archive of one folder, by their names in it. */
async function filesOf(archive: Buffer): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const reader = extract();
  reader.end(archive);
  for await (const entry of reader) {
    const content = await collected(entry as AsyncIterable<Buffer>);
    if (entry.header.type === "file") files.set(entry.header.name.replace(/^[^/]*\//, ""), content.toString("utf8"));
  }
  return files;
}

/** The files of a folder, by their names in it; of a file, that one by its name. */
export async function folderIn(engine: EngineAccess, container: string, path: string): Promise<Map<string, string>> {
  const archive = await withEngine(engine, async (docker) => {
    const stream = await docker.getContainer(container).getArchive({ path });
    return collected(stream as unknown as AsyncIterable<Buffer>);
  });
  return filesOf(archive);
}

/** One file; undefined where it is not there. */
export async function fileIn(engine: EngineAccess, container: string, path: string): Promise<string | undefined> {
  try {
    return [...(await folderIn(engine, container, path)).values()][0];
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Puts these there, in their order; what else is there stays. */
export async function putArchive(
  engine: EngineAccess,
  container: string,
  path: string,
  entries: Entry[],
): Promise<void> {
  const archive = await tarOf(entries);
  await withEngine(engine, (docker) => docker.getContainer(container).putArchive(archive, { path }));
}

/** Whether the container, or what is asked of it, is gone. */
export const isGone = (error: unknown): boolean => statusOf(error) === 404;

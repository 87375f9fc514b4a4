import { mkdtempSync, rmSync } from "node:fs";
import { type Server, createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extract, pack } from "tar-stream";

/** What a fake engine was asked. */
export interface Asked {
  /** Such as "POST /containers/hub/start". */
  readonly what: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A status and a body: bytes as they are, anything else as JSON. undefined: no answer at all. */
export type Answer = readonly [status: number, body?: unknown] | undefined;

export interface FakeDocker {
  /** `unix:///…` */
  readonly url: string;
  readonly socket: string;
  readonly asked: Asked[];
  /** A test puts its own in place. */
  answer: (asked: Asked) => Answer;
  /** Told of each connection. */
  opened: () => void;
}

/** Lets an HTTP server answer on a socket of its own, as an engine would, for each test of the suite. */
export function withFakeDocker(): FakeDocker {
  const fake: FakeDocker & { asked: Asked[] } = {
    url: "",
    socket: "",
    asked: [],
    answer: () => undefined,
    opened: () => undefined,
  };
  let folder: string;
  let server: Server;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-docker-"));
    Object.assign(fake, { socket: join(folder, "docker.sock"), url: `unix://${join(folder, "docker.sock")}` });
    Object.assign(fake, {
      asked: [],
      answer: () => [404, { message: "No such container: hub" }],
      opened: () => undefined,
    });
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { pathname, searchParams } = new URL(request.url ?? "", "http://docker");
        const query = Object.fromEntries(searchParams);
        const asked = { what: `${request.method} ${pathname}`, query, body: Buffer.concat(chunks) };
        fake.asked.push(asked);
        const answer = fake.answer(asked);
        if (answer === undefined) return;
        const [status, body] = answer;
        const bytes = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body);
        response.writeHead(status).end(bytes);
      });
    });
    server.on("connection", () => fake.opened());
    await new Promise<void>((resolve) => server.listen(fake.socket, resolve));
  });
  afterEach(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    rmSync(folder, { recursive: true, force: true });
  });
  return fake;
}

export interface Entry {
  readonly name: string;
  readonly type: string | null | undefined;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly text: string;
}

export async function entriesOf(archive: Buffer): Promise<Entry[]> {
  const entries: Entry[] = [];
  const reader = extract();
  reader.end(archive);
  for await (const entry of reader) {
    const { name, type, mode, uid, gid } = entry.header;
    let text = "";
    for await (const chunk of entry as AsyncIterable<Buffer>) text += chunk.toString("utf8");
    entries.push({ name, type, mode, uid, gid, text });
  }
  return entries;
}

/** What the archive endpoint gives of a folder: its own name comes first in each path. */
export async function archiveOf(folder: string, files: Readonly<Record<string, string>>): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: `${folder}/`, type: "directory" });
  for (const [name, text] of Object.entries(files)) archive.entry({ name: `${folder}/${name}` }, text);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { ConfigSyntaxError, Parsed, parse, readConfig } from "../../../../configs/format/parse";
import { Listens, Place, mappedConfig } from "../../../../doctor/files/mapped";
import { casesOf, environmentOf, writeCase } from "../../../support/cases/case-files";

const LISTENS: readonly Listens[] = ["client", "monitor", "leafnodes", "cluster", "gateway", "websocket", "mqtt"];

const PLACE: Place = {
  folder: "/rehearsal",
  ports: Object.fromEntries(LISTENS.map((listens, index) => [listens, 20_000 + index])) as Place["ports"],
  routes: [20_003],
  gateway: () => 20_004,
  pin: (pinned) => pinned,
  remotes: [{ ports: [20_010] }, { ports: [20_011] }, { ports: [20_012] }],
  file: (named) => `/rehearsal/${named.replaceAll("/", "_")}`,
};

/** Every text of a configuration, with the names of what it stands in. */
function texts(value: Parsed, path: string): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((item) => texts(item, path));
  if (typeof value === "object") return Object.entries(value).flatMap(([key, item]) => texts(item, `${path}.${key}`));
  return typeof value === "string" ? [[path, value]] : [];
}

describe("a configuration as its rehearsal runs it", () => {
  for (const one of [...casesOf("good"), ...casesOf("mistakes")]) {
    it(`has no address but loopback, and no path but the rehearsal's: ${one.kind}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-unit-"));
      try {
        const env = await environmentOf(one);
        for (const file of await writeCase(one, folder)) {
          const world = {
            readFile: (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : undefined),
            env: (name: string) => env[name],
          };
          let map;
          try {
            map = readConfig(readFileSync(file, "utf8"), file, world);
          } catch (error) {
            if (error instanceof ConfigSyntaxError) continue; // It is never rehearsed.
            throw error;
          }
          const written = parse(mappedConfig(map, PLACE));
          for (const [path, text] of texts(written, "")) {
            const where = `${relative(folder, file)}${path}: ${text}`;
            const [, host] = /^(?:[a-z-]+:\/\/)(?:[^/]*@)?(\[[^\]]*\]|[^:/@]*)/.exec(text) ?? [];
            if (host !== undefined) assert.equal(host, "127.0.0.1", where);
            if (/(^|\.)(listen|http)$/.test(path)) assert.match(text, /^127\.0\.0\.1:\d+$/, where);
            if (/_(dir|file)$|\.credentials$/.test(path)) assert.match(text, /^\/rehearsal\//, where);
          }
          for (const left of [
            "log_file",
            "pid_file",
            "syslog",
            "remote_syslog",
            "ports_file_dir",
            "host",
            "port",
            "advertise",
          ]) {
            assert.ok(!(left in written), `${left} is still there`);
          }
        }
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});

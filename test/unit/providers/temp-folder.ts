import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of its own for each test of the suite, gone afterwards. */
export function inTempFolder(): { path: (...parts: string[]) => string } {
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "nats-hub-leaf-unit-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return { path: (...parts) => join(folder, ...parts) };
}

/** Sets variables of the environment for each test of the suite; undefined takes one away. */
export function withEnvironment(variables: () => Record<string, string | undefined>): void {
  let before: Record<string, string | undefined> = {};
  const apply = (values: Record<string, string | undefined>) => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
  beforeEach(() => {
    const wanted = variables();
    before = Object.fromEntries(Object.keys(wanted).map((name) => [name, process.env[name]]));
    apply(wanted);
  });
  afterEach(() => apply(before));
}

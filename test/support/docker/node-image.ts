import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import type Dockerode from "dockerode";
import { build } from "./nats-images";

/** An image of Node.js without a registry: this machine's, with the libraries that it is linked to, and nothing else. */
export async function buildNodeImage(docker: Dockerode, tag: string): Promise<void> {
  const linked = execFileSync("ldd", [process.execPath], { encoding: "utf8" });
  const libraries = linked.split("\n").flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
  await build(
    docker,
    tag,
    [
      { name: "Dockerfile", content: 'FROM scratch\nENV PATH=/usr/local/bin\nCOPY root /\nCMD ["node"]\n' },
      { name: "root/usr/local/bin/node", content: fs.readFileSync(process.execPath), mode: 0o755 },
      ...libraries.map((file) => ({ name: `root${file}`, content: fs.readFileSync(file), mode: 0o755 })),
    ],
    {},
  );
}

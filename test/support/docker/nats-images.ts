import * as fs from "node:fs";
import type Dockerode from "dockerode";
import { pack } from "tar-stream";
import { findNatsServer } from "../../../servers/nats-server-binary";
import { olderServer } from "../fleets/older-server";

/**
 * The official images of nats-server without a registry: the same layout, made of this machine's binary. The plain one
 * holds nothing else; the other has a shell and the usual small tools.
 */

export interface NatsImages {
  readonly plain: string;
  readonly alpine: string;
}

const BUSYBOX = "/bin/busybox";
const TOOLS = {
  bin: ["sh", "cat", "chmod", "chown", "echo", "ls", "mkdir", "ps", "rm", "sleep"],
  "usr/bin": ["env", "id", "nc", "nslookup", "test", "timeout", "wc", "wget"],
};

const ENTRYPOINT = `#!/bin/sh
set -e
# Options alone are nats-server's.
case "\${1:--}" in -*) set -- nats-server "$@" ;; esac
exec "$@"
`;

const CONFIG = `port: 4222\nmonitor_port: 8222\n`;

export async function buildNatsImages(docker: Dockerode, suffix: string): Promise<NatsImages> {
  const { path: binary, version } = await findNatsServer();
  const [plain, alpine] = [`nats:${version}${suffix}`, `nats:${version}${suffix}-alpine`];
  // Makes the id differ.
  const labels = { revision: suffix };
  const program = fs.readFileSync(binary);
  await build(docker, plain, plainFiles(program), labels);
  await build(docker, alpine, alpineFiles(program), labels);
  return { plain, alpine };
}

/** An image of a server that calls itself an older one. */
export const buildOlderImage = async (docker: Dockerode, tag: string): Promise<void> =>
  build(docker, tag, plainFiles(await olderServer()), {});

/** A file of an image, by its name in the folder of the Dockerfile. */
export interface File {
  readonly name: string;
  readonly content?: string | Buffer;
  readonly linksTo?: string;
  readonly mode?: number;
}

const plainFiles = (program: Buffer): File[] => [
  {
    name: "Dockerfile",
    content: [
      "FROM scratch",
      'ENV PATH="$PATH:/"',
      "COPY root /",
      "EXPOSE 4222 8222 6222",
      'ENTRYPOINT ["/nats-server"]',
      'CMD ["--config", "nats-server.conf"]',
    ].join("\n"),
  },
  { name: "root/nats-server", content: program, mode: 0o755 },
  { name: "root/nats-server.conf", content: CONFIG },
];

function alpineFiles(program: Buffer): File[] {
  if (!fs.existsSync(BUSYBOX)) {
    throw new Error(`${BUSYBOX} was not found (Debian package busybox-static): the image with a shell is made of it`);
  }
  const links = Object.entries(TOOLS).flatMap(([folder, tools]) => tools.map((tool) => `${folder}/${tool}`));
  return [
    {
      name: "Dockerfile",
      content: [
        "FROM scratch",
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "COPY root /",
        "EXPOSE 4222 8222 6222",
        'ENTRYPOINT ["docker-entrypoint.sh"]',
        'CMD ["nats-server", "--config", "/etc/nats/nats-server.conf"]',
      ].join("\n"),
    },
    { name: "root/usr/local/bin/nats-server", content: program, mode: 0o755 },
    { name: "root/usr/local/bin/docker-entrypoint.sh", content: ENTRYPOINT, mode: 0o755 },
    { name: "root/etc/nats/nats-server.conf", content: CONFIG },
    { name: "root/etc/passwd", content: "root:x:0:0:root:/root:/bin/sh\n" },
    { name: "root/etc/group", content: "root:x:0:\n" },
    { name: "root/tmp/.keep", content: "" },
    { name: "root/bin/busybox", content: fs.readFileSync(BUSYBOX), mode: 0o755 },
    ...links.map((name) => ({ name: `root/${name}`, linksTo: "/bin/busybox" })),
  ];
}

/** Errors: with what the engine says. */
export async function build(
  docker: Dockerode,
  tag: string,
  files: readonly File[],
  labels: Record<string, string>,
): Promise<void> {
  const context = pack();
  for (const { name, content = "", linksTo, mode = 0o644 } of files) {
    if (linksTo === undefined) context.entry({ name, mode }, content);
    else context.entry({ name, type: "symlink", linkname: linksTo });
  }
  context.finalize();
  const progress = await docker.buildImage(context, { t: tag, labels });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(progress, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}

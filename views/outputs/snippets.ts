import { DeployedFleet, DeployedSite, exampleSubject } from "./deployed";

/** How an application at a site connects. The seed comes from a file whose name is in NATS_SEED_FILE, never from the text. */

export interface Snippet {
  title: string;
  /** The name after the fence in Markdown. */
  language: "sh" | "ts" | "go";
  text: string;
}

/** Everything is quoted in the same way in TypeScript and Go, and URLs and subjects hold nothing that needs more. */
const quoted = (text: string): string => JSON.stringify(text);

function nats({ url }: DeployedSite, subject: string): Snippet {
  const text = `nats --no-context --server ${url} --nkey "$NATS_SEED_FILE" pub ${subject} hello --jetstream`;
  return { title: "nats CLI", language: "sh", text };
}

function typescript({ url }: DeployedSite, subject: string): Snippet {
  const text = `import { readFileSync } from "node:fs";
import { connect, nkeyAuthenticator } from "@nats-io/transport-node";
import { jetstream } from "@nats-io/jetstream";

${publishing(url, subject, "jetstream(connection)")}`;
  return { title: "TypeScript (npm packages @nats-io/transport-node and @nats-io/jetstream)", language: "ts", text };
}

/** The package before it was divided; many applications have it. */
function olderTypescript({ url }: DeployedSite, subject: string): Snippet {
  const text = `import { readFileSync } from "node:fs";
import { connect, nkeyAuthenticator } from "nats";

${publishing(url, subject, "connection.jetstream()")}`;
  return { title: "TypeScript (npm package nats, 2.x)", language: "ts", text };
}

const publishing = (url: string, subject: string, jetStream: string): string => `async function main() {
  const seed = readFileSync(process.env.NATS_SEED_FILE!, "utf8").trim();
  const connection = await connect({
    servers: ${quoted(url)},
    authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)),
    maxReconnectAttempts: -1,
  });
  const { stream, seq } = await ${jetStream}.publish(${quoted(subject)}, "hello");
  console.log(\`stored in \${stream} as \${seq}\`);
  await connection.drain();
}

void main();`;

function go({ url }: DeployedSite, subject: string): Snippet {
  const text = `package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func main() {
	key, err := nats.NkeyOptionFromSeed(os.Getenv("NATS_SEED_FILE"))
	if err != nil {
		log.Fatal(err)
	}
	connection, err := nats.Connect(${quoted(url)}, key, nats.MaxReconnects(-1))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	js, err := jetstream.New(connection)
	if err != nil {
		log.Fatal(err)
	}
	ack, err := js.Publish(context.Background(), ${quoted(subject)}, []byte("hello"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("stored in %s as %d\\n", ack.Stream, ack.Sequence)
}`;
  return { title: "Go (module github.com/nats-io/nats.go)", language: "go", text };
}

/** How to publish to the fleet's first stream at the site. */
export function snippetsOf({ streams }: DeployedFleet, site: DeployedSite): Snippet[] {
  const subject = exampleSubject(streams[0]?.subjects[0] ?? ">");
  return [nats, typescript, olderTypescript, go].map((write) => write(site, subject));
}

/** The snippets as a piece of Markdown. */
export const snippetsText = (snippets: readonly Snippet[]): string =>
  snippets.map(({ title, language, text }) => `${title}:\n\n\`\`\`${language}\n${text}\n\`\`\`\n`).join("\n");

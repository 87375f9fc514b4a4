/** The file of a new stack: the smallest fleet that works anywhere, with what most environments change next to it. */
export function stackTemplate({
  stack,
  state,
  secretsProvider,
}: {
  stack: string;
  state?: string;
  secretsProvider?: string;
}): string {
  const kept =
    state === undefined
      ? `  # Where the state is kept, when other people or machines work on this stack too (s3, azblob, gs, file, https):
  # nats-hub-leaf:state: s3://bucket?region=eu-north-1
`
      : `  # Where the state is kept.
  nats-hub-leaf:state: ${JSON.stringify(state)}
`;
  const provider = secretsProvider === undefined ? "" : `secretsprovider: ${JSON.stringify(secretsProvider)}\n`;
  return `# Environment '${stack}'. What environments are: docs/environments.md; all settings: docs/settings.md.
# yaml-language-server: $schema=configs/schema/stack.json
config:
${kept}  # Nothing deletes what holds data or keys, and every change asks for CONFIRM=${stack}:
  # nats-hub-leaf:protect: true

  # Servers are processes on this machine. To run them in Docker containers, which restart on their own:
  # nats-hub-leaf:runtime: docker
  # Encrypted links, verified at both ends, with certificates of the stack's own CA:
  # nats-hub-leaf:links: { tls: generated }

  nats-hub-leaf:sites:
    - name: oslo
    - name: bergen
  # For many sites: a table instead of the list above.
  # nats-hub-leaf:sitesFile: sites.csv

  # Kept at every site, and collected on the hub in a stream of the site's own account.
  nats-hub-leaf:streams:
    - name: EVENTS
      subjects: ["events.>"]
${provider}`;
}

/** Where `watch` runs, and as whom. */
export interface WatchService {
  stack: string;
  /** Node, and the command's own file. */
  command: readonly [node: string, file: string];
  /** The project's folder. */
  project: string;
  /** Pulumi's home. */
  home: string;
  user: string;
}

/** A word as systemd reads it: without expansion. */
const word = (text: string): string => {
  const plain = text.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[A-Za-z0-9_@%+=:,./$-]+$/.test(plain) ? plain : `"${plain.replace(/["\\]/g, "\\$&")}"`;
};

/** A path in a directive that takes one path, quotes included. */
const path = (text: string): string => text.replaceAll("%", "%%");

/** `nats-hub-leaf watch` as a systemd unit. The stack's passphrase is a credential of it, and stands in none of its lines. */
export function watchUnit({ stack, command, project, home, user }: WatchService): string {
  const name = stack.replaceAll("%", "%%");
  return `# /etc/systemd/system/nats-hub-leaf-watch-${stack}.service
# The stack's passphrase stands in /etc/nats-hub-leaf/${stack}.passphrase (owner root, mode 0600).
# What else Pulumi needs to reach the state, such as the keys of a bucket, stands in /etc/nats-hub-leaf/${stack}.env (the same).
[Unit]
Description=Watch the links of the NATS hub of stack ${name}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
User=${user}
WorkingDirectory=${path(project)}
ExecStart=${[...command, "watch", "--stack", stack].map(word).join(" ")}
Restart=always
RestartSec=5
LoadCredential=passphrase:/etc/nats-hub-leaf/${name}.passphrase
Environment=PULUMI_CONFIG_PASSPHRASE_FILE=%d/passphrase
Environment=${word(`PULUMI_HOME=${home}`)}
EnvironmentFile=-/etc/nats-hub-leaf/${name}.env

# It reads the state and connects to the hub; it needs no other right. (Node.js compiles at run time, so
# MemoryDenyWriteExecute cannot be set.)
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
`;
}

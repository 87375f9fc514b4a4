#!/usr/bin/env bash
# A fleet of processes with the settings of another stack: brought up, proven, looked at, and taken down again whatever
# happens. Killed, the same command goes on from there.
#   ephemeral.sh <stack> [stack of processes whose settings it takes, default dev]
set -euo pipefail
stack=$1 from=${2:-dev}
file="Pulumi.$stack.yaml"
mark="# An ephemeral stack of \`make ephemeral\`."

refuse() {
  echo "$1" >&2
  exit 1
}
[[ -f Pulumi.$from.yaml ]] || refuse "Pulumi.$from.yaml: there is none to take the settings from; name a stack with FROM=…"
if [[ -f $file && $(head -n 1 "$file") != "$mark" ]]; then
  refuse "stack '$stack' is not ephemeral: $file was not written by this command, which would take its fleet down; choose another STACK"
fi
if grep -q 'secure:' "Pulumi.$from.yaml"; then
  refuse "Pulumi.$from.yaml has encrypted values, which another stack cannot read; name a stack without with FROM=…"
fi
node_modules/.bin/ts-node --transpile-only commands/ephemeral/ephemeral.ts "$from"

# A passphrase that is thrown away with the stack; kept until then, for a second run after this one was killed.
passphrase=$PWD/.state/$stack.passphrase
if [[ ! -s $passphrase ]]; then
  mkdir -p .state
  (umask 077 && head -c 24 /dev/urandom | base64 >"$passphrase")
fi
unset PULUMI_CONFIG_PASSPHRASE
export PULUMI_CONFIG_PASSPHRASE_FILE=$passphrase

takeDown() {
  local status=$?
  trap - EXIT
  make down STACK="$stack" DISCARD=1 && rm -f "$file" "$passphrase" || status=1
  exit "$status"
}
trap takeDown EXIT
trap 'exit 130' INT TERM

# Without what encrypts the other stack's secrets: this one gets its own.
{ echo "$mark" && grep -vE '^(encryptionsalt|encryptedkey|secretsprovider):' "Pulumi.$from.yaml"; } >"$file"
make up STACK="$stack"
make preview STACK="$stack" ARGS=--expect-no-changes
make doctor STACK="$stack"

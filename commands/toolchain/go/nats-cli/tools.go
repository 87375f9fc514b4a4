//go:build tools

// Package tools keeps the program that commands/toolchain/test-tools.ts builds in go.mod: `go mod tidy` would drop it otherwise.
package tools

import _ "github.com/nats-io/natscli/nats"

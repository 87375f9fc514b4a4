//go:build tools

// Package tools keeps the program that commands/toolchain/install.ts builds in go.mod: `go mod tidy` would drop it otherwise.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"

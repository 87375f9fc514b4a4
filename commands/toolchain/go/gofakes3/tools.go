//go:build tools

// Package tools keeps the program that the tests build in go.mod: `go mod tidy` would drop it otherwise.
package tools

import _ "github.com/johannesboyne/gofakes3/cmd/gofakes3"

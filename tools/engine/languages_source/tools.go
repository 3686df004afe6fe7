//go:build tools

// Package tools names what this module is for: the language host of YAML programs, as it is.
package tools

import _ "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"

// Generates the TypeScript SDK of a package from its schema, as `pulumi package add` does: the language host of
// TypeScript programs, which would do it, is in no Go module that can be downloaded.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate-sdk FOLDER < SCHEMA")
		os.Exit(2)
	}
	if err := generate(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate(folder string) error {
	var spec schema.PackageSpec
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&spec); err != nil {
		return err
	}
	pkg, diagnostics, err := schema.BindSpec(spec, schema.NewCachedLoader(nil), schema.ValidationOptions{})
	if err != nil {
		return err
	}
	if len(diagnostics) > 0 {
		return diagnostics // a warning too: the schema is ours
	}
	files, err := nodejs.GeneratePackage("the tests", pkg, nil, nil, true, nil)
	if err != nil {
		return err
	}
	for name, text := range files {
		if filepath.Dir(name) == "types" { // of this release, Go 1.26 makes paths that begin one folder too low
			text = bytes.ReplaceAll(text, []byte(`"./types/`), []byte(`"../types/`))
			text = bytes.ReplaceAll(text, []byte(`"./utilities"`), []byte(`"../utilities"`))
		}
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

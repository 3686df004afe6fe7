package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// lingering is how long the output of a finished process is still read when a process it started holds the pipe open.
const lingering = 5 * time.Second

// python is the interpreter that a program asks for: the one of its virtualenv, or the one on PATH.
type python struct {
	path string
	env  []string // what the environment needs besides the caller's, to stand for an activated virtualenv
}

// findPython reads the runtime options `virtualenv` and `toolchain` of Pulumi.yaml or PulumiPolicy.yaml.
func findPython(info *pulumirpc.ProgramInfo) (python, error) {
	options := info.GetOptions().GetFields()
	venv := options["virtualenv"].GetStringValue()
	switch toolchain := options["toolchain"].GetStringValue(); {
	case toolchain != "" && toolchain != "pip" && toolchain != "uv":
		return python{}, fmt.Errorf("the 'toolchain' option is %q; this language host knows 'pip' and 'uv'", toolchain)
	case toolchain == "uv" && venv == "":
		venv = ".venv"
	}
	if venv == "" {
		return pythonOnPath()
	}
	if !filepath.IsAbs(venv) {
		venv = filepath.Join(info.GetRootDirectory(), venv)
	}
	scripts, name := "bin", "python"
	if runtime.GOOS == "windows" {
		scripts, name = "Scripts", "python.exe"
	}
	path := filepath.Join(venv, scripts, name)
	if _, err := os.Stat(path); err != nil {
		return python{}, fmt.Errorf("the 'virtualenv' option names %q, and there is no Python in it: %w", venv, err)
	}
	search := filepath.Join(venv, scripts) + string(os.PathListSeparator) + os.Getenv("PATH")
	return python{path: path, env: []string{"VIRTUAL_ENV=" + venv, "PATH=" + search, "PYTHONHOME="}}, nil
}

func pythonOnPath() (python, error) {
	if path := os.Getenv("PULUMI_PYTHON_CMD"); path != "" {
		return python{path: path}, nil
	}
	for _, name := range []string{"python3", "python"} {
		if path, err := exec.LookPath(name); err == nil {
			return python{path: path}, nil
		}
	}
	return python{}, fmt.Errorf("no python3 on PATH; set the 'virtualenv' option of the runtime, or install Python 3")
}

// command prepares a run of the interpreter in a process group of its own. When the context ends, the whole group is
// killed: a program may have started processes that would otherwise outlive the operation.
func (p python) command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Env = append(append([]string{}, env...), p.env...)
	cmdutil.RegisterProcessGroup(cmd)
	cmd.Cancel = func() error { return cmdutil.KillChildren(cmd.Process.Pid) }
	cmd.WaitDelay = lingering
	return cmd
}

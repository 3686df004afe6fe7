package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// shownItsError is the exit code of a program that has already shown the reason of its failure.
const shownItsError = 32

// host answers the engine's requests.
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	life    context.Context // ends when the host is to stop; every child ends with it
	engine  string
	tracing string
}

// bound is a context that ends with the request or with the host, whichever comes first.
func (h *host) bound(request context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(request)
	release := context.AfterFunc(h.life, cancel)
	return ctx, func() { release(); cancel() }
}

func (h *host) Handshake(
	_ context.Context, req *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.engine = req.EngineAddress // the first call, before any other one is made
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: strings.TrimPrefix(version.Version, "v")}, nil
}

// GetRequiredPackages is empty: a dynamic provider lives in the program's own virtualenv, so there is no plugin to
// fetch before a run.
func (h *host) GetRequiredPackages(
	context.Context, *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

// Run runs a Pulumi program to its end.
func (h *host) Run(ctx context.Context, req *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	ctx, cancel := h.bound(ctx)
	defer cancel()
	env, err := programEnvironment(req)
	if err != nil {
		return nil, err
	}
	interpreter, err := findPython(req.Info)
	if err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{
		"-u", filepath.Join(filepath.Dir(self), "pulumi-language-python-exec"),
		"--monitor", req.MonitorAddress, "--engine", h.engine,
		"--project", req.Project, "--stack", req.Stack, "--organization", req.Organization,
		"--root_directory", req.Info.GetRootDirectory(), "--pwd", req.Pwd,
		"--dry_run", fmt.Sprint(req.DryRun), "--parallel", fmt.Sprint(req.Parallel),
	}
	if h.tracing != "" {
		args = append(args, "--tracing", h.tracing)
	}
	args = append(args, filepath.Join(req.Info.GetProgramDirectory(), req.Info.GetEntryPoint()))
	cmd := interpreter.command(ctx, env, append(args, req.Args...)...)
	// The engine shows both streams under Diagnostics. They are handed over as they are, not piped: -u above keeps
	// the order of lines.
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return &pulumirpc.RunResponse{}, nil
	case ctx.Err() != nil:
		return &pulumirpc.RunResponse{Error: "the program was stopped"}, nil
	case errors.As(err, &exit) && exit.ExitCode() == shownItsError:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("program exited with non-zero exit code: %d", exit.ExitCode())}, nil
	case errors.As(err, &exit):
		return &pulumirpc.RunResponse{Error: "program was ended by a signal: " + exit.String()}, nil
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("cannot run %s: %v", interpreter.path, err)}, nil
	}
}

// programEnvironment is the host's environment with the stack's configuration, as the SDK expects it.
func programEnvironment(req *pulumirpc.RunRequest) ([]string, error) {
	config, secretKeys := req.Config, req.ConfigSecretKeys
	if config == nil {
		config = map[string]string{} // marshals as {}, where a nil map would be null
	}
	if secretKeys == nil {
		secretKeys = []string{}
	}
	values, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	keys, err := json.Marshal(secretKeys)
	if err != nil {
		return nil, err
	}
	return append(os.Environ(), "PULUMI_CONFIG="+string(values), "PULUMI_CONFIG_SECRET_KEYS="+string(keys)), nil
}

// oneAtATime sends one answer at a time: gRPC forbids sends in parallel, and a plugin writes to two streams.
type oneAtATime struct {
	pulumirpc.LanguageRuntime_RunPluginServer
	turn sync.Mutex
}

func (s *oneAtATime) Send(response *pulumirpc.RunPluginResponse) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.LanguageRuntime_RunPluginServer.Send(response)
}

// RunPlugin runs a Python plugin, such as a policy pack, until it or the request ends.
func (h *host) RunPlugin(req *pulumirpc.RunPluginRequest, stream pulumirpc.LanguageRuntime_RunPluginServer) error {
	server := &oneAtATime{LanguageRuntime_RunPluginServer: stream}
	ctx, cancel := h.bound(server.Context())
	defer cancel()
	interpreter, err := findPython(req.Info)
	if err != nil {
		return err
	}
	program := req.Info.GetProgramDirectory()
	args := append([]string{"-u", program}, req.Args...)
	if req.Kind == "analyzer" {
		args = append(append([]string{"-u", "-m", "pulumi.policy"}, req.Args...), program)
	}
	closer, stdout, stderr, err := rpcutil.MakeRunPluginStreams(server, false)
	if err != nil {
		return err
	}
	defer func() { _ = closer.Close() }()
	cmd := interpreter.command(ctx, req.Env, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = req.Pwd, stdout, stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil // it ended well; only a process that it had started still held its output
	}
	if errors.As(err, &exit) && ctx.Err() == nil {
		return server.Send(&pulumirpc.RunPluginResponse{
			Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(exit.ExitCode())},
		})
	}
	return err
}

// About names the interpreter and its version for `pulumi about`.
func (h *host) About(ctx context.Context, req *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	interpreter, err := findPython(req.Info)
	if err != nil {
		return nil, err
	}
	out, err := interpreter.command(ctx, os.Environ(),
		"-c", "import platform; print(platform.python_version())").Output()
	if err != nil {
		return nil, fmt.Errorf("cannot ask %s for its version: %w", interpreter.path, err)
	}
	return &pulumirpc.AboutResponse{Executable: interpreter.path, Version: strings.TrimSpace(string(out))}, nil
}

// distributions lists what is installed, without pip: a virtualenv need not have it. Packages that another one
// requires are left out unless all are asked for.
const distributions = `
import json, re, sys
from importlib.metadata import distributions
name = lambda text: re.sub(r"[-_.]+", "-", text).lower()
found = {name(d.name): d for d in distributions()}
inner = {name(re.match(r"[\w.-]+", r).group()) for d in found.values() for r in d.requires or () if "extra ==" not in r}
print(json.dumps([[d.name, d.version] for n, d in sorted(found.items()) if sys.argv[1] == "all" or n not in inner]))
`

// GetProgramDependencies lists the packages of the program's virtualenv for `pulumi about` and for the record of an
// update.
func (h *host) GetProgramDependencies(
	ctx context.Context, req *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	interpreter, err := findPython(req.Info)
	if err != nil {
		return nil, err
	}
	which := "direct"
	if req.TransitiveDependencies {
		which = "all"
	}
	out, err := interpreter.command(ctx, os.Environ(), "-c", distributions, which).Output()
	if err != nil {
		return nil, fmt.Errorf("cannot list the packages of %s: %w", interpreter.path, err)
	}
	var pairs [][2]string
	if err := json.Unmarshal(out, &pairs); err != nil {
		return nil, fmt.Errorf("cannot read the packages of %s: %w", interpreter.path, err)
	}
	response := &pulumirpc.GetProgramDependenciesResponse{}
	for _, pair := range pairs {
		response.Dependencies = append(response.Dependencies,
			&pulumirpc.DependencyInfo{Name: pair[0], Version: pair[1]})
	}
	return response, nil
}

// InstallDependencies is left to the virtualenv's owner; a folder without requirements, as of our plugins, needs nothing.
func (h *host) InstallDependencies(
	req *pulumirpc.InstallDependenciesRequest, _ pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	for _, name := range []string{"requirements.txt", "pyproject.toml"} {
		if _, err := os.Stat(filepath.Join(req.Info.GetProgramDirectory(), name)); err == nil {
			return status.Error(codes.Unimplemented,
				"this language host installs nothing; install the project's requirements into its virtualenv with pip or uv")
		}
	}
	return nil
}

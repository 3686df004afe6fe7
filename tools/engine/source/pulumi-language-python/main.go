// A small Python language host for the Pulumi engine.
//
// Pulumi's release archives carry the full host. This one is for machines that build the engine from source: it runs
// a Python program and a Python plugin (a policy pack), answers `pulumi about`, and installs or generates nothing.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// healthInterval is how often the host asks whether the engine still lives; without an answer it stops, so that a
// killed engine leaves no host behind.
const healthInterval = 15 * time.Second

func main() {
	tracing := flag.String("tracing", "", "address of a Zipkin-compatible endpoint, handed to the program")
	// Older engines hand runtime options over as flags, too. The requests carry them all; the flags must only parse.
	for _, name := range []string{"root", "typechecker", "toolchain", "virtualenv"} {
		flag.String(name, "", "taken from the request instead")
	}
	flag.Parse()
	if err := serve(flag.Arg(0), *tracing); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve answers the engine at the given address until a signal comes or the engine is gone.
func serve(engine, tracing string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if engine != "" {
		if err := rpcutil.Healthcheck(ctx, engine, healthInterval, stop); err != nil {
			return fmt.Errorf("cannot watch the engine at %q: %w", engine, err)
		}
	}
	cancel := make(chan bool)
	go func() {
		<-ctx.Done()
		close(cancel)
	}()
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, &host{life: ctx, engine: engine, tracing: tracing})
			return nil
		},
	})
	if err != nil {
		return err
	}
	fmt.Println(handle.Port) // the engine reads the port from the first line
	return <-handle.Done
}

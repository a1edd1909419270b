// Command savepage is the program: a server that turns web pages into pictures, and the commands beside it. It reads
// settings, joins the parts and waits for them. It decides nothing about captures.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage/internal/clock"
)

// The exit codes of every command.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
	exitPartial = 3 // of a batch: some pictures, but not all
)

func main() { os.Exit(mainCode()) }

// mainCode runs the program in the environment of the process.
func mainCode() int {
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals()...)
	defer stop()
	// Commands that render would let servers of pages write to the terminal; serve has a log for it.
	defer takeStandardLog(slog.New(slog.DiscardHandler))()
	// After the first signal the second one ends the process at once.
	context.AfterFunc(ctx, stop)
	return execute(ctx, os.Args[1:], environment{out: os.Stdout, err: os.Stderr, in: os.Stdin, environ: os.Environ(), clock: systemClock()})
}

// stopSignals end a command in order. A terminal that closes sends SIGHUP, unless the command was started with nohup.
func stopSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// environment is what a command may touch of the process around it.
type environment struct {
	out, err io.Writer
	in       io.Reader
	environ  []string
	clock    *clock.Clock // nil: the machine's
}

// usageError is a fault of the command line, not of the work.
type usageError struct{ error }

// Unwrap returns the fault itself.
func (e usageError) Unwrap() error { return e.error }

// errSilent ends a command with exit code 1 when the command has printed the failures.
var errSilent = errors.New("failed")

// errPartial ends a batch of which some failed; the command has printed the failures.
var errPartial = errors.New("some failed")

// execute runs one command and returns the exit code.
func execute(ctx context.Context, args []string, env environment) int {
	started := false
	env.clock = env.clock.Or()
	root := newRoot(env) //nolint:contextcheck // commands take the context that ExecuteContext gives them
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if group, rest, notFound := root.Find(args); notFound != nil {
		err = unknownCommand(group, slices.DeleteFunc(rest, func(arg string) bool { return strings.HasPrefix(arg, "-") }))
	}
	if errors.Is(err, errPartial) {
		return exitPartial
	}
	if !errors.Is(err, errSilent) {
		_, _ = fmt.Fprintln(env.err, "savepage:", err)
	}
	_, wrongUse := errors.AsType[usageError](err)
	_, wrongSettings := errors.AsType[settingsError](err)
	if !started || wrongUse || wrongSettings {
		return exitUsage
	}
	return exitFailure
}

func newRoot(env environment) *cobra.Command {
	root := &cobra.Command{
		Use:           "savepage",
		Short:         "Turns web pages into pictures",
		Version:       orUnknown(readBuild().Version),
		Long:          "SavePage turns web pages into pictures: as an HTTP service with signed callbacks, or directly from the command line.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(env.out)
	root.SetErr(env.err)
	root.SetIn(env.in)
	root.SetVersionTemplate("savepage {{.Version}}\n")
	root.SetUsageFunc(usage(env.out))
	root.SetFlagErrorFunc(flagError)
	addGroups(root)
	root.AddCommand(inGroup(groupCapture, newCapture(env), newBatch(env), newMCP(env), newDevices(env))...)
	root.AddCommand(inGroup(groupServe, newServe(env), newDoctor(env), newHealth(env))...)
	root.AddCommand(inGroup(groupKeys, newKey(env), newAccount(env), newWebhook(env), newLink(env))...)
	root.AddCommand(inGroup(groupData, newBackup(env), newRestore(env), newMigrate(env), newCompact(env), newNodes(env), newAdopt(env))...)
	root.AddCommand(inGroup(groupMore, newVersion(env), newManpage(), newDocs(), newJail(), newChecker())...)
	addExamples(root)
	nameArguments(root)
	completeValues(root)
	return root
}

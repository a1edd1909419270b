package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/guard"
)

// maxParallel is how many pages a batch renders at once at most.
const maxParallel = 64

func newBatch(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "batch FILE",
		Short: "Capture many pages without a server",
		Long: "Captures each page listed in FILE, or in standard input for -, without a server. A line is a URL, or a JSON object of\n" +
			"options, which override the flags. Empty lines and lines that begin with # are skipped.\n" +
			"Pictures are named after their line and page. report.jsonl in the same folder has a line for each capture. A capture\n" +
			"that succeeded with the same options, and whose file is still there, is not repeated: run the same command again to\n" +
			"continue where it stopped.\n" +
			"The exit code is 0 when all succeeded, 3 when some failed, 1 when none succeeded.",
		Args: cobra.ExactArgs(1),
	}
	output := cmd.Flags().StringP("output", "o", "", "folder for the pictures and the report")
	parallel := cmd.Flags().Int("parallel", 0, fmt.Sprintf("pages rendered at once, 1 to %d (default: from cores and memory)", maxParallel))
	restart := cmd.Flags().Bool("restart", false, "ignore the report and capture every page again")
	addOptionFlags(cmd.Flags(), "html")
	addSettingFlags(cmd.Flags(), "EGRESS_ALLOW", "BROWSER", "SANDBOX", "USER_AGENT_SUFFIX")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := loadSettings(cmd.Flags(), env.environ)
		if err != nil {
			return err
		}
		if !cmd.Flags().Changed("parallel") {
			*parallel = min(bounds(s).Usual, maxParallel)
		}
		if *parallel < 1 || *parallel > maxParallel {
			return usageError{fmt.Errorf("--parallel is %d: want 1 to %d", *parallel, maxParallel)}
		}
		if *output == "" {
			return usageError{errors.New("-o is missing: name the folder for the pictures")}
		}
		common, err := givenOptions(cmd.Flags(), env.in)
		if err != nil {
			return usageError{err}
		}
		list, err := readBatchFile(args[0], common, env.in)
		if err != nil {
			return usageError{err}
		}
		return takeBatch(cmd.Context(), s, batchOrder{list, *output, *parallel, *restart}, env)
	}
	return cmd
}

// batchOrder holds the arguments of a batch command.
type batchOrder struct {
	list     []batchEntry
	dir      string
	parallel int
	restart  bool
}

// takeBatch captures what the report does not have yet.
func takeBatch(ctx context.Context, s Settings, o batchOrder, env environment) (err error) {
	report, err := openReport(o.dir, o.restart)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, report.close()) }()
	var open []batchEntry
	for _, e := range o.list {
		if !report.has(e) {
			open = append(open, e)
		}
	}
	b := &batchRun{report: report, kept: len(o.list) - len(open), total: len(o.list)}
	if len(open) > 0 {
		policy := guard.New(s.guard(nil))
		if b.renderer, err = startRenderer(ctx, s, policy, min(o.parallel, len(open)), slog.New(slog.DiscardHandler)); err != nil {
			return err
		}
		b.progress = newBatchProgress(env.err, b.kept, b.total)
		err = b.work(ctx, open, o.parallel)
		b.progress.end()
		err = errors.Join(err, b.renderer.close())
	}
	if err != nil {
		return err
	}
	return b.outcome(ctx, o.dir, env.err)
}

// batchRun is a batch under way.
type batchRun struct {
	renderer *renderer
	report   *batchReport
	progress *batchProgress

	kept, total int // from an earlier run; in all
	mu          sync.Mutex
	succeeded   int
	failed      []reportLine
}

// work hands the entries to so many workers and waits for them. It ends early with the context, or when no
// result can be recorded any more.
func (b *batchRun) work(outer context.Context, open []batchEntry, parallel int) error {
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(nil)
	next := make(chan batchEntry)
	var workers sync.WaitGroup
	for range min(parallel, len(open)) {
		workers.Go(func() {
			for e := range next {
				if err := b.one(ctx, e); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, e := range open {
		select {
		case next <- e:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	workers.Wait()
	if outer.Err() != nil {
		return nil // outcome reports it
	}
	return context.Cause(ctx)
}

// one captures a page and records the result. It returns an error when the folder cannot be written.
func (b *batchRun) one(ctx context.Context, e batchEntry) error {
	began := time.Now()
	shot, err := b.renderer.renderWithRetries(ctx, e.options)
	if ctx.Err() != nil {
		return shot.Close() // it was cut off: the next run takes it
	}
	line := reportLine{Index: e.index, URL: e.options.URL, Options: e.key, Status: savepage.Failed}
	if err == nil {
		line.Status, line.File, line.Width, line.Height = savepage.Success, e.file, shot.Width, shot.Height
		if line.Size, err = b.report.store(e.file, shot.Reader()); err != nil {
			return errors.Join(err, shot.Close())
		}
	}
	if closed := shot.Close(); closed != nil {
		return closed
	}
	if err != nil {
		fault, known := errors.AsType[*savepage.Error](err)
		if !known {
			fault = savepage.Errorf(savepage.CodeInternal, "%s", err)
		}
		line.Error = fault
	}
	line.MS = time.Since(began).Milliseconds()
	if err := b.report.add(line); err != nil {
		return err
	}
	b.count(line)
	return nil
}

func (b *batchRun) count(line reportLine) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if line.Status == savepage.Success {
		b.succeeded++
	} else {
		b.failed = append(b.failed, line)
	}
	b.progress.report(line)
}

// maxListed is how many faults are printed.
const maxListed = 20

// outcome prints the result of the batch and returns the error that decides the exit code.
func (b *batchRun) outcome(ctx context.Context, dir string, stderr io.Writer) error {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(stderr, format+"\n", args...) }
	if b.progress != nil && b.progress.bar != nil { // plain output has printed them already
		for _, line := range b.failed[:min(len(b.failed), maxListed)] {
			say("%s", failureText(line))
		}
		if more := len(b.failed) - maxListed; more > 0 {
			say("and %d more", more)
		}
	}
	good := b.kept + b.succeeded
	summary := fmt.Sprintf("%d of %d pictures in %s", good, b.total, dir)
	if b.kept > 0 {
		summary += fmt.Sprintf(", %d of them from earlier runs", b.kept)
	}
	if len(b.failed) > 0 {
		summary += fmt.Sprintf("; %d failed, see %s", len(b.failed), filepath.Join(dir, reportName))
	}
	say("%s", summary)
	switch {
	case ctx.Err() != nil:
		say("stopped: run the same command again to continue")
		return errSilent
	case good == b.total:
		return nil
	case good == 0:
		return errSilent
	default:
		return errPartial
	}
}

// openList opens the file of a batch.
func openList(name string, stdin io.Reader) (io.ReadCloser, error) {
	if name == toStdout {
		return io.NopCloser(stdin), nil
	}
	return os.Open(name)
}

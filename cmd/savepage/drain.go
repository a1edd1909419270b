package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/savepage/savepage/internal/webhook"
)

// drainStep is one step from serving to the end. A part that the start did not reach, or that the roles do not need, has
// nothing to do in its step.
type drainStep struct {
	name string
	run  func(context.Context) error
}

// drainSteps is the order in which a server stops, each step with why it stands where it does. A step begins when the
// one before it has returned, also after an error.
func (n *node) drainSteps() []drainStep {
	return []drainStep{
		// 1. While connections still stand: a client that is refused with shutting_down can ask another server at once,
		// one that waits for a picture gets its 202, and event streams end. Look-ups are answered as before.
		{"refuse new captures", done(n.refuse)},
		// 2. Queued captures and deliveries stay where they are. The grace period of those under way begins here, so that
		// it passes together with the one of requests.
		{"start no more work", done(n.stopWork)},
		// 3. Answers need the ledger, the pictures and for a test callback the sender, so requests end before those do.
		{"finish requests", n.finishRequests},
		// 4. A capture that ends within the grace period is not rendered twice. The others are given back without using
		// an attempt; a delivery that is cut off stays owed. Both need the ledger.
		{"finish running work", n.finishWork},
		// 5. Nobody makes an attempt any more.
		{"close connections to receivers", done(n.closeSenders)},
		// 6. Nobody renders any more. What a browser wrote into its profile folder goes with it.
		{"close browsers", func(context.Context) error { return closeOpen(n.pool) }},
		// 7. Nobody stores or reads a picture any more.
		{"close pictures", func(context.Context) error { return closeOpen(n.blobs) }},
		// 8. After all parts that write to it, and because its lock keeps the next server out until all else is done.
		{"close ledger", func(context.Context) error { return closeOpen(n.ledger) }},
		// 9. Nothing happens any more that could be traced. A collector that does not answer keeps nobody from the ledger.
		{"close traces", func(context.Context) error { return closeOpen(n.tracer) }},
	}
}

// drain runs the steps in their order. begins is called with the name of each before it runs.
func (n *node) drain(ctx context.Context, begins func(step string)) error {
	var faults []error
	for i, step := range n.drainSteps() {
		begins(step.name)
		n.log.DebugContext(ctx, "drain step", slog.Int("step", i+1), slog.String("name", step.name))
		if err := step.run(ctx); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", step.name, err))
		}
	}
	return errors.Join(faults...)
}

// done makes a step of what cannot fail.
func done(do func()) func(context.Context) error {
	return func(context.Context) error { do(); return nil }
}

// finishRequests closes the listener and waits for the requests that are being answered. To cut some off at the end of
// the grace period is not a failure of the stop.
func (n *node) finishRequests(ctx context.Context) error {
	if n.server == nil {
		return errors.Join(closeOpen(n.listener), n.watched.close(ctx, n.log))
	}
	if err := n.server.Shutdown(ctx, n.settings.Grace); err != nil {
		n.log.WarnContext(ctx, "requests cut off", slog.Any("error", err))
	}
	return n.watched.close(ctx, n.log)
}

// finishWork waits until every part has returned. The error of one that failed is serve's.
func (n *node) finishWork(ctx context.Context) error {
	if n.parts == nil {
		return nil
	}
	_ = n.parts.Wait()
	n.log.InfoContext(ctx, "drained")
	return nil
}

func (n *node) closeSenders() {
	for _, sender := range []*webhook.Sender{n.sender, n.testSender} {
		if sender != nil {
			sender.Close()
		}
	}
	if n.uploader != nil {
		n.uploader.Close()
	}
}

// closeOpen closes a part, if it was opened.
func closeOpen[T interface {
	comparable
	Close() error
}](part T) error {
	var none T
	if part == none {
		return nil
	}
	return part.Close()
}

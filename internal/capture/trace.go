package capture

import (
	"context"
	"log/slog"
	"time"

	"github.com/savepage/savepage"
)

// Tracer records spans: what becomes of a request, step by step, for those who follow it over several services. Its methods
// must not block.
type Tracer interface {
	// Begin begins a span. Its context is for what happens within; it must be noSpan.
	Begin(ctx context.Context, s Span) (context.Context, Ending)
	// Carried is where the trace of a context goes on, to be kept with a record: empty without one.
	Carried(ctx context.Context) string
}

// Ending ends a span, with an error if it went wrong.
type Ending func(err error)

// Span is a step that is recorded. It lies within the one of the context that it begins with.
type Span struct {
	Name  string
	Kind  SpanKind
	Above string    // what Carried returned elsewhere: the span lies there if the context has none
	Since time.Time // when it began; zero: now
	Attrs []slog.Attr
}

// SpanKind is which part of a call a span is.
type SpanKind string

// The kinds of spans.
const (
	SpanInside SpanKind = ""       // work within the service
	SpanServer SpanKind = "server" // a request to the service
	SpanClient SpanKind = "client" // a request of the service
)

// spans records what becomes of captures, if anybody wants to know.
type spans struct{ to Tracer }

// noSpan ends a span that nobody records.
func noSpan(error) {}

// submit begins the span of an accepted request, within that of its caller.
func (s spans) submit(ctx context.Context, name, account string) (context.Context, Ending) {
	if s.to == nil {
		return ctx, noSpan
	}
	return s.to.Begin(ctx, Span{Name: name, Kind: SpanServer, Attrs: []slog.Attr{slog.String("savepage.account", account)}})
}

// carried is where the trace of a request goes on when its capture is rendered.
func (s spans) carried(ctx context.Context) string {
	if s.to == nil {
		return ""
	}
	return s.to.Carried(ctx)
}

// run begins the span of a render. The time that the capture has waited is one before it; when one is put back, nobody knows
// how long it then waits.
func (s spans) run(ctx context.Context, c savepage.Capture) (context.Context, Ending) {
	if s.to == nil {
		return ctx, noSpan
	}
	attrs := []slog.Attr{slog.String("savepage.account", c.Account), slog.String("savepage.capture", c.ID)}
	if c.Attempt == 1 {
		_, taken := s.to.Begin(ctx, Span{Name: "queue", Above: c.Trace, Since: c.CreatedAt, Attrs: attrs})
		taken(nil)
	}
	attrs = append(attrs, slog.Int("savepage.attempt", c.Attempt))
	return s.to.Begin(ctx, Span{Name: "render", Above: c.Trace, Attrs: attrs})
}

// record begins the span of the commit that ends an attempt.
func (s spans) record(ctx context.Context) (context.Context, Ending) {
	if s.to == nil {
		return ctx, noSpan
	}
	return s.to.Begin(ctx, Span{Name: "record"})
}

// phases returns what begins the span of a phase within that of the context, and ends the one before; an empty phase only ends.
// Without a tracer it is nil.
func (s spans) phases(ctx context.Context) func(Phase) {
	if s.to == nil {
		return nil
	}
	end := Ending(noSpan)
	return func(p Phase) {
		end(nil)
		end = noSpan
		if p != "" {
			_, end = s.to.Begin(ctx, Span{Name: string(p)})
		}
	}
}

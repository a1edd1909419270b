package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/tracing"
)

// openTracer opens the tracer, if the OTEL_* variables of the process ask for traces; nil if not.
func openTracer(ctx context.Context, s Settings, log *slog.Logger) (*tracing.Tracer, error) {
	on, err := tracing.On()
	if err != nil || !on {
		return nil, err
	}
	return tracing.New(ctx, tracing.Service{Name: "savepage", Version: readBuild().Version, Node: s.Listen}, log)
}

// traced begins the span of an attempt of a callback, within the trace of the request that it answers.
func traced(ctx context.Context, tracer *tracing.Tracer, d savepage.Delivery) (context.Context, func(savepage.Verdict)) {
	if tracer == nil {
		return ctx, func(savepage.Verdict) {}
	}
	attrs := []slog.Attr{
		slog.String("savepage.account", d.Account), slog.String("savepage.delivery", d.ID), slog.String("server.address", d.Receiver),
		slog.Int("savepage.attempt", len(d.Attempts)+1),
	}
	if d.CaptureID != "" {
		attrs = append(attrs, slog.String("savepage.capture", d.CaptureID))
	}
	ctx, end := tracer.Begin(ctx, capture.Span{Name: "webhook", Kind: capture.SpanClient, Above: d.Trace, Attrs: attrs})
	return ctx, func(v savepage.Verdict) {
		if v.State == savepage.Delivered {
			end(nil)
			return
		}
		end(errors.New(string(v.Attempt.Outcome)))
	}
}

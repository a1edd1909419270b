// Package tracing sends spans of what the service does to a collector, by OpenTelemetry's protocol. It decides by OTEL_*
// variables, as OpenTelemetry describes them, whether it does, and refuses to know what the spans are about.
package tracing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// closeWithin bounds how long the end waits for the collector.
const closeWithin = 5 * time.Second

// maxState is how many bytes of a tracestate are carried on: so many everybody must take (W3C Trace Context, 3.3.1.5).
const maxState = 512

// Service says who sends the spans.
type Service struct {
	Name    string // OTEL_SERVICE_NAME wins
	Version string
	Node    string // which one of several
}

// Tracer makes spans and sends them. It is a capture.Tracer, safe for concurrent use.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// On reports whether the OTEL_* variables of the process ask for traces: they name an endpoint of OTLP, or otlp as the
// exporter, and do not switch it off. An error names the variable, its value and what is wanted.
func On() (bool, error) {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	exporter := os.Getenv("OTEL_TRACES_EXPORTER")
	switch exporter {
	case "", "otlp":
	case "none":
		return false, nil
	default:
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER is %q: want otlp or none", exporter)
	}
	endpoint := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"))
	if exporter == "" && endpoint == "" {
		return false, nil
	}
	_, err := protocol()
	return err == nil, err
}

// The protocols that spans can be sent by.
const (
	overHTTP = "http/protobuf"
	overGRPC = "grpc"
)

func protocol() (string, error) {
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		switch value := os.Getenv(name); value {
		case "":
		case overHTTP, overGRPC:
			return value, nil
		default:
			return "", fmt.Errorf("%s is %q: want %s or %s", name, value, overHTTP, overGRPC)
		}
	}
	return overHTTP, nil
}

// New makes a tracer as the OTEL_* variables ask. The caller closes it. What cannot be sent is logged and dropped.
func New(ctx context.Context, s Service, log *slog.Logger) (*Tracer, error) {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Warn("traces are not sent", slog.Any("error", err))
	}))
	by, err := protocol()
	if err != nil {
		return nil, err
	}
	var client otlptrace.Client
	if by == overGRPC {
		client = otlptracegrpc.NewClient()
	} else {
		client = otlptracehttp.NewClient()
	}
	exporter, err := otlptrace.New(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("send traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", s.Name), attribute.String("service.version", s.Version),
		attribute.String("service.instance.id", s.Node),
	), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about))
	version := trace.WithInstrumentationVersion(s.Version)
	return &Tracer{provider: provider, tracer: provider.Tracer("github.com/savepage/savepage", version)}, nil
}

// Close sends what is left, as far as the collector takes it in time.
func (t *Tracer) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last traces: %w", err)
	}
	return nil
}

// Begin begins a span.
func (t *Tracer) Begin(ctx context.Context, s capture.Span) (context.Context, capture.Ending) {
	if s.Above != "" && !trace.SpanContextFromContext(ctx).IsValid() {
		ctx = extract(ctx, carriedOn(s.Above))
	}
	begins := []trace.SpanStartOption{trace.WithSpanKind(kindOf(s.Kind)), trace.WithAttributes(attributesOf(s.Attrs)...)}
	if now := time.Now(); !s.Since.IsZero() && s.Since.Before(now) { // another node's clock may be ahead
		begins = append(begins, trace.WithTimestamp(s.Since))
	}
	ctx, span := t.tracer.Start(ctx, s.Name, begins...)
	return ctx, func(err error) {
		if err != nil {
			failed(span, err)
		}
		span.End()
	}
}

// failed marks a span as one that went wrong.
func failed(span trace.Span, err error) {
	if fault, known := errors.AsType[*savepage.Error](err); known {
		span.SetAttributes(attribute.String("error.type", string(fault.Code)))
	}
	span.SetStatus(codes.Error, err.Error())
}

func kindOf(k capture.SpanKind) trace.SpanKind {
	switch k {
	case capture.SpanServer:
		return trace.SpanKindServer
	case capture.SpanClient:
		return trace.SpanKindClient
	case capture.SpanInside:
		return trace.SpanKindInternal
	default:
		return trace.SpanKindInternal
	}
}

func attributesOf(attrs []slog.Attr) []attribute.KeyValue {
	all := make([]attribute.KeyValue, len(attrs))
	for i, one := range attrs {
		if one.Value.Kind() == slog.KindInt64 {
			all[i] = attribute.Int64(one.Key, one.Value.Int64())
		} else {
			all[i] = attribute.String(one.Key, one.Value.String())
		}
	}
	return all
}

// Carried is traceparent and, after a blank, tracestate of the context: empty without a trace.
func (t *Tracer) Carried(ctx context.Context) string {
	header := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, header)
	if state := header["tracestate"]; state != "" && len(state) <= maxState {
		return header["traceparent"] + " " + state
	}
	return header["traceparent"]
}

// carriedOn reads what Carried has written.
func carriedOn(text string) propagation.MapCarrier {
	parent, state, _ := strings.Cut(text, " ")
	return propagation.MapCarrier{"traceparent": parent, "tracestate": state}
}

func extract(ctx context.Context, from propagation.TextMapCarrier) context.Context {
	return propagation.TraceContext{}.Extract(ctx, from)
}

// Continue adds the headers by which whoever gets a request goes on with the trace of the context. Headers that are there stay.
func (t *Tracer) Continue(ctx context.Context, header http.Header) {
	if header.Get("traceparent") == "" {
		propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(header))
	}
}

// Wrap has requests go on with the traces of their callers.
func (t *Tracer) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("traceparent") != "" {
			r = r.WithContext(extract(r.Context(), propagation.HeaderCarrier(r.Header)))
		}
		next.ServeHTTP(w, r)
	})
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/webhook"
)

// Limits of the receiver on this machine.
const (
	forwardWait   = 60 * time.Second // for the answer of the program that events are forwarded to
	forwardAnswer = 64 << 10         // bytes of that answer that are returned
)

// listenCommand is a receiver that prints callbacks and forwards them.
type listenCommand struct {
	environment

	secrets secretSource
	listen  string
	forward string
	count   int
	asJSON  bool
	quiet   bool
}

func newListen(env environment) *cobra.Command {
	l := &listenCommand{environment: env}
	cmd := &cobra.Command{
		Use:   "listen",
		Short: "Receive callbacks, check their signatures and forward them",
		Long: "Receives callbacks on this machine, checks their signatures, prints them, and forwards them unchanged to the URL of\n" +
			"--forward, whose answer goes back to the service. Without --forward it answers 200, or 401 when the check fails.\n" +
			secretHelp + "\n" +
			"Without a secret nothing is checked.\n" +
			"The service must be allowed to reach this machine: SAVEPAGE_EGRESS_ALLOW=127.0.0.0/8.",
		Example: "  savepage webhook listen --listen 127.0.0.1:8090 --forward http://localhost:3000/hook",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return l.run(cmd.Context()) },
	}
	l.secrets.addFlags(cmd.Flags())
	cmd.Flags().StringVar(&l.listen, "listen", "127.0.0.1:0", "address to listen on; port 0 picks a free one")
	cmd.Flags().StringVar(&l.forward, "forward", "", "URL to forward each event to")
	cmd.Flags().IntVar(&l.count, "count", 0, "exit after this many events; 0: never")
	cmd.Flags().BoolVar(&l.quiet, "quiet", false, "print one line for each event, without its body")
	cmd.Flags().BoolVar(&l.asJSON, "json", false, "print each event as a line of JSON")
	return cmd
}

func (l *listenCommand) run(ctx context.Context) error {
	secrets, err := l.secrets.read(l.environ)
	if err != nil {
		return usageError{err}
	}
	if err := l.checkForward(); err != nil {
		return usageError{err}
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", l.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	client := &http.Client{
		Timeout: forwardWait, Transport: &http.Transport{Proxy: nil, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	handler := &listening{command: l, secrets: secrets, client: client, done: stop}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10,
		ErrorLog:    slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	if _, err := fmt.Fprintf(l.out, "listening on http://%s\n", listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	if len(secrets) == 0 {
		_, _ = fmt.Fprintln(l.err, "savepage: no secret is set, so signatures are not checked: set "+envSecret)
	}
	return serveUntil(ctx, server, listener)
}

// serveUntil serves until ctx ends, and lets requests that are being answered end.
func serveUntil(ctx context.Context, server *http.Server, listener net.Listener) error {
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := server.Shutdown(patient)
	if cause := <-ended; !errors.Is(cause, http.ErrServerClosed) {
		err = errors.Join(err, cause)
	}
	return err
}

func (l *listenCommand) checkForward() error {
	if l.forward == "" {
		return nil
	}
	u, err := url.Parse(l.forward)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("--forward is %q: want an http or https URL", l.forward)
	}
	return nil
}

// listening answers the service.
type listening struct {
	command *listenCommand
	secrets []string
	client  *http.Client
	done    func() // called after the last event

	mu   sync.Mutex // of the output
	seen int
}

// event is the output for one event.
type event struct {
	At        time.Time         `json:"at"`
	ID        string            `json:"webhook_id"`
	Checked   bool              `json:"checked"`
	Verified  bool              `json:"verified"`
	Findings  []webhook.Finding `json:"findings,omitempty"`
	Status    int               `json:"status"` // that the service is answered
	Forward   string            `json:"forward,omitempty"`
	ForwardMS int64             `json:"forward_ms,omitempty"`
	Error     string            `json:"error,omitempty"` // why it could not be forwarded
	Body      json.RawMessage   `json:"body,omitempty"`
}

// ServeHTTP takes one event.
func (r *listening) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "callbacks are sent with POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, savepage.MaxEventBytes))
	if err != nil {
		http.Error(w, "the body cannot be read: "+err.Error(), http.StatusBadRequest)
		return
	}
	e := event{At: r.command.clock.Now().Truncate(time.Millisecond), ID: req.Header.Get(savepage.HeaderWebhookID), Checked: len(r.secrets) > 0}
	if e.Checked {
		found := webhook.Inspect(webhook.Received{Header: req.Header, Body: body, Secrets: r.secrets, Now: e.At})
		e.Verified, e.Findings = found.Verified, found.Findings
	}
	r.answer(w, req, body, &e)
	r.print(e, body)
}

// answer forwards the event and returns the answer, or answers by itself.
func (r *listening) answer(w http.ResponseWriter, req *http.Request, body []byte, e *event) {
	if r.command.forward == "" {
		e.Status = http.StatusOK
		if e.Checked && !e.Verified {
			e.Status = http.StatusUnauthorized
		}
		http.Error(w, http.StatusText(e.Status), e.Status)
		return
	}
	e.Forward = r.command.forward
	began := time.Now()
	answer, err := r.send(req, body)
	e.ForwardMS = time.Since(began).Milliseconds()
	if err != nil {
		e.Status, e.Error = http.StatusBadGateway, err.Error()
		http.Error(w, "not forwarded: "+err.Error(), e.Status)
		return
	}
	defer func() { _ = answer.Body.Close() }() // the answer has been read
	e.Status = answer.StatusCode
	for _, name := range []string{"Content-Type", "Retry-After"} {
		if value := answer.Header.Get(name); value != "" {
			w.Header().Set(name, value)
		}
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.CopyN(w, answer.Body, forwardAnswer)
}

// send forwards the event unchanged, without what belongs to the connection (RFC 9110, section 7.6.1).
func (r *listening) send(req *http.Request, body []byte) (*http.Response, error) {
	onward, err := http.NewRequestWithContext(req.Context(), http.MethodPost, r.command.forward, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	onward.Header = req.Header.Clone()
	for name := range strings.SplitSeq(req.Header.Get("Connection"), ",") {
		onward.Header.Del(strings.TrimSpace(name))
	}
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Te", "Trailer", "Upgrade"} {
		onward.Header.Del(name)
	}
	return r.client.Do(onward)
}

// print shows an event and ends the command after the last.
func (r *listening) print(e event, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.command.out
	if r.command.asJSON {
		if json.Valid(body) {
			e.Body = body
		}
		if line, err := json.Marshal(e); err == nil {
			_, _ = fmt.Fprintf(out, "%s\n", line)
		}
	} else {
		_, _ = io.WriteString(out, e.text(body, r.command.quiet))
	}
	if r.seen++; r.seen == r.command.count {
		r.done()
	}
}

func (e event) text(body []byte, quiet bool) string {
	var named struct {
		Status    string `json:"status"`
		CaptureID string `json:"capture_id"`
		BatchID   string `json:"batch_id"`
	}
	_ = json.Unmarshal(body, &named) // other bodies have no fields to show
	verdict := "not checked"
	if e.Checked {
		verdict = map[bool]string{true: "verified", false: "NOT VERIFIED"}[e.Verified]
	}
	line := fmt.Sprintf("%s  %s  %s  %s%s  %s", e.At.Format(time.TimeOnly), e.ID, named.Status, named.CaptureID, named.BatchID, verdict)
	switch {
	case e.Error != "":
		line += "  not forwarded: " + e.Error
	case e.Forward != "":
		line += fmt.Sprintf("  forwarded: %d in %d ms", e.Status, e.ForwardMS)
	}
	text := printable(strings.Join(strings.Fields(line), " ")) + "\n"
	if e.Checked && !e.Verified {
		text += findingsText(webhook.Inspection{Findings: e.Findings})
	}
	if quiet {
		return text
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, body, "  ", "  ") != nil {
		pretty.Reset()
		pretty.Write(body)
	}
	return text + "  " + printable(pretty.String()) + "\n\n"
}

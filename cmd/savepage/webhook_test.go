package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

const (
	hookSecret  = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	otherSecret = "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk"
	hookBody    = `{"capture_id":"cap_1","status":"success"}`
)

// signed are the headers of an event of now.
func signed(t *testing.T, secret string, body string) http.Header {
	t.Helper()
	now := time.Now()
	signature, err := savepage.SignStandard(secret, "msg_1", now, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	header.Set(savepage.HeaderWebhookID, "msg_1")
	header.Set(savepage.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	header.Set(savepage.HeaderWebhookSignature, signature)
	header.Set(savepage.HeaderSignature, savepage.Sign(secret, []byte(body)))
	return header
}

// verifies runs webhook verify with files of the event and returns exit code and output.
func verifies(t *testing.T, headers, body, stdin string, environ []string, args ...string) (int, string) {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "headers"), headers)
	writeFile(t, filepath.Join(dir, "body"), body)
	var out bytes.Buffer
	all := []string{"webhook", "verify", "--headers", filepath.Join(dir, "headers"), "--body", filepath.Join(dir, "body")}
	code := execute(t.Context(), append(all, args...), environment{out: &out, err: &out, in: strings.NewReader(stdin), environ: environ})
	return code, out.String()
}

func TestVerifySaysWhatIsWrong(t *testing.T) {
	header := signed(t, hookSecret, hookBody)
	lines := func(change func(http.Header)) string {
		h := header.Clone()
		change(h)
		var text bytes.Buffer
		if err := h.Write(&text); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	right := lines(func(http.Header) {})
	asJSON, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	var curl strings.Builder
	curl.WriteString("> POST /hook HTTP/1.1\n")
	for line := range strings.SplitSeq(strings.TrimSpace(right), "\r\n") {
		curl.WriteString("> " + line + "\n")
	}
	secretFile := filepath.Join(t.TempDir(), "secret")
	writeFile(t, secretFile, otherSecret+"\n"+hookSecret+"\n")
	set := []string{"SAVEPAGE_WEBHOOK_SECRET=" + hookSecret}
	for name, c := range map[string]struct {
		headers, body string
		environ, args []string
		code          int
		says          string
	}{
		"right":            {right, hookBody, set, nil, exitOK, "verified\n"},
		"JSON headers":     {string(asJSON), hookBody, set, nil, exitOK, "verified\n"},
		"curl's headers":   {curl.String(), hookBody, set, nil, exitOK, "verified\n"},
		"secret in a file": {right, hookBody, nil, []string{"--secret-file", secretFile}, exitOK, "with secret 2 of 2"},
		"file by variable": {right, hookBody, []string{"SAVEPAGE_WEBHOOK_SECRET_FILE=" + secretFile}, nil, exitOK, "verified\n"},
		"secret as flag":   {right, hookBody, set, []string{"--secret", otherSecret, "--secret", hookSecret}, exitOK, "verified\n"},
		"output as JSON":   {right, hookBody, set, []string{"--json"}, exitOK, `"verified": true`},
		"wrong secret":     {right, hookBody, nil, []string{"--secret", otherSecret}, exitFailure, "NOT verified"},
		"changed body":     {right, hookBody + "x", set, nil, exitFailure, "A signature cannot show which"},
		"newline":          {right, hookBody + "\n", set, nil, exitFailure, "It ends with a newline"},
		"old":              {right, hookBody, set, []string{"--at", "2035-01-01T00:00:00Z"}, exitFailure, "the event was replayed"},
		"missing header":   {lines(func(h http.Header) { h.Del("Webhook-Id") }), hookBody, set, nil, exitFailure, "webhook-id        is missing"},
		"malformed": {
			lines(func(h http.Header) { h.Set("Webhook-Signature", "v1,x") }), hookBody, set, nil, exitFailure,
			"webhook-signature is malformed",
		},
		"no secret":        {right, hookBody, nil, nil, exitUsage, "SAVEPAGE_WEBHOOK_SECRET"},
		"no such file":     {right, hookBody, nil, []string{"--secret-file", "/nowhere"}, exitUsage, "/nowhere"},
		"headers unread":   {"what is this", hookBody, set, nil, exitUsage, "line 1 of the headers"},
		"headers no JSON":  {"{", hookBody, set, nil, exitUsage, "not a JSON object"},
		"headers odd JSON": {`{"a":7}`, hookBody, set, nil, exitUsage, `header "a"`},
		"odd time":         {right, hookBody, set, []string{"--at", "soon"}, exitUsage, "--at"},
		"no such body":     {right, hookBody, set, []string{"--body", "/nowhere"}, exitUsage, "read the body"},
		"no such headers":  {right, hookBody, set, []string{"--headers", "/nowhere"}, exitUsage, "read the headers"},
		"body named twice": {right, hookBody, set, []string{"--headers", "-", "--body", "-"}, exitUsage, "--body and --headers"},
	} {
		t.Run(name, func(t *testing.T) {
			code, said := verifies(t, c.headers, c.body, "", c.environ, c.args...)
			if code != c.code || !strings.Contains(said, c.says) {
				t.Errorf("ended with %d: %s", code, said)
			}
			if strings.Contains(said, hookSecret[6:]) || strings.Contains(said, otherSecret[6:]) {
				t.Errorf("a secret is shown: %s", said)
			}
		})
	}
	if code, said := verifies(t, right, "", hookBody, set, "--body", "-"); code != exitOK {
		t.Errorf("from standard input: %d, %s", code, said)
	}
}

// listens starts webhook listen and returns its address, its output and its exit code.
func listens(t *testing.T, environ []string, args ...string) (address string, out *bufio.Reader, code chan int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	read, write := io.Pipe()
	code = make(chan int, 1)
	go func() {
		code <- execute(ctx, append([]string{"webhook", "listen"}, args...),
			environment{out: write, err: io.Discard, in: strings.NewReader(""), environ: environ})
		_ = write.Close()
	}()
	t.Cleanup(func() {
		cancel()
		_, _ = io.Copy(io.Discard, read)
	})
	out = bufio.NewReader(read)
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "listening on ")), out, code
}

func post(t *testing.T, address string, header http.Header, body string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header.Clone()
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(text)
}

func TestListenChecksAndPassesOn(t *testing.T) {
	type got struct {
		header http.Header
		body   string
		path   string
	}
	passed := make(chan got, 3)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		passed <- got{r.Header, string(body), r.URL.Path}
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "busy")
	}))
	t.Cleanup(app.Close)
	address, out, code := listens(t, []string{"SAVEPAGE_WEBHOOK_SECRET=" + hookSecret}, "--forward", app.URL+"/hook", "--count", "2")
	header := signed(t, hookSecret, hookBody)
	header.Set("X-Tenant", "7")
	header.Set("Connection", "X-Hop")
	header.Set("X-Hop", "1")
	status, head, text := make(chan int, 1), http.Header{}, ""
	go func() {
		s, h, b := post(t, address+"/anything", header, hookBody)
		head, text = h, b
		status <- s
	}()
	line, _ := out.ReadString('\n')
	if !strings.Contains(line, "msg_1 success cap_1 verified forwarded: 503") {
		t.Errorf("printed %q", line)
	}
	rest, _ := out.ReadString('}')
	if !strings.Contains(rest, `"capture_id": "cap_1"`) {
		t.Errorf("printed %q", rest)
	}
	if s := <-status; s != http.StatusServiceUnavailable || head.Get("Retry-After") != "7" || text != "busy" {
		t.Errorf("answered %d %q, %v", s, text, head)
	}
	one := <-passed
	if one.body != hookBody || one.path != "/hook" || one.header.Get("X-Tenant") != "7" || one.header.Get("X-Hop") != "" {
		t.Errorf("passed on %+v", one)
	}
	if err := savepage.Verify(hookSecret, one.header, []byte(one.body), time.Now()); err != nil {
		t.Error(err)
	}
	// What does not verify is passed on all the same, and marked.
	go func() {
		s, _, _ := post(t, address, signed(t, otherSecret, "\x1b[2J"+hookBody), "\x1b[2J"+hookBody)
		status <- s
	}()
	all, _ := io.ReadAll(out)
	if <-status; !strings.Contains(string(all), "NOT VERIFIED") || !strings.Contains(string(all), "WRONG webhook-signature") ||
		strings.Contains(string(all), "\x1b") {
		t.Errorf("printed %q", all)
	}
	if one := <-passed; !strings.HasSuffix(one.body, hookBody) {
		t.Errorf("passed on %+v", one)
	}
	if c := <-code; c != exitOK {
		t.Errorf("ended with %d", c)
	}
}

func TestListenAlone(t *testing.T) {
	address, out, code := listens(t, nil, "--secret", hookSecret, "--json", "--count", "3")
	lines := make(chan event, 3)
	go func() {
		for dec := json.NewDecoder(out); ; {
			var e event
			if dec.Decode(&e) != nil {
				close(lines)
				return
			}
			lines <- e
		}
	}()
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusMethodNotAllowed || answer.Header.Get("Allow") != "POST" {
		t.Errorf("GET answered %d", answer.StatusCode)
	}
	for secret, want := range map[string]int{hookSecret: 200, otherSecret: 401} {
		status, _, _ := post(t, address, signed(t, secret, hookBody), hookBody)
		if e := <-lines; status != want || e.Status != want || e.Verified != (want == 200) || !e.Checked || e.ID != "msg_1" ||
			string(e.Body) != hookBody {
			t.Errorf("%d, %+v", status, e)
		}
	}
	if status, _, _ := post(t, address, http.Header{}, "no json"); status != 401 {
		t.Errorf("unsigned: %d", status)
	}
	if e := <-lines; e.Verified || e.Body != nil {
		t.Errorf("%+v", e)
	}
	if c := <-code; c != exitOK {
		t.Errorf("ended with %d", c)
	}
}

func TestListenWithoutSecretOrReceiver(t *testing.T) {
	address, out, code := listens(t, nil, "--quiet", "--count", "1", "--forward", "http://"+freeAddress(t)+"/")
	status := make(chan int, 1)
	go func() {
		s, _, _ := post(t, address, signed(t, hookSecret, hookBody), hookBody)
		status <- s
	}()
	line, _ := out.ReadString('\n')
	if s := <-status; s != http.StatusBadGateway || !strings.Contains(line, "not checked not forwarded:") {
		t.Errorf("%d, %q", s, line)
	}
	if c := <-code; c != exitOK {
		t.Errorf("ended with %d", c)
	}
	for _, args := range [][]string{{"--forward", "localhost:3000"}, {"--secret-file", "/nowhere"}} {
		var said bytes.Buffer
		if c := execute(t.Context(), append([]string{"webhook", "listen"}, args...),
			environment{out: &said, err: &said, in: os.Stdin}); c != exitUsage {
			t.Errorf("%v: ended with %d: %s", args, c, said.String())
		}
	}
}

package webhooks_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/examples/webhooks"
)

const docs = "../../docs"

// vector is a callback as a receiver gets it, and what is right about it.
type vector struct {
	Name       string            `json:"name"`
	Secrets    []string          `json:"secrets"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
	Now        int64             `json:"now"`
	Webhook    bool              `json:"webhook"`
	XSignature bool              `json:"x_signature"`
}

func (v vector) header() http.Header {
	header := http.Header{}
	for name, value := range v.Headers {
		header.Set(name, value)
	}
	return header
}

func vectors(t *testing.T) []vector {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, "webhook-vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var read file
	if err := json.Unmarshal(text, &read); err != nil || len(read.Vectors) < 30 {
		t.Fatalf("%d vectors, %v", len(read.Vectors), err)
	}
	return append(read.Vectors, withoutSecret()...)
}

// file is how vectors are kept.
type file struct {
	Vectors []vector `json:"vectors"`
}

// withoutSecret are callbacks that anybody could have signed, for receivers whose secret is empty by mistake.
func withoutSecret() (all []vector) {
	const id, at, body = "msg_1", 1775044800, "{}"
	for _, secret := range []string{"", "whsec_"} {
		standard, plain := hmac.New(sha256.New, nil), hmac.New(sha256.New, []byte(secret))
		_, _ = fmt.Fprintf(standard, "%s.%d.%s", id, at, body)
		_, _ = plain.Write([]byte(body))
		all = append(all, vector{
			Name: fmt.Sprintf("the secret %q", secret), Secrets: []string{secret}, Body: body, Now: at,
			Headers: map[string]string{
				"Webhook-Id": id, "Webhook-Timestamp": strconv.Itoa(at),
				"Webhook-Signature": "v1," + base64.StdEncoding.EncodeToString(standard.Sum(nil)),
				"X-Signature":       hex.EncodeToString(plain.Sum(nil)),
			},
		})
	}
	return all
}

// languages are those that the documentation has a verifier for, beside Go. Where one may be missing, the vectors stand in
// for it: whoever changes its verifier runs testdata/check.* on them.
var languages = []struct {
	name, ending, program string
	required              bool // scripts/install-test-tools installs it
}{
	{"Python", "py", "python3", true},
	{"Node", "mjs", "node", true},
	{"PHP", "php", "php", true},
	{"Ruby", "rb", "ruby", false},
}

func TestVerifiers(t *testing.T) {
	t.Run("Go", checkGo)
	for _, l := range languages {
		path, err := exec.LookPath(l.program)
		switch {
		case err == nil:
			t.Run(l.name, func(t *testing.T) { checkProgram(t, path, l.ending) })
		case l.required:
			t.Errorf("%s is not there; scripts/install-test-tools installs it", l.program)
		default:
			t.Run(l.name+" is checked by vectors only because "+l.program+" is not here", func(t *testing.T) { vectors(t) })
		}
	}
}

// checkGo holds the example and the vocabulary's own verifiers to the vectors.
func checkGo(t *testing.T) {
	for _, v := range vectors(t) {
		header, body, now := v.header(), []byte(v.Body), time.Unix(v.Now, 0)
		if got := webhooks.VerifyWebhook(v.Secrets, header, body, now); got != v.Webhook {
			t.Errorf("%s: webhook- headers %t", v.Name, got)
		}
		if got := webhooks.VerifyXSignature(v.Secrets, v.Headers["X-Signature"], body); got != v.XSignature {
			t.Errorf("%s: X-Signature %t", v.Name, got)
		}
		if err := savepage.VerifyAny(v.Secrets, header, body, now); (err == nil) != v.Webhook {
			t.Errorf("%s: savepage.VerifyAny: %v", v.Name, err)
		}
		if err := savepage.VerifySignature(v.Secrets, v.Headers["X-Signature"], body); (err == nil) != v.XSignature {
			t.Errorf("%s: savepage.VerifySignature: %v", v.Name, err)
		}
	}
}

// checkProgram has a program of another language judge the vectors.
func checkProgram(t *testing.T, program, ending string) {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	all := vectors(t)
	list := filepath.Join(t.TempDir(), "vectors.json")
	text, err := json.Marshal(file{all})
	if err == nil {
		err = os.WriteFile(list, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, filepath.Join(here, "testdata", "check."+ending), here, list)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got [][2]bool
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(all) {
		t.Fatalf("%d results for %d vectors", len(got), len(all))
	}
	for i, v := range all {
		if got[i] != [2]bool{v.Webhook, v.XSignature} {
			t.Errorf("%s: %v", v.Name, got[i])
		}
	}
}

// The manual shows the code that is tested, to the letter.
func TestManualShowsTheVerifiers(t *testing.T) {
	manual, err := os.ReadFile(filepath.Join(docs, "webhooks.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("verify.*")
	if err != nil || len(files) != len(languages)+1 {
		t.Fatalf("verifiers %v, %v", files, err)
	}
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := string(code)
		if file == "verify.go" { // the package is the reader's own
			_, text, _ = strings.Cut(text, "package webhooks\n\n")
		}
		if !strings.Contains(string(manual), "\n"+text+"```\n") {
			t.Errorf("docs/webhooks.md does not show %s as it is", file)
		}
	}
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage/internal/webhook"
)

// verifyCommand checks an event from files.
type verifyCommand struct {
	environment

	secrets       secretSource
	body, headers string
	at            string
	asJSON        bool
}

func newVerify(env environment) *cobra.Command {
	v := &verifyCommand{environment: env}
	cmd := &cobra.Command{
		Use:   "verify --body FILE --headers FILE",
		Short: "Check the signatures of a callback and explain what is wrong",
		Long: "Checks a callback from files and explains what is wrong with it.\n" + secretHelp + "\n" +
			"The body must be the raw bytes. Headers are lines of \"Name: value\", as curl -v prints them, or a JSON object.\n" +
			"The exit code is 0 when the event is verified, 1 when it is not, 2 when something cannot be read.",
		Example: "  savepage webhook verify --body event.json --headers headers.txt --secret-file secret",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return v.run() },
	}
	v.secrets.addFlags(cmd.Flags())
	cmd.Flags().StringVar(&v.body, "body", "", "file of the raw body; - for standard input")
	cmd.Flags().StringVar(&v.headers, "headers", "", "file of the headers; - for standard input")
	cmd.Flags().StringVar(&v.at, "at", "", "check as of this time, such as 2026-04-01T12:00:00Z (default now)")
	cmd.Flags().BoolVar(&v.asJSON, "json", false, "print JSON")
	return cmd
}

func (v *verifyCommand) run() error {
	received, err := v.read()
	if err != nil {
		return usageError{err}
	}
	found := webhook.Inspect(received)
	if v.asJSON {
		err = writeJSON(v.out, found)
	} else {
		verdict := "verified"
		if !found.Verified {
			verdict = "NOT verified"
		}
		_, err = fmt.Fprintf(v.out, "%s\n%s", verdict, findingsText(found))
	}
	if err == nil && !found.Verified {
		err = errSilent
	}
	return err
}

// read reads the event from its files. Every error is a fault of the command line or of a file.
func (v *verifyCommand) read() (r webhook.Received, err error) {
	if v.body == "" || v.headers == "" || v.body == toStdout && v.headers == toStdout {
		return r, errors.New("--body and --headers: name the files of the event; only one of them may be -")
	}
	r.Now = v.clock.Now()
	if v.at != "" {
		if r.Now, err = time.Parse(time.RFC3339, v.at); err != nil {
			return r, fmt.Errorf("--at is %q: want a time like 2026-04-01T12:00:00Z", v.at)
		}
	}
	if r.Secrets, err = v.secrets.read(v.environ); err != nil {
		return r, err
	}
	if len(r.Secrets) == 0 {
		return r, errors.New("no secret is given: set " + envSecret + ", or name a file with --secret-file")
	}
	if r.Body, err = v.file(v.body); err != nil {
		return r, fmt.Errorf("read the body: %w", err)
	}
	text, err := v.file(v.headers)
	if err != nil {
		return r, fmt.Errorf("read the headers: %w", err)
	}
	r.Header, err = readHeaders(text)
	return r, err
}

func (v *verifyCommand) file(name string) ([]byte, error) {
	if name == toStdout {
		return io.ReadAll(v.in)
	}
	return os.ReadFile(name)
}

// readHeaders reads lines of "Name: value" or a JSON object of texts or lists of texts.
func readHeaders(text []byte) (http.Header, error) {
	trimmed := strings.TrimSpace(strings.TrimPrefix(string(text), "\ufeff"))
	if strings.HasPrefix(trimmed, "{") {
		return readJSONHeaders([]byte(trimmed))
	}
	header := http.Header{}
	for n, line := range strings.Split(trimmed, "\n") {
		line = strings.TrimSpace(line)
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(line, "> "), "< "))
		if line == "" || line == ">" || line == "*" || n == 0 && strings.HasPrefix(line, "POST ") {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if !found || textproto.TrimString(name) != name || name == "" {
			return nil, fmt.Errorf("line %d of the headers is not \"Name: value\"", n+1)
		}
		header.Add(name, textproto.TrimString(value))
	}
	return header, nil
}

func readJSONHeaders(text []byte) (http.Header, error) {
	var given map[string]any
	if err := json.Unmarshal(text, &given); err != nil {
		return nil, fmt.Errorf("the headers are not a JSON object: %w", err)
	}
	header := http.Header{}
	for name, value := range given {
		switch v := value.(type) {
		case string:
			header.Add(name, v)
		case []any:
			for _, one := range v {
				header.Add(name, fmt.Sprint(one))
			}
		default:
			return nil, fmt.Errorf("header %q is neither a text nor a list of texts", name)
		}
	}
	return header, nil
}

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage"
)

// shown lists the commands that do something and that the help shows.
func shown(root *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, cmd := range commandsOf(root) {
		if cmd.IsAvailableCommand() && (!cmd.HasSubCommands() || cmd.Example != "") {
			all = append(all, cmd)
		}
	}
	return all
}

func TestEveryCommandHasExamplesThatParse(t *testing.T) {
	table := examples()
	for _, cmd := range shown(newRoot(environment{out: io.Discard, err: io.Discard})) {
		path := strings.TrimPrefix(cmd.CommandPath(), "savepage ")
		if len(table[path]) == 0 || cmd.Example == "" {
			t.Errorf("savepage %s has no example", path)
		}
		for _, line := range table[path] {
			_, line, _ = strings.Cut(line, "savepage ") // a variable may stand before it
			line, _, _ = strings.Cut(line, " && ")
			line, _, _ = strings.Cut(line, " > ")
			line, _, _ = strings.Cut(line, " < ")
			parse(t, splitQuoted(line))
		}
		delete(table, path)
	}
	for path := range table {
		t.Errorf("there are examples of savepage %s, which is no command", path)
	}
}

// parse reads a command line as the program does, without running it.
func parse(t *testing.T, args []string) {
	t.Helper()
	cmd, rest, err := newRoot(environment{out: io.Discard, err: io.Discard}).Find(args)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err == nil {
		err = cmd.ValidateArgs(cmd.Flags().Args())
	}
	if err == nil && cmd.Flags().Lookup("egress-allow") != nil {
		_, err = loadSettings(cmd.Flags(), nil)
	}
	if err != nil {
		t.Errorf("%q: %v", args, err)
	}
}

// splitQuoted splits a line at spaces that are not within single quotes.
func splitQuoted(line string) []string {
	var args []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			args = append(args, part)
		} else {
			args = append(args, strings.Fields(part)...)
		}
	}
	return args
}

func TestEveryDeviceIsCompletedWithANameThatIsFound(t *testing.T) {
	offered := deviceWords()
	if len(offered) != len(savepage.Devices()) {
		t.Fatalf("%d devices of %d are offered", len(offered), len(savepage.Devices()))
	}
	for i, word := range offered {
		name, _, _ := strings.Cut(word, "\t")
		if found, known := savepage.FindDevice(name); !known || found.Name != savepage.Devices()[i].Name {
			t.Errorf("%q leads to %q, want %q", name, found.Name, savepage.Devices()[i].Name)
		}
	}
}

// TestWordsOfSettings holds for every setting that takes one of a few words: each that is offered is one, and is taken.
func TestWordsOfSettings(t *testing.T) {
	count := 0
	for _, row := range settingTable() {
		if row.kind != "word" {
			continue
		}
		count++
		for _, word := range settingWords(row.flag()) {
			if err := row.set(&Settings{}, word); err != nil {
				t.Errorf("--%s %s is offered and refused", row.flag(), word)
			}
		}
	}
	if count < 4 {
		t.Errorf("%d settings take words", count)
	}
}

func TestSchemeIsGuessed(t *testing.T) {
	for typed, want := range map[string]string{
		"example.com": "https://example.com", "example.com:8080/a?b=http://c": "https://example.com:8080/a?b=http://c",
		"EXAMPLE.com/x": "https://EXAMPLE.com/x", "example.com:80": "http://example.com:80",
		"example.com/?u=a://b": "https://example.com/?u=a://b",
		"localhost:3000":       "http://localhost:3000", "localhost": "http://localhost", "a.localhost:1/x": "http://a.localhost:1/x",
		"localhost:443": "https://localhost:443", "127.0.0.1:8080": "http://127.0.0.1:8080", "10.0.0.5": "http://10.0.0.5",
		"[::1]:3000": "http://[::1]:3000", "8.8.8.8": "https://8.8.8.8", "web:3000": "http://web:3000", "printer.local": "http://printer.local",
		"http://example.com": "http://example.com", "ftp://example.com": "ftp://example.com",
	} {
		if got := withScheme(typed); got != want {
			t.Errorf("%s becomes %s, want %s", typed, got, want)
		}
	}
}

func TestPlainIsTriedWhereTheGuessMayBeWrong(t *testing.T) {
	for _, c := range []struct {
		typed, address string
		code           savepage.Code
		want           string
	}{
		{"a.com", "https://a.com", savepage.CodeConnectionFailed, "http://a.com"},
		{"a.com", "https://a.com", savepage.CodeTLSError, ""}, // an invalid certificate is no reason to go without
		{"a.com:8080", "https://a.com:8080", savepage.CodeTLSError, "http://a.com:8080"},
		{"a.com", "https://a.com", savepage.CodeNameNotResolved, ""},
		{"https://a.com", "https://a.com", savepage.CodeConnectionFailed, ""},
		{"localhost", "http://localhost", savepage.CodeConnectionFailed, ""},
	} {
		plain, may := inPlain(c.typed, c.address, savepage.Errorf(c.code, "failed"))
		if may != (c.want != "") || may && plain != c.want {
			t.Errorf("%s, %s: %q %v, want %q", c.typed, c.code, plain, may, c.want)
		}
	}
	if _, may := inPlain("a.com", "https://a.com", nil); may {
		t.Error("a success is tried again")
	}
}

// TestInstall installs below a folder and runs what is there.
func TestInstall(t *testing.T) {
	folder := t.TempDir()
	install := exec.CommandContext(t.Context(), "make", "-C", "../..", "install", "DESTDIR="+folder, "PREFIX=/usr")
	if said, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	said, err := exec.CommandContext(t.Context(), filepath.Join(folder, "usr/bin/savepage"), "--version").Output()
	if err != nil || !strings.HasPrefix(string(said), "savepage ") {
		t.Errorf("%v: %s", err, said)
	}
	for name, holds := range map[string]string{
		"man/man1/savepage.1": ".TH", "bash-completion/completions/savepage": "__start_savepage",
		"zsh/site-functions/_savepage": "#compdef savepage", "fish/vendor_completions.d/savepage.fish": "complete -c savepage",
	} {
		if text, err := os.ReadFile(filepath.Join(folder, "usr/share", name)); err != nil || !strings.Contains(string(text), holds) {
			t.Errorf("%s: %v", name, err)
		}
	}
	script := filepath.Join(folder, "usr/share/bash-completion/completions/savepage")
	if said, err = exec.CommandContext(t.Context(), "bash", "-n", script).CombinedOutput(); err != nil {
		t.Errorf("bash: %v: %s", err, said)
	}
}

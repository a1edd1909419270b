package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/capture"
	"github.com/savepage/savepage/internal/guard"
)

// order holds the arguments of a capture command.
type order struct {
	options savepage.Options
	typed   string // the address as it was given
	output  string
	asJSON  bool
}

// result is what a capture command prints with --json.
type result struct {
	Status     savepage.State    `json:"status"`
	URL        string            `json:"url,omitempty"`
	File       string            `json:"file,omitempty"`
	Width      int               `json:"width,omitempty"`
	Height     int               `json:"height,omitempty"`
	Format     savepage.Format   `json:"format,omitempty"`
	Size       int64             `json:"size,omitempty"`
	Fullpage   bool              `json:"fullpage"`
	CapturedAt string            `json:"captured_at,omitempty"`
	RenderMS   int64             `json:"render_ms"`
	Error      *savepage.Error   `json:"error,omitempty"`
	Report     savepage.Report   `json:"report"`
	Metadata   savepage.Metadata `json:"metadata,omitempty"`
}

func newCapture(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "capture URL",
		Short: "Capture a page without a server",
		Long: "Captures a page without a server. The options of the API are flags.\n" +
			"--html replaces the URL. --html @FILE reads the document from a file, --html @- from standard input; --css, --js\n" +
			"and --steps likewise. Repeat a flag to give a list: --hide .banner --hide '#chat'.\n" +
			"Without -o the file is named after the page's host; -o - writes the picture to standard output. The ending of the\n" +
			"file names the format.\n" +
			"A URL without a scheme is one of https, or of http where it names this machine or a private network; where nothing\n" +
			"answers https, http is tried. Private addresses, this machine's among them, are reached with --egress-allow only.",
		Args: cobra.MaximumNArgs(1),
	}
	output := cmd.Flags().StringP("output", "o", "", "file of the picture; - for standard output")
	asJSON := cmd.Flags().Bool("json", false, "print the result with its report as JSON on standard output")
	addOptionFlags(cmd.Flags())
	addSettingFlags(cmd.Flags(), "EGRESS_ALLOW", "BROWSER", "SANDBOX", "USER_AGENT_SUFFIX")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := loadSettings(cmd.Flags(), env.environ)
		if err != nil {
			return err
		}
		o, err := readOrder(cmd.Flags(), args, env.in)
		if err != nil {
			return usageError{err}
		}
		if o.output = *output; o.output == "" {
			o.output = defaultOutput(o.options)
		}
		if err := checkOutput(o.output); err != nil {
			return usageError{err}
		}
		if o.asJSON = *asJSON; o.asJSON && o.output == toStdout {
			return usageError{errors.New("--json and -o - both write to standard output: give one of them")}
		}
		return take(cmd.Context(), s, o, env)
	}
	return cmd
}

// optionFlag is the text of an option's flag, or the texts of a list's. The API's own decoder interprets it.
type optionFlag struct {
	kind  api.Kind
	texts []string
}

// String returns the last text.
func (f *optionFlag) String() string {
	if len(f.texts) == 0 {
		return ""
	}
	return f.texts[len(f.texts)-1]
}

// Set takes the text as it is: one more of a list, else in place of what was there.
func (f *optionFlag) Set(text string) error {
	if f.kind != api.KindList {
		f.texts = nil
	}
	f.texts = append(f.texts, text)
	return nil
}

// Type is the word that the help shows for the value, and none for a boolean.
func (f *optionFlag) Type() string {
	if f.kind == api.KindBoolean {
		return "bool"
	}
	return string(f.kind)
}

// addOptionFlags makes a flag of each option, except those that make sense only with a server, and those named.
func addOptionFlags(flags *pflag.FlagSet, but ...string) {
	for _, group := range api.OptionGroups() {
		for _, f := range group.Fields {
			server := slices.Contains([]string{"async", "cache_ttl", "store"}, f.Name) || strings.HasPrefix(f.Name, "callback_")
			if server || slices.Contains(but, f.Name) || f.Name == "url" {
				continue
			}
			addFlagOf(flags, group.Title, f)
		}
	}
}

// addOptionFlag makes a flag of one option.
func addOptionFlag(flags *pflag.FlagSet, option string) {
	for _, group := range api.OptionGroups() {
		for _, f := range group.Fields {
			if f.Name == option {
				addFlagOf(flags, group.Title, f)
			}
		}
	}
}

func addFlagOf(flags *pflag.FlagSet, title string, f api.Field) {
	flag := flags.VarPF(&optionFlag{kind: f.Kind}, optionFlagName(f.Name), "", optionUsage(f))
	titled(flag, title)
	if f.Kind == api.KindBoolean {
		flag.NoOptDefVal, flag.DefValue = "true", cmp.Or(f.Default, "false")
	}
}

func optionFlagName(option string) string { return strings.ReplaceAll(option, "_", "-") }

func optionUsage(f api.Field) string {
	usage := strings.TrimSuffix(f.Doc, ".")
	if f.Range != "" {
		usage += "; " + f.Range
	}
	if f.Default != "" && f.Kind != api.KindBoolean {
		usage += " (default " + f.Default + ")"
	}
	if f.Kind == api.KindSteps {
		return usage // it names types of steps, some of which are called like options
	}
	return inFlags(strings.ReplaceAll(usage, "GET /v1/devices", "savepage devices"))
}

// readOrder turns the command line into options, by the rules of the API.
func readOrder(flags *pflag.FlagSet, args []string, stdin io.Reader) (order, error) {
	given, err := givenOptions(flags, stdin)
	if err != nil {
		return order{}, err
	}
	typed := ""
	if len(args) > 0 {
		if err := notAFile(args[0]); err != nil {
			return order{}, err
		}
		typed = args[0]
		given["url"] = []string{withScheme(typed)}
	}
	format, err := formatOf(flags)
	if err != nil {
		return order{}, err
	}
	if format != "" {
		given["format"] = []string{format}
	}
	options, err := api.DecodeOptions(given)
	if err != nil {
		return order{}, asFlags(err)
	}
	return order{options: options, typed: typed}, nil
}

// givenOptions returns the options that flags give, by their wire names.
func givenOptions(flags *pflag.FlagSet, stdin io.Reader) (map[string][]string, error) {
	given := map[string][]string{}
	flags.Visit(func(f *pflag.Flag) {
		if flag, option := f.Value.(*optionFlag); option {
			given[strings.ReplaceAll(f.Name, "-", "_")] = flag.texts
		}
	})
	for _, name := range []string{"html", "css", "js", "steps"} {
		value, found := given[name]
		if !found {
			continue
		}
		text, err := readText(name, value[0], stdin)
		if err != nil {
			return nil, err
		}
		given[name] = []string{text}
	}
	return given, nil
}

// readText returns the text of an option: itself, or with @ before it the content of the file. What begins with @ and goes
// on after a space or a brace is a style sheet.
func readText(option, text string, stdin io.Reader) (string, error) {
	name, isFile := strings.CutPrefix(text, "@")
	if !isFile || option == "css" && strings.ContainsAny(name, " {;\n") {
		return text, nil
	}
	var content []byte
	var err error
	if name == toStdout {
		content, err = io.ReadAll(io.LimitReader(stdin, savepage.MaxHTMLBytes+1))
	} else {
		content, err = os.ReadFile(name)
	}
	if err != nil {
		return "", fmt.Errorf("--%s: %w", option, err)
	}
	return string(content), nil
}

// take captures the page and writes the picture.
func take(ctx context.Context, s Settings, o order, env environment) error {
	began := time.Now()
	progress := startProgress(env.err, subject(o.options))
	shot, err := shoot(ctx, s, o.options, slog.New(slog.DiscardHandler))
	if plain, may := inPlain(o.typed, o.options.URL, err); may {
		guessed := o
		guessed.options.URL = plain
		if again, failed := shoot(ctx, s, guessed.options, slog.New(slog.DiscardHandler)); failed == nil {
			o, shot, err = guessed, again, nil
		}
	}
	progress.stop()
	r := newResult(o, shot, began)
	if err == nil {
		err = errors.Join(writePicture(o.output, shot.Reader(), env.out), shot.Close())
	}
	if err != nil {
		return reportFailure(r, o, env, err)
	}
	if o.asJSON {
		return writeJSON(env.out, r)
	}
	reportSuccess(r, env.err)
	return nil
}

func subject(o savepage.Options) string {
	if o.URL == "" {
		return "the document"
	}
	return o.URL
}

// shoot starts a browser behind the same guard as the server's and renders, again where the server would.
func shoot(ctx context.Context, s Settings, o savepage.Options, log *slog.Logger) (shot capture.Shot, err error) {
	reach := newReach(s)
	if o.URL != "" { // known before a browser is started
		if _, err = reach.policy.Admit(o.URL); err != nil {
			return shot, reach.inWords(o.URL, err)
		}
	}
	r, err := startRenderer(ctx, s, reach.policy, 1, log)
	if err != nil {
		return shot, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	shot, err = r.renderWithRetries(ctx, o)
	return shot, reach.inWords(o.URL, err)
}

func newResult(o order, shot capture.Shot, began time.Time) result {
	size, _ := shot.Size() // an error shows when the picture is written
	r := result{
		Status: savepage.Success, URL: o.options.URL, File: o.output, Width: shot.Width, Height: shot.Height,
		Format: o.options.Format, Size: size, Fullpage: o.options.Fullpage,
		CapturedAt: time.Now().UTC().Format(time.RFC3339), RenderMS: time.Since(began).Milliseconds(),
		Report: shot.Report, Metadata: o.options.Metadata,
	}
	if o.output == toStdout {
		r.File = ""
	}
	return r
}

// reportFailure prints the failed result where JSON was asked for; else the caller prints err.
func reportFailure(r result, o order, env environment, err error) error {
	if !o.asJSON {
		return err
	}
	fault, known := errors.AsType[*savepage.Error](err)
	if !known {
		fault = savepage.Errorf(savepage.CodeInternal, "%s", err)
	}
	failed := result{
		Status: savepage.Failed, URL: r.URL, Fullpage: r.Fullpage, RenderMS: r.RenderMS, Error: fault, Report: r.Report,
		Metadata: r.Metadata,
	}
	return errors.Join(errSilent, writeJSON(env.out, failed))
}

// reportSuccess prints one line, and one for each reason to check the picture.
func reportSuccess(r result, stderr io.Writer) {
	name := r.File
	if name == "" {
		name = "standard output"
	}
	_, _ = fmt.Fprintf(stderr, "%s  %d×%d %s, %s, %.1f s\n", name, r.Width, r.Height, r.Format, bytesText(int(r.Size)),
		float64(r.RenderMS)/1000)
	for _, note := range notes(r.Report) {
		_, _ = fmt.Fprintln(stderr, "  "+note)
	}
}

func notes(r savepage.Report) []string {
	var lines []string
	if r.HTTPStatus >= 400 {
		lines = append(lines, fmt.Sprintf("the page answered with status %d", r.HTTPStatus))
	}
	if r.Wall != "" && r.Wall != savepage.WallNone && r.HTTPStatus < 400 {
		lines = append(lines, fmt.Sprintf("what is shown may be a wall (%s): %s", r.Wall, strings.Join(r.WallSigns, "; ")))
	}
	if r.Blank {
		lines = append(lines, "the picture has a single colour")
	}
	if r.Truncated {
		lines = append(lines, "something of the page is not in the picture: it is cut, or does not end")
	}
	if r.Backdrop == savepage.BackdropFirstWindow {
		lines = append(lines, "what stands still behind or over the page is shown in the first window only")
	}
	if r.Partial {
		lines = append(lines, r.Reasons...)
	}
	if n := r.Requests.Blocked; n > 0 {
		lines = append(lines, fmt.Sprintf(
			"%d requests were refused: the options block them, or their addresses are not allowed (%s allows more)", n, guard.Setting))
	}
	return lines
}

func bytesText(n int) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.0f kB", float64(n)/1000)
	default:
		return fmt.Sprintf("%.1f MB", float64(n)/1_000_000)
	}
}

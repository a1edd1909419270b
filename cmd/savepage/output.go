package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
)

// toStdout as the output file means standard output.
const toStdout = "-"

// formatOf is the format that the output file's ending asks for, where --format is not given. An ending that names no format
// is a fault.
func formatOf(flags *pflag.FlagSet) (string, error) {
	output := flags.Lookup("output")
	if flags.Changed("format") || output == nil {
		return "", nil
	}
	name := output.Value.String()
	ending := strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), ".")
	formats := optionWords("format")
	switch {
	case ending == "" || name == toStdout:
		return "", nil
	case slices.Contains(formats, ending):
		return ending, nil
	default:
		return "", fmt.Errorf("-o is %q: .%s is no format. Want one that ends with .%s, or --format beside it", name, ending,
			strings.Join(formats, ", ."))
	}
}

// optionWords are the values of an option that takes one of a few words.
func optionWords(option string) []string {
	for _, f := range api.OptionFields() {
		if f.Name == option {
			return f.Enum
		}
	}
	return nil
}

// defaultOutput names the file after the page's host.
func defaultOutput(o savepage.Options) string {
	name := "capture"
	if u, err := url.Parse(o.URL); err == nil && u.Hostname() != "" {
		name = strings.Trim(strings.ReplaceAll(u.Hostname(), ":", "-"), ".")
	}
	return name + "." + o.Format.Extension()
}

// checkOutput makes sure that the picture can be written before it is made.
func checkOutput(output string) error {
	if output == toStdout {
		return nil
	}
	place := output
	info, err := os.Stat(output)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("-o is %q, which is a folder: want a file", output)
	case err != nil:
		place = filepath.Dir(output)
		folder, err := os.Stat(place)
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("-o is %q: there is no folder %s", output, place)
		}
		if err == nil && !folder.IsDir() {
			return fmt.Errorf("-o is %q: %s is no folder", output, place)
		}
	}
	if err := unix.Access(place, unix.W_OK); err != nil {
		return fmt.Errorf("-o is %q: %s cannot be written (%w)", output, place, err)
	}
	return nil
}

func writePicture(output string, from io.Reader, stdout io.Writer) error {
	if output == toStdout {
		_, err := io.Copy(stdout, from)
		return err
	}
	file, err := os.OpenFile(output, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	return errors.Join(err, file.Close())
}

package browser

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// ErrNotFound means that no Chromium was found on this machine.
var ErrNotFound = errors.New("no chromium found: install the package chromium-headless-shell, or name the binary in SAVEPAGE_BROWSER")

// candidates lists where a browser may be, best first: the headless shell needs a quarter of the full browser's processor
// time. A name without a slash is looked for on the PATH.
func candidates() []string {
	return []string{
		"/usr/lib/chromium/chromium-headless-shell",
		"/opt/chrome-headless-shell/chrome-headless-shell",
		"chrome-headless-shell",
		"headless_shell",
		"chromium-headless-shell",
		"/usr/lib/chromium/chromium",
		"chromium",
		"chromium-browser",
		"/opt/google/chrome/chrome",
		"google-chrome-stable",
		"google-chrome",
	}
}

// binaryNames are the names that the binary itself has in the known packages.
func binaryNames() []string {
	return []string{"chromium-headless-shell", "chrome-headless-shell", "headless_shell", "chromium", "chrome"}
}

// Find looks for a browser where they usually are. looked lists the result for each path. The error is
// ErrNotFound.
func Find() (path string, looked []string, err error) {
	for _, path := range candidates() {
		binary, err := resolve(path)
		if err != nil {
			looked = append(looked, path+": "+reason(err))
			continue
		}
		return binary, append(looked, path+": "+binary), nil
	}
	return "", looked, ErrNotFound
}

func reason(err error) string {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return "not there"
	}
	return err.Error()
}

// resolve returns the binary behind a name: a wrapper script would stay between the service and the browser, which then
// outlives it, and adds flags of its own.
func resolve(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	if filepath.Base(path) == "snap" {
		return "", fmt.Errorf("%s is a snap, whose confinement blocks the debugging pipe: name the binary of another package", name)
	}
	text, err := script(path)
	if err != nil {
		return "", err
	}
	if text == nil {
		return filepath.Abs(path)
	}
	if binary := behind(path, text); binary != "" {
		return binary, nil
	}
	return "", fmt.Errorf("%s is a script: name the binary that it starts", path)
}

// script returns the beginning of a script's text, and nil for other files.
func script(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text := make([]byte, 64<<10)
	n, err := f.Read(text)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(text[:n], []byte("#!")) {
		return nil, nil
	}
	return text[:n], nil
}

// behind looks for the binary that a wrapper starts: a path that it names, a file in a folder that it names, or one in
// the wrapper's own folder.
func behind(wrapper string, text []byte) string {
	var candidates []string
	for _, named := range regexp.MustCompile(`/[\w./+-]+`).FindAllString(string(text), -1) {
		candidates = append(candidates, named)
		candidates = append(candidates, inFolder(named)...)
	}
	candidates = append(candidates, inFolder(filepath.Dir(wrapper))...)
	at := slices.IndexFunc(candidates, func(c string) bool { return c != wrapper && isBinary(c) })
	if at < 0 {
		return ""
	}
	return candidates[at]
}

func inFolder(folder string) []string {
	var paths []string
	for _, name := range binaryNames() {
		paths = append(paths, filepath.Join(folder, name))
	}
	return paths
}

// isBinary reports whether a path is a program that has a browser's name and is not a script.
func isBinary(path string) bool {
	if !slices.Contains(binaryNames(), filepath.Base(path)) || strings.HasPrefix(path, "/snap/") {
		return false
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return false
	}
	text, err := script(path)
	return err == nil && text == nil
}

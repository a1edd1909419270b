package testsite

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed" // for the lock file
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"text/template"
)

//go:embed libraries/package-lock.json
var lockFile []byte

// libraries are the npm packages that pages are built with, where scripts/install-test-tools has put them: a folder of the
// user's cache that has its name from the lock file.
type libraries struct {
	folder string // holds node_modules

	mu      sync.Mutex
	sources map[string]string // scripts to be bundled, by their names
}

func newLibraries() *libraries {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = "/tmp/.cache" // as the script has it
	}
	return &libraries{folder: filepath.Join(cache, "savepage", "pages-"+digest(lockFile)), sources: map[string]string{}}
}

// Packages is the folder of the packages.
func (s *Site) Packages() string { return filepath.Join(s.libraries.folder, "node_modules") }

// Built are the names of the pages that are made with packages.
func Built() []string {
	files, _ := fs.Glob(pages, "pages/built/*.html") // the pattern is valid
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = strings.TrimSuffix(path.Base(file), ".html")
	}
	return names
}

// parseBuilt adds the pages that are made with packages.
func parseBuilt(to *template.Template) error {
	for _, name := range Built() {
		text, err := pages.ReadFile("pages/built/" + name + ".html")
		if err == nil {
			_, err = to.New("built/" + name + ".html").Parse(string(text))
		}
		if err != nil {
			return fmt.Errorf("built/%s: %w", name, err)
		}
	}
	return nil
}

// digest names bytes by 16 characters.
func digest(parts ...[]byte) string {
	sum := sha256.Sum256(bytes.Join(parts, []byte{0}))
	return hex.EncodeToString(sum[:8])
}

// file serves /npm/PACKAGE/FILE as it is in the package.
func (l *libraries) file(w http.ResponseWriter, r *http.Request) {
	if _, err := os.Stat(l.folder); err != nil {
		http.Error(w, notInstalled+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "max-age=3600")
	http.StripPrefix("/npm/", http.FileServer(http.Dir(filepath.Join(l.folder, "node_modules")))).ServeHTTP(w, r)
}

const notInstalled = "the packages of the pages are not installed, run scripts/install-test-tools: "

// bundles are the scripts of a page that import packages: <script bundle>…</script>.
var bundles = regexp.MustCompile(`(?s)<script bundle>(.*?)</script>`)

// link puts the addresses of bundles in the place of the scripts that they are made of.
func (l *libraries) link(document []byte) []byte {
	return bundles.ReplaceAllFunc(document, func(script []byte) []byte {
		source := bundles.FindSubmatch(script)[1]
		name := digest(lockFile, source)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sources[name] = string(source)
		return fmt.Appendf(nil, `<script src="/bundle/%s.js"></script>`, name)
	})
}

// bundle serves a script that link has named.
func (l *libraries) bundle(w http.ResponseWriter, r *http.Request) {
	made, err := l.bundled(r.Context(), r.PathValue("name"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/javascript")
	w.Header().Set("Cache-Control", "max-age=3600")
	_, _ = w.Write(made)
}

// bundled makes a script of a source and the packages that it imports, and keeps it beside them.
func (l *libraries) bundled(ctx context.Context, file string) ([]byte, error) {
	l.mu.Lock()
	source, known := l.sources[file[:max(0, len(file)-len(".js"))]]
	l.mu.Unlock()
	if !known {
		return nil, fmt.Errorf("no page has the bundle %q", file)
	}
	kept := filepath.Join(l.folder, "bundles", file)
	if made, err := os.ReadFile(kept); err == nil { //nolint:gosec // a name of our own
		return made, nil
	}
	made, err := l.build(ctx, source)
	if err != nil {
		return nil, err
	}
	return made, keep(kept, made)
}

// build runs esbuild, which is one of the packages.
func (l *libraries) build(ctx context.Context, source string) ([]byte, error) {
	found, err := filepath.Glob(filepath.Join(l.folder, "node_modules/@esbuild/*/bin/esbuild"))
	if err = cmp.Or(err, os.ErrNotExist); len(found) == 0 {
		return nil, errors.New(notInstalled + err.Error())
	}
	//nolint:gosec // the bundler that was installed for the tests
	cmd := exec.CommandContext(ctx, found[0], "--bundle", "--minify", "--format=iife", "--loader=jsx", "--jsx=automatic", "--log-level=error",
		`--define:process.env.NODE_ENV="production"`)
	cmd.Dir = l.folder
	cmd.Stdin = bytes.NewBufferString(source)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("bundle: %w: %s", err, said.Bytes())
	}
	return out.Bytes(), nil
}

// keep writes a file that others may be writing too.
func keep(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil { //nolint:gosec // a path of our own
		return fmt.Errorf("keep a bundle: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), "*.part")
	if err != nil {
		return fmt.Errorf("keep a bundle: %w", err)
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path) //nolint:gosec // a path of our own
	}
	if err != nil {
		return fmt.Errorf("keep a bundle: %w", err)
	}
	return nil
}

package stores_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/savepage/savepage/internal/blob/stores"
)

func TestOpenByPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pictures")
	if err := stores.Check(dir); err != nil {
		t.Fatal(err)
	}
	s, err := stores.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Put(t.Context(), "abc.png", strings.NewReader("picture")); err != nil {
		t.Fatal(err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "ab", "abc.png")); len(files) != 1 {
		t.Errorf("%d files at the path that was named", len(files))
	}
}

func TestUnknownStores(t *testing.T) {
	for _, one := range []struct{ setting, want string }{
		{"gs://user:hunter2@bucket/prefix", "gs://"}, {"https://example.com/", "https://"}, {"", `""`},
	} {
		err := stores.Check(one.setting)
		if err == nil || !strings.HasSuffix(err.Error(), one.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("check of %q: %v, want an error that ends in %s", one.setting, err, one.want)
		}
		if _, err := stores.Open(t.Context(), one.setting); err == nil {
			t.Errorf("%q was opened", one.setting)
		}
	}
	if stores.Forms() == "" {
		t.Error("no form is named")
	}
}

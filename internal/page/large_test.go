package page_test

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page"
)

// A picture that is too large to be held comes in a file that has no name any more, and is the same.
func TestLargePicturesAreInAFile(t *testing.T) {
	t.Parallel()
	for _, f := range []savepage.Format{savepage.FormatPNG, savepage.FormatJPEG} {
		o := savepage.Options{URL: shared.url("/bands?height=38000"), Fullpage: true, Width: narrow, Format: f}
		held := render(t, o)
		dir := t.TempDir()
		shot, err := page.New(shared.pool, page.Config{Hold: 10_000, Spool: dir}, slog.New(slog.DiscardHandler)).Render(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if shot.Large == nil || shot.Bytes != nil || shot.Width != held.Width || shot.Height != held.Height {
			t.Fatalf("%s: %d x %d, %d bytes are held", f, shot.Width, shot.Height, len(shot.Bytes))
		}
		data, err := io.ReadAll(shot.Reader())
		if size, _ := shot.Size(); err != nil || !bytes.Equal(data, held.Bytes) || size != int64(len(data)) {
			t.Errorf("%s: %d bytes of %d, want %d: %v", f, len(data), size, len(held.Bytes), err)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%s: %s is left", f, left[0].Name())
		}
		if err := shot.Close(); err != nil {
			t.Error(err)
		}
	}
	shot := render(t, savepage.Options{URL: shared.url("/a")})
	if size, err := shot.Size(); err != nil || size != int64(len(shot.Bytes)) || shot.Close() != nil {
		t.Errorf("%d, %v", size, err)
	}
}

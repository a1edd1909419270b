package shot

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"io"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/budget"
	"github.com/savepage/savepage/internal/page/spool"
)

// A picture that there is no time to pack stays as it is; a render that has ended fails.
func TestPackWithoutTime(t *testing.T) {
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewNRGBA(image.Rect(0, 0, 40, 40))); err != nil {
		t.Fatal(err)
	}
	open := func() io.Reader { return bytes.NewReader(file.Bytes()) }
	camera := func(timeout time.Duration) *Camera {
		return New(Config{
			Options: savepage.Options{Scale: 1, Format: savepage.FormatPNG, PNGEffort: savepage.PNGBest},
			Budget:  budget.New(timeout, false), NewSpool: func() *spool.Spool { return spool.New(t.TempDir(), 1<<20) },
		})
	}
	if packed, err := camera(time.Hour).pack(t.Context(), open); err != nil || packed == nil {
		t.Errorf("with time: %v, %v", packed, err)
	}
	if packed, err := camera(0).pack(t.Context(), open); err != nil || packed != nil {
		t.Errorf("without time: %v, %v", packed, err)
	}
	late := camera(0)
	err := late.packOnce(t.Context(), file.Bytes())
	if err != nil || !bytes.Contains(late.made.Bytes, []byte("pHYs")) || late.made.Width != 40 {
		t.Errorf("without time: %v, %q", err, late.made.Bytes)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if packed, err := camera(time.Hour).pack(ended, open); !errors.Is(err, context.Canceled) || packed != nil {
		t.Errorf("after the end: %v, %v", packed, err)
	}
}

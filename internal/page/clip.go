package page

import (
	"context"

	"github.com/savepage/savepage"
)

// clip is the part of the page that the options name, as far as the page reaches.
func (j *job) clip(ctx context.Context) (area, error) {
	c := j.o.Clip
	if err := checkSize(j.o, j.cfg.MaxPixels, min(c.Width, max(1, j.seen.Width-c.X)), min(c.Height, max(1, j.seen.Height-c.Y))); err != nil {
		return area{}, err
	}
	if bottom := min(c.Y+c.Height, j.seen.Height, j.cfg.MaxHeight); bottom > j.o.Height {
		if err := j.wake(ctx, bottom); err != nil {
			return area{}, err
		}
	}
	width, height := max(j.seen.Width, j.o.Width), max(j.seen.Height, j.o.Height)
	a := area{x: c.X, y: c.Y, width: min(c.Width, width-c.X), height: min(c.Height, height-c.Y)}
	if a.width <= 0 || a.height <= 0 {
		return area{}, savepage.Errorf(savepage.CodeInvalidRequest, "the clip lies outside of the page, which has %d x %d CSS pixels", width, height)
	}
	j.cut = a.width < c.Width || a.height < c.Height
	a.viewport = a == area{width: j.o.Width, height: j.o.Height}
	return a, nil
}

package shot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/page/spool"
	"github.com/savepage/savepage/internal/picture"
)

// packs reports whether the picture is packed again, to be smaller.
func (c *Camera) packs() bool {
	return c.Options.Format == savepage.FormatPNG && c.Options.PNGEffort != savepage.PNGFast
}

// packOnce takes a picture of one piece, packed or as the browser made it.
func (c *Camera) packOnce(ctx context.Context, data []byte) error {
	packed, err := c.pack(ctx, func() io.Reader { return bytes.NewReader(data) })
	if err != nil {
		return err
	}
	if packed != nil {
		c.spool = packed
		return c.collect(ctx)
	}
	if data, err = picture.WithDensity(data, perMetre(c.Options)); err != nil {
		return err
	}
	return c.keep(data)
}

// packJoined takes what the tiles were joined to, packed or as it is.
func (c *Camera) packJoined(ctx context.Context) error {
	packed, err := c.pack(ctx, c.spool.Reader)
	if err != nil {
		return err
	}
	if packed != nil {
		c.spool.Drop()
		c.spool = packed
	}
	return c.collect(ctx)
}

// pack packs the picture that open reads, if that is wanted and there is time. Most time goes into it: after a quarter of what
// is left it is packed less thoroughly, and after half the picture stays as it is, without an error.
func (c *Camera) pack(ctx context.Context, open func() io.Reader) (*spool.Spool, error) {
	if !c.packs() {
		return nil, nil //nolint:nilnil // it stays as it is
	}
	left := c.Budget.Left()
	late := time.Now().Add(left / 4)
	limited, stop := context.WithTimeout(ctx, left/2)
	defer stop()
	packed := c.NewSpool()
	err := picture.Pack(limited, packed, open, picture.Packing{
		Best: c.Options.PNGEffort == savepage.PNGBest, PerMetre: perMetre(c.Options),
		Hurry: func() bool { return time.Now().After(late) },
	})
	if err != nil {
		packed.Drop()
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return nil, nil //nolint:nilnil // it stays as it is
		}
		return nil, err
	}
	return packed, nil
}

package page

import (
	"context"
	"time"

	"github.com/savepage/savepage"
)

// embed is a frame of another origin below the first window.
type embed struct {
	Index int `json:"index"` // by which whole.js knows it
	place
}

// mostEmbeds is how many frames are shot on their own.
const mostEmbeds = 20

// embeds keeps pictures of the frames of other origins that are in the window now, for when they are out of it: the browser
// draws nothing of such a frame then, also not in a picture that reaches further than the window.
func (j *job) embeds(ctx context.Context) error {
	var list []embed
	if err := j.whole(ctx, idleFrame, &list, "embeds", j.o.Height, mostEmbeds); err != nil {
		return err
	}
	for _, e := range list {
		png, err := j.received(ctx, j.request(enclose(e.place), savepage.FormatPNG))
		if err != nil {
			return err
		}
		if err := j.whole(ctx, time.Second, nil, "cover", e.Index, png); err != nil {
			return err
		}
	}
	return nil
}

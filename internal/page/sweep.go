package page

import (
	"context"
	"errors"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/consent"
)

// mostBanners is how often the page is cleared: it may load itself anew, or show a second banner.
const mostBanners = 2

// clearBanners waits for the rejection of a cookie banner, hides what is left of banners, and lets the page settle again
// when one of these has happened.
func (j *job) clearBanners(ctx context.Context) error {
	if j.banners == nil {
		return nil
	}
	for range mostBanners {
		j.awaiting = "the cookie banner to go"
		j.w.mu.Lock()
		commits, acted := j.w.nav.commits, j.banners.acted
		j.w.mu.Unlock()
		none, err := j.noBanner(ctx)
		if none || err != nil {
			return err
		}
		from := time.Now()
		err = j.w.until(ctx, func() (bool, time.Duration) {
			left := j.banners.left(from)
			return left <= 0, max(left, time.Millisecond)
		})
		if err != nil {
			return err
		}
		hidden, err := j.sweep(ctx)
		if err != nil {
			return err
		}
		j.w.mu.Lock()
		still := hidden == 0 && j.banners.acted == acted && acted == 0
		j.w.mu.Unlock()
		if still {
			return nil
		}
		if err := j.ready(ctx); err != nil {
			return err
		}
		j.w.mu.Lock()
		same := j.w.nav.commits == commits
		j.w.mu.Unlock()
		if same {
			return nil
		}
	}
	return nil
}

// noBanner looks at every document once more. It reports whether none of them is suspect and nothing is left to hide.
func (j *job) noBanner(ctx context.Context) (bool, error) {
	b := j.banners
	j.w.mu.Lock()
	looks, globals := map[*cdp.Pending]bool{}, map[*cdp.Pending]inWorld{}
	for at, k := range b.seekers {
		if own, known := b.sibling(at, func(is scope) bool { return is.own }); known && k.main {
			globals[own.run(consent.Globals)] = at
		}
		looks[at.run(consent.Looks)] = true
	}
	j.w.mu.Unlock()
	none := true
	for p := range looks {
		left, err := valueOf[bool](ctx, j, p)
		if err != nil {
			return false, err
		}
		none = none && !left
	}
	for p, at := range globals {
		there, err := valueOf[bool](ctx, j, p)
		if err != nil {
			return false, err
		}
		if there {
			j.w.mu.Lock()
			b.send(at)
			j.w.mu.Unlock()
		}
	}
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	for _, k := range b.seekers {
		none = none && !k.suspect
	}
	return none && b.acted == 0, nil
}

// valueOf is the value of an expression that was sent. It is zero when the document has gone.
func valueOf[T any](ctx context.Context, j *job, p *cdp.Pending) (T, error) {
	var res struct {
		Result struct {
			Value T `json:"value"`
		} `json:"result"`
	}
	err := j.wait(ctx, p, 0, &res)
	if errors.Is(err, errMoved) || errors.Is(err, cdp.ErrClosed) && ctx.Err() == nil {
		err = nil
	}
	return res.Result.Value, err
}

// sweep hides banners that are left, in every document. It returns how many it has hidden.
func (j *job) sweep(ctx context.Context) (int, error) {
	var sent []*cdp.Pending
	j.w.mu.Lock()
	for at := range j.banners.seekers {
		sent = append(sent, at.run(consent.Sweeps))
	}
	j.w.mu.Unlock()
	total := 0
	for _, p := range sent {
		hidden, err := valueOf[int](ctx, j, p)
		if err != nil {
			return 0, err
		}
		total += hidden
	}
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	if total > 0 && j.banners.result.Outcome == savepage.BannerNone {
		j.banners.result.Outcome = savepage.BannerHidden
	}
	return total, nil
}

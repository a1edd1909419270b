package banner

import (
	"context"
	"errors"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/consent"
	"github.com/savepage/savepage/internal/page/session"
	"github.com/savepage/savepage/internal/page/targets"
)

// maxBanners is how often the page is cleared: it may load itself anew, or show a second banner.
const maxBanners = 2

// Clear waits for the rejection of a cookie banner, hides what is left of banners, and lets the page settle again
// when one of these has happened.
func (b *Banners) Clear(ctx context.Context) error {
	b.mark(false)
	err := b.clear(ctx)
	b.mark(true)
	return err
}

// mark notes whether the page has been cleared. What comes then comes late.
func (b *Banners) mark(cleared bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gone, b.late = cleared, b.late && cleared
}

// Late looks whether a banner may have come since the page was cleared. b may be nil.
func (b *Banners) Late(ctx context.Context) (bool, error) {
	if b == nil {
		return false, nil
	}
	if _, err := b.look(ctx); err != nil {
		return false, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.late, nil
}

func (b *Banners) clear(ctx context.Context) error {
	for range maxBanners {
		b.Notes.Await("the cookie banner to go")
		commits, acted := b.Navigation.Commits(), b.count()
		none, err := b.noBanner(ctx)
		if none || err != nil {
			return err
		}
		from := time.Now()
		err = b.Events.Until(ctx, func() (bool, time.Duration) {
			left := b.left(from)
			return left <= 0, max(left, time.Millisecond)
		})
		if err != nil {
			return err
		}
		hidden, err := b.sweep(ctx)
		if err != nil {
			return err
		}
		if hidden == 0 && acted == 0 && b.count() == 0 {
			return nil
		}
		if err := b.Ready(ctx); err != nil {
			return err
		}
		if b.Navigation.Commits() == commits {
			return nil
		}
	}
	return nil
}

// count is how many rejections there were.
func (b *Banners) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.acted
}

// noBanner looks at every document once more. It reports whether none of them is suspect and nothing is left to hide.
func (b *Banners) noBanner(ctx context.Context) (bool, error) {
	left, err := b.look(ctx)
	if err != nil {
		return false, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	none := !left && b.acted == 0
	for _, k := range b.seekers {
		none = none && !k.suspect
	}
	b.gone = none
	return none, nil
}

// look has every document say what is suspect in it, and reports whether there may be something to hide.
func (b *Banners) look(ctx context.Context) (left bool, err error) {
	b.mu.Lock()
	looks, globals := map[*cdp.Pending]bool{}, map[*cdp.Pending]targets.World{}
	for at, k := range b.seekers {
		if own, known := b.sibling(at, func(is scope) bool { return is.own }); known && k.main {
			globals[own.Run(consent.Globals)] = at
		}
		looks[at.Run(consent.Looks)] = true
	}
	b.mu.Unlock()
	for p := range looks {
		is, err := valueOf[bool](ctx, b.Page, p)
		if err != nil {
			return false, err
		}
		left = left || is
	}
	for p, at := range globals {
		there, err := valueOf[bool](ctx, b.Page, p)
		if err != nil {
			return false, err
		}
		if there {
			b.mu.Lock()
			b.send(at)
			b.mu.Unlock()
		}
	}
	return left, nil
}

// valueOf is the value of an expression that was sent. It is zero when the document has gone.
func valueOf[T any](ctx context.Context, page Page, p *cdp.Pending) (T, error) {
	var res struct {
		Result struct {
			Value T `json:"value"`
		} `json:"result"`
	}
	err := page.Wait(ctx, p, 0, &res)
	if errors.Is(err, session.ErrMoved) || errors.Is(err, cdp.ErrClosed) && ctx.Err() == nil {
		err = nil
	}
	return res.Result.Value, err
}

// sweep hides banners that are left, in every document. It returns how many it has hidden.
func (b *Banners) sweep(ctx context.Context) (int, error) {
	var sent []*cdp.Pending
	b.mu.Lock()
	for at := range b.seekers {
		sent = append(sent, at.Run(consent.Sweeps))
	}
	b.mu.Unlock()
	total := 0
	for _, p := range sent {
		hidden, err := valueOf[int](ctx, b.Page, p)
		if err != nil {
			return 0, err
		}
		total += hidden
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if total > 0 && b.result.Outcome == savepage.BannerNone {
		b.result.Outcome = savepage.BannerHidden
	}
	return total, nil
}

package page

import "context"

// settle waits until the page is ready, without its cookie banners.
func (j *job) settle(ctx context.Context) error {
	if err := j.waiter.Ready(ctx); err != nil {
		return err
	}
	if err := j.broken(); err != nil {
		return err
	}
	if j.banners == nil {
		return nil
	}
	return j.banners.Clear(ctx)
}

// clearLate clears the page of a cookie banner that has come while the area of the picture was chosen, which is then chosen anew.
func (j *job) clearLate(ctx context.Context) error {
	late, err := j.banners.Late(ctx)
	if !late || err != nil {
		return err
	}
	if err := j.banners.Clear(ctx); err != nil {
		return err
	}
	j.frame.chosen = false
	return j.whole.Forget(ctx)
}

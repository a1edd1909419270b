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

// chooseCleared chooses the area of the picture: anew, once, where a cookie banner has come meanwhile and gone.
func (j *job) chooseCleared(ctx context.Context) error {
	if err := j.frame.choose(ctx); err != nil {
		return err
	}
	late, err := j.banners.Late(ctx)
	if !late || err != nil {
		return err
	}
	if err := j.banners.Clear(ctx); err != nil {
		return err
	}
	if err := j.whole.Forget(ctx); err != nil {
		return err
	}
	return j.frame.choose(ctx)
}

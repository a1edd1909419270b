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

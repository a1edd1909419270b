package api

import (
	"context"
	"sync"

	"github.com/savepage/savepage"
)

// drain is the state of a server that stops: begun once, and then for good.
type drain struct {
	once  sync.Once
	begun chan struct{} // closed when it has begun
}

func newDrain() *drain { return &drain{begun: make(chan struct{})} }

func (d *drain) begin() { d.once.Do(func() { close(d.begun) }) }

// refusal is the error of a submission to a server that stops, else nil.
func (d *drain) refusal() error {
	select {
	case <-d.begun:
		return savepage.Errorf(savepage.CodeShuttingDown, "the server is shutting down; try again")
	default:
		return nil
	}
}

// cut calls cancel when the drain begins, until ctx ends. The function it returns cancels too and waits for that to be over.
func (d *drain) cut(ctx context.Context, cancel func()) func() {
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-d.begun:
			cancel()
		case <-ctx.Done():
		}
	}()
	return func() {
		cancel()
		<-watched
	}
}

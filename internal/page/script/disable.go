package script

import (
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage/internal/cdp"
)

// terminateAgain is how soon a page is stopped once more whose scripts are not off yet.
const terminateAgain = 100 * time.Millisecond

// disable switches the page's scripts off. A script that is only ended may begin again with the next timer, frame or event,
// and no picture comes. From here on the page is asked nothing, what there is to know the browser knows.
func (p *Beside) disable() {
	if p.Disabled() {
		return
	}
	p.mu.Lock()
	p.disabled = true
	p.mu.Unlock()
	off := p.to.Send(emulation.CommandSetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	p.work.Go(func() { p.terminate(off) })
	p.notes.Partial("scripts that kept the page from being drawn were switched off")
}

// terminate ends the page's script until the browser has switched scripts off. A script that is ended once may begin again
// before: the renderer draws a frame, and calls the functions that wait for it, ahead of commands.
func (p *Beside) terminate(off *cdp.Pending) {
	again := time.NewTicker(terminateAgain)
	defer again.Stop()
	for {
		p.to.Send(runtime.CommandTerminateExecution, nil)
		select {
		case <-off.Done():
			return
		case <-p.ended:
			return
		case <-again.C:
		}
	}
}

// Disabled reports whether the page's scripts are switched off: it cannot be asked any more.
func (p *Beside) Disabled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.disabled
}

// Close ends with the render. It waits for the goroutine that switches scripts off.
func (p *Beside) Close() {
	close(p.ended)
	p.work.Wait()
}

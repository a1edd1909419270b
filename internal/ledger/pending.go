package ledger

import (
	"sync"

	"github.com/savepage/savepage"
)

// pendingPart is the part of the room that others leave which no single account may take: one of so many.
const pendingPart = 10

// Pending counts the captures that are queued or running, where each process that accepts them is told of the others'. The zero
// value counts from nothing and lets none in.
type Pending struct {
	Max int64

	mu       sync.Mutex
	total    int64
	accounts map[string]int64
}

// Set says how many there are, by account.
func (p *Pending) Set(accounts map[string]int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total, p.accounts = 0, map[string]int64{}
	for account, n := range accounts {
		p.add(account, n)
	}
}

// Add counts n more of an account and returns why they may not be added, or nil. No account may have more than nine tenths of
// what the others leave: there is always room for another. They are counted in any case: whoever gives up takes them off
// with Done.
func (p *Pending) Add(account string, n int64) *savepage.Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add(account, n)
	own := p.accounts[account]
	free := p.Max - (p.total - own)
	switch {
	case p.total > p.Max:
		return errQueueFull(n, p.Max)
	case own > free-free/pendingPart:
		return savepage.Errorf(savepage.CodeTooManyPending, "%d captures of the account have not ended, and with %d more they would be "+
			"beyond %d, nine tenths of the queue that others leave; try again when some have ended", own-n, n, free-free/pendingPart)
	default:
		return nil
	}
}

// Note counts n more of an account, which another process has let in, or fewer, which have ended there.
func (p *Pending) Note(account string, n int64) { p.Done(account, -n) }

// Done takes n of an account off.
func (p *Pending) Done(account string, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add(account, -n)
}

func (p *Pending) add(account string, n int64) {
	if p.accounts == nil {
		p.accounts = map[string]int64{}
	}
	p.total += n
	p.accounts[account] += n
	if p.accounts[account] == 0 {
		delete(p.accounts, account)
	}
}

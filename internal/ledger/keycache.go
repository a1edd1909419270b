package ledger

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/savepage/savepage"
)

// keyCacheSize bounds the memory; beyond it the cache starts again.
const keyCacheSize = 10_000

// KeyCache remembers for a short time whose a key is, so that not every request asks the database. A key that is revoked
// elsewhere works until its entry is old.
type KeyCache struct {
	life    time.Duration
	mu      sync.RWMutex
	entries map[[sha256.Size]byte]keyEntry
}

type keyEntry struct {
	account savepage.Account
	until   time.Time
}

// NewKeyCache makes a cache whose entries live so long.
func NewKeyCache(life time.Duration) *KeyCache {
	return &KeyCache{life: life, entries: map[[sha256.Size]byte]keyEntry{}}
}

// Get returns the account of a hash while the entry is fresh.
func (c *KeyCache) Get(hash [sha256.Size]byte, now time.Time) (savepage.Account, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	entry, found := c.entries[hash]
	return entry.account, found && now.Before(entry.until)
}

// Put remembers the account of a hash.
func (c *KeyCache) Put(hash [sha256.Size]byte, account savepage.Account, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= keyCacheSize {
		clear(c.entries)
	}
	c.entries[hash] = keyEntry{account: account, until: now.Add(c.life)}
}

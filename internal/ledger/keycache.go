package ledger

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/savepage/savepage"
)

// keyCacheSize bounds the memory; beyond it the cache starts again.
const keyCacheSize = 10_000

// KeyCache remembers for a short time whose key it is, so that not every request asks the database. A key that is revoked
// elsewhere works until its entry is old.
type KeyCache struct {
	life    time.Duration
	mu      sync.RWMutex
	entries map[[sha256.Size]byte]keyEntry
}

type keyEntry struct {
	principal savepage.Principal
	until     time.Time
}

// NewKeyCache makes a cache whose entries live so long.
func NewKeyCache(life time.Duration) *KeyCache {
	return &KeyCache{life: life, entries: map[[sha256.Size]byte]keyEntry{}}
}

// Get returns the principal of a hash while the entry is fresh.
func (c *KeyCache) Get(hash [sha256.Size]byte, now time.Time) (savepage.Principal, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	entry, found := c.entries[hash]
	return entry.principal, found && now.Before(entry.until)
}

// Put remembers the principal of a hash, not longer than the key is valid; a zero time is never.
func (c *KeyCache) Put(hash [sha256.Size]byte, principal savepage.Principal, now, expires time.Time) {
	until := now.Add(c.life)
	if !expires.IsZero() && expires.Before(until) {
		until = expires
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= keyCacheSize {
		clear(c.entries)
	}
	c.entries[hash] = keyEntry{principal: principal, until: until}
}

// Clear forgets everything, after a change of keys or accounts.
func (c *KeyCache) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
}

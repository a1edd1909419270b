package ledger

import (
	"context"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// Store is what the program needs of an open ledger, whatever its database. An id of another account is as unknown as one
// that never was. Errors that a client may see are *savepage.Error. It is safe for concurrent use.
type Store interface {
	Flow
	Records
	Accounts
	Management
	Service
}

// Service is the work of an open ledger, what of it can be watched, and its end.
type Service interface {
	Monitor
	Life
	Peers
}

// Peers is the processes that serve the database together. Each is a node.
type Peers interface {
	// Nodes returns those that live and those that have ended in the last hour, in the order in which they began.
	Nodes(ctx context.Context) ([]savepage.Node, error)
	// Leads reports whether this node is the one that does what only one has to.
	Leads() bool
	// Relay passes a step of a capture that is rendered here on to those who watch it at other nodes. It does not wait.
	Relay(id string, s capture.Step)
}

// Management is what admins ask of a server, and what follows from it.
type Management interface {
	// Admin manages accounts and keys.
	Admin() Admin
	Uses
	capture.Closed
	Links
	Belongings
}

// Belongings is what accounts have of their own beside records and secrets.
type Belongings interface {
	Inboxes
	Stores
}

// Uses is what accounts use, and have used.
type Uses interface {
	// Usage returns what an account uses of its limits. What it knows nothing of is zero: the requests of the minute.
	Usage(ctx context.Context, account string) (savepage.Usage, error)
	// History returns what ended in an account over the span, which is valid.
	History(ctx context.Context, account string, span savepage.HistorySpan) (savepage.UsageHistory, error)
}

// Flow is what the flow of captures and batches records.
type Flow interface {
	capture.Ledger
	capture.Batches
	capture.Overdue
}

// Records is what is known of captures, batches and deliveries, and what may be asked of them.
type Records interface {
	Captures
	Lists
	Batches
	Deliveries
}

// Lists is the lists of an account's captures.
type Lists interface {
	// List returns a page of the account's captures, newest first and without Options.HTML, and the cursor of the next
	// page, empty on the last one. A cursor that did not come from List is CodeInvalidRequest.
	List(ctx context.Context, account string, f capture.Filter) (page []savepage.Capture, next string, err error)
	// Count returns how many captures of the account match, at most capture.CountedAtMost.
	Count(ctx context.Context, account string, f capture.Filter) (int, error)
}

// Captures is what is known of captures.
type Captures interface {
	// Get returns a capture of the account, or CodeNotFound.
	Get(ctx context.Context, account, id string) (savepage.Capture, error)
	// Await returns the capture when it has ended, or the context's error. A capture that is forgotten meanwhile is
	// CodeNotFound.
	Await(ctx context.Context, id string) (savepage.Capture, error)
	// Cancel ends a capture that is queued or running. Its worker is stopped and cannot finish it any more. An ended
	// one is CodeConflict, an unknown one CodeNotFound.
	Cancel(ctx context.Context, account, id string) (savepage.Capture, error)
	// Known tells which of the names are pictures of captures. The others belong to none.
	Known(ctx context.Context, names []string) (map[string]bool, error)
}

// Batches is what is known of batches.
type Batches interface {
	// Batch returns a batch of the account, or CodeNotFound.
	Batch(ctx context.Context, account, id string) (savepage.Batch, error)
	// ListBatches returns a page of the account's batches as Captures.List does.
	ListBatches(ctx context.Context, account string, limit int, cursor string) (page []savepage.Batch, next string, err error)
	// BatchDeliveries returns what was owed for a batch itself, with its attempts.
	BatchDeliveries(ctx context.Context, account, id string) ([]savepage.Delivery, error)
	// CancelBatch ends every capture of a batch that is queued or running, and with them the batch. Their workers
	// are stopped. It returns the batch; one that has ended stays as it is.
	CancelBatch(ctx context.Context, account, id string) (savepage.Batch, error)
}

// Deliveries is what is known of deliveries, each with its attempts.
type Deliveries interface {
	// Deliveries returns what was owed for a capture, oldest first.
	Deliveries(ctx context.Context, account, captureID string) ([]savepage.Delivery, error)
	// Delivery returns a delivery of the account, or CodeNotFound.
	Delivery(ctx context.Context, account, id string) (savepage.Delivery, error)
	// ListDeliveries returns a page of the account's deliveries as Captures.List does.
	ListDeliveries(ctx context.Context, account string, f capture.DeliveryFilter) (page []savepage.Delivery, next string, err error)
	// Redeliver has a delivery sent now, before all others of its receiver. One that has ended starts a schedule of its
	// own; its attempts are kept. An unknown id is CodeNotFound.
	Redeliver(ctx context.Context, account, id string) (savepage.Delivery, error)
	// RedeliverEnded has all of the account's deliveries that are selected sent again, one after the other, those of each
	// state in the order in which they were made, or counts them. What is pending is not among them.
	RedeliverEnded(ctx context.Context, account string, which capture.Redelivery) (capture.Redelivered, error)
}

// Accounts is who may ask for something, and what their callbacks are signed with.
type Accounts interface {
	// Authenticate returns who a key belongs to, or CodeUnauthorized. A key that is revoked elsewhere may be accepted for
	// two seconds more.
	Authenticate(ctx context.Context, key string) (savepage.Principal, error)
	// Bootstrap makes the first account and key when there is no account yet; it reports whether it did.
	Bootstrap(ctx context.Context) (issued savepage.Issued, created bool, err error)
	// Signing returns the webhook secrets that sign for an account now, newest first and never none.
	Signing(ctx context.Context, account string) ([]string, error)
	// Secrets describes the account's webhook secrets without their texts, or returns CodeNotFound.
	Secrets(ctx context.Context, account string) (savepage.WebhookSecrets, error)
	// RotateSecret gives the account a new webhook secret, which the answer alone holds whole. Those before it sign for the
	// overlap at most. More than MaxOldSecrets at once are CodeConflict.
	RotateSecret(ctx context.Context, account string, overlap time.Duration) (savepage.WebhookSecrets, error)
}

// Links is the secrets that sign links to pictures.
type Links interface {
	LinkRing
	// Linked returns the secret with an id, and whose links it signs, or CodeNotFound.
	Linked(ctx context.Context, id string) (secret string, who savepage.Principal, err error)
}

// LinkRing is the link secrets of all accounts. An unknown account or secret is CodeNotFound.
type LinkRing interface {
	// LinkSecrets returns those of an account without their texts, newest first.
	LinkSecrets(ctx context.Context, account string) ([]savepage.LinkSecret, error)
	// CreateLinkSecret makes one, which the answer alone holds whole. More than savepage.MaxLinkSecrets are CodeConflict.
	CreateLinkSecret(ctx context.Context, account string) (savepage.LinkSecret, error)
	// RemoveLinkSecret ends one of the account, and every link that it has signed.
	RemoveLinkSecret(ctx context.Context, account, id string) error
}

// Inboxes is what has arrived in the inboxes of accounts: at most savepage.MaxInboxEvents and MaxInboxBytes of each, for
// InboxRetention. What belongs to a capture or a batch goes with it.
type Inboxes interface {
	// Receive keeps an event and returns how its inbox answers, which is kept with it. An unknown or closed account is
	// CodeNotFound.
	Receive(ctx context.Context, e savepage.InboxEvent) (savepage.InboxAnswer, error)
	// Inbox returns an account's inbox with a page of events as Captures.List does.
	Inbox(ctx context.Context, account string, limit int, cursor string) (savepage.Inbox, error)
	// InboxEvent returns an event of the account, or CodeNotFound.
	InboxEvent(ctx context.Context, account, id string) (savepage.InboxEvent, error)
	// AnswerInbox sets how an account's inbox answers from now on. An unknown or closed one is CodeNotFound.
	AnswerInbox(ctx context.Context, account string, answer savepage.InboxAnswer) error
	// EmptyInbox removes all events of an account.
	EmptyInbox(ctx context.Context, account string) error
}

// Stores is the buckets that accounts have of their own. An unknown store is CodeNotFound.
type Stores interface {
	capture.StoreNames
	// Stores returns those of an account without their credentials, by name.
	Stores(ctx context.Context, account string) ([]savepage.Store, error)
	// OpenStore returns one with its credentials.
	OpenStore(ctx context.Context, account, name string) (savepage.Store, error)
	// KeepStore sets one up, anew if there is one of its name, and returns it without its credentials. It reports whether there
	// was none. More than savepage.MaxStores are CodeConflict.
	KeepStore(ctx context.Context, account string, s savepage.Store) (kept savepage.Store, created bool, err error)
	// RemoveStore removes one. What is in the bucket stays there.
	RemoveStore(ctx context.Context, account, name string) error
}

// Monitor counts what waits and runs, of all accounts.
type Monitor interface {
	// Depth returns how much waits and runs in each queue. Captures of batches are a queue of their own here, although all
	// captures wait in one order.
	Depth(ctx context.Context) ([]capture.Depth, error)
	// PendingDeliveries counts deliveries that have not ended.
	PendingDeliveries(ctx context.Context) (int, error)
	// DeliveryStats counts deliveries.
	DeliveryStats(ctx context.Context) (DeliveryStats, error)
	// Volume returns how much is recorded.
	Volume(ctx context.Context) (Volume, error)
	// Ready returns nil when the records can be read and written.
	Ready(ctx context.Context) error
}

// Life is the work of an open ledger and its end.
type Life interface {
	// Work hands out captures and deliveries until ctx ends. Then it hands out nothing more, lets what runs finish within
	// Config.Grace, ends the contexts of the rest, gives those captures back, and returns. What has no handler is left
	// alone. It is called once at a time.
	Work(ctx context.Context, h Handlers) error
	// SetPages says how many captures may run here at once from now on, besides the reserve: at most Config.MostWorkers.
	SetPages(ctx context.Context, n int) error
	// Identity returns the name that the database has had since it was made. Its store of pictures knows it by this name.
	Identity(ctx context.Context) (string, error)
	// Close writes what is still waiting and lets go of the database. Work must have returned.
	Close() error
}

// Keys manages accounts and their keys and secrets. It may be open beside a running server, which sees within two seconds
// what it did.
type Keys interface {
	KeyRing
	KeySecrets
	LinkRing
	Books
	// Close lets go of the database.
	Close() error
}

// Books is the accounts, and the processes that serve the database.
type Books interface {
	AccountBook
	NodeBook
}

// NodeBook is the processes that serve the database.
type NodeBook interface {
	// Nodes is Peers.Nodes.
	Nodes(ctx context.Context) ([]savepage.Node, error)
}

// Admin manages accounts and their keys from inside a server, which sees at once what it did.
type Admin interface {
	KeyRing
	AccountBook
}

// KeyRing is the keys of all accounts. A key is named by itself or by the prefix that List shows: an unknown or revoked one
// is CodeNotFound, a prefix of several is CodeConflict. An empty account is any.
type KeyRing interface {
	// Create makes a key for an account. An empty account is a new one, with a webhook secret that this answer alone tells;
	// an unknown one is CodeNotFound.
	Create(ctx context.Context, account string, terms savepage.KeyTerms) (savepage.Issued, error)
	// Bootstrap is Accounts.Bootstrap.
	Bootstrap(ctx context.Context) (issued savepage.Issued, created bool, err error)
	// List returns the keys of an account, oldest first, revoked and expired ones included.
	List(ctx context.Context, account string) ([]savepage.Key, error)
	// Revoke ends a key of the account.
	Revoke(ctx context.Context, account, key string) error
	// Rotate makes a key with the terms of another, which stays valid for the overlap at most.
	Rotate(ctx context.Context, account, key string, overlap time.Duration) (savepage.Issued, error)
}

// AccountBook is the accounts. An unknown or closed one is CodeNotFound.
type AccountBook interface {
	// ListAccounts returns a page of the accounts, newest first, closed ones included, as Captures.List does.
	ListAccounts(ctx context.Context, limit int, cursor string) (page []savepage.AccountInfo, next string, err error)
	// Account returns an account, also a closed one whose records are not removed yet.
	Account(ctx context.Context, id string) (savepage.AccountInfo, error)
	// CreateAccount makes an account with a first key and a webhook secret.
	CreateAccount(ctx context.Context, a savepage.AccountTerms, k savepage.KeyTerms) (savepage.Issued, error)
	// SetAccount changes an account.
	SetAccount(ctx context.Context, id string, change savepage.AccountTerms) (savepage.AccountInfo, error)
	// CloseAccount ends the keys of an account. It accepts nothing more, and whoever serves the ledger removes its records.
	CloseAccount(ctx context.Context, id string) error
}

// KeySecrets replaces the secrets of an account.
type KeySecrets interface {
	// SetAPISecret sets the secret that the older API's hash is made with; empty for none.
	SetAPISecret(ctx context.Context, account, secret string) error
	// RotateSecret is Accounts.RotateSecret.
	RotateSecret(ctx context.Context, account string, overlap time.Duration) (savepage.WebhookSecrets, error)
}

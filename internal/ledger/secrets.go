package ledger

import (
	"errors"
	"time"

	"github.com/savepage/savepage"
)

// The kinds of secrets, as their labels name them.
const (
	kindWebhook = "webhook_secret"
	kindAPI     = "api_secret"
	kindPrivate = "private"
	kindLink    = "link_secret"
	kindStore   = "store_keys"
)

// WebhookLabel is the label of an account's webhook secrets.
func WebhookLabel(account string) Label { return Label{Kind: kindWebhook, Account: account} }

// APILabel is the label of an account's secret of the older API.
func APILabel(account string) Label { return Label{Kind: kindAPI, Account: account} }

// PrivateLabel is the label of what is private of a capture.
func PrivateLabel(account, capture string) Label {
	return Label{Kind: kindPrivate, Account: account, Record: capture}
}

// LinkLabel is the label of a link secret.
func LinkLabel(account, id string) Label {
	return Label{Kind: kindLink, Account: account, Record: id}
}

// StoreLabel is the label of the credentials of a store.
func StoreLabel(account, name string) Label {
	return Label{Kind: kindStore, Account: account, Record: name}
}

// MaySeal returns nil when secrets can be written beside a server as the server writes them: a server that runs without a
// master key gets nothing that it could not read. plain says that a secret lies open in the database, served that a server
// runs.
func (v Vault) MaySeal(plain, served bool) error {
	if plain && served && v.Head() != "" {
		return errors.New("the server that runs has no master key: start it with the key first")
	}
	return nil
}

// WebhookSecret is one webhook secret of an account.
type WebhookSecret struct {
	Text    string
	Created time.Time
	Until   time.Time // zero for the current one
}

// DescribeSecrets describes an account's webhook secrets without their texts, the current one first.
func DescribeSecrets(list []WebhookSecret) savepage.WebhookSecrets {
	shown := savepage.WebhookSecrets{Previous: []savepage.SecretInfo{}}
	for i, one := range list {
		info := Describe(one.Text, one.Created, one.Until)
		if i == 0 {
			shown.Current = info
			continue
		}
		shown.Previous = append(shown.Previous, info)
	}
	return shown
}

// Rotation replaces an account's webhook secret.
type Rotation struct {
	Fresh string    // the new secret
	Made  time.Time // when it counts as made
}

// Rotate plans a rotation. before are the secrets that sign now, the current one first. More than MaxOldSecrets at once are
// *savepage.Error of CodeConflict; without an overlap there are none.
func Rotate(before []WebhookSecret, overlap time.Duration, now time.Time) (Rotation, error) {
	if len(before) > MaxOldSecrets && overlap > 0 {
		return Rotation{}, savepage.Errorf(savepage.CodeConflict,
			"%d older secrets are still valid; wait until one has ended, or rotate without an overlap, which ends them all", MaxOldSecrets)
	}
	r := Rotation{Fresh: NewSecret(), Made: now}
	if oldest := before[0].Created.Add(time.Microsecond); r.Made.Before(oldest) {
		r.Made = oldest // a clock that was set back must not change the order
	}
	return r, nil
}

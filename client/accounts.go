package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/savepage/savepage"
)

// Accounts manages the accounts of a server and their keys. All but OwnUsage and OwnHistory need a key with the scope admin.
type Accounts struct{ client *Client }

// Accounts returns what manages accounts and keys.
func (c *Client) Accounts() Accounts { return Accounts{client: c} }

// AccountPage is one page of accounts, newest first.
type AccountPage struct {
	Accounts []savepage.AccountInfo `json:"accounts"`
	Next     string                 `json:"next_cursor"` // empty at the end
}

func accountPath(id string) string { return "/v1/accounts/" + url.PathEscape(id) }

func keyPath(account, prefix string) string {
	return accountPath(account) + "/keys/" + url.PathEscape(prefix)
}

// List returns one page of accounts. A limit of 0 is the server's default; the cursor is Next of the previous page.
func (a Accounts) List(ctx context.Context, limit int, cursor string) (AccountPage, error) {
	query := url.Values{}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	var page AccountPage
	_, err := a.client.call(ctx, call{method: http.MethodGet, path: "/v1/accounts?" + query.Encode()}, &page)
	return page, err
}

// Get looks an account up.
func (a Accounts) Get(ctx context.Context, id string) (savepage.AccountInfo, error) {
	var found savepage.AccountInfo
	_, err := a.client.call(ctx, call{method: http.MethodGet, path: accountPath(id)}, &found)
	return found, err
}

// Create makes an account. Only this answer contains its first key and its webhook secret.
func (a Accounts) Create(ctx context.Context, terms savepage.AccountTerms) (savepage.Issued, error) {
	var issued savepage.Issued
	_, err := a.client.call(ctx, call{method: http.MethodPost, path: "/v1/accounts", body: terms}, &issued)
	return issued, err
}

// Set changes an account.
func (a Accounts) Set(ctx context.Context, id string, change savepage.AccountTerms) (savepage.AccountInfo, error) {
	var changed savepage.AccountInfo
	_, err := a.client.call(ctx, call{method: http.MethodPatch, path: accountPath(id), body: change}, &changed)
	return changed, err
}

// Delete closes an account. The server then removes its records and pictures; Get returns CodeNotFound when that is done.
func (a Accounts) Delete(ctx context.Context, id string) (savepage.AccountInfo, error) {
	var closed savepage.AccountInfo
	_, err := a.client.call(ctx, call{method: http.MethodDelete, path: accountPath(id)}, &closed)
	return closed, err
}

// Usage returns what an account uses of its limits.
func (a Accounts) Usage(ctx context.Context, id string) (savepage.Usage, error) {
	var usage savepage.Usage
	_, err := a.client.call(ctx, call{method: http.MethodGet, path: accountPath(id) + "/usage"}, &usage)
	return usage, err
}

// OwnUsage returns what the account of the client's own key uses of its limits.
func (a Accounts) OwnUsage(ctx context.Context) (savepage.Usage, error) {
	var usage savepage.Usage
	_, err := a.client.call(ctx, call{method: http.MethodGet, path: "/v1/usage"}, &usage)
	return usage, err
}

// History returns what ended in an account over the span.
func (a Accounts) History(ctx context.Context, id string, span savepage.HistorySpan) (savepage.UsageHistory, error) {
	return a.history(ctx, accountPath(id)+"/usage/history", span)
}

// OwnHistory returns what ended in the account of the client's own key over the span.
func (a Accounts) OwnHistory(ctx context.Context, span savepage.HistorySpan) (savepage.UsageHistory, error) {
	return a.history(ctx, "/v1/usage/history", span)
}

func (a Accounts) history(ctx context.Context, path string, span savepage.HistorySpan) (savepage.UsageHistory, error) {
	var past savepage.UsageHistory
	_, err := a.client.call(ctx, call{method: http.MethodGet, path: path + "?span=" + url.QueryEscape(string(span))}, &past)
	return past, err
}

// Keys returns the keys of an account, oldest first, revoked and expired ones included.
func (a Accounts) Keys(ctx context.Context, id string) ([]savepage.Key, error) {
	var list struct {
		Keys []savepage.Key `json:"keys"`
	}
	_, err := a.client.call(ctx, call{method: http.MethodGet, path: accountPath(id) + "/keys"}, &list)
	return list.Keys, err
}

// CreateKey makes a key for an account, which only this answer contains.
func (a Accounts) CreateKey(ctx context.Context, id string, terms savepage.KeyTerms) (savepage.Issued, error) {
	var issued savepage.Issued
	_, err := a.client.call(ctx, call{method: http.MethodPost, path: accountPath(id) + "/keys", body: terms}, &issued)
	return issued, err
}

// RotateKey makes a key with the terms of another, which is named by its prefix and stays valid for the overlap at most, in
// whole seconds.
func (a Accounts) RotateKey(ctx context.Context, id, prefix string, overlap time.Duration) (savepage.Issued, error) {
	var issued savepage.Issued
	body := map[string]int64{"overlap": int64(overlap / time.Second)}
	_, err := a.client.call(ctx, call{method: http.MethodPost, path: keyPath(id, prefix) + "/rotate", body: body}, &issued)
	return issued, err
}

// RevokeKey ends a key, which is named by its prefix.
func (a Accounts) RevokeKey(ctx context.Context, id, prefix string) error {
	_, err := a.client.call(ctx, call{method: http.MethodDelete, path: keyPath(id, prefix)}, nil)
	return err
}

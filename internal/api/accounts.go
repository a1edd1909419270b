package api

import (
	"context"
	"net/http"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
)

// Accounts is the accounts of the server, for who manages them. An unknown one is *savepage.Error of CodeNotFound.
type Accounts interface {
	// ListAccounts returns one page and the cursor of the next one, empty at the end. A broken cursor is CodeInvalidRequest.
	ListAccounts(ctx context.Context, limit int, cursor string) ([]savepage.AccountInfo, string, error)
	Account(ctx context.Context, id string) (savepage.AccountInfo, error)
	// CreateAccount makes an account with a first key.
	CreateAccount(ctx context.Context, a savepage.AccountTerms, k savepage.KeyTerms) (savepage.Issued, error)
	SetAccount(ctx context.Context, id string, change savepage.AccountTerms) (savepage.AccountInfo, error)
	// CloseAccount ends the keys of an account; its records are removed afterwards.
	CloseAccount(ctx context.Context, id string) error
}

// KeyRing is the keys of all accounts. A key is named by its prefix; an unknown one is *savepage.Error of CodeNotFound.
type KeyRing interface {
	Create(ctx context.Context, account string, terms savepage.KeyTerms) (savepage.Issued, error)
	List(ctx context.Context, account string) ([]savepage.Key, error)
	Revoke(ctx context.Context, account, key string) error
	// Rotate makes a key with the terms of another, which stays valid for the overlap at most.
	Rotate(ctx context.Context, account, key string, overlap time.Duration) (savepage.Issued, error)
}

// AccountBody is the body of POST and PATCH of accounts.
type AccountBody struct {
	Name   *string         `json:"name,omitempty" maxLength:"100" doc:"Whose account it is."`
	Limits map[string]*int `json:"limits,omitempty" doc:"Limits of its own, by name; null: the setting of the server; 0: no limit."`
}

// KeyBody is the body of a request for a key.
type KeyBody struct {
	Name      string           `json:"name,omitempty" maxLength:"100" doc:"What the key is for."`
	Scopes    []savepage.Scope `json:"scopes,omitempty" enum:"capture,read,admin" doc:"What the key may do; capture and read by default."`
	ExpiresAt string           `json:"expires_at,omitempty" format:"date-time" doc:"From when the key is refused; never by default."`
}

// AccountPage is one page of accounts.
type AccountPage struct {
	Accounts   []savepage.AccountInfo `json:"accounts" doc:"Newest first."`
	NextCursor string                 `json:"next_cursor,omitempty" doc:"Value of cursor for the next page; absent on the last page."`
}

// KeyList is the keys of an account.
type KeyList struct {
	Keys []savepage.Key `json:"keys" doc:"Oldest first, revoked and expired ones included."`
}

// accountHandlers manage accounts and their keys.
type accountHandlers struct {
	out      responder
	accounts Accounts
	keys     KeyRing
	clock    *clock.Clock
}

// list answers GET /v1/accounts.
func (h *accountHandlers) list(w http.ResponseWriter, r *http.Request, _ savepage.Principal) error {
	limit, cursor, err := readPage(r)
	if err != nil {
		return err
	}
	page, next, err := h.accounts.ListAccounts(r.Context(), limit, cursor)
	if err != nil {
		return err
	}
	h.out.json(w, r, http.StatusOK, AccountPage{Accounts: append([]savepage.AccountInfo{}, page...), NextCursor: next})
	return nil
}

// create answers POST /v1/accounts.
func (h *accountHandlers) create(w http.ResponseWriter, r *http.Request, _ savepage.Principal) error {
	terms, err := h.readAccount(w, r, true)
	if err != nil {
		return err
	}
	issued, err := h.accounts.CreateAccount(r.Context(), terms, savepage.KeyTerms{Name: "first key"})
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/accounts/"+issued.Account)
	h.out.json(w, r, http.StatusCreated, issued)
	return nil
}

func (h *accountHandlers) readAccount(w http.ResponseWriter, r *http.Request, mayBeEmpty bool) (savepage.AccountTerms, error) {
	if err := noQuery(r); err != nil {
		return savepage.AccountTerms{}, err
	}
	var asked AccountBody
	if err := readObject(w, r, &asked, mayBeEmpty); err != nil {
		return savepage.AccountTerms{}, err
	}
	terms := savepage.AccountTerms{Name: asked.Name, Limits: asked.Limits}
	return terms, inBody(terms.ValidateFields())
}

// inBody is the error of wrong fields of a body.
func inBody(wrong []savepage.FieldError) error {
	if len(wrong) == 0 {
		return nil
	}
	for i := range wrong {
		wrong[i].Location, wrong[i].Value = at("body", wrong[i].Location), echo(wrong[i].Value)
	}
	return invalid(wrong)
}

// get answers GET /v1/accounts/{id}.
func (h *accountHandlers) get(w http.ResponseWriter, r *http.Request, _ savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	found, err := h.accounts.Account(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	h.out.json(w, r, http.StatusOK, found)
	return nil
}

// set answers PATCH /v1/accounts/{id}.
func (h *accountHandlers) set(w http.ResponseWriter, r *http.Request, _ savepage.Principal) error {
	terms, err := h.readAccount(w, r, false)
	if err != nil {
		return err
	}
	changed, err := h.accounts.SetAccount(r.Context(), r.PathValue("id"), terms)
	if err != nil {
		return err
	}
	h.out.json(w, r, http.StatusOK, changed)
	return nil
}

// remove answers DELETE /v1/accounts/{id}. The answer is sent when the account is closed, which survives a restart.
func (h *accountHandlers) remove(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	id := r.PathValue("id")
	if id == who.Account.ID {
		return savepage.Errorf(savepage.CodeConflict, "the key of this request belongs to account %s; delete it with a key of another account, "+
			"or with savepage account delete", id)
	}
	if err := h.accounts.CloseAccount(r.Context(), id); err != nil {
		return err
	}
	closed, err := h.accounts.Account(r.Context(), id)
	if err != nil {
		return err
	}
	h.out.accepted(w, r, "", closed)
	return nil
}

// listKeys answers GET /v1/accounts/{id}/keys.
func (h *accountHandlers) listKeys(w http.ResponseWriter, r *http.Request, _ savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	account, err := h.accounts.Account(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	list, err := h.keys.List(r.Context(), account.ID)
	if err != nil {
		return err
	}
	h.out.json(w, r, http.StatusOK, KeyList{Keys: append([]savepage.Key{}, list...)})
	return nil
}

// createKey answers POST /v1/accounts/{id}/keys.
func (h *accountHandlers) createKey(w http.ResponseWriter, r *http.Request, _ savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	var asked KeyBody
	if err := readObject(w, r, &asked, true); err != nil {
		return err
	}
	terms := savepage.KeyTerms{Name: asked.Name, Scopes: asked.Scopes}
	if asked.ExpiresAt != "" {
		var err error
		if terms.ExpiresAt, err = time.Parse(time.RFC3339, asked.ExpiresAt); err != nil {
			return invalidField("body.expires_at", "must be an RFC 3339 time, such as 2027-01-31T12:00:00Z", echo(asked.ExpiresAt))
		}
	}
	if err := inBody(terms.ValidateFields(h.clock.Now())); err != nil {
		return err
	}
	issued, err := h.keys.Create(r.Context(), r.PathValue("id"), terms)
	if err != nil {
		return err
	}
	h.out.json(w, r, http.StatusCreated, issued)
	return nil
}

// revokeKey answers DELETE /v1/accounts/{id}/keys/{key}.
func (h *accountHandlers) revokeKey(w http.ResponseWriter, r *http.Request, _ savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	if err := h.keys.Revoke(r.Context(), r.PathValue("id"), r.PathValue("key")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// rotateKey answers POST /v1/accounts/{id}/keys/{key}/rotate.
func (h *accountHandlers) rotateKey(w http.ResponseWriter, r *http.Request, _ savepage.Principal) error {
	overlap, err := readOverlap(w, r)
	if err != nil {
		return err
	}
	issued, err := h.keys.Rotate(r.Context(), r.PathValue("id"), r.PathValue("key"), overlap)
	if err != nil {
		return err
	}
	h.out.json(w, r, http.StatusCreated, issued)
	return nil
}

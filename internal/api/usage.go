package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/savepage/savepage"
)

// Usage says what accounts use of their limits. What it does not know, the requests of the minute, has its limit and is not
// used.
type Usage interface {
	Usage(ctx context.Context, account string) (savepage.Usage, error)
	// History returns what ended in an account over the span, which is valid. An unknown account is *savepage.Error of
	// CodeNotFound.
	History(ctx context.Context, account string, span savepage.HistorySpan) (savepage.UsageHistory, error)
}

// usageHandlers say what accounts use of their limits.
type usageHandlers struct {
	out   responder
	usage Usage
	gate  *gate
}

// own answers GET /v1/usage.
func (h *usageHandlers) own(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	return h.answer(w, r, who.Account.ID)
}

// of answers GET /v1/accounts/{id}/usage.
func (h *usageHandlers) of(w http.ResponseWriter, r *http.Request, _ savepage.Principal) error {
	return h.answer(w, r, r.PathValue("id"))
}

func (h *usageHandlers) answer(w http.ResponseWriter, r *http.Request, account string) error {
	if err := noQuery(r); err != nil {
		return err
	}
	u, err := h.usage.Usage(r.Context(), account)
	if err != nil {
		return err
	}
	if limit := u.RequestsPerMinute.Limit; limit != nil {
		stands := h.gate.limiter.look(account, *limit, h.gate.clock.Now())
		reset := ceil(stands.reset).UTC()
		u.RequestsPerMinute = savepage.UseOf(*limit, *limit-stands.remaining)
		u.RequestsPerMinute.Reset = &reset
	}
	h.out.json(w, r, http.StatusOK, u)
	return nil
}

// ownHistory answers GET /v1/usage/history.
func (h *usageHandlers) ownHistory(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	return h.history(w, r, who.Account.ID)
}

// historyOf answers GET /v1/accounts/{id}/usage/history.
func (h *usageHandlers) historyOf(w http.ResponseWriter, r *http.Request, _ savepage.Principal) error {
	return h.history(w, r, r.PathValue("id"))
}

func (h *usageHandlers) history(w http.ResponseWriter, r *http.Request, account string) error {
	values, err := parseQuery("query", r.URL.RawQuery)
	if err != nil {
		return err
	}
	in := newFilterReader(values, "span")
	given := in.one("span")
	span := cmp.Or(savepage.HistorySpan(given), savepage.HistoryDay)
	if !span.Valid() {
		in.refuse("span", "must be 24h, 7d or 30d", given)
	}
	if len(in.wrong) > 0 {
		return invalid(in.wrong)
	}
	past, err := h.usage.History(r.Context(), account, span)
	if err != nil {
		return err
	}
	h.out.json(w, r, http.StatusOK, past)
	return nil
}

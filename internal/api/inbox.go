package api

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
)

// Inboxes is the receivers that accounts have of their own.
type Inboxes interface {
	// Inbox returns an account's inbox with a page of events, newest first. A broken cursor is CodeInvalidRequest.
	Inbox(ctx context.Context, account string, limit int, cursor string) (savepage.Inbox, error)
	// InboxEvent returns one event. An id of another account is *savepage.Error of CodeNotFound.
	InboxEvent(ctx context.Context, account, id string) (savepage.InboxEvent, error)
	// AnswerInbox sets how the inbox answers from now on.
	AnswerInbox(ctx context.Context, account string, answer savepage.InboxAnswer) error
	// EmptyInbox removes all events.
	EmptyInbox(ctx context.Context, account string) error
}

// InboxChange is the body of PATCH /v1/inbox.
type InboxChange struct {
	Answer savepage.InboxAnswer `json:"answer" doc:"How the inbox answers from now on."`
}

// inboxHandlers answer requests about the account's own receiver.
type inboxHandlers struct {
	out     responder
	inboxes Inboxes
}

// get answers GET /v1/inbox.
func (h *inboxHandlers) get(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	limit, cursor, err := readPage(r)
	if err != nil {
		return err
	}
	return h.show(w, r, who, limit, cursor)
}

func (h *inboxHandlers) show(w http.ResponseWriter, r *http.Request, who savepage.Principal, limit int, cursor string) error {
	found, err := h.inboxes.Inbox(r.Context(), who.Account.ID, limit, cursor)
	if err != nil {
		return err
	}
	if found.Events == nil {
		found.Events = []savepage.InboxEvent{}
	}
	h.out.json(w, r, http.StatusOK, found)
	return nil
}

// event answers GET /v1/inbox/{id}.
func (h *inboxHandlers) event(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	found, err := h.inboxes.InboxEvent(r.Context(), who.Account.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	h.out.json(w, r, http.StatusOK, found)
	return nil
}

// change answers PATCH /v1/inbox.
func (h *inboxHandlers) change(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	var asked InboxChange
	if err := readObject(w, r, &asked, false); err != nil {
		return err
	}
	if !slices.Contains(savepage.InboxAnswers(), asked.Answer) {
		return invalidField("body.answer", "must be one of "+joinWords(savepage.InboxAnswers()), echo(string(asked.Answer)))
	}
	if err := h.inboxes.AnswerInbox(r.Context(), who.Account.ID, asked.Answer); err != nil {
		return err
	}
	return h.show(w, r, who, defaultLimit, "")
}

// empty answers DELETE /v1/inbox.
func (h *inboxHandlers) empty(w http.ResponseWriter, r *http.Request, who savepage.Principal) error {
	if err := noQuery(r); err != nil {
		return err
	}
	if err := h.inboxes.EmptyInbox(r.Context(), who.Account.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *handlers) inboxRoutes() []route {
	return []route{
		h.keyed(mayRead, http.MethodGet, "/v1/inbox", h.inbox.get, docInbox()),
		h.keyed(mayRead, http.MethodGet, "/v1/inbox/{id}", h.inbox.event, docInboxEvent()),
		h.keyed(maySubmit, http.MethodPatch, "/v1/inbox", h.inbox.change, docChangeInbox()),
		h.keyed(maySubmit, http.MethodDelete, "/v1/inbox", h.inbox.empty, docEmptyInbox()),
	}
}

func docInbox() *huma.Operation {
	op := operation("getInbox", tagInbox, "Get the inbox", map[int]reflect.Type{200: schemaOf[savepage.Inbox]()}, 400, 401, 429)
	op.Description = "The inbox is a receiver that the account has of its own, to try callbacks without a server: a callback_url, " +
		"batch_callback_url or test event with its address is signed, sent, retried and recorded like any other, and handed over in the " +
		"same process. It keeps the last " + strconv.Itoa(savepage.MaxInboxEvents) + " events of 7 days, 2 MiB in all. What belongs to a " +
		"capture or a batch is removed with it."
	op.Parameters = []*huma.Param{limitParam(), cursorParam()}
	return op
}

func docInboxEvent() *huma.Operation {
	op := operation("getInboxEvent", tagInbox, "Get one event of the inbox",
		map[int]reflect.Type{200: schemaOf[savepage.InboxEvent]()}, 400, 401, 404, 429)
	op.Parameters = []*huma.Param{pathParam("id", "Id of the event.")}
	return op
}

func docChangeInbox() *huma.Operation {
	op := operation("changeInbox", tagInbox, "Choose how the inbox answers",
		map[int]reflect.Type{200: schemaOf[savepage.Inbox]()}, 400, 401, 404, 413, 415, 429)
	op.Description = "200 takes what arrives. 500 has it sent again by the schedule, 410 ends the delivery, and slow does not answer within " +
		"the timeout of an attempt. The inbox keeps what arrives, whatever its answer."
	op.RequestBody = jsonBody("InboxChange", true)
	return op
}

func docEmptyInbox() *huma.Operation {
	op := operation("emptyInbox", tagInbox, "Remove all events of the inbox", nil, 400, 401, 429)
	op.Description = "How it answers stays as it is."
	op.Responses["204"] = &huma.Response{Description: "Removed."}
	return op
}

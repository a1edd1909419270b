package api

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/savepage/savepage"
)

func (h *handlers) accountRoutes() []route {
	const one, keys, key = "/v1/accounts/{id}", "/v1/accounts/{id}/keys", "/v1/accounts/{id}/keys/{key}"
	return []route{
		h.keyed(mayFollow, http.MethodGet, "/v1/usage", h.usage.own, docUsage("getUsage", "Get what the account uses of its limits")),
		h.keyed(mayFollow, http.MethodGet, "/v1/usage/history", h.usage.ownHistory, docHistory("getUsageHistory", "Get what ended over time")),
		h.keyed(mayManage, http.MethodGet, "/v1/accounts", h.accounts.list, docListAccounts()),
		h.keyed(mayManage, http.MethodPost, "/v1/accounts", h.accounts.create, docCreateAccount()),
		h.keyed(mayManage, http.MethodGet, one, h.accounts.get, docGetAccount()),
		h.keyed(mayManage, http.MethodPatch, one, h.accounts.set, docSetAccount()),
		h.keyed(mayManage, http.MethodDelete, one, h.accounts.remove, docDeleteAccount()),
		h.keyed(mayManage, http.MethodGet, one+"/usage", h.usage.of, docAccountUsage()),
		h.keyed(mayManage, http.MethodGet, one+"/usage/history", h.usage.historyOf, docAccountHistory()),
		h.keyed(mayManage, http.MethodGet, keys, h.accounts.listKeys, docListKeys()),
		h.keyed(mayManage, http.MethodPost, keys, h.accounts.createKey, docCreateKey()),
		h.keyed(mayManage, http.MethodDelete, key, h.accounts.revokeKey, docRevokeKey()),
		h.keyed(mayManage, http.MethodPost, key+"/rotate", h.accounts.rotateKey, docRotateKey()),
		h.keyed(mayManage, http.MethodGet, "/v1/nodes", h.nodes.list, docListNodes()),
	}
}

func docListNodes() *huma.Operation {
	op := operation("listNodes", tagOperations, "List the processes that serve the database",
		map[int]reflect.Type{200: schemaOf[NodeList]()}, 400, 401, 429)
	op.Description = "With SQLite it is one. With PostgreSQL it is every process that serves the database, and for an hour those that " +
		"have ended. Times are those of the database."
	return op
}

func docUsage(id, summary string) *huma.Operation {
	op := operation(id, tagAccounts, summary, map[int]reflect.Type{200: schemaOf[savepage.Usage]()}, 400, 401, 429)
	op.Description = "For each limit: how much of it is used and left, and when all of it is available again. reserved is what captures " +
		"that have not ended count at most; the month refuses a request that used, reserved and itself would exceed."
	return op
}

func docAccountUsage() *huma.Operation {
	op := docUsage("getAccountUsage", "Get what an account uses of its limits")
	op.Parameters, op.Errors = []*huma.Param{accountParam()}, append(op.Errors, http.StatusNotFound)
	return op
}

func docHistory(id, summary string) *huma.Operation {
	op := operation(id, tagAccounts, summary, map[int]reflect.Type{200: schemaOf[savepage.UsageHistory]()}, 400, 401, 429)
	op.Description = "For each hour of the last 24, or each day (UTC) of the last 7 or 30: captures by how they ended, the bytes of their " +
		"pictures, how long renders took, and callbacks. It counts by when they ended, and remembers 31 days, also of what is removed. " +
		"What ended before the server was brought up to this version counts as far as its records are kept."
	span := text()
	span.Enum = []any{savepage.HistoryDay, savepage.HistoryWeek, savepage.HistoryMonth}
	op.Parameters = []*huma.Param{query("span", "How far it goes back. Default: 24h.", span)}
	return op
}

func docAccountHistory() *huma.Operation {
	op := docHistory("getAccountUsageHistory", "Get what ended in an account over time")
	op.Parameters, op.Errors = append([]*huma.Param{accountParam()}, op.Parameters...), append(op.Errors, http.StatusNotFound)
	return op
}

func docListAccounts() *huma.Operation {
	op := operation("listAccounts", tagAccounts, "List accounts, newest first",
		map[int]reflect.Type{200: schemaOf[AccountPage]()}, 400, 401, 429)
	op.Parameters = []*huma.Param{limitParam(), cursorParam()}
	return op
}

func docCreateAccount() *huma.Operation {
	op := operation("createAccount", tagAccounts, "Create an account",
		map[int]reflect.Type{201: schemaOf[savepage.Issued]()}, 400, 401, 413, 415, 429)
	op.Description = "The answer has the first key of the account, with the scopes capture and read, and its webhook secret, " +
		"only this once. " +
		limitsDoc()
	op.RequestBody = jsonBody("AccountBody", false)
	return op
}

// limitsDoc describes the limits of an account.
func limitsDoc() string {
	rows := []string{"Limits:"}
	for _, row := range savepage.LimitTable() {
		rows = append(rows, row.Name+": "+strings.ToLower(row.Doc[:1])+row.Doc[1:])
	}
	return strings.Join(rows, " ")
}

func docGetAccount() *huma.Operation {
	op := operation("getAccount", tagAccounts, "Get an account",
		map[int]reflect.Type{200: schemaOf[savepage.AccountInfo]()}, 400, 401, 404, 429)
	op.Parameters = []*huma.Param{accountParam()}
	return op
}

func docSetAccount() *huma.Operation {
	op := operation("setAccount", tagAccounts, "Change an account",
		map[int]reflect.Type{200: schemaOf[savepage.AccountInfo]()}, 400, 401, 404, 413, 415, 429)
	op.Description = "What is absent stays as it is. A limit of null gives way to the setting of the server. " + limitsDoc()
	op.Parameters, op.RequestBody = []*huma.Param{accountParam()}, jsonBody("AccountBody", true)
	return op
}

func docDeleteAccount() *huma.Operation {
	op := operation("deleteAccount", tagAccounts, "Delete an account",
		map[int]reflect.Type{202: schemaOf[savepage.AccountInfo]()}, 400, 401, 404, 409, 429)
	op.Description = "Its keys are refused from now on and its captures are canceled. The server then removes every record and picture of " +
		"it, also after a restart; until that is done, it is listed with closed_at. The account of the request's own key is a conflict."
	op.Parameters = []*huma.Param{accountParam()}
	return op
}

func docListKeys() *huma.Operation {
	op := operation("listKeys", tagAccounts, "List the keys of an account", map[int]reflect.Type{200: schemaOf[KeyList]()}, 400, 401, 404, 429)
	op.Parameters = []*huma.Param{accountParam()}
	return op
}

func docCreateKey() *huma.Operation {
	op := operation("createKey", tagAccounts, "Create a key",
		map[int]reflect.Type{201: schemaOf[savepage.Issued]()}, 400, 401, 404, 413, 415, 429)
	op.Description = "Scopes: capture submits, cancels and deletes captures and batches, follows those whose ids it knows, sends callbacks " +
		"again and replaces the webhook secret; read looks up and lists everything of the account; admin manages all accounts and keys of " +
		"the server. None includes another."
	op.Parameters, op.RequestBody = []*huma.Param{accountParam()}, jsonBody("KeyBody", false)
	return op
}

func docRevokeKey() *huma.Operation {
	op := operation("revokeKey", tagAccounts, "Revoke a key", nil, 400, 401, 404, 409, 429)
	op.Parameters = []*huma.Param{accountParam(), keyParam()}
	op.Responses["204"] = &huma.Response{Description: "The key is refused from now on."}
	return op
}

func docRotateKey() *huma.Operation {
	op := operation("rotateKey", tagAccounts, "Replace a key",
		map[int]reflect.Type{201: schemaOf[savepage.Issued]()}, 400, 401, 404, 409, 413, 415, 429)
	op.Description = "The new key has the name, the scopes and the expiry of the other, which stays valid for the overlap at most."
	op.Parameters, op.RequestBody = []*huma.Param{accountParam(), keyParam()}, jsonBody("Rotation", false)
	return op
}

func accountParam() *huma.Param { return pathParam("id", "Id of the account.") }

func keyParam() *huma.Param { return pathParam("key", "Prefix of the key, as lists show it.") }

// accountSchemas registers the schemas of request bodies.
func accountSchemas(registry huma.Registry) {
	registry.Schema(reflect.TypeFor[AccountBody](), true, "AccountBody")
	registry.Schema(reflect.TypeFor[KeyBody](), true, "KeyBody")
	storeSchemas(registry)
}

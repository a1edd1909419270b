package mcp

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/httpd"
)

// maxBody bounds a request in bytes: the option html has up to 2 MiB.
const maxBody = 4 << 20

// Handler serves the tools over HTTP, as the protocol's streamable transport without sessions, to requests with a key.
// authenticate returns whose the key is, or *savepage.Error of CodeUnauthorized for an unknown one.
func Handler(
	server *sdk.Server, authenticate func(ctx context.Context, key string) (savepage.Principal, error), log *slog.Logger,
) http.Handler {
	served := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, &sdk.StreamableHTTPOptions{
		Stateless: true, JSONResponse: true, MaxRequestBodyBytes: maxBody, PropagateRequestCancellation: true,
		DisableLocalhostProtection: true, // every host that is not known has been refused before
	})
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := savepage.Principal{}, error(savepage.Errorf(savepage.CodeUnauthorized, "send Authorization: Bearer KEY"))
		if key := Key(r.Header); key != "" {
			who, err = authenticate(r.Context(), key)
		}
		if err == nil {
			httpd.SetAccount(r, who.Account.ID)
			served.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, r)))
			return
		}
		fault, known := errors.AsType[*savepage.Error](err)
		if !known {
			log.ErrorContext(r.Context(), "key not checked", slog.Any("error", err))
			fault = savepage.Errorf(savepage.CodeInternal, "the key could not be checked; the log says why")
		}
		if fault.Code == savepage.CodeUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="savepage"`)
		}
		httpd.Refusal(fault.Code.Info().Status, string(fault.Code), fault.Message)(w, r)
	}))
}

// Key is the key that a request carries; empty for none.
func Key(header http.Header) string {
	scheme, key, _ := strings.Cut(header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

package page

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	cdpage "github.com/chromedp/cdproto/page"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/health"
	"github.com/savepage/savepage/internal/page/address"
)

// document is what is awaited until the page's server has answered.
const document = "the page's document"

// navigate asks for the page and returns when its document has begun to come, or says why it did not. Chromium does not
// answer for a document that never does.
func (j *job) navigate(ctx context.Context) error {
	j.notes.Await(document)
	if j.tab.Held() {
		err := j.setup.arrive(ctx)
		j.arrived = err == nil
		return err
	}
	var res cdpage.NavigateResult
	err := j.page.Execute(ctx, cdpage.CommandNavigate, cdpage.NavigateParams{URL: j.to.URL}, &res)
	var refused *cdp.Error
	switch {
	case errors.As(err, &refused):
		return savepage.Errorf(savepage.CodeInvalidRequest, "the browser refuses the address %s", address.Named(j.to.URL))
	case err != nil:
		return err
	case res.IsDownload:
		return isDownload(j.to.URL)
	case res.ErrorText != "":
		return j.unreachable(j.main.URL(), res.ErrorText)
	}
	j.arrived = true
	return nil
}

func isDownload(url string) error {
	return savepage.Errorf(savepage.CodeNotAPage, "%s answers with a download", address.Named(url))
}

// broken reports that the page has gone to an address that could not be reached: what stands there is the browser's own
// error page.
func (p *parts) broken() error {
	url, text := p.main.Unreachable()
	if url == "" {
		return nil
	}
	return p.unreachable(url, text)
}

// unreachable says why an address could not be reached. The proxy that made the connection knows best; what it did not
// see is in Chromium's own code.
func (p *parts) unreachable(url, netError string) error {
	host, port := address.Authority(url)
	switch e, known := p.tab.Identity().Failure(host, port); {
	case known && e.Kind == guard.NoWayOut:
		return health.Of(health.Network, errors.New(e.Detail))
	case known:
		return savepage.Errorf(codeOf(e.Kind), "%s", e.Detail)
	}
	known, listed := netErrors()[netError]
	switch {
	case netError == aborted && p.broughtPage(url):
		return savepage.Errorf(savepage.CodePageCrashed, "the browser gave %s up without a reason", address.Named(url))
	case !listed:
		known = netFault{savepage.CodeConnectionFailed, "could not be reached"}
	case known.code == savepage.CodeBrowserLost:
		p.tab.Distrust(netError)
	}
	return savepage.Errorf(known.code, "%s %s (%s)", address.Named(url), known.text, cmp.Or(netError, "no reason given"))
}

// broughtPage reports whether what an address has brought so far may be a page: it is asked of a server, which has not answered
// that there is nothing. The browser gives up what it has no use for, and also what a process of its own was to show that ended.
func (p *parts) broughtPage(url string) bool {
	status := p.main.Status()
	return strings.HasPrefix(url, "http") && status != http.StatusNoContent && status != http.StatusResetContent
}

func codeOf(kind guard.Kind) savepage.Code {
	switch kind {
	case guard.Blocked, guard.Filtered:
		return savepage.CodeAddressBlocked
	case guard.NotResolved:
		return savepage.CodeNameNotResolved
	case guard.Timeout:
		return savepage.CodeNavigationTimeout
	case guard.OverBudget:
		return savepage.CodeTooLarge
	default:
		return savepage.CodeConnectionFailed
	}
}

// aborted is Chromium's code for a navigation that was given up.
const aborted = "net::ERR_ABORTED"

// netFault is what one of Chromium's network errors means to a client.
type netFault struct {
	code savepage.Code
	text string
}

// netErrors is the table of Chromium's codes (net/base/net_error_list.h). The text stands after the address.
func netErrors() map[string]netFault {
	table := map[string]netFault{
		"net::ERR_NAME_NOT_RESOLVED":          {savepage.CodeNameNotResolved, "has a name without an address"},
		"net::ERR_TOO_MANY_REDIRECTS":         {savepage.CodeTooManyRedirects, "redirects without an end"},
		"net::ERR_TIMED_OUT":                  {savepage.CodeNavigationTimeout, "did not answer in time"},
		"net::ERR_CONNECTION_TIMED_OUT":       {savepage.CodeNavigationTimeout, "did not answer in time"},
		aborted:                               {savepage.CodeNotAPage, "answers with a download or nothing"},
		"net::ERR_HTTP_RESPONSE_CODE_FAILURE": {savepage.CodeHTTPError, "answers with an error status and no page"},
		"net::ERR_UNSAFE_PORT":                {savepage.CodeAddressBlocked, "has a port that browsers refuse"},
		"net::ERR_UNSAFE_REDIRECT":            {savepage.CodeAddressBlocked, "redirects to an address that no page may have"},
		"net::ERR_UNKNOWN_URL_SCHEME":         {savepage.CodeAddressBlocked, "has an address of a kind that is not known"},
		"net::ERR_BLOCKED_BY_CLIENT":          {savepage.CodeAddressBlocked, "was refused by the browser"},
		"net::ERR_INVALID_URL":                {savepage.CodeInvalidRequest, "is not a valid address"},
		"net::ERR_INVALID_REDIRECT":           {savepage.CodeConnectionFailed, "redirects to an address that is not valid"},
		"net::ERR_EMPTY_RESPONSE":             {savepage.CodeConnectionFailed, "closed the connection without an answer"},
		"net::ERR_INVALID_HTTP_RESPONSE":      {savepage.CodeConnectionFailed, "does not answer as HTTP"},
		"net::ERR_INVALID_AUTH_CREDENTIALS":   {savepage.CodeHTTPError, "asks for a user and a password"},
	}
	// The proxy and the network are ours.
	for _, name := range []string{
		"PROXY_CONNECTION_FAILED", "PROXY_CERTIFICATE_INVALID", "PROXY_AUTH_REQUESTED", "PROXY_AUTH_UNSUPPORTED",
		"PROXY_AUTH_REQUESTED_WITH_NO_CONNECTION", "PROXY_UNABLE_TO_CONNECT_TO_DESTINATION", "PROXY_HTTP_1_1_REQUIRED",
		"PROXY_DELEGATE_CANCELED_CONNECT_REQUEST", "PROXY_DELEGATE_CANCELED_CONNECT_RESPONSE",
		"MANDATORY_PROXY_CONFIGURATION_FAILED", "NO_SUPPORTED_PROXIES", "NETWORK_CHANGED", "NETWORK_IO_SUSPENDED",
		"INTERNET_DISCONNECTED", "CONTEXT_SHUT_DOWN", "INSUFFICIENT_RESOURCES",
	} {
		table["net::ERR_"+name] = netFault{savepage.CodeBrowserLost, "could not be asked for: the browser lost its way to the network"}
	}
	for _, name := range []string{
		"SSL_PROTOCOL_ERROR", "SSL_VERSION_OR_CIPHER_MISMATCH", "SSL_OBSOLETE_CIPHER", "SSL_UNRECOGNIZED_NAME_ALERT",
		"SSL_DECRYPT_ERROR_ALERT", "SSL_KEY_USAGE_INCOMPATIBLE", "BAD_SSL_CLIENT_AUTH_CERT", "SSL_CLIENT_AUTH_CERT_NEEDED",
		"SSL_BAD_RECORD_MAC_ALERT", "SSL_DECOMPRESSION_FAILURE_ALERT", "SSL_HANDSHAKE_NOT_COMPLETED", "SSL_SERVER_CERT_BAD_FORMAT",
		"SSL_SERVER_CERT_CHANGED", "SSL_PINNED_KEY_NOT_IN_CERT_CHAIN", "SSL_CLIENT_AUTH_SIGNATURE_FAILED", "ECH_NOT_NEGOTIATED",
		"ECH_FALLBACK_CERTIFICATE_INVALID", "CERT_COMMON_NAME_INVALID", "CERT_DATE_INVALID", "CERT_AUTHORITY_INVALID",
		"CERT_CONTAINS_ERRORS", "CERT_NO_REVOCATION_MECHANISM", "CERT_UNABLE_TO_CHECK_REVOCATION", "CERT_REVOKED", "CERT_INVALID",
		"CERT_WEAK_SIGNATURE_ALGORITHM", "CERT_NON_UNIQUE_NAME", "CERT_WEAK_KEY", "CERT_NAME_CONSTRAINT_VIOLATION",
		"CERT_VALIDITY_TOO_LONG", "CERTIFICATE_TRANSPARENCY_REQUIRED", "CERT_KNOWN_INTERCEPTION_BLOCKED",
		"CERT_SELF_SIGNED_LOCAL_NETWORK", "CERT_DATABASE_CHANGED",
	} {
		table["net::ERR_"+name] = netFault{savepage.CodeTLSError, "has no valid certificate or speaks no TLS that browsers accept"}
	}
	return table
}

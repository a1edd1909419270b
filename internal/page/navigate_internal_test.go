package page

import (
	"testing"

	"github.com/savepage/savepage"
)

// The proxy is ours: what it fails at is never the page's fault.
func TestOurOwnNetworkIsNoFaultOfThePage(t *testing.T) {
	for text, want := range map[string]savepage.Code{
		"net::ERR_PROXY_CONNECTION_FAILED":              savepage.CodeBrowserLost,
		"net::ERR_MANDATORY_PROXY_CONFIGURATION_FAILED": savepage.CodeBrowserLost,
		"net::ERR_NETWORK_CHANGED":                      savepage.CodeBrowserLost,
		"net::ERR_ABORTED":                              savepage.CodeNotAPage, // in a browser that is sound
	} {
		if got := netErrors()[text].code; got != want {
			t.Errorf("%s is %q, want %s", text, got, want)
		}
	}
}

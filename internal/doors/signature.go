package doors

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/savepage/savepage"
)

// unsigned is a query as it was before its signature was added, and the signature; found is whether there is one.
func unsigned(query, name string) (rest, signature string, found bool) {
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if value, is := strings.CutPrefix(pair, name+"="); is {
			signature, found = value, true
			continue
		}
		kept = append(kept, pair)
	}
	return strings.Join(kept, "&"), signature, found
}

// signs reports whether a signature is the hex HMAC-SHA256 of a text.
func signs(secret, signature, text string) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	given, err := hex.DecodeString(signature)
	return err == nil && hmac.Equal(mac.Sum(nil), given)
}

// checkSignature checks the signature of a link, over the query as it was sent. An account that has an API secret takes only
// links that are signed with it; one that has none takes only links without a signature.
func checkSignature(who savepage.Principal, signature, query string, signed bool) error {
	secret := who.Account.APISecret
	switch {
	case secret == "" && signed:
		return savepage.Errorf(savepage.CodeForbidden, "the signature cannot be checked, because the account has no API secret: "+
			"make one with savepage key create --account %s --api-secret", who.Account.ID)
	case secret != "" && !signed:
		return savepage.Errorf(savepage.CodeForbidden, "the link must be signed with the API secret of the account")
	case secret != "" && !signs(secret, signature, query):
		return savepage.Errorf(savepage.CodeForbidden, "the signature is not that of this query with the API secret of the account")
	default:
		return nil
	}
}

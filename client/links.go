package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/savepage/savepage"
)

// Links signs links to pictures and manages the secrets that sign them.
type Links struct{ client *Client }

// NewLinks returns the links of the client's server and account.
func NewLinks(c *Client) Links { return Links{client: c} }

// Sign returns a link to the picture of a page that needs no key, signed with a link secret of the account. A zero time means
// that it does not expire. The server is not asked; it refuses a link with options that are wrong, async or of callbacks.
func (l Links) Sign(secret string, o savepage.Options, expires time.Time) (string, error) {
	query, err := optionsQuery(o)
	if err != nil {
		return "", err
	}
	return savepage.ImageLink(l.client.base, secret, query, expires)
}

// optionsQuery writes options as a query has them: what is no text as JSON, and each member of a list by itself.
func optionsQuery(o savepage.Options) (url.Values, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("encode the options: %w", err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, fmt.Errorf("encode the options: %w", err)
	}
	query := url.Values{}
	for name, value := range members {
		var list []string
		if bytes.HasPrefix(value, []byte("[")) && json.Unmarshal(value, &list) == nil {
			query[name] = list
			continue
		}
		var one string
		if json.Unmarshal(value, &one) != nil {
			one = string(value)
		}
		query.Set(name, one)
	}
	return query, nil
}

// Secrets returns the link secrets of the account without their texts, newest first.
func (l Links) Secrets(ctx context.Context) ([]savepage.LinkSecret, error) {
	var found struct {
		Secrets []savepage.LinkSecret `json:"secrets"`
	}
	_, err := l.client.call(ctx, call{method: http.MethodGet, path: linkSecretsPath}, &found)
	return found.Secrets, err
}

// CreateSecret makes a link secret, which only this answer contains. Those before it stay valid.
func (l Links) CreateSecret(ctx context.Context) (savepage.LinkSecret, error) {
	var made savepage.LinkSecret
	_, err := l.client.call(ctx, call{method: http.MethodPost, path: linkSecretsPath}, &made)
	return made, err
}

// RemoveSecret ends a link secret, and every link that it has signed.
func (l Links) RemoveSecret(ctx context.Context, id string) error {
	_, err := l.client.call(ctx, call{method: http.MethodDelete, path: linkSecretsPath + "/" + url.PathEscape(id)}, nil)
	return err
}

const linkSecretsPath = "/v1/links/secrets"

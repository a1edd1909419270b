package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
)

const linkSecret = "lnk_aaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// linker has one link secret.
type linker struct{}

func (linker) Linked(_ context.Context, id string) (string, savepage.Principal, error) {
	if id != linkSecret[:16] {
		return "", savepage.Principal{}, savepage.Errorf(savepage.CodeNotFound, "there is none")
	}
	who := savepage.Principal{Account: savepage.Account{ID: "acc_1"}, Limits: savepage.DefaultLimits()}
	return linkSecret, who, nil
}

func (linker) LinkSecrets(context.Context, string) ([]savepage.LinkSecret, error) {
	return []savepage.LinkSecret{{ID: linkSecret[:16]}}, nil
}

func (linker) CreateLinkSecret(context.Context, string) (savepage.LinkSecret, error) {
	return savepage.LinkSecret{ID: linkSecret[:16], Secret: linkSecret}, nil
}

func (linker) RemoveLinkSecret(_ context.Context, _, id string) error {
	return savepage.Errorf(savepage.CodeNotFound, "there is no link secret %s", id)
}

// TestLink has the server read every kind of option from a link.
func TestLink(t *testing.T) {
	f, c := start(t)
	asked := savepage.Options{
		URL: "https://a.test/?x=1&y=2 3", Width: 800, Scale: 1.5, Format: savepage.FormatWebP, Hide: []string{"a,b", "#c"},
		Headers: savepage.Headers{"X-A": "b c"}, Clip: &savepage.Clip{X: 1, Y: 2, Width: 30, Height: 40},
		Cookies: savepage.Cookies{{Name: "n", Value: "v"}}, Steps: []savepage.Step{{Type: savepage.StepDelay, MS: 5}}, CacheTTL: 60,
	}
	link, err := client.NewLinks(c).Sign(linkSecret, asked, time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-f.awaits
		f.end(succeed)
	}()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v %d %s", err, resp.StatusCode, body)
	}
	got, want := encoded(t, f.last.Options), encoded(t, asked.WithDefaults())
	if got != want {
		t.Errorf("the server read\n%s, not\n%s", got, want)
	}
	if _, err := client.NewLinks(c).Sign("whsec_x", asked, time.Time{}); !errors.Is(err, savepage.ErrLinkSecret) {
		t.Error(err)
	}
}

func encoded(t *testing.T, o savepage.Options) string {
	t.Helper()
	o.Timeout = 0 // the server fills it where it knows the account
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestLinkSecrets(t *testing.T) {
	_, c := start(t)
	if made, err := client.NewLinks(c).CreateSecret(t.Context()); err != nil || made.Secret != linkSecret {
		t.Error(made, err)
	}
	if found, err := client.NewLinks(c).Secrets(t.Context()); err != nil || len(found) != 1 || found[0].ID != linkSecret[:16] {
		t.Error(found, err)
	}
	err := client.NewLinks(c).RemoveSecret(t.Context(), "lnk_x")
	if fault, is := errors.AsType[*savepage.Error](err); !is || fault.Code != savepage.CodeNotFound {
		t.Error(err)
	}
}

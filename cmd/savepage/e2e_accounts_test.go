package main

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
)

// run runs a command of the program with its data folder and returns what it prints.
func (p *program) run(args ...string) string {
	p.t.Helper()
	out, err := exec.CommandContext(p.t.Context(), p.path, append(args, "--data", p.data)...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// admin makes a key with the scope admin.
func (p *program) admin() client.Accounts {
	p.t.Helper()
	var made savepage.Issued
	text := p.run("key", "create", "--account", p.account, "--scopes", "admin", "--json")
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		p.t.Fatal(err)
	}
	return client.New(p.base, made.Key, nil).Accounts()
}

func refusedWith(t *testing.T, code savepage.Code, err error) {
	t.Helper()
	fault, known := err.(*savepage.Error) //nolint:errorlint // the client returns it as it is
	if !known || fault.Code != code {
		t.Errorf("want %s, got %v", code, err)
	}
}

// TestAccounts leads an account through its life beside a running server: created, limited, used up, rotated, deleted.
func TestAccounts(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.start()
	ctx, admin := t.Context(), p.admin()
	limits := map[string]*int{"captures_per_month": new(4), "timeout": new(20_000)}
	issued, err := admin.Create(ctx, savepage.AccountTerms{Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	user := client.New(p.base, issued.Key, nil)
	_, err = user.Accounts().Get(ctx, issued.Account)
	refusedWith(t, savepage.CodeForbidden, err)
	page := savepage.Options{HTML: "<p>once", Width: 320, Height: 240}
	done, err := user.Capture(ctx, page)
	if err != nil {
		t.Fatal(err)
	}
	full := page
	full.Fullpage = true
	if _, err = user.Capture(ctx, full); err != nil {
		t.Fatal(err)
	}
	_, err = user.Submit(ctx, page)
	refusedWith(t, savepage.CodeQuotaExceeded, err)
	usage, err := user.Accounts().OwnUsage(ctx)
	if err != nil || usage.CapturesPerMonth.Used != 4 || *usage.CapturesPerMonth.Remaining != 0 || usage.Pending.Used != 0 ||
		*usage.RequestsPerMinute.Limit != 60_000 || *usage.Timeout != 20_000 {
		t.Errorf("usage %+v, %v", usage, err)
	}
	if _, err = admin.Set(ctx, issued.Account, savepage.AccountTerms{Limits: map[string]*int{"captures_per_month": nil}}); err != nil {
		t.Fatal(err)
	}
	page.Timeout = 20_001
	_, err = user.Submit(ctx, page)
	refusedWith(t, savepage.CodeInvalidRequest, err)
	page.Timeout = 0

	fresh, err := admin.RotateKey(ctx, issued.Account, issued.Key[:11], 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = user.Get(ctx, done.CaptureID)
	refusedWith(t, savepage.CodeUnauthorized, err)
	user = client.New(p.base, fresh.Key, nil)
	slow := page
	slow.Delay = 15_000 // it runs, or waits, when the account is deleted
	if _, err = user.Submit(ctx, slow); err != nil {
		t.Fatal(err)
	}
	closed, err := admin.Delete(ctx, issued.Account)
	if err != nil || closed.ClosedAt.IsZero() {
		t.Errorf("delete: %+v, %v", closed, err)
	}
	_, err = user.Get(ctx, done.CaptureID)
	refusedWith(t, savepage.CodeUnauthorized, err)
	p.eventually("the account is gone", func() bool {
		_, err := admin.Get(ctx, issued.Account)
		fault, known := err.(*savepage.Error) //nolint:errorlint // the client returns it as it is
		return known && fault.Code == savepage.CodeNotFound
	})
	if status, _, _ := p.call(http.MethodGet, done.Image, nil); status != http.StatusNotFound {
		t.Errorf("its picture: %d", status)
	}

	// The same by the command, while the server runs.
	var other savepage.Issued
	if err := json.Unmarshal([]byte(p.run("account", "create", "--json", "--pending", "1")), &other); err != nil {
		t.Fatal(err)
	}
	user = client.New(p.base, other.Key, nil)
	if done, err = user.Capture(ctx, page); err != nil {
		t.Fatal(err)
	}
	if _, err = user.Submit(ctx, slow); err != nil {
		t.Fatal(err)
	}
	_, err = user.Submit(ctx, page)
	refusedWith(t, savepage.CodeTooManyPending, err)
	p.run("account", "delete", other.Account)
	if status, _, _ := p.call(http.MethodGet, done.Image, nil); status != http.StatusNotFound {
		t.Errorf("its picture: %d", status)
	}
	if list := p.run("account", "list"); strings.Contains(list, other.Account) || !strings.Contains(list, p.account) {
		t.Errorf("accounts: %s", list)
	}
}

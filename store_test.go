package savepage_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
)

func TestStoreKeys(t *testing.T) {
	c := savepage.Capture{
		ID: "cap_1", CreatedAt: time.Date(2026, 4, 1, 23, 59, 0, 0, time.FixedZone("", -3600)),
		Picture: &savepage.Picture{Format: savepage.FormatJPEG},
	}
	for _, one := range []struct{ key, page, want string }{
		{"", "https://a.test", "cap_1.jpeg"},
		{"{host}/{date}/{id}.{format}", "https://A.test:8443/x", "a.test:8443/2026-04-02/cap_1.jpeg"},
		{"{year}/{month}/{day}", "", "2026/04/02"},
		{"{host}", "", "html"},
		{"{host}", "http://[2001:db8::1]:80/", "2001:db8::1:80"},
		{"plain ü.png", "", "plain ü.png"},
	} {
		c.Options = savepage.Options{URL: one.page, Store: &savepage.StoreTo{Name: "a", Key: one.key}}
		if got := c.StoreKey(); got != one.want {
			t.Errorf("%q of %q is %q, want %q", one.key, one.page, got, one.want)
		}
	}
}

func TestStoreOptions(t *testing.T) {
	for text, want := range map[string]string{
		`"archive"`: "", `"archive/{host}/{id}.{format}"`: "", `{"name":"a","key":"x/y.png","overwrite":true}`: "",
		`"Archive"`: "store.name", `"a//b"`: "store.key", `"a/../b"`: "store.key", `"a/{ids}.png"`: "{ids} is not filled in",
		`"a/x}.png"`: "} is not filled in", `"a/{id"`: "{id is not filled in", `{"name":"a","key":"b\\c"}`: "backslash",
		`{"name":"a","key":"/b"}`: "store.key", `{"name":"a","key":"` + strings.Repeat("x", 513) + `"}`: "at most 512 bytes",
		`{"name":"a","keys":"b"}`: "must be {", `7`: "must be {",
	} {
		o := savepage.Options{URL: "https://a.test"}
		err := json.Unmarshal([]byte(`{"store":`+text+`}`), &o)
		got := ""
		if err != nil {
			got = err.Error()
		} else if wrong := o.ValidateFields(); len(wrong) > 0 {
			got = wrong[0].String()
		}
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestStoreAddresses(t *testing.T) {
	for _, one := range []struct {
		store       savepage.Store
		region, url string
	}{
		{savepage.Store{Bucket: "b"}, "us-east-1", "https://b.s3.amazonaws.com/a%20b/%C3%BC.png"},
		{savepage.Store{Bucket: "b", Region: "eu-west-1"}, "eu-west-1", "https://b.s3.eu-west-1.amazonaws.com/a%20b/%C3%BC.png"},
		{
			savepage.Store{Bucket: "b.c", Endpoint: "https://s3.eu-central-1.amazonaws.com"}, "eu-central-1",
			"https://s3.eu-central-1.amazonaws.com/b.c/a%20b/%C3%BC.png",
		},
		{savepage.Store{Bucket: "b", Endpoint: "http://h:9000/"}, "us-east-1", "http://h:9000/b/a%20b/%C3%BC.png"},
		{
			savepage.Store{Bucket: "b", Endpoint: "https://h", Addressing: savepage.AddressingVirtual}, "us-east-1",
			"https://b.h/a%20b/%C3%BC.png",
		},
		{
			savepage.Store{Bucket: "b", Endpoint: "https://x.r2.cloudflarestorage.com"}, "auto",
			"https://x.r2.cloudflarestorage.com/b/a%20b/%C3%BC.png",
		},
		{savepage.Store{Bucket: "b", PublicURL: "https://cdn.test/x/"}, "us-east-1", "https://cdn.test/x/a%20b/%C3%BC.png"},
	} {
		s := one.store.WithDefaults()
		if s.Region != one.region || s.ObjectURL("a b/ü.png") != one.url {
			t.Errorf("%+v: %s, %s, want %s, %s", one.store, s.Region, s.ObjectURL("a b/ü.png"), one.region, one.url)
		}
	}
}

// TestStoreKeysAreNotPrinted prints a store with every verb.
func TestStoreKeysAreNotPrinted(t *testing.T) {
	s := savepage.Store{Keys: savepage.StoreKeys{AccessKeyID: "hunter1", SecretAccessKey: "hunter2"}}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		text = append(text, fmt.Sprintf(verb, s)...)
	}
	if strings.Contains(string(text), "hunter") {
		t.Errorf("printed: %s", text)
	}
}

package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/savepage/savepage"
)

// stores are stores in memory, by account and name, and a tester that takes every endpoint but those on 10.0.0.1.
type stores struct {
	kept   map[[2]string]savepage.Store
	tested []savepage.Store
}

func (st *stores) Stores(_ context.Context, account string) (list []savepage.Store, err error) {
	for at, s := range st.kept {
		if at[0] == account {
			s.Keys = savepage.StoreKeys{}
			list = append(list, s)
		}
	}
	return list, nil
}

func (st *stores) OpenStore(_ context.Context, account, name string) (savepage.Store, error) {
	s, found := st.kept[[2]string{account, name}]
	if !found {
		return s, savepage.Errorf(savepage.CodeNotFound, "there is no store %s of %s", name, account)
	}
	return s, nil
}

func (st *stores) KeepStore(_ context.Context, account string, s savepage.Store) (savepage.Store, bool, error) {
	_, there := st.kept[[2]string{account, s.Name}]
	if st.kept == nil {
		st.kept = map[[2]string]savepage.Store{}
	}
	st.kept[[2]string{account, s.Name}] = s
	return s, !there, nil
}

func (st *stores) RemoveStore(ctx context.Context, account, name string) error {
	_, err := st.OpenStore(ctx, account, name)
	delete(st.kept, [2]string{account, name})
	return err
}

func (st *stores) Admit(endpoint string) (string, error) {
	if strings.Contains(endpoint, "10.0.0.1") {
		return "", savepage.Errorf(savepage.CodeAddressBlocked, "10.0.0.1 is private")
	}
	return strings.ToLower(endpoint) + "/", nil
}

func (st *stores) Test(_ context.Context, _ string, s savepage.Store) savepage.StoreTrial {
	st.tested = append(st.tested, s)
	return savepage.StoreTrial{Success: true, Checks: []savepage.StoreCheck{}, Hints: []string{}}
}

const (
	asJSON    = "Content-Type: application/json"
	storeOfA  = "/v1/stores/archive"
	storeKeys = `"access_key_id":"AKIA1","secret_access_key":"hunter2"`
)

// A store is set up, shown, set up anew with the credentials that it has, tried and removed. No answer contains its credentials,
// and no other account sees it.
func TestStores(t *testing.T) {
	s := serve(t, nil)
	put := func(body string, want int) reply {
		t.Helper()
		r := s.call(t, http.MethodPut, storeOfA, body, "Authorization: Bearer "+keyA, asJSON)
		if r.status != want || strings.Contains(r.body, "hunter2") || strings.Contains(r.body, "AKIA1") {
			t.Fatalf("%s: %d %s", body, r.status, r.body)
		}
		return r
	}
	made := put(`{"endpoint":"https://S3.eu-west-1.amazonaws.com","bucket":"pics","prefix":"a/",`+storeKeys+`}`, 201)
	for _, part := range []string{
		`"name":"archive"`, `"endpoint":"https://s3.eu-west-1.amazonaws.com"`, `"region":"eu-west-1"`, `"addressing":"auto"`,
	} {
		if !strings.Contains(made.body, part) {
			t.Errorf("%s lacks %s", made.body, part)
		}
	}
	put(`{"endpoint":"https://s3.eu-west-1.amazonaws.com","bucket":"pics2"}`, 200)
	if kept := s.stores.kept[[2]string{"acc_a", "archive"}]; kept.Bucket != "pics2" || kept.Keys.SecretAccessKey != "hunter2" {
		t.Errorf("set up anew: %+v with %q", kept, kept.Keys.SecretAccessKey)
	}
	moved := put(`{"endpoint":"https://evil.example","bucket":"pics2"}`, 400)
	if !strings.Contains(moved.body, `"location":"body.secret_access_key","message":"is required"`) {
		t.Errorf("another endpoint gets the credentials: %s", moved.body)
	}
	for _, path := range []string{"/v1/stores", storeOfA} {
		r := s.call(t, http.MethodGet, path, "", "Authorization: Bearer "+keyA)
		if r.status != 200 || !strings.Contains(r.body, `"bucket":"pics2"`) || strings.Contains(r.body, "hunter2") {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if r := s.call(t, http.MethodPost, storeOfA+"/test", "", "Authorization: Bearer "+keyA); r.status != 200 || len(s.stores.tested) != 1 ||
		s.stores.tested[0].Keys.SecretAccessKey != "hunter2" {
		t.Errorf("test: %d %s, %v", r.status, r.body, s.stores.tested)
	}
	for method, path := range map[string]string{http.MethodGet: storeOfA, http.MethodDelete: storeOfA, http.MethodPost: storeOfA + "/test"} {
		if r := s.call(t, method, path, "", "Authorization: Bearer "+keyB); r.status != 404 || strings.Contains(r.body, "acc_") {
			t.Errorf("another account: %s %d %s", method, r.status, r.body)
		}
	}
	if r := s.call(t, http.MethodDelete, storeOfA, "", "Authorization: Bearer "+keyA); r.status != 204 || len(s.stores.kept) != 0 {
		t.Errorf("remove: %d %s", r.status, r.body)
	}
	if r := s.call(t, http.MethodGet, "/v1/stores", "", "Authorization: Bearer "+keyA); r.body != "{\"stores\":[]}\n" {
		t.Errorf("none: %s", r.body)
	}
}

// Everything that is wrong with a store is named at once.
func TestStoresThatAreWrong(t *testing.T) {
	s := serve(t, nil)
	for _, one := range []struct {
		path, body string
		code       string
		want       []string
	}{
		{"Archive", `{"bucket":"b"}`, "invalid_request", []string{"path.name", "body.bucket", "body.access_key_id", "body.secret_access_key"}},
		{"a", `{` + storeKeys + `}`, "invalid_request", []string{`"body.bucket","message":"is required`}},
		{"a", `{"bucket":"pics","endpoint":"https://10.0.0.1:9000",` + storeKeys + `}`, "address_blocked", []string{"is private"}},
		{"a", `{"bucket":"pics","endpoint":"https://h/path",` + storeKeys + `}`, "invalid_request", []string{"body.endpoint", "without a path"}},
		{"a", `{"bucket":"pics","endpoint":"ftp://h",` + storeKeys + `}`, "invalid_request", []string{"body.endpoint"}},
		{"a", `{"bucket":"pics","prefix":"/a/../b",` + storeKeys + `}`, "invalid_request", []string{"body.prefix"}},
		{"a", `{"bucket":"pics","addressing":"dns",` + storeKeys + `}`, "invalid_request", []string{"auto, path, virtual", `"dns"`}},
		{"a", `{"bucket":"pics","public_url":"cdn",` + storeKeys + `}`, "invalid_request", []string{"body.public_url"}},
		{"a", `{"bucket":"pics","region":"eu west",` + storeKeys + `}`, "invalid_request", []string{"body.region"}},
		{"a", `{"bucket":"pics","buckets":1,` + storeKeys + `}`, "invalid_request", []string{"body.buckets", "bucket"}},
		{"a", `{"bucket":7}`, "invalid_request", []string{"body.bucket", "a string"}},
		{
			"a", `{"bucket":"pics","access_key_id":"a b","secret_access_key":"hunter2\n"}`, "invalid_request",
			[]string{"body.access_key_id", "body.secret_access_key"},
		},
	} {
		r := s.call(t, http.MethodPut, "/v1/stores/"+one.path, one.body, "Authorization: Bearer "+keyA, asJSON)
		if r.status != 400 || !strings.Contains(r.body, fmt.Sprintf(`"code":%q`, one.code)) || strings.Contains(r.body, "hunter2") {
			t.Errorf("%s: %d %s", one.body, r.status, r.body)
		}
		for _, part := range one.want {
			if !strings.Contains(r.body, part) {
				t.Errorf("%s: %s lacks %s", one.body, r.body, part)
			}
		}
	}
	if len(s.stores.kept) != 0 {
		t.Errorf("kept: %v", s.stores.kept)
	}
}

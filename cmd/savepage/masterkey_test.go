package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestMasterKeyForms(t *testing.T) {
	want := "0123456789abcdef\xff\xfe\xfd\xfc>?>?89abcdef"
	raw := []byte(want)
	if len(raw) != 32 {
		t.Fatal(len(raw))
	}
	for _, text := range []string{
		hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)), base64.StdEncoding.EncodeToString(raw),
		base64.RawStdEncoding.EncodeToString(raw), base64.URLEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw),
	} {
		file := filepath.Join(t.TempDir(), "key")
		writeFile(t, file, text+"\n")
		for _, variable := range []string{"SAVEPAGE_MASTER_KEY=" + text, "SAVEPAGE_MASTER_KEY_FILE=" + file} {
			got, err := load(t, "", []string{variable})
			if err != nil || got.MasterKey.Reveal() != want {
				t.Errorf("%s: %v", variable, err)
			}
			if printed := fmt.Sprintf("%+v", got); strings.Contains(printed, "89abcdef") {
				t.Errorf("printed: %s", printed)
			}
		}
		if got, err := load(t, "master_key: "+text+"\n", nil); err != nil || got.MasterKey.Reveal() != want {
			t.Errorf("in the file %s: %v", text, err)
		}
	}
}

func TestWrongMasterKeys(t *testing.T) {
	right := hex.EncodeToString(make([]byte, 32))
	for text, says := range map[string]string{
		"hunter2hunter2": "want 32 bytes as base64 or hex", "hunter2%": "want 32 bytes as base64 or hex",
		right[:32]: "it has 16 bytes", right + right: "it has 64 bytes", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("~",
			33))): "it has 33 bytes",
	} {
		_, err := load(t, "", []string{"SAVEPAGE_MASTER_KEY=" + text})
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "SAVEPAGE_MASTER_KEY is "+dots) ||
			strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
	alone, err := load(t, "", []string{"SAVEPAGE_MASTER_KEY_OLD=" + right})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alone.vault(); err == nil || !strings.Contains(err.Error(), "without SAVEPAGE_MASTER_KEY") {
		t.Error(err)
	}
	got, err := load(t, "", []string{"SAVEPAGE_MASTER_KEY_OLD=" + right, "SAVEPAGE_MASTER_KEY=" + strings.ReplaceAll(right, "0", "1")})
	if err != nil || got.MasterKeyOld == "" {
		t.Error(err)
	}
	if vault, err := got.vault(); err != nil || vault.Head() == "" {
		t.Error(err)
	}
}

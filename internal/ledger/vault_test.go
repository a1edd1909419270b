package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func vault(t *testing.T, keys ...byte) Vault {
	t.Helper()
	var all [][]byte
	for _, b := range keys {
		all = append(all, bytes.Repeat([]byte{b}, MasterKeyBytes))
	}
	v, err := NewVault(all[0], all[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVault(t *testing.T) {
	label := Label{Kind: "webhook_secret", Account: "acc_1"}
	old, rotated, other := vault(t, 1), vault(t, 2, 1), vault(t, 3)
	sealed, err := old.Seal("whsec_x", label)
	if err != nil || !Sealed(sealed) || strings.Contains(sealed, "whsec") || !strings.HasPrefix(sealed, old.Head()) ||
		len(old.Head()) != SealedHeadChars {
		t.Fatalf("%q, %v", sealed, err)
	}
	if again, _ := old.Seal("whsec_x", label); again == sealed {
		t.Error("sealed twice alike")
	}
	changed := []byte(sealed)
	changed[len(changed)-2] ^= 1
	cases := map[string]struct {
		vault  Vault
		stored string
		label  Label
		want   string
		err    error
	}{
		"the same key":    {old, sealed, label, "whsec_x", nil},
		"an older key":    {rotated, sealed, label, "whsec_x", nil},
		"another key":     {other, sealed, label, "", ErrOtherMasterKey},
		"no key":          {Vault{}, sealed, label, "", ErrNoMasterKey},
		"another account": {old, sealed, Label{Kind: "webhook_secret", Account: "acc_2"}, "", ErrSealBroken},
		"another kind":    {old, sealed, Label{Kind: "api_secret", Account: "acc_1"}, "", ErrSealBroken},
		"another record":  {old, sealed, Label{Kind: "webhook_secret", Account: "acc_1", Record: "cap_1"}, "", ErrSealBroken},
		"changed":         {old, string(changed), label, "", ErrSealBroken},
		"cut":             {old, old.Head() + "AAAA", label, "", ErrSealBroken},
		"no base64":       {old, old.Head() + "!", label, "", ErrSealBroken},
		"plain":           {old, "whsec_y", label, "whsec_y", nil},
		"plain, no key":   {Vault{}, "whsec_y", label, "whsec_y", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got, err := c.vault.Open(c.stored, c.label); got != c.want || !errors.Is(err, c.err) {
				t.Errorf("%q, %v", got, err)
			}
			if err := c.vault.Knows(c.stored); (err == nil) != (c.err == nil || errors.Is(c.err, ErrSealBroken)) {
				t.Errorf("Knows: %v", err)
			}
		})
	}
}

func TestVaultWithoutKeyLeavesTextsAlone(t *testing.T) {
	if got, err := (Vault{}).Seal("whsec_x", Label{}); err != nil || got != "whsec_x" || (Vault{}).Head() != "" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := vault(t, 1).Seal("", Label{}); err != nil || got != "" {
		t.Errorf("an empty secret became %q, %v", got, err)
	}
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := NewVault(make([]byte, n)); err == nil {
			t.Errorf("took a key of %d bytes", n)
		}
	}
}

func TestVaultPrintsNoKey(t *testing.T) {
	v := vault(t, 'k')
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if text := fmt.Sprintf(verb, v); strings.Contains(text, "kkk") || strings.Contains(text, "6b6b") || strings.Contains(text, "107") {
			t.Errorf("%s: %s", verb, text)
		}
	}
}

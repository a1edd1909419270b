package main

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/savepage/savepage/internal/ledger"
)

// masterKeyForm is what a master key must look like.
const masterKeyForm = "32 bytes as base64 or hex, such as openssl rand -base64 32 prints"

func secretSettings() []setting {
	return []setting{
		{
			name: "MASTER_KEY", kind: "key", shown: "none", form: masterKeyForm, secret: true, noFlag: true,
			doc: "Encrypts webhook secrets, API secrets of the older API, callback_secret and callback_headers in the database, existing " +
				"ones at the next start. Keep the key safe: from then on the server cannot start without it.",
			set: func(s *Settings, text string) error { return setMasterKey(&s.MasterKey, text) },
		},
		{
			name: "MASTER_KEY_OLD", kind: "key", shown: "none", form: masterKeyForm, secret: true, noFlag: true,
			doc: "Previous master key, to replace it: the next start decrypts with it and encrypts with the new one. Remove it afterwards.",
			set: func(s *Settings, text string) error { return setMasterKey(&s.MasterKeyOld, text) },
		},
	}
}

func setMasterKey(to *Secret, text string) error {
	key, err := hex.DecodeString(text)
	if err != nil {
		plain := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
		if key, err = base64.RawStdEncoding.DecodeString(plain); err != nil {
			return errForm
		}
	}
	if len(key) != ledger.MasterKeyBytes {
		return fmt.Errorf("it has %d bytes", len(key))
	}
	*to = Secret(key)
	return nil
}

// vault returns the vault of the master keys.
func (s Settings) vault() (ledger.Vault, error) {
	if s.MasterKey == "" && s.MasterKeyOld == "" {
		return ledger.Vault{}, nil
	}
	if s.MasterKey == "" {
		return ledger.Vault{}, settingsError{
			"SAVEPAGE_MASTER_KEY_OLD is set without SAVEPAGE_MASTER_KEY: want both while the key is replaced, or SAVEPAGE_MASTER_KEY alone",
		}
	}
	var older [][]byte
	if s.MasterKeyOld != "" {
		older = append(older, []byte(s.MasterKeyOld.Reveal()))
	}
	return ledger.NewVault([]byte(s.MasterKey.Reveal()), older...)
}

// namingKey adds to an error the setting that helps.
func namingKey(err error) error {
	switch {
	case errors.Is(err, ledger.ErrNoMasterKey):
		return fmt.Errorf("%w: set SAVEPAGE_MASTER_KEY, or SAVEPAGE_MASTER_KEY_FILE, to the key that they were encrypted with", err)
	case errors.Is(err, ledger.ErrOtherMasterKey):
		return fmt.Errorf("%w: SAVEPAGE_MASTER_KEY is not the key that they were encrypted with; "+
			"if it replaces that key, set SAVEPAGE_MASTER_KEY_OLD to that key", err)
	default:
		return err
	}
}

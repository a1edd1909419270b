// Package stores opens the blob store that a setting names. It holds the one list of the kinds of stores, and refuses to
// know anything else about them.
package stores

import (
	"context"
	"fmt"
	"strings"

	"github.com/savepage/savepage/internal/blob"
	"github.com/savepage/savepage/internal/blob/folder"
	"github.com/savepage/savepage/internal/blob/s3"
)

// kinds are the stores that the program has.
func kinds() []blob.Kind {
	return []blob.Kind{
		folder.Kind(),
		s3.Kind(),
	}
}

// Forms says what a setting that names a store may look like.
func Forms() string {
	var forms []string
	for _, kind := range kinds() {
		forms = append(forms, kind.Form)
	}
	return strings.Join(forms, " or ")
}

// Check returns nil when a kind of store takes the setting, and else why none does.
func Check(setting string) error {
	kind, err := find(setting)
	if err != nil || kind.Check == nil {
		return err
	}
	return kind.Check(setting)
}

// Open opens the store that the setting names. The caller closes it.
func Open(ctx context.Context, setting string) (blob.Store, error) {
	kind, err := find(setting)
	if err != nil {
		return nil, err
	}
	return kind.Open(ctx, setting)
}

// Share opens the store that the setting names beside other processes of the same database. The caller closes it.
func Share(ctx context.Context, setting string) (blob.Store, error) {
	kind, err := find(setting)
	if err != nil {
		return nil, err
	}
	if kind.Share == nil {
		return kind.Open(ctx, setting)
	}
	return kind.Share(ctx, setting)
}

// View opens the store that the setting names for reading, beside the process that has it open. The caller closes it.
func View(ctx context.Context, setting string) (blob.View, error) {
	kind, err := find(setting)
	if err != nil {
		return nil, err
	}
	return kind.View(ctx, setting)
}

func find(setting string) (blob.Kind, error) {
	for _, kind := range kinds() {
		if kind.Takes(setting) {
			return kind, nil
		}
	}
	if scheme, _, found := strings.Cut(setting, "://"); found {
		return blob.Kind{}, fmt.Errorf("there is no store for %s://", scheme)
	}
	return blob.Kind{}, fmt.Errorf("there is no store for %q", setting)
}

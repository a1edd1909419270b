package ledger

import (
	"reflect"

	"github.com/savepage/savepage"
)

// Alike returns the options that all of a list have alike, without the others: what a batch keeps once for its captures.
func Alike(list []savepage.Options) savepage.Options {
	var alike savepage.Options
	if len(list) < 2 {
		return alike
	}
	shared := reflect.ValueOf(&alike).Elem()
	first := reflect.ValueOf(list[0])
	for i := range shared.NumField() {
		if first.Field(i).IsZero() {
			continue
		}
		if everywhere(list[1:], i, first.Field(i)) {
			shared.Field(i).Set(first.Field(i))
		}
	}
	return alike
}

func everywhere(list []savepage.Options, field int, want reflect.Value) bool {
	for i := range list {
		got := reflect.ValueOf(&list[i]).Elem().Field(field)
		if want.Kind() == reflect.String {
			if got.String() != want.String() {
				return false
			}
		} else if !reflect.DeepEqual(got.Interface(), want.Interface()) {
			return false
		}
	}
	return true
}

// Apart returns o without the options that are among the shared ones.
func Apart(o, shared savepage.Options) savepage.Options {
	own, theirs := reflect.ValueOf(&o).Elem(), reflect.ValueOf(shared)
	for i := range own.NumField() {
		if !theirs.Field(i).IsZero() {
			own.Field(i).SetZero()
		}
	}
	return o
}

// Together returns what was taken apart.
func Together(o, shared savepage.Options) savepage.Options {
	own, theirs := reflect.ValueOf(&o).Elem(), reflect.ValueOf(shared)
	for i := range own.NumField() {
		if !theirs.Field(i).IsZero() {
			own.Field(i).Set(theirs.Field(i))
		}
	}
	return o
}

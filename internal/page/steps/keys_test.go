package steps

import (
	"testing"

	"github.com/savepage/savepage"
)

// Each key that an option may name is one that can be pressed.
func TestEveryKeyCanBePressed(t *testing.T) {
	t.Parallel()
	keys := namedKeys()
	for _, name := range savepage.Keys() {
		if k, known := keys[name]; !known || k.code == "" || k.win == 0 {
			t.Errorf("%s is %+v", name, k)
		}
	}
	if len(keys) != len(savepage.Keys()) {
		t.Errorf("%d keys can be pressed, %d can be named", len(keys), len(savepage.Keys()))
	}
	for _, name := range savepage.Modifiers() {
		if modifiers([]string{name}) == 0 {
			t.Errorf("%s is held in vain", name)
		}
	}
}

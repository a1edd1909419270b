package outbound_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/savepage/savepage/internal/outbound"
)

func TestHandshakeErrorKeepsItsCause(t *testing.T) {
	cause := errors.New("cause")
	if err := error(&outbound.HandshakeError{Err: cause}); !errors.Is(err, cause) || !slices.Contains(strings.Fields(err.Error()), "cause") {
		t.Error(err)
	}
}

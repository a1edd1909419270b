package ledger

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
)

// MaxPage is the longest page of a list.
const MaxPage = 100

// Cursor is where a page of a list ended: lists are ordered by time of creation and id, newest first.
type Cursor struct {
	CreatedAt int64 // microseconds since 1970
	ID        string
}

// CursorAt is the cursor after a record.
func CursorAt(created time.Time, id string) Cursor {
	return Cursor{CreatedAt: created.UnixMicro(), ID: id}
}

// String is the cursor as clients get it.
func (c Cursor) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", c.CreatedAt, c.ID))
}

// ReadCursor reads what String wrote. Anything else is *savepage.Error of CodeInvalidRequest.
func ReadCursor(text string) (Cursor, error) {
	plain, err := base64.RawURLEncoding.DecodeString(text)
	created, id, found := strings.Cut(string(plain), " ")
	at, errAt := strconv.ParseInt(created, 10, 64)
	if err != nil || !found || errAt != nil {
		wrong := savepage.Errorf(savepage.CodeInvalidRequest, "the cursor is not from this list")
		wrong.Fields = []savepage.FieldError{{Location: "query.cursor", Message: "must be the next cursor of a page before", Value: text}}
		return Cursor{}, wrong
	}
	return Cursor{CreatedAt: at, ID: id}, nil
}

// PageLimit is how many records a page has at most, asked for a number of them.
func PageLimit(asked int) int { return min(max(asked, 1), MaxPage) }

// CutPage cuts a list that was read one record beyond the limit, and returns the cursor of the next page: empty on the
// last one.
func CutPage[T any](list []T, limit int, at func(T) Cursor) (page []T, next string) {
	if len(list) <= limit {
		return list, ""
	}
	return list[:limit], at(list[limit-1]).String()
}

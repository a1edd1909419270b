package api

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/near"
)

// Limits of the answer to an invalid request.
const (
	maxEcho  = 200 // bytes of a value that are returned
	maxName  = 100 // bytes of a name that are returned
	maxWrong = 100 // fields in errors
	maxSaid  = 5   // fields in detail
)

// shown is the value that an error returns: never a cookie, a header or a secret.
func shown(f Field, value any) any {
	if f.Kind == KindCookies || f.Kind == KindHeaders || f.Secret {
		return nil
	}
	return echo(value)
}

// echo shortens a value that is returned. It leaves out secrets, which may stand under an unknown name.
func echo(value any) any {
	switch v := value.(type) {
	case string:
		if strings.HasPrefix(v, savepage.SecretPrefix) {
			return nil
		}
		if len(v) > maxEcho {
			return strings.ToValidUTF8(v[:maxEcho], "") + "…"
		}
		return v
	case map[string]any, []any:
		return nil
	default:
		return v
	}
}

// withoutSecrets leaves out the values of fields that are named like a key or a secret, which clients of other services
// send under their names, and values that are a key.
func withoutSecrets(wrong []savepage.FieldError) []savepage.FieldError {
	for i, field := range wrong {
		name := near.Plain(field.Location[strings.LastIndexAny(field.Location, ".")+1:])
		secret := slices.ContainsFunc([]string{
			"key", "token", "secret", "password", "passwd", "pass", "authorization", "auth", "cookie", "cookies", "signature", "credentials",
			"bearer", "hmac", "session", "jwt",
		}, func(word string) bool { return strings.HasSuffix(name, word) })
		text, isText := field.Value.(string)
		if secret || isText && strings.HasPrefix(strings.TrimPrefix(text, "Bearer "), "sp_") {
			wrong[i].Value = nil
		}
	}
	return wrong
}

// at joins a carrier and a name to a location.
func at(carrier, name string) string {
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "") + "…"
	}
	if carrier == "" {
		return name
	}
	return carrier + "." + name
}

// topName is the option to which a location belongs.
func topName(carrier, location string) string {
	if carrier != "" {
		location = strings.TrimPrefix(location, carrier+".")
	}
	if end := strings.IndexAny(location, ".["); end >= 0 {
		return location[:end]
	}
	return location
}

// invalidField is the error of one wrong field.
func invalidField(location, message string, value any) *savepage.Error {
	return invalid([]savepage.FieldError{{Location: location, Message: message, Value: value}})
}

// invalid makes one error of all wrong fields, in the order of their locations.
func invalid(wrong []savepage.FieldError) *savepage.Error {
	slices.SortStableFunc(wrong, func(a, b savepage.FieldError) int { return cmp.Compare(a.Location, b.Location) })
	wrong = withoutSecrets(wrong[:min(len(wrong), maxWrong)])
	said := make([]string, 0, maxSaid+1)
	for _, field := range wrong[:min(len(wrong), maxSaid)] {
		said = append(said, field.String())
	}
	if more := len(wrong) - maxSaid; more > 0 {
		said = append(said, strconv.Itoa(more)+" more")
	}
	fault := savepage.Errorf(savepage.CodeInvalidRequest, "%s", strings.Join(said, "; "))
	fault.Fields = wrong
	return fault
}

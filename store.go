package savepage

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// MaxStores is how many stores an account may have at once.
const MaxStores = 20

// Store is a bucket of an account's own, reached by the API of Amazon S3, in which pictures are put.
type Store struct {
	Name       string     `json:"name" doc:"Name of the store, which captures refer to."`
	Endpoint   string     `json:"endpoint" doc:"URL of the service." example:"https://s3.amazonaws.com"`
	Bucket     string     `json:"bucket" doc:"Name of the bucket."`
	Region     string     `json:"region" doc:"Region that requests are signed for." example:"eu-central-1"`
	Prefix     string     `json:"prefix" doc:"What the keys of all objects begin with; empty for nothing."`
	Addressing Addressing `json:"addressing" doc:"Where the bucket stands in addresses."`
	PublicURL  string     `json:"public_url,omitempty" doc:"What the URLs of objects begin with, instead of the bucket's own address."`
	CreatedAt  time.Time  `json:"created_at" doc:"When the store was set up."`
	UpdatedAt  time.Time  `json:"updated_at" doc:"When it was last set up anew."`

	Keys StoreKeys `json:"-"`
}

// StoreKeys are the credentials of a store. They print as dots.
type StoreKeys struct {
	AccessKeyID     string
	SecretAccessKey string
}

// Format prints dots, whatever the verb.
func (StoreKeys) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("••••••")) }

// Addressing is where the name of a bucket stands in the addresses of its objects.
type Addressing string

// The ways of addressing.
const (
	AddressingAuto    Addressing = "auto"    // as the endpoint's service has it: virtual at Amazon, Google and Alibaba, else path
	AddressingPath    Addressing = "path"    // https://host/bucket/key
	AddressingVirtual Addressing = "virtual" // https://bucket.host/key
)

// Addressings lists every way of addressing.
func Addressings() []Addressing {
	return []Addressing{AddressingAuto, AddressingPath, AddressingVirtual}
}

// AmazonEndpoint is the endpoint of a store that names none.
const AmazonEndpoint = "https://s3.amazonaws.com"

// Bounds of what a store says, in bytes.
const (
	maxPrefixBytes    = 256
	maxAccessKeyBytes = 256
	maxSecretKeyBytes = 1024
)

// What the parts of a store look like.
var (
	storeName   = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	bucketName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$`)
	regionName  = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
	amazonHost  = regexp.MustCompile(`^s3[.-](?:dualstack\.)?([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$`)
	virtualHost = regexp.MustCompile(`(?:^|\.)(?:amazonaws\.com(?:\.cn)?|storage\.googleapis\.com|aliyuncs\.com)$`)
)

// WithDefaults fills what was not given. The region is the one that an endpoint of Amazon names, auto for Cloudflare's R2, and
// else us-east-1, which services without regions take.
func (s Store) WithDefaults() Store {
	s.Endpoint = cmp.Or(strings.TrimSuffix(s.Endpoint, "/"), AmazonEndpoint)
	s.Addressing = cmp.Or(s.Addressing, AddressingAuto)
	s.PublicURL = strings.TrimSuffix(s.PublicURL, "/")
	if s.Region == "" {
		s.Region = usualRegion(s.host())
	}
	return s
}

func usualRegion(host string) string {
	if strings.HasSuffix(host, ".r2.cloudflarestorage.com") {
		return "auto"
	}
	if of := amazonHost.FindStringSubmatch(host); of != nil {
		return of[1]
	}
	return "us-east-1"
}

// host is the endpoint's name, without its port.
func (s Store) host() string {
	u, err := url.Parse(s.Endpoint)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// ValidateFields checks everything of a store but whether its endpoint may be reached. Secrets are not repeated.
func (s Store) ValidateFields() []FieldError {
	var wrong []FieldError
	add := func(field, message string, value any) {
		wrong = append(wrong, FieldError{Location: field, Message: message, Value: value})
	}
	if !storeName.MatchString(s.Name) {
		add("name", "must be 1 to 63 lower-case letters, digits, - and _, and begin with a letter or digit", s.Name)
	}
	if message := checkOrigin(s.Endpoint); message != "" {
		add("endpoint", message, s.Endpoint)
	}
	switch {
	case s.Bucket == "":
		add("bucket", "is required; give the name of a bucket that exists", nil)
	case !bucketName.MatchString(s.Bucket):
		add("bucket", "must be 3 to 63 letters, digits, dots, - and _, and begin and end with a letter or digit", s.Bucket)
	}
	if !regionName.MatchString(s.Region) {
		add("region", "must be 1 to 64 letters, digits and -", s.Region)
	}
	if message := checkObjectPath(strings.TrimSuffix(s.Prefix, "/"), maxPrefixBytes); s.Prefix != "" && message != "" {
		add("prefix", message, s.Prefix)
	}
	if !slices.Contains(Addressings(), s.Addressing) {
		add("addressing", "must be one of auto, path, virtual", s.Addressing)
	}
	if s.PublicURL != "" {
		if message := checkPublicURL(s.PublicURL); message != "" {
			add("public_url", message, s.PublicURL)
		}
	}
	return append(wrong, s.Keys.check()...)
}

func (k StoreKeys) check() []FieldError {
	var wrong []FieldError
	for _, one := range []struct {
		name, value string
		most        int
	}{{"access_key_id", k.AccessKeyID, maxAccessKeyBytes}, {"secret_access_key", k.SecretAccessKey, maxSecretKeyBytes}} {
		plain := !strings.ContainsFunc(one.value, func(r rune) bool { return r <= ' ' || r > '~' })
		switch {
		case one.value == "":
			wrong = append(wrong, FieldError{one.name, "is required", nil})
		case len(one.value) > one.most || !plain:
			message := fmt.Sprintf("must be at most %d characters of printable ASCII without spaces", one.most)
			wrong = append(wrong, FieldError{one.name, message, nil})
		}
	}
	return wrong
}

// checkOrigin takes a URL that names a scheme, a host and perhaps a port, and nothing else.
func checkOrigin(text string) string {
	const want = "must be https://host or http://host:port, without a path"
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return want
	}
	return ""
}

func checkPublicURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" ||
		u.Fragment != "" || len(text) > MaxURLBytes {
		return "must be an http or https URL without a query"
	}
	return ""
}

// checkObjectPath takes what every store of objects takes as a key, or as a part of one.
func checkObjectPath(text string, most int) string {
	switch {
	case len(text) > most:
		return fmt.Sprintf("must be at most %d bytes", most)
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' || r == '\uFFFD' }):
		return "must have no control characters and no backslash"
	case slices.ContainsFunc(strings.Split(text, "/"), func(part string) bool { return part == "" || part == "." || part == ".." }):
		return "must not begin or end with a slash, and have no part that is empty, . or .."
	default:
		return ""
	}
}

// Virtual reports whether the bucket's name stands in the host of its addresses.
func (s Store) Virtual() bool {
	if s.Addressing != AddressingAuto {
		return s.Addressing == AddressingVirtual
	}
	// A certificate for *.host does not hold for a name with dots.
	return virtualHost.MatchString(s.host()) && !strings.Contains(s.Bucket, ".")
}

// ObjectURL is the address of an object, by its whole key.
func (s Store) ObjectURL(key string) string {
	if s.PublicURL != "" {
		return s.PublicURL + escapedPath(key)
	}
	u, err := url.Parse(s.Endpoint)
	if err != nil {
		return ""
	}
	if u.Host == "s3.amazonaws.com" && s.Region != "us-east-1" {
		u.Host = "s3." + s.Region + ".amazonaws.com"
	}
	if s.Virtual() {
		return u.Scheme + "://" + s.Bucket + "." + u.Host + escapedPath(key)
	}
	return u.Scheme + "://" + u.Host + "/" + s.Bucket + escapedPath(key)
}

// escapedPath is a key as a path that begins with a slash.
func escapedPath(key string) string {
	return "/" + strings.ReplaceAll(url.PathEscape(key), "%2F", "/")
}

// Stored is where a picture is in a store.
type Stored struct {
	Name string `json:"name" doc:"Name of the store."`
	Key  string `json:"key" doc:"Key of the object, with the prefix of the store."`
	URL  string `json:"url" doc:"Address of the object. Whether it can be read there, the bucket decides."`
}

// Upload is where a picture is to be put.
type Upload struct {
	Store     Store
	Key       string // with the prefix of the store
	Overwrite bool
}

// StoreTrial is the result of a test of a store.
type StoreTrial struct {
	Success bool         `json:"success" doc:"Whether pictures can be put there."`
	URL     string       `json:"url" doc:"Address of the object that was written."`
	Checks  []StoreCheck `json:"checks" doc:"What was tried, in this order. The test ends with the first that pictures need and that failed."`
	Hints   []string     `json:"hints" doc:"What to do next."`
}

// StoreCheck is one step of a test.
type StoreCheck struct {
	// Check is write: an object is written; keep: it is not replaced without overwrite; read: it is looked up; delete: it is removed.
	Check     string `json:"check" enum:"write,keep,read,delete" doc:"What was tried."`
	Success   bool   `json:"success" doc:"Whether it worked."`
	Needed    bool   `json:"needed" doc:"Whether pictures cannot be put there without it."`
	Status    int    `json:"status,omitempty" doc:"HTTP status of the answer, if there was one."`
	LatencyMS int64  `json:"latency_ms" doc:"Milliseconds that it took."`
	Error     string `json:"error,omitempty" doc:"What went wrong."`
}

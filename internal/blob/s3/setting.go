package s3

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// scheme begins a setting that names a bucket.
const scheme = "s3://"

// form is what such a setting looks like, for people.
const form = "s3://bucket/prefix?endpoint=https://host&region=name"

// amazon is the endpoint of a setting that names none.
const amazon = "https://s3.amazonaws.com"

// place is what a setting says: where the bucket is, and what of it is this installation's.
type place struct {
	bucket   string
	prefix   string // empty, or a path that ends in a slash
	host     string // of the endpoint, with its port
	secure   bool   // the endpoint speaks https
	region   string // empty: the service tells it
	pathOnly bool   // the bucket is the first part of the path, never of the host's name
}

// parsePlace reads a setting. Its errors quote nothing of the setting but the parameter that is wrong: people put secrets there.
func parsePlace(setting string) (place, error) {
	u, err := url.Parse(setting)
	if err != nil || u.Scheme != "s3" || u.Host == "" {
		return place{}, errors.New("want " + form)
	}
	if u.User != nil || u.Port() != "" || u.Fragment != "" {
		return place{}, errors.New("want " + form + ", the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	p := place{bucket: u.Host}
	if p.prefix = strings.Trim(u.Path, "/"); p.prefix != "" {
		p.prefix += "/"
	}
	if slices.ContainsFunc(strings.Split(p.prefix, "/"), func(part string) bool { return part == "." || part == ".." }) {
		return place{}, errors.New("the prefix has a part that is one or two dots")
	}
	return p, p.parameters(u.RawQuery)
}

func (p *place) parameters(raw string) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return errors.New("what stands behind the question mark is no query")
	}
	endpoint := amazon
	for name, values := range query {
		value := values[len(values)-1]
		switch name {
		case "endpoint":
			endpoint = value
		case "region":
			p.region = value
		case "path_style":
			if p.pathOnly, err = strconv.ParseBool(value); err != nil {
				return errors.New("path_style is true or false")
			}
		default:
			return fmt.Errorf("%q is not a parameter; endpoint, region and path_style are", name)
		}
	}
	return p.reach(endpoint)
}

// reach takes the endpoint. One without a scheme is https.
func (p *place) reach(endpoint string) error {
	if !strings.Contains(endpoint, "://") {
		endpoint = "https://" + endpoint
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return errors.New("endpoint is https://host or http://host:port")
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("endpoint begins with https:// or http://")
	}
	p.host, p.secure = u.Host, u.Scheme == "https"
	return nil
}

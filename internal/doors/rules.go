package doors

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// ignored is the rule of a name that changes nothing of the picture.
func ignored(note string) rule { return rule{fate: Ignored, note: note} }

// refused is the rule of a name with which the picture would be another one.
func refused(note string) rule { return rule{fate: Refused, note: note} }

// taken is the rule of a name that needs a function of its own.
func taken(note string, take func(o *order, given []string)) rule {
	return rule{fate: Taken, note: note, take: take}
}

// kept is the rule of a name that is read after all others.
func kept(note string) rule { return taken(note, (*order).keep) }

// option is the note of a name that becomes an option.
func option(name, more string) string {
	if more == "" {
		return "`" + name + "`"
	}
	return "`" + name + "`, " + more
}

// text becomes an option as it is.
func text(to string) rule {
	return taken(option(to, ""), func(o *order, given []string) { o.set(to, last(given)) })
}

// flag becomes an option that is true or false.
func flag(to string) rule {
	return taken(option(to, ""), func(o *order, given []string) {
		if yes, known := truth(last(given)); known {
			o.set(to, yes)
		} else {
			o.refuse("must be true or false")
		}
	})
}

// inverse becomes an option that says the opposite.
func inverse(to string) rule {
	return taken(option(to, "inverted"), func(o *order, given []string) {
		if yes, known := truth(last(given)); known {
			o.set(to, !yes)
		} else {
			o.refuse("must be true or false")
		}
	})
}

// number becomes an option that is a number.
func number(to string) rule {
	return taken(option(to, ""), func(o *order, given []string) {
		if n, ok := o.number(given); ok {
			o.set(to, n)
		}
	})
}

// whole becomes an option that is a whole number; a fraction is rounded.
func whole(to string) rule {
	return taken(option(to, ""), func(o *order, given []string) {
		if n, ok := o.number(given); ok {
			o.set(to, math.Round(n))
		}
	})
}

// seconds becomes an option in milliseconds.
func seconds(to, more string) rule {
	note := "seconds × 1000"
	if more != "" {
		note += ", " + more
	}
	return taken(option(to, note), func(o *order, given []string) {
		if n, ok := o.number(given); ok {
			o.set(to, math.Round(n*1000))
		}
	})
}

// list becomes an option that is a list, each value a member.
func list(to string) rule {
	return taken(option(to, ""), func(o *order, given []string) {
		for _, one := range given {
			o.add(to, one)
		}
	})
}

// word becomes an option by a table of words.
func word(to string, words map[string]string) rule {
	return taken(option(to, ""), func(o *order, given []string) {
		ours, known := words[strings.ToLower(last(given))]
		if !known {
			o.refuse("must be one of " + strings.Join(sortedKeys(words), ", "))
			return
		}
		o.set(to, ours)
	})
}

// lower becomes an option in lower case.
func lower(to string) rule {
	return taken(option(to, "in lower case"), func(o *order, given []string) { o.set(to, strings.ToLower(last(given))) })
}

// when gives an option a value if the name is true.
func when(to string, value any) rule {
	return taken(fmt.Sprintf("`%s`: %v", to, value), func(o *order, given []string) {
		switch yes, known := truth(last(given)); {
		case !known:
			o.refuse("must be true or false")
		case yes:
			o.set(to, value)
		}
	})
}

// member adds a member to an option that is a list, if the name is true.
func member(to, value string) rule {
	return taken(option(to, "with "+value), func(o *order, given []string) {
		switch yes, known := truth(last(given)); {
		case !known:
			o.refuse("must be true or false")
		case yes:
			o.add(to, value)
		}
	})
}

func (o *order) number(given []string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(last(given)), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		o.refuse("must be a number")
		return 0, false
	}
	return n, true
}

// last is the value that counts of a name that takes one.
func last(given []string) string { return given[len(given)-1] }

// truth reads a boolean as query strings have it.
func truth(given string) (yes, known bool) {
	switch strings.ToLower(strings.TrimSpace(given)) {
	case "true", "1", "yes", "on":
		return true, true
	case "false", "0", "no", "off", "":
		return false, true
	default:
		return false, false
	}
}

func sortedKeys(words map[string]string) []string {
	keys := make([]string, 0, len(words))
	for key := range words {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// header reads "Name: value" with one of the separators into the option headers.
func header(separators string) rule {
	return taken("`headers`, sent to the page's own origin only", func(o *order, given []string) {
		headers, _ := o.options["headers"].(map[string]string)
		if headers == nil {
			headers = map[string]string{}
		}
		for _, line := range given {
			at := strings.IndexAny(line, separators)
			if at <= 0 {
				o.refuse(fmt.Sprintf("must be a name, %q and a value", separators[:1]))
				return
			}
			headers[strings.TrimSpace(line[:at])] = strings.TrimSpace(line[at+1:])
		}
		o.set("headers", headers)
	})
}

// setCookies reads cookies as Set-Cookie writes them.
func setCookies() rule {
	const note = "`cookies`; Domain and Path are kept, other attributes have no effect"
	return taken(note, func(o *order, given []string) {
		for _, line := range given {
			cookie, ok := setCookie(line)
			if !ok {
				o.refuse("must be name=value, with attributes after semicolons")
				return
			}
			o.add("cookies", cookie)
		}
	})
}

func setCookie(line string) (map[string]string, bool) {
	first, rest, _ := strings.Cut(line, ";")
	name, value, found := strings.Cut(first, "=")
	cookie := map[string]string{"name": strings.TrimSpace(name), "value": strings.TrimSpace(value)}
	for attribute := range strings.SplitSeq(rest, ";") {
		key, text, _ := strings.Cut(attribute, "=")
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "domain":
			cookie["domain"] = strings.TrimSpace(text)
		case "path":
			cookie["path"] = strings.TrimSpace(text)
		}
	}
	return cookie, found
}

// pattern is a glob over whole URLs of a domain, a URL or a glob.
func pattern(given string) []any {
	switch {
	case strings.HasPrefix(given, "*"):
		return []any{given}
	case strings.Contains(given, "://"):
		return []any{given + "*"}
	case strings.ContainsAny(given, "*/?"):
		return []any{"*" + given + "*"}
	default:
		return []any{"*://" + given + "/*", "*://*." + given + "/*"}
	}
}

// patterns reads what is blocked: domains, URLs or globs.
func patterns() rule {
	return taken("`block_urls`; a domain covers its subdomains", func(o *order, given []string) {
		for _, one := range given {
			o.add("block_urls", pattern(one)...)
		}
	})
}

// strongest picks the latest of the moments that a client waits for.
func strongest(words map[string]string) rule {
	rank := []string{"domcontentloaded", "load", "networkidle"}
	return taken("`wait_until`, the latest of those given", func(o *order, given []string) {
		best := -1
		for _, one := range given {
			ours, known := words[strings.ToLower(one)]
			if !known {
				o.refuse("must be one of " + strings.Join(sortedKeys(words), ", "))
				return
			}
			best = max(best, slices.Index(rank, ours))
		}
		o.set("wait_until", rank[best])
	})
}

// clip joins four kept names to the option clip.
func (o *order) clip(x, y, width, height string) {
	if o.value(width) == "" && o.value(height) == "" {
		return
	}
	clip := map[string]float64{}
	for ours, theirs := range map[string]string{"x": x, "y": y, "width": width, "height": height} {
		o.name = theirs
		given := o.value(theirs)
		if given == "" && (ours == "x" || ours == "y") {
			given = "0"
		}
		if n, ok := o.number([]string{given}); ok {
			clip[ours] = math.Round(n)
		}
	}
	o.name = width
	o.set("clip", clip)
}

// place joins kept names to the option geolocation.
func (o *order) place(latitude, longitude, accuracy string) {
	if o.value(latitude) == "" && o.value(longitude) == "" {
		return
	}
	place := map[string]float64{}
	for ours, theirs := range map[string]string{"latitude": latitude, "longitude": longitude, "accuracy": accuracy} {
		if ours == "accuracy" && o.value(theirs) == "" {
			continue
		}
		o.name = theirs
		if n, ok := o.number([]string{o.value(theirs)}); ok {
			place[ours] = n
		}
	}
	o.name = latitude
	o.set("geolocation", place)
}

// margins joins kept names to the option pdf_margin. A side that is not given has the fallback.
func (o *order) margins(sides [4]string, fallback string) {
	written, given := make([]string, 4), false
	for i, name := range sides {
		written[i] = fallback
		if value := strings.TrimSpace(o.value(name)); value != "" {
			written[i], given, o.name = value, true, name
		}
	}
	if given {
		o.set("pdf_margin", strings.Join(written, " "))
	}
}

package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/capture"
)

// maxBatchBody is the largest body of a batch, in bytes.
const maxBatchBody = 16 << 20

// batchFields are the members of a batch's body.
func batchFields() []string {
	return []string{"urls", "captures", "options", "callback_url", "batch_callback_url", "metadata"}
}

// batchBody is the body of a request for a batch, read and checked.
type batchBody struct {
	Rows     []savepage.Options `json:"captures"`
	Callback string             `json:"batch_callback_url"`
	Metadata savepage.Metadata  `json:"metadata"`
}

// brief returns the body for its fingerprint. Where the captures together are larger than any body, because they share
// options, their long texts are replaced by hashes.
func (b batchBody) brief() batchBody {
	whole := 0
	for _, o := range b.Rows {
		whole += len(o.HTML) + len(o.CSS) + len(o.JS)
		for _, asset := range o.Assets {
			whole += len(asset.Data)
		}
	}
	if whole <= maxBatchBody {
		return b
	}
	hashes := map[string]string{}
	rows := slices.Clone(b.Rows)
	for i := range rows {
		for _, text := range []*string{&rows[i].HTML, &rows[i].CSS, &rows[i].JS} {
			if *text == "" {
				continue
			}
			if hashes[*text] == "" {
				digest := sha256.Sum256([]byte(*text))
				hashes[*text] = hex.EncodeToString(digest[:])
			}
			*text = hashes[*text]
		}
	}
	b.Rows = rows
	return b
}

// batchReader reads the body of a batch and collects every fault.
type batchReader struct {
	decoder *Decoder
	list    string   // "urls" or "captures"
	given   []object // the options that each row has itself
	common  object
	filled  savepage.Options // common, without defaults
	onTop   bool             // callback_url stands beside the list and not in options

	wrong []savepage.FieldError // the answer shows maxWrong of them
	seen  map[string]bool       // locations
}

// readBatch reads a request's body. Errors name every wrong field of every row; check is the flow's own check of a row.
func readBatch(
	decoder *Decoder, check func(savepage.Options) error, w http.ResponseWriter, r *http.Request,
) (batchBody, *batchReader, error) {
	kind, _, err := mediaOf(r.Header)
	if err != nil {
		return batchBody{}, nil, err
	}
	if kind != mediaJSON {
		return batchBody{}, nil, savepage.Errorf(savepage.CodeUnsupportedMedia, "a batch must be JSON; send application/json")
	}
	text, err := readBodyUpTo(w, r, maxBatchBody)
	if err != nil {
		return batchBody{}, nil, err
	}
	o, err := parseObject(text)
	if err != nil {
		return batchBody{}, nil, savepage.Errorf(savepage.CodeInvalidRequest, "the body %v", err)
	}
	in := &batchReader{decoder: decoder, seen: map[string]bool{}}
	body := in.read(o)
	if len(in.wrong) > 0 {
		in.checkAddresses(body.Rows, check)
		return body, in, in.err(savepage.CodeInvalidRequest)
	}
	return body, in, nil
}

func (in *batchReader) read(o object) batchBody {
	maps.DeleteFunc(o.values, func(_ string, value any) bool { return value == nil })
	for name, value := range o.values {
		if !slices.Contains(batchFields(), name) {
			in.refuse("body."+name, in.unknown(name), shown(in.decoder.fields[name], value))
		}
	}
	var body batchBody
	in.readCommon(o)
	body.Callback = in.single(o, "batch_callback_url", "callback_url").CallbackURL
	body.Metadata = in.single(o, "metadata", "metadata").Metadata
	body.Rows = in.readRows(o)
	return body
}

func (in *batchReader) unknown(name string) string {
	if _, option := in.decoder.fields[name]; option {
		return "must be in options or in one of captures"
	}
	return unknownName("field", name, batchFields())
}

// readCommon reads the options of all rows. Wrong ones are left out, so that rows do not name them again.
func (in *batchReader) readCommon(o object) {
	in.common = object{values: map[string]any{}, raw: map[string]json.RawMessage{}}
	if value, given := o.values["options"]; given {
		rows, err := rowsOf([]any{value}, json.RawMessage("["+string(o.raw["options"])+"]"))
		if err != nil || rows[0].values == nil {
			in.refuse("body.options", "must be an object of options", value)
		} else {
			in.common = rows[0]
		}
	}
	in.readCallback(o)
	_, wrong := in.decoder.alone("body.options", in.common)
	in.addAll(wrong)
	in.common = in.common.without("body.options", wrong)
	in.addAll(in.decoder.fill("body.options", &in.filled, in.common, map[string]bool{}))
}

// readCallback reads the callback_url of all rows that stands beside the list.
func (in *batchReader) readCallback(o object) {
	value, given := o.values["callback_url"]
	if !given {
		return
	}
	in.onTop = true
	if _, twice := in.common.values["callback_url"]; twice {
		in.refuse("body.callback_url", "must not be given in options as well", value)
	} else if got := in.single(o, "callback_url", "callback_url"); got.CallbackURL != "" {
		in.common.values["callback_url"] = value
	}
}

// single checks a field of the batch by the rules of an option and returns it as that option.
func (in *batchReader) single(o object, name, option string) savepage.Options {
	value, given := o.values[name]
	if !given {
		return savepage.Options{}
	}
	asOption := object{values: map[string]any{option: value}, raw: map[string]json.RawMessage{option: o.raw[name]}}
	options, wrong := in.decoder.alone("body", asOption)
	for _, field := range wrong {
		field.Location = strings.Replace(field.Location, "body."+option, "body."+name, 1)
		in.add(field)
	}
	return options
}

func (in *batchReader) readRows(o object) []savepage.Options {
	urls, hasURLs := o.values["urls"]
	captures, hasCaptures := o.values["captures"]
	value := captures
	switch in.list = "captures"; {
	case hasURLs && hasCaptures:
		in.refuse("body.urls", "must not be given together with captures", nil)
		return nil
	case hasURLs:
		in.list, value = "urls", urls
	case !hasCaptures:
		in.refuse("body.urls", "is required; give a list of URLs, or captures with a list of options", nil)
		return nil
	}
	items, isList := value.([]any)
	if !isList || len(items) == 0 || len(items) > capture.MaxBatch {
		in.refuse("body."+in.list, fmt.Sprintf("must be a list of 1 to %d", capture.MaxBatch), len(items))
		return nil
	}
	rows, err := rowsOf(items, o.raw[in.list])
	if err != nil {
		in.refuse("body."+in.list, "cannot be read", nil)
		return nil
	}
	return in.decodeRows(items, rows)
}

func (in *batchReader) decodeRows(items []any, rows []object) []savepage.Options {
	in.given = rows
	read := make([]savepage.Options, len(rows))
	for i := range rows {
		place := fmt.Sprintf("body.%s[%d]", in.list, i)
		if in.list == "urls" {
			rows[i] = object{}
			if address, isText := items[i].(string); isText {
				rows[i].values = map[string]any{"url": address}
			}
		}
		if rows[i].values == nil {
			message := "must be an object of options"
			if in.list == "urls" {
				message = "must be a URL"
			}
			in.refuse(place, message, items[i])
			continue
		}
		own := object{values: maps.Clone(rows[i].values), raw: rows[i].raw}
		options, err := in.decoder.decodeOver(place, in.filled, own, nil)
		for _, field := range fieldsIn(err) {
			in.addOfRow(i, strings.TrimPrefix(field.Location, place+"."), field)
		}
		read[i] = options
	}
	return read
}

// addOfRow adds a fault of an option of row i, located where the option was given: in the row, or in the common options.
func (in *batchReader) addOfRow(i int, option string, field savepage.FieldError) {
	name := topName("", option)
	_, own := in.given[i].values[name]
	_, shared := in.common.values[name]
	switch {
	case in.list == "urls" && name == "url":
		field.Location = fmt.Sprintf("body.urls[%d]", i)
	case !own && shared && in.onTop && name == "callback_url":
		field.Location = "body.callback_url"
	case !own && shared:
		field.Location = "body.options." + option
	default:
		field.Location = fmt.Sprintf("body.%s[%d].%s", in.list, i, option)
	}
	in.add(field)
}

// checkAddresses adds the addresses that check refuses, of rows that have one.
func (in *batchReader) checkAddresses(rows []savepage.Options, check func(savepage.Options) error) {
	for i, o := range rows {
		if o.URL == "" && o.HTML == "" {
			continue
		}
		for _, field := range fieldsIn(check(o)) {
			in.addOfRow(i, field.Location, field)
		}
	}
}

// located turns an error of the flow into one with locations of the body.
func (in *batchReader) located(fault *savepage.Error) error {
	if len(fault.Fields) == 0 {
		return fault
	}
	for _, field := range fault.Fields {
		row, option, ofRow := strings.Cut(strings.TrimPrefix(field.Location, "["), "].")
		i, err := strconv.Atoi(row)
		if !ofRow || err != nil || i < 0 || i >= len(in.given) {
			field.Location = at("body", field.Location)
			in.add(field)
			continue
		}
		in.addOfRow(i, option, field)
	}
	return in.err(fault.Code)
}

func (in *batchReader) refuse(location, message string, value any) {
	in.add(savepage.FieldError{Location: location, Message: message, Value: echo(value)})
}

func (in *batchReader) addAll(fields []savepage.FieldError) {
	for _, field := range fields {
		in.add(field)
	}
}

// add keeps the first fault of a location.
func (in *batchReader) add(field savepage.FieldError) {
	if in.seen[field.Location] {
		return
	}
	in.seen[field.Location] = true
	field.Value = echo(field.Value)
	in.wrong = append(in.wrong, field)
}

// err is one error of all faults, in the order of the body. It gives their number where not all are shown.
func (in *batchReader) err(code savepage.Code) error {
	said := make([]string, 0, maxSaid+1)
	for _, field := range in.wrong[:min(len(in.wrong), maxSaid)] {
		said = append(said, field.String())
	}
	if more := len(in.wrong) - maxSaid; more > 0 {
		text := strconv.Itoa(more) + " more"
		if len(in.wrong) > maxWrong {
			text += fmt.Sprintf(", of which errors lists the first %d", maxWrong-maxSaid)
		}
		said = append(said, text)
	}
	fault := savepage.Errorf(code, "%s", strings.Join(said, "; "))
	fault.Fields = in.wrong[:min(len(in.wrong), maxWrong)]
	return fault
}

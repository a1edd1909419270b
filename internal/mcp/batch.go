package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/savepage/savepage"
)

// maxBatch is how many pages a call of the tool batch takes.
const maxBatch = 500

// linesTokens is what the lines of a batch may take of an answer. The rest is for pictures.
const linesTokens = MaxTokens / 2

func (t *tools) batch(ctx context.Context, from Captures, given *arguments) (*answer, error) {
	look := readBatchView(given)
	urls := given.urls()
	options := t.optionsOfAll(given, urls)
	if err := given.fault(); err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, t.config.Wait)
	defer cancel()
	b, err := from.Batch(waiting, urls, options)
	if err != nil {
		return nil, err
	}
	return t.showBatch(ctx, from, b, look)
}

// batchView is how a batch is shown.
type batchView struct {
	each view
	item int // to begin with, from 1
}

func readBatchView(given *arguments) batchView {
	v := batchView{view{side: smallSide, first: 1}, 1}
	given.integer("longest_side", &v.each.side, lowestSide, highestSide)
	given.integer("first_item", &v.item, 1, noMost)
	return v
}

// optionsOfAll decodes the options that the pages share, and checks each URL.
func (t *tools) optionsOfAll(given *arguments, urls []string) savepage.Options {
	for _, name := range []string{"url", "html"} {
		if value := given.take(name); value != nil {
			given.refuse(name, value, "is for one capture; a batch has urls")
		}
	}
	given.given["url"] = json.RawMessage(`"https://example.com/"`) // the place of each page's
	options := t.options(given)
	for i, url := range urls {
		body, err := json.Marshal(map[string]string{"url": url})
		if err == nil {
			_, err = t.decoder.JSON(body)
		}
		if fault, known := errors.AsType[*savepage.Error](err); known {
			for _, field := range fault.Fields {
				field.Location = fmt.Sprintf("urls[%d]", i)
				given.wrong = append(given.wrong, field)
			}
		}
	}
	return options
}

// showBatch answers with the captures of a batch, from an item on.
func (t *tools) showBatch(ctx context.Context, from Captures, b Batch, look batchView) (*answer, error) {
	if look.item > max(1, len(b.List)) {
		return nil, outside("first_item", look.item, len(b.List), fmt.Sprintf("the batch has %d captures", len(b.List)))
	}
	a := newAnswer()
	a.say(summary(b))
	end := look.item - 1
	for end < len(b.List) {
		text := brief(end, b.List[end])
		if a.spent+textTokens(text) > linesTokens {
			break
		}
		a.say(text)
		end++
	}
	if more := len(b.List) - end; more > 0 {
		a.say(fmt.Sprintf("%d more captures: look_up with batch_id and first_item: %d shows them.", more, end+1))
	}
	for i := look.item - 1; i < end; i++ {
		done := b.List[i]
		if done.Status != savepage.Success || a.left() < look.each.atMost() {
			continue
		}
		a.say(fmt.Sprintf("Picture %d, %s:", i+1, cut(page(done), maxAddress)))
		if err := t.picture(ctx, a, from, done, look.each); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			a.say(cut("It is not shown: "+err.Error(), maxLine)) // the others are
		}
	}
	return a, nil
}

// summary counts what became of a batch.
func summary(b Batch) string {
	count := map[savepage.State]int{}
	for _, c := range b.List {
		count[c.Status]++
	}
	running := len(b.List) - count[savepage.Success] - count[savepage.Failed] - count[savepage.Canceled]
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{
		{count[savepage.Success], "captured"}, {count[savepage.Failed], "failed"}, {count[savepage.Canceled], "canceled"},
		{running, "not ended yet"},
	} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	text := fmt.Sprintf("%d pages: %s.\nbatch_id: %s", len(b.List), strings.Join(parts, ", "), b.ID)
	if running > 0 {
		text += "\nlook_up with batch_id shows them later."
	}
	return text
}

// outside is the error for a number that is beyond what there is.
func outside(name string, value, most int, why string) error {
	return &savepage.Error{Code: savepage.CodeInvalidRequest, Message: name + " is too large", Fields: []savepage.FieldError{{
		Location: name, Value: value, Message: fmt.Sprintf("must be from 1 to %d: %s", max(most, 1), why),
	}}}
}

// noMost is the end of a range that depends on the capture.
const noMost = math.MaxInt32

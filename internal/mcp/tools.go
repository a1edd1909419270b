package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
)

type listed struct {
	tool    *sdk.Tool
	handler sdk.ToolHandler
}

func (t *tools) list() []listed {
	open, destroys, closed := true, false, false
	visits := func(title string) *sdk.ToolAnnotations { // it may click
		return &sdk.ToolAnnotations{Title: title, DestructiveHint: &destroys, OpenWorldHint: &open}
	}
	return []listed{
		{&sdk.Tool{
			Name: "capture", Title: "Capture a web page", Annotations: visits("Capture a web page"), InputSchema: captureSchema(),
			Description: "Takes a picture of a web page, or of HTML, and returns it sized for a model, with what the picture may lack and a " +
				"link to the full picture. Wait for what you need (wait_for_selector, wait_for_text), and remove what is in the way " +
				"(block_cookie_banners, hide). format pdf returns a link only.",
		}, t.told(t.capture)},
		{&sdk.Tool{
			Name: "batch", Title: "Capture several web pages", Annotations: visits("Capture several web pages"), InputSchema: batchSchema(),
			Description: fmt.Sprintf("Takes pictures of up to %d web pages with the same options. Returns a line for each, and small pictures, "+
				"of as many as an answer holds; look_up shows the others by the batch_id, and one larger by its capture_id.", maxBatch),
		}, t.told(t.batch)},
		{&sdk.Tool{
			Name: "look_up", Title: "Look a capture or a batch up", InputSchema: lookUpSchema(),
			Annotations: &sdk.ToolAnnotations{
				Title: "Look a capture or a batch up", ReadOnlyHint: true, IdempotentHint: true, OpenWorldHint: &closed,
			},
			Description: "Shows a capture by its capture_id: one that was still running, further tiles of a tall page, or another size. Shows a " +
				"batch by its batch_id, from first_item on.",
		}, t.told(t.lookUp)},
	}
}

// job does the work of a tool with its arguments.
type job func(ctx context.Context, from Captures, given *arguments) (*answer, error)

// told runs a tool. What goes wrong is told to the model, which can do better the next time.
func (t *tools) told(do job) sdk.ToolHandler {
	return func(ctx context.Context, request *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		given, err := readArguments(request.Params.Arguments)
		if err != nil {
			return refused(err), nil
		}
		a, err := do(ctx, t.config.Of(requestOf(ctx)), given)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return refused(err), nil
		}
		return &sdk.CallToolResult{Content: a.content, IsError: a.failed}, nil
	}
}

// refused is the result of a call that failed.
func refused(err error) *sdk.CallToolResult {
	text := "This did not work: " + err.Error()
	if fault, known := errors.AsType[*savepage.Error](err); known {
		text = fault.Error()
		if len(fault.Fields) > 0 {
			lines := []string{string(fault.Code) + ":"}
			for _, field := range fault.Fields {
				lines = append(lines, line(field))
			}
			text = strings.Join(lines, "\n")
		}
		if fault.RetryAfter > 0 {
			text += fmt.Sprintf("\nTry again in %d seconds.", int(fault.RetryAfter.Seconds()))
		}
	}
	return &sdk.CallToolResult{IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: cut(text, maxText)}}}
}

func (t *tools) capture(ctx context.Context, from Captures, given *arguments) (*answer, error) {
	look := readView(given, usualSide)
	options := t.options(given)
	if err := given.fault(); err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, t.config.Wait)
	defer cancel()
	done, err := from.Capture(waiting, options)
	if err != nil {
		return nil, err
	}
	a, err := t.show(ctx, from, done, look)
	if err == nil {
		a.failed = done.Status == savepage.Failed || done.Status == savepage.Canceled
	}
	return a, err
}

func (t *tools) lookUp(ctx context.Context, from Captures, given *arguments) (*answer, error) {
	one, several := given.text("capture_id"), given.text("batch_id")
	if several != "" && one == "" {
		return t.lookUpBatch(ctx, from, several, given)
	}
	look := readView(given, usualSide)
	given.nothingElse(slices.DeleteFunc(names(lookUpSchema()), func(name string) bool { return name == "first_item" })...)
	if err := given.fault(); err != nil {
		return nil, err
	}
	if one == "" || several != "" {
		return nil, savepage.Errorf(savepage.CodeInvalidRequest,
			"one of capture_id and batch_id is needed: they are in the answers of capture and batch")
	}
	done, err := from.LookUp(ctx, one)
	if err != nil {
		return nil, err
	}
	return t.show(ctx, from, done, look)
}

func (t *tools) lookUpBatch(ctx context.Context, from Captures, id string, given *arguments) (*answer, error) {
	look := readBatchView(given)
	given.nothingElse("batch_id", "first_item", "longest_side")
	if err := given.fault(); err != nil {
		return nil, err
	}
	b, err := from.LookUpBatch(ctx, id)
	if err != nil {
		return nil, err
	}
	return t.showBatch(ctx, from, b, look)
}

// show answers with one capture.
func (t *tools) show(ctx context.Context, from Captures, done client.Capture, look view) (*answer, error) {
	a := newAnswer()
	a.say(t.words(done))
	if done.Status != savepage.Success {
		return a, nil
	}
	a.link(done)
	if err := t.picture(ctx, a, from, done, look); err != nil {
		return nil, err
	}
	return a, nil
}

// options decodes the options of a capture from the arguments that are left, as the API does.
func (t *tools) options(given *arguments) savepage.Options {
	all := map[string]json.RawMessage{}
	if more := given.take("options"); more != nil && json.Unmarshal(more, &all) != nil {
		given.refuse("options", more, "must be an object")
	}
	for name := range given.given {
		if value := given.take(name); value != nil {
			all[name] = value
		}
	}
	body, err := json.Marshal(all)
	if err != nil {
		given.refuse("options", nil, err.Error())
		return savepage.Options{}
	}
	options, err := t.decoder.JSON(body)
	given.add(err)
	return options
}

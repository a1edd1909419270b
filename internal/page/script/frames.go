package script

import (
	"context"
	"encoding/json"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/page/session"
)

const maxFrames = 50 // of a page that an expression runs in

// stage is a frame that an expression can run in.
type stage struct {
	to    session.Sender
	world *cdp.Pending // Page.createIsolatedWorld in it
	done  *cdp.Pending // Runtime.evaluate there
}

// InFrames runs an expression in every frame but the main one, in all at once, and returns their values. targets are those
// that belong to the page: frames of the same site as their parent have no process of their own. Frames that go away or do
// not answer are passed over.
func (p *Beside) InFrames(ctx context.Context, expression string, targets []*session.Target) []json.RawMessage {
	stages := p.stages(ctx, targets)
	yes := true
	for _, st := range stages {
		var world cdpage.CreateIsolatedWorldResult
		if st.world.Wait(ctx, &world) != nil {
			continue
		}
		st.done = st.to.Send(runtime.CommandEvaluate, runtime.EvaluateParams{
			Expression: expression, ContextID: world.ExecutionContextID, AwaitPromise: &yes, ReturnByValue: &yes, Silent: &yes,
		})
	}
	var values []json.RawMessage
	for _, st := range stages {
		var res struct {
			Result struct {
				Value json.RawMessage `json:"value"`
			} `json:"result"`
		}
		if st.done != nil && st.done.Wait(ctx, &res) == nil {
			values = append(values, res.Result.Value)
		}
	}
	return values
}

func (p *Beside) stages(ctx context.Context, targets []*session.Target) []*stage {
	routes := []session.Sender{p.to}
	for _, t := range targets {
		routes = append(routes, t)
	}
	trees := make([]*cdp.Pending, len(routes))
	for i, to := range routes {
		trees[i] = to.Send(cdpage.CommandGetFrameTree, nil)
	}
	var list []*stage
	for i, to := range routes {
		var res struct {
			FrameTree frameTree `json:"frameTree"`
		}
		if trees[i].Wait(ctx, &res) != nil {
			continue
		}
		for _, id := range res.FrameTree.ids(nil) {
			if id == p.frame || len(list) >= maxFrames {
				continue
			}
			world := to.Send(cdpage.CommandCreateIsolatedWorld, map[string]any{"frameId": id, "worldName": World})
			list = append(list, &stage{to: to, world: world})
		}
	}
	return list
}

type frameTree struct {
	Frame struct {
		ID string `json:"id"`
	} `json:"frame"`
	ChildFrames []frameTree `json:"childFrames"`
}

func (t frameTree) ids(list []string) []string {
	list = append(list, t.Frame.ID)
	for _, child := range t.ChildFrames {
		list = child.ids(list)
	}
	return list
}

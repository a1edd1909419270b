package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/client"
)

// Capture waits for the picture.
func ExampleClient_Capture() {
	server := exampleServer() // in place of "http://127.0.0.1:8080"
	defer server.Close()
	ctx := context.Background()

	c := client.New(server.URL, "sp_test", server.Client())
	done, err := c.Capture(ctx, savepage.Options{URL: "https://example.com", Fullpage: true})
	if err != nil {
		panic(err)
	}
	picture, err := c.Image(ctx, done)
	if err != nil {
		panic(err)
	}
	fmt.Println(done.Status, done.Format, done.Width, "×", done.Height)
	fmt.Println(len(picture), "bytes")
	// Output:
	// success png 10 × 20
	// 7 bytes
}

// Submit returns at once. When the capture has ended, the service sends the result to the receiver.
func ExampleClient_Submit() {
	const secret = "whsec_c2VjcmV0IG9mIHRoZXNlIGV4YW1wbGVzIQ=="
	results := make(chan client.Capture, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var done client.Capture
		body, err := savepage.VerifyRequest(r, secret)
		if err == nil {
			err = json.Unmarshal(body, &done)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		results <- done
		w.WriteHeader(http.StatusNoContent)
	}))
	defer receiver.Close()
	server := exampleServer()
	defer server.Close()

	c := client.New(server.URL, "sp_test", server.Client())
	accepted, err := c.Submit(context.Background(), savepage.Options{
		URL: "https://example.com", CallbackURL: receiver.URL, CallbackSecret: secret,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println("accepted", accepted.CaptureID)
	done := <-results
	fmt.Println(done.CaptureID, done.Status, done.Width, "×", done.Height)
	// Output:
	// accepted cap_1
	// cap_1 success 10 × 20
}

// Errors of the server are *savepage.Error, which names every invalid field.
func ExampleClient_errors() {
	server := exampleServer()
	defer server.Close()

	c := client.New(server.URL, "sp_test", server.Client())
	_, err := c.Submit(context.Background(), savepage.Options{URL: "example.com", Width: 100})
	if refused, is := errors.AsType[*savepage.Error](err); is {
		fmt.Println(refused.Code)
		for _, field := range refused.Fields {
			fmt.Println(field)
		}
	}
	// Output:
	// invalid_request
	// body.url: must be an http or https URL; did you mean "https://example.com"?
	// body.width: must be from 320 to 3840
}

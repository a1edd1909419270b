package pdf

import (
	"strings"
	"testing"
)

func TestPlain(t *testing.T) {
	for given, want := range map[string]string{
		`Page <span class="pageNumber"></span>`:                   `Page <span class="pageNumber"></span>`,
		`<b style="color:red">A &amp; B</b><br/>`:                 `<b style="color:red">A &amp; B</b><br/>`,
		`<!doctype html><!-- <img src=http://a.test> -->x`:        `x`,
		`<td colspan=2>1 < 2</td>`:                                `<td colspan="2">1 &lt; 2</td>`,
		`<img src="data:image/png;base64,iVBORw0KGgo=" width=20>`: `<img src="data:image/png;base64,iVBORw0KGgo=" width="20">`,
	} {
		if got, err := plain(given); err != nil || got != want {
			t.Errorf("%s: %s, %v", given, got, err)
		}
	}
	for _, given := range []string{
		`<iframe src="data:text/html,x">`, `<script>1</script>`, `<SCRIPT>1</SCRIPT>`, `<style>p{}</style>`, `<link rel=stylesheet href=a>`,
		`<img src="http://a.test/x.png">`, `<img src="//a.test">`, `<img src="data:image/svg+xml;base64,PHN2Zz4=">`,
		`<img src="data:image/png;base64,aaaa" onload="1">`, `<img srcset="http://a.test 1x">`, `<svg><image href="http://a.test"/></svg>`,
		`<p style="background:url(http://a.test)">`, `<p style="background:u\72l(http://a.test)">`, `<p style="background:URL('//a')">`,
		`<p style="background:image-set('//a' 1x)">`, `<p onclick="1">`, `<meta http-equiv=refresh content="0;url=http://a.test">`,
		`<form action=//a.test>`, `<object data=//a.test>`, `<math><mi>x`, `<p style="x:/* */">`, `<a href="javascript:1">`,
		`<base href=//a.test>`, `<video src=//a.test>`, `<p background="//a.test">`, `<body background="//a.test">`, `<template><img src=//a>`,
		`<noscript><img src=//a.test></noscript>`, `<title></title><img src=//a.test>`, `<plaintext>`, `<x-y>`,
	} {
		if got, err := plain(given); err == nil {
			t.Errorf("%s is let through as %s", given, got)
		}
	}
}

// What is let through is let through unchanged when it is looked at again: nothing becomes markup by being written.
func FuzzPlain(f *testing.F) {
	for _, seed := range []string{
		`Page <span class="pageNumber"></span>`, `<b title="<img src=x>">`, `<p>&lt;script&gt;`, `<img src="data:image/png;base64,aa">`,
		`<!-- --!><img src=//a> -->`, `<p title='"><script>'>`, "<p\x00 a=b>", `<textarea><img src=//a>`, `</p ><p/>`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, given string) {
		clean, err := plain(given)
		if err != nil {
			return
		}
		again, err := plain(clean)
		if err != nil || again != clean && !strings.Contains(clean, "\r") {
			t.Errorf("%q became %q and then %q, %v", given, clean, again, err)
		}
	})
}

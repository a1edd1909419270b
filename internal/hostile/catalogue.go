package hostile

import "slices"

// Reasons why a case reaches no canary even when everything is allowed. The unguarded run checks them: one that reaches a
// canary after all has become a case like the others.
const (
	headless   Control = "headless Chromium does not fetch it"
	sameOrigin Control = "Chromium takes it from the page's own origin only"
	noSuch     Control = "Chromium refuses it by itself"
	later      Control = "Chromium sends it a minute later, when the capture is over"
	unseen     Control = "this Chromium was not seen to send it, for a reason that is not known"
	permission Control = "Chromium asks for a permission that no page gets"
	proxied    Control = "behind a proxy Chromium does not do it"
)

// Egress is group D: the ways out of a page.
func Egress() []Case {
	return slices.Concat(mainFrame(), markup(), frames(), scripts(), secure(), realtime(), spelled())
}

// mainFrame are the pages that lead the capture itself inside.
func mainFrame() []Case {
	var cases []Case
	for _, one := range []struct{ id, title, page string }{
		{"D01/301", "redirect 301", "redirect?code=301&to="},
		{"D01/302", "redirect 302", "redirect?code=302&to="},
		{"D01/303", "redirect 303", "redirect?code=303&to="},
		{"D01/307", "redirect 307", "redirect?code=307&to="},
		{"D01/308", "redirect 308", "redirect?code=308&to="},
		{"D02", "redirect chain of four that ends inside", "redirect?code=302&hops=4&to="},
		{"D03", "Refresh header", "refresh?to="},
		{"D04", "meta refresh", "d04.html"},
		{"D05", "location= after load", "d05.html"},
		{"D06", "location= later than load, before the picture", "d06.html"},
		{"D07", "form that posts itself", "d07.html"},
		{"D08", "history entry of the same document, then location=", "d08.html"},
		{"D62/download", "a download, which another origin makes a navigation", "d62.html"},
	} {
		cases = append(cases, Case{ID: one.id, Title: one.title, Page: one.page, Expect: Refused})
	}
	return cases
}

func markup() []Case {
	const page = "markup.html"
	return []Case{
		{ID: "D09", Title: "img", Page: page},
		{ID: "D10/1", Title: "img through one redirect", Page: page},
		{ID: "D10/4", Title: "img through four redirects", Page: page},
		{ID: "D11/srcset", Title: "img srcset", Page: page},
		{ID: "D11/picture", Title: "picture source", Page: page},
		{ID: "D12", Title: "CSS background", Page: page},
		{ID: "D13", Title: "CSS @import", Page: page},
		{ID: "D14", Title: "CSS @font-face", Page: page},
		{ID: "D15/image", Title: "svg image", Page: page},
		{ID: "D15/feImage", Title: "svg feImage", Page: page},
		{ID: "D15/use", Title: "svg use", Page: page, Control: sameOrigin},
		{ID: "D16/video", Title: "video", Page: page},
		{ID: "D16/audio", Title: "audio", Page: page},
		{ID: "D16/poster", Title: "video poster", Page: page},
		{ID: "D16/track", Title: "track", Page: page},
		{ID: "D17", Title: "script", Page: page},
		{ID: "D18/module", Title: "module script", Page: page},
		{ID: "D18/preload", Title: "link modulepreload", Page: page},
		{ID: "D28/preload", Title: "link preload", Page: page},
		{ID: "D28/prefetch", Title: "link prefetch", Page: page},
		{ID: "D28/icon", Title: "link icon", Page: page, Control: headless},
		{ID: "D28/manifest", Title: "link manifest", Page: page, Control: headless},
		{ID: "D28/stylesheet", Title: "link stylesheet", Page: page},
		{ID: "D29", Title: "link preconnect", Page: page, Control: unseen},
		{ID: "D30", Title: "link dns-prefetch", Page: page, Control: proxied},
		{ID: "D63", Title: "user name and password in an img URL", Page: page, Control: noSuch},
		{ID: "D60", Title: "base href", Page: "base.html"},
		{ID: "D31", Title: "Link: rel=preload as a header", Page: "reports.html"},
		{ID: "D57/csp", Title: "CSP report-uri", Page: "reports.html"},
		{ID: "D57/csp-only", Title: "CSP report-uri, report only", Page: "reports.html"},
	}
}

func frames() []Case {
	const page = "frames.html"
	return []Case{
		{ID: "D20", Title: "iframe", Page: page},
		{ID: "D21", Title: "iframe srcdoc with an img", Page: page},
		{ID: "D22", Title: "sandboxed iframe that fetches", Page: page},
		{ID: "D23", Title: "iframe data: with an img", Page: page},
		{ID: "D24", Title: "iframe blob: with an img", Page: page},
		{ID: "D25", Title: "iframe javascript: with an img", Page: page},
		{ID: "D26", Title: "frameset", Page: page},
		{ID: "D27/object", Title: "object", Page: page},
		{ID: "D27/embed", Title: "embed", Page: page},
		{ID: "D27/pdf", Title: "embed of a PDF", Page: page, Control: headless},
		{ID: "D58", Title: "XSLT stylesheet", Page: page},
		{ID: "D58/document", Title: "document() of an XSLT stylesheet", Page: page, Control: sameOrigin},
		{ID: "D59/dtd", Title: "external DTD", Page: page, Control: noSuch},
		{ID: "D59/entity", Title: "external entity", Page: page, Control: noSuch},
		{ID: "D65", Title: "iframe view-source:", Page: page, Control: noSuch},
	}
}

func scripts() []Case {
	const page = "script.html"
	return []Case{
		{ID: "D19", Title: "dynamic import", Page: page},
		{ID: "D33", Title: "fetch no-cors", Page: page},
		{ID: "D34", Title: "fetch cors, read back into the page", Page: page},
		{ID: "D35", Title: "fetch through a redirect", Page: page},
		{ID: "D36", Title: "fetch keepalive on pagehide", Page: page},
		{ID: "D36/end", Title: "fetch keepalive when the capture ends", Page: page, Control: later},
		{ID: "D39", Title: "synchronous XHR", Page: page},
		{ID: "D40", Title: "sendBeacon", Page: page},
		{ID: "D41", Title: "a ping", Page: page},
		{ID: "D42", Title: "EventSource", Page: page},
		{ID: "D43", Title: "ws:// to the address", Page: page},
		{ID: "D44", Title: "ws:// to localhost", Page: page},
		{ID: "D45", Title: "wss://", Page: page},
		{ID: "D46", Title: "ws:// in a worker", Page: page},
		{ID: "D49/fetch", Title: "fetch in a worker", Page: page},
		{ID: "D49/import", Title: "importScripts in a worker", Page: page},
		{ID: "D50/fetch", Title: "fetch in a shared worker", Page: page},
		{ID: "D50/ws", Title: "ws:// in a shared worker", Page: page},
		{ID: "D61/open", Title: "window.open", Page: page},
		{ID: "D61/navigate", Title: "window.open, then location of the window", Page: page},
		{ID: "D62/blank", Title: "a target=_blank", Page: page},
		{ID: "D64", Title: "https:// to the address: no ClientHello", Page: page},
		{ID: "D67", Title: "scan of ports, open and closed", Page: "scan.html"},
	}
}

func secure() []Case {
	const page = "secure.html"
	return []Case{
		{ID: "D32/prefetch", Title: "speculation rules: prefetch", Page: page, Control: unseen},
		{ID: "D32/prerender", Title: "speculation rules: prerender of a page that fetches", Page: page, Control: unseen},
		{ID: "D37", Title: "fetchLater", Page: page},
		{ID: "D38/loopback", Title: "fetch with targetAddressSpace loopback", Page: page, Control: permission},
		{ID: "D38/local", Title: "fetch with targetAddressSpace local", Page: page, Control: permission},
		{ID: "D47", Title: "WebSocketStream", Page: page},
		{ID: "D48", Title: "WebTransport", Page: page, Control: proxied},
		{ID: "D51/install", Title: "fetch while a service worker is installed", Page: page},
		{ID: "D51/ws", Title: "ws:// in a service worker", Page: page},
		{ID: "D51/import", Title: "importScripts in a service worker", Page: page},
		{ID: "D52/audio", Title: "audioWorklet.addModule", Page: page, Control: unseen},
		{ID: "D52/paint", Title: "paintWorklet.addModule", Page: page},
		{ID: "D57/endpoints", Title: "Reporting-Endpoints", Page: "secure-reports.html", Control: later},
		{ID: "D57/nel", Title: "network error logging", Page: "secure-reports.html", Control: later},
	}
}

func realtime() []Case {
	const page = "secure-rtc.html"
	return []Case{
		{ID: "D53/v4", Title: "WebRTC STUN over UDP, IPv4", Page: page, Control: Datagram},
		{ID: "D53/v6", Title: "WebRTC STUN over UDP, IPv6", Page: page, Control: Datagram},
		{ID: "D54/tcp", Title: "WebRTC TURN over TCP", Page: page},
		{ID: "D54/tls", Title: "WebRTC TURN over TLS", Page: page},
		{ID: "D55/udp", Title: "WebRTC remote candidate, UDP", Page: page, Control: Datagram},
		{ID: "D55/tcp", Title: "WebRTC remote candidate, TCP", Page: page, Control: Datagram},
		{ID: "D56", Title: "WebRTC STUN to a name", Page: page, Control: Lookup},
	}
}

// spelled is D66: img, fetch and WebSocket to every spelling of loopback.
func spelled() []Case {
	var cases []Case
	for _, s := range Spellings() {
		cases = append(cases, Case{ID: s.ID, Title: "img, fetch and ws:// to " + s.Host, Page: "spellings.html", Control: s.Control})
	}
	return cases
}

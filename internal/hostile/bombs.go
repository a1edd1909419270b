package hostile

import "slices"

// Bomb is a page that uses up what it shares with other captures: memory, time, disk, messages. Its own end does not matter
// much; captures beside it must succeed.
type Bomb struct {
	ID    string // of the catalogue, and after a slash which variant
	Title string
	Body  string   // HTML of the page; empty: Path
	Path  string   // of the page, on the site; one that begins with secure/ is on the secure origin
	Ends  []string // how its own capture may end; empty: any end but a fault of the service
	Gap   string   // why it does not hold yet; a bomb that holds must have none
}

// Names of ends that more than one bomb has. The others are codes of the API.
const (
	Captured  = "captured"
	timedOut  = "render_timeout"
	notLoaded = "navigation_timeout"
)

// Bombs is group H.
func Bombs() []Bomb { return slices.Concat(busy(), memory(), transfers(), pictures(), messages()) }

// busy pages use up time, or numbers of things.
func busy() []Bomb {
	return []Bomb{
		{ID: "H01", Title: "endless loop at once", Body: `<script>while (true);</script>`},
		{
			ID: "H02", Title: "endless loop after load", Body: `<p>x<script>onload = () => setTimeout(() => { while (true);
}, 300)</script>`,
		},
		{ID: "H03/alert", Title: "dialogs without end", Body: `<script>while (true) alert(1)</script>`},
		{
			ID: "H03/unload", Title: "beforeunload that asks to stay",
			Body: `<p>x<script>onbeforeunload = e => { e.preventDefault(); return 'stay' };
document.onclick = 1</script>`, Ends: []string{Captured, timedOut},
		},
		{ID: "H04", Title: "print without end", Body: `<script>while (true) print()</script>`},
		{
			ID: "H05", Title: "500 windows", Ends: []string{Captured, timedOut},
			Body: `<p>x<script>for (let i = 0; i < 500; i++) open('about:blank')</script>`,
		},
		{
			ID: "H11", Title: "200 workers that compute", Body: `<p>x<script>const u = URL.createObjectURL(new Blob(['while (true);']));
for (let i = 0; i < 200; i++) new Worker(u)</script>`,
		},
		{
			ID: "H12/sites", Title: "60 frames of other sites", Body: `<p>x<script>for (let i = 0; i < 60; i++) {
const f = document.createElement('iframe'); f.src = 'http://s' + i + '.third.test/bomb/small'; document.body.append(f) }</script>`,
		},
		{
			ID: "H12/nested", Title: "frames in frames without end",
			Body: `<script>const f = document.createElement('iframe'); f.src = location.pathname + '?' + Math.random();
document.documentElement.append(f)</script>`,
		},
		{
			ID: "H19", Title: "a page that grows while it is scrolled", Body: `<div id=d></div><script>const grow = () => {
for (let i = 0; i < 20; i++) d.append(Object.assign(document.createElement('p'), {textContent: 'more'})) };
grow(); addEventListener('scroll', grow); setInterval(grow, 50)</script>`,
		},
		{ID: "H20", Title: "an answer that drips", Path: "bomb/drip", Ends: []string{Captured, timedOut, notLoaded}},
		{ID: "H21", Title: "redirects without end", Path: "bomb/loop", Ends: []string{"too_many_redirects"}},
		{ID: "H22/reload", Title: "a page that loads itself again", Body: `<script>location.reload()</script>`},
		{
			ID: "H22/history", Title: "history entries without end",
			Body: `<script>for (let i = 0; ; i++) history.pushState(i, '', '?' + i)</script>`,
		},
		{
			ID: "H23", Title: "50 downloads", Body: `<p>x<script>for (let i = 0; i < 50; i++) {
const a = document.createElement('a'); a.href = '/bomb/download'; a.download = i; document.body.append(a); a.click() }</script>`,
			Ends: []string{Captured, "not_a_page", timedOut},
		},
	}
}

// memory pages fill it, wherever it is counted.
func memory() []Bomb {
	return []Bomb{
		{
			ID: "H06", Title: "the heap of scripts",
			Body: `<script>const a = []; while (true) a.push(new Array(1e6).fill(Math.random()))</script>`,
		},
		{
			ID: "H07/buffer", Title: "array buffers",
			Body: `<p>x<script>const a = []; setInterval(() => { const b = new Uint8Array(64 << 20); b.fill(1); a.push(b) }, 20)</script>`,
		},
		{
			ID: "H07/blob", Title: "Blobs, which the browser's own process holds",
			Body: `<p>x<script>const a = []; let n = 0; setInterval(() => { const b = new Uint8Array(16 << 20); b.fill(n++);
a.push(new Blob([b])) }, 100)</script>`,
		},
		{
			ID: "H08", Title: "canvases", Body: `<p>x<script>const a = []; setInterval(() => { const c = document.createElement('canvas');
c.width = c.height = 4096; const x = c.getContext('2d'); x.fillRect(0, 0, 4096, 4096); x.getImageData(0, 0, 1, 1);
a.push(c) }, 20)</script>`,
		},
		{
			ID: "H09", Title: "memory of WebAssembly", Body: `<p>x<script>const a = []; setInterval(() => {
try { const m = new WebAssembly.Memory({initial: 1024, maximum: 1024}); new Uint8Array(m.buffer).fill(1);
a.push(m) } catch (e) {} }, 20)</script>`,
		},
		{
			ID: "H10", Title: "elements without end", Body: `<script>while (true) { const d = document.createElement('div');
d.textContent = 'x'.repeat(1000);
document.documentElement.append(d) }</script>`,
		},
		{
			ID: "H24/indexeddb", Title: "IndexedDB", Path: "secure/bomb/indexeddb", Body: `<p>x<script>const o = indexedDB.open('x', 1);
o.onupgradeneeded = () => o.result.createObjectStore('s'); o.onsuccess = () => { let n = 0; setInterval(() => {
const t = o.result.transaction('s', 'readwrite'); t.objectStore('s').put(new Uint8Array(8 << 20).fill(n), n++) }, 50) }</script>`,
		},
		{
			ID: "H24/cache", Title: "the Cache of scripts", Path: "secure/bomb/cache", Body: `<p>x<script>caches.open('x').then(c =>
{ let n = 0;
setInterval(() => c.put('/x' + n++, new Response(new Uint8Array(8 << 20).fill(n))), 50) })</script>`,
		},
		{
			ID: "H24/storage", Title: "localStorage", Body: `<p>x<script>for (let n = 0; n < 1e4; n++) {
try { localStorage['k' + n] = 'x'.repeat(1e6) } catch (e) {} }</script>`,
		},
		{
			ID: "H25/blur", Title: "blurs on blurs",
			Body: `<div style="width:5000px;height:5000px;filter:blur(500px) blur(500px) blur(500px);background:red">x</div>`,
		},
		{
			ID: "H25/shadows", Title: "100,000 shadows",
			Body: `<div id=d style="width:9px;height:9px"></div><script>d.style.boxShadow = Array.from({length: 1e5}, (_, i) =>
i % 900 + 'px ' + i % 700 + 'px 9px red').join()</script>`,
		},
	}
}

// transfers are small on the network and large behind it.
func transfers() []Bomb {
	return []Bomb{
		{ID: "H13", Title: "gzip: 512 MB of text", Path: "bomb/gzip"},
		{ID: "H14", Title: "gzip: 10 million open tags", Path: "bomb/tags"},
		{ID: "H15/br", Title: "Brotli: 512 MB of text", Path: "secure/bomb/br"},
		{ID: "H15/zstd", Title: "zstd: 512 MB of text", Path: "secure/bomb/zstd"},
		{
			ID: "H26", Title: "a font of 60 MB",
			Body: `<style>@font-face { font-family: x; src: url(/bomb/noise) } p { font-family: x }</style><p>x`,
		},
		{ID: "H33", Title: "a script of 60 MB", Body: `<p>x<script src="/bomb/noise"></script>`},
	}
}

// pictures are small files with many points.
func pictures() []Bomb {
	return []Bomb{
		{ID: "H16/png", Title: "a PNG of 25,000 × 25,000", Body: `<img src="/bomb/png">`},
		{
			ID: "H16/pngs", Title: "40 of them at once",
			Body: `<script>for (let i = 0; i < 40; i++) document.write('<img width=9 src="/bomb/png?' + i + '">')</script>`,
		},
		{ID: "H16/gif", Title: "a GIF of 100,000 frames", Body: `<img src="/bomb/gif">`, Ends: []string{Captured}},
		{
			ID: "H16/svg", Title: "an SVG of a million points a side",
			Body: `<img src="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='1000000' height='1000000'>
<rect width='100%25' height='100%25'/></svg>">`,
		},
		{
			ID: "H16/laughs", Title: "an SVG of a billion uses", Body: `<svg><g id=a0><rect width=1 height=1 /></g><script>
for (let i = 1; i < 9; i++) {
document.write('<g id=a' + i + '>' + ('<use href="#a' + (i - 1) + '"/>').repeat(10) + '</g>') }</script></svg>`,
		},
		{
			ID: "H17", Title: "a page of a million points",
			Body: `<div style="height:1000000px;background:linear-gradient(red,blue)"></div>`,
		},
	}
}

// messages are those of the debugging protocol, which every page of a browser shares.
func messages() []Bomb {
	return []Bomb{
		{
			ID: "H32/console", Title: "one message of 46 MB to the console, 276 MB on the wire",
			Body: `<p>x<script>console.log("\x01".repeat(46e6))</script>`,
		},
		{ID: "H32/plain", Title: "one message of 270 MB to the console", Body: `<p>x<script>console.log("a".repeat(270e6))</script>`},
		{ID: "H32/error", Title: "an error with a text of 46 MB", Body: `<p>x<script>throw new Error("\x01".repeat(46e6))</script>`},
		{
			ID: "H32/post", Title: "a request with a body of 46 MB",
			Body: `<p>x<script>fetch('/bomb/small', {method: 'POST', body: "\x01".repeat(46e6)})</script>`,
		},
		{ID: "H32/title", Title: "a title of 46 MB", Body: `<p>x<script>document.title = "\x01".repeat(46e6)</script>`},
		{ID: "H32/alert", Title: "a dialog with a text of 46 MB", Body: `<p>x<script>alert("\x01".repeat(46e6))</script>`},
		{
			ID: "H34/console", Title: "messages to the console without end",
			Body: `<p>x<script>setInterval(() => { for (let i = 0; i < 20000; i++) console.log('x'.repeat(100)) }, 0)</script>`,
		},
		{
			ID: "H34/urls", Title: "200 requests with URLs of 2 MB",
			Body: `<p>x<script>for (let i = 0; i < 200; i++) fetch('/bomb/small?' + i + 'x'.repeat(2e6 - 100)).catch(() => 0)</script>`,
		},
		{
			ID: "H34/requests", Title: "requests without end",
			Body: `<p>x<script>setInterval(() => { for (let i = 0; i < 200; i++) fetch('/bomb/small?' + Math.random()).catch(() =>
0) }, 0)</script>`,
		},
		{
			ID: "H34/frames", Title: "frames that come and go without end", Body: `<p>x<script>setInterval(() => { for (let i = 0; i < 50;
i++) {
const f = document.createElement('iframe'); document.body.append(f); f.remove() } }, 0)</script>`,
		},
		{
			ID: "H34/sockets", Title: "300 WebSockets", Body: `<p>x<script>for (let i = 0; i < 300;
i++) new WebSocket('ws://' + location.host + '/bomb/small')</script>`,
		},
	}
}

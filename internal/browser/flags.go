package browser

import "path/filepath"

// flags are the arguments of a browser. Never among them: --no-sandbox (but for Off), --disable-web-security,
// --allow-file-access-from-files, --remote-debugging-port, --ignore-certificate-errors, --single-process, --no-zygote.
func flags(cfg Config, dir string) []string {
	list := []string{
		"--headless",              // the shell has no other mode; the full browser needs the flag
		"--remote-debugging-pipe", // no port that a page or another user could reach
		"--user-data-dir=" + filepath.Join(dir, "profile"), // a new profile, removed with the browser

		// The network. Each context has a proxy of its own; whatever is not in such a context meets a dead port.
		"--proxy-server=http://127.0.0.1:1",
		"--proxy-bypass-list=<-loopback>",                           // else loopback addresses go around every proxy
		"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.*",     // the browser asks no name server itself
		"--force-webrtc-ip-handling-policy=disable_non_proxied_udp", // obeyed by the shell: no datagram leaves
		"--webrtc-ip-handling-policy=disable_non_proxied_udp",       // the same, obeyed by the full browser
		"--disable-quic",                      // goes around an HTTP proxy
		"--no-pings",                          // requests in the background
		"--disable-background-networking",     // the browser's own calls home
		"--disable-component-update",          // the same
		"--disable-sync",                      // the same
		"--block-new-web-contents",            // 500 popups cost 2.6 GB without it
		"--disable-extensions",                // code from elsewhere
		"--js-flags=--max-old-space-size=512", // MB of a page's heap: it dies at 0.5 GB instead of 4
		// Its own checks for local networks, which are the task of the guard, end one page in 60 that has local pictures.
		"--enable-features=LocalNetworkAccessChecks:LocalNetworkAccessChecksWarn/true",
		"--no-first-run",                                                 // no welcome page
		"--accept-lang=en-US,en",                                         // as an ordinary browser has it
		"--disable-breakpad", "--disable-crash-reporter", "--mute-audio", // no dumps of pages on disk, no reports, no sound

		// The picture.
		"--disable-gpu",                // with the software GL a tall picture repeats from 8,192 px on, and takes 1.3 times as long
		"--hide-scrollbars",            // no grey bar of 15 px
		"--font-render-hinting=slight", // the shell's text then equals the full browser's, byte for byte
	}
	// A mouse, which the shell has not (ui/base/pointer/pointer_device.h): it can hover and is fine.
	blink := "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4"
	if !cfg.moving {
		blink += ",imageAnimationPolicy=2" // moving pictures show their first frame, on all pages of the browser
	}
	list = append(list, blink)
	if cfg.agent != "" {
		list = append(list, "--user-agent="+cfg.agent) // for workers of several documents: those of one are told by their page
	}
	if smallSharedMemory() {
		list = append(list, "--disable-dev-shm-usage") // a container's 64 MB are less than one large picture
	}
	if cfg.Sandbox == Off {
		list = append(list, "--no-sandbox")
	}
	return list
}

// environment is everything that the browser inherits: nothing of the service's own, which holds keys.
func environment(dir string) []string {
	return []string{
		"HOME=" + dir,
		"TMPDIR=" + filepath.Join(dir, "tmp"),
		"XDG_CACHE_HOME=" + filepath.Join(dir, "cache"),
		"XDG_CONFIG_HOME=" + filepath.Join(dir, "config"),
		"XDG_RUNTIME_DIR=" + filepath.Join(dir, "run"),
		"LANG=C.UTF-8",
		// The browser would start or ask the buses of the desktop.
		"DBUS_SESSION_BUS_ADDRESS=disabled:",
		"DBUS_SYSTEM_BUS_ADDRESS=disabled:",
	}
}

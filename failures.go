package savepage

import "slices"

// Failure is a value of fail_on.
type Failure string

// The values of fail_on. FailOnWall is any wall; each of the others after it is one kind of wall.
const (
	FailOn4xx       Failure = "4xx"
	FailOn5xx       Failure = "5xx"
	FailOnBlank     Failure = "blank"
	FailOnRequest   Failure = "request_failed"
	FailOnWall      Failure = "wall"
	FailOnCaptcha   Failure = Failure(WallCaptcha)
	FailOnChallenge Failure = Failure(WallChallenge)
	FailOnLogin     Failure = Failure(WallLogin)
	FailOnConsent   Failure = Failure(WallConsent)
	FailOnErrorPage Failure = Failure(WallErrorPage)
)

// Failures lists every value of fail_on.
func Failures() []Failure {
	return []Failure{
		FailOn4xx, FailOn5xx, FailOnBlank, FailOnRequest, FailOnWall,
		FailOnCaptcha, FailOnChallenge, FailOnLogin, FailOnConsent, FailOnErrorPage,
	}
}

// Wall is what stands in the place of the page that was asked for.
type Wall string

// The walls.
const (
	WallNone      Wall = "none"       // none that is known
	WallCaptcha   Wall = "captcha"    // the reader is to show that they are human, by a task or a click
	WallChallenge Wall = "challenge"  // the site checks the browser before it shows the page
	WallLogin     Wall = "login"      // the page asks for a user and a password, and shows little else
	WallConsent   Wall = "consent"    // a question about cookies or data covers the page
	WallErrorPage Wall = "error_page" // the site says that there is no such page, or that it failed
)

// Walls lists every wall.
func Walls() []Wall {
	return []Wall{WallNone, WallCaptcha, WallChallenge, WallLogin, WallConsent, WallErrorPage}
}

// FailsOn reports whether a wall ends a capture as failed.
func (o Options) FailsOn(w Wall) bool {
	return w != WallNone && w != "" && (slices.Contains(o.FailOn, FailOnWall) || slices.Contains(o.FailOn, Failure(w)))
}

package truth

import (
	"fmt"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/testsite"
)

// clean are pages with what nobody wants in a picture.
func clean() []Case {
	return append(banners(), unwanted()...)
}

// Bands that the pages give to what is to be gone, or to stay.
const (
	bannerBand = 901
	dimBand    = 902
	barBand    = 903
	recipeBand = 904
	framedBand = 905
)

func banners() []Case {
	block, whole := savepage.Options{BlockCookieBanners: true}, savepage.Options{BlockCookieBanners: true, Fullpage: true}
	gone := func(more ...Check) []Check {
		return append(more, Never("banner", testsite.BandColor(bannerBand)), Never("dimmed page", testsite.BandColor(dimBand)))
	}
	return []Case{
		{
			Name: "OneTrust banner that locks the page", Path: "/consent-onetrust", Options: whole,
			Checks: gone(Size(1440, 2000), Bands(0, 0, 2000), Banner(savepage.BannerRejected, "Onetrust")),
		},
		{
			Name: "OneTrust banner that nobody wants gone", Path: "/consent-onetrust",
			Checks: []Check{Spot("the banner", 700, 890, testsite.BandColor(bannerBand))},
		},
		{
			Name: "Cookiebot dialog", Path: "/consent-cookiebot", Options: block,
			Checks: gone(Bands(0, 0, 900), Banner(savepage.BannerRejected, "Cybotcookiebot")),
		},
		{
			Name: "Sourcepoint message in a frame of another site", Path: "/consent-sourcepoint", Options: whole,
			Checks: gone(Size(1440, 2000), Bands(0, 0, 2000), Banner(savepage.BannerRejected, "Sourcepoint-frame")),
		},
		{
			Name: "banner of the site's own with a rejection", Path: "/consent-own", Options: block,
			Checks: gone(Bands(0, 0, 900), Banner(savepage.BannerRejected, "")),
		},
		{
			Name: "banner that comes when the page is scrolled", Path: "/consent-own?on=scroll&bands=20", Options: whole,
			Checks: gone(Size(1440, 2000), Bands(0, 0, 2000), Banner(savepage.BannerRejected, "")),
		},
		{
			Name: "banner that only accepts", Path: "/consent-accept", Options: whole,
			Checks: gone(Size(1440, 2000), Bands(0, 0, 2000), Banner(savepage.BannerHidden, "")),
		},
		{
			Name: "cookies to eat", Path: "/consent-none", Options: block,
			Checks: []Check{
				Fill("the bar", Box{600, 0, 800, 60}, testsite.BandColor(barBand)),
				Fill("the recipe", Box{900, 60, 500, 240}, testsite.BandColor(recipeBand)),
				Fill("the first band", Box{0, 300, 1440, 100}, testsite.BandColor(0)),
				Banner(savepage.BannerNone, ""),
			},
		},
	}
}

func unwanted() []Case {
	ad, band := testsite.PictureColor(31), testsite.BandColor
	return []Case{
		{
			Name: "advertisements by path, in pictures, frames and scripts", Path: "/ads",
			Options: savepage.Options{BlockAds: true, BlockTrackers: true},
			Checks: []Check{
				Bands(0, 0, 400), Pictures(Seat{160, 520, 33}), Fill("the band after a picture that came late", Box{0, 640, 1440, 100}, band(4)),
				Never("picture of an advertisement", ad), Never("frame of an advertisement", band(framedBand)),
				Never("box of a script", band(dimBand)), Names("blocked: http"),
			},
		},
		{
			Name: "advertisements that nobody wants gone", Path: "/ads",
			Checks: []Check{
				Spot("the picture", 364, 150, ad), Spot("the frame", 600, 450, band(framedBand)), Spot("the box", 700, 890, band(dimBand)),
			},
		},
		{
			Name: "chat buttons", Path: "/chats", Options: savepage.Options{BlockChats: true},
			Checks: []Check{Bands(0, 0, 900)},
		},
		{
			Name: "chat buttons that nobody wants gone", Path: "/chats",
			Checks: []Check{
				Spot("the first", 1390, 850, band(bannerBand)),
				Spot("the second", 1390, 770, band(bannerBand)),
				Spot("the third", 1390, 690, band(bannerBand)),
			},
		},
	}
}

// Banner wants the report to say what became of the cookie banner, and whose it was. The tool of a banner that the site made
// itself is empty.
func Banner(outcome savepage.BannerOutcome, tool string) Check {
	return Report(fmt.Sprintf("banner is %s", outcome), func(r savepage.Report) string {
		if r.CookieBanner == nil {
			return "it says nothing of a banner"
		}
		return differ(*r.CookieBanner, savepage.BannerReport{Outcome: outcome, Tool: tool})
	})
}

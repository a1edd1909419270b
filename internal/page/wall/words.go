package wall

import (
	"regexp"
	"strings"
	"sync"
)

// words makes one expression of several, which are searched for whatever their case.
func words(list ...string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)(?:` + strings.Join(list, `|`) + `)`)
	})
}

// challengers are addresses that pages load which check the browser. Some of them ordinary pages load too: a page must show next
// to nothing besides.
var challengers = words(
	`/cdn-cgi/challenge-platform/.*orchestrate`, `captcha-delivery\.com/`, `captcha\.px-(?:cdn|cloud)\.net/`, `/_Incapsula_Resource`,
	`\.awswaf\.com/`, `/\.well-known/ddos-guard/`, `/\.within\.website/x/cmd/anubis/`, `/\.well-known/vercel/security/`,
	`/149e9513-01fa-4fb0-aad4-566afd725d1b/`, `/_sec/cp_challenge/`,
)

// captchaHosts are addresses of frames that show a task.
var captchaHosts = words(
	`hcaptcha\.com`, `google\.[a-z.]+/recaptcha`, `recaptcha\.net/`, `challenges\.cloudflare\.com`, `arkoselabs\.com`, `funcaptcha\.com`,
	`geetest\.`, `captcha-delivery\.com`, `smartcaptcha`, `friendlycaptcha`, `mtcaptcha`, `perimeterx`, `\bpx-(?:cdn|cloud)\.net`,
	`turing\.captcha`, `/captcha\b`, `captcha\.`, `\.awswaf\.com`,
)

// challengeTitles are titles and headings of pages that check the browser.
var challengeTitles = words(
	`^just a moment`, `^checking your browser`, `^attention required`, `^ddos protection`, `security check(?:point)?\b`,
	`verif(?:y|ying) (?:that )?you(?:'re|’re| are) (?:a )?human`, `making sure you(?:'re|’re| are) not a bot`,
	`are you (?:a )?(?:human|robot)`,
	`bot (?:verification|check|challenge)`, `^(?:client|browser) challenge`, `^nur einen moment`, `^einen moment`, `^un instant`,
	`^u[nm] moment[o]`, `^een moment`, `^ett ögonblick`, `^chwileczkę`, `^один момент`, `^请稍候`, `^しばらくお待ち`, `^잠시만`,
	`human verification`, `robot or human`, `pardon our interruption`,
)

// challengeWords are what such pages say.
var challengeWords = words(
	`checking (?:if the site connection is secure|your browser)`,
	`verif(?:y|ying) (?:that )?you(?:'re|’re| are) (?:a )?(?:human|not a (?:ro)?bot)`,
	`not a (?:ro)?bot`, `enable javascript and cookies to continue`, `review the security of your connection`, `ddos protection`,
	`unusual traffic`, `automated (?:requests|queries|traffic)`, `ungewöhnlichen datenverkehr`, `kein roboter`, `überprüfen.{0,40}browser`,
	`trafi[c] (?:exceptionnel|inhabituel)`, `vérif.{0,40}(?:humain|navigateur|robot)`, `tráfico inusual`, `no eres un robot`,
	`non sei un robot`, `verific.{0,40}(?:umano|humano|navegador|browser)`, `tráfego incomum`, `не робот`, `проверк.{0,20}браузер`,
	`ロボットではない`, `机器人`, `人机验证`, `로봇이 아님`,
)

// captchaWords are what captchas say.
var captchaWords = words(
	`captcha`, `not a robot`, `(?:enter|type|solve).{0,40}(?:characters|letters|code|image|picture|puzzle)`, `characters you see`,
	`prove (?:that )?you(?:'re|’re| are) (?:a )?human`, `zeichen.{0,40}(?:bild|eingeben)`, `kein roboter`, `caractères.{0,40}image`,
	`caracteres.{0,40}imagen`,
	`caratteri.{0,40}immagine`, `символы`, `验证码`, `文字を入力`, `보안 ?문자`,
)

// loginWords are titles and headings of pages that ask who the reader is.
var loginWords = words(
	`\b(?:log|sign)[ -]?(?:in|on)\b`, `\blogin\b`, `\bsignin\b`, `welcome back`, `enter your password`, `authentication required`,
	`\banmeld(?:en|ung)\b`, `\beinloggen\b`, `se connecter`, `\bconnexion\b`, `s['’]identifier`, `\bidentification\b`,
	`iniciar sesi[oó]n`, `\binicia sesi[oó]n`, `\bacceder\b`, `\baccedi\b`, `\baccesso\b`, `fazer login`, `iniciar sess[aã]o`, `\bentrar\b`,
	`\binloggen\b`, `\baanmelden\b`, `logga in`, `log ind`, `logg inn`, `kirjaudu`, `zaloguj`, `logowanie`, `přihlá`, `войти`, `^вход`,
	`увійти`, `giriş yap`, `oturum aç`, `ログイン`, `サインイン`, `登录`, `登錄`, `登入`, `로그인`, `تسجيل الدخول`, `התחבר`,
)

// providers are other sites that buttons of a login lead to.
var providers = words(
	`(?:with|mit|avec|con|com|med|через|で|使用).{0,20}(?:google|apple|microsoft|facebook|github|gitlab|okta|sso|saml)`,
	`single sign[ -]?on`, `\bsso\b`,
)

// consentWords are what questions about consent have.
var consentWords = words(
	`\bcookies?\b`, `\bconsent\b`, `\bgdpr\b`, `\bccpa\b`, `we value your privacy`, `your privacy`, `before you continue`,
	`privacy (?:choices|settings|preferences)`,
	`einwillig`, `zustimm`, `datenschutz`, `privatsphäre`, `bevor sie fortfahren`, `consentement`, `vie privée`, `données personnelles`,
	`avant de continuer`, `consentimiento`, `privacidad`, `antes de continuar`, `consenso`, `privacidade`, `consentimento`, `toestemming`,
	`samtycke`, `samtykke`, `evästee`, `ciasteczk`, `prywatnoś`, `soukrom`, `файлы cookie`, `конфиденциальн`, `クッキー`, `プライバシー`,
	`隐私`, `쿠키`, `개인정보`, `çerez`,
)

// acceptWords are on buttons that accept.
var acceptWords = words(
	`\baccept`, `\bagree`, `\ballow`, `\bconsent\b`, `got it`, `^ok(?:ay)?$`, `^yes\b`, `i understand`, `akzeptier`, `zustimm`,
	`einverstanden`, `annehmen`,
	`alle cookies`, `accepte`, `autoriser`, `d['’]accord`, `acept`, `accett`, `aceit`, `concord`, `akkoord`, `accepteer`, `akceptuj`,
	`zgadzam`,
	`godkänn`, `acceptera`, `godta`, `tillad`, `hyväksy`, `přijm`, `souhlas`, `принять`, `соглас`, `同意`, `接受`, `许可`, `동의`, `kabul`,
)

// rejectWords are on buttons that reject.
var rejectWords = words(
	`\breject`, `\bdecline`, `\brefuse`, `\bdeny\b`, `only (?:necessary|essential)`, `(?:necessary|essential) only`, `more options`,
	`manage`, `settings`,
	`ablehn`, `verweiger`, `einstellung`, `nur notwendige`, `refuser`, `paramétr`, `continuer sans`, `rechaz`, `configur`, `rifiut`,
	`recus`, `rejeit`,
	`weiger`, `odrzuć`, `avvisa`, `neka`, `afvis`, `avslå`, `hylkää`, `odmít`, `отклон`, `拒否`, `拒绝`, `거부`, `reddet`,
)

// consentFrames are titles, names and addresses of frames that ask for consent.
var consentFrames = words(`consent`, `privacy`, `cookie`, `\bgdpr\b`, `\bcmp\b`, `sp_message`, `einwilligung`)

// errorWords are titles and headings of pages that say that they are none.
var errorWords = words(
	`^(?:error|http|status|fehler|erreur|ошибка)?[ :#-]*(?:40[0134]|410|50[0234])(?:$|[ :|·•,.!–—-]+(?:$|`+
		`error|not|page|file|forbidden|unauthor|bad|internal|service|gateway|server|access|oops|seite|fehler|nicht|erreur|no |`+
		`p[aá]gina|pagina|страница|ошибка|ページ))`,
	`^(?:the |this |sorry,? |oops!? )*page (?:could not be found|cannot be found|can['’]t be found|not found|`+
		`isn['’]t available|is not available|does not exist|doesn['’]t exist)`,
	`\b(?:page|404) not found\b`, `^not found$`, `^(?:internal )?server error`, `^bad gateway`, `^service (?:temporarily )?unavailable`,
	`^gateway time-?out`,
	`^(?:access denied|forbidden|access to this page has been denied)$`, `seite (?:wurde )?nicht gefunden`,
	`page (?:introuvable|non trouvée)`, `p[aá]gina no (?:encontrada|existe)`,
	`pagina non trovata`, `página não encontrada`, `pagina niet gevonden`, `strona nie (?:została )?znaleziona|nie znaleziono strony`,
	`sidan (?:kunde inte hittas|hittades inte)`, `siden (?:blev ikke fundet|ble ikke funnet)`, `sivua ei löyt`, `stránka nenalezena`,
	`страница не найдена`,
	`сторінку не знайдено`, `sayfa bulunamadı`, `ページが見つかりません`, `(?:页面|网页)(?:不存在|未找到|找不到)`, `找不到(?:页面|網頁|頁面)`, `페이지를 찾을 수 없`,
)

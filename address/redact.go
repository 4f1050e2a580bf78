package address

import (
	"regexp"
	"strings"
)

// hidden takes the place of a secret.
const hidden = "***"

// What may hold a secret. All of it rather hides too much than too little: a password may hold any
// sign that ends one.
var (
	// userInfo is what may stand before a host: a user's name, a colon and the beginning of the
	// password, or a host and a port.
	userInfo = regexp.MustCompile(`://[^:/?#@\s]*:`)
	port     = regexp.MustCompile(`^(?:\d{1,5}(?:,[\w.:,[\]-]*)?(?:[/?\s"']|:\s|$)|\s)`)
	oracle   = regexp.MustCompile(`(?i)(jdbc:oracle:[a-z0-9]*:[^/@\s]*)/[^\n]*@`)
	// secretName is the name of a parameter whose value is a secret.
	secretName = regexp.MustCompile(`(?i)^[\w.-]*(?:passw|passphrase|pwd|secret|token|credential|access[-_]?key)[\w.-]*$`)
	paramName  = regexp.MustCompile(`^[A-Za-z][\w.-]*$`)
	param      = regexp.MustCompile(`(^|[?&;,({\s"'])([A-Za-z][\w.-]*)=`)
	ednSecret  = regexp.MustCompile(`(?i)(:[a-z./-]*(?:passw|pwd|secret|token|credential|access-key)[a-z./-]*[\s,]*)"(?:[^"\\]|\\.)*"?`)
)

// Redact returns text with the secrets in its addresses replaced by three asterisks.
func Redact(text string) string {
	text = redactClients(text)
	text = redactUserInfo(text)
	text = oracle.ReplaceAllString(text, "$1/"+hidden+"@")
	text = redactParams(text)
	return ednSecret.ReplaceAllString(text, `$1"`+hidden+`"`)
}

// redactUserInfo hides what stands between a user's name and the last @ of the line.
func redactUserInfo(text string) string {
	var b strings.Builder
	for {
		at := userInfo.FindStringIndex(text)
		if at == nil {
			return b.String() + text
		}
		b.WriteString(text[:at[1]])
		text = text[at[1]:]
		line, _, _ := strings.Cut(text, "\n")
		end := strings.LastIndexByte(line, '@')
		switch {
		case strings.HasPrefix(text, hidden+"@"), port.MatchString(text):
		case end >= 0:
			b.WriteString(hidden)
			text = text[end:]
		}
	}
}

// redactParams hides the values of parameters whose names tell of secrets.
func redactParams(text string) string {
	var b strings.Builder
	for {
		at := nextSecret(text)
		if at < 0 {
			return b.String() + text
		}
		b.WriteString(text[:at])
		text = text[at:]
		if !isHidden(text) {
			b.WriteString(hidden)
			text = text[valueEnd(text):]
		}
	}
}

// nextSecret returns where the value of the next secret parameter begins, -1 where there is none.
func nextSecret(text string) int {
	for from := 0; ; {
		m := param.FindStringSubmatchIndex(text[from:])
		if m == nil {
			return -1
		}
		if secretName.MatchString(text[from+m[4] : from+m[5]]) {
			return from + m[1]
		}
		from += m[1] - 1
	}
}

// isHidden reports whether a value has been replaced already, or left out in what to try.
func isHidden(text string) bool {
	rest, ok := strings.CutPrefix(text, hidden)
	if !ok {
		rest, ok = strings.CutPrefix(text, "…")
	}
	return ok && (rest == "" || strings.ContainsRune("&;:,)}\"' \n", rune(rest[0])))
}

// valueEnd returns where a secret value ends: before another parameter, a quotation mark or the line's
// end.
func valueEnd(text string) int {
	for i := range len(text) {
		switch text[i] {
		case '"', '\n':
			return i
		case '&', ';':
			if m := param.FindStringIndex(text[i:]); m != nil && m[0] == 0 {
				return i
			}
		}
	}
	return len(text)
}

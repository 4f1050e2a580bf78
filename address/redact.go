package address

import "regexp"

// What hides passwords, each with the text that takes their place. All of them rather hide too
// much than too little: a password may hold any sign that ends one.
var secrets = []struct {
	re   *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`(://[^:/?#@\s]*):[^\n]*@`), `$1:***@`},
	{regexp.MustCompile(`(?i)((?:^|[?&;\s"])[a-z_-]*(?:password|passwd|pwd|secret|token|secret_key|access-key)=)[^&;"\n]*`), `$1***`},
	{regexp.MustCompile(`(?i)(:[a-z./-]*(?:password|secret|token|access-key)\s+)"(?:[^"\\]|\\.)*"?`), `$1"***"`},
}

// Redact returns text with the passwords in its addresses replaced by three asterisks.
func Redact(text string) string {
	for _, s := range secrets {
		text = s.re.ReplaceAllString(text, s.with)
	}
	return text
}

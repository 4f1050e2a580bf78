package edn

import (
	"bytes"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"dclone"
)

// maxNumber is the length of the longest number that is read: what that takes grows faster than
// the length.
const maxNumber = 1 << 19

// maxExponent is beyond the exponent of any decimal, whose scale is an int32.
const maxExponent = 1 << 33

// The forms of numbers: hexadecimal, octal, with a radix, decimal; and what has a point, an
// exponent or an M.
var (
	integerForm = regexp.MustCompile(
		`^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]+)|([1-9][0-9]?)[rR]([0-9a-zA-Z]+)|(0|[1-9][0-9]*))(N?)$`)
	floatForm = regexp.MustCompile(`^([-+]?[0-9]+)(\.[0-9]*)?(?:[eE]([-+]?[0-9]+))?(M?)$`)
	ratioForm = regexp.MustCompile(`^[-+]?[0-9]+/[0-9]+$`)
)

// parseNumber reads a number, or says what is wrong with it.
func parseNumber(token string) (v any, problem string) {
	if len(token) > maxNumber {
		return nil, "number is too long"
	}
	if m := integerForm.FindStringSubmatch(token); m != nil {
		return parseInteger(m)
	}
	m := floatForm.FindStringSubmatch(token)
	switch {
	case m == nil && ratioForm.MatchString(token):
		return nil, "ratios are not EDN"
	case m == nil:
		return nil, "not a number"
	case m[4] == "M":
		return parseDecimal(m[1], strings.TrimPrefix(m[2], "."), m[3])
	case m[2] == "" && m[3] == "":
		return nil, "an integer that begins with 0 is octal"
	}
	return parseFloat(token)
}

// parseInteger takes the submatches of integerForm.
func parseInteger(m []string) (any, string) {
	sign, isBig := m[1], m[7] == "N"
	digits, base := m[6], 10
	switch {
	case m[2] != "":
		digits, base = m[2], 16
	case m[3] != "":
		digits, base = m[3], 8
	case m[5] != "":
		digits = m[5]
		base, _ = strconv.Atoi(m[4])
		if base < 2 || base > 36 {
			return nil, "radix is not within 2 and 36"
		}
	}
	if !isBig {
		if n, err := strconv.ParseInt(sign+digits, base, 64); err == nil {
			return n, ""
		}
	}
	z, ok := new(big.Int).SetString(sign+digits, base)
	if !ok {
		return nil, "a digit is not of the radix"
	}
	return z, ""
}

func parseFloat(token string) (any, string) {
	f, err := strconv.ParseFloat(token, 64)
	if err != nil {
		return nil, "number is too large for a float"
	}
	return f, ""
}

func parseDecimal(whole, fraction, exponent string) (any, string) {
	var exp int64
	if exponent != "" {
		var err error
		if exp, err = strconv.ParseInt(exponent, 10, 64); err != nil {
			return nil, "exponent is too large"
		}
	}
	scale := int64(len(fraction)) - exp
	if exp < -maxExponent || exp > maxExponent || scale != int64(int32(scale)) {
		return nil, "exponent is too large"
	}
	unscaled, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		return nil, "not a number"
	}
	return dclone.Decimal{Unscaled: unscaled, Scale: int32(scale)}, ""
}

// appendFloat prints f as Java's Double.toString does, which always leaves a point in it.
func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "##NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "##Inf"...)
	case math.IsInf(f, -1):
		return append(dst, "##-Inf"...)
	}
	start := len(dst)
	if abs := math.Abs(f); abs == 0 || abs >= 1e-3 && abs < 1e7 {
		dst = strconv.AppendFloat(dst, f, 'f', -1, bits)
		if bytes.IndexByte(dst[start:], '.') < 0 {
			dst = append(dst, ".0"...)
		}
		return dst
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, bits), "e")
	if !strings.Contains(mantissa, ".") { // of two digits, Java takes the nearest: 4.9E-324
		mantissa, exponent, _ = strings.Cut(strconv.FormatFloat(f, 'e', 1, bits), "e")
	}
	exp, _ := strconv.Atoi(exponent)
	dst = append(append(dst, mantissa...), 'E')
	return strconv.AppendInt(dst, int64(exp), 10)
}

// appendDecimal prints d as Java's BigDecimal.toString does, and an M.
func appendDecimal(dst []byte, d dclone.Decimal) []byte {
	digits := "0"
	if d.Unscaled != nil {
		digits = d.Unscaled.String()
	}
	if digits[0] == '-' {
		dst, digits = append(dst, '-'), digits[1:]
	}
	exponent := int64(len(digits)-1) - int64(d.Scale) // of the first digit
	if d.Scale >= 0 && exponent >= -6 {
		return append(appendPlain(dst, digits, int(d.Scale)), 'M')
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	if exponent != 0 {
		dst = append(dst, 'E')
		if exponent > 0 {
			dst = append(dst, '+')
		}
		dst = strconv.AppendInt(dst, exponent, 10)
	}
	return append(dst, 'M')
}

// appendPlain puts a point before the last scale digits.
func appendPlain(dst []byte, digits string, scale int) []byte {
	if scale == 0 {
		return append(dst, digits...)
	}
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - scale
	dst = append(dst, digits[:point]...)
	dst = append(dst, '.')
	return append(dst, digits[point:]...)
}

// stripZeros returns the decimal of the same value that has the shortest unscaled part.
func stripZeros(d dclone.Decimal) dclone.Decimal {
	if d.Unscaled == nil || d.Unscaled.Sign() == 0 {
		return dclone.Decimal{}
	}
	digits := d.Unscaled.String()
	stripped := strings.TrimRight(digits, "0")
	room := int64(d.Scale) - math.MinInt32
	n := min(int64(len(digits)-len(stripped)), room)
	unscaled, _ := new(big.Int).SetString(digits[:len(digits)-int(n)], 10)
	return dclone.Decimal{Unscaled: unscaled, Scale: int32(int64(d.Scale) - n)}
}

package edn

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"dclone"
)

const (
	msPerSecond = 1000
	msPerMinute = 60 * msPerSecond
	msPerHour   = 60 * msPerMinute
	msPerDay    = 24 * msPerHour
)

// instForm is RFC 3339's date and time, any tail of it missing, the offset always optional; and
// years with a sign.
var instForm = regexp.MustCompile(
	`^(\d{4}|[-+]\d{4,9})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?)?)?)?` +
		`(?:Z|([-+])(\d\d):(\d\d))?$`)

func readInst(text string) (any, string) {
	m := instForm.FindStringSubmatch(text)
	if m == nil {
		return nil, "not of the form 2006-01-02T15:04:05.000-00:00"
	}
	year := number(m[1], 0)
	month, day := number(m[2], 1), number(m[3], 1)
	hour, minute, second := number(m[4], 0), number(m[5], 0), number(m[6], 0)
	milli := number((m[7] + "000")[:3], 0)
	offset := number(m[9], 0)*msPerHour + number(m[10], 0)*msPerMinute
	lastSecond := int64(59)
	if minute == 59 {
		lastSecond = 60 // a leap second, which is the first of the next minute
	}
	switch {
	case month < 1 || month > 12:
		return nil, "no such month"
	case day < 1 || day > daysIn(year, month):
		return nil, "no such day"
	case hour > 23 || minute > 59 || second > lastSecond:
		return nil, "no such time of day"
	case offset >= msPerDay || number(m[10], 0) > 59:
		return nil, "no such offset"
	}
	if m[8] == "-" {
		offset = -offset
	}
	ms := hour*msPerHour + minute*msPerMinute + second*msPerSecond + milli - offset
	day = dayNumber(year, month, day) + floorDiv(ms, msPerDay)
	i := day*msPerDay + floorMod(ms, msPerDay)
	if floorDiv(i, msPerDay) != day {
		return nil, "year is out of range"
	}
	return dclone.Instant(i), ""
}

// number reads digits with or without sign; without digits it is otherwise.
func number(digits string, otherwise int64) int64 {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}

// appendInst prints i with its tag.
func appendInst(dst []byte, i dclone.Instant) []byte {
	day, ms := floorDiv(int64(i), msPerDay), floorMod(int64(i), msPerDay)
	year, month, dayOfMonth := date(day)
	dst = append(dst, `#inst "`...)
	if year >= 0 && year <= 9999 {
		dst = fmt.Appendf(dst, "%04d", year)
	} else {
		dst = fmt.Appendf(dst, "%+05d", year)
	}
	return fmt.Appendf(dst, `-%02d-%02dT%02d:%02d:%02d.%03d-00:00"`, month, dayOfMonth,
		ms/msPerHour, ms/msPerMinute%60, ms/msPerSecond%60, ms%msPerSecond)
}

// firstGregorian is the number of the day 1582-10-15.
const firstGregorian = -141427

// The numbers of 0000-03-01 in either calendar. Years are counted from March here, so that a leap
// day is the last of its year.
const (
	gregorianEpoch = -719468
	julianEpoch    = -719470
)

// dayNumber counts the days from 1970-01-01 to a date.
func dayNumber(year, month, day int64) int64 {
	y, m := year, month-3
	if m < 0 {
		y, m = y-1, m+12
	}
	n := 365*y + floorDiv(y, 4) + (153*m+2)/5 + day - 1
	if g := n - floorDiv(y, 100) + floorDiv(y, 400) + gregorianEpoch; g >= firstGregorian {
		return g
	}
	return n + julianEpoch
}

// date is the inverse of dayNumber.
func date(number int64) (year, month, day int64) {
	if number >= firstGregorian {
		y, m, d := time.Unix(number*(msPerDay/msPerSecond), 0).UTC().Date()
		return int64(y), int64(m), int64(d)
	}
	n := number - julianEpoch
	y := floorDiv(4*n+3, 1461)
	n -= 365*y + floorDiv(y, 4)
	m := (5*n + 2) / 153
	day = n - (153*m+2)/5 + 1
	if m += 3; m > 12 {
		y, m = y+1, m-12
	}
	return y, m, day
}

func daysIn(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0 || year < 1582) {
			return 29
		}
		return 28
	}
	return 31
}

func floorDiv(a, b int64) int64 {
	if a%b < 0 {
		return a/b - 1
	}
	return a / b
}

func floorMod(a, b int64) int64 { return (a%b + b) % b }

package present

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// maxFields bounds what one line is taken apart into.
const maxFields = 200

// Detail shapes all that is known of one line.
func (r *LogRows) Detail(l engine.LogLine) view.LogDetail {
	message, fields := logFields(l.Text)
	d := view.LogDetail{
		ID: "d-" + logPlace(l), Href: r.link(l), At: r.clock.Exact(l.At), Message: visible(message), Copy: LogText(l),
		Source: l.Service + " on " + l.Host, Level: l.Level, Component: visible(l.Component), Module: visible(l.Module), File: visible(l.File),
		Position: strconv.FormatInt(l.Offset, 10),
	}
	around := LogForm{Query: engine.LogQuery{Services: r.form.Query.Services, Hosts: r.form.Query.Hosts}, OneLine: r.form.OneLine}
	for _, f := range fields {
		v := view.LogField{Name: visible(f.name), Value: visible(f.value), Block: strings.Contains(f.value, "\n")}
		if len(f.search) <= 256 {
			find := around
			find.Query.Text = f.search
			v.Find = find.address("/logs")
		}
		if wholeDigest.MatchString(f.value) {
			v.Href = "/images/" + f.value
		}
		d.Fields = append(d.Fields, v)
	}
	return d
}

var wholeDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// LogText is the line as its file has it, with host and service, and fit to be
// looked at in a terminal.
func LogText(l engine.LogLine) string {
	level := strings.ToUpper(l.Level)
	if level == "" {
		level = "-"
	}
	return l.At.UTC().Format("2006-01-02 15:04:05.000-0700") + " [" + visible(l.Host) + "] [" + l.Service + "] [" + visible(l.Component) + "] [" +
		visible(l.Module) + "] [" + level + "] " + visible(l.Text)
}

// logField is a value with a name. search is the text by which a search finds
// it.
type logField struct{ name, value, search string }

// logFields takes a line apart: key=value behind a message, or a JSON object.
func logFields(text string) (message string, fields []logField) {
	if strings.HasPrefix(text, "{") {
		if fields := jsonFields(text); fields != nil {
			return "", fields
		}
	}
	message = text
	done := 0 // up to here text is taken apart
	for _, at := range logKey.FindAllStringIndex(text, -1) {
		if at[0] < done || inQuotes(text[done:at[0]]) || len(fields) == maxFields {
			continue
		}
		if len(fields) == 0 {
			message = text[:at[0]]
		}
		raw := text[at[1]:]
		value := raw
		if q, err := strconv.QuotedPrefix(raw); err == nil {
			raw = q
			value, _ = strconv.Unquote(q) // QuotedPrefix has read it
		} else if end := strings.IndexByte(raw, ' '); end >= 0 {
			raw, value = raw[:end], raw[:end]
		}
		name := text[at[0]+1 : at[1]-1]
		fields = append(fields, logField{name, pretty(value), name + "=" + raw})
		done = at[1] + len(raw)
	}
	return message, fields
}

// jsonFields are the members of an object, nil when text is none.
func jsonFields(text string) (fields []logField) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for d.More() && len(fields) < maxFields {
		name, err := d.Token()
		if err != nil {
			return nil
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil
		}
		value, plain := string(raw), ""
		if json.Unmarshal(raw, &plain) == nil && raw[0] == '"' {
			value = plain
		}
		fields = append(fields, logField{name.(string), pretty(value), string(raw)})
	}
	return slices.Clip(fields)
}

// pretty lays out a value that is JSON itself.
func pretty(value string) string {
	if !strings.HasPrefix(value, "{") && !strings.HasPrefix(value, "[") {
		return value
	}
	var b bytes.Buffer
	if json.Indent(&b, []byte(value), "", "  ") != nil {
		return value
	}
	return b.String()
}

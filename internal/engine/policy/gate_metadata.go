package policy

import (
	"fmt"
	"strconv"
	"strings"
)

func metadataGate() *gate {
	text := anyText()
	return &gate{
		name:  "metadata",
		about: "Looks at what the image is as a whole: size, architecture, distribution, layers.",
		triggers: []*trigger{{
			name:  "attribute",
			about: "Fires when an attribute of the image satisfies the check.",
			params: []param{
				{name: "attribute", about: "The attribute to look at.", example: "size", required: true,
					is: enum("size", "architecture", "os_type", "distro", "distro_version", "like_distro", "layer_count")},
				{name: "check", about: "How the attribute is compared with the value. Sizes and counts compare as numbers, the others as texts.", example: ">", required: true,
					is: enum("=", "!=", ">", "<", ">=", "<=", "exists", "not_exists", "like", "not_like", "in", "not_in")},
				{name: "value", about: "What to compare with. All checks but exists and not_exists need it. A size may have a unit: kb, mb, gb, tb.", example: "1073741824",
					is: linked("attribute", map[string]validator{
						"size":        shaped("A number of bytes, or of kb, mb, gb or tb.", `^([0-9]+)([kmgt]b)?$`),
						"layer_count": integer(),
					}, text)},
			},
			compile: compileMetadata,
		}},
	}
}

func compileMetadata(a args) (firing, error) {
	attribute, check, value := a["attribute"], a["check"], a["value"]
	numeric := attribute == "size" || attribute == "layer_count"
	say := func(emit func(hit), got string) {
		message := fmt.Sprintf("Attribute %s satisfies check %s: it is '%s'", attribute, check, got)
		if check != "exists" && check != "not_exists" {
			message = fmt.Sprintf("Attribute %s satisfies check %s with value '%s': it is '%s'", attribute, check, value, got)
		}
		emit(hit{message: message, why: Why{Record: attribute, Version: got, Against: value}})
	}
	switch check {
	case "exists", "not_exists":
		return func(c *context, emit func(hit)) error {
			got, there := attributeOf(c.image, attribute)
			if there == (check == "exists") {
				say(emit, got)
			}
			return nil
		}, nil
	}
	if value == "" {
		return silent, nil
	}
	if compare := orders[check]; numeric && compare != nil {
		want := bytesOf(value)
		return func(c *context, emit func(hit)) error {
			got, _ := attributeOf(c.image, attribute)
			n, _ := strconv.ParseInt(got, 10, 64)
			if compare(order(n, want)) {
				say(emit, got)
			}
			return nil
		}, nil
	}
	holds, err := comparison(check, value)
	return func(c *context, emit func(hit)) error {
		got, _ := attributeOf(c.image, attribute)
		ok, err := holds(c, got)
		if ok && err == nil {
			say(emit, got)
		}
		return err
	}, err
}

// attributeOf is an attribute as text and whether the image has it.
func attributeOf(img *Image, attribute string) (string, bool) {
	text := map[string]string{
		"architecture": img.Arch, "os_type": img.OS, "distro": img.Distro,
		"distro_version": img.DistroVersion, "like_distro": img.Like,
	}
	switch attribute {
	case "size":
		return strconv.FormatInt(img.Size, 10), true
	case "layer_count":
		return strconv.Itoa(img.Layers), true
	}
	return text[attribute], text[attribute] != ""
}

// orders are the comparisons of values that have an order, by the sign of the
// difference.
var orders = map[string]func(sign int) bool{
	"=":  func(s int) bool { return s == 0 },
	"!=": func(s int) bool { return s != 0 },
	"<":  func(s int) bool { return s < 0 },
	"<=": func(s int) bool { return s <= 0 },
	">":  func(s int) bool { return s > 0 },
	">=": func(s int) bool { return s >= 0 },
}

func order[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// bytesOf reads a number that may have a unit of 1024 to some power. One too
// large for any image stays the largest there is.
func bytesOf(v string) int64 {
	v = strings.TrimSpace(v)
	shift := 0
	for i, unit := range []string{"kb", "mb", "gb", "tb"} {
		if rest, ok := strings.CutSuffix(v, unit); ok {
			v, shift = rest, 10*(i+1)
		}
	}
	n := number(v)
	if n > (1<<63-1)>>shift {
		return 1<<63 - 1
	}
	return n << shift
}

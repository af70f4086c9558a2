package present

import (
	"strings"
	"testing"
)

func TestIndented(t *testing.T) {
	deep := strings.Repeat("[", 9000) + strings.Repeat("1,", 50_000) + "1" + strings.Repeat("]", 9000)
	for text, want := range map[string]string{
		`{"a":[1,{"b":"x,[{\"y"}],"c":{}}`: "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x,[{\\\"y\"\n    }\n  ],\n  \"c\": {}\n}",
		`{"a":`:                            `{"a":`,
		"":                                 "",
		deep:                               deep, // would be a gigabyte
	} {
		if got := string(indented([]byte(text))); got != want {
			t.Errorf("%.100s is %.100s, want %.100s", text, got, want)
		}
	}
	long := `{"rules":[` + strings.Repeat(`{"gate":"g","params":[]},`, 100_000) + `{}]}`
	if got := indented([]byte(long)); !strings.Contains(string(got), "\n      \"gate\": \"g\",\n") {
		t.Error("a large document is not indented")
	}
}

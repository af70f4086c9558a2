package store

import (
	"bytes"
	"errors"
	"testing"

	"windlass/internal/engine"
)

func TestPack(t *testing.T) {
	for name, tc := range map[string]struct {
		body     []byte
		encoding string
	}{
		"small stays as it is": {[]byte("{}"), ""},
		"empty":                {[]byte{}, ""},
		"long text shrinks":    {bytes.Repeat([]byte("abc "), 1000), "gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			packed, encoding := pack(tc.body)
			if encoding != tc.encoding || len(packed) > len(tc.body) {
				t.Errorf("%d bytes as %q, want %q", len(packed), encoding, tc.encoding)
			}
			if got, err := unpack(packed, encoding); err != nil || !bytes.Equal(got, tc.body) {
				t.Errorf("came back as %d bytes, %v", len(got), err)
			}
		})
	}
}

func TestUnpackIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("unpacks half a gigabyte")
	}
	bomb := compress(make([]byte, maxDocument+1))
	if _, err := unpack(bomb, "gzip"); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("unpack of a bomb of %d bytes: %v", len(bomb), err)
	}
	if _, err := unpack(nil, "zstd"); err == nil {
		t.Error("an unknown encoding is taken")
	}
}

package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// secretKey is the key that seals stored registry passwords: the configured
// one, or one made at the first start and kept in the data folder.
func secretKey(cfg Config) (key [32]byte, err error) {
	text, name := cfg.SecretKey.Reveal(), "CONSOLE_SECRET_KEY"
	if text == "" {
		name = filepath.Join(cfg.DataDir, "secret-key")
		raw, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			rand.Read(key[:])
			return key, os.WriteFile(name, []byte(hex.EncodeToString(key[:])+"\n"), 0o600)
		}
		if err != nil {
			return key, err
		}
		text = strings.TrimSpace(string(raw))
	}
	if n, err := hex.Decode(key[:], []byte(text)); err != nil || n != len(key) {
		return key, fmt.Errorf("%s: want 64 hex digits", name)
	}
	return key, nil
}

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"windlass/internal/engine"
)

// healthCmd asks a running console whether it is well.
type healthCmd struct {
	Addr string `name:"addr" env:"CONSOLE_ADDR" default:"127.0.0.1:8080" help:"Address of the console."`
}

func (h healthCmd) run(ctx context.Context) error {
	return call(ctx, http.MethodGet, "http://"+reach(h.Addr)+"/healthz", "", io.Discard)
}

// sampleCmd puts the sample into a running engine through its API.
type sampleCmd struct {
	APIAddr  string        `name:"api-addr" env:"CONSOLE_API_ADDR" default:"127.0.0.1:8228" help:"Address of the v1 API."`
	DataDir  string        `name:"data-dir" env:"CONSOLE_DATA_DIR" default:"./data" help:"Where the generated admin password is kept."`
	Password engine.Secret `name:"admin-password" env:"CONSOLE_ADMIN_PASSWORD" help:"Password of admin; empty: read from the data folder."`
	Remove   bool          `name:"remove" help:"Remove the sample images and the starter data."`
}

func (s sampleCmd) run(ctx context.Context, out io.Writer) error {
	password := s.Password.Reveal()
	if password == "" {
		raw, err := os.ReadFile(filepath.Join(s.DataDir, "admin-password"))
		if err != nil {
			return fmt.Errorf("the password of admin is not known here: set CONSOLE_ADMIN_PASSWORD (%w)", err)
		}
		password = strings.TrimSpace(string(raw))
	}
	method := http.MethodPost
	if s.Remove {
		method = http.MethodDelete
	}
	if err := call(ctx, method, "http://"+reach(s.APIAddr)+"/v1/console/sample", password, io.Discard); err != nil {
		return err
	}
	text := "The sample images are being analyzed against the starter data: see the Images page."
	if s.Remove {
		text = "The sample images and the starter data are removed."
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

// reach is the address to dial for one that was listened on.
func reach(addr string) string {
	for _, wild := range []string{"0.0.0.0:", "[::]:", ":"} {
		if port, ok := strings.CutPrefix(addr, wild); ok {
			return "127.0.0.1:" + port
		}
	}
	return addr
}

func call(ctx context.Context, method, url, password string, to io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return err
	}
	if password != "" {
		req.SetBasicAuth(engine.AdminAccount, password)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("is it running? %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 2000))
		return fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(text)))
	}
	_, err = io.Copy(to, resp.Body)
	return err
}

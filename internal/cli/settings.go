package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

const (
	defaultURL = "http://localhost:8228/v1"
	defaultHub = "https://hub.anchore.io/"
	maxConfig  = 1 << 20
)

// options are the global options as given.
type options struct {
	config, user, pass, url, hubURL, apiVersion, account string
	debug, insecure, json, version                       bool
}

func (o *options) register(f *pflag.FlagSet) {
	f.StringVar(&o.config, "config", "", "accepted and recorded; the file is chosen by ANCHORE_CLI_CONFIG alone")
	f.BoolVar(&o.debug, "debug", false, "log requests on the standard error (ANCHORE_CLI_DEBUG=y)")
	f.StringVar(&o.user, "u", "", "user name (ANCHORE_CLI_USER)")
	f.StringVar(&o.pass, "p", "", "password (ANCHORE_CLI_PASS)")
	f.StringVar(&o.url, "url", "", "address of the API (ANCHORE_CLI_URL), "+defaultURL+" without one")
	f.StringVar(&o.hubURL, "hub-url", "", "address of the policy hub (ANCHORE_CLI_HUB_URL), "+defaultHub+" without one")
	f.StringVar(&o.apiVersion, "api-version", "", "level of the API, in place of asking for it (ANCHORE_CLI_API_VERSION)")
	f.BoolVar(&o.insecure, "insecure", false, "accept any certificate (ANCHORE_CLI_SSL_VERIFY=n)")
	f.BoolVar(&o.json, "json", false, "print replies as JSON (ANCHORE_CLI_JSON=y)")
	f.StringVar(&o.account, "as-account", "", "act in another account (ANCHORE_CLI_ACCOUNT)")
	f.BoolVar(&o.version, "version", false, "print the version and exit")
}

// settings are what holds in the end.
type settings struct {
	user, pass, url, hubURL, apiVersion, account string
	hasUser, debug, verify, json                 bool
}

// resolve settles each setting: option, else credentials file, else
// environment, else default. That the file beats the environment is the
// original's order.
func (o *options) resolve(env func(string) (string, bool)) (settings, error) {
	file, err := credentials(env)
	if err != nil {
		return settings{}, err
	}
	pick := func(option, name, fallback string) string {
		if option != "" {
			return option
		}
		if v, ok := file["ANCHORE_CLI_"+name]; ok {
			return v
		}
		if v, ok := env("ANCHORE_CLI_" + name); ok && v != "" {
			return v
		}
		return fallback
	}
	yes := func(option bool, name string) bool {
		v, _ := env("ANCHORE_CLI_" + name)
		return option || strings.EqualFold(v, "y")
	}
	account, _ := env("ANCHORE_CLI_ACCOUNT")
	if o.account != "" {
		account = o.account
	}
	s := settings{
		user: pick(o.user, "USER", ""), pass: pick(o.pass, "PASS", ""),
		url: pick(o.url, "URL", defaultURL), hubURL: pick(o.hubURL, "HUB_URL", defaultHub),
		apiVersion: pick(o.apiVersion, "API_VERSION", ""), account: account,
		verify: !o.insecure && !strings.EqualFold(pick("", "SSL_VERIFY", "y"), "n"),
		debug:  yes(o.debug, "DEBUG"), json: yes(o.json, "JSON"),
	}
	s.url = strings.TrimSuffix(s.url, "/")
	s.hasUser = s.user != ""
	return s, nil
}

// inFile are the settings that the credentials file may hold.
var inFile = []string{"USER", "PASS", "URL", "HUB_URL", "API_VERSION", "SSL_VERIFY"}

// credentials reads the map "default" of the credentials file; no file is no
// settings.
func credentials(env func(string) (string, bool)) (map[string]string, error) {
	path, ok := env("ANCHORE_CLI_CONFIG")
	if !ok || path == "" {
		home, ok := env("HOME")
		if !ok {
			return nil, nil
		}
		path = filepath.Join(home, ".anchore", "credentials.yaml")
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("credentials file: %w", err)
	}
	defer f.Close()
	var doc struct {
		Default map[string]yaml.Node `yaml:"default"`
	}
	if err := yaml.NewDecoder(io.LimitReader(f, maxConfig)).Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("credentials file %s: %w", path, err)
	}
	found := map[string]string{}
	for _, name := range inFile {
		if n, ok := doc.Default["ANCHORE_CLI_"+name]; ok && n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
			found["ANCHORE_CLI_"+name] = n.Value
		}
	}
	return found, nil
}

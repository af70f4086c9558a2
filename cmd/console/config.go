package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/golang-jwt/jwt/v5"

	"windlass/internal/engine"
	"windlass/internal/engine/accounts"
	"windlass/internal/engine/bundles"
	"windlass/internal/engine/logs"
	"windlass/internal/engine/notify"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/search"
)

// Config is every setting, from the environment or from flags of the same
// names. The defaults are visible here and nowhere else.
type Config struct {
	Addr            string        `name:"addr" env:"CONSOLE_ADDR" default:"127.0.0.1:8080" help:"Address of the console."`
	APIAddr         string        `name:"api-addr" env:"CONSOLE_API_ADDR" default:"127.0.0.1:8228" help:"Address of the v1 API (service apiext)."`
	CatalogAddr     string        `name:"catalog-addr" env:"CONSOLE_CATALOG_ADDR" default:"127.0.0.1:8082" help:"Address of the service catalog."`
	QueueAddr       string        `name:"queue-addr" env:"CONSOLE_QUEUE_ADDR" default:"127.0.0.1:8083" help:"Address of the service simplequeue."`
	AnalyzerAddr    string        `name:"analyzer-addr" env:"CONSOLE_ANALYZER_ADDR" default:"127.0.0.1:8084" help:"Address of the service analyzer."`
	PolicyAddr      string        `name:"policy-addr" env:"CONSOLE_POLICY_ADDR" default:"127.0.0.1:8087" help:"Address of the service policy_engine."`
	DataDir         string        `name:"data-dir" env:"CONSOLE_DATA_DIR" default:"./data" help:"Built-in PostgreSQL, vulnerability database, logs, spool."`
	EngineURL       string        `name:"engine-url" env:"CONSOLE_ENGINE_URL" help:"Address of another engine of version 1 that the console drives; empty: the one within."`
	DatabaseURL     engine.Secret `name:"database-url" env:"CONSOLE_DATABASE_URL" help:"PostgreSQL 14 or newer; empty: the built-in one."`
	PostgresBin     string        `name:"postgres-bin" env:"CONSOLE_POSTGRES_BIN" help:"Folder with initdb and postgres for the built-in one."`
	LogDir          string        `name:"log-dir" env:"CONSOLE_LOG_DIR" help:"Folder of the services' logs; empty: DATA_DIR/log."`
	LogLevel        string        `name:"log-level" env:"CONSOLE_LOG_LEVEL" default:"info" help:"debug, info, warn or error."`
	AdminPassword   engine.Secret `name:"admin-password" env:"CONSOLE_ADMIN_PASSWORD" help:"Password of admin at the first start; empty: generated, printed and kept in DATA_DIR/admin-password."`
	SecretKey       engine.Secret `name:"secret-key" env:"CONSOLE_SECRET_KEY" help:"64 hex digits that seal stored registry passwords; empty: made once and kept in DATA_DIR/secret-key. Hosts of one engine share it."`
	Services        []string      `name:"services" env:"CONSOLE_SERVICES" help:"Services that this process runs; empty: all five."`
	Web             string        `name:"web" env:"CONSOLE_WEB" default:"on" help:"off: no console listener."`
	HostID          string        `name:"host-id" env:"CONSOLE_HOST_ID" help:"hostid in service records; empty: the host's name."`
	FeedsURL        string        `name:"feeds-url" env:"CONSOLE_FEEDS_URL" default:"https://grype.anchore.io/databases" help:"Base address that serves v6/latest.json and the archive it names."`
	FeedsInterval   time.Duration `name:"feeds-interval" env:"CONSOLE_FEEDS_INTERVAL" default:"6h" help:"Time between feed syncs; 0: never."`
	RegistryMirrors string        `name:"registry-mirrors" env:"CONSOLE_REGISTRY_MIRRORS" help:"docker.io=http://127.0.0.1:5001,... : mirrors to ask first."`
	Analyzers       int           `name:"analyzers" env:"CONSOLE_ANALYZERS" help:"Analyses at once in this process; 0: one a core, at most 4."`
	Attempts        int           `name:"analysis-attempts" env:"CONSOLE_ANALYSIS_ATTEMPTS" default:"5" help:"Attempts at one analysis whose cause of failure can pass, as a registry that does not answer; 1: no retries."`
	AnalysisMemory  int64         `name:"analysis-memory-mb" env:"CONSOLE_ANALYSIS_MEMORY_MB" default:"2048" help:"Memory that the process of one analysis may take before it is ended."`
	AnalysisTimeout time.Duration `name:"analysis-timeout" env:"CONSOLE_ANALYSIS_TIMEOUT" default:"1h" help:"Time that an analysis may take once its image is pulled."`
	AnalyzerConfig  string        `name:"analyzer-config" env:"CONSOLE_ANALYZER_CONFIG" help:"YAML file as v1's analyzer_config.yaml: files to keep and expressions to look for in every image; empty: /etc/passwd and the usual secrets."`
	ClamAVDB        string        `name:"clamav-db-dir" env:"CONSOLE_CLAMAV_DB_DIR,ANCHORE_CLAMAV_DB_DIR" help:"Folder of ClamAV's databases, for malware scans by clamscan and updates by freshclam; empty: ClamAV's own, also by clamdscan."`
	FreshclamConfig string        `name:"freshclam-config" env:"CONSOLE_FRESHCLAM_CONFIG,ANCHORE_FRESHCLAM_CONFIG_FILE" help:"Configuration of freshclam; empty: its own."`
	Hints           bool          `name:"hints" env:"CONSOLE_HINTS,ANCHORE_HINTS_ENABLED" help:"Images may name packages of theirs that cannot be found, in /anchore_hints.json."`
	ArchiveDryRun   bool          `name:"archive-dry-run" env:"CONSOLE_ARCHIVE_DRY_RUN,ANCHORE_ANALYSIS_ARCHIVE_DRYRUN_ENABLED" help:"The regular run of the archive rules only logs what it would do."`
	MaxImageSizeMB  int64         `name:"max-image-size-mb" env:"CONSOLE_MAX_IMAGE_SIZE_MB" default:"0" help:"Limit of an image's compressed layers; 0: none."`
	PolicyBundles   string        `name:"policy-bundles-dir" env:"CONSOLE_POLICY_BUNDLES_DIR" help:"Folder whose *.json are policy bundles that every new account gets beside the default one."`
	EvaluationCache bool          `name:"evaluation-cache" env:"CONSOLE_EVALUATION_CACHE,ANCHORE_POLICY_ENGINE_EVALUATION_CACHE_ENABLED" default:"true" negatable:"" help:"Checks answer with what is known while nothing has changed that the bundle looks at."`
	WebhooksFile    string        `name:"webhooks-file" env:"CONSOLE_WEBHOOKS_FILE" help:"YAML file with the section webhooks of a v1 configuration: where notifications go."`
	WebhookURL      engine.Secret `name:"webhook-url" env:"CONSOLE_WEBHOOK_URL" help:"Where all notifications go, as webhooks.general.url; the file goes before it."`
	WebhookTimeout  time.Duration `name:"webhook-timeout" env:"CONSOLE_WEBHOOK_TIMEOUT" default:"5s" help:"Time a receiver has to answer."`
	WebhookAllow    string        `name:"webhook-allow" env:"CONSOLE_WEBHOOK_ALLOW" help:"Hosts, addresses and networks beside the public network that webhooks made by accounts may reach, or all; those of the settings may reach any."`
	EventsNotify    string        `name:"events-notify" env:"CONSOLE_EVENTS_NOTIFY" help:"Levels of events that become notifications: off, all, error or info; true: error."`
	OAuth           string        `name:"oauth" env:"CONSOLE_OAUTH" default:"off" help:"on: clients may trade a password for a token at /oauth/token."`
	OAuthLifetime   time.Duration `name:"oauth-lifetime" env:"CONSOLE_OAUTH_LIFETIME" default:"1h" help:"How long such a token lasts."`
	OAuthKey        string        `name:"oauth-key" env:"CONSOLE_OAUTH_KEY" help:"File with the RSA private key (PEM) that signs them; empty: a secret kept in the database."`
	AuditKeep       time.Duration `name:"audit-keep" env:"CONSOLE_AUDIT_KEEP" default:"8760h" help:"How long the log of administrative actions goes back."`
	AWSAuto         string        `name:"aws-auto" env:"CONSOLE_AWS_AUTO" default:"off" help:"on: registries of AWS may be stored with the user awsauto, which reads them as this machine."`
	TagWatch        time.Duration `name:"tag-watch" env:"CONSOLE_TAG_WATCH" default:"10m" help:"Time between looks at the image of a subscribed tag, 5m to 168h; 0: never; with a minus any time is taken as it is."`
	RepoWatch       time.Duration `name:"repo-watch" env:"CONSOLE_REPO_WATCH" default:"1m" help:"Time between looks for new tags of a subscribed repository, 1m to 168h; 0: never; with a minus any time is taken as it is."`
	mirrors         map[string][]string
	search          *search.Settings
	oauth           accounts.OAuth
	policies        engine.PolicySet
	notify          notify.Settings
}

// finish fills in what depends on the host and checks every setting. All faults
// are reported together, each naming its setting.
func (c *Config) finish() error {
	var errs []error
	fault := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
	}
	for name, addr := range map[string]string{
		"CONSOLE_ADDR": c.Addr, "CONSOLE_API_ADDR": c.APIAddr, "CONSOLE_CATALOG_ADDR": c.CatalogAddr,
		"CONSOLE_QUEUE_ADDR": c.QueueAddr, "CONSOLE_ANALYZER_ADDR": c.AnalyzerAddr, "CONSOLE_POLICY_ADDR": c.PolicyAddr,
	} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			fault(name, "%q is no address: want host:port, such as 127.0.0.1:8080", addr)
		}
	}
	if u, err := url.Parse(c.FeedsURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		fault("CONSOLE_FEEDS_URL", "%q is no http or https address", c.FeedsURL)
	}
	if c.DatabaseURL != "" && !strings.Contains(c.DatabaseURL.Reveal(), "=") {
		if u, err := url.Parse(c.DatabaseURL.Reveal()); err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
			fault("CONSOLE_DATABASE_URL", "want postgres://user:password@host:port/name")
		}
	}
	c.checkEngine(fault)
	for _, name := range c.Services {
		if !slices.Contains(engine.ServiceNames, name) {
			fault("CONSOLE_SERVICES", "%q is not a service: want any of %s", name, strings.Join(engine.ServiceNames, ", "))
		}
	}
	if len(c.Services) == 0 {
		c.Services = engine.ServiceNames
	}
	if c.Web != "on" && c.Web != "off" {
		fault("CONSOLE_WEB", "%q is neither on nor off", c.Web)
	}
	if c.AWSAuto != "on" && c.AWSAuto != "off" {
		fault("CONSOLE_AWS_AUTO", "%q is neither on nor off", c.AWSAuto)
	}
	if c.FeedsInterval < 0 || c.FeedsInterval > 0 && c.FeedsInterval < time.Minute {
		fault("CONSOLE_FEEDS_INTERVAL", "%v is out of range: want 0 or at least 1m", c.FeedsInterval)
	}
	if c.Analyzers < 0 || c.Analyzers > 64 {
		fault("CONSOLE_ANALYZERS", "%d is out of range: want 0 to 64", c.Analyzers)
	}
	if c.Analyzers == 0 {
		c.Analyzers = min(runtime.NumCPU(), 4)
	}
	if c.Attempts < 1 || c.Attempts > 20 {
		fault("CONSOLE_ANALYSIS_ATTEMPTS", "%d is out of range: want 1 to 20", c.Attempts)
	}
	if c.AnalysisMemory < 256 || c.AnalysisMemory > 1<<20 {
		fault("CONSOLE_ANALYSIS_MEMORY_MB", "%d is out of range: want 256 to %d", c.AnalysisMemory, 1<<20)
	}
	if c.AnalysisTimeout < time.Second {
		fault("CONSOLE_ANALYSIS_TIMEOUT", "%v is out of range: want at least 1s", c.AnalysisTimeout)
	}
	if c.MaxImageSizeMB < 0 {
		fault("CONSOLE_MAX_IMAGE_SIZE_MB", "%d is below 0", c.MaxImageSizeMB)
	}
	if _, err := logs.ParseLevel(c.LogLevel); err != nil {
		fault("CONSOLE_LOG_LEVEL", "%q is not a level: want debug, info, warn or error", c.LogLevel)
	}
	if n := len(c.AdminPassword); n > 0 && n < 6 {
		fault("CONSOLE_ADMIN_PASSWORD", "shorter than 6 characters")
	}
	if n := len(c.SecretKey); n != 0 && n != 64 {
		fault("CONSOLE_SECRET_KEY", "%d characters long: want 64 hex digits", n)
	}
	if c.AuditKeep < 24*time.Hour {
		fault("CONSOLE_AUDIT_KEEP", "%v is out of range: want at least 24h", c.AuditKeep)
	}
	var err error
	if c.oauth, err = c.tokens(); err != nil {
		errs = append(errs, err)
	}
	if c.mirrors, err = registry.ParseMirrors(c.RegistryMirrors); err != nil {
		fault("CONSOLE_REGISTRY_MIRRORS", "%v", err)
	}
	if c.policies, err = bundles.First(c.PolicyBundles); err != nil {
		fault("CONSOLE_POLICY_BUNDLES_DIR", "%v", err)
	}
	if c.search, err = c.searches(); err != nil {
		fault("CONSOLE_ANALYZER_CONFIG", "%v", err)
	}
	c.readNotify(fault)
	if c.HostID == "" {
		if c.HostID, err = os.Hostname(); err != nil {
			fault("CONSOLE_HOST_ID", "the host has no name (%v): give one", err)
		}
	}
	if c.DataDir, err = filepath.Abs(c.DataDir); err != nil {
		fault("CONSOLE_DATA_DIR", "%v", err)
	}
	if s := c.search; s != nil {
		s.Malware.Database, s.Malware.Freshclam = c.ClamAVDB, c.FreshclamConfig
		s.Malware.State = filepath.Join(c.DataDir, "malware")
		s.Hints = c.Hints
	}
	if c.LogDir == "" {
		c.LogDir = filepath.Join(c.DataDir, "log")
	}
	return errors.Join(errs...)
}

// searches is what analyses look for in files.
func (c *Config) searches() (*search.Settings, error) {
	if c.AnalyzerConfig == "" {
		return search.Default(), nil
	}
	f, err := os.Open(c.AnalyzerConfig)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := search.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.AnalyzerConfig, err)
	}
	return s, nil
}

// tokens is what the settings of OAuth say.
func (c *Config) tokens() (o accounts.OAuth, err error) {
	switch {
	case c.OAuth != "on" && c.OAuth != "off":
		return o, fmt.Errorf("CONSOLE_OAUTH: %q is neither on nor off", c.OAuth)
	case c.OAuthLifetime < time.Minute || c.OAuthLifetime > 30*24*time.Hour:
		return o, fmt.Errorf("CONSOLE_OAUTH_LIFETIME: %v is out of range: want 1m to 720h", c.OAuthLifetime)
	case c.OAuth == "off":
		return o, nil
	}
	o.Lifetime = c.OAuthLifetime
	if c.OAuthKey == "" {
		return o, nil
	}
	pem, err := os.ReadFile(c.OAuthKey)
	if err != nil {
		return o, fmt.Errorf("CONSOLE_OAUTH_KEY: %w", err)
	}
	if o.Key, err = jwt.ParseRSAPrivateKeyFromPEM(pem); err != nil {
		return o, fmt.Errorf("CONSOLE_OAUTH_KEY: %s: %w", c.OAuthKey, err)
	}
	return o, nil
}

// addrs are the listeners of the five services.
func (c *Config) addrs() map[string]string {
	return map[string]string{
		engine.APIExt: c.APIAddr, engine.Catalog: c.CatalogAddr, engine.SimpleQueue: c.QueueAddr,
		engine.Analyzer: c.AnalyzerAddr, engine.PolicyEngine: c.PolicyAddr,
	}
}

// commands are what the program can be asked to do.
type commands struct {
	Serve  Config    `cmd:"" default:"withargs" help:"Run the engine and the console (the default)."`
	Sample sampleCmd `cmd:"" help:"Put the built-in sample into a running engine, or remove it."`
	Health healthCmd `cmd:"" help:"Succeed when the console answers; for the health checks of containers."`
}

// named is the name under which a setting stands in the environment, of those
// it may have, the first before the others.
func named(list string) string {
	names := strings.Split(list, ",")
	for _, name := range names {
		if os.Getenv(name) != "" {
			return name
		}
	}
	return names[0]
}

// parse reads flags and the environment, and names the command.
func parse(args []string, out io.Writer) (string, *commands, error) {
	var c commands
	p, err := kong.New(&c, kong.Name("console"), kong.Writers(out, out), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Description("Windlass: container scanning that speaks the Anchore Engine v1 API, and a console for it."))
	if err != nil {
		return "", nil, err
	}
	for _, cmd := range p.Model.Children {
		for _, f := range cmd.Flags {
			f.Tag.Env = named(f.Tag.Env)
		}
	}
	ctx, err := p.Parse(args)
	if err != nil {
		return "", nil, err
	}
	return ctx.Command(), &c, nil
}

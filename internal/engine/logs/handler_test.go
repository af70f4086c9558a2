package logs

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"windlass/internal/engine"
)

func open(t testing.TB, o Options) *Set {
	t.Helper()
	s, err := Open(t.TempDir(), "host-1", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func content(t *testing.T, s *Set, service string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, engine.LogFileNames[service]))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLineShape(t *testing.T) {
	var echo bytes.Buffer
	s := open(t, Options{Echo: &echo})
	s.Logger(engine.PolicyEngine).With("component", "feeds", "feed", "github").WithGroup("sync").
		Warn("feed sync retry", "attempt", 2, "cause", "connection reset by peer", "image", engine.Digest("sha256:ab"))
	want := regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+0000 \[-\] \[feeds\] \[logs/TestLineShape\(\)\] \[WARN\] ` +
		`feed sync retry feed=github sync.attempt=2 sync.cause="connection reset by peer" sync.image=sha256:ab\n$`)
	got := content(t, s, engine.PolicyEngine)
	if !want.MatchString(got) {
		t.Errorf("line %q does not match %s", got, want)
	}
	if e := echo.String(); e != "[service:policy-engine] "+got {
		t.Errorf("echo is %q", e)
	}
}

func TestOneRecordIsOneHarmlessLine(t *testing.T) {
	s := open(t, Options{})
	evil := "a\nb\r\x1b[31mred\u009b2J\u2028\u202e\xff\x00 end"
	s.Logger(engine.Catalog).Error("message "+evil, "value", evil, "ke y\n", 1, "err", errors.New(evil),
		"bytes", []byte(evil), "list", []string{evil})
	got := content(t, s, engine.Catalog)
	if n := strings.Count(got, "\n"); n != 1 || !strings.HasSuffix(got, "\n") {
		t.Errorf("%d line ends in %q", n, got)
	}
	for _, r := range strings.TrimSuffix(got, "\n") {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u202e' || r == 0xFFFD {
			t.Errorf("%q passed in %q", r, got)
		}
	}
}

func TestLongLinesAreCut(t *testing.T) {
	s := open(t, Options{})
	long := strings.Repeat("ü", 1<<20)
	s.Logger(engine.Catalog).Info("start", "a", long, "b", long, "c", long, "d", long, "e", long, "f", long)
	got := content(t, s, engine.Catalog)
	if len(got) > maxLine || !strings.HasSuffix(got, cutMark+"\n") {
		t.Errorf("%d bytes, ending %q", len(got), got[len(got)-30:])
	}
}

// TestSecretsStayOut sends credentials the ways a careless call could.
func TestSecretsStayOut(t *testing.T) {
	const secret = "hunter2-hunter2"
	type inner struct {
		Pass   engine.Secret
		hidden engine.Secret
	}
	type outer struct {
		Name     string
		Inner    inner
		Ptr      *inner
		List     []engine.Secret
		Map      map[string]engine.Secret
		Password string
	}
	in := inner{secret, secret}
	v := outer{"n", in, &in, []engine.Secret{secret}, map[string]engine.Secret{"a": secret}, secret}
	s := open(t, Options{})
	log, captured := Capture(s.Logger(engine.APIExt))
	log = log.With("registry", v, "pass", engine.Secret(secret))
	log.WithGroup("g").Info("login via https://bob:"+secret+"@registry.example/v2",
		"secret", engine.Secret(secret), "struct", v, "pointer", &v, "slice", []outer{v}, "any", []any{v, in},
		slog.Group("group", "inner", in), "password", secret, "admin_password", secret, "Authorization", secret,
		"url", "postgres://console:"+secret+"@db/console",
		"err", errors.New("GET: Authorization: Bearer "+secret), "token", map[string]string{"x": secret})
	got := content(t, s, engine.APIExt) + strings.Join(captured(), "\n")
	if strings.Contains(got, secret) {
		t.Errorf("the secret is in %s", got)
	}
	if n := strings.Count(got, redacted); n < 30 {
		t.Errorf("%d redactions in %s", n, got)
	}
}

func TestLevels(t *testing.T) {
	s := open(t, Options{Level: slog.LevelWarn})
	log := s.Logger(engine.Analyzer)
	log.Info("not this")
	log.Warn("this")
	s.SetLevel(slog.LevelDebug - 4)
	log.Log(t.Context(), slog.LevelDebug-4, "and this")
	log.Log(t.Context(), slog.LevelError+4, "last this")
	got := content(t, s, engine.Analyzer)
	for _, want := range []string{"[WARN] this", "[SPEW] and this", "[FATAL] last this"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	if strings.Contains(got, "not this") {
		t.Errorf("a line below the level in %s", got)
	}
	if l, err := ParseLevel("spew"); err != nil || l != slog.LevelDebug-4 {
		t.Errorf("ParseLevel(spew) = %v, %v", l, err)
	}
	if _, err := ParseLevel("loud"); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("ParseLevel(loud) = %v, want ErrInvalid", err)
	}
}

func TestCaptureKeepsTheLastLines(t *testing.T) {
	s := open(t, Options{Level: slog.LevelError})
	log, lines := Capture(s.Logger(engine.Analyzer).With("digest", "sha256:1"))
	log = log.With("attempt", 2)
	for i := range maxCaptured + 5 {
		log.Info("layer fetched", "n", i)
	}
	got := lines()
	if len(got) != maxCaptured {
		t.Fatalf("%d lines, want %d", len(got), maxCaptured)
	}
	if want := "INFO layer fetched digest=sha256:1 attempt=2 n=5"; !strings.HasSuffix(got[0], want) {
		t.Errorf("first is %q, want ...%q", got[0], want)
	}
	if want := "n=204"; !strings.HasSuffix(got[maxCaptured-1], want) {
		t.Errorf("last is %q, want ...%q", got[maxCaptured-1], want)
	}
	if c := content(t, s, engine.Analyzer); c != "" {
		t.Errorf("the file took lines below its level: %q", c)
	}
}

func TestModuleName(t *testing.T) {
	tests := map[string]string{
		"windlass/internal/engine/feeds.(*Syncer).Run.func1": "feeds/Run()",
		"windlass/internal/engine/feeds.Load":                "feeds/Load()",
		"windlass/internal/bff.(*Server).start.func2.1":      "bff/start()",
		"main.main": "main/main()",
		"":          "-",
	}
	for in, want := range tests {
		if got := moduleName(in); got != want {
			t.Errorf("moduleName(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestRotationIsByteExact checks the documented limits, and that a line which
// a crash cut short does not swallow the next one.
func TestRotationIsByteExact(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, engine.LogFileNames[engine.Catalog])
	if err := os.WriteFile(path, []byte("half a li"), 0o640); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir, "h", Options{maxBytes: 1000, keep: 2})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		s.Logger(engine.Catalog).Info("tick")
	}
	if err := s.Close(); err != nil { // waits for the deletion of old files
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "anchore-catalog*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 1000 || strings.HasPrefix(string(b), "half a li") && !strings.HasPrefix(string(b), "half a li\n") {
			t.Errorf("%s has %d bytes: %.40q", f, len(b), b)
		}
	}
}

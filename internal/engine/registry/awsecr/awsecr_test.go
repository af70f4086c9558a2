package awsecr

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

const host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"

// amazon answers for ECR and STS; a key "good" and what a role has taken may in.
func amazon(t *testing.T, lasts time.Duration) (url string, asked *[]string) {
	t.Helper()
	asked = new([]string)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		auth := r.Header.Get("Authorization")
		if strings.Contains(string(body), "Action=AssumeRole") {
			*asked = append(*asked, string(body))
			fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
				<AccessKeyId>good</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration>
				</Credentials></AssumeRoleResult></AssumeRoleResponse>`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
			return
		}
		*asked = append(*asked, r.Header.Get("X-Amz-Target"))
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if !strings.Contains(auth, "Credential=good/") || !strings.Contains(auth, "/eu-west-1/ecr/") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}`)
			return
		}
		token := base64.StdEncoding.EncodeToString([]byte("AWS:pass-" + fmt.Sprint(len(*asked))))
		fmt.Fprintf(w, `{"authorizationData":[{"authorizationToken":%q,"expiresAt":%d}]}`, token, time.Now().Add(lasts).Unix())
	}))
	t.Cleanup(srv.Close)
	return srv.URL, asked
}

func TestLogin(t *testing.T) {
	url, asked := amazon(t, 12*time.Hour)
	l := &Logins{Endpoint: url}
	r := engine.Registry{Account: "admin", Name: host, Type: "awsecr", User: "good", Password: "secret"}
	for range 2 {
		got, err := l.Login(t.Context(), r)
		if err != nil || got.User != "AWS" || got.Password != "pass-1" || got.Name != host {
			t.Fatalf("login %+v, %v", got, err)
		}
	}
	if len(*asked) != 1 {
		t.Errorf("AWS was asked %d times, want once", len(*asked))
	}
	other := r
	other.Account = "other"
	if got, err := l.Login(t.Context(), other); err != nil || got.Password != "pass-2" {
		t.Errorf("another account's login is %v, %v", got.Password.Reveal(), err)
	}

	r.User = "bad"
	for range 2 { // the second within the minute in which it is left alone
		_, err := l.Login(t.Context(), r)
		cause, _ := engine.CauseOf(err)
		if cause.Code != engine.CauseRegistryAuth || !strings.Contains(engine.MessageOf(err, ""), "UnrecognizedClientException") || strings.Contains(err.Error(), "secret") {
			t.Errorf("a bad key gives %v", err)
		}
	}
	if len(*asked) != 3 {
		t.Errorf("AWS was asked %d times, want 3", len(*asked))
	}
}

func TestLoginThatIsNearlyOverIsRenewed(t *testing.T) {
	url, asked := amazon(t, 10*time.Minute)
	l := &Logins{Endpoint: url}
	r := engine.Registry{Account: "admin", Name: host, User: "good", Password: "secret"}
	if _, err := l.Login(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for k, v := range l.kept { // a minute later
		v.until = time.Now().Add(-time.Second)
		l.kept[k] = v
	}
	if _, err := l.Login(t.Context(), r); err != nil || len(*asked) != 2 {
		t.Errorf("%v, asked %d times", err, len(*asked))
	}
}

func TestLoginByRole(t *testing.T) {
	url, asked := amazon(t, 12*time.Hour)
	t.Setenv("AWS_ACCESS_KEY_ID", "machine")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	l := &Logins{Endpoint: url}
	r := engine.Registry{Account: "admin", Name: host + "/team/*", User: UserRole, Password: "arn:aws:iam::123456789012:role/puller; ext-1"}
	if _, err := l.Login(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if len(*asked) != 2 || !strings.Contains((*asked)[0], "ExternalId=ext-1") || !strings.Contains((*asked)[0], "role%2Fpuller") {
		t.Errorf("asked %q", *asked)
	}
	r.User = UserAuto
	if _, err := l.Login(t.Context(), r); err == nil || !strings.Contains(err.Error(), "not enabled") {
		t.Errorf("awsauto that is not allowed: %v", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "good")
	l.Auto = true
	if _, err := l.Login(t.Context(), r); err != nil {
		t.Errorf("awsauto that is allowed: %v", err)
	}
}

func TestPlace(t *testing.T) {
	for name, want := range map[string]string{
		host:                        "eu-west-1",
		host + "/app":               "eu-west-1",
		host + "/team*":             "eu-west-1",
		"1.dkr.ecr.x.amazonaws.com": "",
		host + ".evil.example":      "",
		"docker.io":                 "",
		"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn": "cn-north-1",
	} {
		if _, region, err := place(name); region != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v; want %q", name, region, err, want)
		}
	}
}

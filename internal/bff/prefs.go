package bff

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/web/templates/view"
)

// Preferences are cookies that the script may read and write: they hold no
// secret, and pages are drawn with them from the first byte on.
const (
	cookieTheme = "wl_theme" // light, dark
	cookieZone  = "wl_zone"  // utc, local
	cookieTZ    = "wl_tz"    // the browser's zone, as the script found it
	cookieRail  = "wl_rail"  // icons
	cookieFlash = "wl_flash"
)

// setPrefs changes what the form names and goes back to its page.
func (s *Server) setPrefs(c *fiber.Ctx) error {
	if !sameOrigin(c) {
		return fiber.NewError(fiber.StatusForbidden, "This form came from another site.")
	}
	for name, allowed := range map[string]string{
		"theme": "light dark system", "zone": "utc local", "rail": "icons labels",
	} {
		if !c.Context().PostArgs().Has(name) {
			continue
		}
		v := c.FormValue(name)
		if !strings.Contains(allowed, v) {
			v = ""
		}
		c.Cookie(&fiber.Cookie{Name: "wl_" + name, Value: v, Path: "/", MaxAge: 365 * 24 * 3600, SameSite: "Lax", Secure: s.opts.Secure})
	}
	return c.Redirect(localPath(c.FormValue("back")), fiber.StatusSeeOther)
}

func theme(c *fiber.Ctx) string {
	if v := c.Cookies(cookieTheme); v == "light" || v == "dark" {
		return v
	}
	return ""
}

func zone(c *fiber.Ctx) string {
	if c.Cookies(cookieZone) == "local" {
		return "local"
	}
	return "utc"
}

func rail(c *fiber.Ctx) string {
	if c.Cookies(cookieRail) == "icons" {
		return "icons"
	}
	return ""
}

// location is the zone to write times in. Without the script the browser's
// zone is not known, and times are in UTC.
func location(c *fiber.Ctx) *time.Location {
	if zone(c) != "local" {
		return time.UTC
	}
	name := c.Cookies(cookieTZ)
	if name == "" || len(name) > 64 || name == "Local" {
		return time.UTC
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return loc
}

// localPath keeps redirects within the console: a path that begins with one
// slash, else the start page.
func localPath(p string) string {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n\t") {
		return "/"
	}
	return p
}

// The flash rides in a cookie that the next page takes away. A forged one can
// do no more than show its text: the undo form still needs the token.
func setFlash(c *fiber.Ctx, f view.Flash) {
	raw, err := json.Marshal(f)
	if err != nil || f.Text == "" || len(raw) > 2048 {
		return
	}
	c.Cookie(&fiber.Cookie{Name: cookieFlash, Value: base64.RawURLEncoding.EncodeToString(raw), Path: "/", MaxAge: 60, HTTPOnly: true, SameSite: "Lax"})
}

func takeFlash(c *fiber.Ctx) *view.Flash {
	v := c.Cookies(cookieFlash)
	if v == "" || c.Query("fragment") != "" {
		return nil
	}
	c.Cookie(&fiber.Cookie{Name: cookieFlash, Path: "/", Expires: time.Unix(0, 0), MaxAge: -1, HTTPOnly: true, SameSite: "Lax"})
	raw, err := base64.RawURLEncoding.DecodeString(v)
	var f view.Flash
	if err != nil || json.Unmarshal(raw, &f) != nil || f.Text == "" {
		return nil
	}
	if f.Undo != "" {
		f.Undo = localPath(f.Undo)
	}
	return &f
}

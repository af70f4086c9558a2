package bff

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// A user's preferences are kept by the engine and follow him to every browser.
// Cookies repeat them for pages without a session, and for those who are not
// signed in; they hold no secret.
const (
	cookieTheme    = "wl_theme"
	cookieZone     = "wl_zone"
	cookieRail     = "wl_rail"
	cookieDensity  = "wl_density"
	cookiePageSize = "wl_page_size"
	cookieTZ       = "wl_tz" // the browser's zone, as the script found it
	cookieFlash    = "wl_flash"
)

const prefsMaxAge = 365 * 24 * 3600

// preferences are those of the signed-in user; what he has left open, and all
// of them without a session, the browser's.
func preferences(c *fiber.Ctx) engine.Preferences {
	found, _ := c.Locals(localSession).(engine.Session)
	return found.Preferences.Or(cachedPreferences(c)).Known()
}

func cachedPreferences(c *fiber.Ctx) engine.Preferences {
	size, _ := strconv.Atoi(c.Cookies(cookiePageSize))
	return engine.Preferences{
		Theme: c.Cookies(cookieTheme), Zone: c.Cookies(cookieZone), Rail: c.Cookies(cookieRail),
		Density: c.Cookies(cookieDensity), PageSize: size,
	}.Known()
}

// cachePreferences has the browser repeat what another one may have changed.
func (s *Server) cachePreferences(c *fiber.Ctx, p engine.Preferences) {
	cached := cachedPreferences(c)
	put := func(name, value, had string) {
		if value != had {
			c.Cookie(&fiber.Cookie{Name: name, Value: value, Path: "/", MaxAge: prefsMaxAge, SameSite: "Lax", Secure: s.secure(c)})
		}
	}
	put(cookieTheme, p.Theme, cached.Theme)
	put(cookieZone, p.Zone, cached.Zone)
	put(cookieRail, p.Rail, cached.Rail)
	put(cookieDensity, p.Density, cached.Density)
	put(cookiePageSize, strconv.Itoa(p.PageSize), strconv.Itoa(cached.PageSize))
}

// setPrefs changes what the form names and goes back to its page; a script
// that asks for JSON is told no more than that it was done.
func (s *Server) setPrefs(c *fiber.Ctx) error {
	if !sameOrigin(c) {
		return fiber.NewError(fiber.StatusForbidden, "This form came from another site.")
	}
	size, _ := strconv.Atoi(c.FormValue("page_size"))
	change := engine.Preferences{
		Theme: c.FormValue("theme"), Zone: c.FormValue("zone"), Rail: c.FormValue("rail"),
		Density: c.FormValue("density"), PageSize: size,
	}.Known()
	found, err := s.findSession(c)
	switch {
	case err == nil:
		if err := checkCSRF(c, found.CSRF); err != nil {
			return err
		}
		if err := s.engine.SetPreferences(c.UserContext(), found.User, change); err != nil {
			return err
		}
		change = change.Or(found.Preferences)
	case !errors.Is(err, engine.ErrNotFound):
		return err
	}
	s.cachePreferences(c, change.Or(cachedPreferences(c)))
	if c.Accepts(fiber.MIMETextHTML, fiber.MIMEApplicationJSON) == fiber.MIMEApplicationJSON {
		return c.SendStatus(fiber.StatusNoContent)
	}
	if text := c.FormValue("say"); text != "" {
		return s.done(c, c.FormValue("back"), "Preferences kept. They are yours in every browser.", "")
	}
	return c.Redirect(localPath(c.FormValue("back")), fiber.StatusSeeOther)
}

// drawn is how a choice stands on the page: the one that most want is empty.
func drawn(choice string) string {
	switch choice {
	case "system", "labels", "normal":
		return ""
	}
	return choice
}

func theme(c *fiber.Ctx) string { return drawn(preferences(c).Theme) }

func zone(c *fiber.Ctx) string {
	if preferences(c).Zone == "local" {
		return "local"
	}
	return "utc"
}

// pageSize is how many rows the user wants on a page of a list that finds own
// right.
func pageSize(c *fiber.Ctx, own int) int {
	if n := preferences(c).PageSize; n > 0 {
		return n
	}
	return own
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

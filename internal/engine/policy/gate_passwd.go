package policy

import (
	"fmt"
	"slices"
	"strings"
)

const passwdFile = "/etc/passwd"

func passwdGate() *gate {
	list := func(name, alias, about, example string, is validator) param {
		return param{name: name, alias: alias, about: about, example: example, required: true, is: is}
	}
	field := func(name, about, what string, n int, p param) *trigger {
		return &trigger{
			name: name, about: about, params: []param{p}, needs: FactRetrieved,
			compile: fires(func(a args) firing {
				unwanted := items(a[p.name])
				return eachUser(func(u passwdEntry) (string, bool) {
					if n >= len(u.fields) || !slices.Contains(unwanted, u.fields[n]) {
						return "", false
					}
					return fmt.Sprintf("Unwanted %s %s in /etc/passwd: entry %s", what, u.fields[n], u.line), true
				})
			}),
		}
	}
	return &gate{
		name:  "passwd_file",
		about: "Looks at the users of the image. The analyzer must be set to retrieve /etc/passwd, as it is by default.",
		triggers: []*trigger{
			{
				name:  "content_not_available",
				about: "Fires when /etc/passwd was not retrieved or is empty.",
				needs: FactRetrieved,
				compile: plain(func(c *context, emit func(hit)) error {
					if len(c.users().entries) == 0 {
						emit(hit{message: "The content of /etc/passwd is not available", why: Why{Record: passwdFile, Path: passwdFile}})
					}
					return nil
				}),
			},
			field("blacklist_usernames", "Fires for each user whose name is in the list.", "user name", 0,
				list("user_names", "usernameblacklist", "The unwanted user names.", "daemon,ftp", commaList())),
			field("blacklist_userids", "Fires for each user whose id is in the list.", "user id", 2,
				list("user_ids", "useridblacklist", "The unwanted user ids.", "0,1", commaNumbers())),
			field("blacklist_groupids", "Fires for each user whose group id is in the list.", "group id", 3,
				list("group_ids", "", "The unwanted group ids.", "999,20", commaNumbers())),
			field("blacklist_shells", "Fires for each user whose shell is in the list.", "shell", 6,
				list("shells", "", "The unwanted shells.", "/bin/bash,/bin/zsh", commaList())),
			{
				name:   "blacklist_full_entry",
				about:  "Fires when a line of /etc/passwd is exactly the given one.",
				params: []param{list("entry", "", "The unwanted line.", "ftp:x:14:50:FTP User:/var/ftp:/sbin/nologin", anyText())},
				needs:  FactRetrieved,
				compile: fires(func(a args) firing {
					unwanted := strings.TrimSpace(a["entry"])
					return eachUser(func(u passwdEntry) (string, bool) {
						return fmt.Sprintf("Unwanted entry in /etc/passwd: entry %s", u.line), u.line == unwanted
					})
				}),
			},
		},
	}
}

// eachUser fires for each user of whom found has something to say.
func eachUser(found func(passwdEntry) (message string, ok bool)) firing {
	return func(c *context, emit func(hit)) error {
		for _, u := range c.users().entries {
			if message, ok := found(u); ok {
				emit(hit{message: message, why: Why{Record: u.fields[0], Path: passwdFile}})
			}
		}
		return nil
	}
}

// passwdView is the users of an image, each name once.
type passwdView struct{ entries []passwdEntry }

type passwdEntry struct {
	line   string
	fields []string
}

func (c *context) users() *passwdView {
	if c.passwd == nil {
		c.passwd = &passwdView{}
		for _, f := range c.image.Retrieved {
			if f.Path == passwdFile {
				c.passwd = readPasswd(string(f.Body))
			}
		}
	}
	return c.passwd
}

// readPasswd reads the lines of a passwd file. A later line of the same user
// takes the place of the earlier.
func readPasswd(text string) *passwdView {
	v, at := &passwdView{}, map[string]int{}
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		e := passwdEntry{line: line, fields: strings.Split(line, ":")}
		if i, ok := at[e.fields[0]]; ok {
			v.entries[i] = e
			continue
		}
		at[e.fields[0]] = len(v.entries)
		v.entries = append(v.entries, e)
	}
	return v
}

package diagnose

import (
	"strconv"

	"windlass/internal/engine"
)

// A folder with less room than this is told of, in bytes and as a share: an
// image needs room for all its layers, and a feed for its database twice.
const (
	roomWarn  = 5 << 30
	roomFail  = 1 << 30
	shareWarn = 10 // per cent
	shareFail = 3
)

// HostFolders is what one host reports of its folders.
type HostFolders struct {
	Host    string
	Folders []engine.HostFolder
}

// Disk judges the room in the folders of each host.
func Disk(list []HostFolders) engine.Check {
	f := begin(engine.CheckDisk, "")
	var least engine.HostFolder
	for _, h := range list {
		for _, d := range h.Folders {
			fact := engine.CheckFact{Name: d.Use + " folder of " + h.Host, Status: engine.CheckPass}
			if d.Fault != "" {
				fact.Value, fact.Status = d.Path+": "+d.Fault, engine.CheckFail
				f.say(engine.CheckFail, "The %s folder of %s cannot be used: %s", d.Use, h.Host, sentence(d.Fault))
				f.step(advice("Make " + d.Path + " on " + h.Host + " writable for the user of the program."))
				f.fact(fact)
				continue
			}
			if d.Total <= 0 {
				continue
			}
			share := d.Free * 100 / d.Total
			fact.Value = size(d.Free) + " free of " + size(d.Total) + " (" + strconv.FormatInt(share, 10) + " %), " + d.Path
			switch {
			case d.Free < roomFail, share < shareFail && d.Free < 4*roomWarn:
				fact.Status = engine.CheckFail
				f.say(engine.CheckFail, "The %s folder of %s has %s left.", d.Use, h.Host, size(d.Free))
			case d.Free < roomWarn, share < shareWarn && d.Free < 4*roomWarn:
				fact.Status = engine.CheckWarn
				f.say(engine.CheckWarn, "The %s folder of %s has %s left.", d.Use, h.Host, size(d.Free))
			}
			if fact.Status != engine.CheckPass {
				f.step(advice("Free space below " + d.Path + " on " + h.Host + ", or move it with " + setting[d.Use] + "."))
			}
			if least.Total == 0 || d.Free < least.Free {
				least = d
			}
			f.fact(fact)
		}
	}
	if len(f.Facts) == 0 {
		f.say(engine.CheckUnknown, "No host has reported its folders yet.")
	}
	f.fine = "The fullest has " + size(least.Free) + " left."
	return f.end()
}

// setting that moves each folder.
var setting = map[string]string{"data": "CONSOLE_DATA_DIR", "log": "CONSOLE_LOG_DIR", "temp": "CONSOLE_DATA_DIR"}

// Reached is how a registry took its stored credential.
type Reached struct {
	Name, User string
	Err        string // empty: it took it
	Code       string // cause of the error, if it has one
	Skipped    bool   // not asked: the time was up, or it is a prefix and no host
}

// Registries judges how the registries took what is stored for them.
func Registries(list []Reached, asked bool) engine.Check {
	f := begin(engine.CheckRegistries, "")
	ok, skipped := 0, 0
	for _, r := range list {
		fact := engine.CheckFact{Name: r.Name, Value: "answers", Status: engine.CheckPass, Place: at("registries", "", "edit", r.Name)}
		if r.User != "" {
			fact.Value = "takes the password of " + r.User
		}
		switch {
		case r.Skipped:
			skipped++
			fact.Value, fact.Status = "not asked: "+r.Err, engine.CheckUnknown
		case r.Err != "":
			fact.Value, fact.Status = trim(r.Err, 300), engine.CheckFail
			f.say(engine.CheckFail, "%s: %s", r.Name, sentence(trim(r.Err, 300)))
			f.step(see("Change what is stored for "+r.Name, "registries", "", "edit", r.Name))
		default:
			ok++
		}
		f.fact(fact)
	}
	switch {
	case len(list) == 0:
		f.fine = "No registry is stored: all are asked anonymously."
		f.step(see("Add a registry", "registries", "", "add", "1"))
		return f.end()
	case !asked:
		f.Status, f.Facts = engine.CheckUnknown, nil
		f.Summary = count(int64(len(list)), "registry is stored and was", "registries are stored and were") + " not asked in the last hour: that is a login to each."
		f.step(do("Ask them now", engine.DoCheckRegistries, ""))
		return f.end()
	}
	f.fine = count(int64(ok), "answers and takes what is stored for it.", "answer and take what is stored for them.")
	if skipped > 0 {
		f.say(engine.CheckUnknown, "%s not asked.", count(int64(skipped), "registry was", "registries were"))
	}
	f.step(do("Ask them again", engine.DoCheckRegistries, ""))
	return f.end()
}

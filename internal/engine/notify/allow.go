package notify

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"

	"windlass/internal/engine"
)

// Allow is where the webhooks of accounts may go beside the public network.
// The zero value allows nothing more.
type Allow struct {
	all   bool
	hosts map[string]bool
	nets  []netip.Prefix
}

// ParseAllow reads all, or host names, addresses and networks separated by
// commas.
func ParseAllow(text string) (Allow, error) {
	a := Allow{hosts: map[string]bool{}}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.ToLower(strings.TrimSpace(part))
		switch {
		case part == "":
		case part == "all":
			a.all = true
		case strings.Contains(part, "/"):
			p, err := netip.ParsePrefix(part)
			if err != nil {
				return a, fmt.Errorf("%.80q is not a network: want one like 10.1.0.0/16", part)
			}
			a.nets = append(a.nets, p.Masked())
		default:
			if ip, err := netip.ParseAddr(part); err == nil {
				a.nets = append(a.nets, netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()))
			} else if strings.ContainsAny(part, ":* ") {
				return a, fmt.Errorf("%.80q is not the name of a host, an address or a network", part)
			} else {
				a.hosts[part] = true
			}
		}
	}
	return a, nil
}

// host reports whether a host may be reached by its name, wherever that leads.
func (a Allow) host(name string) bool {
	return a.all || a.hosts[strings.ToLower(strings.TrimSuffix(name, "."))]
}

// errPrivate is a connection that an account's webhook may not make.
var errPrivate = errors.New("the address is not on the public network: webhooks of accounts may go there only when the settings allow it")

// control refuses a connection to an address that is not allowed. It runs after
// the name was looked up, for every address that is tried.
func (a Allow) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !a.address(at.Addr()) {
		return errPrivate
	}
	return nil
}

func (a Allow) address(ip netip.Addr) bool {
	ip = ip.WithZone("").Unmap()
	if a.all || isPublic(ip) {
		return true
	}
	for _, n := range a.nets {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}

// notPublic are the networks that the methods of netip.Addr do not know: by
// RFC 6890 and its followers none is a place of the public network. Those that
// carry an IPv4 address within (6to4, NAT64, Teredo) could lead back inside.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

// isPublic reports whether an address is one of the public network. Loopback,
// link-local (the metadata services of clouds are there) and private addresses
// are not.
func isPublic(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsLoopback() {
		return false
	}
	for _, n := range notPublic {
		if n.Contains(ip) {
			return false
		}
	}
	return true
}

// guarded reports whether a webhook may only reach what is allowed to accounts.
func (a Allow) guarded(w engine.Webhook, host string) bool { return !w.Setting() && !a.host(host) }

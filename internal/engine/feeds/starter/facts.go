package starter

import "windlass/internal/engine/feeds/build"

// debian is what Debian 12 says: the source package and the version that
// fixes it; none where Debian has no fix.
var debian = []fact{
	{id: "CVE-2023-4911", severity: "High", cvss: "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", pkg: "glibc", fixed: "2.36-9+deb12u3", text: "A crafted GLIBC_TUNABLES variable overflows a buffer of the dynamic loader and gives a local user root."},
	{id: "CVE-2023-6246", severity: "High", cvss: "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", pkg: "glibc", fixed: "2.36-9+deb12u4", text: "A long program name overflows a heap buffer in syslog()."},
	{id: "CVE-2023-6779", severity: "High", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", pkg: "glibc", fixed: "2.36-9+deb12u4", text: "An off-by-one error in syslog() writes past a heap buffer."},
	{id: "CVE-2023-6780", severity: "Medium", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N", pkg: "glibc", fixed: "2.36-9+deb12u4", text: "An integer overflow in syslog() allocates too small a buffer."},
	{id: "CVE-2024-2961", severity: "High", cvss: "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:H", pkg: "glibc", fixed: "2.36-9+deb12u6", text: "iconv() to ISO-2022-CN-EXT writes up to four bytes past its output buffer."},
	{id: "CVE-2023-2975", severity: "Medium", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N", pkg: "openssl", fixed: "3.0.10-1~deb12u1", text: "AES-SIV does not authenticate empty associated data."},
	{id: "CVE-2023-3446", severity: "Medium", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", pkg: "openssl", fixed: "3.0.10-1~deb12u1", text: "Checking very long Diffie-Hellman keys takes very long."},
	{id: "CVE-2023-3817", severity: "Medium", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", pkg: "openssl", fixed: "3.0.10-1~deb12u1", text: "Checking a very large q parameter of a Diffie-Hellman key takes very long."},
	{id: "CVE-2023-5363", severity: "High", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", pkg: "openssl", fixed: "3.0.11-1~deb12u2", text: "Key and IV lengths of some ciphers are processed wrongly, which can truncate the IV."},
	{id: "CVE-2023-5678", severity: "Medium", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", pkg: "openssl", fixed: "3.0.13-1~deb12u1", text: "Generating or checking X9.42 Diffie-Hellman keys with excessive parameters takes very long."},
	{id: "CVE-2024-0727", severity: "Medium", cvss: "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H", pkg: "openssl", fixed: "3.0.13-1~deb12u1", text: "A malformed PKCS#12 file makes the library dereference a null pointer."},
	{id: "CVE-2023-38545", severity: "Critical", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", pkg: "curl", fixed: "7.88.1-10+deb12u4", text: "A long host name overflows a heap buffer during a SOCKS5 proxy handshake."},
	{id: "CVE-2023-38546", severity: "Low", cvss: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:N", pkg: "curl", fixed: "7.88.1-10+deb12u4", text: "A duplicated handle can load cookies from a file named none."},
	{id: "CVE-2023-46218", severity: "Medium", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N", pkg: "curl", fixed: "7.88.1-10+deb12u5", text: "A server can set cookies for a public suffix through mixed-case domains."},
	{id: "CVE-2024-2398", severity: "High", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:H", pkg: "curl", fixed: "7.88.1-10+deb12u6", text: "Headers of an aborted HTTP/2 server push are not freed."},
	{id: "CVE-2024-7264", severity: "Medium", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H", pkg: "curl", fixed: "7.88.1-10+deb12u7", text: "Parsing a malformed ASN.1 time reads past the end of a buffer."},
	{id: "CVE-2023-4863", severity: "High", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", pkg: "libwebp", fixed: "1.2.4-0.2+deb12u1", text: "A crafted lossless WebP image overflows a heap buffer while its Huffman tables are built."},
	{id: "CVE-2023-44487", severity: "High", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", pkg: "nghttp2", fixed: "1.52.0-1+deb12u1", text: "HTTP/2 streams that are opened and reset quickly exhaust a server (rapid reset)."},
	{id: "CVE-2024-28182", severity: "Medium", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", pkg: "nghttp2", fixed: "1.52.0-1+deb12u2", text: "CONTINUATION frames without end cost a server unbounded work."},
	{id: "CVE-2023-38408", severity: "Critical", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", pkg: "openssh", fixed: "1:9.2p1-2+deb12u1", text: "A forwarded ssh-agent loads libraries of an attacker's choice through PKCS#11."},
	{id: "CVE-2023-48795", severity: "Medium", cvss: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:N", pkg: "openssh", fixed: "1:9.2p1-2+deb12u2", text: "A man in the middle can drop the first packets of an SSH connection unnoticed (Terrapin)."},
	{id: "CVE-2024-6387", severity: "High", cvss: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", pkg: "openssh", fixed: "1:9.2p1-2+deb12u3", text: "A race in the server's signal handler can be used to run code before login (regreSSHion)."},
	{id: "CVE-2023-52425", severity: "High", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", pkg: "expat", fixed: "2.5.0-1+deb12u2", text: "A large token that arrives in pieces is parsed again and again."},
	{id: "CVE-2024-45490", severity: "Critical", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", pkg: "expat", fixed: "2.5.0-1+deb12u1", text: "XML_ParseBuffer accepts a negative length."},
	{id: "CVE-2024-45491", severity: "Critical", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", pkg: "expat", fixed: "2.5.0-1+deb12u1", text: "An integer overflow in dtdCopy on 32-bit platforms."},
	{id: "CVE-2024-7347", severity: "Medium", cvss: "CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:N/I:N/A:H", pkg: "nginx", fixed: "1.22.1-9+deb12u2", text: "A crafted MP4 file makes the mp4 module read past a buffer and crash a worker."},
	{id: "CVE-2023-47038", severity: "High", cvss: "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", pkg: "perl", fixed: "5.36.0-7+deb12u1", text: "Compiling a crafted regular expression writes past a heap buffer."},
	{id: "CVE-2022-48303", severity: "Medium", cvss: "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H", pkg: "tar", fixed: "1.34+dfsg-1.2+deb12u1", text: "A V7 archive with a crafted time makes tar read uninitialised memory."},
	{id: "CVE-2023-39804", severity: "Medium", cvss: "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H", pkg: "tar", fixed: "1.34+dfsg-1.2+deb12u1", text: "Extended attributes of a PAX archive can crash tar."},
	{id: "CVE-2023-45853", severity: "Critical", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", pkg: "zlib", fixed: "", text: "MiniZip overflows a heap buffer on long names; the library itself does not use that code."},
}

// alpine is what Alpine 3.19 says: the origin package and the version that
// fixes it.
var alpine = []fact{
	{id: "CVE-2023-6129", severity: "Medium", pkg: "openssl", fixed: "3.1.4-r3", text: "Poly1305 on PowerPC corrupts vector registers."},
	{id: "CVE-2023-6237", severity: "Medium", pkg: "openssl", fixed: "3.1.4-r4", text: "Checking excessively long RSA public keys takes very long."},
	{id: "CVE-2024-0727", severity: "Medium", pkg: "openssl", fixed: "3.1.4-r5", text: "A malformed PKCS#12 file makes the library dereference a null pointer."},
	{id: "CVE-2024-2511", severity: "Medium", pkg: "openssl", fixed: "3.1.4-r6", text: "TLS 1.3 sessions can grow a server's memory without limit."},
	{id: "CVE-2024-5535", severity: "Critical", pkg: "openssl", fixed: "3.1.6-r0", text: "SSL_select_next_proto with an empty list reads past a buffer."},
	{id: "CVE-2023-42366", severity: "Medium", pkg: "busybox", fixed: "1.36.1-r16", text: "A crafted awk pattern overflows a heap buffer."},
	{id: "CVE-2023-42363", severity: "Medium", pkg: "busybox", fixed: "1.36.1-r17", text: "A use after free in awk."},
	{id: "CVE-2023-42364", severity: "Medium", pkg: "busybox", fixed: "1.36.1-r19", text: "A use after free in evaluation by awk."},
	{id: "CVE-2023-42365", severity: "Medium", pkg: "busybox", fixed: "1.36.1-r19", text: "A use after free in a copy of variables by awk."},
	{id: "CVE-2024-0853", severity: "Medium", pkg: "curl", fixed: "8.6.0-r0", text: "A session kept from a failed certificate check skips that check later."},
	{id: "CVE-2024-2398", severity: "High", pkg: "curl", fixed: "8.7.1-r0", text: "Headers of an aborted HTTP/2 server push are not freed."},
	{id: "CVE-2024-7264", severity: "Medium", pkg: "curl", fixed: "8.9.1-r0", text: "Parsing a malformed ASN.1 time reads past the end of a buffer."},
	{id: "CVE-2023-52425", severity: "High", pkg: "expat", fixed: "2.6.0-r0", text: "A large token that arrives in pieces is parsed again and again."},
	{id: "CVE-2024-28757", severity: "High", pkg: "expat", fixed: "2.6.2-r0", text: "External parsers allow entity expansion without limit."},
	{id: "CVE-2024-45490", severity: "Critical", pkg: "expat", fixed: "2.6.3-r0", text: "XML_ParseBuffer accepts a negative length."},
	{id: "CVE-2025-26519", severity: "High", pkg: "musl", fixed: "1.2.4_git20230717-r5", text: "iconv() from EUC-KR to UTF-8 writes past its output buffer."},
}

// languages is what GitHub's advisories say of packages of npm, PyPI and Maven.
var languages = []fact{
	{id: "GHSA-35jh-r3h4-6jhm", alias: "CVE-2021-23337", severity: "High", ecosystem: "npm", pkg: "lodash", affected: "<4.17.21", fixed: "4.17.21", text: "Command injection through the template function."},
	{id: "GHSA-29mw-wpgm-hmr9", alias: "CVE-2020-28500", severity: "Medium", ecosystem: "npm", pkg: "lodash", affected: "<4.17.21", fixed: "4.17.21", text: "Regular expressions that trim strings take very long on crafted input."},
	{id: "GHSA-p6mc-m468-83gw", alias: "CVE-2020-8203", severity: "High", ecosystem: "npm", pkg: "lodash", affected: ">=3.7.0,<4.17.19", fixed: "4.17.19", text: "Prototype pollution through pick, set and zipObjectDeep."},
	{id: "GHSA-xvch-5gv4-984h", alias: "CVE-2021-44906", severity: "Critical", ecosystem: "npm", pkg: "minimist", affected: ">=1.0.0,<1.2.6", fixed: "1.2.6", text: "Prototype pollution through crafted arguments."},
	{id: "GHSA-rv95-896h-c2vc", alias: "CVE-2024-29041", severity: "Medium", ecosystem: "npm", pkg: "express", affected: "<4.19.2", fixed: "4.19.2", text: "Open redirects through malformed addresses."},
	{id: "GHSA-qw6h-vgh9-j6wx", alias: "CVE-2024-43796", severity: "Low", ecosystem: "npm", pkg: "express", affected: "<4.20.0", fixed: "4.20.0", text: "Cross-site scripting through response.redirect()."},
	{id: "GHSA-4w2v-q235-vp99", alias: "CVE-2020-28168", severity: "Medium", ecosystem: "npm", pkg: "axios", affected: "<0.21.1", fixed: "0.21.1", text: "A redirect can lead past the proxy to internal hosts."},
	{id: "GHSA-cph5-m8f7-6c5x", alias: "CVE-2021-3749", severity: "High", ecosystem: "npm", pkg: "axios", affected: "<0.21.2", fixed: "0.21.2", text: "A regular expression takes very long on crafted input."},
	{id: "GHSA-wf5p-g6vw-rhxx", alias: "CVE-2023-45857", severity: "Medium", ecosystem: "npm", pkg: "axios", affected: ">=0.8.1,<0.28.0", fixed: "0.28.0", text: "The anti-forgery token is sent to any host."},
	{id: "GHSA-hrpp-h998-j3pp", alias: "CVE-2022-24999", severity: "High", ecosystem: "npm", pkg: "qs", affected: ">=6.7.0,<6.7.3", fixed: "6.7.3", text: "A crafted query pollutes prototypes and hangs the process."},
	{id: "GHSA-6fc8-4gx4-v693", alias: "CVE-2021-32640", severity: "Medium", ecosystem: "npm", pkg: "ws", affected: ">=7.0.0,<7.4.6", fixed: "7.4.6", text: "A crafted Sec-WebSocket-Protocol header slows a server down."},
	{id: "GHSA-3h5v-q93c-6h6q", alias: "CVE-2024-37890", severity: "High", ecosystem: "npm", pkg: "ws", affected: ">=7.0.0,<7.5.10", fixed: "7.5.10", text: "A request with very many headers crashes a server."},
	{id: "GHSA-c2qf-rxjj-qqgw", alias: "CVE-2022-25883", severity: "High", ecosystem: "npm", pkg: "semver", affected: ">=7.0.0,<7.5.2", fixed: "7.5.2", text: "Parsing a crafted range takes very long."},
	{id: "GHSA-x84v-xcm2-53pg", alias: "CVE-2018-18074", severity: "High", ecosystem: "python", pkg: "requests", affected: "<2.20.0", fixed: "2.20.0", text: "Credentials are sent on after a redirect from https to http."},
	{id: "GHSA-j8r2-6x86-q33q", alias: "CVE-2023-32681", severity: "Medium", ecosystem: "python", pkg: "requests", affected: ">=2.3.0,<2.31.0", fixed: "2.31.0", text: "Proxy credentials leak to the destination after a redirect."},
	{id: "GHSA-9wx4-h78v-vm56", alias: "CVE-2024-35195", severity: "Medium", ecosystem: "python", pkg: "requests", affected: "<2.32.0", fixed: "2.32.0", text: "A session that once skipped certificate checks goes on skipping them."},
	{id: "GHSA-mh33-7rrq-662w", alias: "CVE-2019-11324", severity: "High", ecosystem: "python", pkg: "urllib3", affected: "<1.24.2", fixed: "1.24.2", text: "Certificates are accepted from the system store when another was given."},
	{id: "GHSA-r64q-w8jr-g9qp", alias: "CVE-2019-11236", severity: "Medium", ecosystem: "python", pkg: "urllib3", affected: "<1.24.3", fixed: "1.24.3", text: "Line breaks in a request's address split headers."},
	{id: "GHSA-wqvq-5m8c-6g24", alias: "CVE-2020-26137", severity: "Medium", ecosystem: "python", pkg: "urllib3", affected: "<1.25.9", fixed: "1.25.9", text: "Line breaks in a request's method split headers."},
	{id: "GHSA-v845-jxx5-vc9f", alias: "CVE-2023-43804", severity: "High", ecosystem: "python", pkg: "urllib3", affected: "<1.26.17", fixed: "1.26.17", text: "Cookies are sent on after a redirect to another host."},
	{id: "GHSA-6757-jp84-gxfx", alias: "CVE-2020-1747", severity: "Critical", ecosystem: "python", pkg: "pyyaml", affected: ">=5.1b7,<5.3.1", fixed: "5.3.1", text: "full_load runs code from a document."},
	{id: "GHSA-8q59-q68h-6hv4", alias: "CVE-2020-14343", severity: "Critical", ecosystem: "python", pkg: "pyyaml", affected: "<5.4", fixed: "5.4", text: "full_load runs code from a document, again."},
	{id: "GHSA-462w-v97r-4m45", alias: "CVE-2019-10906", severity: "High", ecosystem: "python", pkg: "jinja2", affected: "<2.10.1", fixed: "2.10.1", text: "str.format_map leads out of the sandbox."},
	{id: "GHSA-g3rq-g295-4j3m", alias: "CVE-2020-28493", severity: "Medium", ecosystem: "python", pkg: "jinja2", affected: "<2.11.3", fixed: "2.11.3", text: "The urlize filter takes very long on crafted input."},
	{id: "GHSA-h5c8-rqwp-cp95", alias: "CVE-2024-22195", severity: "Medium", ecosystem: "python", pkg: "jinja2", affected: "<3.1.3", fixed: "3.1.3", text: "Cross-site scripting through the xmlattr filter."},
	{id: "GHSA-xpfp-f569-q3p2", alias: "CVE-2021-35042", severity: "Critical", ecosystem: "python", pkg: "django", affected: ">=3.2,<3.2.5", fixed: "3.2.5", text: "SQL injection through order_by()."},
	{id: "GHSA-2gwj-7jmv-h26r", alias: "CVE-2022-28346", severity: "Critical", ecosystem: "python", pkg: "django", affected: ">=3.2,<3.2.13", fixed: "3.2.13", text: "SQL injection through annotate() and aggregate()."},
	{id: "GHSA-w24h-v9qh-8gxj", alias: "CVE-2022-28347", severity: "Critical", ecosystem: "python", pkg: "django", affected: ">=3.2,<3.2.13", fixed: "3.2.13", text: "SQL injection through explain() options."},
	{id: "GHSA-p64x-8rxx-wf6q", alias: "CVE-2022-34265", severity: "Critical", ecosystem: "python", pkg: "django", affected: ">=3.2,<3.2.14", fixed: "3.2.14", text: "SQL injection through Trunc() and Extract()."},
	{id: "GHSA-8x94-hmjh-97hq", alias: "CVE-2022-36359", severity: "High", ecosystem: "python", pkg: "django", affected: ">=3.2,<3.2.15", fixed: "3.2.15", text: "A reflected file download through Content-Disposition."},
	{id: "GHSA-43fp-rhv2-5gv8", alias: "CVE-2022-23491", severity: "Medium", ecosystem: "python", pkg: "certifi", affected: ">=2017.11.05,<2022.12.07", fixed: "2022.12.07", text: "Root certificates of a distrusted authority are still trusted."},
	{id: "GHSA-xqr8-7jwr-rhp7", alias: "CVE-2023-37920", severity: "High", ecosystem: "python", pkg: "certifi", affected: ">=2015.04.28,<2023.07.22", fixed: "2023.07.22", text: "Root certificates of a distrusted authority are still trusted."},
	{id: "GHSA-jfh8-c2jp-5v3q", alias: "CVE-2021-44228", severity: "Critical", ecosystem: "java-archive", pkg: "org.apache.logging.log4j:log4j-core", affected: ">=2.13.0,<2.15.0", fixed: "2.15.0", text: "Logged text that names a remote object loads and runs it (Log4Shell)."},
}

// exploited are those of them that are known to be used in attacks.
var exploited = []build.Exploited{
	{CVE: "CVE-2021-44228", Vendor: "Apache", Product: "Log4j2", Added: "2021-12-10"},
	{CVE: "CVE-2023-4863", Vendor: "Google", Product: "Chromium WebP", Added: "2023-09-13"},
	{CVE: "CVE-2023-44487", Vendor: "IETF", Product: "HTTP/2", Added: "2023-10-10"},
	{CVE: "CVE-2023-4911", Vendor: "GNU", Product: "GNU C Library", Added: "2023-11-21"},
}

package sample

import "slices"

// images are the three samples. The versions are those that the starter
// database has records for; see package starter.
var images = []image{
	{
		repository: "storefront", tag: "1.4",
		entrypoint: []string{"/usr/sbin/nginx", "-g", "daemon off;"},
		env:        []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"},
		labels:     map[string]string{"org.opencontainers.image.title": "Sample: a Debian-based web front", "windlass.sample": "true"},
		layers: []layer{
			{by: "/bin/sh -c #(nop) ADD file:rootfs in / ", files: []file{
				{path: "etc/os-release", text: "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n"},
				{path: "etc/debian_version", text: "12.1\n"},
				{path: "etc/passwd", text: "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"},
				{path: "bin/sh", mode: 0o755, text: "#!sample\n"},
			}},
			{by: "/bin/sh -c apt-get update && apt-get install -y nginx openssh-client curl", files: []file{
				{path: "var/lib/dpkg/status", text: dpkg([]osPackage{
					{"base-files", "base-files", "12.4+deb12u1", "base system miscellaneous files"},
					{"libc6", "glibc", "2.36-9+deb12u1", "C library: shared libraries"},
					{"libssl3", "openssl", "3.0.9-1", "TLS toolkit: shared libraries"},
					{"openssl", "openssl", "3.0.9-1", "TLS toolkit: command line tool"},
					{"libcurl4", "curl", "7.88.1-10", "client-side URL transfer library"},
					{"curl", "curl", "7.88.1-10", "command line tool for URLs"},
					{"libwebp7", "libwebp", "1.2.4-0.2", "lossy compression of digital photographs"},
					{"libnghttp2-14", "nghttp2", "1.52.0-1", "library implementing HTTP/2"},
					{"openssh-client", "openssh", "1:9.2p1-2", "secure shell client"},
					{"zlib1g", "zlib", "1:1.2.13.dfsg-1", "compression library: runtime"},
					{"libexpat1", "expat", "2.5.0-1", "XML parsing library: runtime"},
					{"nginx", "nginx", "1.22.1-9", "small, powerful, scalable web server"},
					{"perl-base", "perl", "5.36.0-7", "minimal Perl system"},
					{"tar", "tar", "1.34+dfsg-1.2", "GNU version of the tar archiving utility"},
				})},
				{path: "etc/nginx/nginx.conf", text: "events {}\nhttp { server { listen 8080; root /var/www; } }\n"},
			}},
			{by: "/bin/sh -c #(nop) COPY dir:site in /var/www ", files: []file{{path: "var/www/index.html", text: "<!doctype html><title>Storefront</title>\n"}}},
		},
	},
	{
		repository: "edge-proxy", tag: "3.19",
		entrypoint: []string{"/usr/bin/proxy"},
		labels:     map[string]string{"org.opencontainers.image.title": "Sample: an Alpine-based proxy", "windlass.sample": "true"},
		layers: []layer{
			{by: "/bin/sh -c #(nop) ADD file:alpine-minirootfs in / ", files: []file{
				{path: "etc/os-release", text: "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.19.0\nPRETTY_NAME=\"Alpine Linux v3.19\"\n"},
				{path: "etc/alpine-release", text: "3.19.0\n"},
				{path: "etc/passwd", text: "root:x:0:0:root:/root:/bin/ash\n"},
			}},
			{by: "/bin/sh -c apk add --no-cache openssl curl", files: []file{{path: "lib/apk/db/installed", text: apk([]osPackage{
				{"alpine-baselayout", "alpine-baselayout", "3.4.3-r2", "Alpine base dir structure and init scripts"},
				{"musl", "musl", "1.2.4_git20230717-r4", "the musl c library"},
				{"busybox", "busybox", "1.36.1-r15", "Size optimized toolbox of many common UNIX utilities"},
				{"ssl_client", "busybox", "1.36.1-r15", "External ssl_client for busybox wget"},
				{"libcrypto3", "openssl", "3.1.4-r2", "Crypto library from openssl"},
				{"libssl3", "openssl", "3.1.4-r2", "SSL shared libraries"},
				{"openssl", "openssl", "3.1.4-r2", "Toolkit for Transport Layer Security"},
				{"curl", "curl", "8.5.0-r0", "URL retrieval utility and library"},
				{"libexpat", "expat", "2.5.0-r2", "XML parser library"},
				{"zlib", "zlib", "1.3-r2", "A compression/decompression Library"},
			})}}},
		},
	},
	{
		repository: "orders-api", tag: "2.0",
		entrypoint: []string{"node", "/srv/app/server.js"},
		env:        []string{"NODE_ENV=production"},
		labels:     map[string]string{"org.opencontainers.image.title": "Sample: an application with npm and Python packages", "windlass.sample": "true"},
		layers: []layer{
			{by: "COPY app /srv/app # buildkit", files: []file{
				{path: "etc/os-release", text: "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n"},
				{path: "var/lib/dpkg/status", text: dpkg([]osPackage{
					{"base-files", "base-files", "12.4+deb12u1", "base system miscellaneous files"},
					{"libc6", "glibc", "2.36-9+deb12u4", "C library: shared libraries"},
				})},
				{path: "srv/app/server.js", text: "require('express')().listen(8080)\n"},
				{path: "srv/app/package.json", text: `{"name":"orders-api","version":"2.0.0","license":"UNLICENSED"}`},
			}},
			{by: "RUN npm ci --omit=dev # buildkit", files: []file{
				npm("lodash", "4.17.15", "MIT"), npm("minimist", "1.2.5", "MIT"), npm("express", "4.17.1", "MIT"),
				npm("axios", "0.21.0", "MIT"), npm("qs", "6.7.0", "BSD-3-Clause"), npm("ws", "7.4.0", "MIT"), npm("semver", "7.3.5", "ISC"),
			}},
			{by: "RUN pip install -r requirements.txt # buildkit", files: slices.Concat(
				wheel("requests", "2.19.1", "Apache 2.0"), wheel("urllib3", "1.24.1", "MIT"), wheel("PyYAML", "5.3", "MIT"),
				wheel("Jinja2", "2.10", "BSD"), wheel("Django", "3.2.4", "BSD"), wheel("certifi", "2022.9.24", "MPL-2.0"),
			)},
		},
	},
}

package cli

import (
	"context"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

func (a *app) query() *cobra.Command {
	return a.group("query", "Search the images", a.queryByVulnerability(), a.queryByPackage())
}

func (a *app) queryByVulnerability() *cobra.Command {
	var id, namespace, pkg, severity string
	var vendorOnly bool
	c := a.command("images-by-vulnerability", "Find the images that a vulnerability affects", func(ctx context.Context, _ []string) error {
		params := given(param{"vulnerability_id", id}, param{"namespace", namespace}, param{"affected_package", pkg}, param{"severity", severity})
		if vendorOnly {
			params = append(params, param{"vendor_only", "True"})
		}
		r, err := a.client.get(ctx, "/query/images/by_vulnerability"+query(params...))
		if err != nil {
			return err
		}
		return a.show(r, "query images-by-vulnerability", a.vulnerableTable)
	})
	f := c.Flags()
	f.StringVar(&id, "vulnerability-id", "", "the vulnerability, such as CVE-2021-44228")
	f.StringVar(&namespace, "namespace", "", "only records of this namespace, such as debian:12")
	f.StringVar(&pkg, "package", "", "only this affected package")
	f.StringVar(&severity, "severity", "", "only this severity")
	f.BoolVar(&vendorOnly, "vendor_only", false, "leave out what the vendor will not fix")
	return required(c, "vulnerability-id")
}

func (a *app) queryByPackage() *cobra.Command {
	var name, version, kind string
	c := a.command("images-by-package", "Find the images that hold a package", func(ctx context.Context, _ []string) error {
		r, err := a.client.get(ctx, "/query/images/by_package"+query(given(
			param{"name", name}, param{"version", version}, param{"package_type", kind})...))
		if err != nil {
			return err
		}
		return a.show(r, "query images-by-package", a.holdersTable)
	})
	f := c.Flags()
	f.StringVar(&name, "name", "", "the package's name")
	f.StringVar(&version, "version", "", "only this version")
	f.StringVar(&kind, "package-type", "", "only this type, such as dpkg or npm")
	return required(c, "name")
}

func (a *app) vulnerableTable(r *reader, payload any) string {
	t := columns("Full Tag", "Severity", "Package", "Package Type", "Namespace", "Digest")
	for _, found := range r.list(r.at(payload, "images")) {
		for _, tag := range r.list(r.at(found, "image", "tag_history")) {
			for _, p := range r.list(r.at(found, "vulnerable_packages")) {
				t.row(r.at(tag, "fulltag"), r.at(p, "severity"), nameVersion(r, p), r.at(p, "type"), r.at(p, "namespace"), r.at(found, "image", "imageDigest"))
			}
		}
	}
	return a.plain(t)
}

func (a *app) holdersTable(r *reader, payload any) string {
	t := columns("Full Tag", "Package", "Package Type", "Digest")
	for _, found := range r.list(r.at(payload, "images")) {
		for _, tag := range r.list(r.at(found, "image", "tag_history")) {
			for _, p := range r.list(r.at(found, "packages")) {
				t.row(r.at(tag, "fulltag"), nameVersion(r, p), r.at(p, "type"), r.at(found, "image", "imageDigest"))
			}
		}
	}
	return a.plain(t)
}

func nameVersion(r *reader, p any) string {
	return python.Str(r.at(p, "name")) + "-" + python.Str(r.at(p, "version"))
}
